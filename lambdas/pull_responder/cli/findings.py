"""`pull-responder findings`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import click

from pull_responder.cli import options
from pull_responder.cli.as_json import line_of
from pull_responder.cli.connection import Access
from pull_responder.cli.deployed import STACK, find_deployed
from pull_responder.cli.examples import examples
from pull_responder.cli.findings_table import open_findings
from pull_responder.cli.question import read_cluster
from pull_responder.findings.clock import began_at, minute, span
from pull_responder.findings.problem import iso
from pull_responder.model.printable import clean_line
from pull_responder.publish.as_document import finding_object, reach_object
from pull_responder.publish.changes import time_words
from pull_responder.publish.hit import reach_words
from pull_responder.publish.text import command_line, number_of, one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pull_responder.cli.findings_table import Remembered
    from pull_responder.findings.life import Life

FOUND: Final = 1
UNREAD: Final = 3
_LABEL: Final = 10


@click.command(
    epilog=examples(
        "pull-responder findings --cluster prod", "pull-responder findings --format json | jq -r .finding.cause"
    )
)
@click.option("--cluster", metavar="NAME", help="Only the findings of this cluster; its name or its ARN.")
@click.option("--stack", metavar="NAME", default=STACK, show_default=True, help="The name of the stack.")
@options.region
@options.profile
@options.timeout
@options.form
def findings(  # noqa: PLR0913, PLR0917 -- one argument an option
    cluster: str | None, stack: str, region: str | None, profile: str | None, timeout: int, form: str
) -> int:
    """List what is open in a deployment: what is broken, since when, and whom it stops.

    It only reads. Run it with credentials of the account that has the stack.

    Exit status: 0 nothing is open; 1 something is; 2 there is no such stack, or the options or the credentials are
    unusable; 3 nothing is open that could be read, but something could not be read, or may be of the cluster.
    """
    if cluster is not None and not cluster.strip():
        raise click.UsageError("--cluster is empty")
    name = read_cluster(cluster).cluster
    deployed = find_deployed(stack, Access(region, profile, timeout))
    read = open_findings(deployed)
    chosen = [each for each in read.lives if name is None or name in _clusters(each)]
    unknown = [each for each in read.lives if name is not None and not _clusters(each)]
    chosen.sort(key=lambda each: (-each.finding.severity.rank, each.opened_at, each.id))
    if form == "json":
        for life in chosen:
            click.echo(line_of(life_object(life)))
        for reason in read.unread:
            click.echo(line_of({"id": None, "unread": reason}))
        if unknown:
            click.echo(line_of({"id": None, "unread": _not_known(unknown)}))
    else:
        place = f"stack {stack} in account {deployed.own.account}, {deployed.region}"
        click.echo("\n".join(_text(chosen, read, place, name)))
    return FOUND if chosen else UNREAD if read.unread or unknown else 0


def _clusters(life: Life) -> set[str]:
    return {*life.reach.clusters, *filter(None, [life.finding.cluster, life.finding.pull.cluster])}


def _not_known(unknown: Sequence[Life]) -> str:
    """Return that some findings may be of the cluster that is asked about."""
    return f"Of {number_of(len(unknown), 'open finding')} the cluster is not known: ask without --cluster"


def life_object(life: Life) -> dict[str, Any]:
    """Return the object to print for one open finding. Keys may be added, none is renamed."""
    finding, reach = life.finding, life.reach
    return finding_object(finding) | {
        "state": str(life.state),
        "account": finding.account,
        "region": finding.region,
        "clusters": sorted(_clusters(life)),
        "since": iso(began_at(reach, life.opened_at)),
        "opened_at": iso(life.opened_at),
        "last_seen_at": reach.last_seen_at,
        "looked_at": iso(life.looked_at) if life.looked_at else None,
        "reach": reach_object(reach),
        "came_back": len(life.breaks),
        "unread": None,
    }


def _text(lives: Sequence[Life], read: Remembered, place: str, cluster: str | None) -> Iterator[str]:
    of_cluster = f" of cluster {clean_line(cluster)}" if cluster else ""
    open_ones = f"{number_of(len(lives), 'finding')}{of_cluster} {'is' if len(lives) == 1 else 'are'} open"
    yield f"{open_ones if lives else f'No finding{of_cluster} is open'} in {place}."
    now = time.time()
    for life in lives:
        yield ""
        yield from _lines(life, now)
    unknown = [each for each in read.lives if not _clusters(each)]
    if cluster and unknown:
        yield ""
        yield f"{_not_known(unknown)}."
    for reason in read.unread:
        yield ""
        yield f"Not read: {clean_line(reason)}"


def _lines(life: Life, now: float) -> Iterator[str]:
    finding = life.finding
    since = began_at(life.reach, life.opened_at)
    yield f"{finding.severity} {finding.cause}  {clean_line(finding.title)}"
    yield _row("Broken", f"{finding.resource.type} {finding.resource.id}")
    yield _row("Where", f"account {finding.account}, region {finding.region}{_in_clusters(life)}")
    seen = f", last seen {time_words(life.reach.last_seen_at, one_line)}" if life.reach.last_seen_at else ""
    yield _row("Since", f"{minute(since)} ({span(now - since)}){seen}")
    yield _row("Stops", reach_words(life.reach))
    yield _row("Fix", finding.remediation.summary)
    for command in finding.remediation.commands:
        line = command_line(command)
        yield f"{'':<{_LABEL}} $ {line}" if line else _row("", "(a command is left out; --format json has it)")


def _in_clusters(life: Life) -> str:
    names = sorted(_clusters(life))
    return f", cluster{'s' if len(names) > 1 else ''} {', '.join(names)}" if names else ""


def _row(label: str, text: str) -> str:
    return f"{label:<{_LABEL}} {clean_line(text)}".rstrip()
