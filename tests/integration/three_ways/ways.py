"""One failed pull, read by the three ways that exist: `explain`, `diagnose --event`, and the deployed functions."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pull_responder.handlers import audit_log, diagnose
from tests.integration.handlers.test_audit_log import CONTEXT, received
from tests.integration.handlers.test_diagnose import Context, Inbox, batch, failed, told

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from pull_responder.emulator.emulated_aws import EmulatedAws

UNEXPLAINED = "pull_failing_unexplained"


@dataclass(frozen=True, slots=True)
class Answer:
    """What one way says of a pull: the causes it found, each with its resource, and why others are undecided."""

    found: frozenset[tuple[str, str]]
    undecided: dict[str, str]

    @property
    def causes(self) -> set[str]:
        return {cause for cause, _ in self.found}


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

    def terminal(self, document: dict[str, Any]) -> tuple[Answer, dict[str, Any]]:
        """The answer of `diagnose --event`, and the pull that it read. The exit status follows from the answer."""
        ended = self.run("diagnose", "--event", "-", "--format", "json", stdin=json.dumps(document).encode())
        (one,) = ended.objects
        assert one["skipped"] is None
        found = frozenset((each["cause"], each["resource"]["id"]) for each in one["findings"])
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
        notified = [told(each) for each in self.inbox.messages()]
        found = frozenset((each["cause"], each["resource"]["id"]) for each in notified if each["cause"] != UNEXPLAINED)
        assert len(said["findings"]) == len(found)
        return Answer(found, said["inconclusive"]), notified
