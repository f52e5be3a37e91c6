"""All the nodes of a cluster: its node groups, Fargate profiles and running instances, and what access entries let in.

Whoever asks about a cluster asks here: the terminal, and inspections. Nothing is left out in silence: where one of the
listings cannot be read, the nodes it would have named stand among the others with the reason (`Nodes.unread`). See
docs/adr/0043-one-enumeration-of-nodes.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from pull_responder.facts.compute import (
    AccessEntry,
    Cluster,
    EntryType,
    FargateProfile,
    NodeGroup,
    may_be_node_role,
)
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
class ClusterPlace:
    """A cluster, and where it is.

    `pull_region` is the region that its nodes pull from; None where no pull is asked about, and no policy is to be read
    ahead.
    """

    facts: PullFacts
    account: str
    region: str
    name: str
    pull_region: str | None

    @property
    def cluster(self) -> Cluster | Unread | None:
        """What EKS says of the cluster; None if there is none (any more)."""
        return self.facts.cluster(self.account, self.region, self.name)


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


def managed_listings(facts: PullFacts, account: str | None, region: str, cluster: str) -> list[Callable[[], object]]:
    """Return the reads that `managed_nodes` begins with: see `listings`."""
    return [
        lambda: facts.node_group_names(account, region, cluster),
        lambda: facts.fargate_profile_names(account, region, cluster),
    ]


def listings(facts: PullFacts, account: str | None, region: str, cluster: str) -> list[Callable[[], object]]:
    """Return the reads that `all_nodes` begins with, none of which needs another's answer.

    `account` is None for our own, as long as its id is not known.
    """
    return [
        *managed_listings(facts, account, region, cluster),
        lambda: facts.access_entry_arns(account, region, cluster),
        lambda: instances_of(facts, account, region, cluster),
    ]


def instances_of(facts: PullFacts, account: str | None, region: str, cluster: str) -> tuple[Instance, ...] | Unread:
    """Return the cluster's running nodes, by their tags; Unread unless all could be read."""
    by_id: dict[str, Instance] = {}
    tags = in_cluster(cluster)
    for found in facts.side_by_side(lambda filters: facts.running_instances(account, region, filters), tags):
        if isinstance(found, Unread):
            return found
        by_id |= {each.id: each for each in found if each.subnet_id}
    return tuple(by_id.values())


def all_nodes(
    place: ClusterPlace, *, of_groups: Callable[[ClusterPlace, str], Nodes | None] | None = None
) -> list[Finder]:
    """Return a finder for each kind of nodes that the cluster has or may have; none if there is no such cluster.

    `of_groups` finds the nodes of a node group, where not its running ones are asked about first.
    """
    if place.cluster is None:
        return []
    running = _running(place)
    group_names = _group_names(place)
    entries = place.facts.access_entry_arns(place.account, place.region, place.name)
    others = _of_no_group(running, group_names)
    besides = _Besides(place, group_names, others)
    unread = (
        ("running nodes", running),
        ("nodes let in by access entries", entries),
        ("nodes of EKS Auto Mode", place.cluster),
    )
    return [
        *managed_nodes(place, of_groups=of_groups or partial(node_group, running=running)),
        *(partial(_others, place, each) for each in others),
        *(partial(besides.of_role, role) for role in _roles(place, entries)),
        *_unread_finders(place, unread),
    ]


def managed_nodes(place: ClusterPlace, *, of_groups: Callable[[ClusterPlace, str], Nodes | None]) -> list[Finder]:
    """Return a finder for each node group, which `of_groups` finds, and each Fargate profile."""
    facts, account, region, name = place.facts, place.account, place.region, place.name
    groups, profiles = facts.node_group_names(account, region, name), facts.fargate_profile_names(account, region, name)
    return [
        *(partial(of_groups, place, each) for each in (groups if isinstance(groups, tuple) else ())),
        *(partial(fargate_profile, place, each) for each in (profiles if isinstance(profiles, tuple) else ())),
        *_unread_finders(place, (("node groups", groups), ("Fargate profiles", profiles))),
    ]


def nodes_of_role(place: ClusterPlace, role_arn: str) -> list[Finder]:
    """Return finders of the nodes of no node group that have a role: the running ones, else those it lets join.

    Nodes whose role cannot be read may have it, and stand among them with the reason.
    """
    facts, account, region, name = place.facts, place.account, place.region, place.name
    facts.read_ahead(
        [
            lambda: facts.cluster(account, region, name),
            lambda: facts.node_group_names(account, region, name),
            lambda: facts.access_entry(account, region, name, role_arn),
            lambda: instances_of(facts, account, region, name),
        ]
    )
    if place.cluster is None:
        return []
    running = _running(place)
    others = _of_no_group(running, _group_names(place))
    finders: list[Finder] = []
    for each, role in zip(others, facts.side_by_side(partial(_role_of, place), others), strict=True):
        if isinstance(role, Unread):
            finders.append(partial(unread_nodes, place, _title(each), role))
        elif role == role_arn:
            finders.append(partial(_others, place, each))
    unread = (("running nodes", running), ("nodes of EKS Auto Mode", place.cluster))
    besides = _Besides(place, (), others)
    return [*finders, partial(besides.of_role, role_arn), *_unread_finders(place, unread)]


def node_group(place: ClusterPlace, name: str, *, running: Sequence[Instance] | Unread | None = None) -> Nodes | None:
    """Return a node group's running nodes, else those that it will start; None if there is no such node group.

    `running` are all nodes of the cluster, where they have been read.
    """
    facts, account, region = place.facts, place.account, place.region
    group = facts.node_group(account, region, place.name, name)
    if group is None:
        return None
    start(place, group.role_arn if isinstance(group, NodeGroup) else None)
    if running is None:
        running = facts.running_instances(account, region, in_group(place.name, name))
    nodes = () if isinstance(running, Unread) else tuple(i for i in running if i.subnet_id and i.node_group == name)
    if nodes:
        title = f"node group {name} of cluster {place.name}"
        return of_instances(nodes, name=title, group=group, cluster=place.name)
    future = next_of_node_group(place, name)
    return replace(future, unseen=running) if future and isinstance(running, Unread) else future


def next_of_node_group(place: ClusterPlace, name: str) -> Nodes | None:
    """Return the nodes that a node group will start; None if there is no such node group."""
    group = place.facts.node_group(place.account, place.region, place.name, name)
    if isinstance(group, NodeGroup):
        return of_node_group(place.facts, place.account, place.region, group, place.cluster)
    return unread_nodes(place, f"node group {name}", group, node_group=name) if group else None


def fargate_profile(place: ClusterPlace, name: str) -> Nodes | None:
    """Return the pods that a Fargate profile will start; None if there is no such profile."""
    profile = place.facts.fargate_profile(place.account, place.region, place.name, name)
    if isinstance(profile, FargateProfile):
        start(place, profile.role_arn)
        return of_fargate_profile(place.facts, place.account, place.region, profile, place.cluster)
    return unread_nodes(place, f"Fargate profile {name}", profile, fargate_profile=name) if profile else None


def start(place: ClusterPlace, role_arn: str | None) -> None:
    """Begin to read the policies of a role: they are needed, whatever is yet to be known of its nodes."""
    facts, region = place.facts, place.pull_region
    if region and (role := Arn.parse(role_arn or "")):
        account, name = role.account, role.resource.rpartition("/")[2]
        facts.start([partial(kind, account, region, name) for kind in (facts.identity_policies, facts.boundary)])


def read_vpc(place: ClusterPlace) -> None:
    """Read the VPC that the cluster's nodes are in."""
    if isinstance(place.cluster, Cluster):
        vpc_id = place.facts.vpc_of_cluster(place.account, place.region, place.cluster)
        if not isinstance(vpc_id, Unread):
            place.facts.vpc_parts(place.account, place.region, vpc_id)


def _group_names(place: ClusterPlace) -> tuple[str, ...]:
    """Return the names of the node groups, none where they cannot be read."""
    found = place.facts.node_group_names(place.account, place.region, place.name)
    return found if isinstance(found, tuple) else ()


def _running(place: ClusterPlace) -> tuple[Instance, ...] | Unread:
    return instances_of(place.facts, place.account, place.region, place.name)


def _of_no_group(running: tuple[Instance, ...] | Unread, group_names: Sequence[str]) -> list[tuple[Instance, ...]]:
    """Return nodes of no node group, those of one instance profile and node pool together."""
    alike: dict[tuple[str, str | None], list[Instance]] = {}
    for each in () if isinstance(running, Unread) else running:
        if each.node_group not in group_names:
            alike.setdefault((each.profile_arn or each.id, each.node_pool), []).append(each)
    return [tuple(each) for each in alike.values()]


def _others(place: ClusterPlace, instances: tuple[Instance, ...]) -> Nodes:
    pool = f" (node pool {instances[0].node_pool})" if instances[0].node_pool else ""
    title = f"{_title(instances)} of cluster {place.name}{pool}"
    return of_instances(instances, name=title, group=None, cluster=place.name)


def _title(instances: tuple[Instance, ...]) -> str:
    some = ", ".join(each.id for each in instances[:3]) + (" and others" if len(instances) > 3 else "")  # noqa: PLR2004 -- enough to know them by
    return f"nodes {some}"


def _role_of(place: ClusterPlace, instances: tuple[Instance, ...]) -> str | Unread | None:
    """Return the role in the instances' profile, None where there is no profile or no role in it."""
    arn = instances[0].profile_arn
    found = place.facts.instance_profile(place.account, place.region, arn.rpartition("/")[2]) if arn else None
    return found.role_arn if isinstance(found, InstanceProfile) else found


def _roles(place: ClusterPlace, entries: tuple[str, ...] | Unread) -> list[str]:
    """Return the roles that nodes may join the cluster with: by access entry, and EKS Auto Mode's."""
    cluster = place.cluster
    auto = cluster.auto_mode_role if isinstance(cluster, Cluster) else None
    named = () if isinstance(entries, Unread) else entries
    return list(dict.fromkeys(each for each in (auto, *named) if each and may_be_node_role(each)))


@dataclass(frozen=True, slots=True)
class _Besides:
    """Finds nodes outside of the node groups `group_names` and the running `instances`."""

    place: ClusterPlace
    group_names: Sequence[str]
    instances: Sequence[tuple[Instance, ...]]

    def of_role(self, role_arn: str) -> Nodes | None:
        """Return the nodes that may start with this role. None if other nodes have it, or no node can have it.

        No node can have a role that was deleted: its access entry stays (Amazon EKS User Guide, "Create access
        entries"). Fargate roles are left out: a Fargate pod needs a profile, and profiles are listed elsewhere.
        """
        place = self.place
        name = role_arn.rpartition("/")[2]
        cluster = place.cluster
        entry: AccessEntry | Unread | None
        if isinstance(cluster, Cluster) and cluster.auto_mode_role == role_arn:
            entry = AccessEntry(place.name, role_arn, EntryType.AUTO_MODE)
        else:
            entry = place.facts.access_entry(place.account, place.region, place.name, role_arn)
        if isinstance(entry, Unread):
            return unread_nodes(place, f"nodes with the role {role_arn}", entry)
        if entry is None or entry.type in (None, EntryType.FARGATE) or role_arn in self._roles():
            return None
        start(place, role_arn)
        arn = Arn.parse(role_arn)
        account = arn.account if arn else place.account
        gone = place.facts.role(account, place.pull_region or place.region, name) is None
        return None if gone else of_role(place.account, place.region, entry)

    def _roles(self) -> set[str | None]:
        place = self.place
        groups = place.facts.side_by_side(
            lambda name: place.facts.node_group(place.account, place.region, place.name, name), self.group_names
        )
        return {
            *(group.role_arn for group in groups if isinstance(group, NodeGroup)),
            *(
                role
                for role in place.facts.side_by_side(partial(_role_of, place), self.instances)
                if isinstance(role, str)
            ),
        }


def _unread_finders(place: ClusterPlace, read: Iterable[tuple[str, object]]) -> list[Finder]:
    """Return a finder for each of these kinds of nodes that could not be read."""
    return [partial(unread_nodes, place, what, why) for what, why in read if isinstance(why, Unread)]


def unread_nodes(
    place: ClusterPlace, what: str, why: Unread, *, node_group: str | None = None, fargate_profile: str | None = None
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
        unread=why,
    )
