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

    from pull_responder.cli.answered import Answer

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
        )
        for each in answers
        if isinstance(each, Answered)
    ]
    not_asked = [each.reason for each in answers if not isinstance(each, Answered)]
    made = f"Read from AWS until {minute(time.time())}"
    write_whole(path, diagnosis_page(pulls, not_asked, made=made, by=f"Made by {program()} diagnose"), OPTION)
