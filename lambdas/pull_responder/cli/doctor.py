"""`pull-responder doctor`."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

import click
from botocore.exceptions import BotoCoreError

from pull_responder.cli import report
from pull_responder.cli.as_json import line_of
from pull_responder.cli.doctor_text import show_results
from pull_responder.doctor import Result, State, examine, find_deployment, unread
from pull_responder.facts.aws import Aws
from pull_responder.facts.reader import Reader
from pull_responder.model.unread import Unread
from pull_responder.remediation.shell import render
from pull_responder.settings import SettingError, Settings, read_settings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from pull_responder.doctor import Deployment
    from pull_responder.model.arn import Arn

STACK: Final = "PullResponder"
BROKEN: Final = 1
OPEN: Final = 3

# CloudFormation API Reference, CreateStack, StackName.
_STACK_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")


@click.command()
@click.option("--stack", metavar="NAME", default=STACK, show_default=True, help="The name of the stack.")
@click.option("--region", metavar="NAME", help="Where the stack is; else the region of the SDK's configuration.")
@click.option("--profile", metavar="NAME", help="A profile of the SDK's configuration.")
@click.option("-o", "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Text is for people.")
def doctor(stack: str, region: str | None, profile: str | None, form: str) -> int:
    """Say what of a deployment works, what will not be seen and why, and the commands that mend it.

    It only reads. Run it with credentials of the account that has the stack.

    Exit status: 0 all works as the settings say; 1 something is broken; 2 there is no such stack, or the options or the
    credentials are unusable; 3 nothing is broken, but something could not be read.
    """
    if not _STACK_NAME.fullmatch(stack):
        raise click.UsageError("--stack is not the name of a stack")
    settings = _settings(os.environ)
    aws = _connect(settings, region, profile)
    where = aws.region
    if not where:
        raise click.ClickException("no region: give --region, or set AWS_REGION")
    own = aws.identity(where)
    if isinstance(own, Unread):
        raise click.ClickException(own.reason)
    found = find_deployment(Reader(aws), stack, own=own, region=where)
    if found is None:
        raise click.ClickException(
            f"account {own.account} has no stack {stack} in {where}: give --stack or --region, or deploy it"
        )
    if isinstance(found, Unread):
        results = [unread("stack", f"stack {stack}", found, "Nothing of the deployment could be looked at")]
    else:
        results = examine(found, Reader(_connect(_of_stack(found, settings), where, profile, own)))
    _show(results, stack=stack, account=own.account, region=where, as_json=form == "json")
    return _exit_status(results)


def _settings(environment: Any) -> Settings:  # noqa: ANN401 -- a mapping of texts
    try:
        return read_settings(environment)
    except SettingError as error:
        raise click.ClickException(str(error)) from error


def _of_stack(deployment: Deployment, settings: Settings) -> Settings:
    """Return the settings that the stack was deployed with, those of this terminal where they are not known."""
    return _settings(deployment.environment) if deployment.environment else settings


def _connect(settings: Settings, region: str | None, profile: str | None, own: Arn | None = None) -> Aws:
    try:
        return Aws.connect(
            member_role=settings.member_role,
            identity=own,
            organization_account=settings.organization_account,
            read_accounts=settings.read_accounts,
            region=region,
            profile=profile,
        )
    except BotoCoreError as error:
        raise click.ClickException(str(error)) from error


def _show(results: Sequence[Result], *, stack: str, account: str, region: str, as_json: bool) -> None:
    if not as_json:
        show_results(report.terminal(), results, stack=stack, account=account, region=region)
        return
    for each in results:
        click.echo(line_of(result_object(each, stack=stack, account=account, region=region)))


def result_object(result: Result, *, stack: str, account: str, region: str) -> dict[str, Any]:
    """Return the object to print for one thing. Keys may be added, none is renamed."""
    return {
        "stack": stack,
        "account": result.account or account,
        "region": region,
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
