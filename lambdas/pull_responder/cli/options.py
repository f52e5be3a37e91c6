"""The options that several commands have."""

from __future__ import annotations

import click

region = click.option("--region", metavar="NAME", help="The region to ask; else that of the SDK's configuration.")
profile = click.option("--profile", metavar="NAME", help="A profile of the SDK's configuration.")
timeout = click.option(
    "--timeout",
    metavar="SECONDS",
    type=click.IntRange(1, 3600),
    default=30,
    show_default=True,
    help="How long to wait for AWS. What it has not answered by then is left open.",
)
form = click.option(
    "-o", "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Text is for people."
)
diagnosis_form = click.option(
    "-o",
    "--format",
    "form",
    type=click.Choice(["text", "json", "junit", "sarif"]),
    default="text",
    help="Text is for people; junit and sarif are for CI.",
)
