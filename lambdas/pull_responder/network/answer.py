"""The result of a path analysis: hops with their evidence, their faults, and the causes that stay undecided."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from pull_responder.model.pull import Stage
from pull_responder.network.model import PortRange

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from pull_responder.network.neighbours import Owned, Wanted


class PathCause(StrEnum):
    """The causes that a path analysis can find, by their ids. The check with the same id reports the cause."""

    NO_ROUTE = "no_route_to_ecr"
    NAT_GATEWAY_UNAVAILABLE = "nat_gateway_unavailable"
    PUBLIC_IP_MISSING = "public_ip_missing"
    SECURITY_GROUP_BLOCKS_EGRESS = "security_group_blocks_egress"
    NETWORK_ACL_BLOCKS_TRAFFIC = "network_acl_blocks_traffic"
    ENDPOINT_MISSING = "vpc_endpoint_missing"
    ENDPOINT_UNAVAILABLE = "vpc_endpoint_unavailable"
    PRIVATE_DNS_DISABLED = "endpoint_private_dns_disabled"
    ENDPOINT_BLOCKS_INGRESS = "endpoint_security_group_blocks_ingress"
    S3_NOT_IN_ROUTE_TABLE = "s3_endpoint_not_in_route_table"
    VPC_DNS_DISABLED = "vpc_dns_disabled"
    PEERING_CANNOT_CARRY = "peering_cannot_carry_traffic"
    TRANSIT_GATEWAY_BLOCKS = "transit_gateway_blocks_traffic"
    DNS_FIREWALL_BLOCKS = "dns_firewall_blocks_registry"
    NETWORK_FIREWALL_BLOCKS = "network_firewall_blocks_registry"


class ResourceType(StrEnum):
    """Resource types of the AWS Security Finding Format. It has none for endpoints and NAT gateways: "Other"."""

    SUBNET = "AwsEc2Subnet"
    SECURITY_GROUP = "AwsEc2SecurityGroup"
    NETWORK_ACL = "AwsEc2NetworkAcl"
    ROUTE_TABLE = "AwsEc2RouteTable"
    VPC = "AwsEc2Vpc"
    OTHER = "Other"


class HopKind(StrEnum):
    """The kinds of hop on a path. The values are shown to people."""

    NAME = "name"
    NODE = "node"
    SUBNET = "subnet"
    ROUTE = "route"
    ENDPOINT = "endpoint"
    NAT_GATEWAY = "NAT gateway"
    INTERNET_GATEWAY = "internet gateway"
    PEERING = "VPC peering connection"
    TRANSIT_GATEWAY = "transit gateway"
    FIREWALL = "firewall"


class HopVerdict(StrEnum):
    """Whether the traffic gets past a hop."""

    OK = "ok"
    FAILED = "failed"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Fix:
    """The parameters of a command that fixes a fault. A parameter that this fix does not need is None or empty.

    - `services`: full names of endpoint services.
    - `egress`: the direction of the missing rule or entry.
    - `ports`: the ports that it must allow.
    - `peer`: what it must allow: a CIDR block, or the id of a security group or prefix list.
    - `attributes`: the DNS attributes of the VPC to turn on.
    - `address`: a private address outside the VPC that the subnet must reach.
    - `host`: a host that no VPC endpoint serves, so only the internet leads there.
    - `target`: what a missing route must lead to, such as a transit gateway or one of its attachments.
    - `blackholes`: the routes that drop the traffic, in words.
    """

    vpc_id: str | None = None
    subnet_id: str | None = None
    route_table_id: str | None = None
    group_id: str | None = None
    network_acl_id: str | None = None
    endpoint_id: str | None = None
    nat_gateway_id: str | None = None
    services: tuple[str, ...] = ()
    egress: bool | None = None
    ports: PortRange | None = None
    peer: str | None = None
    attributes: tuple[str, ...] = ()
    address: str | None = None
    host: str | None = None
    target: str | None = None
    blackholes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """A cause that stops the pull on its own, on one resource. `resource_id` is EC2's id, not an ARN.

    A fault may need several fixes: for example, a network ACL may block both the request and the response. `owned` says
    where the resource belongs if it is no part of the node's VPC.
    """

    cause: PathCause
    resource_type: ResourceType
    resource_id: str
    explanation: str
    evidence: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()
    owned: Owned | None = None


@dataclass(frozen=True, slots=True)
class Undecided:
    """A cause that may or may not be present. `reason` says what was missing to decide."""

    cause: PathCause
    reason: str


@dataclass(frozen=True, slots=True)
class Hop:
    """One hop of a path.

    - `resource_id`: EC2's id, the host for a name, the node's name for a node; None if it is not known.
    - `causes`: the causes that this hop can have.
    - `evidence`: what proves the verdict.
    - `wanted`: what was not asked for yet, and may decide this hop and those behind it.
    """

    kind: HopKind
    resource_id: str | None
    causes: tuple[PathCause, ...]
    evidence: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    undecided: tuple[Undecided, ...] = ()
    wanted: tuple[Wanted, ...] = ()

    @property
    def verdict(self) -> HopVerdict:
        """FAILED if the hop has a fault, else UNDECIDED if it has an undecided cause, else OK."""
        if self.faults:
            return HopVerdict.FAILED
        return HopVerdict.UNDECIDED if self.undecided else HopVerdict.OK

    def with_faults_undecided(self, reason: str, *, only: Collection[PathCause] | None = None) -> Hop:
        """Return this hop with its faults turned into undecided causes, because of `reason`; only these, if given."""
        kept = () if only is None else tuple(fault for fault in self.faults if fault.cause not in only)
        doubts = tuple(Undecided(fault.cause, reason) for fault in self.faults if fault not in kept)
        return replace(self, faults=kept, undecided=self.undecided + doubts)


@dataclass(frozen=True, slots=True)
class Leg:
    """The way to one host: api.ecr for the token, the registry for the manifest, or S3 for the layers."""

    stage: Stage
    host: str
    hops: tuple[Hop, ...]

    @property
    def verdict(self) -> HopVerdict:
        """The worst verdict of its hops."""
        return worst(hop.verdict for hop in self.hops)


@dataclass(frozen=True, slots=True)
class RuledOut:
    """A cause that was examined and is not present. `evidence` proves it."""

    cause: PathCause
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Path:
    """The way from a node to a registry. Each cause is in one of `faults`, `undecided` or `passed`, if it was examined.

    - `faults`: one for each cause and resource.
    - `undecided`: the undecided causes, except those that have a fault on another hop.
    - `passed`: the causes that no hop has.
    """

    legs: tuple[Leg, ...]
    faults: tuple[Fault, ...] = field(init=False)
    undecided: tuple[Undecided, ...] = field(init=False)
    passed: tuple[RuledOut, ...] = field(init=False)

    def __post_init__(self) -> None:
        hops = tuple(hop for leg in self.legs for hop in leg.hops)
        faults = merge(fault for hop in hops for fault in hop.faults)
        failed = {fault.cause for fault in faults}
        undecided = tuple(dict.fromkeys(doubt for hop in hops for doubt in hop.undecided if doubt.cause not in failed))
        not_ruled_out = failed | {doubt.cause for doubt in undecided}
        evidence: dict[PathCause, list[str]] = {}
        for hop in hops:
            for cause in hop.causes:
                if cause not in not_ruled_out:
                    evidence.setdefault(cause, []).extend(hop.evidence)
        object.__setattr__(self, "faults", faults)
        object.__setattr__(self, "undecided", undecided)
        passed = (RuledOut(cause, tuple(dict.fromkeys(lines))) for cause, lines in evidence.items())
        object.__setattr__(self, "passed", tuple(passed))

    @property
    def wanted(self) -> tuple[Wanted, ...]:
        """What its hops lack and what was not asked for yet."""
        return tuple(dict.fromkeys(each for leg in self.legs for hop in leg.hops for each in hop.wanted))

    @property
    def verdict(self) -> HopVerdict:
        """The worst verdict of its legs."""
        return worst(leg.verdict for leg in self.legs)


def worst(verdicts: Iterable[HopVerdict]) -> HopVerdict:
    """Return the worst verdict; OK if there is none."""
    found = set(verdicts)
    return next((bad for bad in (HopVerdict.FAILED, HopVerdict.UNDECIDED) if bad in found), HopVerdict.OK)


def merge(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Return one fault for each cause and resource, with the explanations, evidence and fixes of all its faults."""
    merged: dict[tuple[PathCause, str], Fault] = {}
    for fault in faults:
        known = merged.get((fault.cause, fault.resource_id))
        merged[fault.cause, fault.resource_id] = _merge_two(known, fault) if known else fault
    return tuple(merged.values())


def _merge_two(known: Fault, more: Fault) -> Fault:
    explanation = known.explanation
    if more.explanation not in explanation:
        explanation = f"{explanation} {more.explanation}"
    return replace(
        known,
        explanation=explanation,
        evidence=tuple(dict.fromkeys(known.evidence + more.evidence)),
        fixes=tuple(dict.fromkeys(known.fixes + more.fixes)),
    )
