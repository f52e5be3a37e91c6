"""Every cause: found alone, with nothing beside it; and gone once the commands it gives have been run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.network.estate import ACCOUNT, INTERNET, REGION, Estate, causes, only

if TYPE_CHECKING:
    from collections.abc import Callable

    from pull_responder.findings.finding import Finding

    Break = Callable[[Estate], None]
    Build = Callable[[Estate], Estate]

PRIVATE_ONLY = [{"CidrIp": "10.0.0.0/8"}, {"CidrIp": "172.16.0.0/12"}]


def arn(kind: str, resource: str) -> str:
    return f"arn:aws:ec2:{REGION}:{ACCOUNT}:{kind}/{resource}"


@pytest.mark.parametrize("build", [Estate.behind_nat, Estate.in_public, Estate.endpoints_only])
def test_a_sound_estate_shows_nothing(estate: Estate, build: Build) -> None:
    build(estate)
    estate.node()
    answer = estate.ask()
    assert causes(answer.diagnosis) == []
    assert answer.diagnosis.inconclusive == ()
    assert {"security_group_blocks_egress", "network_acl_blocks_traffic", "vpc_dns_disabled"} <= set(
        answer.diagnosis.passed
    )


def no_route(e: Estate) -> None:
    e.unroute(e.table_a)


def no_route_of_nat(e: Estate) -> None:
    e.unroute(e.table_public)


def no_egress(e: Estate) -> None:
    e.close_egress(e.group)
    e.ec2.authorize_security_group_egress(
        GroupId=e.group, IpPermissions=[{"IpProtocol": "-1", "IpRanges": PRIVATE_ONLY}]
    )


def acl_denies_out(e: Estate) -> None:
    acl = e.network_acl(e.a)
    for egress in (True, False):
        e.entry(acl, 100, allow=True, egress=egress)
    e.entry(acl, 99, allow=False, egress=True, ports=(443, 443))


def acl_lacks_answers(e: Estate) -> None:
    acl = e.network_acl(e.a)
    e.entry(acl, 100, allow=True, egress=True)
    e.entry(acl, 100, allow=True, egress=False, ports=(1, 1023))


def second_nat_instead(e: Estate) -> None:
    broken = e.nat
    e.nat = e.nat_gateway()
    e.ec2.delete_nat_gateway(NatGatewayId=broken)


FIXABLE: dict[str, tuple[Build, Break, str, Callable[[Estate], str]]] = {
    "no default route": (Estate.behind_nat, no_route, "no_route_to_ecr", lambda e: arn("subnet", e.a)),
    "the NAT gateway's subnet has none": (
        Estate.behind_nat,
        no_route_of_nat,
        "no_route_to_ecr",
        lambda e: arn("subnet", e.public),
    ),
    "egress to private ranges only": (
        Estate.behind_nat,
        no_egress,
        "security_group_blocks_egress",
        lambda e: arn("security-group", e.group),
    ),
    "egress to private ranges only, in a public subnet": (
        Estate.in_public,
        no_egress,
        "security_group_blocks_egress",
        lambda e: arn("security-group", e.group),
    ),
    "an ACL entry denies 443 before all is allowed": (
        Estate.behind_nat,
        acl_denies_out,
        "network_acl_blocks_traffic",
        lambda e: arn("network-acl", _acl(e)),
    ),
    "an ACL lets no answers in": (
        Estate.in_public,
        acl_lacks_answers,
        "network_acl_blocks_traffic",
        lambda e: arn("network-acl", _acl(e)),
    ),
    "a NAT gateway that is gone, another at hand": (
        Estate.behind_nat,
        second_nat_instead,
        "nat_gateway_unavailable",
        lambda e: arn("natgateway", _first_nat(e)),
    ),
    "ecr.api lacks": (
        Estate.endpoints_only,
        lambda e: e.delete_endpoint("ecr.api"),
        "vpc_endpoint_missing",
        lambda e: arn("vpc", e.vpc),
    ),
    "ecr.dkr lacks": (
        Estate.endpoints_only,
        lambda e: e.delete_endpoint("ecr.dkr"),
        "vpc_endpoint_missing",
        lambda e: arn("vpc", e.vpc),
    ),
    "S3 lacks": (
        Estate.endpoints_only,
        lambda e: e.delete_endpoint("s3"),
        "vpc_endpoint_missing",
        lambda e: arn("vpc", e.vpc),
    ),
    "the endpoints let nobody in": (
        Estate.endpoints_only,
        lambda e: e.close_ingress(e.endpoint_group, e.group),
        "endpoint_security_group_blocks_ingress",
        lambda e: arn("security-group", e.endpoint_group),
    ),
    "an endpoint takes the traffic although NAT would do": (
        lambda e: e.behind_nat().endpoints_only(),
        lambda e: e.close_ingress(e.endpoint_group, e.group),
        "endpoint_security_group_blocks_ingress",
        lambda e: arn("security-group", e.endpoint_group),
    ),
    "DNS support is off": (
        Estate.behind_nat,
        lambda e: e.ec2.modify_vpc_attribute(VpcId=e.vpc, EnableDnsSupport={"Value": False}),
        "vpc_dns_disabled",
        lambda e: arn("vpc", e.vpc),
    ),
    "DNS hostnames are off": (
        Estate.endpoints_only,
        lambda e: e.ec2.modify_vpc_attribute(VpcId=e.vpc, EnableDnsHostnames={"Value": False}),
        "vpc_dns_disabled",
        lambda e: arn("vpc", e.vpc),
    ),
}


def _acl(e: Estate) -> str:
    found = e.ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [e.vpc]}])["NetworkAcls"]
    (own,) = [each["NetworkAclId"] for each in found if not each["IsDefault"]]
    return str(own)


def _first_nat(e: Estate) -> str:
    found = e.ec2.describe_nat_gateways(Filter=[{"Name": "vpc-id", "Values": [e.vpc]}])["NatGateways"]
    (gone,) = [each["NatGatewayId"] for each in found if each["State"] == "deleted"]
    return str(gone)


@pytest.mark.parametrize("case", FIXABLE.values(), ids=FIXABLE)
def test_a_cause_is_found_alone_and_its_commands_mend_it(
    estate: Estate, case: tuple[Build, Break, str, Callable[[Estate], str]]
) -> None:
    build, break_it, cause, resource = case
    build(estate)
    estate.node()
    break_it(estate)
    finding = only(estate.diagnose(), cause)
    assert finding.resource.id == resource(estate)
    assert finding.evidence
    estate.run(finding.remediation)
    assert causes(estate.diagnose()) == []


def test_no_public_address_and_the_next_nodes_have_one(estate: Estate) -> None:
    estate.in_public()
    estate.ec2.modify_subnet_attribute(SubnetId=estate.a, MapPublicIpOnLaunch={"Value": False})
    estate.node()
    finding = only(estate.diagnose(), "public_ip_missing")
    assert finding.resource.id == arn("subnet", estate.a)
    estate.run(finding.remediation)
    estate.node()
    assert causes(estate.diagnose()) == []


def test_private_dns_off(estate: Estate) -> None:
    estate.endpoints_only()
    estate.delete_endpoint("ecr.api")
    endpoint = estate.interface_endpoint("ecr.api", private_dns=False)
    estate.node()
    finding = only(estate.diagnose(), "endpoint_private_dns_disabled")
    assert finding.resource.id == arn("vpc-endpoint", endpoint)
    # moto takes the command and changes nothing.
    (command,) = finding.remediation.commands
    assert command[:3] == ("aws", "ec2", "modify-vpc-endpoint")
    assert {"--private-dns-enabled", endpoint} <= set(command)
    estate.run(finding.remediation)


def test_s3_endpoint_in_another_subnets_table_only(estate: Estate) -> None:
    estate.endpoints_only()
    estate.delete_endpoint("s3")
    endpoint = estate.gateway_endpoint(estate.table_b)
    estate.node()
    finding = only(estate.diagnose(), "s3_endpoint_not_in_route_table")
    assert finding.resource.id == arn("route-table", estate.table_a)
    # moto takes the command, and makes no route.
    (command,) = finding.remediation.commands
    assert command[command.index("--add-route-table-ids") + 1] == estate.table_a
    assert command[command.index("--vpc-endpoint-id") + 1] == endpoint
    estate.run(finding.remediation)


def test_a_nat_gateway_that_is_gone_without_another_gives_no_command(estate: Estate) -> None:
    estate.behind_nat()
    estate.node()
    estate.ec2.delete_nat_gateway(NatGatewayId=estate.nat)
    finding = only(estate.diagnose(), "nat_gateway_unavailable")
    assert finding.remediation.commands == ()
    assert f"route to it what is routed to {estate.nat} now" in finding.remediation.summary


def test_an_isolated_subnet_lacks_a_route_and_not_endpoints(estate: Estate) -> None:
    estate.node()
    finding = only(estate.diagnose(), "no_route_to_ecr")
    assert finding.remediation.commands == ()
    assert "or create the endpoints ecr.api, ecr.dkr and s3" in finding.remediation.summary


def test_two_at_once_are_both_found(estate: Estate) -> None:
    estate.endpoints_only()
    estate.node()
    estate.delete_endpoint("s3")
    estate.close_ingress(estate.endpoint_group, estate.group)
    estate.ec2.modify_vpc_attribute(VpcId=estate.vpc, EnableDnsHostnames={"Value": False})
    found = {finding.cause: finding for finding in estate.diagnose().findings}
    assert set(found) == {"vpc_endpoint_missing", "endpoint_security_group_blocks_ingress", "vpc_dns_disabled"}
    mend_all(estate, list(found.values()))
    assert causes(estate.diagnose()) == []


def test_network_and_identity_and_permissions_at_once(estate: Estate) -> None:
    estate.behind_nat()
    estate.node(metadata="disabled")
    estate.close_egress(estate.group)
    estate.client("iam").delete_role_policy(RoleName=f"{estate.name}-node", PolicyName="pull")
    found = set(causes(estate.diagnose()))
    assert found == {"security_group_blocks_egress", "instance_metadata_disabled", "role_lacks_pull_permissions"}


def mend_all(estate: Estate, findings: list[Finding]) -> None:
    for finding in findings:
        estate.run(finding.remediation)


@pytest.mark.parametrize(
    "break_it",
    [
        lambda e: e.entry(e.network_acl(e.b), 1, allow=False, egress=True),
        lambda e: e.unroute(e.table_b),
        lambda e: e.close_egress(e.security_group("others")),
        lambda e: e.ec2.delete_nat_gateway(NatGatewayId=e.nat_gateway()),
        lambda e: e.route(e.table_a, "203.0.113.0/24", GatewayId=e.igw),
    ],
    ids=["another subnet's ACL", "another subnet's route", "another group", "another NAT gateway", "a route elsewhere"],
)
def test_what_is_broken_beside_the_way_is_not_reported(estate: Estate, break_it: Break) -> None:
    estate.behind_nat()
    estate.node()
    break_it(estate)
    assert causes(estate.diagnose()) == []


def test_a_rule_for_a_part_of_the_internet_is_inconclusive_and_named(estate: Estate) -> None:
    estate.behind_nat()
    estate.node()
    estate.close_egress(estate.group)
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "52.0.0.0/8"}]}
    estate.ec2.authorize_security_group_egress(GroupId=estate.group, IpPermissions=[rule])
    diagnosis = estate.diagnose()
    assert causes(diagnosis) == []
    (reason,) = [each.reason for each in diagnosis.inconclusive if each.cause == "security_group_blocks_egress"]
    assert "52.0.0.0/8" in reason


def test_a_customers_prefix_list_is_read(estate: Estate) -> None:
    estate.behind_nat()
    estate.node()
    estate.close_egress(estate.group)
    made = estate.ec2.create_managed_prefix_list(
        PrefixListName="everywhere", MaxEntries=1, AddressFamily="IPv4", Entries=[{"Cidr": INTERNET}]
    )
    listed = made["PrefixList"]["PrefixListId"]
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "PrefixListIds": [{"PrefixListId": listed}]}
    estate.ec2.authorize_security_group_egress(GroupId=estate.group, IpPermissions=[rule])
    diagnosis = estate.diagnose()
    assert "security_group_blocks_egress" in diagnosis.passed
