"""The trust policy of the role does not let nodes or pods have it.

What it checks: whether `ec2.amazonaws.com` (for Fargate `eks-fargate-pods.amazonaws.com`) may assume the nodes' role.
Where an instance has lost its role, the role of its node group counts: the instance is to be given that one back.
The check does not apply to hybrid nodes. They get their role from Systems Manager or IAM Roles Anywhere, and AWS does
not show from which of the two.

Where a pod pulls with a role of its own (annotation `eks.amazonaws.com/ecr-role-arn` of its service account), it checks
whether that role's trust policy lets the pod assume it with its service account's token: the issuer is the cluster's
OIDC provider, the audience is `sts.amazonaws.com`, the subject begins with `system:serviceaccount:` and the pod's
namespace.

What it cannot see: hybrid nodes' trust, and roles in an account without the role PullResponderReadOnly. It sees the
trust policy as it is now, not as it was when the credentials were issued. For a pod's own role it does not see which
service account the pod has, nor whether the nodes use another audience.

Why that stops a pull: the service gets no credentials for the node, so kubelet has none for the registry and says `no
basic auth credentials`. A Fargate pod does not start at all. A pod with a role of its own gets no new credentials when
those that it has expire.

How to fix it: add the service, or the cluster's OIDC provider and the service account, to the role's trust policy.

References: Amazon EKS User Guide, "Amazon EKS node IAM role", "Amazon EKS pod execution IAM role" and "Assign IAM roles
to Kubernetes service accounts"; Kubernetes enhancement 4412, "Projected service account tokens for Kubelet image
credential providers".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.authorization.evaluation import Outcome, State
from pull_responder.checks.check import BEFORE_LAYERS, Check, Explains
from pull_responder.facts.iam import Role
from pull_responder.model.arn import Arn
from pull_responder.model.pull import PullFailure, Symptom
from pull_responder.model.quoting import quote_json
from pull_responder.model.reason import join_reasons
from pull_responder.model.unread import Unread
from pull_responder.model.verdict import Resource, Severity, Verdict
from pull_responder.pulls.deciding_policies import deciding_document
from pull_responder.pulls.node_identity import IDENTITY_PERMISSIONS, node_identities
from pull_responder.pulls.pod_trust import pod_trust
from pull_responder.pulls.puller import puller_of
from pull_responder.pulls.reasons import depends_on
from pull_responder.pulls.trust import trust_outcome
from pull_responder.remediation.instance_profile import trust_service

if TYPE_CHECKING:
    from pull_responder.authorization.request import ContextValue
    from pull_responder.pulls.node_identity import Identity
    from pull_responder.pulls.nodes import Nodes
    from pull_responder.pulls.own_role import PodRole
    from pull_responder.pulls.pull_facts import PullFacts


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed, passed, not applicable where there is no role, or inconclusive."""
    if pod_role := _pod_role(pull, facts):
        return pod_trust(pull, facts, pod_role)
    if pull.symptom is Symptom.ACCESS_DENIED:
        return Verdict.not_applicable("the nodes have credentials, as the registry refused what they asked for")
    return _of_nodes(pull, facts)


def _pod_role(pull: PullFailure, facts: PullFacts) -> PodRole | None:
    """Return the pod's own role that pulls, None where a node's role pulls. Only a session can be a pod's."""
    is_session = pull.principal is not None and pull.principal.session_name is not None
    is_node = pull.principal is not None and pull.principal.instance_id and not pull.principal.web_identity
    return puller_of(pull, facts).pod_role if is_session and not is_node else None


def _of_nodes(pull: PullFailure, facts: PullFacts) -> Verdict:
    found = node_identities(pull, facts)
    if isinstance(found, Unread):
        return Verdict.inconclusive(found.reason)
    nodes, identities = found
    if nodes.elsewhere:
        return Verdict.not_applicable(f"{nodes.elsewhere}, and AWS does not show which service gives them the role")
    read = [_role(identity, nodes, facts) for identity in identities]
    roles = {role.arn: role for role in read if isinstance(role, Role)}
    verdicts = [_examine(role, nodes) for role in roles.values()]
    for verdict in verdicts:
        if verdict.resource is not None:
            return verdict
    unread = [role.reason for role in read if isinstance(role, Unread)]
    if reasons := unread or [verdict.reason for verdict in verdicts if verdict.reason]:
        return Verdict.inconclusive(join_reasons(reasons))
    if not verdicts:
        return Verdict.not_applicable("the nodes have no role")
    return Verdict.passed(*(line for verdict in verdicts for line in verdict.evidence))


def _role(identity: Identity, nodes: Nodes, facts: PullFacts) -> Role | Unread | None:
    """Return the role of an instance; without one, the role that it is to be given back."""
    if identity.role is not None or identity.named is None:
        return identity.role
    return facts.role(identity.named.account, nodes.region, identity.named.resource.rpartition("/")[2])


def _examine(role: Role, nodes: Nodes) -> Verdict:
    arn = Arn.parse(role.arn)
    if arn is None:
        return Verdict.inconclusive(f"{role.arn} is not an ARN")
    services = _services(nodes, arn.partition)
    outcomes = []
    for service in services:
        outcome = _outcome(role, service, nodes)
        if isinstance(outcome, Unread):
            return Verdict.inconclusive(outcome.reason)
        outcomes.append(outcome)
    # In China a trust policy may name either spelling of a service, and one is enough.
    if any(outcome.state is State.OPEN for outcome in outcomes):
        return Verdict.passed(f"The trust policy of {role.arn} allows {services[0]} to assume it.")
    if unknown := [each for outcome in outcomes if outcome.state is State.UNDECIDED for each in outcome.unknown]:
        return Verdict.inconclusive(depends_on(f"the trust policy of {role.arn}", unknown))
    denied = any(outcome.state is State.BLOCKS_EXPLICITLY for outcome in outcomes)
    return Verdict.failed(
        resource=Resource("AwsIamRole", role.arn, role.account),
        explanation=(
            f"The trust policy of the role {role.arn} {'denies' if denied else 'does not let'} {services[0]} "
            f"{'to ' if denied else ''}assume it, so {nodes.name} gets no credentials for the registry."
        ),
        evidence=(f"Trust policy of {role.arn}: {quote_json(role.trust_policy)}",),
        remediation=trust_service(
            arn, region=nodes.region, document=role.trust_policy, service=services[0], denied=denied
        ),
        policies=(deciding_document(f"the trust policy of {role.arn}", role.trust_policy, outcomes),),
    )


def _services(nodes: Nodes, partition: str) -> tuple[str, ...]:
    name = "eks-fargate-pods" if nodes.fargate else "ec2"
    plain = f"{name}.amazonaws.com"
    return (plain, f"{plain}.cn") if partition == "aws-cn" else (plain,)


def _outcome(role: Role, service: str, nodes: Nodes) -> Outcome | Unread:
    """Evaluate the trust policy for the service's request."""
    context: dict[str, ContextValue] = {"aws:SourceAccount": nodes.account}
    if nodes.source_arn:
        context["aws:SourceArn"] = nodes.source_arn
    return trust_outcome(role, service, context=context)


CHECK = Check(
    id="role_trust_policy_excludes_service",
    title="The role's trust policy does not let nodes or pods have it",
    short="Trust policy excludes nodes or pods",
    again="Nodes or pods can have the role again",
    severity=Severity.HIGH,
    resource_type="AwsIamRole",
    permissions=(*IDENTITY_PERMISSIONS, "eks:ListClusters"),
    docs_url="https://docs.aws.amazon.com/eks/latest/userguide/create-node-role.html",
    examine=examine,
    explains=(
        Explains(Symptom.NOT_AUTHENTICATED, 40),
        Explains(Symptom.UNKNOWN, 40, BEFORE_LAYERS),
    ),
    # A role whose session was refused has been assumed. Its trust policy may have been changed since.
    also_at=frozenset({Symptom.ACCESS_DENIED}),
    refused_by_ecr=False,
)
