"""The repository's policy denies the pull.

What it checks: whether the repository's policy has a Deny statement that matches the pulling role and an action of the
pull.

What it cannot see: the policy of a repository in an account without the role PullResponderReadOnly, and condition keys
whose value AWS does not show.

Why that stops a pull: an explicit deny outranks every allow. If the request lacks the key
of a condition such as `StringNotEquals`, the Deny applies: `StringNotEquals aws:SourceVpce` denies traffic through a
NAT gateway.

How to fix it: exempt the role from the Deny by a condition on `aws:PrincipalArn`. The Deny still applies to everyone
else.

References: Amazon ECR User Guide, "Private repository policies"; IAM User Guide, "IAM JSON policy elements: Condition".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.authorization.evaluation import PolicyKind, State
from pull_responder.authorization.statement import Effect
from pull_responder.checks.check import AFTER_TOKEN, BEFORE_UNPACK, UNREACHED, Check, Explains
from pull_responder.model.arn import Arn
from pull_responder.model.pull import PolicyType, PullFailure, Symptom
from pull_responder.model.verdict import Remediation, Resource, Severity, Verdict
from pull_responder.pulls.authorization import AUTHORIZATION_PERMISSIONS
from pull_responder.pulls.deciding_policies import deciding_policies
from pull_responder.pulls.policies import REPOSITORY_POLICY
from pull_responder.pulls.policy_fault import PolicyFault, find_fault, quote_denial, quote_denies, stopped_actions
from pull_responder.pulls.policy_proof import prove
from pull_responder.remediation.ecr import ask_for_exemption, exempt_role
from pull_responder.remediation.ecr_actions import IMAGE_ACTIONS
from pull_responder.remediation.policy_edits import allow

if TYPE_CHECKING:
    from pull_responder.pulls.pull_facts import PullFacts


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed with the denying statements, passed, not applicable without a repository, or inconclusive."""
    repository = Arn.parse(pull.repository_arn or "")
    if repository is None:
        return Verdict.not_applicable("the event names no repository")
    fault = find_fault(pull, facts, PolicyKind.RESOURCE, (State.BLOCKS_EXPLICITLY,))
    if isinstance(fault, Verdict):
        return fault
    role = fault.authorization.role
    return Verdict.failed(
        resource=Resource("AwsEcrRepository", str(repository), repository.account),
        explanation=(
            f"The policy of the repository {repository} denies {', '.join(stopped_actions(fault, pull))} to {role}."
        ),
        evidence=(*quote_denies(fault, PolicyKind.RESOURCE), *quote_denial(pull)),
        remediation=prove(_fix(fault, repository), fault.authorization, PolicyKind.RESOURCE, *Effect),
        policies=deciding_policies(fault, PolicyKind.RESOURCE),
    )


def _fix(fault: PolicyFault, repository: Arn) -> Remediation:
    role = fault.authorization.role
    statements = fault.authorization.denies(PolicyKind.RESOURCE).get(REPOSITORY_POLICY)
    if not statements:
        return ask_for_exemption(repository, role=role)
    present = dict(fault.authorization.documents[REPOSITORY_POLICY].document)
    outcomes = fault.authorization.outcomes(PolicyKind.RESOURCE, State.BLOCKS_IMPLICITLY)
    if any(each.outcome.state is State.BLOCKS_IMPLICITLY for each in outcomes):
        # The other cause, repository_policy_lacks_grant, is reported, too. Both fixes replace the policy, so each must
        # hold both changes.
        account = {"AWS": f"arn:{repository.partition}:iam::{role.account}:root"}
        present = allow(present, actions=IMAGE_ACTIONS, principal=account)
    return exempt_role(repository, document=present, statements=statements, role=role)


CHECK = Check(
    id="repository_policy_denies_pull",
    title="The repository policy denies the pull",
    short="Repository policy denies pulls",
    again="The repository policy lets the role pull again",
    severity=Severity.MEDIUM,
    resource_type="AwsEcrRepository",
    permissions=AUTHORIZATION_PERMISSIONS,
    docs_url="https://docs.aws.amazon.com/AmazonECR/latest/userguide/repository-policies.html",
    examine=examine,
    explains=(
        Explains(Symptom.ACCESS_DENIED, 70, AFTER_TOKEN),
        Explains(Symptom.NOT_AUTHENTICATED, 210),
        Explains(Symptom.UNKNOWN, 210, BEFORE_UNPACK),
    ),
    also_at=UNREACHED,
    policy_type=PolicyType.RESOURCE,
    explicit=True,
    by_role_account=True,
)
