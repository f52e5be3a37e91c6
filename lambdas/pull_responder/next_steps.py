"""What to do next about a cause that could not be decided: one sentence, for people on call.

A reason carries its steps as data (`model/reason.py`). Here they become sentences: what one role lacks is asked for at
once. A reason without a step gets the sentence of its cause.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pull_responder.model.printable import clean_line
from pull_responder.model.pull import Symptom
from pull_responder.model.reason import KUBELET_LOG, OUR_ROLE, Refusal, steps_of
from pull_responder.network.next_steps import RESOLVE, connect
from pull_responder.pulls.path import registry_host

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pull_responder.checks.check import Check
    from pull_responder.model.pull import PullFailure

LONGEST: Final = 300
"""The most characters of a step."""

_TEMPLATE: Final = "infra/member-role.yaml"
_MOST_ACTIONS: Final = 8
_ON_THE_PATH: Final = ("AwsEc2Subnet", "AwsEc2Vpc", "AwsEc2SecurityGroup", "AwsEc2NetworkAcl", "AwsEc2RouteTable")


@dataclass(frozen=True, slots=True)
class Needs:
    """What a role lacks to read what undecided causes depend on, each action once.

    - `role` and `account` are None where AWS's answer does not tell them.
    """

    actions: tuple[str, ...]
    account: str | None
    role: str | None


def next_step(check: Check, reason: str, pull: PullFailure) -> str:
    """Return the sentence that says what to look at, or what to grant, where `reason` left this check undecided."""
    steps = steps_of(reason)
    grants = _grants(_needed(steps))
    together = "; ".join(each[:-1] for each in grants) + "." if grants else ""
    own = [each for each in steps if isinstance(each, str)]
    found = (clean_line(each) for each in (together, *grants, *own, _of_check(check, pull)))
    return next((each for each in found if each and len(each) <= LONGEST), KUBELET_LOG)


def merge_steps(undecided: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    """Return the steps of several undecided causes, each once, from pairs of a reason and its step.

    What one role lacks for all of them stands in one sentence. A step that its own reason already says is left out.
    """
    pairs = list(undecided)
    refused = [each for reason, _ in pairs for each in _needed(steps_of(reason))]
    others = [
        step for reason, step in pairs if step[:-1].lower() not in reason.lower() and not _needed(steps_of(reason))
    ]
    return tuple(dict.fromkeys((*map(clean_line, _grants(refused)), *others)))


def needs_of(reasons: Iterable[str]) -> tuple[Needs, ...]:
    """Return what to grant for the reasons of which `is_needs_alone` is true, once for each role."""
    actions: dict[tuple[str | None, str | None], dict[str, None]] = {}
    for reason in filter(is_needs_alone, reasons):
        for each in _needed(steps_of(reason)):
            actions.setdefault((each.account, each.role), {})[each.action] = None
    return tuple(Needs(tuple(called), account, role) for (account, role), called in actions.items())


def is_needs_alone(reason: str) -> bool:
    """Return whether permissions in a policy of the role itself are all that this reason asks for."""
    refused = _needed(steps_of(reason))
    return bool(refused) and all(map(_is_plain, refused))


def _is_plain(refusal: Refusal) -> bool:
    """Return whether one more Allow in a policy of the role is what lacks."""
    return not (refusal.member or refusal.denied_by or refusal.limited_by or _reads_organization(refusal))


def _needed(steps: Iterable[object]) -> list[Refusal]:
    """Return the refusals among the steps, as far as one of them has to be granted."""
    found = [each for each in steps if isinstance(each, Refusal)]
    # Several accounts are asked for the organization's policies, and one that may read them is enough.
    return [each for each in found if _reads_organization(each)] or found


def _reads_organization(refusal: Refusal) -> bool:
    """Return whether only some accounts of an organization may make the call."""
    return refusal.action.startswith("organizations:") and refusal.action != "organizations:DescribeOrganization"


def _grants(refused: Iterable[Refusal]) -> list[str]:
    """Return the sentences that say what to grant, one for each role or policy."""
    known = list(dict.fromkeys(refused))
    steps = [
        f"Create role {each.role} in account {each.account} from {_TEMPLATE}, let it trust the role that Pull "
        "Responder runs with, and list the account in `readAccounts` if it is not of the same organization."
        for each in known
        if each.member
    ]
    if organization := [each.action for each in known if _reads_organization(each)]:
        steps.append(
            "Set `organizationAccount` to the organization's management account or a delegated administrator, and let "
            f"{OUR_ROLE} there call {_listed(organization)}."
        )
    actions: dict[Refusal, list[str]] = {}
    for each in known:
        if not each.member and not _reads_organization(each):
            actions.setdefault(replace(each, action=""), []).append(each.action)
    return [*steps, *(_grant(each, _listed(called)) for each, called in actions.items())]


def _grant(refusal: Refusal, actions: str) -> str:
    whom = f"role {refusal.role}" if refusal.role else OUR_ROLE
    where = f" in account {refusal.account}" if refusal.account else ""
    if refusal.denied_by:
        return f"Exempt {whom}{where} from the {refusal.denied_by} that denies {actions}."
    if refusal.limited_by:
        return f"Allow {actions} for {whom}{where} in the {refusal.limited_by}."
    return f"Grant {actions} to {whom}{where}."


def _listed(actions: Iterable[str]) -> str:
    names = list(dict.fromkeys(actions))
    if len(names) > _MOST_ACTIONS:
        names = [*names[: _MOST_ACTIONS - 1], f"{len(names) - _MOST_ACTIONS + 1} more of its documented permissions"]
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _of_check(check: Check, pull: PullFailure) -> str:
    """Return the sentence of the cause: the log to read or the resource to look at, named as far as the event does."""
    if check.by_words:
        return KUBELET_LOG
    if check.policy_type:
        action = pull.denial.action.partition(":")[2] if pull.denial else "BatchGetImage"
        return (
            f"Compare the {check.policy_type} with the refused request in CloudTrail: `aws cloudtrail lookup-events "
            f"--lookup-attributes AttributeKey=EventName,AttributeValue={shlex.quote(action)}`."
        )
    if check.resource_type in _ON_THE_PATH or "endpoint" in check.id or "gateway" in check.id:
        host = registry_host(pull)
        if pull.symptom is Symptom.NAME_RESOLUTION_FAILED or not host:
            return RESOLVE
        return connect(host)
    return _of_resource(check, pull)


def _of_resource(check: Check, pull: PullFailure) -> str:
    if check.resource_type == "AwsEcrRepository":
        where = f" --registry-id {pull.registry_account}" if pull.registry_account else ""
        return f"Look for the image's repository by `aws ecr describe-repositories{where} --region {pull.region}`."
    if check.resource_type == "AwsEksNodegroup" or check.id == "node_group_unhealthy":
        return "Look at the health issues of the node group in the EKS console (`aws eks describe-nodegroup`)."
    if check.resource_type == "AwsIamRole":
        who = pull.principal.name if pull.principal else None
        which = f"role {who}" if who else "the node's role"
        return f"Look at the trust policy and the policies of {which} in the IAM console (`aws iam get-role`)."
    return KUBELET_LOG
