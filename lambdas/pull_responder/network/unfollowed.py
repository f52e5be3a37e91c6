"""What is attached to a transit gateway and cannot be followed: what it is, whose, and who would know.

Source: AWS Transit Gateway guide, "How AWS Transit Gateway works", "Resource attachments".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.model.reason import Reason
from pull_responder.network.model import Route, RouteTarget
from pull_responder.network.next_steps import behind

if TYPE_CHECKING:
    from pull_responder.network.neighbours import Attachment

_OUTSIDE: Final = "to a network outside AWS"
_KINDS: Final = {
    "vpn": f"a Site-to-Site VPN connection {_OUTSIDE}",
    "vpn-concentrator": f"a VPN concentrator {_OUTSIDE}",
    "client-vpn": "a Client VPN endpoint",
    "direct-connect-gateway": f"a Direct Connect gateway {_OUTSIDE}",
    "connect": "a Connect attachment to an appliance with routes of its own",
    "network-function": "a firewall that is attached to the transit gateway itself",
}


def not_followed(where: str, target: Attachment) -> Reason:
    """Return why a route to an attachment that leads to no VPC is not followed. `where` is the route, in words."""
    name = target.resource_id or target.id
    what = _KINDS.get(target.kind, "something that is not known here")
    owner = f" of account {target.owner}" if target.owner else ""
    return Reason(
        f"{where} leads to an attachment of type {target.kind} ({name}){owner}: {what}, behind which nothing is read",
        f"Ask who runs {name}{owner} whether it takes the traffic on to the registry, and the answers back.",
    )


def beyond(route: Route) -> Reason:
    """Return that what a route leads to is not read, with where to look. A core network's ARN names its account."""
    words = f"route {route} leads to {route.kind.with_article}, and what lies behind it cannot be read"
    if route.kind is RouteTarget.CORE_NETWORK:
        account, _, name = route.target.rpartition(":")
        return Reason(words, _in_cloud_wan(name.rpartition("/")[2], account.rpartition(":")[2]))
    return Reason(words, behind(route.target))


def core_network(core_network_id: str, account: str) -> Reason:
    """Return why a way into a core network of Cloud WAN is not followed. `account` owns it; empty if not known."""
    owner = f" of account {account}" if account else ""
    words = f"the core network {core_network_id} of Cloud WAN{owner} takes the traffic on, which is not followed"
    return Reason(words, _in_cloud_wan(core_network_id, account))


def _in_cloud_wan(core_network_id: str, account: str) -> str:
    where = f" in account {account}" if account else ""
    return f"Look at the routes of {core_network_id} in Cloud WAN{where}, for the registry's addresses and the node's."
