"""Facts of EC2 and EKS about what runs pods: clusters, node groups, Fargate profiles, instances and their VPC."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pull_responder.facts import (
    compute,
    ec2,
    eks,
    endpoints,
    neighbour_vpc,
    neighbours,
    network,
    onward,
    pod_interface,
    regions,
    resolver_endpoints,
)
from pull_responder.facts.remembered import Remembered, once
from pull_responder.facts.vpc import VpcPlace
from pull_responder.model.unread import Unread
from pull_responder.network.zones import endpoints_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pull_responder.network.model import Network, RouteTable
    from pull_responder.network.neighbours import Attachment, Owned, TransitGateway
    from pull_responder.network.resolver_endpoints import ResolverEndpoint
    from pull_responder.network.zones import HostedZone


class ComputeFacts(Remembered):
    """Facts of EC2 and EKS."""

    @once
    def cluster_names(self, account: str | None, region: str, /) -> tuple[str, ...] | Unread:
        """Return the names of the region's clusters."""
        return eks.read_clusters(self._reader, account, region)

    @once
    def cluster(self, account: str | None, region: str, name: str, /) -> compute.Cluster | Unread | None:
        """Return a cluster."""
        return compute.read_cluster(self._reader, account, region, name)

    @once
    def node_group_names(self, account: str | None, region: str, cluster: str, /) -> tuple[str, ...] | Unread | None:
        """Return the names of a cluster's node groups; None if there is no such cluster."""
        return compute.read_node_group_names(self._reader, account, region, cluster)

    @once
    def node_group(
        self, account: str | None, region: str, cluster: str, name: str, /
    ) -> compute.NodeGroup | Unread | None:
        """Return a managed node group."""
        return compute.read_node_group(self._reader, account, region, cluster, name)

    @once
    def fargate_profile_names(
        self, account: str | None, region: str, cluster: str, /
    ) -> tuple[str, ...] | Unread | None:
        """Return the names of a cluster's Fargate profiles; None if there is no such cluster."""
        return compute.read_fargate_profile_names(self._reader, account, region, cluster)

    @once
    def fargate_profile(
        self, account: str | None, region: str, cluster: str, name: str, /
    ) -> compute.FargateProfile | Unread | None:
        """Return a Fargate profile."""
        return compute.read_fargate_profile(self._reader, account, region, cluster, name)

    @once
    def access_entry_arns(self, account: str | None, region: str, cluster: str, /) -> tuple[str, ...] | Unread:
        """Return the principals that have an access entry in a cluster."""
        return compute.read_access_entry_arns(self._reader, account, region, cluster)

    @once
    def access_entry(
        self, account: str | None, region: str, cluster: str, principal_arn: str, /
    ) -> compute.AccessEntry | Unread | None:
        """Return a principal's access entry."""
        return compute.read_access_entry(self._reader, account, region, cluster, principal_arn)

    @once
    def access_entries(
        self, account: str | None, region: str, cluster: str, /
    ) -> tuple[compute.AccessEntry, ...] | Unread:
        """Return the access entries of the cluster's nodes. Unread unless all could be read."""
        arns = self.access_entry_arns(account, region, cluster)
        if isinstance(arns, Unread):
            return arns
        # Skip users, roles of IAM Identity Center and service roles of AWS: they are no nodes.
        may_be = [arn for arn in arns if compute.may_be_node_role(arn)]
        found = self._reader.each(lambda arn: self.access_entry(account, region, cluster, arn), may_be)
        if unread := next((each for each in found if isinstance(each, Unread)), None):
            return unread
        return tuple(each for each in found if isinstance(each, compute.AccessEntry) and each.type)

    @once
    def running_instances(
        self, account: str | None, region: str, filters: tuple[tuple[str, tuple[str, ...]], ...], /
    ) -> tuple[ec2.Instance, ...] | Unread:
        """Return the running instances that all filters match."""
        return ec2.read_running_instances(self._reader, account, region, dict(filters))

    @once
    def instance_of_id(self, account: str, region: str, instance_id: str, /) -> ec2.Instance | Unread | None:
        """Return an instance. None if it is gone, or in another account or region."""
        return ec2.read_instance(self._reader, account, region, instance_id)

    @once
    def instance_named(
        self, account: str, region: str, name: str, cluster: str | None, /
    ) -> ec2.Instance | Unread | None:
        """Return the running instance with a private DNS name. None unless exactly one (in the cluster) has it."""
        found = ec2.read_running_instances(self._reader, account, region, {"private-dns-name": (name,)})
        if isinstance(found, Unread):
            return found
        # Private DNS names come from private addresses, which several VPCs may use.
        ours = [each for each in found if cluster is None or each.cluster == cluster]
        if len(ours) != 1:
            return None
        # Later reads ask for it by its id, too, once its role is known.
        return self._reader.once(("instance_of_id", account, region, ours[0].id), lambda: ours[0])

    @once
    def enabled_regions(self, account: str, region: str, /) -> tuple[str, ...] | Unread:
        """Return the regions that are enabled for an account, as EC2 says in `region`."""
        return regions.read_enabled_regions(self._reader, account, region)

    @once
    def launch_template(
        self, account: str, region: str, template_id: str, version: str, /
    ) -> ec2.LaunchTemplate | Unread | None:
        """Return a version of a launch template."""
        return ec2.read_launch_template(self._reader, account, region, template_id, version)

    @once
    def vpc_of_subnets(self, account: str, region: str, subnet_ids: tuple[str, ...], /) -> str | Unread:
        """Return the VPC that subnets are in."""
        return network.read_vpc_id(self._reader, account, region, subnet_ids)

    @once
    def pod_interface(
        self, account: str, region: str, vpc_id: str, address: str, /
    ) -> pod_interface.PodInterface | Unread | None:
        """Return the interface of a Fargate pod by its address. None where the pod is gone."""
        place = VpcPlace(account, region, vpc_id)
        return pod_interface.read_pod_interface(self._reader, place, address)

    def vpc_of_cluster(self, account: str, region: str, cluster: compute.Cluster, /) -> str | Unread:
        """Return the VPC that a cluster and its nodes are in."""
        return cluster.vpc_id or self.vpc_of_subnets(account, region, cluster.subnet_ids)

    @once
    def vpc_parts(self, account: str, region: str, vpc_id: str, /) -> network.VpcParts:
        """Return every part of a VPC that a path to the registry can depend on."""
        ahead = onward.Ahead(
            lambda near: self._gateway_ahead(near, region), lambda zone: self._zone_ahead(zone, region)
        )
        return network.read_vpc_parts(self._reader, account, region, vpc_id, ahead)

    def _gateway_ahead(self, near: Attachment, region: str) -> None:
        """Start to read the gateway that a VPC is attached to, and the table that routes what comes from the VPC."""
        reads: list[Callable[[], object]] = []
        if near.gateway_owner and not near.is_gone:
            reads = [lambda: self.transit_gateway(near.gateway_owner, region, near.gateway_id)]
            if near.table_id:
                reads.append(lambda: self.transit_gateway_table(near.gateway_owner, region, near.table_id))
        self.start(reads)

    def _zone_ahead(self, zone: HostedZone, region: str) -> None:
        """Start to read where the endpoints are that a hosted zone leads to."""
        names = endpoints_of(zone)
        self.start([partial(self.endpoint_place, zone.owner, region, each) for each in names])

    @once
    def neighbour(self, account: str, region: str, vpc_id: str, /) -> Network | Unread:
        """Return a VPC behind the nodes'. `account` owns it."""
        return neighbour_vpc.read_neighbour(self._reader, account, region, vpc_id)

    @once
    def attachments(self, account: str, region: str, vpc_id: str, /) -> tuple[Attachment, ...] | Unread:
        """Return the attachments of a VPC to transit gateways, as `account` sees them, which owns the VPC."""
        return neighbours.read_attachments(self._reader, VpcPlace(account, region, vpc_id))

    @once
    def transit_gateway(self, account: str, region: str, gateway_id: str, /) -> TransitGateway | Unread:
        """Return a transit gateway with all its attachments. `account` owns it."""
        return neighbours.read_gateway(self._reader, account, region, gateway_id)

    @once
    def transit_gateway_table(self, account: str, region: str, table_id: str, /) -> RouteTable | Unread:
        """Return a route table of a transit gateway. `account` owns the gateway."""
        return neighbours.read_gateway_table(self._reader, account, region, table_id)

    @once
    def resolver_endpoint(self, account: str, region: str, endpoint_id: str, /) -> ResolverEndpoint | Unread | None:
        """Return a Resolver endpoint of the account with its addresses. None if it is gone."""
        return resolver_endpoints.read_resolver_endpoint(self._reader, account, region, endpoint_id)

    @once
    def inbound_endpoints(self, account: str, region: str, vpc_id: str, /) -> tuple[ResolverEndpoint, ...] | Unread:
        """Return the inbound Resolver endpoints of a VPC that the account owns."""
        return resolver_endpoints.read_inbound_endpoints(self._reader, account, region, vpc_id)

    @once
    def endpoint_place(self, account: str, region: str, endpoint_id: str, /) -> Owned | Unread | None:
        """Return in which VPC an interface endpoint of the account is. None if the account has no such endpoint."""
        return endpoints.read_endpoint_place(self._reader, account, region, endpoint_id)
