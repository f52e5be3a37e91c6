"""The nodes that an inspection is about, as EKS will start the next of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pull_responder.events.eks_registries import ADDON_REPOSITORY, registry_of
from pull_responder.facts.compute import FargateProfile, NodeGroup
from pull_responder.facts.facts import Facts
from pull_responder.facts.node import Nodes, of_fargate_profile, of_node_group
from pull_responder.facts.node_role import principal_of
from pull_responder.model.pull import PullFailure, Symptom
from pull_responder.model.reading import Unread

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pull_responder.events.eks_change import Inspection
    from pull_responder.facts.reading import Reading


@dataclass(frozen=True, slots=True)
class Question:
    """Whether nodes can pull what they have to, with the facts to answer it by."""

    pull: PullFailure
    facts: Facts


def questions(
    inspection: Inspection, reading: Reading, *, known_principals: tuple[str, ...]
) -> Iterator[Question | Unread]:
    """Return a question for each kind of node, or why there is no telling."""
    for nodes in _inspected(inspection, Facts(reading)):
        if isinstance(nodes, Unread):
            yield nodes
        else:
            facts = Facts(reading, known_principals=known_principals, asked=nodes)
            yield Question(_question_about(nodes, inspection, facts), facts)


def _inspected(inspection: Inspection, facts: Facts) -> Iterator[Nodes | Unread]:
    """Return the nodes of each node group and Fargate profile, or why there is no telling; what is gone has none."""
    clusters = (
        (inspection.cluster,) if inspection.cluster else facts.cluster_names(inspection.account, inspection.region)
    )
    if isinstance(clusters, Unread):
        yield clusters
        return
    for cluster in clusters:
        yield from _of_cluster(inspection, cluster, facts)


def _of_cluster(inspection: Inspection, cluster: str, facts: Facts) -> Iterator[Nodes | Unread]:
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


def _question_about(nodes: Nodes, inspection: Inspection, facts: Facts) -> PullFailure:
    """Return the pull to ask about: what every node has to pull.

    Nodes of a node group pull kube-proxy and the VPC CNI from EKS's own registry, where that is known. Beside it only
    what every pull takes is asked, a token and the way to the registry: which of the account's repositories these nodes
    are meant to pull from, nobody has said.
    """
    registry = None if nodes.fargate else registry_of(nodes.region)
    return PullFailure(
        symptom=Symptom.UNKNOWN,
        stage=None,
        region=nodes.region,
        account=nodes.account,
        principal=principal_of(nodes, facts),
        registry_account=registry or nodes.account,
        repository=ADDON_REPOSITORY if registry else None,
        cluster=nodes.cluster,
        observed_at=inspection.observed_at,
        event_id=inspection.event_id,
    )
