"""`pull-responder test-event`."""

from __future__ import annotations

import time
from typing import Final
from uuid import uuid4

import click

from pull_responder.cli import answer, options
from pull_responder.cli.as_json import line_of
from pull_responder.cli.connection import Access
from pull_responder.cli.deployed import STACK, find_deployed
from pull_responder.cli.doctor import result_object
from pull_responder.cli.doctor_text import show_stations
from pull_responder.cli.examples import examples
from pull_responder.cli.trial_way import CHECK, Clock, try_way
from pull_responder.doctor import State, unread
from pull_responder.model.unread import Unread

FAILED: Final = 1
CLOCK: Final = Clock(time.monotonic, time.sleep)

_SECONDS: Final = 120
_LONGEST: Final = 900


@click.command(name="test-event", epilog=examples("pull-responder test-event --region eu-west-1 --timeout 300"))
@click.option("--stack", metavar="NAME", default=STACK, show_default=True, help="The name of the stack.")
@click.option("--region", metavar="NAME", help="Where the stack is; else the region of the SDK's configuration.")
@options.profile
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.IntRange(1, _LONGEST),
    default=_SECONDS,
    show_default=True,
    help="How long to wait for the end of the test.",
)
@options.form
def test_event(stack: str, region: str | None, profile: str | None, timeout: int, form: str) -> int:
    """Send a test event through a deployment, and say station by station what it proved.

    Subscribers get a message marked [TEST], and Security Hub an archived finding marked TEST. Run it with credentials
    of the account that has the stack.

    Exit status: 0 all worked, as the settings say; 1 something failed, did not arrive or could not be read; 2 there is
    no such stack, or the options or the credentials are unusable.
    """
    deployed = find_deployed(stack, Access(region, profile, timeout + _SECONDS))
    found, account, where = deployed.found, deployed.own.account, deployed.region
    if isinstance(found, Unread):
        results = [unread(CHECK, f"stack {stack}", found, "Nothing was sent")]
    else:
        results = try_way(found, deployed.aws, uuid4().hex, seconds=timeout, clock=CLOCK)
    if form == "json":
        for each in results:
            click.echo(line_of(result_object(each, stack=stack, account=account, region=where)))
    else:
        show_stations(answer.terminal(), results, stack=stack, account=account, region=where)
    return 0 if all(each.state in (State.WORKS, State.OFF) for each in results) else FAILED
