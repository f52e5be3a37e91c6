"""What is known of a network: plain facts, as EC2's Describe calls give them.

A fact is `Unread` where the call that gives it failed or was denied; what hangs on it stays undecided. In the
tables of `Network` a whole table is Unread when its call failed; an id that a table lacks counts as unread too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from pull_responder.model.pull import ECR_PUBLIC_HOSTS
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")

PortRange = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Vpc:
    """A VPC. `cidrs` holds its IPv4 and IPv6 blocks; `dns_servers` is `domain-name-servers` of its DHCP options.

    `owner` is the account it belongs to, which may share its subnets with others; empty where that is not known.
    """

    id: str
    cidrs: tuple[str, ...]
    dns_support: bool | Unread = True
    dns_hostnames: bool | Unread = True
    dns_servers: tuple[str, ...] | Unread = ("AmazonProvidedDNS",)
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet with its IPv4 and IPv6 blocks. `maps_public_addresses` is its MapPublicIpOnLaunch.

    `owner` is the account it belongs to, as its whole VPC does; empty where that is not known.
    """

    id: str
    cidrs: tuple[str, ...]
    availability_zone: str = ""
    maps_public_addresses: bool = False
    owner: str = ""


class RouteTarget(StrEnum):
    """What a route leads to, in words; the values are for people."""

    LOCAL = "local"
    INTERNET_GATEWAY = "internet gateway"
    EGRESS_ONLY_INTERNET_GATEWAY = "egress-only internet gateway"
    NAT_GATEWAY = "NAT gateway"
    VPC_ENDPOINT = "VPC endpoint"
    TRANSIT_GATEWAY = "transit gateway"
    VPC_PEERING = "VPC peering connection"
    VIRTUAL_PRIVATE_GATEWAY = "virtual private gateway"
    LOCAL_GATEWAY = "Outposts local gateway"
    CARRIER_GATEWAY = "carrier gateway"
    NETWORK_INTERFACE = "network interface"
    INSTANCE = "instance"
    OTHER = "target outside this VPC"


_TARGET_PREFIXES = {
    "igw": RouteTarget.INTERNET_GATEWAY,
    "eigw": RouteTarget.EGRESS_ONLY_INTERNET_GATEWAY,
    "nat": RouteTarget.NAT_GATEWAY,
    "vpce": RouteTarget.VPC_ENDPOINT,
    "tgw": RouteTarget.TRANSIT_GATEWAY,
    "pcx": RouteTarget.VPC_PEERING,
    "vgw": RouteTarget.VIRTUAL_PRIVATE_GATEWAY,
    "lgw": RouteTarget.LOCAL_GATEWAY,
    "cagw": RouteTarget.CARRIER_GATEWAY,
    "eni": RouteTarget.NETWORK_INTERFACE,
    "i": RouteTarget.INSTANCE,
    "local": RouteTarget.LOCAL,
}


@dataclass(frozen=True, slots=True)
class Route:
    """One route: `destination` is a CIDR block or a prefix list's id, `target` an id or "local".

    `active` is false for a route in state blackhole. A stopped NAT instance has both an interface and an
    instance id as target: give the interface's.
    """

    destination: str
    target: str
    active: bool = True

    @property
    def kind(self) -> RouteTarget:
        """What the target is, by the prefix of its id."""
        return _TARGET_PREFIXES.get(self.target.partition("-")[0], RouteTarget.OTHER)

    def __str__(self) -> str:
        return f"{self.destination} -> {self.target}" + ("" if self.active else " (blackhole)")


@dataclass(frozen=True, slots=True)
class RouteTable:
    """A route table. `main` says that the subnet uses it only as the VPC's main table, not by an association."""

    id: str
    routes: tuple[Route, ...]
    main: bool = False


@dataclass(frozen=True, slots=True)
class SecurityGroupRule:
    """One allow rule towards one peer.

    `peer` is a CIDR block, a security group's id or a prefix list's. `protocol` is EC2's word ("tcp", "6", "-1" for
    all); `ports` is None where the rule names none, which means all of them.
    """

    id: str
    protocol: str
    ports: PortRange | None
    peer: str

    def __str__(self) -> str:
        if self.protocol == "-1":
            return f"{self.id} (all traffic, {self.peer})"
        ports = "all ports" if self.ports is None else "-".join(str(port) for port in dict.fromkeys(self.ports))
        return f"{self.id} ({self.protocol} {ports}, {self.peer})"


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """A security group with its rules both ways; `owner` is its account, empty where that is not known."""

    id: str
    egress: tuple[SecurityGroupRule, ...] = ()
    ingress: tuple[SecurityGroupRule, ...] = ()
    owner: str = ""


@dataclass(frozen=True, slots=True)
class NetworkAclEntry:
    """One entry. `number` sets the order, lowest first; `protocol` is a number as text, "-1" for all."""

    number: int
    allow: bool
    egress: bool
    cidr: str
    protocol: str = "-1"
    ports: PortRange | None = None

    def __str__(self) -> str:
        number = "*" if self.number >= 32767 else str(self.number)  # noqa: PLR2004 -- EC2's number of the last entry
        action, way = "allows" if self.allow else "denies", "egress" if self.egress else "ingress"
        ports = "" if self.ports is None else " ports " + "-".join(str(port) for port in dict.fromkeys(self.ports))
        return f"{way} entry {number} {action} protocol {self.protocol}{ports} {self.cidr}"


@dataclass(frozen=True, slots=True)
class NetworkAcl:
    """A network ACL; the order of `entries` does not matter, their numbers do."""

    id: str
    entries: tuple[NetworkAclEntry, ...]


@dataclass(frozen=True, slots=True)
class EndpointInterface:
    """One network interface of an interface endpoint."""

    subnet_id: str
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VpcEndpoint:
    """A VPC endpoint of the node's VPC.

    `type` is Interface, Gateway or GatewayLoadBalancer. `service_region` is None where EC2 gives none: then it is the
    VPC's own. `private_dns_inbound_only` is S3's PrivateDnsOnlyForInboundResolverEndpoint. `dns_names` are the names
    of its DnsEntries, wildcards included.
    """

    id: str
    type: str
    service_name: str
    state: str = "available"
    service_region: str | None = None
    private_dns: bool = False
    private_dns_inbound_only: bool = False
    subnet_ids: tuple[str, ...] = ()
    interfaces: tuple[EndpointInterface, ...] | Unread = ()
    group_ids: tuple[str, ...] = ()
    route_table_ids: tuple[str, ...] = ()
    policy: str | None = None
    dns_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NatGateway:
    """A NAT gateway. `subnet_id` is None for a regional one, which has no subnet of its own."""

    id: str
    state: str
    subnet_id: str | None
    public: bool = True
    private_addresses: tuple[str, ...] = ()
    public_addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InternetGateway:
    """An internet gateway or egress-only internet gateway; `vpc_id` is None while it is attached to nothing."""

    id: str
    vpc_id: str | None


@dataclass(frozen=True, slots=True)
class PrefixList:
    """A managed prefix list, AWS's or a customer's."""

    id: str
    name: str
    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NodePlace:
    """Where a node (or Fargate pod) is, or would be.

    `name` is for people. `addresses` are its primary interface's private IPv4 and its IPv6 addresses; empty for a node
    that does not exist yet, which may then have any address of its subnet. `public_address` is the public IPv4
    address, or any words for one that is sure to be assigned; None means there is none. `assumption` says what has to
    hold for `group_ids` to be its groups, where that is not sure.

    An EC2 node pulls over its primary interface, whatever groups a SecurityGroupPolicy gives its pods: those are on the
    branch interfaces of the pods, and containerd is none of them (Amazon EKS User Guide, "Assign security groups to
    individual Pods"; that images are pulled outside of pods is how kubelet works). A Fargate pod pulls over its own.
    """

    name: str
    subnet_id: str
    group_ids: tuple[str, ...] | Unread
    addresses: tuple[str, ...] = ()
    public_address: str | Unread | None = None
    assumption: str = ""


@dataclass(frozen=True, slots=True)
class RegistryPlace:
    """The registry a pull goes to: its host name (no scheme, port or path) and its region."""

    host: str
    region: str

    @property
    def public(self) -> bool:
        """Whether this is ECR Public, which no interface endpoint serves to container clients."""
        return self.host in ECR_PUBLIC_HOSTS

    @property
    def fips(self) -> bool:
        """Whether the host is a FIPS one."""
        return "ecr-fips" in self.host.split(".", 3)[1:3] or "dkr-ecr-fips" in self.host.split(".", 2)[1:2]

    @property
    def dual_stack(self) -> bool:
        """Whether the host has IPv6 addresses, too (ECR and ECR Public User Guides, "Making requests to …")."""
        return self.host.endswith((".on.aws", ".on.amazonwebservices.com.cn")) or self.host == "ecr-public.aws.com"


@dataclass(frozen=True, slots=True)
class Network:
    """Everything read about the node's VPC.

    `region` is the VPC's. Route tables and network ACLs are keyed by subnet id, after the fallback to the main table
    and the default ACL; the rest by their own id. `private_zones` are the names of the private hosted zones
    associated with the VPC, those of AWS's own endpoints left out.
    """

    region: str
    vpc: Vpc | Unread
    subnets: Mapping[str, Subnet] | Unread = field(default_factory=dict)
    route_tables: Mapping[str, RouteTable] | Unread = field(default_factory=dict)
    network_acls: Mapping[str, NetworkAcl] | Unread = field(default_factory=dict)
    security_groups: Mapping[str, SecurityGroup] | Unread = field(default_factory=dict)
    endpoints: tuple[VpcEndpoint, ...] | Unread = ()
    nat_gateways: Mapping[str, NatGateway] | Unread = field(default_factory=dict)
    internet_gateways: Mapping[str, InternetGateway] | Unread = field(default_factory=dict)
    egress_only_gateways: Mapping[str, InternetGateway] | Unread = field(default_factory=dict)
    prefix_lists: Mapping[str, PrefixList | Unread] | Unread = field(default_factory=dict)
    private_zones: tuple[str, ...] | Unread = ()


def read(table: Mapping[str, T] | Unread, key: str, what: str) -> T | Unread:
    """Return what `table` holds for `key`, or why that is unknown; `what` names it for people."""
    if isinstance(table, Unread):
        return table
    return table.get(key, Unread(f"{what} was not found"))
