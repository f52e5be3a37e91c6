"""A policy of the role denies the pull.

What it checks: whether an identity policy of the pulling role (inline or managed) has a Deny statement that matches an
action of the pull.

Why that stops a pull: an explicit deny outranks every allow, in whatever policy that stands.

How to fix it: take the pull actions out of the Deny statement, and leave the rest of it as it is. A policy of AWS that
denies (such as a quarantine of compromised keys) is attached for a reason: look into that before you detach it.

References: IAM User Guide, "Policy evaluation logic" and "How AWS enforcement code logic evaluates requests".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.authorization.evaluation import Layer, State
from pull_responder.checks.check import Check
from pull_responder.checks.layer_fault import LayerFault, actions, aws_said, denying, find_fault, wanted
from pull_responder.checks.policy_fix import managed_policy
from pull_responder.checks.pull_authorization import AUTHORIZATION_PERMISSIONS
from pull_responder.model.pull import PolicyType, PullFailure
from pull_responder.model.verdict import Remediation, Resource, Severity, Verdict
from pull_responder.remediation import by_hand
from pull_responder.remediation.composition import together
from pull_responder.remediation.iam import replace_inline_policy, replace_managed_policy
from pull_responder.remediation.policy_edits import stop_denying

if TYPE_CHECKING:
    from pull_responder.facts.facts import Facts


def examine(pull: PullFailure, facts: Facts) -> Verdict:
    """Return failed with the denying statements, passed, or inconclusive."""
    fault = find_fault(pull, facts, Layer.IDENTITY, (State.BLOCKS_EXPLICITLY,))
    if isinstance(fault, Verdict):
        return fault
    role = fault.authorization.role
    denied = ", ".join(actions(fault, pull))
    return Verdict.failed(
        resource=Resource("AwsIamRole", str(role), role.account),
        explanation=f"An identity policy of the role {role} denies {denied}, and a deny outranks every allow.",
        evidence=(*denying(fault, Layer.IDENTITY), *aws_said(pull)),
        remediation=_fix(pull, facts, fault),
    )


def _fix(pull: PullFailure, facts: Facts, fault: LayerFault) -> Remediation:
    role = fault.authorization.role
    fixes = []
    for name, statements in fault.authorization.denying(Layer.IDENTITY).items():
        text = fault.authorization.documents[name]
        document = stop_denying(dict(text.document), statements, actions(fault, pull), pull.repository_arn)
        if text.arn is None:
            fixes.append(replace_inline_policy(role, region=pull.region, policy_name=text.name, document=document))
        else:
            policy = managed_policy(pull, facts, text)
            fixes.append(replace_managed_policy(role, policy, region=pull.region, document=document))
    if not fixes:
        return by_hand.identity_policy(wanted(fault, pull), role=role, region=pull.region)
    return together(*fixes)


CHECK = Check(
    id="role_policy_denies_pull",
    title="A policy of the role denies the pull",
    severity=Severity.HIGH,
    resource_type="AwsIamRole",
    permissions=AUTHORIZATION_PERMISSIONS,
    docs_url="https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html",
    examine=examine,
    policy_type=PolicyType.IDENTITY,
    explicit=True,
)
