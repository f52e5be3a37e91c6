"""A policy of the role denies the pull.

What it checks: whether an identity policy of the pulling role (inline or managed) has a Deny statement that matches an
action of the pull by credentials issued now. A Deny of older sessions alone, such as that of AWSRevokeOlderSessions, is
no fault, because the node gets new credentials by itself.

What it cannot see: session policies, and image pull secrets or roles with which a pod may pull in place of the node.
Condition keys whose value AWS does not show leave it undecided.

Why that stops a pull: an explicit deny outranks every allow of any policy.

How to fix it: remove the pull actions from the Deny statement, and leave the rest of it as it is. An AWS policy that
denies, such as a quarantine of compromised keys, is attached for a reason. Look into that before you detach it.

References: IAM User Guide, "Policy evaluation logic", "How AWS enforcement code logic evaluates requests" and "Revoke
IAM role temporary security credentials".
"""

from __future__ import annotations

from dataclasses import replace
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
    describe_unread,
    find_fault,
    quote_denial,
    quote_denies,
    stopped_actions,
    wanted_change,
)
from pull_responder.pulls.policy_fix import let_through, managed_policy
from pull_responder.pulls.policy_proof import prove
from pull_responder.remediation import by_hand
from pull_responder.remediation.composition import combine
from pull_responder.remediation.iam import replace_inline_policy, replace_managed_policy
from pull_responder.remediation.naming import the_deny

if TYPE_CHECKING:
    from pull_responder.pulls.pull_facts import PullFacts


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed with the denying statements, passed, or inconclusive."""
    fault = find_fault(pull, facts, PolicyKind.IDENTITY, (State.BLOCKS_EXPLICITLY,))
    if isinstance(fault, Verdict):
        return fault
    role = fault.authorization.role
    denied = ", ".join(stopped_actions(fault, pull))
    return Verdict.failed(
        resource=Resource("AwsIamRole", str(role), role.account),
        explanation=f"An identity policy of the role {role} denies {denied}, and a deny outranks every allow.",
        evidence=(
            *quote_denies(fault, PolicyKind.IDENTITY),
            *describe_unread(fault, PolicyKind.IDENTITY),
            *quote_denial(pull),
        ),
        remediation=prove(_fix(pull, facts, fault), fault.authorization, PolicyKind.IDENTITY, Effect.DENY),
        policies=deciding_policies(fault, PolicyKind.IDENTITY),
    )


def _fix(pull: PullFailure, facts: PullFacts, fault: PolicyFault) -> Remediation:
    role = fault.authorization.role
    fixes = []
    for name, statements in fault.authorization.denies(PolicyKind.IDENTITY).items():
        text = fault.authorization.documents[name]
        document, deny = let_through(pull, fault.authorization, name), the_deny(text.document, statements)
        if text.arn is None:
            fixes.append(
                replace_inline_policy(role, region=pull.region, policy_name=text.name, document=document, deny=deny)
            )
        else:
            policy = managed_policy(pull, facts, fault.authorization, text, PolicyKind.IDENTITY)
            fix = replace_managed_policy(role, policy, region=pull.region, document=document, deny=deny)
            also = " The policy is also the role's permissions boundary, and this edit fixes both."
            fixes.append(
                replace(fix, summary=fix.summary + also, short="") if policy.edits > 1 and fix.commands else fix
            )
    if not fixes:
        return by_hand.identity_policy(wanted_change(fault, pull), role=role, region=pull.region)
    return combine(*fixes)


CHECK = Check(
    id="role_policy_denies_pull",
    title="A policy of the role denies the pull",
    again="The role's policies no longer deny the pull",
    severity=Severity.HIGH,
    resource_type="AwsIamRole",
    permissions=AUTHORIZATION_PERMISSIONS,
    docs_url="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html",
    examine=examine,
    explains=(
        Explains(Symptom.ACCESS_DENIED, 30),
        Explains(Symptom.NOT_AUTHENTICATED, 160),
        Explains(Symptom.UNKNOWN, 160, BEFORE_UNPACK),
    ),
    also_at=UNREACHED,
    policy_type=PolicyType.IDENTITY,
    explicit=True,
)
