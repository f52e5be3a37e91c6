"""Find the deployed stack that an option names, with the credentials of whoever runs the command."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import click

from pull_responder.cli.connection import Access, open_connection
from pull_responder.doctor import Deployment, find_deployment
from pull_responder.facts.reader import Reader
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from pull_responder.facts.aws import Aws
    from pull_responder.model.arn import Arn
    from pull_responder.settings import Settings

STACK: Final = "PullResponder"

# CloudFormation API Reference, CreateStack, StackName.
STACK_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")


@dataclass(frozen=True, slots=True)
class Deployed:
    """A stack and its place.

    - `own`: our own ARN, in the account of the stack.
    - `found`: the stack, or why it could not be read.
    - `settings`: those of this terminal.
    """

    aws: Aws
    own: Arn
    region: str
    found: Deployment | Unread
    settings: Settings


def find_deployed(stack: str, access: Access) -> Deployed:
    """Return the stack of this name. Raises ClickException if the options, or the credentials, lead to none."""
    if not STACK_NAME.fullmatch(stack):
        raise click.UsageError("--stack is not the name of a stack")
    connection = open_connection(access)
    aws = connection.aws
    where = aws.region
    if not where:
        raise click.ClickException("no region: give --region, or set AWS_REGION")
    if why := connection.fault() or connection.out_of_reach():
        raise click.ClickException(why)
    own = aws.identity(where)
    if isinstance(own, Unread):
        raise click.ClickException(own.reason)
    found = find_deployment(Reader(aws), stack, own=own, region=where)
    if found is None:
        raise click.ClickException(
            f"account {own.account} has no stack {stack} in {where}: give --stack or --region, or deploy it"
        )
    return Deployed(aws, own, where, found, connection.settings)
