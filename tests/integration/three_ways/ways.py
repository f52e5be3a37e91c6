"""One failed pull, read by the three ways that exist: `explain`, `diagnose --event`, and the deployed functions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pull_responder.handlers import audit_log, diagnose
from tests.integration.handlers.test_audit_log import CONTEXT, received
from tests.integration.handlers.test_diagnose import Context, Inbox, batch, failed, told

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    import pytest

    from pull_responder.emulator.emulated_aws import EmulatedAws

UNEXPLAINED = "pull_failing_unexplained"
# A session that was refused had its role. That pods can have that role no longer is read, not said.
UNSAID = "role_trust_policy_excludes_service"


@dataclass(frozen=True, slots=True)
class Fix:
    """How a finding is put right: in words, and by commands."""

    summary: str
    commands: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one way says of a pull: the causes it found, each with its resource, and why others are undecided.

    - `fixes` are the commands of each cause that was found, and what is said with them, by cause and resource.
    """

    fixes: dict[tuple[str, str], Fix]
    undecided: dict[str, str]

    @property
    def found(self) -> frozenset[tuple[str, str]]:
        return frozenset(self.fixes)

    @property
    def causes(self) -> set[str]:
        return {cause for cause, _ in self.found}

    def fix(self, cause: str) -> Fix:
        """The fix of the one finding of this cause."""
        (fix,) = [fix for (found, _), fix in self.fixes.items() if found == cause]
        return fix


@dataclass(frozen=True, slots=True)
class Ways:
    """The terminal and the deployed functions, before the same emulated AWS."""

    aws: EmulatedAws
    run: Callable[..., Any]
    inbox: Inbox
    queue: str
    caplog: pytest.LogCaptureFixture

    def explain(self, message: str) -> dict[str, Any]:
        ended = self.run("explain", "-", "--format", "json", stdin=json.dumps({"message": message}).encode())
        (answer,) = ended.objects
        assert isinstance(answer, dict)
        return answer

    def agree(
        self, document: dict[str, Any], *, found: Collection[tuple[str, str]] = (), undecided: str = "", why: str = ""
    ) -> Answer:
        """Return the one answer of all ways, which is this: causes with their resources, or one that is undecided.

        kubelet's message is explained, too, and can mean what was found. CloudTrail's record has no message of kubelet.
        """
        answer, _ = self.terminal(document)
        assert answer.found == set(found), answer
        if undecided:
            assert why.lower() in answer.undecided[undecided].lower()
        if message := document["detail"].get("message"):
            explained = self.explain(message)
            assert explained["image"]
            assert answer.causes - {UNSAID} <= set(explained["can_mean"])
        deployed, notified = self.deployed(document)
        assert deployed == answer
        # A pull that nothing explains is notified as such. Without anything undecided, all that was wrong is mended.
        left = [] if found or not answer.undecided else [UNEXPLAINED]
        assert [each["cause"] for each in notified if each["cause"] not in answer.causes] == left
        return answer

    def terminal(self, document: dict[str, Any]) -> tuple[Answer, dict[str, Any]]:
        """The answer of `diagnose --event`, and the pull that it read. The exit status follows from the answer."""
        ended = self.run("diagnose", "--event", "-", "--format", "json", stdin=json.dumps(document).encode())
        (one,) = ended.objects
        assert one["skipped"] is None
        found = _fixes(one["findings"])
        undecided = {each["cause"]: each["reason"] for each in one["inconclusive"]}
        assert ended.status == (1 if found else 3 if undecided else 0)
        return Answer(found, undecided), one["pull"]

    def skipped(self, document: dict[str, Any]) -> str:
        """The word with which both the terminal and the deployed functions skip an event."""
        ended = self.run("diagnose", "--event", "-", "--format", "json", stdin=json.dumps(document).encode())
        (one,) = ended.objects
        assert (ended.status, one["findings"], one["inconclusive"]) == (0, [], [])
        self.caplog.clear()
        assert failed(diagnose.handler(batch(document), Context())) == []
        assert not any(each.message == "diagnosed" for each in self.caplog.records)
        assert list(self.inbox.messages()) == []
        (said,) = [vars(each)["reasons"] for each in self.caplog.records if each.message == "skipped"]
        assert said == {one["skipped"]: 1}
        word: str = one["skipped"]
        return word

    def deployed(self, document: dict[str, Any]) -> tuple[Answer, list[dict[str, Any]]]:
        """The answer of the deployed functions, and the findings that they notified.

        A batch of audit records goes through the function `audit_log` first.
        """
        bodies: list[object] = [document]
        if "awslogs" in document:
            audit_log.handler(document, CONTEXT)
            bodies = list(received(self.aws, self.queue))
            assert len(bodies) == 1
        self.caplog.clear()
        assert failed(diagnose.handler(batch(*bodies), Context())) == []
        (said,) = [vars(each) for each in self.caplog.records if each.message == "diagnosed"]
        notified = [finding for each in self.inbox.messages() for finding in told(each)]
        found = _fixes(each for each in notified if each["cause"] != UNEXPLAINED)
        assert len(said["findings"]) == len(found)
        return Answer(found, said["inconclusive"]), notified


def _fixes(findings: Iterable[dict[str, Any]]) -> dict[tuple[str, str], Fix]:
    """The fixes of findings as all ways write them."""
    return {
        (each["cause"], each["resource"]["id"]): Fix(
            each["remediation"]["summary"], tuple(each["remediation"]["commands"])
        )
        for each in findings
    }
