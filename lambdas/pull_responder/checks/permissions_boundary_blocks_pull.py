"""The role's permissions boundary stops the pull.

What it checks: whether the permissions boundary of the pulling role, if it has one, allows each action of the pull and
denies none.

What it cannot see: the boundary of a role in an account without the role PullResponderReadOnly, and condition keys
whose value AWS does not show.

Why that stops a pull: a boundary grants nothing. It limits the role to the actions that it allows, whatever the
identity policies say. Exception: within one account, it does not limit a repository policy that names the role's
session.

How to fix it: allow the pull actions in the boundary. Other roles may share the boundary, and the change applies to all
of them.

References: IAM User Guide, "Permissions boundaries for IAM entities".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.authorization.evaluation import PolicyKind, State
from pull_responder.authorization.statement import Effect
from pull_responder.checks.check import BEFORE_UNPACK, UNREACHED, Check, Explains
from pull_responder.model.pull import PolicyType, PullFailure, Symptom
from pull_responder.model.verdict import Remediation, Resource, Severity, Verdict
from pull_responder.pulls.authorization import AUTHORIZATION_PERMISSIONS
from pull_responder.pulls.deciding_policies import deciding_policies
from pull_responder.pulls.policy_fault import (
    PolicyFault,
    describe_missing_allows,
    find_fault,
    quote_denial,
    quote_denies,
    stopped_actions,
    wanted_change,
)
from pull_responder.pulls.policy_fix import let_through, managed_policy
from pull_responder.pulls.policy_proof import prove
from pull_responder.remediation import by_hand
from pull_responder.remediation.iam import widen_boundary

if TYPE_CHECKING:
    from pull_responder.pulls.pull_facts import PullFacts

_STATES = (State.BLOCKS_IMPLICITLY, State.BLOCKS_EXPLICITLY)


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed with what the boundary does, passed, not applicable without a boundary, or inconclusive."""
    fault = find_fault(pull, facts, PolicyKind.BOUNDARY, _STATES)
    if isinstance(fault, Verdict):
        return fault
    role = fault.authorization.role
    stopped = ", ".join(stopped_actions(fault, pull))
    boundary = " ".join(["permissions boundary", *fault.authorization.names(PolicyKind.BOUNDARY)[:1]])
    missing = PolicyFault(fault.authorization, fault.of_state(State.BLOCKS_IMPLICITLY))
    return Verdict.failed(
        resource=Resource("AwsIamRole", str(role), role.account),
        explanation=f"The {boundary} of the role {role} stops {stopped}.",
        evidence=(
            *describe_missing_allows(missing, f"the {boundary}"),
            *quote_denies(fault, PolicyKind.BOUNDARY),
            *quote_denial(pull),
        ),
        remediation=prove(_fix(pull, facts, fault), fault.authorization, PolicyKind.BOUNDARY, *Effect),
        policies=deciding_policies(fault, PolicyKind.BOUNDARY),
    )


def _fix(pull: PullFailure, facts: PullFacts, fault: PolicyFault) -> Remediation:
    role = fault.authorization.role
    names = fault.authorization.names(PolicyKind.BOUNDARY)
    if not names or fault.by_words:
        return by_hand.permissions_boundary(wanted_change(fault, pull), role=role, region=pull.region)
    document = let_through(pull, fault.authorization, names[0])
    text = fault.authorization.documents[names[0]]
    boundary = managed_policy(pull, facts, fault.authorization, text, PolicyKind.BOUNDARY)
    return widen_boundary(role, boundary, region=pull.region, actions=stopped_actions(fault, pull), document=document)


CHECK = Check(
    id="permissions_boundary_blocks_pull",
    title="The role's permissions boundary stops the pull",
    short="Permissions boundary stops the pull",
    again="The role's permissions boundary allows the pull again",
    severity=Severity.HIGH,
    resource_type="AwsIamRole",
    permissions=AUTHORIZATION_PERMISSIONS,
    docs_url="https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html",
    examine=examine,
    explains=(
        Explains(Symptom.ACCESS_DENIED, 50),
        Explains(Symptom.NOT_AUTHENTICATED, 180),
        Explains(Symptom.UNKNOWN, 180, BEFORE_UNPACK),
    ),
    also_at=UNREACHED,
    policy_type=PolicyType.BOUNDARY,
)
