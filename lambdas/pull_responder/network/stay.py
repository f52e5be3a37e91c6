"""Where traffic is on a way over several VPCs: in which of them, how it came there, and what it passed on the way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pull_responder.model.unread import Unread
from pull_responder.network.model import NodePlace
from pull_responder.network.places import addresses_of, vpc_id
from pull_responder.network.step import owned_by

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pull_responder.network.addresses import Peer
    from pull_responder.network.answer import Hop
    from pull_responder.network.firewall_way import Through
    from pull_responder.network.model import Network
    from pull_responder.network.neighbours import Attachment
    from pull_responder.network.places import Trip
    from pull_responder.network.step import Step

# A way to a registry leads over few VPCs. One over more is left open.
MOST_VPCS: Final = 6
# So is one that may take more ways: a VPC has few zones, and only with appliance mode may traffic enter by any of them.
MOST_WAYS: Final = 64


@dataclass(frozen=True, slots=True)
class Stay:
    """What traffic passes in one VPC of its way.

    - `entry`: the subnet in which it starts, or by which a transit gateway let it in. Empty over a peering connection.
    - `step`: how it came into the VPC, and `before` the VPC that it left. None in the node's own VPC.
    - `passed`: the firewalls that it went through there, in order.
    - `ways`: how many ways there are as far as here, of which this is one.
    """

    network: Network
    entry: str
    step: Step | None = None
    before: Stay | None = None
    passed: tuple[Through, ...] = ()
    ways: int = 1

    @property
    def at(self) -> str:
        """The subnet in which the traffic is now: that of the last firewall, else the one by which it entered."""
        return self.passed[-1].subnet_id if self.passed else self.entry

    @property
    def came_by(self) -> Attachment | None:
        """The attachment by which a transit gateway let the traffic in; None if none did."""
        return self.step.far if self.step else None

    @property
    def foreign(self) -> bool:
        """Whether this is another VPC than the node's."""
        return self.step is not None

    @property
    def so_far(self) -> Iterator[Stay]:
        """This stay and those before it, the last first."""
        yield self
        if self.before:
            yield from self.before.so_far

    @property
    def is_too_far(self) -> bool:
        """Whether the way leads over more VPCs than are followed."""
        return len(list(self.so_far)) > MOST_VPCS

    @property
    def is_again(self) -> bool:
        """Whether the traffic is back in the node's VPC, or enters another one by the same subnet as before."""
        if self.before is None:
            return False
        here = (vpc_id(self.network), self.entry)
        *others, first = self.before.so_far
        return vpc_id(first.network) == here[0] or any((vpc_id(each.network), each.entry) == here for each in others)

    def through(self, passed: Through) -> Stay:
        """Return the stay behind one more firewall."""
        return replace(self, passed=(*self.passed, passed))

    def owning(self, hop: Hop) -> Hop:
        """Return a hop of this VPC, with its owner, if it is not the node's."""
        return owned_by(hop, self.network) if self.foreign else hop

    def beyond(self, server: Peer) -> Peer:
        """Return the server as it may be outside this VPC.

        Inference, as for the node's own VPC: no public address of AWS's is in a block of a customer's VPC.
        """
        cidrs = () if isinstance(self.network.vpc, Unread) else self.network.vpc.cidrs
        outside = server.addresses - addresses_of(cidrs)
        return replace(server, addresses=outside) if outside else server

    def trip(self, trip: Trip, server: Peer) -> Trip:
        """Return a trip of the node to `server` as it goes on from here."""
        if not self.foreign and not self.passed:
            return replace(trip, to=server)
        if not self.foreign:
            return replace(trip, node=replace(trip.node, subnet_id=self.at), came_from=trip.source, to=server)
        node = NodePlace(trip.node.name, self.at, (), trip.node.addresses)
        return replace(trip, network=self.network, node=node, came_from=trip.foreign_source, to=self.beyond(server))
