"""Parse AWS's access denied messages, word by word.

Grammar: IAM User Guide, "Troubleshoot access denied error messages"
(https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html), and the AWS Security Blog,
"Enhanced access denied error messages with policy ARNs". Names that a caller chooses (sessions, users, repositories)
contain no spaces. So only complete words in their fixed places count. A session called "with-an-explicit-deny" is one
word, and cannot pass for AWS's phrase.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from pull_responder.events import names
from pull_responder.events.redaction import redact
from pull_responder.model.pull import Denial, PolicyType

MESSAGE_LIMIT: Final = 4096
"""The number of characters of a message that are read. CloudTrail sends 1 KB."""

# CloudTrail cuts errorMessage at 1 KB ("CloudTrail record contents", errorMessage). Every complete message without a
# reason is shorter than this. So the last word of a longer message may be cut off.
_CUT_LENGTH: Final = 1000

_NOT_AUTHORIZED: Final = ["is", "not", "authorized", "to", "perform:"]
_EXPLICIT_DENY: Final = ["with", "an", "explicit", "deny"]
_POLICY_TYPES: Final = {policy_type.lower(): policy_type for policy_type in PolicyType} | {
    "sessions policy": PolicyType.SESSION,  # the IAM User Guide's own spelling in one example
}

# The complete text in network activity events ("CloudTrail record contents", errorMessage).
_VPC_ENDPOINT_VIOLATION: Final = "The request was denied due to a VPC endpoint policy"


class _Reason(NamedTuple):
    policy_type: PolicyType | None = None
    explicit: bool = False
    policy_arn: str | None = None


def parse_denial(message: str, *, action: str) -> tuple[str, Denial]:
    """Return the principal that the message names, empty if it names none, and the denial.

    `action` is the IAM action of the API call. It is used if the message names no action. Any text is accepted: a part
    that is cut off, unknown to the grammar or not a valid name is left empty.
    """
    words = message[:MESSAGE_LIMIT].split()
    if len(message) >= _CUT_LENGTH:
        words = words[:-1]
    principal, denied_action, resource, reason = "", "", "", _Reason()
    at = _find(words, _NOT_AUTHORIZED)
    if at is not None:
        if at > 1 and words[at - 2] == "User:":
            principal = words[at - 1]
        at += len(_NOT_AUTHORIZED)
        denied_action = words[at] if at + 1 < len(words) else ""  # the last word of a message may be cut off
        resource, rest = _resource(words[at + 1 :])
        reason = _reason(rest)
    elif message.startswith(_VPC_ENDPOINT_VIOLATION):
        reason = _Reason(PolicyType.VPC_ENDPOINT)
    denial = Denial(
        action=names.action(denied_action) or action,
        resource=resource,
        message=redact(message, limit=MESSAGE_LIMIT),
        policy_type=reason.policy_type,
        explicit=reason.explicit,
        policy_arn=reason.policy_arn,
    )
    return principal, denial


def _find(words: list[str], phrase: list[str]) -> int | None:
    length = len(phrase)
    return next((at for at in range(len(words)) if words[at : at + length] == phrase), None)


def _resource(words: list[str]) -> tuple[str, list[str]]:
    """The resource that `words` begin with, and the words after it."""
    if words[:2] == ["on", "resource:"]:
        written, rest = "".join(words[2:3]).strip('"'), words[3:]
        written = written if rest else _without_period(written)
        return (written if written == "*" or names.arn(written) else ""), rest
    if words[:3] == ["on", "this", "resource"]:
        return "", words[3:]
    return "", words


def _reason(words: list[str]) -> _Reason:
    if words[:2] == ["because", "no"]:
        policy_type, after = _policy_type(words[2:])
        return _Reason(policy_type) if after[:1] in ([], ["allows"]) else _Reason()
    if [word.rstrip(".") for word in words[:4]] != _EXPLICIT_DENY:
        return _Reason()
    policy_type, after = _policy_type(_after_article(words[4:]))
    if after[:2] == ["transitively", "through"]:
        # The IAM User Guide sends the reader to the policy named last ("VPC request fails due to another policy").
        policy_type, after = _policy_type(_after_article(["in", *after[2:]]))
    arn = _without_period(after[0]) if policy_type and after else ""
    return _Reason(policy_type, explicit=True, policy_arn=arn if names.arn(arn) else None)


def _after_article(words: list[str]) -> list[str]:
    return words[2:] if words[:1] == ["in"] and words[1:2] in (["a"], ["an"], ["the"]) else []


def _policy_type(words: list[str]) -> tuple[PolicyType | None, list[str]]:
    """The policy type that `words` begin with, and the words after it."""
    for length in (2, 3):
        policy_type = _POLICY_TYPES.get(" ".join(words[:length]).rstrip(".:,").lower())
        if policy_type:
            return policy_type, words[length:]
    return None, words


def _without_period(word: str) -> str:
    """`word` without the period of its sentence. An ellipsis stays, because it marks a cut."""
    return word[:-1] if word.endswith(".") and not word.endswith("..") else word
