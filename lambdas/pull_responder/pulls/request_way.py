"""Where AWS sees a request of the pull come from: the VPC endpoint that it passes, or a public address.

The node itself asks for its token. The registry makes the other calls for the node, and AWS does not say from where. So
only what decides which endpoint the node reached is filled in for these.

Sources: IAM User Guide, "AWS global condition context keys", properties of the network (aws:SourceIp is absent from
requests that pass an endpoint, the others from all that pass none; Amazon ECR is among the services that support
aws:SourceVpcArn and aws:Vpce…); Amazon VPC User Guide, "NAT gateway basics" (a connection comes from one of the
gateway's Elastic IP addresses).
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from pull_responder.authorization.partly_known import OneOf
from pull_responder.authorization.pull_context import ABSENT, Fact
from pull_responder.model.pull import Stage
from pull_responder.model.unread import Unread
from pull_responder.network import Hop, HopKind, HopVerdict, NatGateway, NodePlace
from pull_responder.pulls.actions import TOKEN
from pull_responder.pulls.endpoint_on_path import EndpointOnPath, endpoint_on_path, stage_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pull_responder.model.pull import PullFailure
    from pull_responder.network import VpcEndpoint
    from pull_responder.pulls.path import PullPath
    from pull_responder.pulls.pull_facts import PullFacts

_GATEWAYS: Final = (HopKind.INTERNET_GATEWAY, HopKind.NAT_GATEWAY)
_DUAL_STACK: Final = (".api.aws", ".api.amazonwebservices.com.cn")


@dataclass(frozen=True, slots=True)
class RequestWay:
    """What is known of the way of one request. None means unknown, ABSENT that the request lacks the key.

    - `endpoint_id`, `endpoint_account`: the VPC endpoint that the request passes, and the account that owns it.
    - `vpc_id`, `vpc_arn`: the VPC of the endpoint.
    - `source_ip`: the public address that the request comes from.
    """

    endpoint_id: Fact = None
    endpoint_account: Fact = None
    vpc_id: Fact = None
    vpc_arn: Fact = None
    source_ip: Fact = None


def request_way(pull: PullFailure, facts: PullFacts, action: str) -> RequestWay:
    """Return where AWS sees the request for `action` come from."""
    way = endpoint_on_path(pull, facts, stage_of(action))
    if isinstance(way, Unread) or not way.arrives:
        return RequestWay()
    found = _over_endpoint(way, way.endpoint) if way.endpoint else _over_internet(way)
    return found if action == TOKEN else RequestWay(endpoint_id=found.endpoint_id, vpc_id=found.vpc_id)


def one_of(texts: Iterable[str]) -> Fact:
    """Return the only text as the value, several as one of them. None if there is none."""
    known = tuple(dict.fromkeys(texts))
    return OneOf(known) if len(known) > 1 else next(iter(known), None)


def _over_endpoint(way: EndpointOnPath, endpoint: VpcEndpoint) -> RequestWay:
    vpc = way.path.network.vpc
    vpc_owner = "" if isinstance(vpc, Unread) else vpc.owner
    vpc_id = None if isinstance(way.vpc_id, Unread) else way.vpc_id
    known = vpc_id and vpc_owner
    return RequestWay(
        endpoint_id=endpoint.id,
        endpoint_account=endpoint.owner or vpc_owner or None,
        vpc_id=vpc_id,
        vpc_arn=f"arn:{way.path.partition}:ec2:{way.path.network.region}:{vpc_owner}:vpc/{vpc_id}" if known else None,
        source_ip=ABSENT,
    )


def _over_internet(way: EndpointOnPath) -> RequestWay:
    return RequestWay(ABSENT, ABSENT, ABSENT, ABSENT, _public_address(way.path))


def _public_address(path: PullPath) -> Fact:
    """Return the public address of the nodes' token requests. None unless each way to a gateway is certain."""
    found: list[str] = []
    for place, leg in path.leg(Stage.TOKEN):
        if leg.host.endswith(_DUAL_STACK) and any(":" in address for address in place.addresses or (":",)):
            return None  # the node may use IPv6
        for hop in leg.hops:
            if hop.kind in _GATEWAYS:
                addresses = _addresses(hop, place, path)
                if not addresses:
                    return None
                found += addresses
    return one_of(found)


def _addresses(hop: Hop, place: NodePlace, path: PullPath) -> tuple[str, ...]:
    """Return the public addresses that a gateway gives to requests of a place. Empty if they are not certain."""
    if hop.verdict is not HopVerdict.OK:
        return ()
    if hop.kind is HopKind.NAT_GATEWAY:
        tables = (each.nat_gateways for each in path.networks)
        known = (None if isinstance(each, Unread) else each.get(hop.resource_id or "") for each in tables)
        return next((each.public_addresses for each in known if isinstance(each, NatGateway)), ())
    # Each node has a public address of its own, and one place stands for all nodes of a subnet.
    address, instances = place.public_address, path.nodes.instances
    alone = len(instances) == 1 and instances[0].public_address == address
    return (address,) if alone and isinstance(address, str) and _is_address(address) else ()


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
