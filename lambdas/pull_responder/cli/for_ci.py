"""The answers of `diagnose` as one document for a CI system."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from pull_responder.cli.answered import exit_status
from pull_responder.cli.as_junit import junit_document
from pull_responder.cli.as_sarif import sarif_document

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pull_responder.cli.answered import Answer

CI_FORMS: Final = ("junit", "sarif")


def write_for_ci(answers: Iterable[Answer], form: str, *, source: str, at: str | None = None) -> int:
    """Print all answers as one document, once all are known. Return the exit status.

    - `source` is the file or folder that was given.
    - `at` is the file at which SARIF puts all results, where none was given. None where one was.
    """
    known = list(answers)
    status = exit_status(known)
    click.echo(junit_document(known) if form == "junit" else sarif_document(known, source, status, at=at), nl=False)
    return status
