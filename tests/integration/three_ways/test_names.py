"""A spoke of a hub, by each of the ways in which names lead to the hub: nothing in it is blamed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.handlers.test_names import HUB, OF_A_NEW_KIND, Spoke, timed_out
from tests.integration.three_ways.room import LATER, Room, image_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pull_responder.emulator.emulated_aws import EmulatedAws
    from tests.integration.three_ways.ways import Ways


def profile(aws: EmulatedAws, vpc: str) -> None:
    profiles = aws.client("route53profiles")
    profiles.associate_profile(Name="shared", ProfileId="rp-1", ResourceId=vpc)
    profiles.associate_resource_to_profile(Name="new", ProfileId="rp-1", ResourceArn=OF_A_NEW_KIND)


def rule(domain: str) -> Callable[[EmulatedAws, str], None]:
    def associate(aws: EmulatedAws, vpc: str) -> None:
        resolver = aws.client("route53resolver")
        made: dict[str, Any] = resolver.create_resolver_rule(
            CreatorRequestId=f"{vpc}-{domain}",
            DomainName=domain,
            RuleType="FORWARD",
            TargetIps=[{"Ip": "10.100.0.2"}],
        )["ResolverRule"]
        resolver.associate_resolver_rule(ResolverRuleId=made["Id"], VPCId=vpc)

    return associate


def servers(aws: EmulatedAws, vpc: str) -> None:
    configuration = [{"Key": "domain-name-servers", "Values": ["10.100.0.2"]}]
    options = aws.client("ec2").create_dhcp_options(DhcpConfigurations=configuration)["DhcpOptions"]
    aws.client("ec2").associate_dhcp_options(DhcpOptionsId=options["DhcpOptionsId"], VpcId=vpc)


@pytest.mark.parametrize(
    "lead",
    [profile, rule("dkr.ecr.us-east-1.amazonaws.com"), rule("amazonaws.com"), servers],
    ids=["Profile", "FORWARD rule", "FORWARD rule of a parent domain", "DNS servers"],
)
def test_the_hub_is_named_and_nothing_in_the_spoke(
    lead: Callable[[EmulatedAws, str], None], ways: Ways, room: Room
) -> None:
    spoke = Spoke(room.aws)
    lead(room.aws, spoke.vpc)
    event = timed_out(spoke, image_of(room.repository()))
    event["detail"] |= dict.fromkeys(("firstTimestamp", "lastTimestamp", "eventTime"), LATER)
    explained = ways.explain(event["detail"]["message"])
    assert (explained["symptom"], explained["address"]) == ("timeout", HUB)
    answer, _ = ways.terminal(event)
    assert answer.causes == set()
    assert HUB in answer.undecided["no_route_to_ecr"]
    deployed, _ = ways.deployed(event)
    assert deployed == answer
