"""Resolver rules that send a spoke's names to an inbound endpoint of the hub."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.network.enterprise import HUB, SPOKES, Enterprise, enterprise
from tests.integration.network.estate import REGION, NetworkEstate, causes, only
from tests.integration.network.hub import HOST, diagnosed, of_manifest
from tests.integration.network.test_enterprise import asked

if TYPE_CHECKING:
    from collections.abc import Callable

NO_SUCH_HOST = f"dial tcp: lookup {HOST} on 10.0.0.2:53: no such host"
TARGET = "10.100.1.53"


class Hub:
    """The hub with an outbound and an inbound endpoint, and a rule of the spoke's for amazonaws.com."""

    def __init__(self, whole: Enterprise, *, private_dns: bool = True) -> None:
        self.whole = whole
        hub = whole.hub
        self.resolver = hub.client("route53resolver")
        self.groups = {each: self._group(each) for each in ("in", "out")}
        dns = [
            {"IpProtocol": each, "FromPort": 53, "ToPort": 53, "IpRanges": [{"CidrIp": SPOKES}]}
            for each in ("udp", "tcp")
        ]
        self.dns = dns
        hub.ec2.authorize_security_group_ingress(GroupId=self.groups["in"], IpPermissions=dns)
        self.inbound = self._endpoint("INBOUND", self.groups["in"], hub.inner, TARGET, "10.100.1.54")
        self.outbound = self._endpoint("OUTBOUND", self.groups["out"], hub.entry, "10.100.0.5", "10.100.0.6")
        if private_dns:
            hub.ec2.modify_vpc_attribute(VpcId=hub.vpc, EnableDnsHostnames={"Value": True})
            for each in whole.endpoints.values():
                hub.ec2.modify_vpc_endpoint(VpcEndpointId=each, PrivateDnsEnabled=True)
        self.rule = self.forward(TARGET)

    def _group(self, name: str) -> str:
        hub = self.whole.hub
        made = hub.ec2.create_security_group(GroupName=name, Description=name, VpcId=hub.vpc)
        return str(made["GroupId"])

    def _endpoint(self, direction: str, group: str, subnet: str, *addresses: str) -> str:
        made = self.resolver.create_resolver_endpoint(
            CreatorRequestId=direction,
            Name=direction,  # moto cannot list several without names
            Direction=direction,
            SecurityGroupIds=[group],
            IpAddresses=[{"SubnetId": subnet, "Ip": each} for each in addresses],
        )
        return str(made["ResolverEndpoint"]["Id"])

    def forward(self, *targets: str) -> str:
        """A rule of the hub's for amazonaws.com that the spoke's VPC is associated with, as a share lets it be."""
        made = self.resolver.create_resolver_rule(
            CreatorRequestId="-".join(targets),
            Name="aws",
            DomainName="amazonaws.com",
            RuleType="FORWARD",
            ResolverEndpointId=self.outbound,
            TargetIps=[{"Ip": each, "Port": 53} for each in targets],
        )["ResolverRule"]["Id"]
        spoke = self.whole.spoke
        profiles = spoke.client("route53profiles")
        profiles.associate_profile(Name="dns", ProfileId="rp-1", ResourceId=spoke.vpc)
        arn = f"arn:aws:route53resolver:{REGION}:{HUB}:resolver-rule/{made}"
        profiles.associate_resource_to_profile(Name="aws", ProfileId="rp-1", ResourceArn=arn)
        return str(made)

    def shut(self, which: str) -> None:
        ec2 = self.whole.hub.ec2
        if which == "in":
            ec2.revoke_security_group_ingress(GroupId=self.groups["in"], IpPermissions=self.dns)
        else:
            everything: Any = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
            ec2.revoke_security_group_egress(GroupId=self.groups["out"], IpPermissions=everything)


@pytest.fixture
def hub(estate: NetworkEstate) -> Hub:
    return Hub(enterprise(estate))


def test_the_hubs_dns_leads_to_its_endpoints(hub: Hub) -> None:
    diagnosis = asked(hub.whole)
    assert (causes(diagnosis), diagnosis.inconclusive) == ([], ())
    assert "endpoint_security_group_blocks_ingress" in diagnosis.passed


def test_a_fault_at_the_hubs_endpoint(hub: Hub) -> None:
    hub.whole.shut_hub()
    finding = only(asked(hub.whole), "endpoint_security_group_blocks_ingress")
    assert (finding.account, finding.resource.id.rpartition("/")[2]) == (HUB, hub.whole.hub_group)
    hub.whole.run(finding.remediation)
    assert causes(asked(hub.whole)) == []


STOPS: dict[str, tuple[Callable[[Hub], object], str, Callable[[Hub], str]]] = {
    "the outbound endpoint's group": (
        lambda hub: hub.shut("out"),
        "security_group_blocks_egress",
        lambda hub: hub.groups["out"],
    ),
    "the inbound endpoint's group": (
        lambda hub: hub.shut("in"),
        "endpoint_security_group_blocks_ingress",
        lambda hub: hub.groups["in"],
    ),
}


@pytest.mark.parametrize("name", STOPS)
def test_what_stops_the_question_is_found_in_the_hub(hub: Hub, name: str) -> None:
    stop, cause, resource = STOPS[name]
    stop(hub)
    for diagnosis in (asked(hub.whole), diagnosed(hub.whole.spoke, of_manifest(hub.whole.spoke, NO_SUCH_HOST))):
        finding = only(diagnosis, cause)
        assert (finding.account, finding.resource.id.rpartition("/")[2]) == (HUB, resource(hub))
        assert "so the registry's names do not resolve" in finding.explanation
        assert finding.remediation.account == HUB
        assert finding.remediation.summary.startswith(f"Allow UDP and TCP 53 in {resource(hub)}:")


def test_a_network_acl_that_stops_the_question(hub: Hub) -> None:
    acl = hub.whole.hub.close_acl(hub.whole.hub.entry)
    finding = only(asked(hub.whole), "network_acl_blocks_traffic")
    assert (finding.account, finding.resource.id.rpartition("/")[2]) == (HUB, acl)
    assert "UDP 53 out to" in finding.explanation


@pytest.mark.parametrize(
    "action",
    [
        "route53resolver:GetResolverEndpoint",
        "route53resolver:ListResolverEndpointIpAddresses",
        "route53resolver:ListResolverEndpoints",
    ],
)
def test_what_cannot_be_read_is_open_by_the_action(hub: Hub, action: str) -> None:
    hub.whole.shut_hub()
    diagnosis = asked(hub.whole, denied=(action,))
    assert causes(diagnosis) == []
    assert any(action in each.reason and hub.rule in each.reason for each in diagnosis.inconclusive)


def test_a_hub_that_cannot_be_read_is_named(hub: Hub) -> None:
    diagnosis = asked(hub.whole, no_role_in=HUB)
    assert causes(diagnosis) == []
    assert any(f"arn:aws:iam::{HUB}:role/PullResponderReadOnly" in each.reason for each in diagnosis.inconclusive)
