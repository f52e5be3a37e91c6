"""Who pulls, and whether it pulls for EKS."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pull_responder.facts import images
from pull_responder.facts.compute import EntryType
from pull_responder.facts.ec2 import Instance
from pull_responder.facts.iam import Role
from pull_responder.model.pull import Principal, PrincipalKind, PullFailure
from pull_responder.model.reason import ASK, RUNNING, Reason, join_reasons
from pull_responder.model.unread import Unread
from pull_responder.pulls.cache_role import CacheRole, cache_role_of
from pull_responder.pulls.cluster_uses import ClusterUse, ClusterUses, Membership, cluster_uses
from pull_responder.pulls.known_principals import listed_as
from pull_responder.pulls.outsider import outsider_of
from pull_responder.pulls.own_role import PodRole
from pull_responder.pulls.pod_role import pod_role_of
from pull_responder.pulls.session import node_instance, role_arn_of, session_instance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.pulls.nodes import Nodes
    from pull_responder.pulls.pull_facts import PullFacts

# The services that give a role to a kubelet's machine: EC2 nodes, Fargate pods, hybrid nodes (by Systems Manager or by
# IAM Roles Anywhere). EKS User Guide: "Amazon EKS node IAM role", "pod execution IAM role", "hybrid nodes IAM role".
_NODE_SERVICES = ("ec2", "eks-fargate-pods", "ssm", "rolesanywhere")


_OWN: Final = "it is a role with which Pull Responder itself reads"

_OUTSIDER: Final = (
    "account {account} is not known to be of this organization, and whoever owns it chooses the names there. If it is "
    "yours, set up the role PullResponderReadOnly in it and list it: in the setting readAccounts, or at a terminal in "
    "PULL_RESPONDER_READ_ACCOUNTS"
)


@dataclass(frozen=True, slots=True)
class Puller:
    """The principal that pulls, and whether it pulls for EKS.

    - `for_eks` is None where that is not known.
    - `because` is a clause that says how the answer is known.
    - `entry_type` is set where only an access entry names the role.
    - `cache_role` is set where ECR itself fetches with the role, for a pull through cache rule.
    - `pod_role` is set where pods have the role by tokens of their own. Its nodes' role says nothing then.
    - `listed_as` is the matching entry in the operator's list of known principals, or says that the role is our own.
      None if neither is so, or if the principal pulls for EKS.
    """

    for_eks: bool | None
    because: str
    cluster: str | None = None
    node_group: str | None = None
    fargate_profile: str | None = None
    entry_type: EntryType | None = None
    instance: Instance | None = None
    listed_as: str | None = None
    pod_role: PodRole | None = None
    cache_role: CacheRole | None = None


def puller_of(pull: PullFailure, facts: PullFacts) -> Puller:
    """Return who pulls, and whether it pulls for EKS."""
    if facts.asked:
        return _of_question(facts.asked, facts.asked_role)
    who = pull.principal or (pull.account, pull.node, bool(pull.upstream_failure))
    key = ("puller", who, pull.region, pull.cluster, pull.cluster_region)
    return facts.once(key, lambda: _find_puller(facts, pull))


def _is_own(facts: PullFacts, pull: PullFailure, principal: Principal) -> bool:
    """Return whether the denied session is our own, and the denied action one that we call in order to read."""
    if principal.kind is not PrincipalKind.ROLE or not (principal.account and principal.name):
        return False
    if pull.denial is None or pull.denial.action not in images.MANIFEST_PERMISSIONS:
        return False
    session = principal.session_name
    is_ours = facts.is_ours(principal.account, pull.region) is True
    return is_ours and facts.is_own_session(principal.account, pull.region, principal.name, session)


def _of_question(nodes: Nodes, pod_role: PodRole | None) -> Puller:
    return Puller(
        for_eks=True,
        because=f"the question is about {nodes.name}",
        cluster=nodes.cluster,
        node_group=nodes.node_group,
        fargate_profile=nodes.fargate_profile,
        instance=next(iter(nodes.instances), None),
        pod_role=pod_role,
    )


def _find_puller(facts: PullFacts, pull: PullFailure) -> Puller:
    """Decide whether the pull's principal pulls for EKS.

    The tags of the principal's instance decide first, then node groups and Fargate profiles, then access entries, then
    whether pods have the role. If none of them uses the role, its trust policy can rule EKS out; if none could be read,
    its trust policy and session name decide. A session that was issued for a web identity is no instance's. A cluster
    that the event names means EKS; one that only another account says it has leaves it open, if that account is not
    known to be ours. Without a cluster, a principal of such an account does not pull for EKS: there, whoever owns the
    account has chosen the role's and the session's name. Unless the answer is yes, a match in the operator's list of
    known principals makes it no, and a possible match leaves it open.
    """
    principal = pull.principal
    if principal and (account := principal.account):
        facts.start([lambda: facts.is_ours(account, pull.region)])
    found = _find(facts, pull)
    is_our_cluster = pull.cluster and not pull.cluster_region
    if not is_our_cluster and principal and principal.kind not in (PrincipalKind.UNKNOWN, PrincipalKind.SERVICE):
        outsider = outsider_of(pull, facts)
        if pull.cluster and isinstance(outsider, str):
            outsider = Unread(Reason(_OUTSIDER.format(account=outsider)))
        found = _unless_outsider(found, outsider)
    if found.for_eks or principal is None:
        return found
    if _is_own(facts, pull, principal):
        return replace(found, for_eks=False, because=_OWN, listed_as=_OWN)
    listed = listed_as(facts.known_principals, principal, role_arn_of(pull, facts)) if facts.known_principals else None
    if listed is None:
        return found
    if isinstance(listed, Unread):
        return found if found.for_eks is None else replace(found, for_eks=None, because=listed.reason)
    return replace(
        found,
        for_eks=False,
        because=f"{listed} is listed as known to pull for something other than EKS",
        listed_as=listed,
    )


def _unless_outsider(found: Puller, outsider: str | Unread | None) -> Puller:
    """Return the puller, unless its account is not known to be ours."""
    if outsider is None:
        return found
    if isinstance(outsider, Unread):
        return Puller(None, outsider.reason)
    return Puller(for_eks=False, because=_OUTSIDER.format(account=outsider))


def _find(facts: PullFacts, pull: PullFailure) -> Puller:
    principal = pull.principal
    if principal is None or principal.kind is PrincipalKind.UNKNOWN:
        return _of_unnamed(facts, pull)
    if principal.kind is not PrincipalKind.ROLE:
        return Puller(for_eks=False, because=f"it is of kind {principal.kind}, and EKS nodes pull with a role")
    if principal.account is None or principal.name is None:
        return Puller(None, Reason("the event does not name the role that was denied", ASK))
    found = _find_role(facts, principal, principal.account, principal.name, pull)
    if pull.cluster and not (found.for_eks and found.cluster == pull.cluster):
        because = f"the event names cluster {pull.cluster}"
        return Puller(for_eks=True, because=because, cluster=pull.cluster, pod_role=found.pod_role)
    return found


def _find_role(facts: PullFacts, principal: Principal, account: str, name: str, pull: PullFailure) -> Puller:
    if principal.web_identity and (pod_role := pod_role_of(pull, facts)):
        return _of_pod_role(pod_role)
    instance = session_instance(pull, facts)
    if isinstance(instance, Instance) and instance.cluster:
        return _of_instance(instance, "its session")
    uses = cluster_uses(facts, account, pull.region, name)
    for use in uses:
        if isinstance(use, ClusterUses) and use.found:
            return _of_use(use.found[0], instance if isinstance(instance, Instance) else None)
    if principal.instance_id is None and (pod_role := pod_role_of(pull, facts)):
        return _of_pod_role(pod_role)
    cache_role = cache_role_of(pull, facts) if principal.instance_id is None else None
    if isinstance(cache_role, CacheRole):
        # What stops ECR from fetching stops pulls for EKS, too.
        because = f"ECR itself fetches images with it for a pull through cache: {cache_role.because}"
        return Puller(for_eks=True, because=because, cache_role=cache_role)
    return _unless_cache_role(
        _without_use(principal, instance, uses, facts.role(account, pull.region, name)), cache_role
    )


def _unless_cache_role(found: Puller, unread: Unread | None) -> Puller:
    """Return the puller, open where a rule that was not read may name its role, whatever its trust policy says now."""
    if unread is None or found.for_eks is not False:
        return found
    return replace(found, for_eks=None, because=unread.reason)


def _of_unnamed(facts: PullFacts, pull: PullFailure) -> Puller:
    if pull.principal is None and pull.upstream_failure:
        # Any pull may make ECR fetch from the upstream registry. What stops ECR from that stops pulls for EKS, too.
        return Puller(
            for_eks=True, because="ECR could not fetch the image from its upstream registry, which stops EKS, too"
        )
    instance = node_instance(pull, facts) if pull.principal is None else None
    if isinstance(instance, Instance) and instance.cluster:
        return _of_instance(instance, "its node")
    return Puller(None, Reason("the event does not say who was denied", ASK), cluster=pull.cluster)


def _of_instance(instance: Instance, what: str) -> Puller:
    return Puller(
        for_eks=True,
        because=f"{what} is instance {instance.id}, whose tags name cluster {instance.cluster}",
        cluster=instance.cluster,
        node_group=instance.node_group,
        instance=instance,
    )


def _of_pod_role(pod_role: PodRole) -> Puller:
    return Puller(for_eks=pod_role.for_eks, because=pod_role.because, cluster=pod_role.cluster, pod_role=pod_role)


def _of_use(use: ClusterUse, instance: Instance | None) -> Puller:
    if use.membership is Membership.ACCESS_ENTRY:
        because = f"an access entry of type {use.name} in cluster {use.cluster} names its role"
    else:
        because = f"its role is that of {use.membership} {use.name} in cluster {use.cluster}"
    return Puller(
        for_eks=True,
        because=because,
        cluster=use.cluster,
        node_group=use.name if use.membership is Membership.NODE_GROUP else None,
        fargate_profile=use.name if use.membership is Membership.FARGATE_PROFILE else None,
        entry_type=use.entry_type,
        instance=instance,
    )


def _without_use(
    principal: Principal,
    instance: Instance | Unread | None,
    uses: Sequence[ClusterUses | Unread],
    role: Role | Unread | None,
) -> Puller:
    """Return the puller of a role that no use that could be read names.

    Its trust policy, with the session name, can exclude EKS. Otherwise EKS is excluded only if every use could be read.
    """
    services = [service for service in _NODE_SERVICES if role.trusts(service)] if isinstance(role, Role) else None
    # A session named like an instance may mean that EC2 delivered the role before its trust policy was changed.
    if services == [] and not (principal.instance_id and not isinstance(instance, Instance)):
        return Puller(for_eks=False, because="its trust policy names no service that runs nodes or Fargate pods")
    if not isinstance(instance, Instance) and all(isinstance(use, Unread) for use in uses):
        # No instance was found and no use could be read, so the trust policy and the session name decide.
        if "eks-fargate-pods" in (services or ()):
            return Puller(for_eks=True, because="its trust policy names eks-fargate-pods.amazonaws.com")
        if principal.instance_id and (services is None or "ec2" in services):
            return Puller(for_eks=True, because=f"its session is EC2 instance {principal.instance_id}")
        if services == ["ec2"] and principal.session_name and not principal.instance_id:
            return Puller(
                for_eks=False, because="its trust policy names only EC2, but its session name is no EC2 instance ID"
            )
    gaps = _gaps(principal, instance, uses)
    if services == []:
        gaps.append(
            "its trust policy names no service that runs nodes, but its session has the name of an EC2 instance"
        )
    if "eks-fargate-pods" in (services or ()):
        gaps.append(
            "its trust policy names eks-fargate-pods.amazonaws.com, but no Fargate profile in this region uses it"
        )
    seen = instance if isinstance(instance, Instance) else None
    if gaps:
        return Puller(None, join_reasons(gaps), instance=seen)
    because = (
        "no node group, Fargate profile or access entry in this region uses its role, and its session is no "
        "instance with the tag of a cluster"
    )
    return Puller(for_eks=False, because=because, instance=seen)


def _gaps(principal: Principal, instance: Instance | Unread | None, uses: Sequence[ClusterUses | Unread]) -> list[str]:
    """Say why a use by EKS may have been missed."""
    gaps = [each.reason for use in uses for each in ([use] if isinstance(use, Unread) else use.unread)]
    if isinstance(instance, Unread):
        gaps.append(instance.reason)
    elif instance is None and principal.instance_id:
        gaps.append(Reason(f"instance {principal.instance_id} is gone or in another region", RUNNING))
    return gaps
