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
from pull_responder.cli.kubectl.asked import read_wanted
from pull_responder.cli.kubectl.place import region_of_node
from pull_responder.cli.of_cluster import of_kubectl, of_seen
from pull_responder.cli.of_event import answers_to, path_of
from pull_responder.cli.reading import read_given
from pull_responder.cli.sources import one_file, source_of
from pull_responder.events.image_reference import RegistryKind
from pull_responder.events.outcome import Skipped
from pull_responder.facts.aws import Aws
from pull_responder.facts.reader import Reader
from pull_responder.settings import SettingError, Settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from pull_responder.cli.kubectl.place import Place
    from pull_responder.cli.of_cluster import OfCluster


@click.command()
@click.argument("given", metavar="[FILE]", required=False)
@click.option("--event", "file", metavar="FILE", help="The same as FILE.")
@click.option("--pod", metavar="[NAMESPACE/]NAME", help="A pod to ask kubectl for.")
@click.option("-n", "--namespace", metavar="NAME", help="The pod's namespace; without --pod, all pods that fail there.")
@click.option("-A", "--all-namespaces", is_flag=True, help="All pods of the cluster that fail to pull, by kubectl.")
@click.option("--context", metavar="NAME", help="The context of kubectl's configuration, if not the current one.")
@click.option("--image", metavar="URI", help="The image to ask about before anything has failed; needs --cluster.")
@click.option(
    "--cluster", metavar="NAME", help="The cluster, by its name or ARN: whose nodes are to pull, or whose pods fail."
)
@click.option("--nodegroup", metavar="NAME", help="One node group of the cluster.")
@click.option("--fargate-profile", metavar="NAME", help="One Fargate profile of the cluster.")
@click.option("--instance", metavar="ID", help="One running node of the cluster, by its instance's id or its name.")
@options.form
def diagnose(  # noqa: PLR0913, PLR0917 -- one argument an option
    given: str | None,
    file: str | None,
    pod: str | None,
    namespace: str | None,
    all_namespaces: bool,  # noqa: FBT001 -- an option's
    context: str | None,
    image: str | None,
    cluster: str | None,
    nodegroup: str | None,
    fargate_profile: str | None,
    instance: str | None,
    form: str,
) -> int:
    """Diagnose failed pulls, or say whether nodes of a cluster can pull an image.

    FILE, or - for standard input, is what kubectl prints (pods or events as JSON or YAML, `kubectl describe pod`,
    `kubectl get events`), or an event that a deployed function takes. --pod, --namespace and --all-namespaces ask
    kubectl. --image asks before a pull has failed: without further options, about all node groups, Fargate profiles and
    other nodes of the cluster.

    \b
    kubectl get pod web-0 -o json | pull-responder diagnose -
    pull-responder diagnose --pod shop/web-0 --context prod

    Exit status: 0 nothing wrong found, or no pull from ECR; 1 at least one cause; 2 the input is unusable; 3 nothing
    found, but something inconclusive.
    """  # noqa: D301 -- click's mark for lines that stay as they are
    file = one_file(given, file)
    values = {"FILE": file, "--pod": pod, "--namespace": namespace, "--context": context, "--image": image}
    values |= {"--cluster": cluster, "--nodegroup": nodegroup, "--fargate-profile": fargate_profile}
    values["--instance"] = instance
    source = source_of(values, all_namespaces=all_namespaces)
    place = question.read_cluster(cluster)
    if source == "FILE":
        answers = _of_input(file or "", place, namespace)
    elif source == "--pod":
        wanted = read_wanted(pod, namespace, context, all_namespaces=all_namespaces)
        answers = _of_cluster(of_kubectl(wanted, place))
    else:
        chosen = Chosen(place.cluster or "", nodegroup, fargate_profile, instance, account=place.account)
        answers = _of_question(image or "", chosen, place.region or region_of_node(instance))
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
        click.echo(line_of(diagnosis_object(each.diagnosis, each.path, each.asked, each.nodes, each.reach)))
    else:
        answer.show_diagnosis(console, each.diagnosis, path=each.path, asked=each.asked, nodes=each.nodes)
        answer.show_reach(console, each.reach)


def _connect(region: str | None = None, profile: str | None = None) -> tuple[Settings, Aws]:
    try:
        settings = read_settings(os.environ)
        return settings, Aws.connect(
            member_role=settings.member_role,
            organization_account=settings.organization_account,
            aws_registries=settings.aws_registries,
            read_accounts=settings.read_accounts,
            region=region,
            profile=profile,
        )
    except (BotoCoreError, SettingError) as error:
        raise click.ClickException(str(error)) from error


def _of_input(file: str, place: Place, namespace: str | None) -> Iterator[Answer]:
    given = read_given(file, namespace)
    if given.read:
        settings, aws = _connect()
        yield from answers_to(given.read, aws, settings)
    if given.seen:
        yield from _of_cluster(of_seen(given.seen, place))


def _of_cluster(asked: OfCluster) -> Iterator[Answer]:
    if not asked.needs_aws:
        yield from asked.without_aws()
        return
    settings, aws = _connect(asked.region, asked.profile)
    if aws.region is None:
        settings, aws = _connect(asked.otherwise, asked.profile)
    yield from asked.answers(aws, settings)


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
