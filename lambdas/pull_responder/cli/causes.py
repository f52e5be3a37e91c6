"""`pull-responder causes`."""

from __future__ import annotations

import difflib
import json
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from pull_responder.cli import options
from pull_responder.cli.examples import examples
from pull_responder.known_causes import known_causes

if TYPE_CHECKING:
    from pull_responder.known_causes import KnownCause


def _complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    checks = (each.check for each in known_causes())
    return [CompletionItem(check.id, help=check.title) for check in checks if check.id.startswith(incomplete)]


@click.command(
    epilog=examples(
        "pull-responder causes",
        "pull-responder causes image_not_found",
        "pull-responder causes --format json | jq -r .cause",
    )
)
@click.argument("cause", required=False, shell_complete=_complete)
@options.form
def causes(cause: str | None, form: str) -> None:
    """List the causes, or show one.

    With the id of a CAUSE: what is checked and what cannot be seen, why it stops a pull, how to fix it, and the actions
    that are needed to look for it. It asks nobody.

    Exit status: 0; 2 there is no such cause.
    """
    by_id = {each.check.id: each for each in known_causes()}
    if cause is not None and cause not in by_id:
        near = difflib.get_close_matches(cause, by_id, 1)
        hint = f"; did you mean {near[0]}?" if near else "; `pull-responder causes` lists them"
        raise click.ClickException(f"there is no cause {cause!r}{hint}")
    for each in [by_id[cause]] if cause else by_id.values():
        check = each.check
        if form == "json":
            click.echo(json.dumps(_as_json(each)))
        elif cause:
            click.echo(f"{check.id}: {check.title}\n\n{each.description}\n\nSeverity: {check.severity}")
            click.echo(f"Reads: {', '.join(check.permissions)}\nMore: {check.docs_url}")
        else:
            click.echo(f"{check.id:<32} {check.severity:<14} {check.title}")


def _as_json(known: KnownCause) -> dict[str, Any]:
    check = known.check
    return {
        "cause": check.id,
        "title": check.title,
        "severity": check.severity,
        "resource_type": check.resource_type,
        "permissions": list(check.permissions),
        "docs_url": check.docs_url,
        "description": known.description,
    }
