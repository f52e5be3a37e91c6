"""Route tables: which route the traffic takes.

The most specific route wins (Amazon VPC User Guide, "Route priority"). A route for a prefix list counts as one route
for each entry of the list. A route in state blackhole competes like any other, and drops the traffic it wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from pull_responder.model.reason import reword
from pull_responder.model.unread import Unread
from pull_responder.network.addresses import AddressSet
from pull_responder.network.model import Network, Route, RouteTable, RouteTarget, VpcEndpoint, read

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pull_responder.network.addresses import Interval

# The analysis can follow routes to these targets. Any other target is outside of what it reads.
_FOLLOWED: Final = {
    RouteTarget.LOCAL,
    RouteTarget.INTERNET_GATEWAY,
    RouteTarget.EGRESS_ONLY_INTERNET_GATEWAY,
    RouteTarget.NAT_GATEWAY,
    RouteTarget.VPC_ENDPOINT,
}
_SHOWN_ROUTES: Final = 20


@dataclass(frozen=True, slots=True)
class Routing:
    """How a route table routes a set of addresses.

    - `routes`: the routes that take at least some of the addresses.
    - `unrouted`: the addresses that no route takes.
    - `unread`: routes whose prefix list could not be read, with the reason.
    """

    table: RouteTable
    routes: tuple[Route, ...]
    unrouted: AddressSet
    unread: tuple[str, ...] = ()

    @property
    def whole(self) -> Route | None:
        """The route that takes all of the addresses, or the first of several to the same target that do. Else None."""
        same = {(route.target, route.active) for route in self.routes}
        return self.routes[0] if len(same) == 1 and not self.unrouted and not self.unread else None


def routing(table: RouteTable, addresses: AddressSet, network: Network) -> Routing:
    """Return how `table` routes `addresses`, without the routes to gateway endpoints.

    Those routes are only for the addresses of S3 and DynamoDB. For S3, see `gateway_route`.
    """
    blocks: dict[Interval, Route] = {}  # of two routes for one block, the first counts
    unread: list[str] = []
    for route in table.routes:
        cidrs = _cidrs(route, network)
        if is_gateway_endpoint_route(route, network):
            continue
        if isinstance(cidrs, Unread):
            unread.append(reword(cidrs.reason, f"{route}: {cidrs.reason}"))
        else:
            for cidr in cidrs:
                blocks.setdefault(_block(cidr), route)
    taking = _taking(blocks, addresses)
    routes = dict.fromkeys(blocks[block] for block in sorted(taking, key=lambda block: block[1] - block[0]))
    return Routing(table, tuple(routes), addresses - AddressSet.covering(blocks), tuple(unread))


def _taking(blocks: Iterable[Interval], addresses: AddressSet) -> list[Interval]:
    """Return the blocks that take some of the addresses.

    Two blocks are apart, or one contains the other. So a block takes what no block directly inside it takes: a table of
    thousands of routes needs no set of addresses for each.
    """
    rest: dict[Interval, int] = {}
    around: list[Interval] = []
    for block in sorted(blocks, key=lambda block: (block[0], -block[1])):
        while around and around[-1][1] < block[0]:
            around.pop()
        size = addresses.within(block)
        if around:
            rest[around[-1]] -= size
        rest[block] = size
        around.append(block)
    return [block for block in blocks if rest[block]]


# A gateway's table may have 10,000 routes (AWS Transit Gateway guide, "Quotas"), and a way is traced several times.
@lru_cache(maxsize=32_768)
def _block(cidr: str) -> Interval:
    (block,) = AddressSet.of(cidr).intervals
    return block


def gateway_route(table: RouteTable, endpoint: VpcEndpoint) -> Route | None:
    """Return the table's route to a gateway endpoint; None if the table has none."""
    return next((route for route in table.routes if route.target == endpoint.id), None)


def is_gateway_endpoint_route(route: Route, network: Network) -> bool:
    """Return whether the route leads to a gateway endpoint. Its destination is always a prefix list of AWS's own.

    A customer's list may lead to an endpoint of a firewall. No customer's list has a name of AWS's (Amazon EC2 API
    Reference, CreateManagedPrefixList).
    """
    if route.kind is not RouteTarget.VPC_ENDPOINT or not route.destination.startswith("pl-"):
        return False
    endpoints = () if isinstance(network.endpoints, Unread) else network.endpoints
    types = {endpoint.type for endpoint in endpoints if endpoint.id == route.target}
    if types:
        return types == {"Gateway"}
    prefix_list = read(network.prefix_lists, route.destination, route.destination)
    return isinstance(prefix_list, Unread) or ".amazonaws." in prefix_list.name


def away_route(table: RouteTable) -> Route | None:
    """Return an active route of the table that leaves the VPC, and that is not followed further. None if none does."""
    return next((route for route in table.routes if route.active and route.kind not in _FOLLOWED), None)


def describe(table: RouteTable) -> str:
    """Return the table and its routes in words, for people."""
    routes = "; ".join(str(route) for route in table.routes[:_SHOWN_ROUTES]) or "no routes"
    more = len(table.routes) - _SHOWN_ROUTES
    rest = f" and {more} more" if more > 0 else ""
    return f"route table {table.id}{' (the main one)' if table.main else ''}: {routes}{rest}"


def _cidrs(route: Route, network: Network) -> tuple[str, ...] | Unread:
    if not route.destination.startswith("pl-"):
        return (route.destination,)
    prefix_list = read(network.prefix_lists, route.destination, f"prefix list {route.destination}")
    return prefix_list if isinstance(prefix_list, Unread) else prefix_list.entries
