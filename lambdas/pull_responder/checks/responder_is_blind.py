"""Pull Responder itself does not get the events that it lives on.

What it checks: nothing of a pull. Once a day the deployed responder examines itself, as `pull-responder doctor` does,
and makes a call to ECR that its role is not allowed: a canary. Pull Responder is blind if something on the way of a
refused pull is broken (the trail, a rule on refused pulls, the queue, the function `diagnose`, the table), or if
CloudTrail's records of two canaries in a row have not come through that way half an hour after the calls. In an
organization a canary is sent in each region from which the deployment's own account forwards its events, and the
finding names the region that is blind.

What it cannot see: whether the audit logs of clusters arrive, whether other accounts are heard, and what has failed
while it was blind. A read that AWS refuses is no fault: it is counted, and this finding stays as it is.

Why this is worth a finding: a deployment that sees nothing looks the same as one with nothing to see.

How to fix it: run the commands of the finding, which `pull-responder doctor` prints, too. While the finding is open,
Pull Responder examines itself every hour. The finding closes when what was broken works again.

References: the project's own docs/operations.md, "The daily examination"; Amazon EventBridge User Guide, "AWS service
events delivered via AWS CloudTrail".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.checks.check import Check
from pull_responder.model.verdict import Remediation, Resource, Severity, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.model.pull import PullFailure
    from pull_responder.pulls.pull_facts import PullFacts

_DOCS: Final = "https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html"
_MOST_NAMED: Final = 12
_MOST_COMMANDS: Final = 12


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:  # noqa: ARG001 -- as every check
    """Return not applicable: a pull that was seen does not show what is not seen."""
    return Verdict.not_applicable("only the deployed responder examines itself")


def blind_verdict(  # noqa: PLR0913 -- keyword-only but for the first
    faults: Sequence[tuple[str, str]],
    *,
    account: str,
    region: str,
    regions: Sequence[str],
    meaning: str,
    steps: Sequence[str],
    commands: Sequence[tuple[str, ...]],
    commands_for: str,
) -> Verdict:
    """Return failed, for a deployment in `account`.

    - `region`: where its commands are for. `regions`: those in which something is broken, at least one.
    - `faults`: what is broken on the way of an event, each a thing and what was found, the first on the way first.
    - `meaning`: what follows from the first of them, a sentence without a full stop.
    - `steps`: what people have to do where no command does it, a sentence each.
    - `commands`: what mends it, with credentials of the account `commands_for`.
    """
    things = "what an event has to pass" if len(faults) == 1 else f"{len(faults)} things that an event has to pass"
    summary = (
        "Run the commands, one after the other." if commands else "Run `pull-responder doctor`, and do what it says."
    )
    return Verdict.failed(
        resource=Resource("AwsAccount", f"AWS::::Account:{account}", account),
        explanation=f"In {_listed(regions)}, {things} broke: {faults[0][0]}. {meaning}.",
        evidence=tuple(f"{thing}: {found}." for thing, found in faults[:_MOST_NAMED]),
        remediation=Remediation(
            summary=" ".join(dict.fromkeys((summary, *steps))),
            account=commands_for,
            region=region,
            docs_url=_DOCS,
            commands=tuple(dict.fromkeys(commands))[:_MOST_COMMANDS],
        ),
    )


def _listed(regions: Sequence[str]) -> str:
    first = ", ".join(regions[:_MOST_NAMED])
    return f"{first} and {len(regions) - _MOST_NAMED} more regions" if len(regions) > _MOST_NAMED else first


CHECK = Check(
    id="responder_is_blind",
    title="Pull Responder does not see failed pulls",
    short="Failed pulls are not seen",
    again="Pull Responder sees failed pulls again",
    severity=Severity.MEDIUM,
    resource_type="AwsAccount",
    permissions=(),
    docs_url=_DOCS,
    examine=examine,
    explains=(),
    refused_by_ecr=False,
    of_responder=True,
)
