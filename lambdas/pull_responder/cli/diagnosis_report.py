"""`diagnose --report`: the answers as one page of HTML."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from pull_responder.cli.answered import Answered
from pull_responder.cli.as_json import answer_object
from pull_responder.cli.report_file import program, write_whole
from pull_responder.findings.clock import minute
from pull_responder.page.diagnosis_page import ReportedPull, diagnosis_page

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from pull_responder.cli.answered import Answer, UsedBy

OPTION: Final = "--report"


def write_diagnosis_report(path: Path, answers: Sequence[Answer]) -> None:
    """Write the page of all answers. Raises ClickException if it cannot be written."""
    pulls = [
        ReportedPull(
            diagnosis=each.diagnosis,
            path=each.path,
            asked=each.asked,
            nodes=each.nodes,
            raw=answer_object(each),
            used_by=tuple(_use(user) for user in each.used_by),
            waiting=each.reach.in_words() if each.reach else None,
        )
        for each in answers
        if isinstance(each, Answered)
    ]
    not_asked = [each.reason for each in answers if not isinstance(each, Answered)]
    made = f"Read from AWS until {minute(time.time())}"
    write_whole(path, diagnosis_page(pulls, not_asked, made=made, by=f"Made by {program()} diagnose"), OPTION)


def _use(user: UsedBy) -> str:
    """Return where a manifest uses an image, for people."""
    use = user.use
    container = use.container if use.container.startswith("volume ") else f"container {use.container}"
    doubt = f": may run there, {user.doubt}" if user.doubt else ""
    return f"{use.workload}, {container} ({use.place}){doubt}"
