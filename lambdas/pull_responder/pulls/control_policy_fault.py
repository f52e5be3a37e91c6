"""The verdict on an organization's service or resource control policies that stop a pull: its proof and its fix."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.authorization.evaluation import PolicyKind
from pull_responder.facts.iam import PolicyText
from pull_responder.facts.organizations import ControlPolicies
from pull_responder.model.arn import Arn
from pull_responder.model.verdict import Resource, Verdict
from pull_responder.pulls.policies import CONTROL_POLICIES
from pull_responder.pulls.policy_fault import PolicyFault, actions, aws_said, denying, not_read, wanted
from pull_responder.remediation import by_hand, organizations
from pull_responder.remediation.composition import together
from pull_responder.remediation.organizations import PolicyChange

if TYPE_CHECKING:
    from pull_responder.model.pull import PullFailure
    from pull_responder.model.verdict import Remediation
    from pull_responder.pulls.pull_facts import PullFacts

_NAMES: Final = {PolicyKind.SCP: "service control policies", PolicyKind.RCP: "resource control policies"}


def failed(fault: PolicyFault, pull: PullFailure, facts: PullFacts, kind: PolicyKind, resource: Resource) -> Verdict:
    """Return the failed verdict; `resource` is what the policies keep the pull from, in the account they control."""
    found = facts.control_policies(resource.account, pull.region, CONTROL_POLICIES[kind][0])
    policies = found if isinstance(found, ControlPolicies) else None
    return Verdict.failed(
        resource=resource,
        explanation=(
            f"The {_NAMES[kind]} that apply to account {resource.account} stop "
            f"{', '.join(actions(fault, pull))} for the role {fault.authorization.role}."
        ),
        evidence=_proof(fault, pull, kind),
        remediation=_fix(fault, pull, kind, controlled=resource.account, policies=policies),
    )


def _proof(fault: PolicyFault, pull: PullFailure, kind: PolicyKind) -> tuple[str, ...]:
    """Quote the denying statements, say at which levels no policy allows, what could not be read, and what AWS said."""
    levels = fault.authorization.levels_lacking(kind) if fault.stopped else {}
    lines = [
        f"No statement of the {_NAMES[kind]} {_where(level)} allows {' or '.join(lacks)}."
        for level, lacks in sorted(levels.items())
    ]
    return (*denying(fault, kind), *lines, *not_read(fault, kind), *aws_said(pull))


def _fix(
    fault: PolicyFault, pull: PullFailure, kind: PolicyKind, *, controlled: str, policies: ControlPolicies | None
) -> Remediation:
    """Return the change of the policies that stop the pull; by hand where they could not be read.

    `controlled` is the account that the policies control.
    """
    by_hand_fix = by_hand.service_control_policy if kind is PolicyKind.SCP else by_hand.resource_control_policy
    asked = by_hand_fix(wanted(fault, pull), account=controlled, region=pull.region)
    if policies is None or fault.by_words:
        return asked
    changes: dict[str, PolicyChange] = {
        name: PolicyChange(exempt=frozenset(statements))
        for name, statements in fault.authorization.denying(kind).items()
    }
    unchangeable = False
    for level, lacks in sorted(fault.authorization.levels_lacking(kind).items()):
        texts = [text for text in policies.levels[level] if isinstance(text, PolicyText)]
        text = next((text for text in texts if not text.is_aws_managed), None)
        if text is None or text.arn is None:
            unchangeable = True
            continue
        known = changes.get(text.arn, PolicyChange())
        changes[text.arn] = replace(known, allow=tuple(dict.fromkeys((*known.allow, *lacks))))
    role = fault.authorization.role
    fixes = [
        organizations.change(
            _policy(fault.authorization.documents[name], policies), each, role=role, region=pull.region
        )
        for name, each in changes.items()
    ]
    if unchangeable:
        # A level of AWS's own policies alone: a policy that allows has to be attached there.
        fixes.append(replace(asked, account=policies.manager))
    return together(*fixes) if fixes else asked


def _policy(text: PolicyText, policies: ControlPolicies) -> organizations.ControlPolicy:
    arn = Arn.parse(text.arn or "")
    if arn is None:
        raise ValueError(f"the policy {text.name} has no ARN, although Organizations gives every policy one")
    return organizations.ControlPolicy(arn, text.name, dict(text.document), policies.manager)


def _where(level: int) -> str:
    return "at the organization's root" if level == 0 else f"at level {level} below the organization's root"
