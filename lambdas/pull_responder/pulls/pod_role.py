"""Roles that pods have: by the tokens of their service accounts, or by EKS Pod Identity.

Since Kubernetes 1.34 kubelet may pull an image with a role of the pod (KEP-4412, "Projected service account tokens for
Kubelet image credential providers"). The provider of EKS's nodes assumes the role in the service account's annotation
`eks.amazonaws.com/ecr-role-arn` with a token of that service account. It calls AssumeRoleWithWebIdentity with a fixed
session name and no session policy (kubernetes/cloud-provider-aws, cmd/ecr-credential-provider/main.go). The audience is
`sts.amazonaws.com` (AWS's sample on per-pod image pull permissions, serviceAccountTokenAudience).

A workload that calls ECR itself, such as a build in a pod, uses the same kind of role. It needs the same permissions.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pull_responder.facts.compute import Cluster
from pull_responder.facts.iam import Role
from pull_responder.model.arn import Arn
from pull_responder.model.pull import KUBELET_SESSION
from pull_responder.model.reason import Reason, reword
from pull_responder.model.unread import Unread
from pull_responder.pulls.own_role import PodRole
from pull_responder.pulls.session import node_regions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.model.pull import Principal, PullFailure
    from pull_responder.pulls.pull_facts import PullFacts

ANNOTATION: Final = "eks.amazonaws.com/ecr-role-arn"
"""The annotation of a service account that names the role with which kubelet pulls its pods' images."""

_PROVIDER: Final = "oidc-provider/"
# Amazon EKS User Guide, "Create an IAM OIDC provider for your cluster": oidc.eks.<region>.<suffix>/id/<id>.
_EKS_HOST: Final = re.compile(
    r"oidc\.eks(?:-fips)?\.(?P<region>[a-z]{2,8}(?:-[a-z]{1,12}){1,3}-[0-9]{1,2})"
    r"\.(?:amazonaws\.com(?:\.cn)?|amazonaws\.eu|api\.aws|api\.amazonwebservices\.com\.cn|c2s\.ic\.gov|sc2s\.sgov\.gov"
    r"|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)/"
)
_EKS_PATH: Final = re.compile(r".*/id/[0-9A-Fa-f]{28,32}")
_ALSO_FOR_EKS: Final = frozenset({"pods", "ec2", "eks-fargate-pods"})
# A role may be for more than one cluster. No more than these are looked for.
_MOST_PROVIDERS: Final = 10


def pod_role_of(pull: PullFailure, facts: PullFacts) -> PodRole | None:
    """Return what is known of the pulling role as a role of pods. None if nothing says that pods have it."""
    principal = pull.principal
    if facts.asked or principal is None or not (principal.account and principal.name and principal.session_name):
        return None
    if principal.instance_id and principal.web_identity is None:
        return None
    key = ("pod role", principal.account, principal.name, principal.session_name, principal.web_identity, pull.region)
    return facts.once(key, lambda: _find_pod_role(pull, principal, facts))


def issuer_of(provider: str) -> str | None:
    """Return the issuer of an OIDC provider's ARN (its URL without the scheme), None if it is no such ARN."""
    arn = Arn.parse(provider)
    is_provider = arn is not None and arn.service == "iam" and arn.resource.startswith(_PROVIDER)
    return arn.resource.removeprefix(_PROVIDER) if arn and is_provider else None


def _find_pod_role(pull: PullFailure, principal: Principal, facts: PullFacts) -> PodRole | None:
    account, name = principal.account or "", principal.name or ""
    role = facts.role(account, pull.region, name)
    if principal.web_identity:
        return _of_providers((principal.web_identity,), account, pull, facts, of_session=True)
    if not isinstance(role, Role):
        return None
    providers = tuple(each for each in role.trusted("Federated") if issuer_of(each))[:_MOST_PROVIDERS]
    found = _of_providers(providers, account, pull, facts, of_session=False) if providers else None
    if role.trusts("pods") and not (found and found.for_eks):
        found = PodRole(for_eks=True, because="its trust policy names pods.eks.amazonaws.com")
    if found is None or not found.for_eks or principal.session_name == KUBELET_SESSION:
        return found
    # The session may be that of somebody else whom the trust policy names. EC2 names its sessions after instances.
    others = [each for each in role.trusted("Service") if each.split(".")[0] not in _ALSO_FOR_EKS]
    others += [each for each in role.trusted("Federated") if each not in providers or _is_other(each)]
    if others:
        return PodRole(None, f"{found.because}, but also {others[0]}, and the event does not say whose session it was")
    return found


def _is_other(provider: str) -> bool:
    return not _looks_like_eks(issuer_of(provider) or "")


def _of_providers(
    providers: Sequence[str], account: str, pull: PullFailure, facts: PullFacts, *, of_session: bool
) -> PodRole | None:
    """Return whose pods have the role: those of the cluster that one of the providers is the issuer of.

    An issuer that only looks like one of EKS may belong to a cluster in another account. So it proves nothing, unless
    nothing can be read or kubelet's own session name says the same.
    """
    what = "its session was issued for a token of" if of_session else "its trust policy names"
    unread: list[Unread] = []
    for provider in providers:
        found = _cluster_of(provider, account, pull, facts)
        if isinstance(found, Unread):
            unread.append(found)
        elif found is not None:
            region, cluster = found
            return PodRole(
                for_eks=True,
                because=f"{what} the OIDC provider of cluster {cluster}",
                cluster=cluster,
                provider=provider,
                by_session=of_session,
                region=region,
            )
    of_eks = sorted((each for each in providers if not _is_other(each)), key=_is_eks_host, reverse=True)
    if not of_eks:
        no_cluster = f"{what} {issuer_of(providers[0])}, which is the OIDC provider of no EKS cluster"
        return PodRole(for_eks=False, because=no_cluster, provider=providers[0], by_session=of_session)
    provider = of_eks[0]
    issuer = issuer_of(provider) or ""
    by_kubelet = pull.principal is not None and pull.principal.session_name == KUBELET_SESSION
    if _is_eks_host(provider) and (unread or by_kubelet or of_session):
        because = f"{what} {issuer}, an OIDC provider of Amazon EKS"
        return PodRole(for_eks=True, because=because, provider=provider, by_session=of_session)
    why = (
        unread[0].reason
        if unread
        else f"no cluster of account {account} that could be read has it: its cluster is in another account or "
        "region, or gone"
    )
    return PodRole(None, reword(why, f"{what} {issuer}, and {why}"), provider=provider, by_session=of_session)


def _cluster_of(provider: str, account: str, pull: PullFailure, facts: PullFacts) -> tuple[str, str] | Unread | None:
    """Return the region and the name of the account's cluster with this issuer.

    Unread where a cluster could not be read, None where none has it.
    """
    issuer = (issuer_of(provider) or "").lower()
    host = _EKS_HOST.match(issuer)
    # The host of EKS's own issuers names the region of the cluster.
    regions = (host["region"],) if host else node_regions(pull, facts)
    listed = facts.side_by_side(lambda region: facts.cluster_names(account, region), regions)
    named = [
        (region, name)
        for region, names in zip(regions, listed, strict=True)
        if not isinstance(names, Unread)
        for name in names
    ]
    clusters = facts.side_by_side(lambda each: facts.cluster(account, *each), named)
    unread = [each for each in (*listed, *clusters) if isinstance(each, Unread)]
    for place, cluster in zip(named, clusters, strict=True):
        if isinstance(cluster, Cluster) and cluster.issuer is None:
            unread.append(
                Unread(
                    Reason(
                        f"EKS names no OIDC issuer of cluster {cluster.name}",
                        f"Look at the OIDC issuer of cluster {cluster.name}: `aws eks describe-cluster`.",
                    )
                )
            )
        elif isinstance(cluster, Cluster) and cluster.issuer and cluster.issuer.lower() == issuer:
            return place
    return next(iter(unread), None)


def _is_eks_host(provider: str) -> bool:
    return _EKS_HOST.match((issuer_of(provider) or "").lower()) is not None


def _looks_like_eks(issuer: str) -> bool:
    return _EKS_HOST.match(issuer.lower()) is not None or _EKS_PATH.fullmatch(issuer) is not None
