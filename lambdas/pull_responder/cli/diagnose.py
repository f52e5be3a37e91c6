"""`pull-responder diagnose`."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Final

import click
from botocore.exceptions import BotoCoreError

from pull_responder.cli import report
from pull_responder.cli.as_json import diagnosis_object, skipped_object
from pull_responder.diagnosis import Diagnosis
from pull_responder.diagnosis import diagnose as diagnose_pull
from pull_responder.events.intake import UnusableEvent, distinct, read_text
from pull_responder.events.outcome import Skipped
from pull_responder.facts.aws import Aws
from pull_responder.facts.facts import Facts
from pull_responder.facts.reading import Reading
from pull_responder.model.pull import PullFailure
from pull_responder.settings import SettingError, read_settings

FOUND: Final = 1
OPEN: Final = 3


@click.command()
@click.option(
    "--event",
    "file",
    metavar="FILE",
    required=True,
    help="An event that a deployed function takes, as JSON; - is standard input.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Text is for people.")
def diagnose(file: str, form: str) -> int:
    """Diagnose every pull in an event.

    Exit status: 0 nothing wrong found, or nothing here for us; 1 at least one cause; 2 the input is unusable;
    3 nothing found, but something inconclusive.
    """
    name = "standard input" if file == "-" else file
    try:
        text = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        read = read_text(text.decode("utf-8"))
    except OSError as error:
        raise click.ClickException(f"{name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{name}: byte {error.start} is not UTF-8") from error
    except UnusableEvent as error:
        raise click.ClickException(f"{name}: {error}") from error
    try:
        settings = read_settings(os.environ)
        aws = Aws.connect(member_role=settings.member_role)
    except (BotoCoreError, SettingError) as error:
        raise click.ClickException(str(error)) from error
    facts = Facts(Reading(aws), known_principals=settings.known_principals)
    console = report.terminal()
    diagnoses = []
    for pull in distinct([each for each in read if isinstance(each, PullFailure)]):
        diagnosis = diagnose_pull(pull, facts)
        diagnoses.append(diagnosis)
        if form == "json":
            click.echo(json.dumps(diagnosis_object(diagnosis), ensure_ascii=False))
        else:
            report.show_diagnosis(console, diagnosis)
    for skipped in [each for each in read if isinstance(each, Skipped)]:
        if form == "json":
            click.echo(json.dumps(skipped_object(skipped), ensure_ascii=False))
        else:
            report.show_skipped(console, skipped)
    return _exit_status(diagnoses)


def _exit_status(diagnoses: list[Diagnosis]) -> int:
    if any(diagnosis.findings for diagnosis in diagnoses):
        return FOUND
    return OPEN if any(diagnosis.inconclusive for diagnosis in diagnoses) else 0
