"""Route tables: which route the traffic takes.

The most specific route wins (Amazon VPC User Guide, "Route priority"). A route for a prefix list counts as one route
for each entry of the list. A route in state blackhole competes like any other, and drops the traffic it wins.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final

from pull_responder.model.reason import reword
from pull_responder.model.unread import Unread
from pull_responder.network.addresses import AddressSet
from pull_responder.network.model import Network, Route, RouteTable, RouteTarget, VpcEndpoint, read

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
    blocks: list[tuple[int, AddressSet, Route]] = []
    unread: list[str] = []
    for route in table.routes:
        cidrs = _cidrs(route, network)
        if is_gateway_endpoint_route(route, network):
            continue
        if isinstance(cidrs, Unread):
            unread.append(reword(cidrs.reason, f"{route}: {cidrs.reason}"))
        else:
            blocks += [
                (ipaddress.ip_network(cidr, strict=False).prefixlen, AddressSet.of(cidr), route) for cidr in cidrs
            ]
    taken: dict[Route, None] = {}
    for _, block, route in sorted(blocks, key=lambda found: found[0], reverse=True):
        if addresses & block:
            taken[route] = None
            addresses = addresses - block
    return Routing(table, tuple(taken), addresses, tuple(unread))


def gateway_route(table: RouteTable, endpoint: VpcEndpoint) -> Route | None:
    """Return the table's route to a gateway endpoint; None if the table has none."""
    return next((route for route in table.routes if route.target == endpoint.id), None)


def is_gateway_endpoint_route(route: Route, network: Network) -> bool:
    """Return whether the route leads to a gateway endpoint. Its destination is always a prefix list."""
    if route.kind is not RouteTarget.VPC_ENDPOINT or not route.destination.startswith("pl-"):
        return False
    if isinstance(network.endpoints, Unread):
        return True
    return all(endpoint.type == "Gateway" for endpoint in network.endpoints if endpoint.id == route.target)


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
