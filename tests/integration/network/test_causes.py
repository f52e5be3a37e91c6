"""Every cause: found alone, with nothing beside it; and gone once the commands it gives have been run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.network.estate import ACCOUNT, INTERNET, REGION, NetworkEstate, causes, only

if TYPE_CHECKING:
    from collections.abc import Callable

    from pull_responder.diagnosis import Diagnosis
    from pull_responder.findings.finding import Finding

    Break = Callable[[NetworkEstate], None]
    Build = Callable[[NetworkEstate], NetworkEstate]

PRIVATE_ONLY = [{"CidrIp": "10.0.0.0/8"}, {"CidrIp": "172.16.0.0/12"}]


def arn(kind: str, resource: str) -> str:
    return f"arn:aws:ec2:{REGION}:{ACCOUNT}:{kind}/{resource}"


def marks(causes: set[str], shows: str) -> list[pytest.MarkDecorator]:
    return [pytest.mark.cause(cause, shows) for cause in sorted(causes)]


EVERYWHERE = {"security_group_blocks_egress", "network_acl_blocks_traffic", "vpc_dns_disabled"}
OF_NODES = {"instance_profile_missing", "role_trust_policy_excludes_service", "instance_metadata_disabled"}
SOUND: dict[str, tuple[Build, set[str]]] = {
    "behind NAT": (NetworkEstate.behind_nat, {"no_route_to_ecr", "nat_gateway_unavailable", *OF_NODES}),
    "public": (NetworkEstate.in_public, {"no_route_to_ecr", "public_ip_missing"}),
    "endpoints only": (
        NetworkEstate.endpoints_only,
        {
            "vpc_endpoint_missing",
            "vpc_endpoint_unavailable",
            "endpoint_private_dns_disabled",
            "endpoint_security_group_blocks_ingress",
            "s3_endpoint_not_in_route_table",
        },
    ),
}


@pytest.mark.parametrize(
    ("build", "passed"),
    [pytest.param(*each, id=name, marks=marks(each[1] | EVERYWHERE, "passes")) for name, each in SOUND.items()],
)
def test_a_sound_estate_shows_nothing(estate: NetworkEstate, build: Build, passed: set[str]) -> None:
    build(estate)
    estate.node()
    answer = estate.ask()
    assert causes(answer.diagnosis) == []
    assert answer.diagnosis.inconclusive == ()
    assert passed | EVERYWHERE <= set(answer.diagnosis.passed)


def no_route(e: NetworkEstate) -> None:
    e.unroute(e.table_a)


def no_route_of_nat(e: NetworkEstate) -> None:
    e.unroute(e.table_public)


def no_egress(e: NetworkEstate) -> None:
    e.close_egress(e.group)
    e.ec2.authorize_security_group_egress(
        GroupId=e.group, IpPermissions=[{"IpProtocol": "-1", "IpRanges": PRIVATE_ONLY}]
    )


def acl_denies_out(e: NetworkEstate) -> None:
    acl = e.network_acl(e.a)
    for egress in (True, False):
        e.entry(acl, 100, allow=True, egress=egress)
    e.entry(acl, 99, allow=False, egress=True, ports=(443, 443))


def acl_allows_nothing(e: NetworkEstate) -> None:
    # Several entries in one direction: their numbers must differ, or AWS refuses the second command.
    e.network_acl(e.a)


def acl_lacks_answers(e: NetworkEstate) -> None:
    acl = e.network_acl(e.a)
    e.entry(acl, 100, allow=True, egress=True)
    e.entry(acl, 100, allow=True, egress=False, ports=(1, 1023))


def second_nat_instead(e: NetworkEstate) -> None:
    broken = e.nat
    e.nat = e.nat_gateway()
    e.ec2.delete_nat_gateway(NatGatewayId=broken)


def private_dns_off(e: NetworkEstate) -> None:
    e.delete_endpoint("ecr.api")
    e.interface_endpoint("ecr.api", private_dns=False)


def s3_answers_inbound_queries_only(e: NetworkEstate) -> None:
    e.delete_endpoint("s3")
    e.interface_endpoint("s3", DnsOptions={"PrivateDnsOnlyForInboundResolverEndpoint": True})


def s3_in_another_table(e: NetworkEstate) -> None:
    e.delete_endpoint("s3")
    e.gateway_endpoint(e.table_b)


def no_interface(e: NetworkEstate) -> None:
    e.delete_endpoint("ecr.dkr")
    e.interface_endpoint("ecr.dkr", SubnetIds=[])


def dead_route_to_the_internet(e: NetworkEstate) -> None:
    e.unroute(e.table_public)
    e.route(e.table_public, INTERNET, GatewayId=e.detached_gateway())


FIXABLE: dict[str, tuple[Build, Break, str, Callable[[NetworkEstate], str]]] = {
    "no default route": (NetworkEstate.behind_nat, no_route, "no_route_to_ecr", lambda e: arn("subnet", e.a)),
    "the NAT gateway's subnet has none": (
        NetworkEstate.behind_nat,
        no_route_of_nat,
        "no_route_to_ecr",
        lambda e: arn("subnet", e.public),
    ),
    "the NAT gateway's subnet leads to a gateway of no VPC": (
        NetworkEstate.behind_nat,
        dead_route_to_the_internet,
        "no_route_to_ecr",
        lambda e: arn("subnet", e.public),
    ),
    "egress to private ranges only": (
        NetworkEstate.behind_nat,
        no_egress,
        "security_group_blocks_egress",
        lambda e: arn("security-group", e.group),
    ),
    "egress to private ranges only, in a public subnet": (
        NetworkEstate.in_public,
        no_egress,
        "security_group_blocks_egress",
        lambda e: arn("security-group", e.group),
    ),
    "an ACL entry denies 443 before all is allowed": (
        NetworkEstate.behind_nat,
        acl_denies_out,
        "network_acl_blocks_traffic",
        lambda e: arn("network-acl", _acl(e)),
    ),
    "an ACL allows nothing, and several addresses need it": (
        NetworkEstate.endpoints_only,
        acl_allows_nothing,
        "network_acl_blocks_traffic",
        lambda e: arn("network-acl", _acl(e)),
    ),
    "an ACL lets no answers in": (
        NetworkEstate.in_public,
        acl_lacks_answers,
        "network_acl_blocks_traffic",
        lambda e: arn("network-acl", _acl(e)),
    ),
    "a NAT gateway that is gone, another at hand": (
        NetworkEstate.behind_nat,
        second_nat_instead,
        "nat_gateway_unavailable",
        lambda e: arn("natgateway", _first_nat(e)),
    ),
    "ecr.api lacks": (
        NetworkEstate.endpoints_only,
        lambda e: e.delete_endpoint("ecr.api"),
        "vpc_endpoint_missing",
        lambda e: arn("vpc", e.vpc),
    ),
    "ecr.dkr lacks": (
        NetworkEstate.endpoints_only,
        lambda e: e.delete_endpoint("ecr.dkr"),
        "vpc_endpoint_missing",
        lambda e: arn("vpc", e.vpc),
    ),
    "S3 lacks": (
        NetworkEstate.endpoints_only,
        lambda e: e.delete_endpoint("s3"),
        "vpc_endpoint_missing",
        lambda e: arn("vpc", e.vpc),
    ),
    "the endpoints let nobody in": (
        NetworkEstate.endpoints_only,
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
    "private DNS is off": (
        NetworkEstate.endpoints_only,
        private_dns_off,
        "endpoint_private_dns_disabled",
        lambda e: arn("vpc-endpoint", e.endpoints["ecr.api"]),
    ),
    "S3's private DNS answers inbound Resolver endpoints only": (
        NetworkEstate.endpoints_only,
        s3_answers_inbound_queries_only,
        "endpoint_private_dns_disabled",
        lambda e: arn("vpc-endpoint", e.endpoints["s3"]),
    ),
    "S3's endpoint is in another subnet's table only": (
        NetworkEstate.endpoints_only,
        s3_in_another_table,
        "s3_endpoint_not_in_route_table",
        lambda e: arn("route-table", e.table_a),
    ),
    "an endpoint without an interface": (
        NetworkEstate.endpoints_only,
        no_interface,
        "vpc_endpoint_unavailable",
        lambda e: arn("vpc-endpoint", e.endpoints["ecr.dkr"]),
    ),
    "an endpoint without an interface, although NAT would do": (
        lambda e: e.behind_nat().endpoints_only(),
        no_interface,
        "vpc_endpoint_unavailable",
        lambda e: arn("vpc-endpoint", e.endpoints["ecr.dkr"]),
    ),
    "DNS support is off": (
        NetworkEstate.behind_nat,
        lambda e: e.ec2.modify_vpc_attribute(VpcId=e.vpc, EnableDnsSupport={"Value": False}),
        "vpc_dns_disabled",
        lambda e: arn("vpc", e.vpc),
    ),
    "DNS hostnames are off": (
        NetworkEstate.endpoints_only,
        lambda e: e.ec2.modify_vpc_attribute(VpcId=e.vpc, EnableDnsHostnames={"Value": False}),
        "vpc_dns_disabled",
        lambda e: arn("vpc", e.vpc),
    ),
}


def _acl(e: NetworkEstate) -> str:
    found = e.ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [e.vpc]}])["NetworkAcls"]
    (own,) = [each["NetworkAclId"] for each in found if not each["IsDefault"]]
    return str(own)


def _first_nat(e: NetworkEstate) -> str:
    found = e.ec2.describe_nat_gateways(Filter=[{"Name": "vpc-id", "Values": [e.vpc]}])["NatGateways"]
    (gone,) = [each["NatGatewayId"] for each in found if each["State"] == "deleted"]
    return str(gone)


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=name, marks=marks({case[2]}, "fails")) for name, case in FIXABLE.items()]
)
def test_a_cause_is_found_alone_and_its_commands_mend_it(
    estate: NetworkEstate, case: tuple[Build, Break, str, Callable[[NetworkEstate], str]]
) -> None:
    build, break_it, cause, resource = case
    build(estate)
    estate.node()
    break_it(estate)
    finding = only(estate.diagnose(), cause)
    assert finding.resource.id == resource(estate)
    assert finding.evidence
    # It was traced again before it was printed, and it is enough.
    assert "This is not enough" not in finding.remediation.summary
    estate.run(finding.remediation)
    assert clean(estate.diagnose())
    estate.run_again(finding.remediation)
    assert clean(estate.diagnose())


def clean(diagnosis: Diagnosis) -> bool:
    return causes(diagnosis) == [] and diagnosis.inconclusive == ()


@pytest.mark.cause("public_ip_missing", "fails")
def test_no_public_address_and_the_next_nodes_have_one(estate: NetworkEstate) -> None:
    estate.in_public()
    estate.ec2.modify_subnet_attribute(SubnetId=estate.a, MapPublicIpOnLaunch={"Value": False})
    estate.node()
    finding = only(estate.diagnose(), "public_ip_missing")
    assert finding.resource.id == arn("subnet", estate.a)
    estate.run(finding.remediation)
    estate.node()
    assert causes(estate.diagnose()) == []


def test_a_nat_gateway_that_is_gone_without_another_gives_no_command(estate: NetworkEstate) -> None:
    estate.behind_nat()
    estate.node()
    estate.ec2.delete_nat_gateway(NatGatewayId=estate.nat)
    finding = only(estate.diagnose(), "nat_gateway_unavailable")
    assert finding.remediation.commands == ()
    assert f"replace {estate.nat} by it in the routes" in finding.remediation.summary


@pytest.mark.parametrize("state", ["failed", "rejected", "pendingAcceptance", "expired"])
def test_an_endpoint_that_is_not_available_is_made_anew_by_hand(estate: NetworkEstate, state: str) -> None:
    estate.endpoints_only()
    estate.node()
    estate.set_endpoint_state("ecr.dkr", state)
    finding = only(estate.diagnose(), "vpc_endpoint_unavailable")
    assert finding.resource.id == arn("vpc-endpoint", estate.endpoints["ecr.dkr"])
    assert state in finding.explanation
    # Deleting takes a while, and until then a new endpoint's private DNS conflicts with the old one's.
    assert finding.remediation.commands == ()
    assert estate.endpoints["ecr.dkr"] in finding.remediation.summary
    estate.delete_endpoint("ecr.dkr")
    estate.interface_endpoint("ecr.dkr")
    assert clean(estate.diagnose())


@pytest.mark.parametrize("state", ["deleting", "deleted"])
def test_an_endpoint_that_goes_away_is_missing(estate: NetworkEstate, state: str) -> None:
    estate.endpoints_only()
    estate.node()
    estate.set_endpoint_state("ecr.dkr", state)
    finding = only(estate.diagnose(), "vpc_endpoint_missing")
    assert "ecr.dkr" in finding.explanation
    assert "ecr.api" not in finding.explanation


def test_the_main_route_table_serves_a_subnet_without_one_of_its_own(estate: NetworkEstate) -> None:
    estate.behind_nat()
    estate.node(estate.subnet_without_table())
    finding = only(estate.diagnose(), "no_route_to_ecr")
    main = estate.main_table()
    assert f"route table {main} (the main one)" in " ".join(finding.evidence)
    estate.run(finding.remediation)
    assert clean(estate.diagnose())


def test_a_nat_gateway_in_the_private_subnet_itself_gives_no_command(estate: NetworkEstate) -> None:
    """Routing that subnet to the internet gateway would cut off its nodes, which have no public addresses."""
    estate.route(estate.table_a, INTERNET, NatGatewayId=estate.nat_gateway(estate.a))
    estate.node()
    finding = only(estate.diagnose(), "no_route_to_ecr")
    assert finding.resource.id == arn("subnet", estate.a)
    assert "leads back to the NAT gateway itself" in finding.explanation
    assert finding.remediation.commands == ()
    assert "public subnet" in finding.remediation.summary


def test_a_nat_gateways_route_only_by_a_prefix_list(estate: NetworkEstate) -> None:
    """What leads to the broken NAT gateway may be a prefix list, whose route no command replaces blindly."""
    estate.behind_nat()
    estate.node()
    everything = estate.prefix_list("0.0.0.0/1", "128.0.0.0/1")
    estate.unroute(estate.table_a)
    broken = estate.nat
    estate.ec2.create_route(RouteTableId=estate.table_a, DestinationPrefixListId=everything, NatGatewayId=broken)
    second_nat_instead(estate)
    finding = only(estate.diagnose(), "nat_gateway_unavailable")
    assert everything in " ".join(finding.evidence)
    assert finding.remediation.commands == ()
    assert estate.nat in finding.remediation.summary


def test_an_isolated_subnet_lacks_a_route_and_not_endpoints(estate: NetworkEstate) -> None:
    estate.node()
    finding = only(estate.diagnose(), "no_route_to_ecr")
    assert finding.remediation.commands == ()
    assert "or create the endpoints ecr.api, ecr.dkr and s3" in finding.remediation.summary


def test_two_at_once_are_both_found(estate: NetworkEstate) -> None:
    estate.endpoints_only()
    estate.node()
    estate.delete_endpoint("s3")
    estate.close_ingress(estate.endpoint_group, estate.group)
    estate.ec2.modify_vpc_attribute(VpcId=estate.vpc, EnableDnsHostnames={"Value": False})
    found = {finding.cause: finding for finding in estate.diagnose().findings}
    assert set(found) == {"vpc_endpoint_missing", "endpoint_security_group_blocks_ingress", "vpc_dns_disabled"}
    mend_all(estate, list(found.values()))
    assert causes(estate.diagnose()) == []


def test_network_and_identity_and_permissions_at_once(estate: NetworkEstate) -> None:
    estate.behind_nat()
    estate.node(metadata="disabled")
    estate.close_egress(estate.group)
    estate.client("iam").delete_role_policy(RoleName=f"{estate.name}-node", PolicyName="pull")
    found = set(causes(estate.diagnose()))
    assert found == {"security_group_blocks_egress", "instance_metadata_disabled", "role_lacks_pull_permissions"}


def mend_all(estate: NetworkEstate, findings: list[Finding]) -> None:
    for finding in findings:
        estate.run(finding.remediation)


def both(e: NetworkEstate) -> NetworkEstate:
    return e.behind_nat().endpoints_only()


def another_endpoint(e: NetworkEstate, **options: Any) -> None:  # noqa: ANN401 -- as EC2 takes them
    e.endpoint_group = e.endpoint_group or e.security_group("endpoints")
    e.interface_endpoint("sqs", **options)


def another_endpoint_has_failed(e: NetworkEstate) -> None:
    another_endpoint(e)
    e.set_endpoint_state("sqs", "failed")


NEAR_MISSES: dict[str, tuple[Build, Break, str]] = {
    "another subnet's ACL": (
        NetworkEstate.behind_nat,
        lambda e: e.entry(e.network_acl(e.b), 1, allow=False, egress=True),
        "network_acl_blocks_traffic",
    ),
    "another subnet's route": (NetworkEstate.behind_nat, lambda e: e.unroute(e.table_b), "no_route_to_ecr"),
    "another group": (
        NetworkEstate.behind_nat,
        lambda e: e.close_egress(e.security_group("others")),
        "security_group_blocks_egress",
    ),
    "another NAT gateway": (
        NetworkEstate.behind_nat,
        lambda e: e.ec2.delete_nat_gateway(NatGatewayId=e.nat_gateway()),
        "nat_gateway_unavailable",
    ),
    "a route elsewhere": (
        NetworkEstate.behind_nat,
        lambda e: e.route(e.table_a, "203.0.113.0/24", GatewayId=e.igw),
        "public_ip_missing",
    ),
    "no DNS hostnames, and no endpoint that needs them": (
        NetworkEstate.behind_nat,
        lambda e: e.ec2.modify_vpc_attribute(VpcId=e.vpc, EnableDnsHostnames={"Value": False}),
        "vpc_dns_disabled",
    ),
    "an endpoint less, and a way by NAT": (both, lambda e: e.delete_endpoint("ecr.dkr"), "vpc_endpoint_missing"),
    "another service's endpoint has failed": (
        NetworkEstate.endpoints_only,
        another_endpoint_has_failed,
        "vpc_endpoint_unavailable",
    ),
    "private DNS off, and a way by NAT": (both, private_dns_off, "endpoint_private_dns_disabled"),
    "another service's endpoint lets nobody in": (
        NetworkEstate.endpoints_only,
        lambda e: another_endpoint(e, SecurityGroupIds=[e.security_group("closed")]),
        "endpoint_security_group_blocks_ingress",
    ),
    "S3's endpoint in another table, and a way by NAT": (both, s3_in_another_table, "s3_endpoint_not_in_route_table"),
}


@pytest.mark.parametrize(
    ("build", "break_it", "cause"),
    [pytest.param(*case, id=name, marks=marks({case[2]}, "near_miss")) for name, case in NEAR_MISSES.items()],
)
def test_what_is_broken_beside_the_way_is_not_reported(
    estate: NetworkEstate, build: Build, break_it: Break, cause: str
) -> None:
    build(estate)
    estate.node()
    break_it(estate)
    diagnosis = estate.diagnose()
    assert causes(diagnosis) == []
    assert cause not in {each.cause for each in diagnosis.inconclusive}


def test_a_rule_for_a_part_of_the_internet_is_inconclusive_and_named(estate: NetworkEstate) -> None:
    estate.behind_nat()
    estate.node()
    estate.close_egress(estate.group)
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "52.0.0.0/8"}]}
    estate.ec2.authorize_security_group_egress(GroupId=estate.group, IpPermissions=[rule])
    diagnosis = estate.diagnose()
    assert causes(diagnosis) == []
    (reason,) = [each.reason for each in diagnosis.inconclusive if each.cause == "security_group_blocks_egress"]
    assert "52.0.0.0/8" in reason


def test_a_customers_prefix_list_is_read(estate: NetworkEstate) -> None:
    estate.behind_nat()
    estate.node()
    estate.close_egress(estate.group)
    listed = estate.prefix_list(INTERNET)
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "PrefixListIds": [{"PrefixListId": listed}]}
    estate.ec2.authorize_security_group_egress(GroupId=estate.group, IpPermissions=[rule])
    diagnosis = estate.diagnose()
    assert "security_group_blocks_egress" in diagnosis.passed
