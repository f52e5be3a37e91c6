"""All the nodes of a cluster: its node groups, Fargate profiles and running instances, and what access entries let in.

Nothing is left out in silence: where one of the listings cannot be read, the nodes it would have named stand among the
others with the reason, and whatever hangs on them is inconclusive.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from pull_responder.facts.compute import AccessEntry, Cluster, EntryType, FargateProfile, NodeGroup
from pull_responder.facts.iam import InstanceProfile
from pull_responder.model.arn import Arn
from pull_responder.model.unread import Unread
from pull_responder.pulls.nodes import Nodes, of_fargate_profile, of_instances, of_node_group, of_role

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pull_responder.facts.ec2 import Instance
    from pull_responder.pulls.pull_facts import PullFacts

Filters = tuple[tuple[str, tuple[str, ...]], ...]
# Reads what one kind of nodes takes; None where it turns out that there are none.
Finder = Callable[[], Nodes | None]


@dataclass(frozen=True, slots=True)
class Place:
    """A cluster, and where it is. `pull_region` is the region that its nodes pull from."""

    facts: PullFacts
    account: str
    region: str
    name: str
    cluster: Cluster | Unread
    pull_region: str


def in_cluster(cluster: str) -> tuple[Filters, ...]:
    """Return the tags that managed and self-managed nodes, Karpenter's and EKS Auto Mode's carry: see Instance."""
    return (
        ((f"tag:kubernetes.io/cluster/{cluster}", ("owned", "shared")),),
        (("tag:eks:cluster-name", (cluster,)),),
        (("tag:aws:eks:cluster-name", (cluster,)),),
        (("tag:eks:eks-cluster-name", (cluster,)),),
    )


def in_group(cluster: str, group: str) -> Filters:
    """Return the tags that a node group's nodes carry."""
    return (("tag:eks:cluster-name", (cluster,)), ("tag:eks:nodegroup-name", (group,)))


def listings(facts: PullFacts, region: str, cluster: str) -> list[Callable[[], object]]:
    """Return the reads that `all_nodes` begins with, none of which needs another's answer."""
    return [
        lambda: facts.node_group_names(None, region, cluster),
        lambda: facts.fargate_profile_names(None, region, cluster),
        lambda: facts.access_entry_arns(None, region, cluster),
        lambda: instances_of(facts, region, cluster),
    ]


def instances_of(facts: PullFacts, region: str, cluster: str) -> tuple[Instance, ...] | Unread:
    """Return the cluster's running nodes, by their tags; Unread unless all could be read."""
    by_id: dict[str, Instance] = {}
    tags = in_cluster(cluster)
    for found in facts.side_by_side(lambda filters: facts.running_instances(None, region, filters), tags):
        if isinstance(found, Unread):
            return found
        by_id |= {each.id: each for each in found if each.subnet_id}
    return tuple(by_id.values())


def all_nodes(place: Place) -> list[Finder]:
    """Return a finder for each kind of nodes that the cluster has or may have."""
    facts, region, name = place.facts, place.region, place.name
    groups = facts.node_group_names(None, region, name)
    profiles = facts.fargate_profile_names(None, region, name)
    running = instances_of(facts, region, name)
    entries = facts.access_entry_arns(None, region, name)
    group_names = groups if isinstance(groups, tuple) else ()
    profile_names = profiles if isinstance(profiles, tuple) else ()
    others = _together([] if isinstance(running, Unread) else [i for i in running if i.node_group not in group_names])
    shown = _Shown(place, group_names, profile_names, others)
    unread = (
        ("node groups", groups),
        ("Fargate profiles", profiles),
        ("running nodes", running),
        ("nodes let in by access entries", entries),
    )
    return [
        *(lambda group=group: node_group(place, group, running) for group in group_names),
        *(lambda profile=profile: fargate_profile(place, profile) for profile in profile_names),
        *(lambda each=each: _others(place, each) for each in others),
        *(lambda role=role: shown.role_besides(role) for role in _roles(place, entries)),
        *(lambda what=what, why=why: unread_nodes(place, what, why) for what, why in unread if isinstance(why, Unread)),
    ]


def node_group(place: Place, name: str, running: Sequence[Instance] | Unread | None = None) -> Nodes | None:
    """Return a node group's running nodes, else those that it will start; None if there is no such node group.

    `running` are all nodes of the cluster, where they have been read.
    """
    facts, region = place.facts, place.region
    group = facts.node_group(None, region, place.name, name)
    if group is None:
        return None
    title = f"node group {name} of cluster {place.name}"
    start(place, group.role_arn if isinstance(group, NodeGroup) else None)
    if running is None:
        running = facts.running_instances(None, region, in_group(place.name, name))
    nodes = () if isinstance(running, Unread) else tuple(i for i in running if i.subnet_id and i.node_group == name)
    if not nodes and isinstance(group, Unread):
        return unread_nodes(place, f"node group {name}", group, node_group=name)
    if nodes or not isinstance(group, NodeGroup):
        return of_instances(nodes, name=title, group=group, cluster=place.name)
    future = of_node_group(facts, place.account, region, group, place.cluster)
    return replace(future, unseen=running) if isinstance(running, Unread) else future


def fargate_profile(place: Place, name: str) -> Nodes | None:
    """Return the pods that a Fargate profile will start; None if there is no such profile."""
    profile = place.facts.fargate_profile(None, place.region, place.name, name)
    if isinstance(profile, FargateProfile):
        start(place, profile.role_arn)
        return of_fargate_profile(place.facts, place.account, place.region, profile, place.cluster)
    return unread_nodes(place, f"Fargate profile {name}", profile, fargate_profile=name) if profile else None


def start(place: Place, role_arn: str | None) -> None:
    """Begin to read the policies of a role: they are needed, whatever is yet to be known of its nodes."""
    facts, region = place.facts, place.pull_region
    if role := Arn.parse(role_arn or ""):
        account, name = role.account, role.resource.rpartition("/")[2]
        facts.start([partial(kind, account, region, name) for kind in (facts.identity_policies, facts.boundary)])


def read_vpc(place: Place) -> None:
    """Read the VPC that the cluster's nodes are in."""
    if isinstance(place.cluster, Cluster):
        vpc_id = place.facts.vpc_of_cluster(place.account, place.region, place.cluster)
        if not isinstance(vpc_id, Unread):
            place.facts.vpc_parts(place.account, place.region, vpc_id)


def _together(instances: Iterable[Instance]) -> list[tuple[Instance, ...]]:
    """Return nodes of no node group, those of one instance profile and node pool together."""
    alike: dict[tuple[str, str | None], list[Instance]] = {}
    for each in instances:
        alike.setdefault((each.profile_arn or each.id, each.node_pool), []).append(each)
    return [tuple(each) for each in alike.values()]


def _others(place: Place, instances: tuple[Instance, ...]) -> Nodes:
    some = ", ".join(each.id for each in instances[:3]) + (" and others" if len(instances) > 3 else "")  # noqa: PLR2004 -- enough to know them by
    pool = f" (node pool {instances[0].node_pool})" if instances[0].node_pool else ""
    title = f"nodes {some} of cluster {place.name}{pool}"
    return of_instances(instances, name=title, group=None, cluster=place.name)


def _roles(place: Place, entries: tuple[str, ...] | Unread) -> list[str]:
    """Return the roles that nodes may join the cluster with: by access entry, and EKS Auto Mode's."""
    auto = place.cluster.auto_mode_role if isinstance(place.cluster, Cluster) else None
    named = () if isinstance(entries, Unread) else entries
    return list(
        dict.fromkeys(each for each in (auto, *named) if each and ":role/" in each and ":role/aws-" not in each)
    )


@dataclass(frozen=True, slots=True)
class _Shown:
    """The nodes that are asked about anyway, by what names their roles."""

    place: Place
    group_names: Sequence[str]
    profile_names: Sequence[str]
    instances: Sequence[tuple[Instance, ...]]

    def role_besides(self, role_arn: str) -> Nodes | None:
        """Return nodes with a role that the others do not have; None if it is no node's, or is gone.

        An access entry outlives its role (Amazon EKS User Guide, "Create access entries"), and then no node has it; nor
        does a Fargate pod start without a profile.
        """
        place = self.place
        name = role_arn.rpartition("/")[2]
        auto = isinstance(place.cluster, Cluster) and place.cluster.auto_mode_role == role_arn
        entry: AccessEntry | Unread | None = AccessEntry(place.name, role_arn, EntryType.AUTO_MODE)
        if not auto:
            entry = place.facts.access_entry(None, place.region, place.name, role_arn)
        if isinstance(entry, Unread):
            return unread_nodes(place, f"nodes with the role {role_arn}", entry)
        if entry is None or entry.type in (None, EntryType.FARGATE) or role_arn in self._roles():
            return None
        start(place, role_arn)
        gone = place.facts.role(place.account, place.pull_region, name) is None
        return None if gone else of_role(place.account, place.region, entry)

    def _roles(self) -> set[str | None]:
        facts, region, cluster = self.place.facts, self.place.region, self.place.name
        groups = facts.side_by_side(lambda name: facts.node_group(None, region, cluster, name), self.group_names)
        profiles = facts.side_by_side(
            lambda arn: facts.instance_profile(self.place.account, region, arn.rpartition("/")[2]),
            [arn for each in self.instances if (arn := each[0].profile_arn)],
        )
        return {
            *(group.role_arn for group in groups if isinstance(group, NodeGroup)),
            *(profile.role_arn for profile in profiles if isinstance(profile, InstanceProfile)),
        }


def unread_nodes(
    place: Place, what: str, why: Unread, *, node_group: str | None = None, fargate_profile: str | None = None
) -> Nodes:
    """Return nodes of which nothing can be read."""
    return Nodes(
        name=f"{what} of cluster {place.name}",
        account=place.account,
        region=place.region,
        vpc_id=why,
        group_ids=why,
        cluster=place.name,
        node_group=node_group,
        fargate=fargate_profile is not None,
        fargate_profile=fargate_profile,
        template=why,
    )
