"""A deed: what somebody did to the resource of a finding, as CloudTrail recorded it.

A deed is a fact and no guess about intent: this call was made, by this principal, at this time. It is told only if the
call names the resource at fault. That it ended or began the fault does not follow from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.findings.problem import seconds_of
from pull_responder.model.arn import Arn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pull_responder.events.change import Change
    from pull_responder.findings.finding import Finding

# A change of IAM takes a while to be visible everywhere, so a look later than the first may be the one that passes.
_TAKES_EFFECT_SECONDS: Final = 600.0
# CloudTrail's times and the clock of the function may differ by a little.
_CLOCKS_DIFFER_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Deed:
    """One call that changed a resource. All of it comes from an event.

    - `call`: the name of the call, such as "AttachRolePolicy".
    - `by`: the ARN of who made it, or the name of an AWS service.
    - `at`: when. ISO 8601 in UTC.
    - `event_id`: CloudTrail's id of the event; empty if it gave none.
    - `policy`: the name of the policy that the call attached, detached, wrote or deleted; empty if it was none.
    """

    call: str
    by: str
    at: str
    event_id: str = ""
    policy: str = ""

    @property
    def what(self) -> str:
        """The call and the policy, as "DetachRolePolicy of AmazonEC2ContainerRegistryPullOnly"."""
        return f"{self.call} of {self.policy}" if self.policy else self.call

    @property
    def words(self) -> str:
        """What was done and by whom, for people."""
        return f"{self.what} by {self.by}" + (f" (event {self.event_id})" if self.event_id else "")


def deeds_of(changes: Iterable[Change], finding: Finding) -> tuple[Deed, ...]:
    """Return those of `changes` that name a resource of `finding`, as deeds. What nobody is known to have done is none.

    The role that pulls, the repository, and what the commands of the fix name count as resources of the finding,
    whatever is at fault: a policy of a role has its own ARN.
    """
    resources = {each.id for each in (finding.resource, *finding.related)}
    resources |= {word for command in finding.remediation.commands for word in command if word.startswith("arn:")}
    principal = finding.pull.principal
    if principal and principal.role_arn:
        resources.add(principal.role_arn)
    if finding.pull.repository_arn:
        resources.add(finding.pull.repository_arn)
    arns = [arn for arn in map(Arn.parse, sorted(resources)) if arn]
    return tuple(
        Deed(each.name, each.by, each.at, each.event_id or "", each.policy or "")
        for each in changes
        if each.by and each.at and any(_names(each, arn) for arn in arns)
    )


def _names(change: Change, arn: Arn) -> bool:
    """Whether the parameters of the call name the resource `arn`, in its service, account and region."""
    if arn.service != change.service or arn.account != change.account or arn.region not in ("", change.region):
        return False
    name = arn.resource.partition("/")[2] or arn.resource
    return not change.words.isdisjoint({str(arn), name, name.rpartition("/")[2]})


def recent(deeds: Iterable[Deed], now: float) -> tuple[Deed, ...]:
    """Return the deeds that a look at `now`, in seconds since 1970, can be the first to see."""
    since, until = now - _TAKES_EFFECT_SECONDS, now + _CLOCKS_DIFFER_SECONDS
    return tuple(each for each in deeds if since <= (seconds_of(each.at) or 0) <= until)
