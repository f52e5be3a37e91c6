"""Patches for transit gateways of moto 5.2.5's EC2, so that what carries traffic shows as in AWS.

- A search for routes fails if it names how many it wants.
- Routes show no attachment, because moto gives one where the API has a list.
- An attachment shows the default route table, whatever it is associated with.
- Propagation adds no routes.
- Another account cannot attach its VPC to a gateway that is shared with it. Here every gateway is shared with all.

The patches reach into moto's own modules, so requirements.txt pins its version. A patch whose target is gone fails at
once.
"""
# ruff: noqa: ANN401 -- moto has neither types nor public names for any of this

from __future__ import annotations

from importlib import import_module
from inspect import signature
from typing import Any

from pull_responder.emulator import gateway_peering

_APPLIED = "_gateways_carry_traffic"


def apply() -> None:
    """Patch moto in this process. Call it before moto's server starts; a second time changes nothing."""
    attachments: Any = import_module("moto.ec2.models.transit_gateway_attachments")
    tables: Any = import_module("moto.ec2.models.transit_gateway_route_tables").TransitGatewayRouteTableBackend
    if getattr(tables, _APPLIED, False):
        return
    _list_attachments_of_routes(tables)
    _search(tables)
    _propagate(tables)
    _show_associations(attachments.TransitGatewayAttachment, attachments.TransitGatewayAttachmentBackend)
    _share(attachments)
    gateway_peering.apply(attachments.TransitGatewayAttachmentBackend)
    _route_to_shared(import_module("moto.ec2.models.route_tables").RouteBackend)
    setattr(tables, _APPLIED, True)


def _list_attachments_of_routes(tables: Any) -> None:
    stock = tables.create_transit_gateway_route

    def create(self: Any, *args: Any, **options: Any) -> Any:
        route = stock(self, *args, **options)
        if isinstance(attachment := route.get("transitGatewayAttachments"), dict):
            route["transitGatewayAttachments"] = [attachment]
        return route

    tables.create_transit_gateway_route = create


def _search(tables: Any) -> None:
    stock = tables.search_transit_gateway_routes

    def search(self: Any, transit_gateway_route_table_id: str, filters: Any, max_results: Any = None) -> Any:
        found = stock(self, transit_gateway_route_table_id, filters)
        return found[: int(max_results)] if max_results else found

    tables.search_transit_gateway_routes = search


def _propagate(tables: Any) -> None:
    stock, stock_disable = tables.set_route_table_propagation, tables.disable_route_table_propagation

    def enable(self: Any, transit_gateway_attachment_id: str, transit_gateway_route_table_id: str) -> None:
        stock(self, transit_gateway_attachment_id, transit_gateway_route_table_id)
        attachment = self.transit_gateway_attachments[transit_gateway_attachment_id]
        table = self.transit_gateways_route_tables[transit_gateway_route_table_id]
        for vpc in _vpcs(attachment):
            made = {
                "destinationCidrBlock": vpc.cidr_block,
                "prefixListId": None,
                "state": "active",
                "type": "propagated",
                "transitGatewayAttachments": [
                    {
                        "resourceId": attachment.resource_id,
                        "resourceType": attachment.resource_type,
                        "transitGatewayAttachmentId": attachment.id,
                    }
                ],
            }
            # A static route outranks a propagated one for the same block.
            table.routes.setdefault(vpc.cidr_block, made)

    def disable(self: Any, transit_gateway_attachment_id: str, transit_gateway_route_table_id: str) -> None:
        stock_disable(self, transit_gateway_attachment_id, transit_gateway_route_table_id)
        attachment = self.transit_gateway_attachments[transit_gateway_attachment_id]
        routes = self.transit_gateways_route_tables[transit_gateway_route_table_id].routes
        for vpc in _vpcs(attachment):
            if routes.get(vpc.cidr_block, {}).get("type") == "propagated":
                del routes[vpc.cidr_block]

    tables.set_route_table_propagation, tables.disable_route_table_propagation = enable, disable


def _vpcs(attachment: Any) -> list[Any]:
    """Return the VPC of an attachment, which is in the account that attached it; none for any other kind."""
    vpc = attachment.ec2_backend.vpcs.get(attachment.resource_id)
    return [vpc] if vpc else []


def _show_associations(attachment: Any, backend: Any) -> None:
    stock_unset = backend.unset_attachment_association

    def association(self: Any) -> dict[str, str] | None:
        if getattr(self, "is_unassociated", False):
            return None
        chosen = self._association_data.get("transitGatewayRouteTableId")
        default = self.transit_gateway_route_table
        table = chosen or (default.id if default else None)
        return {"State": "associated", "TransitGatewayRouteTableId": table} if table else None

    def unset(self: Any, tgw_attach_id: str) -> None:
        stock_unset(self, tgw_attach_id)
        self.transit_gateway_attachments[tgw_attach_id].is_unassociated = True

    stock_set = backend.set_attachment_association

    def set_one(self: Any, transit_gateway_attachment_id: str, transit_gateway_route_table_id: str) -> None:
        stock_set(self, transit_gateway_attachment_id, transit_gateway_route_table_id)
        self.transit_gateway_attachments[transit_gateway_attachment_id].is_unassociated = False

    attachment.association = property(association)
    backend.unset_attachment_association, backend.set_attachment_association = unset, set_one


def _share(attachments: Any) -> None:
    backend = attachments.TransitGatewayAttachmentBackend
    stock = backend.create_transit_gateway_vpc_attachment

    def create(self: Any, transit_gateway_id: str, vpc_id: str, subnet_ids: list[str], **more: Any) -> Any:
        owner = _owner(self, transit_gateway_id)
        if owner is None or owner is self:
            return stock(self, transit_gateway_id, vpc_id, subnet_ids, **more)
        gateway = owner.transit_gateways[transit_gateway_id]
        made = attachments.TransitGatewayVpcAttachment(self, gateway, vpc_id, subnet_ids, **more)
        made.gateway_owner = owner.account_id
        self.transit_gateway_attachments[made.id] = owner.transit_gateway_attachments[made.id] = made
        if made.transit_gateway_route_table:
            owner.set_route_table_association(made.id, made.transit_gateway_route_table.id)
        return made

    def owner_id(self: Any) -> str:
        account: str = getattr(self, "gateway_owner", self.resource_owner_id)
        return account

    backend.create_transit_gateway_vpc_attachment = create
    attachments.TransitGatewayAttachment.transit_gateway_owner_id = property(owner_id)


def _owner(backend: Any, gateway_id: str) -> Any:
    """Return the backend of the account that has the gateway, in the same region; None if none has it."""
    accounts: Any = import_module("moto.backends").get_backend("ec2")
    regions = (account.get(backend.region_name) for account in accounts.values())
    return next((each for each in regions if each and gateway_id in each.transit_gateways), None)


def _route_to_shared(routes: Any) -> None:
    def with_shared(stock: Any) -> Any:
        shape = signature(stock)

        def change(self: Any, *args: Any, **options: Any) -> Any:
            gateway_id = shape.bind(self, *args, **options).arguments.get("transit_gateway_id")
            owner = _owner(self, gateway_id) if gateway_id else None
            if owner is None or owner is self:
                return stock(self, *args, **options)
            self.transit_gateways[gateway_id] = owner.transit_gateways[gateway_id]
            try:
                return stock(self, *args, **options)
            finally:
                del self.transit_gateways[gateway_id]

        return change

    routes.create_route, routes.replace_route = with_shared(routes.create_route), with_shared(routes.replace_route)
