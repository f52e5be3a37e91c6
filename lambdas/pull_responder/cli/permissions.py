"""`pull-responder permissions`."""

from __future__ import annotations

import json
import os
import re
from typing import Final

import click

from pull_responder.cli import options
from pull_responder.cli.deployed import STACK, STACK_NAME
from pull_responder.cli.examples import examples
from pull_responder.cli.terminal_policy import FOR, Place, cluster_role, policy
from pull_responder.settings import SettingError, read_settings

_ACCOUNT: Final = re.compile(r"[0-9]{12}")
_PARTITION: Final = re.compile(r"aws(?:-[a-z]{1,4}){0,2}")
_REGION: Final = re.compile(r"[a-z]{2,4}(?:-[a-z]{2,12}){1,4}-[0-9]{1,2}")


@click.command(
    epilog=examples(
        "pull-responder permissions --account 111122223333 > policy.json",
        "aws iam create-policy --policy-name PullResponderTerminal --policy-document file://policy.json",
        "pull-responder permissions --kubernetes | kubectl apply -f -",
    )
)
@click.option(
    "--for", "command", type=click.Choice(FOR), default=FOR[0], show_default=True, help="What it is to allow."
)
@click.option("--account", metavar="ID", help="Name the resources of this account only.")
@click.option("--partition", metavar="NAME", default="aws", show_default=True, help="The partition of the account.")
@click.option("--region", metavar="NAME", help="Name the deployment in this region only.")
@click.option("--stack", metavar="NAME", default=STACK, show_default=True, help="The deployment's stack.")
@click.option("--kubernetes", is_flag=True, help="Print the ClusterRole that `diagnose --pod` needs instead.")
@options.form
def permissions(  # noqa: PLR0913, PLR0917 -- one argument an option
    command: str,
    account: str | None,
    partition: str,
    region: str | None,
    stack: str,
    kubernetes: bool,  # noqa: FBT001 -- click passes a flag by its name
    form: str,
) -> None:
    """Print the IAM policy that a terminal needs, with the actions and resources of the deployed role.

    It holds what the account's own credentials need, and leave to assume the role PULL_RESPONDER_MEMBER_ROLE in other
    accounts of the organization, and in PULL_RESPONDER_READ_ACCOUNTS. It needs no network and no credentials. JSON is
    one line.

    Exit status: 0 it is printed; 2 the options or the settings are unusable.
    """
    for option, value, form_of in (
        ("--account", account, _ACCOUNT),
        ("--partition", partition, _PARTITION),
        ("--region", region, _REGION),
        ("--stack", stack, STACK_NAME),
    ):
        if value is not None and not form_of.fullmatch(value):
            raise click.UsageError(f"{option}: {value[:80]!r} cannot be one")
    if kubernetes:
        printed = cluster_role()
    else:
        try:
            settings = read_settings(os.environ)
        except SettingError as error:
            raise click.ClickException(str(error)) from error
        place = Place(partition, account or "*", region or "*", stack)
        printed = policy(command, place, member_role=settings.member_role, read_accounts=settings.read_accounts)
    click.echo(json.dumps(printed, indent=None if form == "json" else 2))
