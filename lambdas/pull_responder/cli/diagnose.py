"""`pull-responder diagnose`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from botocore.exceptions import BotoCoreError

from pull_responder.cli import answer, options, question
from pull_responder.cli.answered import Answer, Answered, exit_status
from pull_responder.cli.as_json import diagnosis_object, line_of, skipped_object, workloads_object
from pull_responder.cli.asked_nodes import Chosen
from pull_responder.cli.for_ci import CI_FORMS, write_for_ci
from pull_responder.cli.manifests_text import show_rollout
from pull_responder.cli.of_event import answers_to, path_of
from pull_responder.cli.of_manifests import answers_about, read_rollout
from pull_responder.events.image_reference import RegistryKind
from pull_responder.events.intake import Inspection, UnusableEvent, read_text
from pull_responder.events.outcome import Skipped
from pull_responder.facts.aws import Aws
from pull_responder.facts.reader import Reader
from pull_responder.model.pull import PullFailure
from pull_responder.settings import SettingError, Settings, read_settings

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
@click.option(
    "--manifests",
    metavar="PATH",
    help="Manifests to ask about: a folder, a file, or - for standard input; needs --cluster.",
)
@click.option("-n", "--namespace", metavar="NAME", help="The namespace of manifests that name none.")
@options.diagnosis_form
def diagnose(  # noqa: PLR0913, PLR0917 -- one argument an option
    file: str | None,
    image: str | None,
    cluster: str | None,
    nodegroup: str | None,
    fargate_profile: str | None,
    instance: str | None,
    manifests: str | None,
    namespace: str | None,
    form: str,
) -> int:
    """Diagnose every pull in an event, or say whether nodes of a cluster can pull an image, or those of manifests.

    Without further options, a question about a cluster covers all its node groups, Fargate profiles and other nodes.

    Exit status: 0 nothing wrong found, or no pull from ECR; 1 at least one cause; 2 the input is unusable; 3 nothing
    found, but something inconclusive.
    """
    given = {"event": file, "image": image, "cluster": cluster, "nodegroup": nodegroup}
    given |= {"fargate-profile": fargate_profile, "instance": instance, "manifests": manifests, "namespace": namespace}
    if empty := next((name for name, value in given.items() if value is not None and not value.strip()), None):
        raise click.UsageError(f"--{empty} is empty")
    chosen = [option for option in (nodegroup, fargate_profile, instance) if option is not None]
    if manifests is not None:
        answers = _of_manifests(manifests, cluster, namespace, is_alone=not (file or image or chosen))
    elif file is not None:
        if image or cluster or chosen:
            raise click.UsageError("--event takes neither --image nor --cluster")
        answers = _of_event(file)
    else:
        if not (image and cluster):
            raise click.UsageError("give --event, or --image and --cluster, or --manifests and --cluster")
        if len(chosen) > 1:
            raise click.UsageError("give one of --nodegroup, --fargate-profile and --instance")
        answers = _of_question(image, Chosen(cluster, nodegroup, fargate_profile, instance))
    if form in CI_FORMS:
        return write_for_ci(answers, form, source=file or manifests or image or "")
    return exit_status(_shown(answers, as_json=form == "json", is_rollout=manifests is not None))


def _shown(answers: Iterator[Answer], *, as_json: bool, is_rollout: bool) -> list[Answer]:
    """Print answers as text or JSON, as they come, and return them."""
    console = answer.terminal()
    if is_rollout and not as_json:
        return show_rollout(console, answers)
    shown = []
    for each in answers:
        _show(each, console, as_json=as_json)
        shown.append(each)
    return shown


def _show(each: Answer, console: Console, *, as_json: bool) -> None:
    """Print one answer as text or JSON."""
    if not isinstance(each, Answered):
        skipped = Skipped(each.reason)
        if as_json:
            click.echo(line_of(skipped_object(skipped)))
        else:
            answer.show_skipped(console, skipped)
    elif as_json:
        used = workloads_object(each.used_by) if each.used_by else {}
        click.echo(line_of(diagnosis_object(each.diagnosis, each.path, each.asked, each.nodes) | used))
    else:
        answer.show_diagnosis(console, each.diagnosis, path=each.path, asked=each.asked, nodes=each.nodes)


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


def _of_event(file: str) -> Iterator[Answer]:
    read = _read(file)
    settings, aws = _connect()
    yield from answers_to(read, aws, settings)


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


def _of_manifests(source: str, cluster: str | None, namespace: str | None, *, is_alone: bool) -> Iterator[Answer]:
    if not is_alone:
        raise click.UsageError("--manifests takes only --cluster and --namespace beside it")
    if not cluster:
        raise click.UsageError("--manifests needs --cluster, whose nodes are to pull the images")
    chosen = Chosen(cluster)
    question.check_names(chosen)
    found = read_rollout(source, namespace)
    settings, aws = _connect()
    yield from answers_about(found, chosen, aws, settings)


def _of_question(text: str, chosen: Chosen) -> Iterator[Answer]:
    question.check_names(chosen)
    settings, aws = _connect()
    image = question.read_image(text, aws)
    if aws.region:
        question.check_region("AWS_REGION", aws.region, aws)
    if image.kind is RegistryKind.OTHER:
        yield Skipped(question.not_in_ecr(image))
        return
    for each in question.ask(Reader(aws), image, chosen, settings.known_principals):
        path = path_of(each.diagnosis.pull, each.facts)
        yield Answered(each.diagnosis, path, asked=str(image), nodes=each.nodes.name)
