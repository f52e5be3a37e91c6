"""Patches for IPv6 in moto 5.2.5's EC2: the state of a subnet's block, DNS64, and IP address types of endpoints.

DescribeSubnets tells the state of an IPv6 block as the text of a dictionary. ModifySubnetAttribute ignores EnableDns64.
CreateVpcEndpoint and ModifyVpcEndpoint ignore IpAddressType, and interfaces of endpoints get no IPv6 addresses. An
instance in a subnet without IPv4 gets an IPv6 address as its private one, of which no name can be made. The default
network ACL of a VPC that gets an IPv6 block lets nothing of IPv6 through, where EC2's lets everything (Amazon VPC User
Guide, "Default network ACL").

The patches reach into moto's own modules, so requirements.txt pins its version. A patch whose target is gone fails at
once.
"""
# ruff: noqa: SLF001, ANN401 -- moto has neither types nor public names for any of this

from __future__ import annotations

from importlib import import_module
from typing import Any

_APPLIED = "_knows_ipv6"
_WITH_IPV6 = ("dualstack", "ipv6")


def apply() -> None:
    """Patch moto in this process. Call it before moto's server starts; a second time changes nothing."""
    subnet: Any = import_module("moto.ec2.models.subnets").Subnet
    if getattr(subnet, _APPLIED, False):
        return
    _tell_states(subnet)
    _keep_dns64(subnet)
    _keep_types()
    _name_instances()
    _open_default_acls()
    setattr(subnet, _APPLIED, True)


def _tell_states(subnet: Any) -> None:
    stock = subnet.ipv6_cidr_block_association_set.fget

    def blocks(self: Any) -> Any:
        return [{**each, "ipv6CidrBlockState": {"state": "associated"}} for each in stock(self)]

    subnet.ipv6_cidr_block_association_set = property(blocks)


def _keep_dns64(subnet: Any) -> None:
    subnet.enable_dns64 = False
    responses: Any = import_module("moto.ec2.responses.subnets").Subnets
    stock = responses.modify_subnet_attribute

    def modify(self: Any) -> Any:
        answer = stock(self)
        if self._get_param("EnableDns64.Value") is not None:
            found = self.ec2_backend.get_subnet(self._get_param("SubnetId"))
            found.enable_dns64 = self._get_bool_param("EnableDns64.Value")
        return answer

    responses.modify_subnet_attribute = modify


def _name_instances() -> None:
    interfaces: Any = import_module("moto.ec2.models.elastic_network_interfaces")
    interfaces.generate_dns_from_ip = _named(interfaces.generate_dns_from_ip)


def _named(stock: Any) -> Any:
    def name(ip: Any, dns_type: str = "internal") -> Any:
        return stock(ip, dns_type) if ":" not in str(ip) else f"i-{str(ip).replace(':', '-')}.ec2.{dns_type}"

    return name


def _open_default_acls() -> None:
    backend: Any = import_module("moto.ec2.models").EC2Backend
    stock = backend.associate_vpc_cidr_block

    def associate(self: Any, vpc_id: str, cidr_block: Any, amazon_provided_ipv6_cidr_block: Any) -> Any:
        answer = stock(self, vpc_id, cidr_block, amazon_provided_ipv6_cidr_block)
        default = [acl for acl in self.network_acls.values() if acl.vpc_id == vpc_id and acl.default]
        for acl in default if amazon_provided_ipv6_cidr_block else ():
            for egress in (True, False):
                self.create_network_acl_entry(acl.id, 101, "-1", "allow", egress, None, None, None, None, None, "::/0")
        return answer

    backend.associate_vpc_cidr_block = associate


def _keep_types() -> None:
    endpoint: Any = import_module("moto.ec2.models.vpcs").VPCEndPoint
    endpoint.ip_address_type = "ipv4"
    responses: Any = import_module("moto.ec2.responses.vpcs").VPCs
    create, modify = responses.create_vpc_endpoint, responses.modify_vpc_endpoint

    def created(self: Any) -> Any:
        answer = create(self)
        _set_type(self, answer.result["VpcEndpoint"])
        return answer

    def modified(self: Any) -> Any:
        answer = modify(self)
        _set_type(self, self.ec2_backend.vpc_end_points[self._get_param("VpcEndpointId")])
        return answer

    responses.create_vpc_endpoint, responses.modify_vpc_endpoint = created, modified


def _set_type(response: Any, endpoint: Any) -> None:
    """Keep the type that was asked for, and give each interface an IPv6 address if it needs one."""
    wanted = response._get_param("IpAddressType")
    if wanted is None:
        return
    endpoint.ip_address_type = wanted
    for interface in endpoint.network_interface_ids if wanted in _WITH_IPV6 else ():
        found = response.ec2_backend.get_network_interface(interface)
        if not found.ipv6_addresses:
            response.ec2_backend.assign_ipv6_addresses(interface, None, 1)
