"""Names that may lead out of the VPC, for all that could not be read of who answers for them."""

from __future__ import annotations

from pull_responder.model.unread import Unread
from pull_responder.network.model import Network, read
from pull_responder.network.names import other_answer
from pull_responder.network.routing import away_route


def may_lead_away(host: str, subnet_id: str, network: Network) -> str:
    """Return what was not read that may send `host` to a private address outside the VPC; empty if nothing can.

    A route of the subnet must lead out of the VPC for private addresses, or not be known.
    """
    unread = other_answer(host, network).unread
    table = read(network.route_tables, subnet_id, subnet_id)
    return unread if isinstance(table, Unread) or away_route(table) else ""
