"""A resource control policy stops the pull.

What it checks: whether the resource control policies that apply to the repository's account allow each
action of the pull, at every level from the root to that account. Only the organization's management account and its
delegated administrators can read these policies (the setting `organizationAccount` names one). Where they cannot be
read, AWS's error message decides.

What it cannot see: policies that only the organization's management account or a delegated administrator can read.
Without the setting `organizationAccount`, or if the repository belongs to another organization, only AWS's message
counts.

Why that stops a pull: no principal can do to the account's repositories what these policies deny. The management
account's repositories and service-linked roles are exempt.

How to fix it: an administrator of the repository's organization changes the policy.

References: AWS Organizations User Guide, "RCP evaluation" and "List of AWS services that support RCPs".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.authorization.evaluation import PolicyKind, State
from pull_responder.checks.check import BEFORE_UNPACK, UNREACHED, Check, Explains
from pull_responder.model.arn import Arn
from pull_responder.model.pull import PolicyType, PullFailure, Symptom
from pull_responder.model.verdict import Severity, Verdict
from pull_responder.pulls import control_policy_fault
from pull_responder.pulls.authorization import AUTHORIZATION_PERMISSIONS
from pull_responder.pulls.policy_fault import find_fault

if TYPE_CHECKING:
    from pull_responder.pulls.pull_facts import PullFacts


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed, passed, not applicable where there are no such policies, or inconclusive."""
    fault = find_fault(pull, facts, PolicyKind.RCP, (State.BLOCKS_IMPLICITLY, State.BLOCKS_EXPLICITLY))
    if isinstance(fault, Verdict):
        return fault
    repository = Arn.parse(pull.repository_arn or "")
    # A request for a token goes to the caller's own account.
    controlled = repository.account if repository else fault.authorization.role.account
    return control_policy_fault.fault_verdict(fault, pull, facts, PolicyKind.RCP, controlled=controlled)


CHECK = Check(
    id="rcp_blocks_pull",
    title="A resource control policy stops the pull",
    short="An RCP stops the pull",
    again="The resource control policies let the role pull again",
    severity=Severity.HIGH,
    resource_type="Other",
    permissions=AUTHORIZATION_PERMISSIONS,
    docs_url="https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_evaluation.html",
    examine=examine,
    explains=(
        Explains(Symptom.ACCESS_DENIED, 90),
        Explains(Symptom.NOT_AUTHENTICATED, 230),
        Explains(Symptom.UNKNOWN, 230, BEFORE_UNPACK),
    ),
    also_at=UNREACHED,
    policy_type=PolicyType.RESOURCE_CONTROL,
)
