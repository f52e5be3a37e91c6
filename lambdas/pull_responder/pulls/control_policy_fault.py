"""The verdict on service or resource control policies that stop a pull, with its evidence and its fix.

One such policy can stop every role of an organization. So the policy is at fault, not the role: all that it stops is
one finding (docs/adr/0100-one-finding-for-an-organization-policy.md).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.authorization.evaluation import PolicyKind
from pull_responder.authorization.statement import Effect
from pull_responder.facts.iam import PolicyText
from pull_responder.facts.organizations import ControlPolicies
from pull_responder.model.arn import Arn
from pull_responder.model.verdict import Resource, Verdict
from pull_responder.pulls.deciding_policies import deciding_policies
from pull_responder.pulls.policies import CONTROL_POLICIES
from pull_responder.pulls.policy_fault import (
    POLICY_TYPES,
    PolicyFault,
    describe_unread,
    quote_denial,
    quote_denies,
    stopped_actions,
    wanted_change,
)
from pull_responder.pulls.policy_proof import prove
from pull_responder.remediation import by_hand, organizations
from pull_responder.remediation.composition import combine
from pull_responder.remediation.naming import the_deny
from pull_responder.remediation.organizations import PolicyChange

if TYPE_CHECKING:
    from pull_responder.model.pull import PullFailure
    from pull_responder.model.verdict import Remediation
    from pull_responder.pulls.pull_facts import PullFacts

_NAMES: Final = {PolicyKind.SCP: "service control policies", PolicyKind.RCP: "resource control policies"}


def fault_verdict(
    fault: PolicyFault, pull: PullFailure, facts: PullFacts, kind: PolicyKind, *, controlled: str
) -> Verdict:
    """Return the failed verdict. `controlled` is the account to which the policies apply."""
    found = facts.control_policies(controlled, pull.region, CONTROL_POLICIES[kind][0])
    policies = found if isinstance(found, ControlPolicies) else None
    policy = _policy_at_fault(fault, pull, kind)
    fix = _fix(fault, pull, kind, controlled=controlled, policies=policies)
    stopped, role = ", ".join(stopped_actions(fault, pull)), fault.authorization.role
    for_many, for_many_short = _fix_for_many(fault, pull, kind, policy, controlled)
    return Verdict.failed(
        resource=(
            Resource("Other", str(policy), policy.account)
            if policy
            else Resource("AwsAccount", f"AWS::::Account:{controlled}", controlled)
        ),
        explanation=(
            f"The {POLICY_TYPES[kind]} {policy} denies {stopped} to the role {role}."
            if policy
            else f"The {_NAMES[kind]} that apply to account {controlled} stop {stopped} for the role {role}."
        ),
        evidence=_proof(fault, pull, kind),
        remediation=replace(
            prove(fix, fault.authorization, kind, *Effect),
            for_many=for_many,
            for_many_short=for_many_short,
        ),
        policies=deciding_policies(fault, kind),
    )


def _policy_at_fault(fault: PolicyFault, pull: PullFailure, kind: PolicyKind) -> Arn | None:
    """Return the one policy that denies, by what was read or else by AWS's words. None if it is not one policy."""
    if fault.by_words:
        names = {pull.denial.policy_arn if pull.denial and pull.denial.explicit else None}
    elif fault.authorization.levels_without_allow(kind):
        return None  # a missing Allow is in no policy
    else:
        names = {fault.authorization.documents[name].arn for name in fault.authorization.denies(kind)}
    arn = Arn.parse(names.pop() or "") if len(names) == 1 else None
    return arn if arn and arn.service == "organizations" and arn.account.isdecimal() else None


def _fix_for_many(
    fault: PolicyFault, pull: PullFailure, kind: PolicyKind, policy: Arn | None, controlled: str
) -> tuple[str, str]:
    """Say what to do where several roles are stopped: to exempt them one by one would take as many rounds.

    Behind it, the same in few words; empty if it is short itself.
    """
    if policy is None:
        stopped = ", ".join(stopped_actions(fault, pull))
        return f"An administrator of the organization has to allow {stopped} in the {_NAMES[kind]} of {controlled}.", ""
    denies = {} if fault.by_words else fault.authorization.denies(kind)
    documents = fault.authorization.documents
    deny = next((the_deny(documents[name].document, each) for name, each in denies.items()), "the Deny")
    return by_hand.exempt_all(policy, deny), by_hand.exempt_all_in_short(policy, deny)


def _proof(fault: PolicyFault, pull: PullFailure, kind: PolicyKind) -> tuple[str, ...]:
    """Quote the denying statements and AWS's message. Name the levels without an Allow, and what could not be read."""
    levels = fault.authorization.levels_without_allow(kind) if fault.stopped else {}
    lines = [
        f"No statement of the {_NAMES[kind]} {_where(level)} allows {' or '.join(missing)}."
        for level, missing in sorted(levels.items())
    ]
    return (*quote_denies(fault, kind), *lines, *describe_unread(fault, kind), *quote_denial(pull))


def _fix(
    fault: PolicyFault, pull: PullFailure, kind: PolicyKind, *, controlled: str, policies: ControlPolicies | None
) -> Remediation:
    """Return the change to the policies that stop the pull.

    `controlled` is the account to which the policies apply. Where the policies could not be read, the change is an
    instruction without commands.
    """
    by_hand_fix = by_hand.service_control_policy if kind is PolicyKind.SCP else by_hand.resource_control_policy
    asked = by_hand_fix(wanted_change(fault, pull), account=controlled, region=pull.region)
    if policies is None or fault.by_words:
        return asked
    changes: dict[str, PolicyChange] = {
        name: PolicyChange(exempt=frozenset(statements))
        for name, statements in fault.authorization.denies(kind).items()
    }
    unchangeable = False
    for level, missing in sorted(fault.authorization.levels_without_allow(kind).items()):
        texts = [text for text in policies.levels[level] if isinstance(text, PolicyText)]
        text = next((text for text in texts if not text.is_aws_managed), None)
        if text is None or text.arn is None:
            unchangeable = True
            continue
        known = changes.get(text.arn, PolicyChange())
        changes[text.arn] = replace(known, allow=tuple(dict.fromkeys((*known.allow, *missing))))
    role = fault.authorization.role
    fixes = [
        organizations.change(
            _policy(fault.authorization.documents[name], policies), each, role=role, region=pull.region
        )
        for name, each in changes.items()
    ]
    if unchangeable:
        # This level has only AWS's own policies, which nobody can edit. A policy with an Allow must be attached.
        fixes.append(replace(asked, account=policies.manager))
    return combine(*fixes) if fixes else asked


def _policy(text: PolicyText, policies: ControlPolicies) -> organizations.ControlPolicy:
    arn = Arn.parse(text.arn or "")
    if arn is None:
        raise ValueError(f"the policy {text.name} has no ARN, although Organizations gives every policy one")
    return organizations.ControlPolicy(arn, text.name, dict(text.document), policies.manager)


def _where(level: int) -> str:
    return "at the organization's root" if level == 0 else f"at level {level} below the organization's root"
