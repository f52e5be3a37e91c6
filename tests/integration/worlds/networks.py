"""Builds the networks of worlds in the emulated AWS."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tests.integration.network.estate import INTERNET, NetworkEstate
from tests.integration.worlds import families
from tests.integration.worlds.hubs import Hubs, private_zone
from tests.integration.worlds.recorded import OURS, REGION
from tests.integration.worlds.statements import allow
from tests.integration.worlds.world import SPOKE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.worlds.world import World

_BUCKET: Final = f"arn:aws:s3:::prod-{REGION}-starport-layer-bucket"


_OURS: Final = {"StringEquals": {"aws:ResourceOrgID": "o-exampleorg"}}
_LAYERS: Final = {
    "full": None,
    "ours": [allow("s3:*", Principal="*", on="arn:aws:s3:::ours/*")],
    "our organization": [allow("*", Principal="*", Condition=_OURS)],
    "layers": [allow("s3:GetObject", Principal="*", on=f"{_BUCKET}/*")],
}


def _sqs_endpoint(estate: NetworkEstate) -> None:
    estate.endpoint_group = estate.endpoint_group or estate.security_group("endpoints")
    estate.interface_endpoint("sqs", SecurityGroupIds=[estate.security_group("closed")])


BESIDE: Final[dict[str, Callable[[NetworkEstate], object]]] = {
    "another subnet's ACL": lambda e: e.entry(e.network_acl(e.subnet_without_table()), 1, allow=False, egress=True),
    "another group without egress": lambda e: e.close_egress(e.security_group("others")),
    "another NAT gateway deleted": lambda e: e.ec2.delete_nat_gateway(NatGatewayId=e.nat_gateway()),
    "another endpoint that lets nobody in": _sqs_endpoint,
    "a rule for other names": lambda _: None,
    "a zone for other names": lambda e: private_zone(e, "corp.example", "10.0.1.9"),
    "a way to elsewhere": lambda e: e.route(e.table_a, "203.0.113.0/24", GatewayId=e.igw),
}  # fmt: skip


def build_network(world: World, estate: NetworkEstate, hubs: Hubs) -> NetworkEstate:
    """Build the network of a world; `estate` has nothing yet but clients."""
    estate.network()
    if world.family:
        families.add_blocks(world, estate)
    estate.group = estate.security_group("nodes")
    _set_way(world, estate)
    if world.family:
        families.set_way(world, estate)
    if world.has_endpoints:
        _set_endpoints(world, estate)
    hubs.join(world, estate)
    _set_filters(world, estate)
    if "a rule for other names" in world.misses:
        hubs.forward(estate, "corp.example")
    for each in sorted(world.misses & BESIDE.keys()):
        BESIDE[each](estate)
    for attribute, value in (("EnableDnsSupport", world.dns_support), ("EnableDnsHostnames", world.dns_hostnames)):
        estate.ec2.modify_vpc_attribute(VpcId=estate.vpc, **{attribute: {"Value": value}})
    return estate


def address_of(estate: NetworkEstate, service: str) -> str:
    """The address of an endpoint's interface. One without an interface has had another."""
    (found,) = estate.ec2.describe_vpc_endpoints(VpcEndpointIds=[estate.endpoints[service]])["VpcEndpoints"]
    ids = found["NetworkInterfaceIds"]
    interfaces = estate.ec2.describe_network_interfaces(NetworkInterfaceIds=ids)["NetworkInterfaces"] if ids else []
    addresses: list[str] = [each["PrivateIpAddress"] for each in interfaces]
    return addresses[0] if addresses else "10.0.1.250"


def _set_way(world: World, estate: NetworkEstate) -> None:
    tables = (estate.table_a, estate.table_b) if world.zone_b == "sound" else (estate.table_a,)
    if world.way == SPOKE:
        estate.gateway_endpoint(policy=_document(_LAYERS[world.s3_policy]))
    if world.way in ("nat", "both"):
        if world.nat_subnet_route:
            estate.route(estate.table_public, INTERNET, GatewayId=estate.igw)
        estate.nat = estate.nat_gateway()
        if world.default_route:
            for table in tables:
                estate.route(table, INTERNET, NatGatewayId=estate.nat)
        if not world.nat:
            estate.ec2.delete_nat_gateway(NatGatewayId=estate.nat)
    if world.way == "public":
        for subnet in (estate.a, estate.b):
            estate.ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": world.public_address})
        for table in tables if world.default_route else ():
            estate.route(table, INTERNET, GatewayId=estate.igw)


def _set_endpoints(world: World, estate: NetworkEstate) -> None:
    estate.endpoint_group = estate.security_group("endpoints")
    if world.endpoint_ingress:
        estate.allow_in(estate.endpoint_group, estate.group)
    policies = {
        "full": None,
        "account": [allow("ecr:*", Principal={"AWS": OURS})],
        "others": [allow("ecr:*", Principal={"AWS": f"arn:aws:iam::{OURS}:role/others"})],
    }
    for service, state, policy in (("ecr.api", world.api, world.api_policy), ("ecr.dkr", world.dkr, world.dkr_policy)):
        if state != "absent":
            estate.interface_endpoint(
                service,
                private_dns=state != "no private DNS",
                policy=_document(policies[policy]),
                **({"SubnetIds": []} if state == "no interface" else {}),
            )
        if state == "failed":
            estate.set_endpoint_state(service, "failed")
    if world.s3 != "absent":
        tables = (estate.table_b,) if world.s3 == "other table" else (estate.table_a, estate.table_b)
        estate.gateway_endpoint(*tables, policy=_document(_LAYERS[world.s3_policy]))


def _set_filters(world: World, estate: NetworkEstate) -> None:
    rules = {
        "private": {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/8"}, {"CidrIp": "172.16.0.0/12"}]},
        "https": {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": INTERNET}]},
    }
    if world.egress != "all":
        estate.close_egress(estate.group)
    if world.egress == "least":
        ec2 = estate.ec2
        (s3,) = [each for each in ec2.describe_prefix_lists()["PrefixLists"] if each["PrefixListName"].endswith(".s3")]
        rules["least"] = {
            "IpProtocol": "tcp",
            "FromPort": 443,
            "ToPort": 443,
            "UserIdGroupPairs": [{"GroupId": estate.endpoint_group}],
            "PrefixListIds": [{"PrefixListId": s3["PrefixListId"]}],
        }
    if world.egress in rules:
        estate.ec2.authorize_security_group_egress(GroupId=estate.group, IpPermissions=[rules[world.egress]])
    if world.acl == world.acl6 == "open":
        return
    acl = estate.network_acl(estate.a)
    if world.family:
        families.set_acl(world, estate, acl)
    estate.entry(acl, 100, allow=True, egress=True)
    answers = (1, 1023) if world.acl == "no answers" else None
    estate.entry(acl, 100, allow=True, egress=False, ports=answers)
    if world.acl in ("denies", "late"):
        estate.entry(acl, 99 if world.acl == "denies" else 101, allow=False, egress=True, ports=(443, 443))


def _document(statements: list[dict[str, Any]] | None) -> dict[str, Any] | None:
    if statements is None:
        return None
    principal = [{"Principal": "*", **each} for each in statements]
    return {"Version": "2012-10-17", "Statement": principal}
