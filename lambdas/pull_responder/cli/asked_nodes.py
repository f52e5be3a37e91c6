"""The nodes that a question is about, found in the cluster it names; what is not there is said with near names."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

import click

from pull_responder.facts.compute import Cluster, FargateProfile, NodeGroup
from pull_responder.facts.ec2 import Instance
from pull_responder.facts.node import Nodes, of_fargate_profile, of_instances, of_node_group
from pull_responder.model.reading import Unread

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pull_responder.facts.facts import Facts

_Filters = tuple[tuple[str, tuple[str, ...]], ...]
# What AWS answers in regions that are not enabled for the account, and what the SDK says of hosts that do not exist.
_NO_REGION: Final = ("UnrecognizedClientException", "AuthFailure", "InvalidClientTokenId", "EndpointConnectionError")


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the question names: a cluster, and at most one of the others."""

    cluster: str
    node_group: str | None = None
    fargate_profile: str | None = None
    instance: str | None = None


@dataclass(frozen=True, slots=True)
class _Place:
    facts: Facts
    account: str
    region: str
    cluster: Cluster | Unread


def find_asked(facts: Facts, chosen: Chosen) -> Iterator[Nodes]:
    """Return the chosen nodes; without a choice every node group, Fargate profile and other kind of node there is.

    Raises click.ClickException for what does not exist, and where nothing of the cluster can be read.
    """
    region = facts.region
    if region is None:
        raise click.ClickException("no region is configured: set AWS_REGION to the cluster's")
    # One round: none of these needs another's answer. None is our own account, whose id is asked for meanwhile.
    facts.read_ahead(
        [facts.identity, lambda: facts.cluster(None, region, chosen.cluster), *_first_reads(facts, region, chosen)]
    )
    identity = facts.identity()
    if isinstance(identity, Unread):
        raise click.ClickException(identity.reason)
    cluster = facts.cluster(None, region, chosen.cluster)
    if cluster is None:
        _missing(f"cluster {chosen.cluster!r} in {region}", chosen.cluster, facts.cluster_names(None, region))
    if isinstance(cluster, Unread) and any(word in cluster.reason for word in _NO_REGION):
        raise click.ClickException(f"region {region} cannot be asked, is it enabled? {cluster.reason}")
    place = _Place(facts, identity.account, region, cluster)
    if chosen.instance:
        yield _instance(place, chosen, chosen.instance)
    elif chosen.node_group:
        yield _node_group(place, chosen.cluster, chosen.node_group)
    elif chosen.fargate_profile:
        yield _fargate_profile(place, chosen.cluster, chosen.fargate_profile)
    else:
        yield from _everything(place, chosen.cluster)


def _first_reads(facts: Facts, region: str, chosen: Chosen) -> list[Callable[[], object]]:
    name = chosen.cluster
    if chosen.instance:
        wanted = chosen.instance
        return [lambda: facts.running_instances(None, region, _by_id(wanted))]
    if chosen.node_group:
        group = chosen.node_group
        return [
            lambda: facts.node_group(None, region, name, group),
            lambda: facts.running_instances(None, region, _in_group(name, group)),
        ]
    if chosen.fargate_profile:
        profile = chosen.fargate_profile
        return [lambda: facts.fargate_profile(None, region, name, profile)]
    return [
        lambda: facts.node_group_names(None, region, name),
        lambda: facts.fargate_profile_names(None, region, name),
        *(lambda each=each: facts.running_instances(None, region, each) for each in _in_cluster(name)),
    ]


def _by_id(instance_id: str) -> _Filters:
    return (("instance-id", (instance_id,)),)


def _in_group(cluster: str, group: str) -> _Filters:
    return (("tag:eks:cluster-name", (cluster,)), ("tag:eks:nodegroup-name", (group,)))


def _in_cluster(cluster: str) -> tuple[_Filters, ...]:
    """By the tags that managed and self-managed nodes, Karpenter's and EKS Auto Mode's carry."""
    return (
        ((f"tag:kubernetes.io/cluster/{cluster}", ("owned", "shared")),),
        (("tag:eks:cluster-name", (cluster,)),),
        (("tag:aws:eks:cluster-name", (cluster,)),),
        (("tag:eks:eks-cluster-name", (cluster,)),),
    )


def _instance(place: _Place, chosen: Chosen, instance_id: str) -> Nodes:
    facts, region = place.facts, place.region
    found = facts.running_instances(None, region, _by_id(instance_id))
    if isinstance(found, Unread):
        raise click.ClickException(f"--instance: {found.reason}")
    found = tuple(each for each in found if each.id == instance_id)
    if not found:
        instances = _all_instances(facts, region, chosen.cluster)
        _missing(f"running instance {instance_id!r} in {region}", instance_id, tuple(each.id for each in instances))
    instance = found[0]
    if instance.cluster and instance.cluster != chosen.cluster:
        raise click.ClickException(f"--instance: {instance_id} is a node of cluster {instance.cluster}")
    group = None
    if instance.node_group:
        group = facts.node_group(None, region, chosen.cluster, instance.node_group)
    return of_instances(facts, (instance,), name=f"instance {instance.id}", group=group, cluster=chosen.cluster)


def _node_group(place: _Place, cluster: str, name: str) -> Nodes:
    facts, region = place.facts, place.region
    group = facts.node_group(None, region, cluster, name)
    if group is None:
        names = facts.node_group_names(None, region, cluster)
        _missing(f"node group {name!r} in cluster {cluster}", name, names)
    running = facts.running_instances(None, region, _in_group(cluster, name))
    title = f"node group {name} of cluster {cluster}"
    if not isinstance(running, Unread) and (nodes := tuple(each for each in running if each.subnet_id)):
        return of_instances(facts, nodes, name=title, group=group, cluster=cluster)
    if isinstance(group, NodeGroup):
        return of_node_group(facts, place.account, region, group, place.cluster)
    return Nodes(title, place.account, region, group, group_ids=group, cluster=cluster, node_group=name, template=group)


def _fargate_profile(place: _Place, cluster: str, name: str) -> Nodes:
    facts, region = place.facts, place.region
    profile = facts.fargate_profile(None, region, cluster, name)
    if profile is None:
        names = facts.fargate_profile_names(None, region, cluster)
        _missing(f"Fargate profile {name!r} in cluster {cluster}", name, names)
    if isinstance(profile, FargateProfile):
        return of_fargate_profile(facts, place.account, region, profile, place.cluster)
    title = f"Fargate profile {name} of cluster {cluster}"
    return Nodes(title, place.account, region, profile, group_ids=profile, cluster=cluster, fargate_profile=name)


def _everything(place: _Place, cluster: str) -> Iterator[Nodes]:
    facts, region = place.facts, place.region
    groups = facts.node_group_names(None, region, cluster)
    profiles = facts.fargate_profile_names(None, region, cluster)
    group_names = groups if isinstance(groups, tuple) else ()
    profile_names = profiles if isinstance(profiles, tuple) else ()
    facts.read_ahead(
        [
            *(lambda name=name: facts.node_group(None, region, cluster, name) for name in group_names),
            *(
                lambda name=name: facts.running_instances(None, region, _in_group(cluster, name))
                for name in group_names
            ),
            *(lambda name=name: facts.fargate_profile(None, region, cluster, name) for name in profile_names),
        ]
    )
    found = [
        *(_node_group(place, cluster, name) for name in group_names),
        *(_fargate_profile(place, cluster, name) for name in profile_names),
        *_others(facts, _all_instances(facts, region, cluster), cluster, group_names),
    ]
    if not found:
        reasons = [each.reason for each in (groups, profiles) if isinstance(each, Unread)]
        why = "; ".join(reasons) or "it has no node group, Fargate profile or running node"
        raise click.ClickException(f"cluster {cluster}: nothing to ask about: {why}")
    yield from found


def _all_instances(facts: Facts, region: str, cluster: str) -> tuple[Instance, ...]:
    """Return the cluster's running nodes, as far as they can be read."""
    by_id: dict[str, Instance] = {}
    for filters in _in_cluster(cluster):
        found = facts.running_instances(None, region, filters)
        if not isinstance(found, Unread):
            by_id |= {each.id: each for each in found if each.subnet_id}
    return tuple(by_id.values())


def _others(
    facts: Facts, instances: tuple[Instance, ...], cluster: str, group_names: tuple[str, ...]
) -> Iterator[Nodes]:
    """Nodes of no node group (self-managed, Karpenter's, Auto Mode's): those with one profile together."""
    alone: dict[str, list[Instance]] = {}
    for each in instances:
        if each.node_group not in group_names:
            alone.setdefault(each.profile_arn or each.id, []).append(each)
    for together in alone.values():
        ids = ", ".join(each.id for each in together[:3]) + (" and others" if len(together) > 3 else "")  # noqa: PLR2004 -- enough to know them by
        yield of_instances(
            facts, tuple(together), name=f"nodes {ids} of cluster {cluster}", group=None, cluster=cluster
        )


def _missing(what: str, name: str, names: tuple[str, ...] | Unread | None) -> NoReturn:
    """Say that there is no such thing, with the near names there are, else those that there are."""
    known = names if isinstance(names, tuple) else ()
    near = difflib.get_close_matches(name, known, 3)
    if near:
        hint = f"; did you mean {' or '.join(near)}?"
    elif known:
        hint = f"; there are {', '.join(sorted(known)[:10])}"
    else:
        hint = ""
    raise click.ClickException(f"there is no {what}{hint}")
