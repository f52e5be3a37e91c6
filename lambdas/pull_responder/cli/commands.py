"""The commands, and the group that loads one when it is run.

Help and completion of the group come from this table. What a command imports takes up to twenty times as long.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, NamedTuple

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from collections.abc import Mapping


class Extra(NamedTuple):
    """What a command needs beyond the requirements of the package: an extra, and a module that it installs."""

    name: str
    module: str


class Listed(NamedTuple):
    """A command: its module, its name there, and what it does, as its own help begins."""

    module: str
    name: str
    does: str
    extra: Extra | None = None


COMMANDS: Final[Mapping[str, Listed]] = {
    "diagnose": Listed(
        "pull_responder.cli.diagnose",
        "diagnose",
        "Diagnose failed pulls, or say whether nodes of a cluster can pull an image.",
    ),
    "explain": Listed(
        "pull_responder.cli.explain",
        "explain",
        "Read what kubelet says of a failed pull, offline: symptom, stage, image, and what it can mean.",
    ),
    "causes": Listed("pull_responder.cli.causes", "causes", "List the causes, or show one."),
    "evaluate": Listed(
        "pull_responder.cli.evaluate",
        "evaluate",
        "Evaluate policies, offline: JSON Lines of requests with their policies in, decisions out.",
    ),
    "doctor": Listed(
        "pull_responder.cli.doctor",
        "doctor",
        "Say what of a deployment works, what will not be seen and why, and the commands that mend it.",
    ),
    "test-event": Listed(
        "pull_responder.cli.trial",
        "test_event",
        "Send a test event through a deployment, and say station by station what it proved.",
    ),
    "findings": Listed(
        "pull_responder.cli.findings",
        "findings",
        "List what is open in a deployment: what is broken, since when, and whom it stops.",
    ),
    "report": Listed(
        "pull_responder.cli.report",
        "report",
        "Make one page of HTML of what was open in a deployment in a period, with who broke and who fixed it.",
    ),
    "permissions": Listed(
        "pull_responder.cli.permissions",
        "permissions",
        "Print the IAM policy that a terminal needs, with the actions and resources of the deployed role.",
    ),
    "mcp": Listed(
        "pull_responder.cli.mcp_server",
        "mcp",
        "Serve agents, by the Model Context Protocol over standard input and output.",
        Extra("mcp", "mcp"),
    ),
    "demo": Listed(
        "pull_responder.demo",
        "demo",
        "Show every step on an emulated AWS: three breaks, each from the denied pull to the resolved finding.",
        Extra("demo", "ministack"),
    ),
}
"""In the order of the help."""


class LazyGroup(click.Group):
    """A group of the commands in COMMANDS."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 -- click's signature
        """Return the names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command. Return None if there is none of this name.

        Raises ClickException where the command needs an extra that is not installed.
        """
        if (listed := COMMANDS.get(cmd_name)) is None:
            return None
        if listed.extra and find_spec(listed.extra.module) is None:
            if ctx.resilient_parsing:  # while a shell completes a line
                return None
            wanted = f"pull-responder[{listed.extra.name}]"
            raise click.ClickException(f"{cmd_name} needs the extra {listed.extra.name}: pip install '{wanted}'")
        command = getattr(import_module(listed.module), listed.name)
        if not isinstance(command, click.Command):
            raise TypeError(f"{listed.module}.{listed.name} is no command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the arguments name, and the rest. Raises NoSuchCommand with names that are near."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            raise click.NoSuchCommand(error.command_name, possibilities=COMMANDS, ctx=ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 -- click's
        """Write the commands, and what each does, in full."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, listed.does) for name, listed in COMMANDS.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands, and the group's own options, that begin so."""
        found = [CompletionItem(name, help=each.does) for name, each in COMMANDS.items() if name.startswith(incomplete)]
        return found + click.Command.shell_complete(self, ctx, incomplete)
