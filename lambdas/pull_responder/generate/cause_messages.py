"""The messages of each cause that people paste into a search box: collected ones, read as `explain` reads them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from pull_responder.events.denial import parse_denial
from pull_responder.events.kubelet_message import read_message
from pull_responder.events.redaction import redact
from pull_responder.meanings import can_mean
from pull_responder.model.pull import Symptom
from pull_responder.pulls.actions import PULL_ACTIONS

if TYPE_CHECKING:
    from pathlib import Path

    from pull_responder.checks.check import Check
    from pull_responder.model.pull import Denial

_SHOWN: Final = 5
_RECORDS_SHOWN: Final = 2

# kubelet's and the runtimes' first words, which all messages share.
_WRAPPER: Final = re.compile(
    r"^(?:Failed to pull image \"[^\"]*\": |rpc error: code = \w+ desc = |Error response from daemon: "
    r"|failed to pull and unpack image \"[^\"]*\": |failed to resolve reference \"[^\"]*\": |failed to copy: "
    r"|failed to resolve image: |CannotPull\w*Error: )+"
)
# Accounts, regions and hosts are no part of what is searched for.
_REGISTRY: Final = re.compile(r"[^\s\"/]*\.dkr\.ecr\.[^\s\"/:]*\.amazonaws\.com(?:\.cn)?")
_REPOSITORY: Final = re.compile(r"(?<=\.amazonaws\.com)/v2/\S+/(manifests|blobs)/")
_BUCKET: Final = re.compile(r"prod-[\w-]+-starport-layer-bucket\.s3\.[\w-]+")
_ACCOUNT: Final = re.compile(r"\b(?:\d{12}|ACCOUNT_ID|ACCOUNT)\b")
_DIGEST: Final = re.compile(r"\b[0-9a-f]{64}\b")
_QUERY: Final = re.compile(r"\?[^\s\"]*?(?=:?(?:[\s\"]|$))")
# What differs between two messages of one kind.
_VARYING: Final = re.compile(r"sha256:\w+|\"[^\"]*\"|\S*\d\S*|\S*/\S*")
# Messages about other registries, and those with places that their reporter blotted out.
_UNFIT: Final = re.compile(
    r"cross-aws-account-id|XXX|xxxx|CENSORED|\*\*\*|REGION:|\.invalid|\.\.\.|<account|ecr:Describe|anonymous token"
    r"|has been retried|sagemaker|ecr-public|public\.ecr\.aws/(?:token|v2/f94x)"
)


class Messages(NamedTuple):
    """Messages of one cause, the most telling first.

    - `of_kubelet`: without the words that all of kubelet's messages begin with.
    - `of_aws`: AWS's messages about a denied request.
    """

    of_kubelet: tuple[str, ...]
    of_aws: tuple[str, ...]


class Samples:
    """The collected messages in tests/events of the repository at `root`, each with what it can mean."""

    def __init__(self, root: Path) -> None:
        events = root / "tests" / "events"
        self._messages: dict[str, tuple[str, ...]] = {}
        for message in _of_kubelet(events):
            shown = _as_shown(message)
            read = read_message(message)
            # Without its first words a message may say less.
            same = (read.symptom, read.stage) == (read_message(shown).symptom, read_message(shown).stage)
            if same and read.symptom is not Symptom.UNKNOWN and not _UNFIT.search(shown):
                self._messages.setdefault(shown, can_mean(read))
        self._denials = [
            parse_denial(record["detail"]["errorMessage"], action="")
            for record in _records(events)
            if record["detail"].get("errorMessage", "").startswith("User: ")
        ]

    def of(self, check: Check) -> Messages:
        """Return the messages that can mean this cause: those first for which it is among the most likely."""
        likely = sorted(
            (causes.index(check.id), number, message)
            for number, (message, causes) in enumerate(self._messages.items())
            if check.id in causes
        )
        kinds: dict[str, str] = {}
        for _, _, message in likely:
            kinds.setdefault(_kind(message), message)
        return Messages(tuple(kinds.values())[:_SHOWN], self._of_aws(check)[:_RECORDS_SHOWN])

    def _of_aws(self, check: Check) -> tuple[str, ...]:
        if check.policy_type is None and check.denied_actions == PULL_ACTIONS:
            return ()  # AWS's words blame a policy, and no policy is this cause
        return tuple(
            dict.fromkeys(
                denial.message
                for principal, denial in self._denials
                if check.for_nodes is ("assumed-role/eks-node/" in principal)
                and "arn:aws:" in denial.message
                and _is_blamed(check, denial)
            )
        )


def _is_blamed(check: Check, denial: Denial) -> bool:
    blamed = frozenset({denial.policy_type} if denial.policy_type else ())
    return bool(blamed) and check.fits_denial(denial, blamed)


def _of_kubelet(events: Path) -> list[str]:
    """Return the messages that were seen, then those of containerd, the runtime of EKS, the newest version first."""
    seen = [each["message"] for each in _lines(events / "kubelet_messages.jsonl")]
    made = [each for each in _lines(events / "client_messages.jsonl") if each["client"] == "containerd (CRI)"]
    made.sort(key=lambda each: each["version"], reverse=True)
    return [*seen, *(each["message"] for each in made)]


def _lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def _records(events: Path) -> list[dict[str, dict[str, str]]]:
    paths = sorted((events / "ecr_denials").glob("*.json"))
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def _as_shown(message: str) -> str:
    """Return `message` as one line, without its first words and with made-up names in place of those that differ."""
    text = _QUERY.sub("?…", redact(message))
    text = _REGISTRY.sub("111111111111.dkr.ecr.us-east-1.amazonaws.com", text)
    text = _REPOSITORY.sub(r"/v2/team/app/\1/", text)
    text = _BUCKET.sub("prod-us-east-1-starport-layer-bucket.s3.us-east-1", text)
    text = _DIGEST.sub("ab" * 32, _ACCOUNT.sub("111111111111", text))
    return _WRAPPER.sub("", text).strip()


def _kind(message: str) -> str:
    """Return the words of the message's last link, which tell it from messages of another kind."""
    return _VARYING.sub("", message.rpartition(": ")[2])
