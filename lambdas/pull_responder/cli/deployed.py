"""Find the deployed stack that an option names, with the credentials of whoever runs the command."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import click
from botocore.exceptions import BotoCoreError

from pull_responder.doctor import Deployment, find_deployment
from pull_responder.facts.aws import Aws
from pull_responder.facts.reader import Reader
from pull_responder.model.unread import Unread
from pull_responder.settings import SettingError, Settings, read_settings

if TYPE_CHECKING:
    from pull_responder.model.arn import Arn

STACK: Final = "PullResponder"

# CloudFormation API Reference, CreateStack, StackName.
_STACK_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")


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


def find_deployed(stack: str, region: str | None, profile: str | None) -> Deployed:
    """Return the stack of this name. Raises ClickException if the options, or the credentials, lead to none."""
    if not _STACK_NAME.fullmatch(stack):
        raise click.UsageError("--stack is not the name of a stack")
    settings = settings_in(os.environ)
    aws = connect(settings, region, profile)
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
    return Deployed(aws, own, where, found, settings)


def settings_in(environment: Any) -> Settings:  # noqa: ANN401 -- a mapping of texts
    """Return the settings in a mapping of texts. Raises ClickException if one is not valid."""
    try:
        return read_settings(environment)
    except SettingError as error:
        raise click.ClickException(str(error)) from error


def connect(settings: Settings, region: str | None, profile: str | None, own: Arn | None = None) -> Aws:
    """Return AWS with the SDK's configuration. Raises ClickException if that cannot be used."""
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
