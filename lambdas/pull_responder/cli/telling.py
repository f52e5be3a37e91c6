"""Tells the answers in the format that was asked for, and writes them as a page where that was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from pull_responder.cli import answer
from pull_responder.cli.answered import Answer, Answered, NotAsked, exit_status
from pull_responder.cli.as_json import answer_object, line_of, skipped_object
from pull_responder.cli.diagnosis_report import OPTION, write_diagnosis_report
from pull_responder.cli.for_ci import CI_FORMS, write_for_ci
from pull_responder.cli.manifests_text import show_rollout
from pull_responder.cli.own_words import in_own_words
from pull_responder.cli.report_file import check_writable
from pull_responder.events.outcome import Skipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.console import Console


@dataclass(frozen=True, slots=True)
class Telling:
    """How the answers are told.

    - `form` is text, json, junit or sarif.
    - `about` is what was asked about, by the name that it was given.
    - `whole_path` is whether text shows the path to the registry hop by hop.
    - `report` is the page to write, None for none.
    - `at` is the file at which SARIF puts results where no file was given, None where one was.
    - `of_manifests` is whether the answers are about manifests, of which text shows each image once.
    """

    form: str
    about: str
    whole_path: bool
    report: str | None
    of_manifests: bool = False
    at: str | None = None


def tell(answers: Iterator[Answer], telling: Telling) -> int:
    """Tell the answers as they come, and return the exit status.

    Raises ClickException, before anything is asked, where the page cannot be written.
    """
    page = None if telling.report is None else check_writable(telling.report, OPTION)
    answers = in_own_words(answers)
    if telling.form in CI_FORMS:
        told = list(answers)
        write_for_ci(told, telling.form, source=telling.about, at=telling.at)
    else:
        told = list(_shown(answers, telling))
    if page:
        write_diagnosis_report(page, told)
    return exit_status(told)


def _shown(answers: Iterable[Answer], telling: Telling) -> Iterator[Answer]:
    console = answer.terminal()
    if telling.form == "text" and telling.of_manifests:
        yield from show_rollout(console, answers, whole_path=telling.whole_path)
        return
    for each in answers:
        _show(each, console, telling)
        yield each


def _show(each: Answer, console: Console, telling: Telling) -> None:
    """Print one answer as text or JSON."""
    as_json = telling.form == "json"
    if not isinstance(each, Answered):
        if as_json:
            click.echo(line_of(skipped_object(Skipped(each.reason))))
        elif isinstance(each, NotAsked):
            answer.show_not_asked(console, each)
        else:
            answer.show_skipped(console, each)
    elif as_json:
        click.echo(line_of(answer_object(each)))
    else:
        answer.show_diagnosis(
            console,
            each.diagnosis,
            path=each.path,
            asked=each.asked,
            nodes=each.nodes,
            whole_path=telling.whole_path,
            reach=each.reach,
            scopes=each.scopes,
        )
