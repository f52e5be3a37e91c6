"""Patches for VPC endpoints of moto 5.2.5's EC2, so that a fix has an effect.

ModifyVpcEndpoint accepts every option but keeps only some. Here it keeps private DNS and DNS options. An added route
table gets its route and a removed one loses it, and an added subnet gets a network interface. CreateVpcEndpoint drops
DNS options, too, and gives interfaces addresses outside of their subnet. Interfaces cannot be listed by their type,
endpoints not by a filter for their ids.

The patches reach into moto's own modules, so requirements.txt pins its version. A patch whose target is gone fails at
once.
"""
# ruff: noqa: SLF001, ANN401 -- moto has neither types nor public names for any of this

from __future__ import annotations

from importlib import import_module
from typing import Any

_APPLIED = "_endpoints_do_what_they_are_told"


def apply() -> None:
    """Patch moto in this process. Call it before moto's server starts; a second time changes nothing."""
    responses: Any = import_module("moto.ec2.responses.vpcs").VPCs
    models: Any = import_module("moto.ec2.models.vpcs")
    if getattr(responses, _APPLIED, False):
        return
    _modify(responses)
    _create(responses)
    # Without an address here, moto chooses one of the subnet.
    models.random_private_ip = lambda: None
    _tell_interfaces_of_endpoints()
    _filter_by_id(models.VPCEndPoint)
    setattr(responses, _APPLIED, True)


def _filter_by_id(endpoint: Any) -> None:
    stock = endpoint.get_filter_value

    def get_filter_value(self: Any, filter_name: str, method_name: str | None = None) -> Any:
        return self.id if filter_name == "vpc-endpoint-id" else stock(self, filter_name, method_name)

    endpoint.get_filter_value = get_filter_value


def _modify(responses: Any) -> None:
    stock = responses.modify_vpc_endpoint

    def modify(self: Any) -> Any:
        backend = self.ec2_backend
        endpoint = backend.vpc_end_points[self._get_param("VpcEndpointId")]
        had_tables, had_subnets = set(endpoint.route_table_ids), set(endpoint.subnet_ids or [])
        answer = stock(self)
        if self._get_param("PrivateDnsEnabled") is not None:
            endpoint.private_dns_enabled = self._get_bool_param("PrivateDnsEnabled")
        _keep_dns_options(self, endpoint)
        tables = set(endpoint.route_table_ids)
        for table in tables - had_tables:
            backend.create_route(
                table, None, gateway_id=endpoint.id, destination_prefix_list_id=endpoint.destination_prefix_list_id
            )
        for table in had_tables - tables:
            backend.delete_route(table, None, destination_prefix_list_id=endpoint.destination_prefix_list_id)
        for subnet in set(endpoint.subnet_ids or []) - had_subnets:
            endpoint.network_interface_ids.append(backend.create_network_interface(subnet, None).id)
        return answer

    responses.modify_vpc_endpoint = modify


def _create(responses: Any) -> None:
    stock = responses.create_vpc_endpoint

    def create(self: Any) -> Any:
        answer = stock(self)
        _keep_dns_options(self, answer.result["VpcEndpoint"])
        return answer

    responses.create_vpc_endpoint = create


def _tell_interfaces_of_endpoints() -> None:
    interface: Any = import_module("moto.ec2.models.elastic_network_interfaces").NetworkInterface
    stock = interface.get_filter_value

    def value(self: Any, filter_name: str) -> Any:
        if filter_name != "interface-type":
            return stock(self, filter_name)
        endpoints = self.ec2_backend.vpc_end_points.values()
        is_of_one = any(self.id in (each.network_interface_ids or []) for each in endpoints)
        return "vpc_endpoint" if is_of_one else "interface"

    interface.get_filter_value = value


def _keep_dns_options(response: Any, endpoint: Any) -> None:
    inbound_only = response._get_param("DnsOptions", {}).get("PrivateDnsOnlyForInboundResolverEndpoint")
    if inbound_only is not None:
        endpoint.dns_options = {"PrivateDnsOnlyForInboundResolverEndpoint": str(inbound_only).lower() == "true"}
