"""Route 53 Profiles: what one brings to a VPC decides as the VPC's own would."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.integration.network.enterprise import HUB, Enterprise, enterprise
from tests.integration.network.estate import REGION, NetworkEstate, causes, only, opened
from tests.integration.network.hub import HOST, diagnosed, of_manifest
from tests.integration.network.test_dns_firewall import firewall
from tests.integration.network.test_enterprise import asked

if TYPE_CHECKING:
    from collections.abc import Sequence

PROFILE = "rp-0123456789abcdef"
DKR = f"dkr.ecr.{REGION}.amazonaws.com"
SERVICES = {"ecr.api": [""], "ecr.dkr": ["*"], "s3": ["", "*"]}


def profile(estate: NetworkEstate, *arns: str, **properties: int) -> None:
    """A Profile of the hub's account that is associated with the estate's VPC and holds these resources."""
    profiles = estate.client("route53profiles")
    profiles.associate_profile(Name="shared-dns", ProfileId=PROFILE, ResourceId=estate.vpc)
    more = {"ResourceProperties": json.dumps(properties)} if properties else {}
    for number, arn in enumerate(arns):
        profiles.associate_resource_to_profile(Name=f"r{number}", ProfileId=PROFILE, ResourceArn=arn, **more)


def zone_arn(zone: str) -> str:
    return f"arn:aws:route53:::hostedzone/{zone.rpartition('/')[2]}"


def zones_of_the_hub(estate: Enterprise, services: Sequence[str] = tuple(SERVICES)) -> list[str]:
    """Hosted zones for the hub's endpoints that are not associated with the spoke. Their ARNs."""
    return [zone_arn(estate.zone(each, *SERVICES[each], spoke=False)) for each in services]


def endpoint_arns(estate: Enterprise, *, private_dns: bool = True) -> list[str]:
    if private_dns:
        for each in estate.endpoints.values():
            estate.hub.ec2.modify_vpc_endpoint(VpcEndpointId=each, PrivateDnsEnabled=True)
    return [f"arn:aws:ec2:{REGION}:{HUB}:vpc-endpoint/{each}" for each in estate.endpoints.values()]


@pytest.mark.parametrize("what", ["zones", "endpoints"])
def test_a_profile_leads_to_the_hub(estate: NetworkEstate, what: str) -> None:
    found = enterprise(estate)
    profile(estate, *(zones_of_the_hub(found) if what == "zones" else endpoint_arns(found)))
    diagnosis = estate.diagnose()
    assert (causes(diagnosis), diagnosis.inconclusive) == ([], ())
    assert "endpoint_security_group_blocks_ingress" in diagnosis.passed


@pytest.mark.parametrize("what", ["zones", "endpoints"])
def test_a_fault_in_the_hub_is_found(estate: NetworkEstate, what: str) -> None:
    found = enterprise(estate)
    profile(estate, *(zones_of_the_hub(found) if what == "zones" else endpoint_arns(found)))
    found.shut_hub()
    finding = only(estate.diagnose(), "endpoint_security_group_blocks_ingress")
    assert (finding.account, finding.resource.id.rpartition("/")[2]) == (HUB, found.hub_group)
    found.run(finding.remediation)
    assert causes(estate.diagnose()) == []


def test_a_zone_without_the_record_is_found_in_the_account_that_owns_it(estate: NetworkEstate) -> None:
    found = enterprise(estate)
    lacking = zone_arn(found.zone("ecr.dkr", "", spoke=False))
    profile(estate, *zones_of_the_hub(found, ["ecr.api", "s3"]), lacking)
    message = of_manifest(estate, f"dial tcp: lookup {HOST} on 10.0.0.2:53: no such host")
    for diagnosis in (estate.diagnose(), diagnosed(estate, message)):
        finding = only(diagnosis, "vpc_dns_disabled")
        assert (finding.account, finding.resource.id, finding.resource.type) == (HUB, lacking, "AwsRoute53HostedZone")
        assert f"of Route 53 Profile {PROFILE} answers for {HOST}" in finding.explanation
        assert f"create a record *.{DKR} of type A, an alias of {found.endpoints['ecr.dkr']}" in (
            finding.remediation.summary
        )


def test_a_rule_group_of_the_profile_blocks(estate: NetworkEstate) -> None:
    estate.behind_nat().node()
    group = firewall(estate, ("BLOCK", ["*"]), associate=False)
    profile(estate, f"arn:aws:route53resolver:{REGION}:{estate.account}:firewall-rule-group/{group}", priority=300)
    assert group in only(estate.diagnose(), "dns_firewall_blocks_registry").resource.id
    # What the VPC itself has with a lower number comes first.
    firewall(estate, ("ALLOW", ["*"]), priority=200)
    assert causes(estate.diagnose()) == []


def test_a_rule_of_the_profile_sends_names_away(estate: NetworkEstate) -> None:
    estate.behind_nat().node()
    resolver = estate.client("route53resolver")
    endpoint = resolver.create_resolver_endpoint(
        CreatorRequestId="out",
        Direction="OUTBOUND",
        SecurityGroupIds=[estate.group],
        IpAddresses=[{"SubnetId": estate.a}, {"SubnetId": estate.b}],
    )["ResolverEndpoint"]["Id"]
    rule = resolver.create_resolver_rule(
        CreatorRequestId="r",
        Name="away",
        DomainName=DKR,
        RuleType="FORWARD",
        ResolverEndpointId=endpoint,
        TargetIps=[{"Ip": "10.100.0.2", "Port": 53}],
    )["ResolverRule"]["Id"]
    profile(estate, f"arn:aws:route53resolver:{REGION}:{estate.account}:resolver-rule/{rule}")
    diagnosis = diagnosed(estate, of_manifest(estate, "context deadline exceeded"))
    assert causes(diagnosis) == []
    assert (
        f"Resolver rule {rule} of Route 53 Profile {PROFILE} sends questions for {DKR}"
        in (opened(diagnosis)["no_route_to_ecr"])
    )


@pytest.mark.parametrize(
    "action",
    [
        "route53profiles:ListProfileResourceAssociations",
        "route53:ListResourceRecordSets",
        "ec2:DescribeVpcEndpoints",
    ],
)
def test_what_a_profile_holds_is_open_by_the_action_that_is_denied(estate: NetworkEstate, action: str) -> None:
    found = enterprise(estate)
    profile(estate, *zones_of_the_hub(found, ["ecr.dkr"]), *endpoint_arns(found)[:1])
    found.shut_hub()
    diagnosis = asked(found, denied=(action,))
    assert "endpoint_security_group_blocks_ingress" not in causes(diagnosis)
    assert any(action in each.reason for each in (*diagnosis.inconclusive, *diagnosis.unchecked))


def test_an_account_that_cannot_be_read_is_named(estate: NetworkEstate) -> None:
    found = enterprise(estate)
    profile(estate, *zones_of_the_hub(found))
    diagnosis = asked(found, no_role_in=HUB)
    assert causes(diagnosis) == []
    assert any(PROFILE in each.reason and HUB in each.reason for each in diagnosis.inconclusive)


def test_of_many_zones_those_for_other_names_are_not_read(estate: NetworkEstate) -> None:
    found = enterprise(estate)
    route53 = found.hub.client("route53")
    others = []
    for number in range(14):
        made = route53.create_hosted_zone(
            Name=f"team-{number}.{estate.name}.example",
            CallerReference=f"{estate.name}-{number}",
            VPC={"VPCRegion": REGION, "VPCId": found.hub.vpc},
            HostedZoneConfig={"PrivateZone": True},
        )
        others.append(zone_arn(made["HostedZone"]["Id"]))
    profile(estate, *others, *zones_of_the_hub(found))
    found.shut_hub()
    only(asked(found), "endpoint_security_group_blocks_ingress")
    unread = asked(found, denied=("route53:ListHostedZones",))
    assert causes(unread) == []
    assert any("route53:ListHostedZones" in each.reason for each in unread.inconclusive)
