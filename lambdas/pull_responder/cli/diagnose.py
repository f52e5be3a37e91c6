"""`pull-responder diagnose`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pull_responder.cli import answer, options, question
from pull_responder.cli.answered import Answer, Answered, exit_status
from pull_responder.cli.as_json import diagnosis_object, line_of, skipped_object
from pull_responder.cli.asked_nodes import Chosen
from pull_responder.cli.connection import Access, open_connection
from pull_responder.cli.of_event import accounts_of, answers_to, path_of, regions_of, skipped_in
from pull_responder.cli.status_line import StatusLine
from pull_responder.cli.waiting import in_time
from pull_responder.events.image_reference import RegistryKind
from pull_responder.events.intake import Inspection, UnusableEvent, read_text
from pull_responder.events.outcome import Skipped
from pull_responder.facts.reader import Reader
from pull_responder.model.pull import PullFailure

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console


@click.command()
@click.option(
    "--event", "file", metavar="FILE", help="An event that a deployed function takes, as JSON; - is standard input."
)
@click.option("--image", metavar="URI", help="The image to ask about, instead of an event; needs --cluster.")
@click.option("--cluster", metavar="NAME", help="The cluster whose nodes are to pull the image.")
@click.option("--nodegroup", metavar="NAME", help="One node group of the cluster.")
@click.option("--fargate-profile", metavar="NAME", help="One Fargate profile of the cluster.")
@click.option("--instance", metavar="ID", help="One running node of the cluster.")
@options.region
@options.profile
@options.timeout
@options.form
def diagnose(  # noqa: PLR0913, PLR0917 -- one argument an option
    file: str | None,
    image: str | None,
    cluster: str | None,
    nodegroup: str | None,
    fargate_profile: str | None,
    instance: str | None,
    region: str | None,
    profile: str | None,
    timeout: int,
    form: str,
) -> int:
    """Diagnose every pull in an event, or say whether nodes of a cluster can pull an image.

    Without further options, a question about a cluster covers all its node groups, Fargate profiles and other nodes.

    It asks AWS with your credentials, and reads the cluster's account and those that it can assume the member role in.

    Exit status: 0 nothing wrong found, or no pull from ECR; 1 at least one cause; 2 the input, the options or the
    credentials are unusable; 3 nothing found, but something inconclusive.
    """
    given = {"event": file, "image": image, "cluster": cluster, "nodegroup": nodegroup}
    given |= {"fargate-profile": fargate_profile, "instance": instance, "region": region, "profile": profile}
    if empty := next((name for name, value in given.items() if value is not None and not value.strip()), None):
        raise click.UsageError(f"--{empty} is empty")
    access, line = Access(region, profile, timeout), StatusLine.of_terminal(as_json=form == "json")
    chosen = [option for option in (nodegroup, fargate_profile, instance) if option is not None]
    if file is not None:
        if image or cluster or chosen:
            raise click.UsageError("--event takes neither --image nor --cluster")
        answers = _of_event(file, access, line)
    else:
        if not (image and cluster):
            raise click.UsageError("give --event, or --image and --cluster")
        if len(chosen) > 1:
            raise click.UsageError("give one of --nodegroup, --fargate-profile and --instance")
        answers = _of_question(image, Chosen(cluster, nodegroup, fargate_profile, instance), access, line)
    console = answer.terminal()
    shown = []
    for each in answers:
        _show(each, console, as_json=form == "json")
        shown.append(each)
    return exit_status(shown)


def _show(each: Answer, console: Console, *, as_json: bool) -> None:
    """Print one answer as text or JSON."""
    if not isinstance(each, Answered):
        skipped = Skipped(each.reason)
        if as_json:
            click.echo(line_of(skipped_object(skipped)))
        else:
            answer.show_skipped(console, skipped)
    elif as_json:
        click.echo(line_of(diagnosis_object(each.diagnosis, each.path, each.asked, each.nodes)))
    else:
        answer.show_diagnosis(console, each.diagnosis, path=each.path, asked=each.asked, nodes=each.nodes)


def _of_event(file: str, access: Access, line: StatusLine) -> Iterator[Answer]:
    read = _read(file)
    regions = regions_of(read)
    if not regions:
        yield from skipped_in(read)
        return
    connection = open_connection(access)
    accounts = accounts_of(read, connection.aws.aws_registries)
    answers = answers_to(read, connection.aws, connection.settings)
    yield from in_time(answers, connection, lambda: connection.fault(accounts, regions[0]), line)


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


def _of_question(text: str, chosen: Chosen, access: Access, line: StatusLine) -> Iterator[Answer]:
    question.check_names(chosen)
    connection = open_connection(access)
    image = question.read_image(text, connection.aws)
    if image.kind is RegistryKind.OTHER:
        yield Skipped(question.not_in_ecr(image))
        return

    def answers() -> Iterator[Answer]:
        for each in question.ask(Reader(connection.aws), image, chosen, connection.settings.known_principals):
            path = path_of(each.diagnosis.pull, each.facts)
            yield Answered(each.diagnosis, path, asked=str(image), nodes=each.nodes.name)

    yield from in_time(answers(), connection, connection.fault, line)
