"""A session policy stops the pull.

What it checks: whether AWS's error message blames the session policy that was passed when the role was assumed. A
session policy exists only in the session and cannot be read. EC2 passes none with an instance's credentials, so this
cause does not arise for instances.

What it cannot see: the session policy itself. No AWS call shows it, so only AWS's message counts.

Why that stops a pull: a session can do no more than its session policy allows, whatever the role may do.

How to fix it: whoever assumes the role changes the policy that they pass.

References: IAM User Guide, "Policies and permissions in IAM", session policies; AWS STS API Reference, "AssumeRole".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.authorization.evaluation import PolicyKind, State
from pull_responder.checks.check import BEFORE_UNPACK, UNREACHED, Check, Explains
from pull_responder.model.pull import PolicyType, PullFailure, Symptom
from pull_responder.model.verdict import Resource, Severity, Verdict
from pull_responder.pulls.authorization import AUTHORIZATION_PERMISSIONS
from pull_responder.pulls.policy_fault import find_fault, quote_denial, stopped_actions, wanted_change
from pull_responder.remediation import by_hand

if TYPE_CHECKING:
    from pull_responder.pulls.pull_facts import PullFacts


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed where AWS's message blames it, not applicable to an instance's session, or inconclusive."""
    fault = find_fault(pull, facts, PolicyKind.SESSION, (State.BLOCKS_IMPLICITLY, State.BLOCKS_EXPLICITLY))
    if isinstance(fault, Verdict):
        return fault
    role = fault.authorization.role
    return Verdict.failed(
        resource=Resource("AwsIamRole", str(role), role.account),
        explanation=f"The session policy of the role {role} stops {', '.join(stopped_actions(fault, pull))}.",
        evidence=quote_denial(pull),
        remediation=by_hand.session_policy(wanted_change(fault, pull), account=role.account, region=pull.region),
    )


CHECK = Check(
    id="session_policy_blocks_pull",
    title="A session policy stops the pull",
    again="The session policy lets the role pull again",
    severity=Severity.HIGH,
    resource_type="AwsIamRole",
    permissions=AUTHORIZATION_PERMISSIONS,
    docs_url="https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies.html#policies_session",
    examine=examine,
    explains=(
        Explains(Symptom.ACCESS_DENIED, 60),
        Explains(Symptom.NOT_AUTHENTICATED, 190),
        Explains(Symptom.UNKNOWN, 190, BEFORE_UNPACK),
    ),
    also_at=UNREACHED,
    policy_type=PolicyType.SESSION,
)
