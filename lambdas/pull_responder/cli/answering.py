"""Asks AWS about what `diagnose` was given: an event, what kubectl prints, or a question about an image."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from pull_responder.cli import question
from pull_responder.cli.answered import Answer, Answered
from pull_responder.cli.connection import open_connection
from pull_responder.cli.kubectl.place import region_of_node
from pull_responder.cli.of_cluster import OfCluster, of_kubectl, of_seen
from pull_responder.cli.of_event import accounts_of, answers_to, path_of, regions_of, skipped_in
from pull_responder.cli.of_manifests import answers_about, read_rollout
from pull_responder.cli.reading import read_given
from pull_responder.cli.waiting import in_time
from pull_responder.events.image_reference import RegistryKind, parse_image
from pull_responder.events.outcome import Skipped
from pull_responder.facts.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pull_responder.cli.asked_nodes import Chosen
    from pull_responder.cli.connection import Access
    from pull_responder.cli.kubectl.asked import Wanted
    from pull_responder.cli.kubectl.place import Place
    from pull_responder.cli.status_line import StatusLine
    from pull_responder.events.intake import Inspection
    from pull_responder.model.pull import PullFailure


def ask_about_input(
    file: str, namespace: str | None, place: Place, access: Access, line: StatusLine
) -> Iterator[Answer]:
    """Answer what a file or standard input has. `place` is what the options say of the cluster."""
    given = read_given(file, namespace)
    if given.read:
        yield from _of_events(given.read, access, line)
    if given.seen:
        yield from _of_cluster(of_seen(given.seen, place), access, line)


def ask_about_kubectl(wanted: Wanted, place: Place, access: Access, line: StatusLine) -> Iterator[Answer]:
    """Answer what kubectl tells of the wanted pods."""
    yield from _of_cluster(of_kubectl(wanted, place), access, line)


def ask_about_image(text: str, chosen: Chosen, place: Place, access: Access, line: StatusLine) -> Iterator[Answer]:
    """Answer whether the chosen nodes of the cluster at `place` can pull an image.

    Where nothing tells the region of the cluster, it is taken to be that of the image.
    """
    question.check_names(chosen)
    told = access.region or place.region or region_of_node(chosen.instance)
    named = parse_image(text)
    connection = open_connection(replace(access, region=told, otherwise=named.region if named else None))
    image = question.read_image(text, connection.aws)
    if image.kind is RegistryKind.OTHER:
        yield Skipped(question.not_in_ecr(image) + question.forgotten_registry(image))
        return

    def answers() -> Iterator[Answer]:
        for each in question.ask(Reader(connection.aws), image, chosen, connection.settings.known_principals):
            path = path_of(each.diagnosis.pull, each.facts)
            yield Answered(each.diagnosis, path, asked=str(image), nodes=each.nodes.name)

    yield from in_time(answers(), connection, lambda: connection.fault(_account(place)), line)


def ask_about_manifests(  # noqa: PLR0913, PLR0917 -- one argument a thing to ask with
    source: str, namespace: str | None, chosen: Chosen, place: Place, access: Access, line: StatusLine
) -> Iterator[Answer]:
    """Answer whether the nodes of the cluster at `place` can pull the images of manifests."""
    question.check_names(chosen)
    rollout = read_rollout(source, namespace)
    connection = open_connection(replace(access, region=access.region or place.region))
    answers = answers_about(rollout, chosen, connection.aws, connection.settings)
    yield from in_time(answers, connection, lambda: connection.fault(_account(place)), line)


def _of_cluster(asked: OfCluster, access: Access, line: StatusLine) -> Iterator[Answer]:
    """Answer a question about pods. The region that their cluster tells comes before a configured one."""
    if not asked.needs_aws:
        yield from asked.without_aws()
        return
    region, profile = access.region or asked.region, access.profile or asked.profile
    connection = open_connection(replace(access, region=region, otherwise=asked.otherwise, profile=profile))
    answers = asked.answers(connection.aws, connection.settings)
    fault = partial(connection.fault, _account(asked.place), region or asked.otherwise)
    yield from in_time(answers, connection, fault, line)


def _account(place: Place) -> list[str]:
    return [place.account] if place.account else []


def _of_events(
    read: Sequence[PullFailure | Inspection | Skipped], access: Access, line: StatusLine
) -> Iterator[Answer]:
    regions = regions_of(read)
    if not regions:
        yield from skipped_in(read)
        return
    connection = open_connection(access)
    accounts = accounts_of(read, connection.aws.aws_registries)
    answers = answers_to(read, connection.aws, connection.settings)
    yield from in_time(answers, connection, lambda: connection.fault(accounts, regions[0]), line)
