"""The answer of a path analysis: hops with their proof, the faults on them, and what stays undecided."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from pull_responder.model.pull import Stage
from pull_responder.network.model import PortRange

if TYPE_CHECKING:
    from collections.abc import Iterable


class PathCause(StrEnum):
    """The causes that the trace of a path can show, by their ids. The checks of the same ids report them."""

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


class ResourceType(StrEnum):
    """The AWS Security Finding Format's words; it has none for endpoints and NAT gateways, which are "Other"."""

    SUBNET = "AwsEc2Subnet"
    SECURITY_GROUP = "AwsEc2SecurityGroup"
    NETWORK_ACL = "AwsEc2NetworkAcl"
    ROUTE_TABLE = "AwsEc2RouteTable"
    VPC = "AwsEc2Vpc"
    OTHER = "Other"


class HopKind(StrEnum):
    """The stations of a path, in the words shown to people."""

    NAME = "name"
    NODE = "node"
    SUBNET = "subnet"
    ROUTE = "route"
    ENDPOINT = "endpoint"
    NAT_GATEWAY = "NAT gateway"
    INTERNET_GATEWAY = "internet gateway"


class HopVerdict(StrEnum):
    """How the traffic fares at a hop."""

    OK = "ok"
    FAILED = "failed"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Fix:
    """What a command that repairs a fault has to name; what does not matter to it is None or empty.

    `peer` is what has to be let through: a CIDR block, a security group's or a prefix list's id. `egress` is the
    direction of the missing rule, `services` full endpoint service names.
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


@dataclass(frozen=True, slots=True)
class Fault:
    """A cause that stops the pull on its own, on one resource. `resource_id` is EC2's id, not an ARN.

    A fault may need several fixes, for example an ACL that blocks both the request and its answer.
    """

    cause: PathCause
    resource_type: ResourceType
    resource_id: str
    explanation: str
    evidence: tuple[str, ...] = ()
    fixes: tuple[Fix, ...] = ()


@dataclass(frozen=True, slots=True)
class Undecided:
    """A cause that may or may not be there, and what was missing to decide."""

    cause: PathCause
    reason: str


@dataclass(frozen=True, slots=True)
class Hop:
    """One station of a path.

    `resource_id` is EC2's id, None where it is not known. `looked_for` are the causes that can show here; `evidence`
    proves the verdict.
    """

    kind: HopKind
    resource_id: str | None
    looked_for: tuple[PathCause, ...]
    evidence: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    undecided: tuple[Undecided, ...] = ()

    @property
    def verdict(self) -> HopVerdict:
        """Failed for a fault, else undecided where something is, else ok."""
        if self.faults:
            return HopVerdict.FAILED
        return HopVerdict.UNDECIDED if self.undecided else HopVerdict.OK

    def doubted(self, reason: str) -> Hop:
        """Return this hop with its faults turned undecided, for `reason`: the traffic may not come this way."""
        doubts = tuple(Undecided(fault.cause, reason) for fault in self.faults)
        return replace(self, faults=(), undecided=self.undecided + doubts)


@dataclass(frozen=True, slots=True)
class Leg:
    """The way to one destination: a token (api.ecr), the manifest (the registry) or the layers (S3)."""

    stage: Stage
    host: str
    hops: tuple[Hop, ...]

    @property
    def verdict(self) -> HopVerdict:
        """The worst verdict of its hops."""
        return worst(hop.verdict for hop in self.hops)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """The faults of its hops, in their order."""
        return tuple(fault for hop in self.hops for fault in hop.faults)


@dataclass(frozen=True, slots=True)
class Passed:
    """A cause that was looked for and is not there, and how that is known."""

    cause: PathCause
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Path:
    """The way from a node to a registry."""

    legs: tuple[Leg, ...]
    faults: tuple[Fault, ...] = field(init=False)
    undecided: tuple[Undecided, ...] = field(init=False)
    passed: tuple[Passed, ...] = field(init=False)

    def __post_init__(self) -> None:
        hops = tuple(hop for leg in self.legs for hop in leg.hops)
        faults = merge(fault for hop in hops for fault in hop.faults)
        failed = {fault.cause for fault in faults}
        undecided = tuple(dict.fromkeys(doubt for hop in hops for doubt in hop.undecided if doubt.cause not in failed))
        settled = failed | {doubt.cause for doubt in undecided}
        evidence: dict[PathCause, list[str]] = {}
        for hop in hops:
            for cause in hop.looked_for:
                if cause not in settled:
                    evidence.setdefault(cause, []).extend(hop.evidence)
        object.__setattr__(self, "faults", faults)
        object.__setattr__(self, "undecided", undecided)
        passed = (Passed(cause, tuple(dict.fromkeys(lines))) for cause, lines in evidence.items())
        object.__setattr__(self, "passed", tuple(passed))

    @property
    def verdict(self) -> HopVerdict:
        """The worst verdict of its legs."""
        return worst(leg.verdict for leg in self.legs)


def worst(verdicts: Iterable[HopVerdict]) -> HopVerdict:
    """Return the worst verdict; of none, ok."""
    found = set(verdicts)
    return next((bad for bad in (HopVerdict.FAILED, HopVerdict.UNDECIDED) if bad in found), HopVerdict.OK)


def merge(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    """Return one fault for each cause and resource: what several destinations show of it is put together."""
    merged: dict[tuple[PathCause, str], Fault] = {}
    for fault in faults:
        known = merged.get((fault.cause, fault.resource_id))
        merged[fault.cause, fault.resource_id] = _together(known, fault) if known else fault
    return tuple(merged.values())


def _together(known: Fault, more: Fault) -> Fault:
    explanation = known.explanation
    if more.explanation not in explanation:
        explanation = f"{explanation} {more.explanation}"
    return replace(
        known,
        explanation=explanation,
        evidence=tuple(dict.fromkeys(known.evidence + more.evidence)),
        fixes=tuple(dict.fromkeys(known.fixes + more.fixes)),
    )
