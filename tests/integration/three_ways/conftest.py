"""The room and the three ways into it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from pull_responder.cli import as_json
from pull_responder.cli.as_json import diagnosis_object
from pull_responder.emulator.findings_table import create_table
from tests.first_lines import faults_of_answer
from tests.integration.cli.test_diagnose import run
from tests.integration.handlers.test_audit_log import queue
from tests.integration.handlers.test_diagnose import Inbox, inbox
from tests.integration.handlers.test_signals import forwarder
from tests.integration.three_ways.room import Room, make_room
from tests.integration.three_ways.ways import Ways

if TYPE_CHECKING:
    from collections.abc import Callable

    from pull_responder.diagnosis import Diagnosis
    from pull_responder.emulator.emulated_aws import EmulatedAws

__all__ = ["forwarder", "inbox", "queue", "run"]


@pytest.fixture(scope="module")
def room(aws: EmulatedAws) -> Room:
    return make_room(aws)


@pytest.fixture
def ways(  # noqa: PLR0913, PLR0917 -- one argument a fixture
    aws: EmulatedAws,
    run: Callable[..., Any],
    inbox: Inbox,
    queue: str,
    forwarder: None,  # noqa: ARG001 -- sets the environment
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> Ways:
    """The three ways. A pull that nothing explains is notified at once, however long ago it failed."""
    monkeypatch.setattr(as_json, "diagnosis_object", _object_of_what_reads_well)
    monkeypatch.setenv("UNEXPLAINED_REPEATS", "1")
    monkeypatch.setenv("STOPPED_MINUTES", "9999999")
    monkeypatch.setenv("NOTIFY_MINIMUM_SEVERITY", "INFORMATIONAL")
    caplog.set_level(logging.INFO)
    return Ways(aws, run, inbox, queue, caplog)


def _object_of_what_reads_well(diagnosis: Diagnosis, *about: Any) -> dict[str, Any]:  # noqa: ANN401 -- as the function's
    """The object that is printed of a diagnosis. Its text, which is not, begins with its three lines."""
    assert faults_of_answer(diagnosis) == []
    return diagnosis_object(diagnosis, *about)


@pytest.fixture
def anew(aws: EmulatedAws, ways: Ways, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:  # noqa: ARG001 -- sets a table
    """Forget what was diagnosed: else the same failure is quiet for a while."""

    def forget() -> None:
        monkeypatch.setenv("TABLE_NAME", create_table(aws.client("dynamodb"), f"anew-{uuid4().hex[:8]}"))

    return forget
