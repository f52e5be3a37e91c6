"""`pull-responder evaluate`."""

from __future__ import annotations

import json
import sys
from itertools import chain
from typing import Any, Final

import click

from pull_responder.authorization.cases import evaluate_lines
from pull_responder.cli.examples import examples
from pull_responder.cli.lines import shown
from pull_responder.cli.reader import is_read
from pull_responder.model.printable import escape_json

_EXAMPLE: Final = (
    '{"id": "example", "request": {"principal": "arn:aws:iam::111111111111:role/node", "action": "ecr:BatchGetImage", '
    '"resource": {"arn": "arn:aws:ecr:us-east-1:111111111111:repository/app", "accountId": "111111111111"}, '
    '"context": {"aws:SourceVpce": "vpce-0123456789abcdef0"}}, '
    '"identityPolicies": [{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ecr:*", '
    '"Resource": "*"}]}], "permissionBoundaryPolicies": [], "serviceControlPolicies": [[{"Version": "2012-10-17", '
    '"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}], [{"Version": "2012-10-17", "Statement": '
    '[{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}]]}'
)

_HELP: Final = (
    """\
Evaluate policies, offline: JSON Lines of requests with their policies in, decisions out.

A line that cannot be used is answered by a line with its id and the error. The next lines are still evaluated.

Exit status: 0 whatever is decided; 2 no line could be evaluated.

\b
A line of input has these keys; only request is needed:
  id                          returned as it is
  request                     principal, action, resource (arn, accountId), context
  identityPolicies            a list of policies
  permissionBoundaryPolicies  a list of policies
  serviceControlPolicies      a list of levels from the root to the account, each a list of policies
  resourceControlPolicies     the same
  resourcePolicy              a policy, of the repository for instance
  registryPolicy              a policy, with registryPolicyScope V1 or V2 (the default)
  vpcEndpointPolicies         a list of policies
  sessionPolicy               a policy

Where a key is absent, null or an empty list, no such policy applies: without identityPolicies the principal's own
policies allow nothing, and the others limit nothing. [[]] is one level that allows nothing. For example:

\b
"""
    + _EXAMPLE
    + """

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
)


@click.command(help=_HELP, epilog=examples("pull-responder evaluate < cases.jsonl"))
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="json", help="Text is for people.")
def evaluate(form: str) -> None:
    """Answer each line of standard input by one line, in order."""
    # An invalid byte becomes U+FFFD. Its line is refused, and the next one is still read.
    raw = iter(sys.stdin.buffer)
    first = next(raw, None)
    if first is None:
        raise click.ClickException("standard input is empty: it needs a case a line (--help has an example of one)")
    lines = (line.decode("utf-8", errors="replace") for line in chain([first], raw))
    answered = decided = 0
    for line in evaluate_lines(lines):
        answer = json.loads(line)
        answered, decided = answered + 1, decided + ("error" not in answer)
        sys.stdout.write((escape_json(line) if form == "json" else shown(_as_text(answer))) + "\n")
        sys.stdout.flush()  # a caller that writes line by line waits for the answer
        if not is_read():
            break
    if answered and not decided:
        raise click.ClickException("standard input: no line could be evaluated (--help has an example of one)")


def _as_text(answer: dict[str, Any]) -> str:
    if "error" in answer:
        return f"{answer['id']}: error: {answer['error']}"
    if unknown := answer.get("unknown"):
        return f"{answer['id']}: {answer['decision']}: {'; '.join(unknown)}"
    blocked = ", ".join(answer["blocked_by"])
    return f"{answer['id']}: {answer['decision']}{f', blocked by {blocked}' if blocked else ''}"
