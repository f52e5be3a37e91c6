"""The options that several commands have."""

from __future__ import annotations

import click

region = click.option("--region", metavar="NAME", help="The region to ask; else that of the SDK's configuration.")
profile = click.option("--profile", metavar="NAME", help="A profile of the SDK's configuration.")
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
