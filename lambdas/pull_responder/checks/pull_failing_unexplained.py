"""A pull keeps failing, and no cause that Pull Responder knows explains it.

What it checks: nothing by itself. The deployed responder reports it when a pull has failed for a while, or many times,
and every diagnosis of it has found nothing: neither a cause nor that it has been fixed since. The finding says what was
ruled out, what could not be read, and which permission or whom it would take to decide.

Why this is worth a finding: a pod that cannot start is a failure whether or not its cause is known, and a cause that
nobody may read looks from here as if there were none.

How to fix it: let the responder read what it names and could not, or look there yourself. The finding closes when the
pull stops failing, or when a later diagnosis finds the cause.

References: the project's own docs/operations.md, "Pulls that nothing explains".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pull_responder.checks.check import Check, Kind
from pull_responder.model.verdict import Remediation, Resource, Severity, Verdict
from pull_responder.pulls.kubelet_words import said

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pull_responder.model.pull import PullFailure
    from pull_responder.pulls.pull_facts import PullFacts

_DOCS: Final = "https://repost.aws/knowledge-center/eks-ecr-troubleshooting"
# IAM actions as reasons name them, such as "organizations:ListRoots failed: AccessDeniedException".
_ACTION: Final = re.compile(r"\b[a-z][a-z0-9-]{1,40}:[A-Z][A-Za-z]{2,60}\b")
_ACCOUNT: Final = re.compile(r"(?<!\d)\d{12}(?!\d)")
_MOST_NAMED: Final = 12


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:  # noqa: ARG001 -- as every check
    """Return not applicable: one failure by itself never is one that keeps failing."""
    return Verdict.not_applicable("only the deployed responder knows that a pull keeps failing")


def unexplained(  # noqa: PLR0913 -- keyword-only but for the pull
    pull: PullFailure,
    *,
    resource: Resource,
    times: str,
    ruled_out: Sequence[str],
    unread: Sequence[tuple[str, str]],
    note: str = "",
) -> Verdict:
    """Return failed, for a pull that keeps failing.

    `times` says how often and since when it has failed, `ruled_out` are the causes that are not there, and `unread`
    those that could not be decided, with the reason. `note` is what the last diagnosis said beside that.
    """
    reasons = [reason for _, reason in unread]
    actions = _named(_ACTION, reasons)
    # Our own name for the image holds the registry's account, which may be nobody's to ask; reasons name who refused.
    accounts = [each for each in _named(_ACCOUNT, reasons) if each != resource.account]
    evidence = [times, *said(pull), *([note] if note else [])]
    if ruled_out:
        evidence.append(f"Ruled out: {', '.join(ruled_out)}.")
    evidence += [f"Not decided: {cause}: {reason}" for cause, reason in unread[:_MOST_NAMED]]
    steps = []
    if actions:
        steps.append(f"allow Pull Responder to call {', '.join(actions)}, which AWS refused")
    if accounts:
        steps.append(f"ask whoever administers account {', '.join(accounts)}")
    if not steps:
        steps.append("check what AWS does not show: the node's own disk, proxy, DNS and containerd configuration")
    sentence = "; ".join(steps)
    return Verdict.failed(
        resource=resource,
        explanation=(
            f"The pull of {pull.image or pull.repository or 'an image'} keeps failing ({pull.symptom}), and "
            + (
                f"{len(unread)} possible causes could not be decided."
                if unread
                else "nothing in the AWS configuration explains it."
            )
        ),
        evidence=tuple(evidence),
        remediation=Remediation(
            summary=f"To find the cause, {sentence}.", account=resource.account, region=pull.region, docs_url=_DOCS
        ),
    )


def _named(pattern: re.Pattern[str], reasons: Iterable[str]) -> list[str]:
    found = dict.fromkeys(each for reason in reasons for each in pattern.findall(reason))
    return list(found)[:_MOST_NAMED]


CHECK = Check(
    id="pull_failing_unexplained",
    title="A pull keeps failing and nothing explains it",
    severity=Severity.MEDIUM,
    resource_type="AwsIamRole",
    permissions=(),
    docs_url=_DOCS,
    examine=examine,
    explains=(),
    kind=Kind.UNEXPLAINED,
)
