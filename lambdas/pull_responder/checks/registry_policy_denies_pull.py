"""The registry's policy denies the pull.

What it checks: whether the policy of the repository's registry has a Deny statement that matches the role and an action
of the pull. A registry policy of scope V1 applies to replication and pull-through cache only, so the check needs scope
V2.

What it cannot see: the registry policy of an account without the role PullResponderReadOnly, and condition keys whose
value AWS does not show.

Why that stops a pull: an explicit deny outranks every allow, and a policy of scope V2 applies to every ECR request.

How to fix it: exempt the role from the Deny by a condition on `aws:PrincipalArn`. The Deny still applies to everyone
else.

References: Amazon ECR User Guide, "Private registry permissions in Amazon ECR", registry policy scope.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.authorization.evaluation import PolicyKind, State
from pull_responder.authorization.statement import Effect
from pull_responder.checks.check import AFTER_TOKEN, BEFORE_UNPACK, UNREACHED, Check, Explains
from pull_responder.model.arn import Arn
from pull_responder.model.pull import PolicyType, PullFailure, Symptom
from pull_responder.model.verdict import Resource, Severity, Verdict
from pull_responder.pulls.authorization import AUTHORIZATION_PERMISSIONS
from pull_responder.pulls.deciding_policies import deciding_policies
from pull_responder.pulls.policies import REGISTRY_POLICY
from pull_responder.pulls.policy_fault import find_fault, quote_denial, quote_denies, stopped_actions
from pull_responder.pulls.policy_proof import prove
from pull_responder.remediation.ecr import ask_for_exemption, exempt_role_from_registry

if TYPE_CHECKING:
    from pull_responder.pulls.pull_facts import PullFacts


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed with the denying statements, passed, not applicable without a policy, or inconclusive."""
    repository = Arn.parse(pull.repository_arn or "")
    if repository is None:
        return Verdict.not_applicable("the event names no repository")
    fault = find_fault(pull, facts, PolicyKind.REGISTRY, (State.BLOCKS_EXPLICITLY,))
    if isinstance(fault, Verdict):
        return fault
    role = fault.authorization.role
    statements = fault.authorization.denies(PolicyKind.REGISTRY).get(REGISTRY_POLICY)
    text = fault.authorization.documents.get(REGISTRY_POLICY)
    fix = (
        exempt_role_from_registry(repository, document=dict(text.document), statements=statements, role=role)
        if statements and text
        else ask_for_exemption(repository, role=role)
    )
    return Verdict.failed(
        resource=Resource("AwsEcrRepository", str(repository), repository.account),
        explanation=(
            f"The policy of the registry {repository.account} denies {', '.join(stopped_actions(fault, pull))} on the "
            f"repository {repository} to {role}."
        ),
        evidence=(*quote_denies(fault, PolicyKind.REGISTRY), *quote_denial(pull)),
        remediation=prove(fix, fault.authorization, PolicyKind.REGISTRY, Effect.DENY),
        policies=deciding_policies(fault, PolicyKind.REGISTRY),
    )


CHECK = Check(
    id="registry_policy_denies_pull",
    title="The registry policy denies the pull",
    short="Registry policy denies pulls",
    again="The registry policy lets the role pull again",
    severity=Severity.HIGH,
    resource_type="AwsEcrRepository",
    permissions=AUTHORIZATION_PERMISSIONS,
    docs_url="https://docs.aws.amazon.com/AmazonECR/latest/userguide/registry-permissions.html",
    examine=examine,
    explains=(
        Explains(Symptom.ACCESS_DENIED, 80, AFTER_TOKEN),
        Explains(Symptom.NOT_AUTHENTICATED, 220),
        Explains(Symptom.UNKNOWN, 220, BEFORE_UNPACK),
    ),
    also_at=UNREACHED,
    policy_type=PolicyType.RESOURCE,
    explicit=True,
    by_role_account=True,
)
