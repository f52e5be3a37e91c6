"""The nodes that a pull comes from, or would come from: running instances, or what EKS will start."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pull_responder.facts.compute import AccessEntry, Cluster, EntryType, FargateProfile, NodeGroup
from pull_responder.facts.ec2 import Instance, LaunchTemplate
from pull_responder.model.arn import Arn
from pull_responder.model.reason import RUNNING, Reason
from pull_responder.model.unread import Unread
from pull_responder.network.model import Network, NodePlace, Subnet

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pull_responder.facts.facts import Facts

FARGATE_PREFIX: Final = "fargate-"


@dataclass(frozen=True, slots=True)
class Nodes:
    """Nodes that are alike: of one instance, one node group, one Fargate profile or one role.

    - `name` is for people.
    - `instances` are the running ones. Where there are none, EKS will start nodes in any of `subnet_ids`, with the
      security groups `group_ids`. `subnet_ids` may also hold subnets where no instance runs.
    - `fargate` says that they are Fargate pods. Their profile may still be unknown.
    - `role_arn` is the role that EKS names for them. Where it names none, each instance's profile does.
    - `source_arn` is the ARN for which EKS assumes the role (aws:SourceArn).
    - `launch_template` is the id and version of their template.
    - `template` is the template's content. `with_template` reads it for running nodes, which seldom need it.
    - `elsewhere` says where nodes run that EC2 does not show. It is empty for all others.
    - `unseen` says why the running nodes could not be listed, `unread` why nothing about them could be read.
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
    fargate: bool = False
    fargate_profile: str | None = None
    role_arn: str | None = None
    launch_template: tuple[str, str] | None = None
    template: LaunchTemplate | Unread | None = None
    source_arn: str | None = None
    elsewhere: str = ""
    unseen: Unread | None = None
    unread: Unread | None = None

    @property
    def role(self) -> Arn | None:
        """The role that EKS names."""
        return Arn.parse(self.role_arn or "")

    @property
    def is_role_alone(self) -> bool:
        """Whether their role is known and nothing else, as none of them runs where EC2 shows it: see `of_role`."""
        return bool(self.role_arn) and not (self.instances or self.subnet_ids or self.node_group or self.fargate)

    @property
    def own_subnet_ids(self) -> tuple[str, ...]:
        """The subnets that the nodes are in, or may be started in."""
        running = dict.fromkeys(instance.subnet_id for instance in self.instances if instance.subnet_id)
        return tuple(running) or self.subnet_ids

    def places(self, network: Network) -> tuple[NodePlace, ...]:
        """Return where the nodes are, one place a subnet. The first instance in a subnet stands for the others."""
        if not self.instances:
            return tuple(self._future(subnet, network) for subnet in self.subnet_ids)
        by_subnet = {each.subnet_id: each for each in reversed(self.instances) if each.subnet_id}
        return tuple(place_of(by_subnet[subnet], subnet) for subnet in self.own_subnet_ids)

    def other_places(self, network: Network) -> tuple[NodePlace, ...]:
        """Return where further nodes may be started: the subnets in which no instance runs."""
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


def with_template(nodes: Nodes, facts: Facts) -> Nodes:
    """Return the nodes with the content of their launch template."""
    if nodes.launch_template is None or nodes.template is not None:
        return nodes
    return replace(nodes, template=facts.launch_template(nodes.account, nodes.region, *nodes.launch_template))


def place_of(instance: Instance, subnet_id: str) -> NodePlace:
    """Return where a running instance is, by its primary interface."""
    return NodePlace(instance.id, subnet_id, instance.group_ids, instance.addresses, instance.public_address)


def of_instances(
    instances: tuple[Instance, ...],
    *,
    name: str,
    group: NodeGroup | Unread | None,
    cluster: str | None = None,
) -> Nodes:
    """Return running nodes, with the other subnets of their node group where that is known.

    `cluster` is the cluster that they are known to belong to, for instances without its tag.
    """
    first = instances[0]
    known = group if isinstance(group, NodeGroup) else None
    return Nodes(
        name=name,
        account=first.account,
        region=first.region,
        vpc_id=first.vpc_id or Unread(Reason(f"instance {first.id} is in no VPC", RUNNING)),
        instances=instances,
        subnet_ids=known.subnet_ids if known else (),
        group_ids=first.group_ids,
        cluster=cluster or first.cluster,
        node_group=first.node_group,
        role_arn=known.role_arn if known else None,
        launch_template=known.template if known else None,
    )


def of_node_group(facts: Facts, account: str, region: str, group: NodeGroup, cluster: Cluster | Unread | None) -> Nodes:
    """Return the nodes that a node group will start.

    They have the security groups of its launch template, else the cluster's own group and the one for remote access.
    """
    template = facts.launch_template(account, region, *group.template) if group.template else None
    if group.template and template is None:
        template = Unread(
            Reason(
                f"launch template {group.template[0]} of node group {group.name} does not exist",
                f"Update node group {group.name} to a launch template that exists.",
            )
        )
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
        launch_template=group.template,
        template=template,
    )


def of_fargate_profile(
    facts: Facts, account: str, region: str, profile: FargateProfile, cluster: Cluster | Unread | None
) -> Nodes:
    """Return the pods that a Fargate profile will start, with the cluster's security group.

    Inference: a SecurityGroupPolicy in the cluster may give pods other groups. AWS does not show these policies.
    """
    return Nodes(
        name=f"Fargate profile {profile.name} of cluster {profile.cluster}",
        account=account,
        region=region,
        vpc_id=_vpc_id(facts, account, region, cluster, profile.subnet_ids),
        subnet_ids=profile.subnet_ids,
        group_ids=_cluster_groups(cluster, None),
        cluster=profile.cluster,
        fargate=True,
        fargate_profile=profile.name,
        role_arn=profile.role_arn,
        source_arn=profile.arn,
    )


# Where nodes run that EC2 does not show. Amazon EKS User Guide, "Amazon EKS Hybrid Nodes overview"; Amazon SageMaker AI
# Developer Guide, "SageMaker HyperPod with Amazon EKS orchestration".
_ELSEWHERE: Final = {
    EntryType.HYBRID: "hybrid nodes run outside AWS",
    EntryType.HYPERPOD: "HyperPod nodes run in an account of Amazon SageMaker",
}


def of_role(account: str, region: str, entry: AccessEntry, *, name: str | None = None) -> Nodes:
    """Return nodes of which only the role is known: an access entry lets them into the cluster.

    Karpenter, EKS Auto Mode or another tool starts them, and only that tool decides on their subnet and instance
    profile.
    """
    elsewhere = _ELSEWHERE.get(entry.type, "") if entry.type else ""
    if elsewhere:
        unknown = Unread(
            Reason(
                f"{elsewhere}, so the first part of their path to the registry cannot be read",
                "On such a node, run `curl -v` for the path /v2/ of the registry's host.",
            )
        )
    else:
        unknown = Unread(
            f"no node with the role {entry.principal_arn} is running, and AWS does not show where one would start"
        )
    return Nodes(
        name=name
        or f"nodes with the role {entry.principal_arn} of cluster {entry.cluster} ({entry.type} access entry)",
        account=account,
        region=region,
        vpc_id=unknown,
        group_ids=unknown,
        cluster=entry.cluster,
        role_arn=entry.principal_arn,
        template=unknown,
        elsewhere=elsewhere,
    )


def of_template(facts: Facts, instance: Instance) -> Nodes | Unread | None:
    """Return what the launch template of a terminated instance will start, None without a template."""
    if instance.template is None:
        return None
    template = facts.launch_template(instance.account, instance.region, *instance.template)
    if template is None or isinstance(template, Unread):
        return template
    nowhere = Unread(
        Reason(f"instance {instance.id} is gone, and its launch template {template.id} names no subnet", RUNNING)
    )
    subnet_ids = (template.subnet_id,) if template.subnet_id else ()
    return Nodes(
        name=f"launch template {template.id} of instance {instance.id}, which is gone",
        account=instance.account,
        region=instance.region,
        vpc_id=facts.vpc_of_subnets(instance.account, instance.region, subnet_ids) if subnet_ids else nowhere,
        subnet_ids=subnet_ids,
        group_ids=template.group_ids
        or Unread(Reason(f"launch template {template.id} names no security group", RUNNING)),
        cluster=instance.cluster,
        template=template,
    )


def _cluster_groups(cluster: Cluster | Unread | None, remote: str | None) -> tuple[str, ...] | Unread:
    if isinstance(cluster, Unread):
        return cluster
    if cluster is None or cluster.group_id is None:
        return Unread(Reason("the cluster's security group is not known", RUNNING))
    return (cluster.group_id, remote) if remote else (cluster.group_id,)


def _vpc_id(
    facts: Facts, account: str, region: str, cluster: Cluster | Unread | None, subnet_ids: Iterable[str]
) -> str | Unread:
    if isinstance(cluster, Cluster) and (cluster.vpc_id or cluster.subnet_ids):
        return facts.vpc_of_cluster(account, region, cluster)
    return facts.vpc_of_subnets(account, region, tuple(subnet_ids))
