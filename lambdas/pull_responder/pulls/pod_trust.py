"""Whether a pod may assume its own pull role, as far as its role's trust policy and the event say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.authorization.evaluation import Outcome, State
from pull_responder.authorization.partly_known import Beginning
from pull_responder.facts.compute import Cluster
from pull_responder.facts.iam import Role
from pull_responder.model.arn import Arn
from pull_responder.model.quoting import quote_json
from pull_responder.model.unread import Unread
from pull_responder.model.verdict import Remediation, Resource, Verdict
from pull_responder.pulls.deciding_policies import deciding_document
from pull_responder.pulls.own_role import PodRole
from pull_responder.pulls.pod_role import issuer_of
from pull_responder.pulls.reasons import depends_on, no_role
from pull_responder.pulls.trust import ASSUME_ROLE, WEB_IDENTITY, trust_outcome
from pull_responder.remediation.instance_profile import trust_another_provider, trust_pods

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.authorization.request import ContextValue
    from pull_responder.model.pull import PullFailure
    from pull_responder.pulls.pull_facts import PullFacts

# The audience of the tokens that kubelet shows to STS (Amazon EKS User Guide, "Assign IAM roles to Kubernetes service
# accounts"; AWS's sample on per-pod image pull permissions).
_AUDIENCE: Final = "sts.amazonaws.com"
_SUBJECT: Final = "system:serviceaccount:"
# No name in Kubernetes has these ("Object Names and IDs"), so a subject with one in StringEquals matches no pod.
_NEVER: Final = "*?"
_POD_IDENTITY: Final = "pods.eks.amazonaws.com"
_OF_POD_IDENTITY: Final = (ASSUME_ROLE, "sts:TagSession")
_POD_IDENTITY_DOCS: Final = "https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html"


def pod_trust(pull: PullFailure, facts: PullFacts, pod_role: PodRole) -> Verdict:
    """Return whether the trust policy lets pods assume the pulling role, with their cluster's tokens."""
    principal = pull.principal
    if principal is None or not pod_role.for_eks:
        return Verdict.not_applicable(f"it is not known that pods of a cluster have the role: {pod_role.because}")
    role = facts.role(principal.account or "", pull.region, principal.name or "")
    if not isinstance(role, Role):
        return Verdict.inconclusive(role.reason if role else no_role(principal.name, principal.account))
    provider = _provider(pull, facts, pod_role, role)
    if provider is None:
        return _of_pod_identity(pull, role)
    if isinstance(provider, Unread):
        return Verdict.inconclusive(provider.reason)
    outcome = trust_outcome(role, provider, action=WEB_IDENTITY, context=_context(pull, provider, role))
    return _conclude(outcome, pull, pod_role, role, provider)


def _conclude(outcome: Outcome | Unread, pull: PullFailure, pod_role: PodRole, role: Role, provider: str) -> Verdict:
    if isinstance(outcome, Unread):
        return Verdict.inconclusive(outcome.reason)
    if outcome.state is State.OPEN:
        issuer = issuer_of(provider)
        return Verdict.passed(f"The trust policy of {role.arn} lets pods assume it with tokens of {issuer}.")
    if outcome.state is State.UNDECIDED:
        return Verdict.inconclusive(depends_on(f"the trust policy of {role.arn}", outcome.unknown))
    return _failed(pull, pod_role, role, provider, outcome)


def _of_pod_identity(pull: PullFailure, role: Role) -> Verdict:
    """Return whether EKS Pod Identity may assume the role and tag its session.

    Source: Amazon EKS User Guide, "Create IAM role with trust policy required by EKS Pod Identity": both actions.
    """
    outcomes = {action: trust_outcome(role, _POD_IDENTITY, action=action, context={}) for action in _OF_POD_IDENTITY}
    lacking = [
        action
        for action, outcome in outcomes.items()
        if isinstance(outcome, Outcome) and outcome.state in (State.BLOCKS_EXPLICITLY, State.BLOCKS_IMPLICITLY)
    ]
    arn = Arn.parse(role.arn)
    if not lacking or arn is None:
        for outcome in outcomes.values():
            if isinstance(outcome, Unread):
                return Verdict.inconclusive(outcome.reason)
            if outcome.state is State.UNDECIDED:
                return Verdict.inconclusive(depends_on(f"the trust policy of {role.arn}", outcome.unknown))
        return Verdict.passed(f"The trust policy of {role.arn} lets {_POD_IDENTITY} assume it and tag its session.")
    actions = " and ".join(lacking)
    return Verdict.failed(
        resource=Resource("AwsIamRole", role.arn, role.account),
        explanation=(
            f"The trust policy of the role {role.arn} does not let {_POD_IDENTITY} call {actions}. EKS Pod Identity "
            "needs both sts:AssumeRole and sts:TagSession, so pods get no new credentials of this role."
        ),
        evidence=(f"Trust policy of {role.arn}: {quote_json(role.trust_policy)}",),
        remediation=Remediation(
            f"Let {_POD_IDENTITY} call {actions} in the trust policy of {role.arn}. Its owner has to edit it by hand.",
            role.account,
            pull.region,
            _POD_IDENTITY_DOCS,
        ),
    )


def _provider(pull: PullFailure, facts: PullFacts, pod_role: PodRole, role: Role) -> str | Unread | None:
    """Return the OIDC provider that the role has to trust: that of its session, or of the cluster that it names.

    Where neither is known, it is that of the event's cluster.
    """
    if pod_role.by_session or pod_role.cluster or not pull.cluster:
        return pod_role.provider
    cluster = facts.cluster(role.account, pull.region, pull.cluster)
    if isinstance(cluster, Unread):
        return cluster
    if not isinstance(cluster, Cluster) or cluster.issuer is None:
        return pod_role.provider
    arn = Arn.parse(role.arn)
    return f"arn:{arn.partition if arn else pull.partition}:iam::{role.account}:oidc-provider/{cluster.issuer}"


def _context(pull: PullFailure, provider: str, role: Role) -> Mapping[str, ContextValue]:
    issuer = issuer_of(provider)
    context: dict[str, ContextValue] = {
        "aws:FederatedProvider": provider,
        f"{issuer}:sub": Beginning(f"{_SUBJECT}{pull.namespace}:" if pull.namespace else _SUBJECT, _NEVER),
    }
    # Inference: elsewhere than in the partition "aws" the audience may have another spelling.
    if role.arn.startswith("arn:aws:"):
        context[f"{issuer}:aud"] = _AUDIENCE
    else:
        context[f"{issuer}:*"] = ()
    return context


def _failed(pull: PullFailure, pod_role: PodRole, role: Role, provider: str, outcome: Outcome) -> Verdict:
    whose = f"pods of cluster {pull.cluster or pod_role.cluster}" if pull.cluster or pod_role.cluster else "its pods"
    subject = f"{_SUBJECT}{pull.namespace}:…" if pull.namespace else f"{_SUBJECT}…"
    denied = outcome.state is State.BLOCKS_EXPLICITLY
    nearest = (f"Nearest statement: {outcome.nearest}.",) if outcome.nearest and not denied else ()
    arn = Arn.parse(role.arn)
    if arn is None:
        return Verdict.inconclusive(f"{role.arn} is not an ARN")
    return Verdict.failed(
        resource=Resource("AwsIamRole", role.arn, role.account),
        explanation=(
            f"The trust policy of the role {role.arn} {'denies' if denied else 'does not let'} {whose} "
            f"{'to ' if denied else ''}assume it. Their tokens are of the issuer {issuer_of(provider)}, with the "
            f"audience {_AUDIENCE} and the subject {subject}, so kubelet gets no new credentials of this role for the "
            "registry."
        ),
        evidence=(
            f"Trust policy of {role.arn}: {quote_json(role.trust_policy)}",
            *nearest,
            f"How the pod's role is known: {pod_role.because}.",
        ),
        remediation=trust_pods(
            arn,
            region=pull.region,
            document=None if denied else _mended(pull, role, provider),
            provider=provider,
            audience=_AUDIENCE,
        ),
        policies=(deciding_document(f"the trust policy of {role.arn}", role.trust_policy, [outcome]),),
    )


def _mended(pull: PullFailure, role: Role, provider: str) -> dict[str, object] | None:
    """Return the trust policy with the cluster's provider beside the only other one, None if that may not do."""
    trusted = [each for each in role.trusted("Federated") if issuer_of(each)]
    if len(trusted) != 1 or trusted[0] == provider:
        return None
    document = trust_another_provider(role.trust_policy, trusted[0], provider)
    if document is None:
        return None
    outcome = trust_outcome(
        role, provider, action=WEB_IDENTITY, context=_context(pull, provider, role), document=document
    )
    mended = isinstance(outcome, Outcome) and outcome.state in (State.OPEN, State.UNDECIDED)
    return document if mended else None
