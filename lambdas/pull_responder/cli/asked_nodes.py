"""Finds the nodes that a question names. For a name that does not exist, the error suggests similar names."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NoReturn

import click

from pull_responder.facts.ec2 import Instance
from pull_responder.model.unread import Unread
from pull_responder.pulls.cluster_nodes import (
    ClusterPlace,
    Filters,
    Finder,
    all_nodes,
    fargate_profile,
    in_group,
    instances_of,
    listings,
    node_group,
    read_vpc,
    unread_nodes,
)
from pull_responder.pulls.failed_node import of_instance
from pull_responder.pulls.nodes import Nodes, of_instances
from pull_responder.pulls.session import instance_id_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pull_responder.pulls.pull_facts import PullFacts

# What AWS answers in regions that are not enabled for the account, and what the SDK says of hosts that do not exist.
_NO_REGION: Final = ("UnrecognizedClientException", "AuthFailure", "InvalidClientTokenId", "EndpointConnectionError")


@dataclass(frozen=True, slots=True)
class Chosen:
    """The names in the question: a cluster, and at most one of the next three.

    `account` is the cluster's, where its ARN was given. `instance` is an instance's id, or the name of a node.
    """

    cluster: str
    node_group: str | None = None
    fargate_profile: str | None = None
    instance: str | None = None
    account: str | None = None


def find_asked(facts: PullFacts, chosen: Chosen, pull_region: str) -> list[Finder]:
    """Return finders of the chosen nodes. If only the cluster is chosen, of all its nodes, one finder a kind.

    `pull_region` is the region of the registry. Raises click.ClickException for what does not exist, as the finders do,
    and where nothing of the cluster can be read.
    """
    region = facts.region
    if region is None:
        raise click.ClickException("no region is configured: give the cluster's with --region, or set AWS_REGION")
    # One round: none of these needs another's answer. None is our own account, whose id is asked for meanwhile.
    facts.read_ahead(
        [facts.identity, lambda: facts.cluster(None, region, chosen.cluster), *_first_reads(facts, region, chosen)]
    )
    identity = facts.identity()
    if isinstance(identity, Unread):
        raise click.ClickException(identity.reason)
    if chosen.account not in (None, identity.account):
        raise click.ClickException(
            f"--cluster: {chosen.cluster} is in account {chosen.account}, and the credentials are of account "
            f"{identity.account}: choose others, as with AWS_PROFILE"
        )
    cluster = facts.cluster(None, region, chosen.cluster)
    if cluster is None:
        what = f"cluster {chosen.cluster!r} in {region} of account {identity.account}"
        _missing(what, chosen.cluster, facts.cluster_names(None, region))
    if isinstance(cluster, Unread) and any(word in cluster.reason for word in _NO_REGION):
        raise click.ClickException(f"region {region} does not answer. Is it enabled for this account? {cluster.reason}")
    place = ClusterPlace(facts, identity.account, region, chosen.cluster, pull_region)
    facts.start([lambda: read_vpc(place)])
    if chosen.instance:
        return [lambda: _instance(place, chosen.instance or "")]
    if chosen.node_group:
        return [lambda: _node_group(place, chosen.node_group or "")]
    if chosen.fargate_profile:
        return [lambda: _fargate_profile(place, chosen.fargate_profile or "")]
    return all_nodes(place) or _nothing(chosen.cluster)


def _first_reads(facts: PullFacts, region: str, chosen: Chosen) -> list[Callable[[], object]]:
    name = chosen.cluster
    if chosen.instance:
        wanted = chosen.instance
        return [lambda: facts.running_instances(None, region, _by_name(wanted))]
    if chosen.node_group:
        group = chosen.node_group
        return [
            lambda: facts.node_group(None, region, name, group),
            lambda: facts.running_instances(None, region, in_group(name, group)),
        ]
    if chosen.fargate_profile:
        profile = chosen.fargate_profile
        return [lambda: facts.fargate_profile(None, region, name, profile)]
    return listings(facts, None, region, name)


def _by_name(instance: str) -> Filters:
    """Return EC2's filter for an instance's id, or for the name of its node."""
    if instance_id := instance_id_of(instance):
        return (("instance-id", (instance_id,)),)
    return (("private-dns-name", (instance,)),)


def _nothing(cluster: str) -> NoReturn:
    why = "no node group, Fargate profile, running node or access entry for nodes"
    raise click.ClickException(f"cluster {cluster}: it has no nodes: {why}")


def _instance(place: ClusterPlace, instance_id: str) -> Nodes:
    facts, region, cluster = place.facts, place.region, place.name
    found = facts.running_instances(None, region, _by_name(instance_id))
    if isinstance(found, Unread):
        return unread_nodes(place, f"instance {instance_id}", found)
    if by_id := instance_id_of(instance_id):
        found = tuple(each for each in found if each.id == by_id)
    elif len(found) > 1:  # of several VPCs
        found = tuple(each for each in found if each.cluster == cluster)
    if not found:
        if stand_in := _gone(place, by_id or instance_id):
            return stand_in
        instances = instances_of(facts, place.account, region, cluster)
        known = instances if isinstance(instances, Unread) else tuple(each.id for each in instances)
        _missing(f"running instance {instance_id!r} in {region}", instance_id, known)
    instance = found[0]
    if instance.cluster and instance.cluster != cluster:
        raise click.ClickException(f"--instance: {instance_id} is a node of cluster {instance.cluster}")
    group = None
    if instance.node_group:
        group = facts.node_group(None, region, cluster, instance.node_group)
    return of_instances((instance,), name=f"instance {instance.id}", group=group, cluster=cluster)


def _gone(place: ClusterPlace, instance_id: str) -> Nodes | None:
    """Return the nodes that replace a terminated instance, None if there are none.

    EC2 shows an instance for a while after it is terminated.
    """
    facts = place.facts
    instance = facts.instance_of_id(place.account, place.region, instance_id)
    if not isinstance(instance, Instance) or not instance.is_gone or instance.cluster != place.name:
        return None
    found = of_instance(facts, instance)
    if isinstance(found, Unread):
        return unread_nodes(place, f"instance {instance_id}, which is gone,", found)
    return found and replace(found, name=f"instance {instance_id}, which is gone: {found.name}")


def _node_group(place: ClusterPlace, name: str) -> Nodes:
    found = node_group(place, name)
    if found is None:
        names = place.facts.node_group_names(None, place.region, place.name)
        _missing(f"node group {name!r} in cluster {place.name}", name, names)
    return found


def _fargate_profile(place: ClusterPlace, name: str) -> Nodes:
    found = fargate_profile(place, name)
    if found is None:
        names = place.facts.fargate_profile_names(None, place.region, place.name)
        _missing(f"Fargate profile {name!r} in cluster {place.name}", name, names)
    return found


def _missing(what: str, name: str, names: tuple[str, ...] | Unread | None) -> NoReturn:
    """Raise that `what` does not exist, with similar names if there are any, else with all names."""
    known = names if isinstance(names, tuple) else ()
    near = difflib.get_close_matches(name, known, 3)
    if near:
        hint = f"; did you mean {' or '.join(near)}?"
    elif known:
        hint = f"; known are {', '.join(sorted(known)[:10])}"
    else:
        hint = ""
    raise click.ClickException(f"there is no {what}{hint}")
