"""`pull-responder doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from pull_responder.cli import answer, options
from pull_responder.cli.as_json import line_of
from pull_responder.cli.deployed import STACK, connect, find_deployed, settings_in
from pull_responder.cli.doctor_text import show_results
from pull_responder.doctor import Result, State, examine, unread
from pull_responder.facts.reader import Reader
from pull_responder.model.unread import Unread
from pull_responder.remediation.shell import render

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from pull_responder.doctor import Deployment
    from pull_responder.settings import Settings

BROKEN: Final = 1
OPEN: Final = 3


@click.command()
@click.option("--stack", metavar="NAME", default=STACK, show_default=True, help="The name of the stack.")
@click.option("--region", metavar="NAME", help="Where the stack is; else the region of the SDK's configuration.")
@options.profile
@options.form
def doctor(stack: str, region: str | None, profile: str | None, form: str) -> int:
    """Say what of a deployment works, what will not be seen and why, and the commands that mend it.

    It only reads. Run it with credentials of the account that has the stack.

    Exit status: 0 all works as the settings say; 1 something is broken; 2 there is no such stack, or the options or the
    credentials are unusable; 3 nothing is broken, but something could not be read.
    """
    deployed = find_deployed(stack, region, profile)
    found, own, where = deployed.found, deployed.own, deployed.region
    if isinstance(found, Unread):
        results = [unread("stack", f"stack {stack}", found, "Nothing of the deployment could be looked at")]
    else:
        settings = _of_stack(found, deployed.settings)
        results = examine(found, Reader(connect(settings, where, profile, own)))
    _show(results, stack=stack, account=own.account, region=where, as_json=form == "json")
    return _exit_status(results)


def _of_stack(deployment: Deployment, settings: Settings) -> Settings:
    """Return the settings that the stack was deployed with, those of this terminal where they are not known."""
    return settings_in(deployment.environment) if deployment.environment else settings


def _show(results: Sequence[Result], *, stack: str, account: str, region: str, as_json: bool) -> None:
    if not as_json:
        show_results(answer.terminal(), results, stack=stack, account=account, region=region)
        return
    for each in results:
        click.echo(line_of(result_object(each, stack=stack, account=account, region=region)))


def result_object(result: Result, *, stack: str, account: str, region: str) -> dict[str, Any]:
    """Return the object to print for one thing. Keys may be added, none is renamed."""
    return {
        "stack": stack,
        "account": result.account or account,
        "region": result.region or region,
        "check": result.check,
        "subject": result.subject,
        "state": result.state,
        "found": result.found,
        "meaning": result.meaning,
        "next": result.step,
        "needs": list(result.needs),
        "commands": [render(each) for each in result.commands],
    }


def _exit_status(results: Sequence[Result]) -> int:
    states = {each.state for each in results}
    if State.BROKEN in states:
        return BROKEN
    return OPEN if State.UNREAD in states else 0
