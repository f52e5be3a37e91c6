"""`pull-responder diagnose`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
from botocore.exceptions import BotoCoreError

from pull_responder.checks import CHECKS, no_route_to_ecr, node_group_unhealthy
from pull_responder.cli import answer, question
from pull_responder.cli.as_json import diagnosis_object, line_of, skipped_object
from pull_responder.cli.asked_nodes import Chosen
from pull_responder.diagnosis import Diagnosis, skip_reason
from pull_responder.diagnosis import diagnose as diagnose_pull
from pull_responder.events.image_reference import RegistryKind
from pull_responder.events.intake import Inspection, UnusableEvent, distinct, read_text
from pull_responder.events.joining import join
from pull_responder.events.outcome import Skipped
from pull_responder.facts.aws import Aws
from pull_responder.facts.reader import Reader
from pull_responder.model.pull import PullFailure
from pull_responder.model.unread import Unread
from pull_responder.pulls.addons import event_questions
from pull_responder.pulls.path import PullPath, pull_path
from pull_responder.pulls.pull_facts import PullFacts
from pull_responder.settings import SettingError, Settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

FOUND: Final = 1
OPEN: Final = 3


@click.command()
@click.option(
    "--event", "file", metavar="FILE", help="An event that a deployed function takes, as JSON; - is standard input."
)
@click.option("--image", metavar="URI", help="The image to ask about, instead of an event; needs --cluster.")
@click.option("--cluster", metavar="NAME", help="The cluster whose nodes are to pull the image.")
@click.option("--nodegroup", metavar="NAME", help="One node group of the cluster.")
@click.option("--fargate-profile", metavar="NAME", help="One Fargate profile of the cluster.")
@click.option("--instance", metavar="ID", help="One running node of the cluster.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Text is for people.")
def diagnose(  # noqa: PLR0913, PLR0917 -- one argument an option
    file: str | None,
    image: str | None,
    cluster: str | None,
    nodegroup: str | None,
    fargate_profile: str | None,
    instance: str | None,
    form: str,
) -> int:
    """Diagnose every pull in an event, or say whether nodes of a cluster can pull an image.

    Without further options, a question about a cluster covers all its node groups, Fargate profiles and other nodes.

    Exit status: 0 nothing wrong found, or no pull from ECR; 1 at least one cause; 2 the input is unusable; 3 nothing
    found, but something inconclusive.
    """
    printer = _Printer(answer.terminal(), as_json=form == "json")
    given = {"event": file, "image": image, "cluster": cluster, "nodegroup": nodegroup}
    given |= {"fargate-profile": fargate_profile, "instance": instance}
    if empty := next((name for name, value in given.items() if value is not None and not value.strip()), None):
        raise click.UsageError(f"--{empty} is empty")
    chosen = [option for option in (nodegroup, fargate_profile, instance) if option is not None]
    if file is not None:
        if image or cluster or chosen:
            raise click.UsageError("--event takes neither --image nor --cluster")
        return _of_event(file, printer)
    if not (image and cluster):
        raise click.UsageError("give --event, or --image and --cluster")
    if len(chosen) > 1:
        raise click.UsageError("give one of --nodegroup, --fargate-profile and --instance")
    return _of_question(image, Chosen(cluster, nodegroup, fargate_profile, instance), printer)


class _Printer:
    """Prints diagnoses as text or JSON."""

    def __init__(self, console: Console, *, as_json: bool) -> None:
        self._console = console
        self._as_json = as_json

    def diagnosis(
        self, diagnosis: Diagnosis, path: PullPath | None, *, asked: str | None = None, nodes: str | None = None
    ) -> None:
        if self._as_json:
            click.echo(line_of(diagnosis_object(diagnosis, path, asked, nodes)))
        else:
            answer.show_diagnosis(self._console, diagnosis, path=path, asked=asked, nodes=nodes)

    def skipped(self, skipped: Skipped) -> None:
        if self._as_json:
            click.echo(line_of(skipped_object(skipped)))
        else:
            answer.show_skipped(self._console, skipped)


def _connect() -> tuple[Settings, Aws]:
    try:
        settings = read_settings(os.environ)
        return settings, Aws.connect(
            member_role=settings.member_role,
            organization_account=settings.organization_account,
            aws_registries=settings.aws_registries,
            read_accounts=settings.read_accounts,
        )
    except (BotoCoreError, SettingError) as error:
        raise click.ClickException(str(error)) from error


def _of_event(file: str, printer: _Printer) -> int:
    read = _read(file)
    settings, aws = _connect()
    facts = PullFacts(Reader(aws), known_principals=settings.known_principals)
    diagnoses, is_unread = [], False
    for pull in distinct(join([each for each in read if isinstance(each, PullFailure) and not skip_reason(each)])):
        diagnosis = diagnose_pull(pull, facts)
        diagnoses.append(diagnosis)
        printer.diagnosis(diagnosis, _path(pull, facts))
    for inspection in [each for each in read if isinstance(each, Inspection)]:
        found, was_unread = _of_inspection(inspection, aws, settings, printer)
        diagnoses += found
        is_unread = is_unread or was_unread
    for each in read:
        if isinstance(each, Skipped):
            printer.skipped(each)
        elif isinstance(each, PullFailure) and (reason := skip_reason(each)):
            printer.skipped(Skipped(reason))
    status = _exit_status(diagnoses)
    return OPEN if is_unread and not status else status


def _of_inspection(
    inspection: Inspection, aws: Aws, settings: Settings, printer: _Printer
) -> tuple[list[Diagnosis], bool]:
    """Print what an inspection finds. Return the diagnoses, and whether something could not be asked about."""
    diagnoses, is_unread = [], False
    checks = (node_group_unhealthy.CHECK,) if inspection.health_only else CHECKS
    asked_about = list(event_questions(inspection, Reader(aws), known_principals=settings.known_principals))
    if not asked_about:
        where = f"cluster {inspection.cluster}" if inspection.cluster else "the account"
        printer.skipped(Skipped(f"{where} has no nodes in {inspection.region}"))
    for asked in asked_about:
        if isinstance(asked, Skipped):
            printer.skipped(asked)
            continue
        if isinstance(asked, Unread):
            is_unread = True
            printer.skipped(Skipped(f"some nodes could not be examined: {asked.reason}"))
            continue
        diagnosis = diagnose_pull(asked.pull, asked.facts, checks=checks)
        diagnoses.append(diagnosis)
        printer.diagnosis(diagnosis, None if inspection.health_only else _path(asked.pull, asked.facts))
        if asked.not_asked:
            printer.skipped(Skipped(asked.not_asked))
    return diagnoses, is_unread


def _read(file: str) -> Sequence[PullFailure | Inspection | Skipped]:
    name = "standard input" if file == "-" else file
    try:
        text = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return read_text(text.decode("utf-8"))
    except OSError as error:
        raise click.ClickException(f"{name}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{name}: byte {error.start} is not UTF-8") from error
    except UnusableEvent as error:
        raise click.ClickException(f"{name}: {error}") from error


def _of_question(text: str, chosen: Chosen, printer: _Printer) -> int:
    question.check_names(chosen)
    settings, aws = _connect()
    image = question.read_image(text, aws)
    if aws.region:
        question.check_region("AWS_REGION", aws.region, aws)
    if image.kind is RegistryKind.OTHER:
        printer.skipped(Skipped(question.not_in_ecr(image)))
        return 0
    diagnoses = []
    for each in question.ask(Reader(aws), image, chosen, settings.known_principals):
        diagnoses.append(each.diagnosis)
        path = _path(each.diagnosis.pull, each.facts)
        printer.diagnosis(each.diagnosis, path, asked=str(image), nodes=each.nodes.name)
    return _exit_status(diagnoses)


def _path(pull: PullFailure, facts: PullFacts) -> PullPath | None:
    """Return the path to the registry, which the checks have read, for symptoms that it can explain."""
    if pull.symptom not in no_route_to_ecr.CHECK.symptoms:
        return None
    path = pull_path(pull, facts)
    return path if isinstance(path, PullPath) else None


def _exit_status(diagnoses: list[Diagnosis]) -> int:
    if any(diagnosis.findings for diagnosis in diagnoses):
        return FOUND
    return OPEN if any(diagnosis.inconclusive for diagnosis in diagnoses) else 0
