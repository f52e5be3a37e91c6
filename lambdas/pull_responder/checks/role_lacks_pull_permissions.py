"""The role does not allow the pull.

What it checks: whether an identity policy of the pulling role (inline or managed) allows each action that a pull needs:
`ecr:GetAuthorizationToken`, which takes no resource but `*`, and `ecr:BatchGetImage` and `ecr:GetDownloadUrlForLayer`
on this repository. Within one account an Allow to the role in the repository policy is enough.

What it cannot see: session policies, and image pull secrets or roles with which a pod may pull in place of the node.
If AWS does not show the value of a condition key, the check is inconclusive.

Why that stops a pull: IAM denies every action that no policy allows. kubelet says `no basic auth credentials` when the
token is refused, and `403 Forbidden` when the image or a layer is refused.

How to fix it: attach AmazonEC2ContainerRegistryPullOnly to a node's role, or AmazonEKSFargatePodExecutionRolePolicy to
a pod execution role. Or allow the missing actions on this repository alone. The role with which a pod pulls by itself
(annotation `eks.amazonaws.com/ecr-role-arn`) needs a token and this repository.

References: Amazon EKS User Guide, "Amazon EKS node IAM role" and "Amazon EKS pod execution IAM role"; Amazon ECR User
Guide, "Using Amazon ECR images with Amazon EKS".
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from pull_responder.authorization.evaluation import PolicyKind, State
from pull_responder.authorization.statement import Effect
from pull_responder.checks.check import BEFORE_UNPACK, UNREACHED, Check, Explains
from pull_responder.facts import iam
from pull_responder.model.arn import Arn
from pull_responder.model.pull import PolicyType, PullFailure, Symptom
from pull_responder.model.verdict import Remediation, Resource, Severity, Verdict
from pull_responder.pulls.actions import TOKEN
from pull_responder.pulls.authorization import AUTHORIZATION_PERMISSIONS
from pull_responder.pulls.deciding_policies import deciding_policies
from pull_responder.pulls.policy_fault import (
    PolicyFault,
    describe_missing_allows,
    find_fault,
    quote_denial,
    stopped_actions,
)
from pull_responder.pulls.policy_proof import prove
from pull_responder.pulls.puller import puller_of
from pull_responder.remediation import by_hand
from pull_responder.remediation.by_hand import Wanted
from pull_responder.remediation.iam import ATTACHED_POLICIES, INLINE_POLICY_SIZE, add_inline_policy, attach_pull_policy

if TYPE_CHECKING:
    from pull_responder.pulls.pull_facts import PullFacts


# The most characters of an inline policy for one repository, whose name has up to 256 characters.
_ROOM: Final = 600


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed with the missing actions, passed, or inconclusive."""
    fault = find_fault(pull, facts, PolicyKind.IDENTITY, (State.BLOCKS_IMPLICITLY,))
    if isinstance(fault, Verdict):
        return fault
    role = fault.authorization.role
    missing = ", ".join(stopped_actions(fault, pull))
    number = len(fault.authorization.names(PolicyKind.IDENTITY))
    policies = f"the identity policies of {role}" + ("" if number else " (which has none)")
    return Verdict.failed(
        resource=Resource("AwsIamRole", str(role), role.account),
        explanation=f"No identity policy of the role {role} allows {missing}, so ECR refuses the pull.",
        evidence=(*describe_missing_allows(fault, policies), *quote_denial(pull)),
        remediation=prove(_fix(pull, facts, fault), fault.authorization, PolicyKind.IDENTITY, Effect.ALLOW),
        policies=deciding_policies(fault, PolicyKind.IDENTITY),
    )


def _fix(pull: PullFailure, facts: PullFacts, fault: PolicyFault) -> Remediation:
    """Return the fix. The role of a pod is there to pull less than its node may, so it gets this repository alone."""
    role = fault.authorization.role
    missing = stopped_actions(fault, pull)
    of_pod = puller_of(pull, facts).pod_role is not None
    if of_pod and fault.by_words:
        return by_hand.identity_policy(Wanted(missing, explicit=False), role=role, region=pull.region)
    attached = [name for name in fault.authorization.names(PolicyKind.IDENTITY) if name.startswith("arn:")]
    wide = pull.repository_arn is None or TOKEN in missing
    if not of_pod and (fault.by_words or (wide and len(attached) < ATTACHED_POLICIES)):
        return attach_pull_policy(role, region=pull.region, fargate=_is_for_fargate(pull, facts, role))
    inline = [text.name for text in fault.authorization.documents.values() if text.arn is None]
    size = sum(len(json.dumps(text.document)) for text in fault.authorization.documents.values() if text.arn is None)
    if size > INLINE_POLICY_SIZE - _ROOM and not of_pod:
        return attach_pull_policy(role, region=pull.region, fargate=_is_for_fargate(pull, facts, role))
    return add_inline_policy(
        role, region=pull.region, actions=missing, repository_arn=pull.repository_arn or "*", taken_names=inline
    )


def _is_for_fargate(pull: PullFailure, facts: PullFacts, role: Arn) -> bool:
    if puller_of(pull, facts).fargate_profile is not None:
        return True
    found = facts.role(role.account, pull.region, role.resource.rpartition("/")[2])
    return isinstance(found, iam.Role) and found.trusts("eks-fargate-pods") and not found.trusts("ec2")


CHECK = Check(
    id="role_lacks_pull_permissions",
    title="The role does not allow the pull",
    again="The role's policies allow the pull again",
    severity=Severity.HIGH,
    resource_type="AwsIamRole",
    permissions=AUTHORIZATION_PERMISSIONS,
    docs_url="https://docs.aws.amazon.com/eks/latest/userguide/create-node-role.html",
    examine=examine,
    explains=(
        Explains(Symptom.ACCESS_DENIED, 10),
        Explains(Symptom.NOT_AUTHENTICATED, 10),
        Explains(Symptom.UNKNOWN, 10, BEFORE_UNPACK),
    ),
    also_at=UNREACHED,
    policy_type=PolicyType.IDENTITY,
    explicit=False,
)
