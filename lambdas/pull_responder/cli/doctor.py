"""`pull-responder doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from pull_responder.cli import answer, options
from pull_responder.cli.as_json import line_of
from pull_responder.cli.connection import Access, settings_in
from pull_responder.cli.deployed import STACK, find_deployed
from pull_responder.cli.doctor_text import show_results
from pull_responder.cli.examples import examples
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

# It looks at every account of an organization.
_SECONDS: Final = 300
_LONGEST: Final = 3600


@click.command(
    epilog=examples(
        "pull-responder doctor --region eu-west-1",
        "pull-responder doctor --profile prod --format json | jq 'select(.state == \"broken\")'",
    )
)
@click.option("--stack", metavar="NAME", default=STACK, show_default=True, help="The name of the stack.")
@click.option("--region", metavar="NAME", help="Where the stack is; else the region of the SDK's configuration.")
@options.profile
@click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.IntRange(1, _LONGEST),
    default=_SECONDS,
    show_default=True,
    help="How long to wait for AWS. What it has not answered by then could not be read.",
)
@options.form
def doctor(stack: str, region: str | None, profile: str | None, timeout: int, form: str) -> int:
    """Say what of a deployment works, what will not be seen and why, and the commands that mend it.

    It only reads. Run it with credentials of the account that has the stack.

    Exit status: 0 all works as the settings say; 1 something is broken; 2 there is no such stack, or the options or the
    credentials are unusable; 3 nothing is broken, but something could not be read.
    """
    deployed = find_deployed(stack, Access(region, profile, timeout))
    found, own, where = deployed.found, deployed.own, deployed.region
    if isinstance(found, Unread):
        results = [unread("stack", f"stack {stack}", found, "Nothing of the deployment could be looked at")]
    else:
        settings = _of_stack(found, deployed.settings)
        aws = deployed.aws.with_settings(
            own,
            member_role=settings.member_role,
            organization_account=settings.organization_account,
            aws_registries=settings.aws_registries,
            read_accounts=settings.read_accounts,
        )
        results = examine(found, Reader(aws))
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
