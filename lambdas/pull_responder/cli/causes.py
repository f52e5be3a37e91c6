"""`pull-responder causes`."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING, Any

import click

from pull_responder.checks import CHECKS
from pull_responder.cli import options

if TYPE_CHECKING:
    from pull_responder.checks.check import Check


@click.command()
@click.argument("cause", required=False)
@options.form
def causes(cause: str | None, form: str) -> None:
    """List the causes, or show one."""
    by_id = {check.id: check for check in CHECKS}
    if cause is not None and cause not in by_id:
        near = difflib.get_close_matches(cause, by_id, 1)
        hint = f"; did you mean {near[0]}?" if near else "; `pull-responder causes` lists them"
        raise click.ClickException(f"there is no cause {cause!r}{hint}")
    for check in [by_id[cause]] if cause else CHECKS:
        if form == "json":
            click.echo(json.dumps(_as_json(check)))
        elif cause:
            click.echo(f"{check.id}: {check.title}\n\n{check.description}\n\nSeverity: {check.severity}")
            click.echo(f"Reads: {', '.join(check.permissions)}\nMore: {check.docs_url}")
        else:
            click.echo(f"{check.id:<32} {check.severity:<14} {check.title}")


def _as_json(check: Check) -> dict[str, Any]:
    return {
        "cause": check.id,
        "title": check.title,
        "severity": check.severity,
        "resource_type": check.resource_type,
        "permissions": list(check.permissions),
        "docs_url": check.docs_url,
        "description": check.description,
    }
