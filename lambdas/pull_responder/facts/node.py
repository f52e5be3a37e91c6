"""The nodes that a pull comes from, or would come from: instances, or what a node group or Fargate profile will start.

A node that is gone is stood in for by its node group, whose next nodes will be in the same subnets with the same
security groups (Amazon EKS User Guide, "Managed node groups", "Customize managed nodes with launch templates").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.facts.compute import Cluster, FargateProfile, NodeGroup
from pull_responder.facts.ec2 import Instance, LaunchTemplate
from pull_responder.facts.eks import ClusterUses
from pull_responder.model.arn import Arn
from pull_responder.model.reading import Unread
from pull_responder.network.model import Network, NodePlace, Subnet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pull_responder.facts.facts import Facts
    from pull_responder.facts.puller import Puller
    from pull_responder.model.pull import PullFailure

_INSTANCE_ID: Final = re.compile(r"i-[0-9a-f]{8,17}")
# Systems Manager's ids of machines outside AWS, by which hybrid nodes name their sessions.
_MANAGED_ID: Final = re.compile(r"mi-[0-9a-f]{17}")
# A node's name is its private DNS name, unless its user data gives it another.
_DNS_NAME: Final = re.compile(r"(?:ip|i)-[0-9a-f-]{7,40}\.[a-z0-9.-]{1,80}")
FARGATE_PREFIX: Final = "fargate-"


@dataclass(frozen=True, slots=True)
class Nodes:
    """Nodes that are alike: of one instance, one node group or one Fargate profile.

    `name` is for people. `instances` run, and a pull comes from one of them; with none, nodes are still to be started,
    in any of `subnet_ids`, with `group_ids`. `subnet_ids` may also hold subnets where no instance runs. `role_arn` is
    what EKS names as their role: None where it names none, and then each instance's profile does. `source_arn` is what
    EKS assumes the role for (aws:SourceArn).
    """

    name: str
    account: str
    region: str
    vpc_id: str | Unread
    instances: tuple[Instance, ...] = ()
    subnet_ids: tuple[str, ...] = ()
    group_ids: tuple[str, ...] | Unread = ()
    cluster: str | None = None
    node_group: str | None = None
    fargate_profile: str | None = None
    role_arn: str | None = None
    template: LaunchTemplate | Unread | None = None
    source_arn: str | None = None

    @property
    def fargate(self) -> bool:
        """Whether these are Fargate pods."""
        return self.fargate_profile is not None

    @property
    def role(self) -> Arn | None:
        """The role that EKS names."""
        return Arn.parse(self.role_arn or "")

    @property
    def own_subnet_ids(self) -> tuple[str, ...]:
        """The subnets that the nodes are in, or may be started in."""
        running = dict.fromkeys(instance.subnet_id for instance in self.instances if instance.subnet_id)
        return tuple(running) or self.subnet_ids

    def places(self, network: Network) -> tuple[NodePlace, ...]:
        """Return where the nodes are: of several instances in a subnet the first, with none a place a subnet."""
        if not self.instances:
            return tuple(self._future(subnet, network) for subnet in self.subnet_ids)
        by_subnet = {each.subnet_id: each for each in reversed(self.instances) if each.subnet_id}
        return tuple(place_of(by_subnet[subnet], subnet) for subnet in self.own_subnet_ids)

    def other_places(self, network: Network) -> tuple[NodePlace, ...]:
        """Return where further nodes may be started, beside the subnets of those that run."""
        others = [subnet for subnet in self.subnet_ids if subnet not in self.own_subnet_ids]
        return tuple(self._future(subnet, network) for subnet in others)

    def _future(self, subnet_id: str, network: Network) -> NodePlace:
        what = "a Fargate pod" if self.fargate else "a node"
        return NodePlace(
            name=f"{what} in {subnet_id}",
            subnet_id=subnet_id,
            group_ids=self.group_ids,
            public_address=None if self.fargate else self._public_address(subnet_id, network),
        )

    def _public_address(self, subnet_id: str, network: Network) -> str | Unread | None:
        if isinstance(self.template, Unread):
            return self.template
        asked = self.template.public_address if self.template else None
        if asked is not None:
            return "one at launch (AssociatePublicIpAddress)" if asked else None
        if isinstance(network.subnets, Unread):
            return network.subnets
        subnet = network.subnets.get(subnet_id, Subnet(subnet_id, ()))
        return "one at launch (MapPublicIpOnLaunch)" if subnet.maps_public_addresses else None


def place_of(instance: Instance, subnet_id: str) -> NodePlace:
    """Return where a running instance is, by its primary interface."""
    return NodePlace(instance.id, subnet_id, instance.group_ids, instance.addresses, instance.public_address)


def of_instances(
    facts: Facts,
    instances: tuple[Instance, ...],
    *,
    name: str,
    group: NodeGroup | Unread | None,
    cluster: str | None = None,
) -> Nodes:
    """Return running nodes, with the other subnets of their node group where that is known.

    `cluster` is what they are known to belong to, in case that they carry no tag of it.
    """
    first = instances[0]
    known = group if isinstance(group, NodeGroup) else None
    return Nodes(
        name=name,
        account=first.account,
        region=first.region,
        vpc_id=first.vpc_id or Unread(f"instance {first.id} is in no VPC"),
        instances=instances,
        subnet_ids=known.subnet_ids if known else (),
        group_ids=first.group_ids,
        cluster=cluster or first.cluster,
        node_group=first.node_group,
        role_arn=known.role_arn if known else None,
        template=_template(facts, first.account, first.region, known),
    )


def of_node_group(facts: Facts, account: str, region: str, group: NodeGroup, cluster: Cluster | Unread | None) -> Nodes:
    """Return the nodes that a node group will start.

    They have the security groups of its launch template, else the cluster's own and the one for remote access.
    """
    template = _template(facts, account, region, group)
    groups: tuple[str, ...] | Unread
    if isinstance(template, LaunchTemplate) and template.group_ids:
        groups = template.group_ids
    elif isinstance(template, Unread):
        groups = template
    else:
        groups = _cluster_groups(cluster, group.remote_access_group_id)
    return Nodes(
        name=f"node group {group.name} of cluster {group.cluster}",
        account=account,
        region=region,
        vpc_id=_vpc_id(facts, account, region, cluster, group.subnet_ids),
        subnet_ids=group.subnet_ids,
        group_ids=groups,
        cluster=group.cluster,
        node_group=group.name,
        role_arn=group.role_arn,
        template=template,
    )


def of_fargate_profile(
    facts: Facts, account: str, region: str, profile: FargateProfile, cluster: Cluster | Unread | None
) -> Nodes:
    """Return the pods that a Fargate profile will start, with the cluster's security group.

    Inference: a SecurityGroupPolicy in the cluster may give pods others, which AWS does not show.
    """
    return Nodes(
        name=f"Fargate profile {profile.name} of cluster {profile.cluster}",
        account=account,
        region=region,
        vpc_id=_vpc_id(facts, account, region, cluster, profile.subnet_ids),
        subnet_ids=profile.subnet_ids,
        group_ids=_cluster_groups(cluster, None),
        cluster=profile.cluster,
        fargate_profile=profile.name,
        role_arn=profile.role_arn,
        source_arn=profile.arn,
    )


def _template(facts: Facts, account: str, region: str, group: NodeGroup | None) -> LaunchTemplate | Unread | None:
    return facts.launch_template(account, region, *group.template) if group and group.template else None


def _cluster_groups(cluster: Cluster | Unread | None, remote: str | None) -> tuple[str, ...] | Unread:
    if isinstance(cluster, Unread):
        return cluster
    if cluster is None or cluster.group_id is None:
        return Unread("the cluster's security group is not known")
    return (cluster.group_id, remote) if remote else (cluster.group_id,)


def _vpc_id(
    facts: Facts, account: str, region: str, cluster: Cluster | Unread | None, subnet_ids: Iterable[str]
) -> str | Unread:
    if isinstance(cluster, Cluster) and cluster.vpc_id:
        return cluster.vpc_id
    return facts.vpc_of_subnets(account, region, tuple(subnet_ids))


def find_nodes(facts: Facts, pull: PullFailure) -> Nodes | Unread:
    """Return the nodes of a failed pull: its instance, or what its node group or Fargate profile will start."""
    principal = pull.principal
    account = (principal.account if principal else None) or pull.account
    if account is None:
        return Unread("the event does not say in which account the node is")
    if _is_hybrid(pull):
        return Unread("it is a hybrid node, and its way to the registry begins outside AWS")
    instance = facts.node_instance(pull)
    if isinstance(instance, Instance) and instance.subnet_id:
        group = None
        if instance.cluster and instance.node_group:
            group = facts.node_group(instance.account, instance.region, instance.cluster, instance.node_group)
        return of_instances(facts, (instance,), name=f"instance {instance.id}", group=group)
    puller = facts.puller(pull)
    for region in facts.regions(pull):
        found = _of_puller(facts, account, region, puller, pull)
        if found is not None:
            return found
    if isinstance(instance, Unread):
        return instance
    return Unread(f"node {_named(pull)} is gone or in another region, and nothing tells its node group or profile")


def _is_hybrid(pull: PullFailure) -> bool:
    session = pull.principal.session_name if pull.principal else None
    return any(_MANAGED_ID.fullmatch(name) for name in (session, pull.node) if name)


def _named(pull: PullFailure) -> str:
    session = pull.principal.session_name if pull.principal else None
    return pull.node or session or "(not named)"


def _of_puller(facts: Facts, account: str, region: str, puller: Puller, pull: PullFailure) -> Nodes | Unread | None:
    """Return what the puller's node group or Fargate profile will start; None if there is none of these here."""
    if puller.cluster is None:
        return None
    cluster = facts.cluster(account, region, puller.cluster)
    if cluster is None:
        return None
    group_name, profile_name = puller.node_group, puller.fargate_profile
    if shared := _sharing_the_role(facts, account, pull, puller.cluster):
        return Unread(
            f"node {_named(pull)} is gone, and {', '.join(shared)} have its role: in which it was is not known"
        )
    if group_name is None and profile_name is None:
        group_name, profile_name = _only_one(facts, account, region, puller.cluster, pull)
    if group_name or profile_name:
        return _of_compute(facts, account, region, cluster, puller.cluster, group_name, profile_name)
    return cluster if isinstance(cluster, Unread) else None


def _of_compute(  # noqa: PLR0913, PLR0917 -- where, and which of the two
    facts: Facts,
    account: str,
    region: str,
    cluster: Cluster | Unread,
    cluster_name: str,
    group_name: str | None,
    profile_name: str | None,
) -> Nodes | Unread | None:
    if group_name is not None:
        group = facts.node_group(account, region, cluster_name, group_name)
        return of_node_group(facts, account, region, group, cluster) if isinstance(group, NodeGroup) else group
    profile = facts.fargate_profile(account, region, cluster_name, profile_name or "")
    return (
        of_fargate_profile(facts, account, region, profile, cluster) if isinstance(profile, FargateProfile) else profile
    )


def _sharing_the_role(facts: Facts, account: str, pull: PullFailure, cluster: str) -> tuple[str, ...]:
    """Return the node groups and profiles of the cluster that have the pulling role, where they are several."""
    name = pull.principal.name if pull.principal else None
    uses = facts.compute_uses(account, pull.region, name) if name else None
    found = uses.found if isinstance(uses, ClusterUses) else ()
    names = tuple(sorted(f"{use.membership} {use.name}" for use in found if use.cluster == cluster))
    return names if len(names) > 1 else ()


def _only_one(
    facts: Facts, account: str, region: str, cluster: str, pull: PullFailure
) -> tuple[str | None, str | None]:
    """Return the one node group or Fargate profile that can have started the node, where there is no other."""
    fargate = pull.node is not None and pull.node.startswith(FARGATE_PREFIX)
    if fargate:
        profiles = facts.fargate_profile_names(account, region, cluster)
        return None, profiles[0] if isinstance(profiles, tuple) and len(profiles) == 1 else None
    groups = facts.node_group_names(account, region, cluster)
    return (groups[0] if isinstance(groups, tuple) and len(groups) == 1 else None), None


def instance_id_of(node: str | None) -> str | None:
    """Return the instance id that a node's name is or begins with ("i-….region.compute.internal"), else None."""
    first = (node or "").partition(".")[0]
    return first if _INSTANCE_ID.fullmatch(first) else None


def private_dns_name(node: str | None) -> str | None:
    """Return the private DNS name that a node's name is, else None."""
    return node if node and _DNS_NAME.fullmatch(node) else None
