"""What is asked of nodes before a pod fails: the nodes of an inspection, as EKS will start the next of them, and the
images that they have to pull. See docs/adr/0030-this-accounts-own-images.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pull_responder.events.eks_registries import DNS_REPOSITORY, NODE_REPOSITORY, registry_of
from pull_responder.facts.compute import AccessEntry, Cluster, EntryType, FargateProfile, NodeGroup
from pull_responder.model.pull import PullFailure, Symptom
from pull_responder.model.unread import Unread
from pull_responder.pulls.node_role import principal_of
from pull_responder.pulls.nodes import Nodes, of_fargate_profile, of_node_group, of_role
from pull_responder.pulls.own_repositories import NO_REPOSITORIES, own_repositories
from pull_responder.pulls.pull_facts import PullFacts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pull_responder.events.eks_change import Inspection
    from pull_responder.facts.reader import Reader

_ADDON_NAMESPACE: Final = "kube-system"


@dataclass(frozen=True, slots=True)
class Question:
    """Whether nodes can pull what they have to, with the facts to answer it by.

    `not_asked` says in a sentence which of the account's repositories are in no question about these nodes, and why;
    empty where none is left out. It stands on the first question about them.
    """

    pull: PullFailure
    facts: PullFacts
    not_asked: str = ""


def questions(
    inspection: Inspection, reader: Reader, *, known_principals: tuple[str, ...]
) -> Iterator[Question | Unread]:
    """Return the questions about each kind of node, the same ones each time, or why there is no telling."""
    for nodes in _inspected(inspection, PullFacts(reader)):
        if isinstance(nodes, Unread):
            yield nodes
            continue
        facts = PullFacts(reader, known_principals=known_principals, asked=nodes)
        pull = _pull_of(nodes, inspection, facts)
        own = NO_REPOSITORIES if inspection.health_only else own_repositories(pull, facts)
        addon = _addon_pull(pull, nodes, facts)
        pulls = [replace(pull, repository=name) for name in own.asked]
        if addon or not pulls:
            pulls.insert(0, addon or pull)
        yield Question(pulls[0], facts, own.not_asked)
        yield from (Question(each, facts) for each in pulls[1:])


def _inspected(inspection: Inspection, facts: PullFacts) -> Iterator[Nodes | Unread]:
    """Return the nodes of each node group and Fargate profile, or why there is no telling; what is gone has none."""
    clusters = (
        (inspection.cluster,) if inspection.cluster else facts.cluster_names(inspection.account, inspection.region)
    )
    if isinstance(clusters, Unread):
        yield clusters
        return
    for cluster in clusters:
        yield from _of_cluster(inspection, cluster, facts)


def _of_cluster(inspection: Inspection, cluster: str, facts: PullFacts) -> Iterator[Nodes | Unread]:
    account, region = inspection.account, inspection.region
    groups: tuple[str, ...] | Unread | None
    profiles: tuple[str, ...] | Unread | None
    if inspection.node_group or inspection.fargate_profile:
        groups = (inspection.node_group,) if inspection.node_group else ()
        profiles = (inspection.fargate_profile,) if inspection.fargate_profile else ()
    else:
        groups = facts.node_group_names(account, region, cluster)
        profiles = facts.fargate_profile_names(account, region, cluster)
    group_names = groups if isinstance(groups, tuple) else ()
    profile_names = profiles if isinstance(profiles, tuple) else ()
    yield from (each for each in (groups, profiles) if isinstance(each, Unread))
    facts.read_ahead(
        [
            *(lambda name=name: facts.node_group(account, region, cluster, name) for name in group_names),
            *(lambda name=name: facts.fargate_profile(account, region, cluster, name) for name in profile_names),
        ]
    )
    for name in group_names:
        group = facts.node_group(account, region, cluster, name)
        if isinstance(group, NodeGroup):
            yield of_node_group(facts, account, region, group, facts.cluster(account, region, cluster))
        elif group is not None:
            yield group
    for name in profile_names:
        profile = facts.fargate_profile(account, region, cluster, name)
        if isinstance(profile, FargateProfile):
            yield of_fargate_profile(facts, account, region, profile, facts.cluster(account, region, cluster))
        elif profile is not None:
            yield profile
    if not (inspection.node_group or inspection.fargate_profile or inspection.health_only):
        yield from _of_auto_mode(account, region, facts.cluster(account, region, cluster))


def _of_auto_mode(account: str, region: str, cluster: Cluster | Unread | None) -> Iterator[Nodes | Unread]:
    """Return the nodes of EKS Auto Mode, which no node group has and of which nothing but the role is known."""
    if isinstance(cluster, Unread):
        yield cluster
    elif cluster is not None and cluster.auto_mode_role:
        entry = AccessEntry(cluster.name, cluster.auto_mode_role, EntryType.AUTO_MODE)
        name = f"EKS Auto Mode's nodes of cluster {cluster.name}"
        yield of_role(account, region, entry, name=name)


def _pull_of(nodes: Nodes, inspection: Inspection, facts: PullFacts) -> PullFailure:
    """Return the pull of an image that is not named: a token, and the way to the account's own registry."""
    return PullFailure(
        symptom=Symptom.UNKNOWN,
        stage=None,
        region=nodes.region,
        account=nodes.account,
        principal=principal_of(nodes, facts),
        registry_account=nodes.account,
        cluster=nodes.cluster,
        observed_at=inspection.observed_at,
        event_id=inspection.event_id,
    )


def _addon_pull(pull: PullFailure, nodes: Nodes, facts: PullFacts) -> PullFailure | None:
    """Return the pull of an add-on image that these nodes need; None if they need none, or nobody knows its registry.

    Every node of a node group pulls kube-proxy. On Fargate only CoreDNS is EKS's own, and only pods of kube-system are.
    Nodes of EKS Auto Mode bring what they need along (Amazon EKS User Guide, "Automate cluster infrastructure").
    """
    registry = registry_of(nodes.region)
    if registry is None or not (nodes.node_group or nodes.fargate):
        return None
    if not nodes.fargate:
        return replace(pull, registry_account=registry, repository=NODE_REPOSITORY)
    profile = facts.fargate_profile(nodes.account, nodes.region, nodes.cluster or "", nodes.fargate_profile or "")
    if not isinstance(profile, FargateProfile) or not profile.may_select(_ADDON_NAMESPACE):
        return None
    return replace(pull, registry_account=registry, repository=DNS_REPOSITORY)
