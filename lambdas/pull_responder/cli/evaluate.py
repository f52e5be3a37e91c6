"""`pull-responder evaluate`."""

from __future__ import annotations

import json
import sys
from typing import Any, Final

import click

from pull_responder.authorization.cases import evaluate_lines
from pull_responder.cli.report import shown
from pull_responder.model.printable import escape_json

_HELP: Final = """\
Evaluate policies, offline: JSON Lines of requests with their policies in, decisions out.

A line that cannot be used is answered by a line with its id and the error. The next lines are still evaluated.

The decision is Allowed, ImplicitlyDenied or ExplicitlyDenied. It is Undecided, with the reason under "unknown",
where AWS documents no answer: a wildcard in an ARN's resource type, an ARN of fewer than six parts, a condition
without values, and a negated operator on a value of another type.

Policies are taken literally, and the context is complete: a key that it lacks is absent from the request.

\b
Not modelled:
  - what AWS adds to a request, such as aws:PrincipalArn: name it in the context
  - which resource types, condition keys and policies an action takes
  - anonymous callers, and sts:GetCallerIdentity, which needs no permission
  - grants, access control lists, S3 Block Public Access, access point policies
  - wildcards in the request's own resource
  - what AWS reserves to itself, such as changes of its managed policies and aliases
  - the trust of one service in another (aws:SourceArn, forward access sessions)
  - the exemption of an organization's management account: leave its policies out
"""


@click.command(help=_HELP)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="json", help="Text is for people.")
def evaluate(form: str) -> None:
    """Answer each line of standard input by one line, in order."""
    # An invalid byte becomes U+FFFD. Its line is refused, and the next one is still read.
    lines = (line.decode("utf-8", errors="replace") for line in sys.stdin.buffer)
    for line in evaluate_lines(lines):
        sys.stdout.write((escape_json(line) if form == "json" else shown(_as_text(json.loads(line)))) + "\n")
        sys.stdout.flush()  # a caller that writes line by line waits for the answer


def _as_text(answer: dict[str, Any]) -> str:
    if "error" in answer:
        return f"{answer['id']}: error: {answer['error']}"
    if unknown := answer.get("unknown"):
        return f"{answer['id']}: {answer['decision']}: {'; '.join(unknown)}"
    blocked = ", ".join(answer["blocked_by"])
    return f"{answer['id']}: {answer['decision']}{f', blocked by {blocked}' if blocked else ''}"
