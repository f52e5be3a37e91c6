"""Small estates for the network tests: a node behind NAT, in a public subnet, and with endpoints only.

One VPC, 10.0.0.0/16, with the node's subnet `subnet-node`, a public one that holds the NAT gateway and one that holds
the endpoints' interfaces. Every change returns a new estate.
"""

# ruff: noqa: ANN401 -- `**facts` are any fields of a dataclass

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pull_responder.model.sighting import Sighting
from pull_responder.network import (
    EndpointInterface,
    InternetGateway,
    NatGateway,
    Network,
    NetworkAcl,
    NetworkAclEntry,
    NodePlace,
    Path,
    PathCause,
    PrefixList,
    RegistryPlace,
    Route,
    RouteTable,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
    Unread,
    Vpc,
    VpcEndpoint,
    trace,
)

REGION = "eu-west-1"
HOST = "111111111111.dkr.ecr.eu-west-1.amazonaws.com"
LOCAL = Route("10.0.0.0/16", "local")
TO_NAT = Route("0.0.0.0/0", "nat-1")
TO_IGW = Route("0.0.0.0/0", "igw-1")
TO_S3 = Route("pl-s3", "vpce-s3")
ALLOW_ALL = NetworkAcl(
    "acl-open",
    tuple(
        NetworkAclEntry(number, allow=True, egress=egress, cidr=cidr)
        for egress in (True, False)
        for number, cidr in ((100, "0.0.0.0/0"), (101, "::/0"))
    ),
)
EVERYTHING_OUT = SecurityGroupRule("sgr-out", "-1", None, "0.0.0.0/0")
NODES_IN = SecurityGroupRule("sgr-in", "tcp", (443, 443), "sg-node")
DENIED = Unread("the call was denied")
NODE = NodePlace("i-1", "subnet-node", ("sg-node",), ("10.0.0.5",))
REGISTRY = RegistryPlace(HOST, REGION)


def rule(peer: str, ports: tuple[int, int] | None = (443, 443), protocol: str = "tcp") -> SecurityGroupRule:
    return SecurityGroupRule(f"sgr-{peer}", protocol, ports, peer)


def interface_endpoint(service: str, **changes: Any) -> VpcEndpoint:
    name = {"ecr.api": "api", "ecr.dkr": "dkr", "s3": "s3i"}[service]
    numbers = {"api": 11, "dkr": 12, "s3i": 13}
    endpoint = VpcEndpoint(
        id=f"vpce-{name}",
        type="Interface",
        service_name=f"com.amazonaws.{REGION}.{service}",
        private_dns=True,
        subnet_ids=("subnet-endpoints",),
        interfaces=(EndpointInterface("subnet-endpoints", (f"10.0.2.{numbers[name]}",)),),
        group_ids=("sg-endpoint",),
    )
    return replace(endpoint, **changes)


S3_GATEWAY = VpcEndpoint(
    id="vpce-s3", type="Gateway", service_name=f"com.amazonaws.{REGION}.s3", route_table_ids=("rtb-node",)
)


@dataclass(frozen=True)
class SampleNetwork:
    network: Network
    node: NodePlace = NODE
    registry: RegistryPlace = REGISTRY
    sighting: Sighting | None = None

    def trace(self) -> Path:
        return trace(self.node, self.registry, self.network, self.sighting)

    def with_facts(self, **facts: Any) -> SampleNetwork:
        """Return this estate with other facts about the network."""
        return replace(self, network=replace(self.network, **facts))

    def with_node(self, **facts: Any) -> SampleNetwork:
        """Return this estate with other facts about the node."""
        return replace(self, node=replace(self.node, **facts))

    def pulling(self, host: str, region: str = REGION) -> SampleNetwork:
        return replace(self, registry=RegistryPlace(host, region))

    def vpc(self, **facts: Any) -> SampleNetwork:
        assert isinstance(self.network.vpc, Vpc)
        return self.with_facts(vpc=replace(self.network.vpc, **facts))

    def routes(self, *routes: Route, subnet: str = "subnet-node") -> SampleNetwork:
        """Return this estate with the local route and these routes in a subnet's table."""
        name = f"rtb-{subnet.partition('-')[2]}"
        return self._entry("route_tables", subnet, RouteTable(name, (LOCAL, *routes)))

    def egress(self, *rules: SecurityGroupRule, group: str = "sg-node") -> SampleNetwork:
        return self._entry("security_groups", group, SecurityGroup(group, egress=rules))

    def ingress(self, *rules: SecurityGroupRule, group: str = "sg-endpoint") -> SampleNetwork:
        return self._entry("security_groups", group, SecurityGroup(group, ingress=rules))

    def acl(self, *entries: NetworkAclEntry, subnet: str = "subnet-node") -> SampleNetwork:
        return self._entry("network_acls", subnet, NetworkAcl(f"acl-{subnet.partition('-')[2]}", entries))

    def nat(self, **facts: Any) -> SampleNetwork:
        assert not isinstance(self.network.nat_gateways, Unread)
        return self._entry("nat_gateways", "nat-1", replace(self.network.nat_gateways["nat-1"], **facts))

    def endpoint(self, name: str, **facts: Any) -> SampleNetwork:
        """Return this estate with other facts about one endpoint."""
        assert not isinstance(self.network.endpoints, Unread)
        changed = tuple(replace(e, **facts) if e.id == name else e for e in self.network.endpoints)
        return self.with_facts(endpoints=changed)

    def without(self, *names: str) -> SampleNetwork:
        """Return this estate without these endpoints and the routes to them."""
        assert not isinstance(self.network.endpoints, Unread)
        assert not isinstance(self.network.route_tables, Unread)
        tables = {
            subnet: replace(table, routes=tuple(r for r in table.routes if r.target not in names))
            for subnet, table in self.network.route_tables.items()
        }
        return self.with_facts(
            endpoints=tuple(e for e in self.network.endpoints if e.id not in names), route_tables=tables
        )

    def _entry(self, table: str, key: str, value: object) -> SampleNetwork:
        return self.with_facts(**{table: {**getattr(self.network, table), key: value}})


_BARE = Network(
    region=REGION,
    vpc=Vpc("vpc-1", ("10.0.0.0/16",)),
    subnets={
        "subnet-node": Subnet("subnet-node", ("10.0.0.0/24",)),
        "subnet-public": Subnet("subnet-public", ("10.0.1.0/24",)),
        "subnet-endpoints": Subnet("subnet-endpoints", ("10.0.2.0/24",)),
    },
    route_tables={
        "subnet-node": RouteTable("rtb-node", (LOCAL,)),
        "subnet-public": RouteTable("rtb-public", (LOCAL, TO_IGW)),
        "subnet-endpoints": RouteTable("rtb-endpoints", (LOCAL,), main=True),
    },
    network_acls=dict.fromkeys(("subnet-node", "subnet-public", "subnet-endpoints"), ALLOW_ALL),
    security_groups={
        "sg-node": SecurityGroup("sg-node", egress=(EVERYTHING_OUT,)),
        "sg-endpoint": SecurityGroup("sg-endpoint", ingress=(NODES_IN,)),
    },
    internet_gateways={"igw-1": InternetGateway("igw-1", "vpc-1")},
    egress_only_gateways={"eigw-1": InternetGateway("eigw-1", "vpc-1")},
    nat_gateways={"nat-1": NatGateway("nat-1", "available", "subnet-public", public_addresses=("54.1.2.3",))},
    prefix_lists={"pl-s3": PrefixList("pl-s3", f"com.amazonaws.{REGION}.s3", ("52.218.0.0/17", "3.5.64.0/21"))},
)


def isolated() -> SampleNetwork:
    """A private subnet without a route out of the VPC and without endpoints."""
    return SampleNetwork(_BARE)


def behind_nat() -> SampleNetwork:
    return isolated().routes(TO_NAT)


def public() -> SampleNetwork:
    return isolated().routes(TO_IGW).with_node(public_address="54.9.9.9")


def endpoints_only() -> SampleNetwork:
    endpoints = (interface_endpoint("ecr.api"), interface_endpoint("ecr.dkr"), S3_GATEWAY)
    return isolated().with_facts(endpoints=endpoints).routes(TO_S3)


def seen_by(estate: SampleNetwork, sighting: Sighting) -> SampleNetwork:
    """Return the estate in which a pull failed, with what kubelet's message shows of it."""
    return replace(estate, sighting=sighting)


def faults(estate: SampleNetwork) -> set[tuple[str, str]]:
    """Return every fault, as (cause, resource)."""
    return {(fault.cause.value, fault.resource_id) for fault in estate.trace().faults}


def open_causes(estate: SampleNetwork) -> set[str]:
    return {doubt.cause.value for doubt in estate.trace().undecided}


def reasons(estate: SampleNetwork, cause: PathCause) -> str:
    return "; ".join(doubt.reason for doubt in estate.trace().undecided if doubt.cause is cause)


def works(estate: SampleNetwork) -> bool:
    path = estate.trace()
    return not path.faults and not path.undecided
