"""Looks for faults before a pod fails: lists the nodes of an inspection, and the images that they need.

For node groups and Fargate profiles, it examines the nodes that EKS would start next. For all other nodes, it examines
those that run, and the roles with which more nodes may join the cluster. See
docs/adr/0030-this-accounts-own-images.md and docs/adr/0043-one-enumeration-of-nodes.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from pull_responder.events.eks_registries import DNS_REPOSITORY, NODE_REPOSITORY, registry_of
from pull_responder.facts.compute import FargateProfile
from pull_responder.model.pull import PullFailure, Symptom
from pull_responder.model.reason import reword
from pull_responder.model.unread import Unread
from pull_responder.pulls.addon_images import addon_pull
from pull_responder.pulls.cluster_nodes import (
    ClusterPlace,
    Finder,
    all_nodes,
    fargate_profile,
    listings,
    managed_listings,
    managed_nodes,
    next_of_node_group,
    nodes_of_role,
)
from pull_responder.pulls.node_role import principal_of
from pull_responder.pulls.nodes import Nodes
from pull_responder.pulls.own_repositories import NO_REPOSITORIES, own_repositories
from pull_responder.pulls.pull_facts import PullFacts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pull_responder.events.eks_change import Inspection
    from pull_responder.facts.reader import Reader

_ADDON_NAMESPACE: Final = "kube-system"


@dataclass(frozen=True, slots=True)
class NodesQuestion:
    """The question whether nodes can pull one image, with the facts for the answer.

    `not_asked` is a sentence: which of the account's repositories no question covers, and why. It is empty if all are
    covered. Only the first question about the same nodes has it.
    """

    pull: PullFailure
    facts: PullFacts
    not_asked: str = ""


def questions(
    inspection: Inspection, reader: Reader, *, known_principals: tuple[str, ...]
) -> Iterator[NodesQuestion | Unread]:
    """Return the questions about each kind of node, always in the same order, or why nodes could not be read."""
    for nodes in _nodes_to_inspect(inspection, PullFacts(reader)):
        if isinstance(nodes, Unread):
            yield nodes
            continue
        facts = PullFacts(reader, known_principals=known_principals, asked=nodes)
        pull = _pull_of(nodes, inspection, facts)
        read = [addon_pull(name, pull, nodes, facts) for name in inspection.addons]
        of_addons = [each for each in read if isinstance(each, PullFailure)]
        yield from dict.fromkeys(each for each in read if isinstance(each, Unread))
        if inspection.only_addons:
            yield from (NodesQuestion(each, facts) for each in dict.fromkeys(of_addons))
            continue
        own = NO_REPOSITORIES if inspection.health_only else own_repositories(pull, facts)
        addon = _addon_pull(pull, nodes, facts)
        pulls = [replace(pull, repository=name) for name in own.asked]
        if addon or not pulls:
            pulls.insert(0, addon or pull)
        pulls += (each for each in of_addons if each not in pulls)
        yield NodesQuestion(pulls[0], facts, own.not_asked)
        yield from (NodesQuestion(each, facts) for each in pulls[1:])


def narrow_inspection(inspection: Inspection, question: NodesQuestion) -> Inspection:
    """Return an inspection of only the nodes of `question`.

    It names their node group or Fargate profile, or else their role, because these stay when nodes are replaced. If the
    role is not known, it covers all nodes of the cluster.
    """
    nodes, principal = question.facts.asked, question.pull.principal
    if nodes is None:
        return inspection
    # The nodes of node groups that an inspection asks about are not running yet.
    group = None if nodes.instances else nodes.node_group
    is_managed = bool(group or nodes.fargate_profile)
    return replace(
        inspection,
        cluster=nodes.cluster,
        node_group=group,
        fargate_profile=nodes.fargate_profile,
        role_arn=None if is_managed or principal is None else principal.role_arn,
    )


def _nodes_to_inspect(inspection: Inspection, facts: PullFacts) -> Iterator[Nodes | Unread]:
    """Return the nodes of each kind, or why they could not be read. A deleted cluster or group has no nodes."""
    clusters = (
        (inspection.cluster,) if inspection.cluster else facts.cluster_names(inspection.account, inspection.region)
    )
    if isinstance(clusters, Unread):
        yield clusters
        return
    for cluster in clusters:
        pull_region = None if inspection.health_only else inspection.region
        place = ClusterPlace(facts, inspection.account, inspection.region, cluster, pull_region)
        for nodes in facts.side_by_side(lambda find: find(), _finders(inspection, place)):
            if nodes is not None:
                yield (
                    Unread(reword(nodes.unread.reason, f"{nodes.name}: {nodes.unread.reason}"))
                    if nodes.unread
                    else nodes
                )


def _finders(inspection: Inspection, place: ClusterPlace) -> list[Finder]:
    if inspection.node_group or inspection.fargate_profile:
        groups, profiles = filter(None, (inspection.node_group,)), filter(None, (inspection.fargate_profile,))
        return [
            *(partial(next_of_node_group, place, name) for name in groups),
            *(partial(fargate_profile, place, name) for name in profiles),
        ]
    if inspection.role_arn:
        return nodes_of_role(place, inspection.role_arn)
    facts, account, region, name = place.facts, place.account, place.region, place.name
    if inspection.health_only:
        facts.read_ahead(managed_listings(facts, account, region, name))
        return managed_nodes(place, of_groups=next_of_node_group)
    facts.read_ahead([lambda: facts.cluster(account, region, name), *listings(facts, account, region, name)])
    return all_nodes(place, of_groups=next_of_node_group)


def _pull_of(nodes: Nodes, inspection: Inspection, facts: PullFacts) -> PullFailure:
    """Return a pull without an image: it only gets a token, and connects to the account's own registry."""
    return PullFailure(
        symptom=Symptom.UNKNOWN,
        stage=None,
        region=nodes.region,
        account=nodes.account,
        principal=principal_of(nodes, facts),
        registry_account=nodes.account,
        cluster=nodes.cluster,
        node=nodes.instances[0].id if nodes.instances else None,
        observed_at=inspection.observed_at,
        event_id=inspection.event_id,
    )


def _addon_pull(pull: PullFailure, nodes: Nodes, facts: PullFacts) -> PullFailure | None:
    """Return the pull of an EKS add-on image that these nodes need. None if they need none, or its registry is unknown.

    Every node of a node group pulls kube-proxy. On Fargate, the only add-on is CoreDNS, in namespace kube-system. EKS
    Auto Mode nodes have their add-ons built in (Amazon EKS User Guide, "Automate cluster infrastructure"). What other
    nodes pull is not known.
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
