"""`pull-responder evaluate`."""

from __future__ import annotations

import json
import sys
from typing import Any

import click

from pull_responder.authorization.cases import evaluate_lines


@click.command()
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="json", help="Text is for people.")
def evaluate(form: str) -> None:
    """Evaluate policies, offline: JSON Lines of requests with their policies in, decisions out.

    A line that cannot be used is answered by a line with its id and the error. The next lines are still evaluated.
    """
    # An invalid byte becomes U+FFFD. Its line is refused, and the next one is still read.
    lines = (line.decode("utf-8", errors="replace") for line in sys.stdin.buffer)
    for line in evaluate_lines(lines):
        sys.stdout.write((line if form == "json" else _as_text(json.loads(line))) + "\n")
        sys.stdout.flush()  # a caller that writes line by line waits for the answer


def _as_text(answer: dict[str, Any]) -> str:
    if "error" in answer:
        return f"{answer['id']}: error: {answer['error']}"
    blocked = ", ".join(answer["blocked_by"])
    return f"{answer['id']}: {answer['decision']}{f', blocked by {blocked}' if blocked else ''}"
