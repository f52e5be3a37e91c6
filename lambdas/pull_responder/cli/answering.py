"""Asks AWS about what `diagnose` was given: an event, what kubectl prints, or a question about an image."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.cli import question
from pull_responder.cli.answered import Answer, Answered, NotAsked
from pull_responder.cli.connection import open_connection
from pull_responder.cli.kubectl.answers import answers_to_seen
from pull_responder.cli.kubectl.asked import ask_kubectl
from pull_responder.cli.kubectl.place import region_of, region_of_images, region_of_node
from pull_responder.cli.of_event import accounts_of, answers_to, path_of, regions_of, skipped_in
from pull_responder.cli.of_manifests import answers_about, read_rollout
from pull_responder.cli.reading import read_given
from pull_responder.cli.waiting import in_time
from pull_responder.events.image_reference import RegistryKind
from pull_responder.events.outcome import Skipped
from pull_responder.facts.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pull_responder.cli.asked_nodes import Chosen
    from pull_responder.cli.connection import Access
    from pull_responder.cli.kubectl.asked import Wanted
    from pull_responder.cli.kubectl.place import Place
    from pull_responder.cli.kubectl.seen import Seen
    from pull_responder.cli.status_line import StatusLine
    from pull_responder.events.intake import Inspection
    from pull_responder.model.pull import PullFailure

# Amazon EKS signs in with a profile that the context names. These say that somebody has chosen another.
_CHOOSE_CREDENTIALS: Final = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ACCESS_KEY_ID")


def ask_about_input(
    file: str, namespace: str | None, place: Place, access: Access, line: StatusLine
) -> Iterator[Answer]:
    """Answer what a file or standard input has. `place` is what the options say of the cluster."""
    given = read_given(file, namespace)
    if given.read:
        yield from _of_events(given.read, access, line)
    if given.seen:
        yield from _of_seen(given.seen, place, access, line)


def ask_about_kubectl(wanted: Wanted, place: Place, access: Access, line: StatusLine) -> Iterator[Answer]:
    """Answer what kubectl tells of the wanted pods.

    The profile of the cluster's sign-in is taken where nobody has chosen credentials.
    """
    seen, context = ask_kubectl(wanted, needs_cluster=place.cluster is None)
    if not access.profile and not any(os.environ.get(name) for name in _CHOOSE_CREDENTIALS):
        access = replace(access, profile=context.profile)
    yield from _of_seen(seen, place.completed_by(context.place), access, line)


def ask_about_image(text: str, chosen: Chosen, place: Place, access: Access, line: StatusLine) -> Iterator[Answer]:
    """Answer whether the chosen nodes of the cluster at `place` can pull an image."""
    question.check_names(chosen)
    told = access.region or place.region or region_of_node(chosen.instance)
    connection = open_connection(replace(access, region=told))
    image = question.read_image(text, connection.aws)
    if image.kind is RegistryKind.OTHER:
        yield Skipped(question.not_in_ecr(image))
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


def _of_seen(seen: Seen, place: Place, access: Access, line: StatusLine) -> Iterator[Answer]:
    """Answer what was read of a cluster. The region that it tells comes before that of the SDK's configuration."""
    if not seen.pulls:
        yield from (NotAsked(reason) for reason in seen.unread)
        yield from seen.skipped
        return
    region = access.region or place.region or region_of(seen)
    connection = open_connection(replace(access, region=region))
    if connection.aws.region is None:
        region = region_of_images(seen)
        connection = open_connection(replace(access, region=region))
    answers = answers_to_seen(seen, place, connection.aws, connection.settings)
    yield from in_time(answers, connection, lambda: connection.fault(_account(place), region), line)


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
