"""Reads of ways over several accounts, each refused in turn: what hangs on it is open, with what would settle it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto.backends import get_backend

from pull_responder.cli.asked_nodes import Chosen
from pull_responder.cli.question import ask
from pull_responder.events.image_reference import parse_image
from pull_responder.facts.reader import Reader
from pull_responder.model.reason import Refusal, steps_of
from tests.integration.network.enterprise import GATEWAY, HUB, OUT, Enterprise, enterprise
from tests.integration.network.estate import ACCOUNT, INTERNET, NetworkEstate, causes
from tests.integration.network.test_dns_firewall import REGISTRIES, firewall
from tests.integration.network.test_network_firewall import HOSTS, Walled
from tests.integration.seen import seen

if TYPE_CHECKING:
    from collections.abc import Callable

    from pull_responder.diagnosis import Diagnosis
    from pull_responder.facts.aws import Aws

ROLE = "PullResponderReadOnly"
NO_ROUTE, NAT, ACL = "no_route_to_ecr", "nat_gateway_unavailable", "network_acl_blocks_traffic"
TGW, EGRESS = "transit_gateway_blocks_traffic", "security_group_blocks_egress"
ENDPOINT, INGRESS = "vpc_endpoint_unavailable", "endpoint_security_group_blocks_ingress"
WALL, DNS = "network_firewall_blocks_registry", "dns_firewall_blocks_registry"
NONE: set[str] = set()
# Where it is not known how a request leaves, neither is which endpoint's policy it meets.
POLICIES = {"endpoint_policy_blocks_pull", "s3_endpoint_policy_blocks_layers"}
AWAY = {NO_ROUTE, *POLICIES}
AT_HUB = {NO_ROUTE, ENDPOINT, INGRESS, *POLICIES}
Read = tuple[str, str]

OVER_EGRESS: dict[Read, set[str]] = {
    (ACCOUNT, "ec2:DescribeTransitGatewayAttachments"): {TGW, *AWAY},
    (ACCOUNT, "ec2:DescribeTransitGatewayVpcAttachments"): {TGW},
    (GATEWAY, "ec2:DescribeTransitGatewayAttachments"): {TGW, *AWAY},
    (GATEWAY, "ec2:DescribeTransitGatewayVpcAttachments"): AWAY,
    (GATEWAY, "ec2:SearchTransitGatewayRoutes"): {TGW, *AWAY},
    (OUT, "ec2:DescribeVpcs"): NONE,
    # It shows whether VPC Block Public Access stops the NAT gateway's traffic.
    (OUT, "ec2:DescribeSubnets"): {NO_ROUTE, TGW},
    (OUT, "ec2:DescribeRouteTables"): AWAY,
    (OUT, "ec2:DescribeNetworkAcls"): {ACL},
    (OUT, "ec2:DescribeNatGateways"): {NO_ROUTE, NAT, ACL},
    # An active route says that its gateway is attached.
    (OUT, "ec2:DescribeInternetGateways"): NONE,
    (OUT, "ec2:DescribeSecurityGroups"): NONE,
    (OUT, "ec2:DescribeVpcEndpoints"): NONE,
    (OUT, "ec2:DescribeNetworkInterfaces"): NONE,
    (OUT, "ec2:DescribePrefixLists"): NONE,
}
OVER_FIREWALL: dict[Read, set[str]] = {
    (OUT, "network-firewall:ListFirewalls"): {WALL, *AWAY},
    (OUT, "network-firewall:DescribeFirewall"): {WALL, *AWAY},
    (OUT, "network-firewall:DescribeFirewallPolicy"): {WALL},
    (OUT, "network-firewall:DescribeRuleGroup"): {WALL},
}
TO_HUB: dict[Read, set[str]] = {
    (ACCOUNT, "route53:ListHostedZonesByVPC"): AWAY,
    (ACCOUNT, "route53profiles:ListProfileAssociations"): AWAY,
    (ACCOUNT, "route53resolver:ListResolverRuleAssociations"): AWAY,
    (HUB, "route53:ListResourceRecordSets"): AWAY,
    (GATEWAY, "ec2:SearchTransitGatewayRoutes"): {TGW, *AT_HUB},
    (HUB, "ec2:DescribeVpcEndpoints"): AT_HUB,
    (HUB, "ec2:DescribeNetworkInterfaces"): AT_HUB,
    (HUB, "ec2:DescribeRouteTables"): AT_HUB,
    (HUB, "ec2:DescribeNetworkAcls"): {ACL},
    (HUB, "ec2:DescribeSecurityGroups"): {INGRESS},
    (HUB, "ec2:DescribeSubnets"): {TGW},
    (HUB, "ec2:DescribeVpcs"): NONE,
    (HUB, "ec2:DescribeNatGateways"): NONE,
}
OF_NAMES: dict[Read, set[str]] = {
    (ACCOUNT, "route53resolver:ListFirewallRuleGroupAssociations"): {DNS},
    (ACCOUNT, "route53resolver:ListFirewallRules"): {DNS},
    (ACCOUNT, "route53resolver:ListFirewallDomains"): {DNS},
    # It tells AWS's own lists, of which none matches, from those whose domains are read.
    (ACCOUNT, "route53resolver:ListFirewallDomainLists"): NONE,
}


def _over_egress(estate: NetworkEstate) -> NetworkEstate:
    return enterprise(estate).spoke


def _over_firewall(estate: NetworkEstate) -> NetworkEstate:
    walled = Walled(enterprise(estate)).build()
    walled.domains("ALLOWLIST", *HOSTS)
    return walled.whole.spoke


def _to_hub(estate: NetworkEstate) -> NetworkEstate:
    """The three names lead to the hub, and nothing leads out of the egress VPC."""
    whole: Enterprise = enterprise(estate)
    whole.share_endpoints()
    whole.out.ec2.delete_route(RouteTableId=whole.out.entry_table, DestinationCidrBlock=INTERNET)
    return whole.spoke


def _of_names(estate: NetworkEstate) -> NetworkEstate:
    estate.behind_nat().node()
    firewall(estate, ("ALLOW", [REGISTRIES]), ("BLOCK", ["example.com"]))
    return estate


CASES = [
    (build, read, expected)
    for build, table in (
        (_over_egress, OVER_EGRESS),
        (_over_firewall, OVER_FIREWALL),
        (_to_hub, TO_HUB),
        (_of_names, OF_NAMES),
    )
    for read, expected in table.items()
]
IDS = [f"{build.__name__[1:]}-{account}-{action}" for build, (account, action), _ in CASES]


def _asked_in(signer: Any) -> str:  # noqa: ANN401 -- botocore's signer of requests
    """The account whose credentials sign a request."""
    key = signer._credentials.access_key
    known = ((account, found["aws"]) for account, found in list(get_backend("sts").items()))
    return next((account for account, sts in known if sts.get_assumed_role_from_access_key(key)), ACCOUNT)


def _refuse(aws: Aws, account: str, action: str, *, says_whom: bool = True) -> None:
    """Have `account` refuse a call, as AWS does: most messages say whom."""
    service, _, operation = action.partition(":")
    who = f"User: arn:aws:sts::{account}:assumed-role/{ROLE}/pull-responder is not authorized to perform: {action}"
    message = f"{who} because no identity-based policy allows the {action} action" if says_whom else "refused"

    def refuse(request_signer: Any, **_: object) -> Any:  # noqa: ANN401 -- as botocore calls it
        if _asked_in(request_signer) != account:
            return None
        error = {"Code": "UnauthorizedOperation", "Message": message}
        return AWSResponse("", 403, HTTPHeaders(), None), {"Error": error, "ResponseMetadata": {}}

    aws._session.events.register(f"before-call.{service}.{operation}", refuse)


def _asked(spoke: NetworkEstate, aws: Aws) -> Diagnosis:
    parsed = parse_image(spoke.image)
    assert parsed
    (answer,) = ask(Reader(aws), parsed, Chosen(spoke.name, instance=spoke.instance), ())
    return seen(answer.diagnosis)


def _without(spoke: NetworkEstate, read: Read, *, says_whom: bool = True) -> Diagnosis:
    aws = spoke.aws()
    _refuse(aws, *read, says_whom=says_whom)
    return _asked(spoke, aws)


@pytest.mark.parametrize(("build", "read", "expected"), CASES, ids=IDS)
def test_what_hangs_on_a_read_is_open_and_says_what_to_grant_in_which_account(
    estate: NetworkEstate,
    build: Callable[[NetworkEstate], NetworkEstate],
    read: Read,
    expected: set[str],
) -> None:
    diagnosis = _without(build(estate), read)
    account, action = read
    assert causes(diagnosis) == []
    opened = {each.cause: each.reason for each in (*diagnosis.inconclusive, *diagnosis.unchecked)}
    assert set(opened) == expected
    for cause, reason in opened.items():
        assert Refusal(action, ROLE, account) in steps_of(reason), cause
        assert cause in POLICIES or (action in reason and account in reason), cause


@pytest.mark.parametrize(("build", "read", "expected"), CASES, ids=IDS)
def test_a_fault_before_what_cannot_be_read_is_found_and_nothing_else(
    estate: NetworkEstate,
    build: Callable[[NetworkEstate], NetworkEstate],
    read: Read,
    expected: set[str],
) -> None:
    spoke = build(estate)
    spoke.close_egress(spoke.group)
    diagnosis = _without(spoke, read)
    assert causes(diagnosis) == [EGRESS]
    assert {each.cause for each in (*diagnosis.inconclusive, *diagnosis.unchecked)} <= {*expected, *POLICIES}


@pytest.mark.parametrize("read", [(GATEWAY, "ec2:SearchTransitGatewayRoutes"), (OUT, "ec2:DescribeRouteTables")])
def test_the_account_and_the_role_are_told_where_aws_does_not_say_whom_it_refused(
    estate: NetworkEstate, read: Read
) -> None:
    account, action = read
    diagnosis = _without(_over_egress(estate), read, says_whom=False)
    reason = next(each.reason for each in diagnosis.inconclusive if each.cause == NO_ROUTE)
    assert f"{action} failed: UnauthorizedOperation: refused (role {ROLE} in account {account})" in reason
    assert Refusal(action, ROLE, account) in steps_of(reason)
