"""A service control policy stops the pull.

What it checks: whether the service control policies of the organization allow each action of the pull and deny none, at
every level from the root to the role's account. Only the organization's management account and its delegated
administrators can read these policies (the setting `organizationAccount` names one). Where they cannot be read, AWS's
error message decides.

What it cannot see: policies that only the organization's management account or a delegated administrator can read.
Without the setting `organizationAccount`, only AWS's message counts.

Why that stops a pull: a principal of the account can do only what these policies allow. The management account and
service-linked roles are exempt.

How to fix it: an administrator of the organization changes the policy.

References: AWS Organizations User Guide, "SCP evaluation"; IAM User Guide, "Troubleshoot access denied error messages".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.authorization.evaluation import PolicyKind, State
from pull_responder.checks.check import BEFORE_UNPACK, UNREACHED, Check, Explains
from pull_responder.model.pull import PolicyType, PullFailure, Symptom
from pull_responder.model.verdict import Severity, Verdict
from pull_responder.pulls import control_policy_fault
from pull_responder.pulls.authorization import AUTHORIZATION_PERMISSIONS
from pull_responder.pulls.policy_fault import find_fault

if TYPE_CHECKING:
    from pull_responder.pulls.pull_facts import PullFacts


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed, passed, not applicable where there are no such policies, or inconclusive."""
    fault = find_fault(pull, facts, PolicyKind.SCP, (State.BLOCKS_IMPLICITLY, State.BLOCKS_EXPLICITLY))
    if isinstance(fault, Verdict):
        return fault
    return control_policy_fault.fault_verdict(
        fault, pull, facts, PolicyKind.SCP, controlled=fault.authorization.role.account
    )


CHECK = Check(
    id="scp_blocks_pull",
    title="A service control policy stops the pull",
    short="An SCP stops the pull",
    again="The service control policies let the role pull again",
    severity=Severity.HIGH,
    resource_type="Other",
    permissions=AUTHORIZATION_PERMISSIONS,
    docs_url="https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html",
    examine=examine,
    explains=(
        Explains(Symptom.ACCESS_DENIED, 40),
        Explains(Symptom.NOT_AUTHENTICATED, 170),
        Explains(Symptom.UNKNOWN, 170, BEFORE_UNPACK),
    ),
    also_at=UNREACHED,
    policy_type=PolicyType.SERVICE_CONTROL,
)
