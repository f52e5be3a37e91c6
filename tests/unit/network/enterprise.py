"""A node in a spoke, a hub with endpoints and an egress VPC with a NAT gateway, joined by a transit gateway.

Each of the three VPCs and the gateway belongs to an account of its own. The spoke is `isolated` of `estate`, with a
route to the gateway for everything.
"""

# ruff: noqa: ANN401 -- `**facts` are any fields of a dataclass

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from pull_responder.model.sighting import Sighting
from pull_responder.network import (
    Attachment,
    EndpointInterface,
    InternetGateway,
    NatGateway,
    Network,
    NetworkAcl,
    NetworkAclEntry,
    Path,
    Peering,
    PeeringSide,
    Route,
    RouteTable,
    SecurityGroup,
    Subnet,
    Surroundings,
    TransitGateway,
    Unread,
    Vpc,
    trace,
)
from tests.unit.network.estate import (
    ALLOW_ALL,
    EVERYTHING_OUT,
    HOST,
    REGION,
    REGISTRY,
    SampleNetwork,
    interface_endpoint,
    isolated,
    rule,
)

SPOKE, HUB, OUT, GATEWAY = "111111111111", "222222222222", "333333333333", "444444444444"
TO_GATEWAY = Route("0.0.0.0/0", "tgw-1")
BACK = Route("10.0.0.0/16", "tgw-1")
HUB_DKR = "10.100.1.12"
DIALLED_HUB = Sighting(HOST, HUB_DKR, 443)
ZONE_A, ZONE_B = f"{REGION}a", f"{REGION}b"


def _attachment(name: str, vpc: str, owner: str, table: str, *subnets: str) -> Attachment:
    return Attachment(
        id=f"tgw-attach-{name}",
        gateway_id="tgw-1",
        gateway_owner=GATEWAY,
        resource_id=vpc,
        owner=owner,
        table_id=table,
        association="associated",
        subnet_ids=subnets,
    )


OF_SPOKE = _attachment("spoke", "vpc-1", SPOKE, "tgw-rtb-spokes", "subnet-tgw")
OF_HUB = _attachment("hub", "vpc-hub", HUB, "tgw-rtb-shared", "subnet-hub-tgw")
OF_OUT = _attachment("out", "vpc-out", OUT, "tgw-rtb-shared", "subnet-out-tgw")


def _network(name: str, account: str, block: str, **facts: Any) -> Network:
    return Network(REGION, Vpc(f"vpc-{name}", (f"10.{block}.0.0/16",), owner=account), account=account, **facts)


def _hub() -> Network:
    local = Route("10.100.0.0/16", "local")
    endpoints = tuple(
        replace(
            interface_endpoint(service, private_dns=False, subnet_ids=("subnet-hub",), group_ids=("sg-hub",)),
            id=f"vpce-hub-{service.rpartition('.')[2]}",
            interfaces=(EndpointInterface("subnet-hub", (f"10.100.1.{number}",)),),
        )
        for service, number in (("ecr.api", 11), ("ecr.dkr", 12))
    )
    return _network(
        "hub",
        HUB,
        "100",
        subnets={
            "subnet-hub": Subnet("subnet-hub", ("10.100.1.0/24",), ZONE_A),
            "subnet-hub-tgw": Subnet("subnet-hub-tgw", ("10.100.0.0/28",), ZONE_A),
        },
        route_tables={
            "subnet-hub": RouteTable("rtb-hub", (local, Route("10.0.0.0/8", "tgw-1"))),
            "subnet-hub-tgw": RouteTable("rtb-hub-tgw", (local,)),
        },
        network_acls=dict.fromkeys(("subnet-hub", "subnet-hub-tgw"), ALLOW_ALL),
        security_groups={
            "sg-hub": SecurityGroup("sg-hub", ingress=(rule("10.0.0.0/8"),), egress=(EVERYTHING_OUT,), owner=HUB)
        },
        endpoints=endpoints,
    )


def _out() -> Network:
    local = Route("10.200.0.0/16", "local")
    return _network(
        "out",
        OUT,
        "200",
        subnets={
            "subnet-out-nat": Subnet("subnet-out-nat", ("10.200.1.0/24",), ZONE_A),
            "subnet-out-tgw": Subnet("subnet-out-tgw", ("10.200.0.0/28",), ZONE_A),
        },
        route_tables={
            "subnet-out-nat": RouteTable("rtb-out-nat", (local, BACK, Route("0.0.0.0/0", "igw-out"))),
            "subnet-out-tgw": RouteTable("rtb-out-tgw", (local, Route("0.0.0.0/0", "nat-out"))),
        },
        network_acls=dict.fromkeys(("subnet-out-nat", "subnet-out-tgw"), ALLOW_ALL),
        internet_gateways={"igw-out": InternetGateway("igw-out", "vpc-out")},
        nat_gateways={
            "nat-out": NatGateway("nat-out", "available", "subnet-out-nat", public_addresses=("54.7.7.7",)),
        },
    )


_TABLES = {
    "tgw-rtb-spokes": RouteTable(
        "tgw-rtb-spokes", (Route("0.0.0.0/0", "tgw-attach-out"), Route("10.100.0.0/16", "tgw-attach-hub"))
    ),
    "tgw-rtb-shared": RouteTable("tgw-rtb-shared", (Route("10.0.0.0/16", "tgw-attach-spoke"),)),
}


@dataclass(frozen=True)
class Enterprise:
    """The estate. Every change returns a new one.

    - `far`: a gateway that is peered with the first. `second`: the attachments of a second gateway beside it.
    - `seen`: the attachments of VPCs behind the spoke, as their accounts see them.
    """

    spoke: SampleNetwork
    attachments: tuple[Attachment, ...] = (OF_SPOKE, OF_HUB, OF_OUT)
    tables: dict[str, RouteTable | Unread] | None = None
    vpcs: dict[str, Network | Unread] | None = None
    gateway: TransitGateway | Unread | None = None
    far: TransitGateway | Unread | None = None
    second: tuple[Attachment, ...] = ()
    seen: dict[str, tuple[Attachment, ...] | Unread] | None = None

    def network(self) -> Network:
        gateway = TransitGateway("tgw-1", GATEWAY, REGION, {each.id: each for each in self.attachments})
        near = tuple(each for each in self.attachments if each.resource_id == "vpc-1")
        gateways: dict[str, TransitGateway | Unread] = {"tgw-1": self.gateway or gateway}
        if self.far:
            gateways["tgw-far"] = self.far
        if self.second:
            gateways["tgw-2"] = TransitGateway("tgw-2", GATEWAY, REGION, {each.id: each for each in self.second})
        around = Surroundings(
            gateways,
            _TABLES if self.tables is None else self.tables,
            {"vpc-hub": _hub(), "vpc-out": _out()} if self.vpcs is None else self.vpcs,
            attachments=self.seen or {},
        )
        network = self.spoke.network
        attachments = network.attachments or near
        return replace(network, attachments=attachments, around=around)

    def trace(self) -> Path:
        return trace(self.spoke.node, REGISTRY, self.network(), self.spoke.sighting)

    def attachment(self, name: str, **facts: Any) -> Enterprise:
        changed = (replace(each, **facts) if each.id == f"tgw-attach-{name}" else each for each in self.attachments)
        return replace(self, attachments=tuple(changed))

    def table(self, name: str, *routes: Route) -> Enterprise:
        """Return the estate with these routes alone in a table of the gateway."""
        tables = {**_TABLES, **(self.tables or {}), f"tgw-rtb-{name}": RouteTable(f"tgw-rtb-{name}", routes)}
        return replace(self, tables=tables)

    def unread(self, *, vpc: str = "", table: str = "", gateway: bool = False) -> Enterprise:
        """Return the estate where something of it cannot be read."""
        not_read = Unread(f"{vpc or table or 'the gateway'} cannot be read in its account")
        if gateway:
            return replace(self, gateway=not_read)
        if table:
            return replace(self, tables={**_TABLES, f"tgw-rtb-{table}": not_read})
        return replace(self, vpcs={**self._vpcs(), vpc: not_read})

    def within(self, vpc: str, **facts: Any) -> Enterprise:
        """Return the estate with other facts about a VPC behind the gateway."""
        network = self._vpcs()[vpc]
        assert isinstance(network, Network)
        return replace(self, vpcs={**self._vpcs(), vpc: replace(network, **facts)})

    def entry(self, vpc: str, table: str, key: str, value: object) -> Enterprise:
        """Return the estate with another entry in one table of facts of a VPC behind the gateway."""
        return self.within(vpc, **{table: {**getattr(self._vpcs()[vpc], table), key: value}})

    def routes(self, subnet: str, *routes: Route) -> Enterprise:
        """Return the estate with these routes alone in the table of a subnet of the hub or of the egress VPC."""
        name = "hub" if "hub" in subnet else "out"
        local = Route("10.100.0.0/16" if name == "hub" else "10.200.0.0/16", "local")
        table = RouteTable(subnet.replace("subnet", "rtb"), (local, *routes))
        return self.entry(f"vpc-{name}", "route_tables", subnet, table)

    def acl(self, subnet: str, *entries: NetworkAclEntry) -> Enterprise:
        acl = NetworkAcl(subnet.replace("subnet", "acl"), entries)
        if subnet == "subnet-tgw":
            return replace(self, spoke=self.spoke.with_facts(network_acls={**_acls(self.spoke), subnet: acl}))
        return self.entry("vpc-hub" if "hub" in subnet else "vpc-out", "network_acls", subnet, acl)

    def dialling_hub(self) -> Enterprise:
        """Return the estate in which kubelet could not connect to the hub's endpoint for registries."""
        return replace(self, spoke=replace(self.spoke, sighting=DIALLED_HUB))

    def _vpcs(self) -> dict[str, Network | Unread]:
        return {"vpc-hub": _hub(), "vpc-out": _out()} if self.vpcs is None else self.vpcs


def _acls(spoke: SampleNetwork) -> dict[str, NetworkAcl]:
    assert not isinstance(spoke.network.network_acls, Unread)
    return dict(spoke.network.network_acls)


def enterprise() -> Enterprise:
    spoke = isolated().routes(TO_GATEWAY).routes(subnet="subnet-tgw")
    assert not isinstance(spoke.network.subnets, Unread)
    subnets = {
        **{key: replace(each, availability_zone=ZONE_A) for key, each in spoke.network.subnets.items()},
        "subnet-tgw": Subnet("subnet-tgw", ("10.0.9.0/28",), ZONE_A),
    }
    acls = {**_acls(spoke), "subnet-tgw": ALLOW_ALL}
    vpc = Vpc("vpc-1", ("10.0.0.0/16",), owner=SPOKE)
    return Enterprise(spoke.with_facts(subnets=subnets, network_acls=acls, vpc=vpc, account=SPOKE))


def peered(state: str = "active", *cidrs: str, destination: str = "0.0.0.0/0") -> SampleNetwork:
    """Return a spoke with a route over a peering connection to the hub, which has been read."""
    hub = _hub()
    sides = (
        PeeringSide("vpc-1", SPOKE, REGION, ("10.0.0.0/16",)),
        PeeringSide("vpc-hub", HUB, REGION, cidrs or ("10.100.0.0/16",)),
    )
    tables = {
        "subnet-hub": RouteTable("rtb-hub", (Route("10.100.0.0/16", "local"), Route("10.0.0.0/16", "pcx-1"))),
    }
    hub = replace(hub, route_tables=tables, peerings={"pcx-1": Peering("pcx-1", state, sides)})
    return (
        isolated()
        .routes(Route(destination, "pcx-1"))
        .with_facts(peerings={"pcx-1": Peering("pcx-1", state, sides)}, around=Surroundings(vpcs={"vpc-hub": hub}))
        .vpc(owner=SPOKE)
    )


def faults(path: Path) -> set[tuple[str, str]]:
    """Return every fault, as (cause, resource)."""
    return {(fault.cause.value, fault.resource_id) for fault in path.faults}


def opened(path: Path) -> set[str]:
    return {doubt.cause.value for doubt in path.undecided}
