"""`pull-responder report`."""

from __future__ import annotations

import sys
import time
from typing import Final

import click

from pull_responder.cli import options
from pull_responder.cli.connection import Access
from pull_responder.cli.deployed import STACK, find_deployed
from pull_responder.cli.examples import examples
from pull_responder.cli.findings_table import every_finding
from pull_responder.cli.period import period
from pull_responder.cli.report_file import check_writable, program, write_whole
from pull_responder.findings.clock import minute
from pull_responder.page.findings_page import findings_page, in_period

_OPTION: Final = "--file"
_OUTPUT: Final = "-"


@click.command(epilog=examples("pull-responder report --since 2026-11-01 --until 2026-11-30 -f november.html"))
@click.option(
    "--since",
    metavar="WHEN",
    default="30d",
    show_default=True,
    help="The beginning: 30d, 12h, 4w ago, a date or a time.",
)
@click.option("--until", metavar="WHEN", help="The end: a date, which counts whole, or a time; else now.")
@click.option("--stack", metavar="NAME", default=STACK, show_default=True, help="The name of the stack.")
@click.option("-f", _OPTION, "file", metavar="FILE.html", help="The file to write; else standard output.")
@options.region
@options.profile
@options.timeout
def report(  # noqa: PLR0913, PLR0917 -- one argument an option
    since: str, until: str | None, stack: str, file: str | None, region: str | None, profile: str | None, timeout: int
) -> int:
    """Make one page of HTML of what was open in a deployment in a period, with who broke and who fixed it.

    It only reads, the whole findings table once. Run it with credentials of the account that has the stack.

    Exit status: 0 the page is made; 2 there is no such stack, the page cannot be written, or the options or the
    credentials are unusable.
    """
    now = time.time()
    chosen = period(since, until, now=now)
    path = None
    if file is not None and file != _OUTPUT:
        path = check_writable(file, _OPTION)
    elif file is None and sys.stdout.isatty():
        raise click.UsageError("the page is HTML: give --file FILE.html, or send standard output somewhere")
    deployed = find_deployed(stack, Access(region, profile, timeout))
    read = every_finding(deployed)
    place = f"stack {stack} in account {deployed.own.account}, {deployed.region}"
    lives = [each for each in read.lives if in_period(each, chosen.since, chosen.until)]
    page = findings_page(
        lives,
        read.unread,
        since=chosen.since,
        until=chosen.until,
        keep_days=read.settings.keep_days,
        now=now,
        made=f"Read at {minute(now)} from {place}",
        by=f"Made by {program()} report",
    )
    if path is None:
        click.echo(page, nl=False)
    else:
        write_whole(path, page, _OPTION)
        click.echo(f"{len(lives)} finding{'' if len(lives) == 1 else 's'} in {path}")
    return 0
