"""A firewall between a NAT gateway and the internet gateway: it sees the NAT gateway's address, in both directions.

Sources: AWS Network Firewall Developer Guide, "Architecture with an internet gateway and a NAT gateway" (the route of
the NAT gateway's subnet and a route table of the internet gateway lead to the firewall's endpoint); Amazon VPC User
Guide, "NAT gateway basics" (it replaces the source address by its own).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pull_responder.model.unread import Unread
from pull_responder.network.addresses import Peer
from pull_responder.network.firewall_way import leads_to_firewall, through_firewall
from pull_responder.network.model import RouteTarget, read
from pull_responder.network.network_acls import EPHEMERAL_PORTS, Crossing, acl_hop, client_crossings, server_crossings
from pull_responder.network.places import addresses_of
from pull_responder.network.return_route import answers_elsewhere, answers_in

if TYPE_CHECKING:
    from pull_responder.network.answer import Hop
    from pull_responder.network.firewall_way import Through
    from pull_responder.network.model import NatGateway, Network
    from pull_responder.network.places import Trip
    from pull_responder.network.routing import Routing


def firewall_behind(found: Routing, nat: NatGateway, subnet_id: str, trip: Trip) -> Through | None:
    """Return the way of a NAT gateway through a firewall, if the routes of its subnet lead to one."""
    if found.whole is None or not leads_to_firewall(found.whole):
        return None
    peer = _nat_peer(nat, subnet_id, trip.network, trip.version)
    node = replace(trip.node, subnet_id=subnet_id)
    return through_firewall(found.whole, replace(trip, node=node, came_from=peer, to=trip.server))


def behind_firewall(through: Through, nat: NatGateway, subnet_id: str, trip: Trip) -> tuple[Hop, ...]:
    """Return the network ACL of the firewall's subnet, and whether answers come back to the NAT gateway through it."""
    peer = _nat_peer(nat, subnet_id, trip.network, trip.version)
    crossings: tuple[Crossing, ...] = client_crossings(through.subnet_id, trip.server, EPHEMERAL_PORTS)
    if through.subnet_id != subnet_id:
        request, answer = server_crossings(through.subnet_id, peer)
        crossings = (request, replace(answer, ports=EPHEMERAL_PORTS), *crossings)
    out = acl_hop(through.subnet_id, crossings, trip.network)
    onward = through.onward
    if onward is None or onward.kind is not RouteTarget.INTERNET_GATEWAY:
        return (out,)
    return (out, answers_in(onward.target, through.endpoint_id, trip.network, peer))


def answers_past(found: Routing, nat: NatGateway, subnet_id: str, trip: Trip) -> str:
    """Return that answers to a NAT gateway go through something that its requests do not; empty if they do not."""
    if found.whole is None or found.whole.kind is not RouteTarget.INTERNET_GATEWAY:
        return ""
    return answers_elsewhere(found.whole.target, trip.network, _nat_peer(nat, subnet_id, trip.network, trip.version))


def _nat_peer(nat: NatGateway, subnet_id: str, network: Network, version: int) -> Peer:
    """Return a NAT gateway as a peer: by its private addresses, which are of its subnet, else by any of these."""
    subnet = read(network.subnets, subnet_id, subnet_id)
    blocks = () if isinstance(subnet, Unread) else subnet.cidrs
    cidr = next((block for block in blocks if addresses_of((block,), version)), None)
    inside = addresses_of(blocks or ("0.0.0.0/0", "::/0"), version)
    return Peer(f"NAT gateway {nat.id}", addresses_of(nat.private_addresses, version) & inside or inside, cidr)
