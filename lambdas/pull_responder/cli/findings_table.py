"""The findings table of a deployment, as a person at a terminal reads it: what is open, and all that it remembers.

The deployed functions never scan the table. So this module, not `findings.store`, asks for a scan.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import click
from botocore.exceptions import BotoCoreError, ClientError

from pull_responder.cli.connection import settings_in
from pull_responder.doctor import Deployment
from pull_responder.findings.codec import UnusableItem, read_life
from pull_responder.findings.store import Store, StoreError
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pull_responder.cli.deployed import Deployed
    from pull_responder.findings.life import Life
    from pull_responder.settings import Settings

PERMISSIONS: Final = ("dynamodb:Query", "dynamodb:BatchGetItem", "dynamodb:Scan")

# More open findings than anybody reads; the index gives them in two groups, the longest waiting first.
_MOST_OPEN: Final = 10_000


@dataclass(frozen=True, slots=True)
class Remembered:
    """What the table holds.

    - `lives`: the findings that could be read.
    - `unread`: why each of the others could not be.
    - `settings`: those that the stack was deployed with, as far as they are known.
    """

    lives: tuple[Life, ...]
    unread: tuple[str, ...]
    settings: Settings


def open_findings(deployed: Deployed) -> Remembered:
    """Return the findings that are open, by the table's index. Raises ClickException if it cannot be read."""
    table, settings, client = _table_of(deployed)
    store = Store(client, table, settings)
    try:
        found = store.lives(store.open_findings(limit=_MOST_OPEN)).values()
    except StoreError as error:
        raise click.ClickException(str(error)) from error
    read = _sorted_out(found, settings)
    return Remembered(tuple(each for each in read.lives if each.is_open), read.unread, settings)


def every_finding(deployed: Deployed) -> Remembered:
    """Return all findings that the table still has. Raises ClickException if it cannot be read.

    It reads the whole table, problems too: a filter saves no reads (DynamoDB Developer Guide, "Scanning tables").
    """
    table, settings, client = _table_of(deployed)
    pages = client.get_paginator("scan").paginate(
        TableName=table,
        FilterExpression="attribute_exists(#life)",
        ProjectionExpression="#id, #version, #life",
        ExpressionAttributeNames={"#id": "id", "#version": "version", "#life": "life"},
    )
    found: list[Life | UnusableItem] = []
    try:
        for page in pages:
            for item in page["Items"]:
                try:
                    found.append(read_life(item))
                except UnusableItem as unusable:
                    found.append(unusable)
    except (BotoCoreError, ClientError) as error:
        raise click.ClickException(f"dynamodb:Scan failed: {error}") from error
    return _sorted_out(found, settings)


def _sorted_out(found: Iterable[Life | UnusableItem], settings: Settings) -> Remembered:
    lives: list[Life] = []
    unread: list[str] = []
    for each in found:
        if isinstance(each, UnusableItem):
            unread.append(str(each))
        else:
            lives.append(each)
    return Remembered(tuple(lives), tuple(unread), settings)


def _table_of(deployed: Deployed) -> tuple[str, Settings, Any]:
    """Return the name of the table, the settings of the stack, and a client of DynamoDB."""
    stack = deployed.found
    if isinstance(stack, Unread):
        raise click.ClickException(stack.reason)
    name = stack.outputs.get("TableName")
    if not name:
        raise click.ClickException(f"stack {stack.stack} has no output TableName: is it one of Pull Responder?")
    client = deployed.aws.client("dynamodb", account=None, region=deployed.region)
    if isinstance(client, Unread):
        raise click.ClickException(client.reason)
    settings = _settings_of(stack, deployed)
    return name, settings, client


def _settings_of(stack: Deployment, deployed: Deployed) -> Settings:
    return settings_in(stack.environment) if stack.environment else deployed.settings
