"""`pull-responder diagnose`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click
from botocore.exceptions import BotoCoreError

from pull_responder.cli import answer, options, question
from pull_responder.cli.answered import Answer, Answered, exit_status
from pull_responder.cli.as_json import diagnosis_object, line_of, skipped_object
from pull_responder.cli.asked_nodes import Chosen
from pull_responder.cli.kubectl.answers import answers_to_seen
from pull_responder.cli.kubectl.place import Place, region_of, region_of_images
from pull_responder.cli.of_event import answers_to, path_of
from pull_responder.cli.reading import read_given
from pull_responder.events.image_reference import RegistryKind
from pull_responder.events.outcome import Skipped
from pull_responder.facts.aws import Aws
from pull_responder.facts.reader import Reader
from pull_responder.settings import SettingError, Settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from pull_responder.cli.kubectl.seen import Seen


@click.command()
@click.argument("given", metavar="[FILE]", required=False)
@click.option("--event", "file", metavar="FILE", help="The same as FILE.")
@click.option("--image", metavar="URI", help="The image to ask about, instead of an event; needs --cluster.")
@click.option(
    "--cluster", metavar="NAME", help="The cluster, by its name or ARN: whose nodes are to pull, or whose pods fail."
)
@click.option("--nodegroup", metavar="NAME", help="One node group of the cluster.")
@click.option("--fargate-profile", metavar="NAME", help="One Fargate profile of the cluster.")
@click.option("--instance", metavar="ID", help="One running node of the cluster.")
@options.form
def diagnose(  # noqa: PLR0913, PLR0917 -- one argument an option
    given: str | None,
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
    file = _one_of(given, file)
    values = {"event": file, "image": image, "cluster": cluster, "nodegroup": nodegroup}
    values |= {"fargate-profile": fargate_profile, "instance": instance}
    if empty := next((name for name, value in values.items() if value is not None and not value.strip()), None):
        raise click.UsageError(f"--{empty} is empty")
    chosen = [option for option in (nodegroup, fargate_profile, instance) if option is not None]
    if file is not None:
        if image or chosen:
            raise click.UsageError("a file or standard input takes no --image, and of the others --cluster alone")
        answers = _of_input(file, question.read_cluster(cluster))
    else:
        if not (image and cluster):
            raise click.UsageError("give a file, or - for standard input, or --image and --cluster")
        if len(chosen) > 1:
            raise click.UsageError("give one of --nodegroup, --fargate-profile and --instance")
        place = question.read_cluster(cluster)
        chosen_nodes = Chosen(place.cluster or "", nodegroup, fargate_profile, instance, account=place.account)
        answers = _of_question(image, chosen_nodes, place.region)
    console = answer.terminal()
    shown = []
    for each in answers:
        _show(each, console, as_json=form == "json")
        shown.append(each)
    return exit_status(shown)


def _one_of(given: str | None, file: str | None) -> str | None:
    """Return the file to read: that of the argument or of --event, None without either."""
    if given is not None and file is not None:
        raise click.UsageError(f"give {given[:100]!r} or --event, not both")
    return file if given is None else given


def _show(each: Answer, console: Console, *, as_json: bool) -> None:
    """Print one answer as text or JSON."""
    if not isinstance(each, Answered):
        skipped = Skipped(each.reason)
        if as_json:
            click.echo(line_of(skipped_object(skipped)))
        else:
            answer.show_skipped(console, skipped)
    elif as_json:
        click.echo(line_of(diagnosis_object(each.diagnosis, each.path, each.asked, each.nodes, each.reach)))
    else:
        answer.show_diagnosis(console, each.diagnosis, path=each.path, asked=each.asked, nodes=each.nodes)
        answer.show_reach(console, each.reach)


def _connect(region: str | None = None) -> tuple[Settings, Aws]:
    try:
        settings = read_settings(os.environ)
        return settings, Aws.connect(
            member_role=settings.member_role,
            organization_account=settings.organization_account,
            aws_registries=settings.aws_registries,
            read_accounts=settings.read_accounts,
            region=region,
        )
    except (BotoCoreError, SettingError) as error:
        raise click.ClickException(str(error)) from error


def _of_input(file: str, place: Place) -> Iterator[Answer]:
    given = read_given(file)
    if given.read:
        settings, aws = _connect()
        yield from answers_to(given.read, aws, settings)
    if given.seen:
        yield from _of_seen(given.seen, place)


def _of_seen(seen: Seen, place: Place) -> Iterator[Answer]:
    """Answer what was read of a cluster. The region that it tells comes before that of the SDK's configuration."""
    told = place.region or region_of(seen)
    settings, aws = _connect(told)
    if aws.region is None and seen.pulls:
        settings, aws = _connect(region_of_images(seen))
    yield from answers_to_seen(seen, place, aws, settings)


def _of_question(text: str, chosen: Chosen, region: str | None) -> Iterator[Answer]:
    question.check_names(chosen)
    settings, aws = _connect(region)
    image = question.read_image(text, aws)
    if aws.region:
        question.check_region("AWS_REGION", aws.region, aws)
    if image.kind is RegistryKind.OTHER:
        yield Skipped(question.not_in_ecr(image))
        return
    for each in question.ask(Reader(aws), image, chosen, settings.known_principals):
        path = path_of(each.diagnosis.pull, each.facts)
        yield Answered(each.diagnosis, path, asked=str(image), nodes=each.nodes.name)
