"""Patches for peering attachments of transit gateways of moto 5.2.5's EC2: each gateway sees its own end.

- The other gateway's account gets the same object, which names the requester's gateway as its own.
- Accepted, rejected or deleted by one side, it stays as it was for the other.
- The listing of peering attachments has all others, too.
"""
# ruff: noqa: ANN401 -- moto has neither types nor public names for any of this

from __future__ import annotations

from copy import copy
from importlib import import_module
from typing import Any


def apply(backend: Any) -> None:
    """Patch moto's backend of transit gateway attachments."""
    stock_create, stock_list = (
        backend.create_transit_gateway_peering_attachment,
        backend.describe_transit_gateway_peering_attachments,
    )

    def create(self: Any, transit_gateway_id: str, peer_transit_gateway_id: str, *args: Any, **more: Any) -> Any:
        made = stock_create(self, transit_gateway_id, peer_transit_gateway_id, *args, **more)
        made.resource_owner_id, made.gateway_owner = made.accepter_tgw_info["OwnerId"], self.account_id
        other = _other_end(made, self)
        if other is not None:
            gateway = other.transit_gateways[peer_transit_gateway_id]
            end = copy(made)
            end.transit_gateway_id, end.resource_id = gateway.id, transit_gateway_id
            end.resource_owner_id, end.gateway_owner = self.account_id, other.account_id
            end.transit_gateway_route_table = gateway.default_route_table
            vars(end).update(_association_data={}, propagation={})
            other.transit_gateway_attachments[made.id] = end
        return made

    def listed(self: Any, *args: Any, **more: Any) -> Any:
        return [each for each in stock_list(self, *args, **more) if each.resource_type == "peering"]

    backend.create_transit_gateway_peering_attachment = create
    backend.describe_transit_gateway_peering_attachments = listed
    for verb in ("accept", "reject", "delete"):
        name = f"{verb}_transit_gateway_peering_attachment"
        setattr(backend, name, _for_both(getattr(backend, name)))


def _for_both(stock: Any) -> Any:
    def change(self: Any, transit_gateway_attachment_id: str) -> Any:
        changed = stock(self, transit_gateway_attachment_id)
        other = _other_end(changed, self)
        if other is not None and transit_gateway_attachment_id in other.transit_gateway_attachments:
            other.transit_gateway_attachments[transit_gateway_attachment_id].state = changed.state
        return changed

    return change


def _other_end(attachment: Any, backend: Any) -> Any:
    """Return the backend of the account and region at the other end; None if it is the same or does not exist."""
    accounts: Any = import_module("moto.backends").get_backend("ec2")
    ours = (backend.account_id, backend.region_name)
    for info in (attachment.accepter_tgw_info, attachment.requester_tgw_info):
        if (info["OwnerId"], info["Region"]) != ours:
            return accounts[info["OwnerId"]][info["Region"]]
    return None
