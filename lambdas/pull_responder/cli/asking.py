"""Asks AWS about what `diagnose` was given: an event, what kubectl prints, or a question about an image."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pull_responder.cli import question
from pull_responder.cli.answered import Answer, Answered
from pull_responder.cli.connection import open_connection
from pull_responder.cli.kubectl.answers import answers_to_seen
from pull_responder.cli.kubectl.place import Place, region_of, region_of_images
from pull_responder.cli.of_event import accounts_of, answers_to, path_of, regions_of, skipped_in
from pull_responder.cli.reading import read_given
from pull_responder.cli.waiting import in_time
from pull_responder.events.image_reference import RegistryKind
from pull_responder.events.outcome import Skipped
from pull_responder.facts.reader import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pull_responder.cli.asked_nodes import Chosen
    from pull_responder.cli.connection import Access
    from pull_responder.cli.kubectl.seen import Seen
    from pull_responder.cli.status_line import StatusLine
    from pull_responder.events.intake import Inspection
    from pull_responder.model.pull import PullFailure


def ask_about_input(file: str, place: Place, access: Access, line: StatusLine) -> Iterator[Answer]:
    """Answer what a file or standard input has. `place` is what the options say of the cluster."""
    given = read_given(file)
    if given.read:
        yield from _of_events(given.read, access, line)
    if given.seen:
        yield from ask_about_seen(given.seen, place, access, line)


def ask_about_seen(seen: Seen, place: Place, access: Access, line: StatusLine) -> Iterator[Answer]:
    """Answer what was read of a cluster. The region that it tells comes before that of the SDK's configuration."""
    if not seen.pulls:
        yield from seen.skipped
        return
    region = access.region or place.region or region_of(seen)
    connection = open_connection(replace(access, region=region))
    if connection.aws.region is None:
        region = region_of_images(seen)
        connection = open_connection(replace(access, region=region))
    answers = answers_to_seen(seen, place, connection.aws, connection.settings)
    accounts = [place.account] if place.account else []
    yield from in_time(answers, connection, lambda: connection.fault(accounts, region), line)


def ask_about_image(
    text: str, chosen: Chosen, cluster_region: str | None, access: Access, line: StatusLine
) -> Iterator[Answer]:
    """Answer whether the chosen nodes can pull an image."""
    question.check_names(chosen)
    connection = open_connection(replace(access, region=access.region or cluster_region))
    image = question.read_image(text, connection.aws)
    if image.kind is RegistryKind.OTHER:
        yield Skipped(question.not_in_ecr(image))
        return

    def answers() -> Iterator[Answer]:
        for each in question.ask(Reader(connection.aws), image, chosen, connection.settings.known_principals):
            path = path_of(each.diagnosis.pull, each.facts)
            yield Answered(each.diagnosis, path, asked=str(image), nodes=each.nodes.name)

    accounts = [chosen.account] if chosen.account else []
    yield from in_time(answers(), connection, lambda: connection.fault(accounts), line)


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
