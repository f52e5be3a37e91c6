"""The facts about a network, as EC2's Describe calls return them.

A fact is `Unread` if its call failed or was denied. Causes that depend on it stay undecided. `Network` holds tables of
facts: a whole table is Unread if its call failed, and an id that is not in a table counts as unread too.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from pull_responder.model.pull import ECR_PUBLIC_HOSTS
from pull_responder.model.reason import AGAIN, Reason
from pull_responder.model.unread import Unread
from pull_responder.network.firewall_rules import FirewallPolicy
from pull_responder.network.neighbours import Attachment, Owned, Peering, TransitGateway
from pull_responder.network.resolver import FirewallRule, Profile, ResolverRule
from pull_responder.network.zones import HostedZone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.network.resolver_endpoints import ResolverEndpoint

T = TypeVar("T")

PortRange = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Vpc:
    """A VPC.

    - `cidrs`: its IPv4 and IPv6 blocks.
    - `dns_support`, `dns_hostnames`: its attributes enableDnsSupport and enableDnsHostnames.
    - `dns_servers`: `domain-name-servers` of its DHCP options.
    - `owner`: the account that owns it, and may share its subnets with other accounts. Empty if not known.
    """

    id: str
    cidrs: tuple[str, ...]
    dns_support: bool | Unread = True
    dns_hostnames: bool | Unread = True
    dns_servers: tuple[str, ...] | Unread = ("AmazonProvidedDNS",)
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Subnet:
    """A subnet with its IPv4 and IPv6 blocks.

    `availability_zone` is what its account calls the zone, `zone_id` what all accounts call it. Empty if not known.
    `maps_public_addresses` is its MapPublicIpOnLaunch. `owner` is the account that owns it, the same as for its VPC;
    empty if not known. `public_access` is the mode of VPC Block Public Access that EC2 shows for it. `assigns_ipv6` is
    its AssignIpv6AddressOnCreation, `dns64` its EnableDns64.
    """

    id: str
    cidrs: tuple[str, ...]
    availability_zone: str = ""
    maps_public_addresses: bool = False
    owner: str = ""
    public_access: str = "off"
    zone_id: str = ""
    assigns_ipv6: bool = False
    dns64: bool = False


class RouteTarget(StrEnum):
    """The kinds of target of a route. The values are shown to people."""

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
    CORE_NETWORK = "core network of Cloud WAN"
    NETWORK_INTERFACE = "network interface"
    INSTANCE = "instance"
    OTHER = "target outside this VPC"

    @property
    def with_article(self) -> str:
        """The kind with its article, for people."""
        return f"{'an' if self.value[0] in 'eiO' else 'a'} {self.value}"


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

    `active` is false for a route in state blackhole. The route to a NAT instance has two targets, its network interface
    and the instance: `target` is the interface.
    """

    destination: str
    target: str
    active: bool = True

    @property
    def kind(self) -> RouteTarget:
        """What the target is, by the prefix of its id. A core network is named by its ARN."""
        if ":core-network/" in self.target:
            return RouteTarget.CORE_NETWORK
        return _TARGET_PREFIXES.get(self.target.partition("-")[0], RouteTarget.OTHER)

    def __str__(self) -> str:
        return f"{self.destination} -> {self.target}" + ("" if self.active else " (blackhole)")


@dataclass(frozen=True, slots=True)
class RouteTable:
    """A route table. `main` is true if the subnet has no association and so uses the VPC's main table."""

    id: str
    routes: tuple[Route, ...]
    main: bool = False


@dataclass(frozen=True, slots=True)
class SecurityGroupRule:
    """One rule, which allows traffic with one peer.

    - `protocol`: as EC2 writes it ("tcp", "6"; "-1" for all).
    - `ports`: None if the rule names no ports, which means all ports.
    - `peer`: a CIDR block, or the id of a security group or prefix list.
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
    """A security group with its egress and ingress rules. `owner` is its account, empty if not known."""

    id: str
    egress: tuple[SecurityGroupRule, ...] = ()
    ingress: tuple[SecurityGroupRule, ...] = ()
    owner: str = ""


@dataclass(frozen=True, slots=True)
class NetworkAclEntry:
    """One entry of a network ACL.

    - `number`: EC2 applies entries in this order, lowest first.
    - `protocol`: the number of the protocol as text; "-1" for all.
    - `ports`: None for all ports.
    """

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
    """A network ACL. The order of `entries` does not matter, only their numbers do."""

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

    - `type`: Interface, Gateway or GatewayLoadBalancer.
    - `service_region`: the region of its service. None if EC2 returns none, which means the VPC's region.
    - `private_dns_inbound_only`: PrivateDnsOnlyForInboundResolverEndpoint, an option of S3 endpoints.
    - `dns_names`: the names of its DnsEntries, wildcards included.
    - `owner`: the account that owns it. Empty if EC2 returns none.
    - `ip_type`: its IpAddressType (ipv4, dualstack or ipv6). Empty if EC2 returns none.
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
    owner: str = ""
    ip_type: str = ""


@dataclass(frozen=True, slots=True)
class NatGateway:
    """A NAT gateway. `subnet_id` is None for a regional NAT gateway, which has no subnet.

    `zones` are the zones of a regional one, by their names and ids, if it does not expand to others by itself.
    """

    id: str
    state: str
    subnet_id: str | None
    public: bool = True
    private_addresses: tuple[str, ...] = ()
    public_addresses: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class InternetGateway:
    """An internet gateway or egress-only internet gateway. `vpc_id` is None if it is not attached to a VPC."""

    id: str
    vpc_id: str | None


@dataclass(frozen=True, slots=True)
class Firewall:
    """A firewall of AWS Network Firewall.

    `endpoints` has the subnet of each of its endpoints, by the endpoint's id, `not_ready` the state of those that do
    not handle traffic.
    """

    arn: str
    endpoints: Mapping[str, str]
    policy: FirewallPolicy | Unread
    not_ready: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PrefixList:
    """A managed prefix list of AWS or of a customer."""

    id: str
    name: str
    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NodePlace:
    """The place of a node or Fargate pod in the network. It need not exist yet.

    - `name`: for people.
    - `addresses`: the private IPv4 address and the IPv6 addresses of its primary network interface. Empty for a node
      that does not exist yet: it may get any address of its subnet.
    - `public_address`: its public IPv4 address, or words for one that EC2 is certain to assign. None if it has none.
    - `assumption`: the condition under which `group_ids` are its security groups. Empty if that is certain.

    An EC2 node pulls over its primary network interface. The groups that a SecurityGroupPolicy gives to pods do not
    matter: they apply to the branch interfaces of the pods, and containerd runs in no pod (Amazon EKS User Guide,
    "Assign security groups to individual Pods"; kubelet pulls images outside of pods). A Fargate pod pulls over its own
    network interface.
    """

    name: str
    subnet_id: str
    group_ids: tuple[str, ...] | Unread
    addresses: tuple[str, ...] = ()
    public_address: str | Unread | None = None
    assumption: str = ""


@dataclass(frozen=True, slots=True)
class RegistryPlace:
    """The registry of a pull: its host name, without scheme, port or path, and its region."""

    host: str
    region: str

    @property
    def public(self) -> bool:
        """Whether this is ECR Public. No interface endpoint serves its images."""
        return self.host in ECR_PUBLIC_HOSTS

    @property
    def fips(self) -> bool:
        """Whether the host is a FIPS endpoint of ECR."""
        return "ecr-fips" in self.host.split(".", 3)[1:3] or "dkr-ecr-fips" in self.host.split(".", 2)[1:2]

    @property
    def dual_stack(self) -> bool:
        """Whether the host also has IPv6 addresses (ECR and ECR Public User Guides, "Making requests to …")."""
        suffixes = (".on.aws", ".on.amazonwebservices.com.cn", ".on.amazonwebservices.eu")
        return self.host.endswith(suffixes) or self.host == "ecr-public.aws.com"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is known of the networks around the node's VPC, each by its id.

    - `tables`: route tables of transit gateways. The target of a route is an attachment; it is "several attachments"
      if the route has more than one.
    - `endpoints`: where the endpoints are that private hosted zones lead to; None if the asked account has none such.
    - `resolvers`: the outbound endpoints of Resolver rules; None if the asked account has none such.
    - `names`: the VPCs of these endpoints, with what decides who answers a name there.
    - `inbound`: the inbound Resolver endpoints of those VPCs.
    - `attachments`: the attachments of other VPCs than the node's, as the VPC's account sees them, by the VPC's id.
      They are read only where a way leaves such a VPC over another gateway than the one by which it came.
    """

    gateways: Mapping[str, TransitGateway | Unread] = field(default_factory=dict)
    tables: Mapping[str, RouteTable | Unread] = field(default_factory=dict)
    vpcs: Mapping[str, Network | Unread] = field(default_factory=dict)
    endpoints: Mapping[str, Owned | Unread | None] = field(default_factory=dict)
    resolvers: Mapping[str, ResolverEndpoint | Unread | None] = field(default_factory=dict)
    names: Mapping[str, Network | Unread] = field(default_factory=dict)
    inbound: Mapping[str, tuple[ResolverEndpoint, ...] | Unread] = field(default_factory=dict)
    attachments: Mapping[str, tuple[Attachment, ...] | Unread] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Network:
    """Everything that was read about a VPC: the node's, or one behind it.

    - `region`: the VPC's region.
    - `account`: the account with whose credentials it was read. Empty if not known.
    - `route_tables`, `network_acls`: keyed by subnet id. A subnet without an association has the main table or the
      default ACL. A table that an internet gateway is associated with is there by the gateway's id, too: it routes what
      comes in by the gateway.
    - All other tables: keyed by the resource's own id.
    - `private_zones`: the names of the private hosted zones associated with the VPC, without those of AWS's endpoints.
      The zones that come by a Route 53 Profile are not among them.
    - `hosted_zones`: those of them that may answer for names of ECR and S3, with their records, as far as read.
    - `resolver_rules`: the Resolver rules associated with the VPC. A rule is Unread if its domain could not be read.
    - `profiles`: the Route 53 Profiles associated with the VPC.
    - `firewall_rules`: the rules of DNS Firewall for the VPC, in the order in which they apply.
    - `asked_server`: the DNS server that the node was seen to ask. Empty if that is not known.
    - `firewalls`: the firewalls of the VPC, if its route tables have routes to endpoints that may be theirs.
    - `peerings`: the peering connections to which the VPC's route tables have routes.
    - `attachments`: the VPC's attachments to transit gateways, if its route tables have routes to some.
    - `around`: what is known of the networks behind the VPC. Only the node's VPC has it.
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
    hosted_zones: tuple[HostedZone, ...] = ()
    resolver_rules: tuple[ResolverRule | Unread, ...] | Unread = ()
    profiles: tuple[Profile, ...] | Unread = ()
    firewall_rules: tuple[FirewallRule, ...] | Unread = ()
    asked_server: str = ""
    account: str = ""
    firewalls: tuple[Firewall, ...] | Unread = ()
    peerings: Mapping[str, Peering] | Unread = field(default_factory=dict)
    attachments: tuple[Attachment, ...] | Unread = ()
    around: Surroundings = field(default_factory=Surroundings)

    @property
    def owner(self) -> str:
        """The account that owns the VPC, by the VPC's record, else the account that was read."""
        return ("" if isinstance(self.vpc, Unread) else self.vpc.owner) or self.account


def read(table: Mapping[str, T] | Unread, key: str, what: str) -> T | Unread:
    """Return the fact for `key`, or Unread if it is not known. `what` names the fact in the reason."""
    if isinstance(table, Unread):
        return table
    return table.get(key, Unread(Reason(f"{what} was not found", AGAIN)))
