"""Ways over several VPCs of several accounts: every single fault is found with its account, and its fix mends it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders

from pull_responder.cli.asked_nodes import Chosen
from pull_responder.cli.question import ask
from pull_responder.diagnosis import diagnose
from pull_responder.events.image_reference import parse_image
from pull_responder.events.intake import Origins, read_body
from pull_responder.facts.reader import Reader
from pull_responder.model.pull import PullFailure
from pull_responder.pulls.pull_facts import PullFacts
from tests.integration.network.enterprise import GATEWAY, HUB, OUT, Enterprise, enterprise
from tests.integration.network.estate import ACCOUNT, INTERNET, REGION, NetworkEstate, causes, only, opened
from tests.integration.network.hub import of_manifest, pod_event
from tests.integration.network.test_examples import TIMEOUT, show
from tests.integration.seen import seen

if TYPE_CHECKING:
    from collections.abc import Callable

    from pull_responder.diagnosis import Diagnosis
    from pull_responder.facts.aws import Aws

TGW = "transit_gateway_blocks_traffic"
PEERING = "peering_cannot_carry_traffic"
ACL = "network_acl_blocks_traffic"
NO_ROUTE = "no_route_to_ecr"
INGRESS = "endpoint_security_group_blocks_ingress"


@pytest.fixture
def whole(estate: NetworkEstate) -> Enterprise:
    return enterprise(estate)


def asked(whole: Enterprise, *, denied: tuple[str, ...] = (), no_role_in: str = "") -> Diagnosis:
    """Ask whether the node can pull; `no_role_in` is an account in which the member role cannot be assumed."""
    spoke = whole.spoke
    parsed = parse_image(spoke.image)
    assert parsed
    aws = spoke.aws(*denied)
    _without_role(aws, no_role_in)
    (answer,) = ask(Reader(aws), parsed, Chosen(spoke.name, instance=spoke.instance), ())
    seen(answer.diagnosis)
    return answer.diagnosis


def dialled(whole: Enterprise, address: str, *, no_role_in: str = "") -> Diagnosis:
    """The diagnosis of a pull that failed as kubelet dialled this address for the registry."""
    message = of_manifest(whole.spoke, f"dial tcp {address}:443: i/o timeout")
    pull = read_body(pod_event(whole.spoke, message), origins=Origins(ACCOUNT))
    assert isinstance(pull, PullFailure)
    aws = whole.spoke.aws()
    _without_role(aws, no_role_in)
    diagnosis = diagnose(pull, PullFacts(Reader(aws)))
    seen(diagnosis)
    return diagnosis


def _without_role(aws: Aws, account: str) -> None:
    def refuse(params: dict[str, Any], **_: object) -> Any:  # noqa: ANN401 -- as botocore takes it
        if account and account in params["body"].get("RoleArn", ""):
            return AWSResponse("", 403, HTTPHeaders(), None), {
                "Error": {"Code": "AccessDenied", "Message": "refused"},
                "ResponseMetadata": {},
            }
        return None

    aws._session.events.register("before-call.sts.AssumeRole", refuse)


def test_over_the_egress_vpc_nothing_is_wrong(whole: Enterprise) -> None:
    diagnosis = asked(whole)
    assert causes(diagnosis) == []
    assert diagnosis.inconclusive == ()
    assert {TGW, ACL, NO_ROUTE, "nat_gateway_unavailable"} <= set(diagnosis.passed)


@dataclass(frozen=True)
class Break:
    """One thing that is broken, and what is found of it. `by_hand` mends it where the fix has no command."""

    make: Callable[[Enterprise], object]
    cause: str
    account: str
    kind: str
    resource: Callable[[Enterprise], str]
    command: str = ""


def _no_way_back_from_nat(whole: Enterprise) -> None:
    whole.out.ec2.delete_route(RouteTableId=whole.out.inner_table, DestinationCidrBlock="10.0.0.0/8")


def _no_way_back_at_gateway(whole: Enterprise) -> None:
    whole.owner.ec2.disable_transit_gateway_route_table_propagation(
        TransitGatewayRouteTableId=whole.shared, TransitGatewayAttachmentId=whole.attachment
    )


def _no_association(whole: Enterprise) -> None:
    whole.owner.ec2.disassociate_transit_gateway_route_table(
        TransitGatewayRouteTableId=whole.spokes, TransitGatewayAttachmentId=whole.attachment
    )


def _no_default_route(whole: Enterprise) -> None:
    whole.owner.ec2.delete_transit_gateway_route(TransitGatewayRouteTableId=whole.spokes, DestinationCidrBlock=INTERNET)


def _blackhole(whole: Enterprise) -> None:
    _no_default_route(whole)
    whole.gateway_route(whole.spokes, INTERNET)


def _not_in_the_zone(whole: Enterprise) -> None:
    whole.spoke.ec2.modify_transit_gateway_vpc_attachment(
        TransitGatewayAttachmentId=whole.attachment, RemoveSubnetIds=[whole.entries["a"]]
    )


def _no_nat(whole: Enterprise) -> None:
    whole.out.ec2.delete_route(RouteTableId=whole.out.entry_table, DestinationCidrBlock=INTERNET)


_closed: dict[str, str] = {}


def _close(account: str, where: str) -> Callable[[Enterprise], None]:
    def close(whole: Enterprise) -> None:
        other = whole.out if account == OUT else whole.hub
        _closed[account] = other.close_acl(getattr(other, where))

    return close


BREAKS: dict[str, Break] = {
    "no route at the gateway": Break(
        _no_default_route, TGW, GATEWAY, "transit-gateway-route-table", lambda whole: whole.spokes
    ),
    "a blackhole at the gateway": Break(
        _blackhole, TGW, GATEWAY, "transit-gateway-route-table", lambda whole: whole.spokes
    ),
    "no association": Break(
        _no_association, TGW, GATEWAY, "transit-gateway-attachment", lambda whole: whole.attachment
    ),
    "no subnet in the node's zone": Break(
        _not_in_the_zone, TGW, ACCOUNT, "transit-gateway-attachment", lambda whole: whole.attachment
    ),
    "no way back at the gateway": Break(
        _no_way_back_at_gateway,
        TGW,
        GATEWAY,
        "transit-gateway-route-table",
        lambda whole: whole.shared,
        "enable-transit-gateway-route-table-propagation",
    ),
    "no way back from the NAT gateway": Break(
        _no_way_back_from_nat, NO_ROUTE, OUT, "subnet", lambda whole: whole.out.inner, "create-route"
    ),
    "no route to the NAT gateway": Break(
        _no_nat, NO_ROUTE, OUT, "subnet", lambda whole: whole.out.entry, "create-route"
    ),
    "the ACL of the egress VPC's attachment": Break(
        _close(OUT, "entry"), ACL, OUT, "network-acl", lambda _: _closed[OUT], "create-network-acl-entry"
    ),
    "the ACL of the NAT gateway": Break(
        _close(OUT, "inner"), ACL, OUT, "network-acl", lambda _: _closed[OUT], "create-network-acl-entry"
    ),
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.cause(each.cause, "fails")) for name, each in BREAKS.items()]
)
def test_one_fault_on_the_way_to_the_internet(whole: Enterprise, name: str) -> None:
    broken = BREAKS[name]
    broken.make(whole)
    finding = only(asked(whole), broken.cause)
    arn = f"arn:aws:ec2:{REGION}:{broken.account}:{broken.kind}/{broken.resource(whole)}"
    assert (finding.resource.id, finding.account) == (arn, broken.account)
    assert (finding.remediation.account, finding.remediation.region) == (broken.account, REGION)
    assert {command[2] for command in finding.remediation.commands} == ({broken.command} if broken.command else set())
    if broken.command:
        assert "not enough" not in finding.remediation.summary
        whole.run(finding.remediation)
        assert causes(asked(whole)) == []


def _shut(whole: Enterprise) -> None:
    whole.shut_hub()


def _no_way_back_from_hub(whole: Enterprise) -> None:
    whole.hub.ec2.delete_route(RouteTableId=whole.hub.inner_table, DestinationCidrBlock="10.0.0.0/8")


def _no_route_to_hub(whole: Enterprise) -> None:
    whole.owner.ec2.disable_transit_gateway_route_table_propagation(
        TransitGatewayRouteTableId=whole.spokes, TransitGatewayAttachmentId=whole.hub.attachment
    )
    _no_default_route(whole)


IN_HUB: dict[str, Break] = {
    "the endpoint lets nobody in": Break(
        _shut,
        INGRESS,
        HUB,
        "security-group",
        lambda whole: whole.hub_group,
        "authorize-security-group-ingress",
    ),
    "no way back from the hub": Break(
        _no_way_back_from_hub, NO_ROUTE, HUB, "subnet", lambda whole: whole.hub.inner, "create-route"
    ),
    "no way back at the gateway": Break(
        _no_way_back_at_gateway,
        TGW,
        GATEWAY,
        "transit-gateway-route-table",
        lambda whole: whole.shared,
        "enable-transit-gateway-route-table-propagation",
    ),
    "no route to the hub": Break(
        _no_route_to_hub, TGW, GATEWAY, "transit-gateway-route-table", lambda whole: whole.spokes
    ),
    "the ACL of the endpoints": Break(
        _close(HUB, "inner"), ACL, HUB, "network-acl", lambda _: _closed[HUB], "create-network-acl-entry"
    ),
    "the ACL of the hub's attachment": Break(
        _close(HUB, "entry"), ACL, HUB, "network-acl", lambda _: _closed[HUB], "create-network-acl-entry"
    ),
}


@pytest.mark.parametrize("name", IN_HUB)
def test_one_fault_on_the_way_to_the_hubs_endpoint(whole: Enterprise, name: str) -> None:
    broken = IN_HUB[name]
    broken.make(whole)
    address = whole.address_of("ecr.dkr")
    finding = next(each for each in dialled(whole, address).findings if each.cause == broken.cause)
    arn = f"arn:aws:ec2:{REGION}:{broken.account}:{broken.kind}/{broken.resource(whole)}"
    assert (finding.resource.id, finding.account) == (arn, broken.account)
    assert finding.remediation.account == broken.account
    assert any(address in line for line in finding.evidence)
    if broken.command:
        assert {command[2] for command in finding.remediation.commands} == {broken.command}
        whole.run(finding.remediation)
        assert broken.cause not in causes(dialled(whole, address))


@pytest.fixture
def sharing(whole: Enterprise) -> Enterprise:
    """The spoke's names lead to the hub's endpoints, and nothing leads out of the egress VPC."""
    whole.share_endpoints()
    _no_nat(whole)
    return whole


@pytest.mark.cause(INGRESS, "passes")
def test_names_that_a_zone_leads_to_the_hub_are_followed_there(sharing: Enterprise) -> None:
    diagnosis = asked(sharing)
    assert causes(diagnosis) == []
    assert diagnosis.inconclusive == ()
    assert {TGW, ACL, NO_ROUTE, INGRESS, "endpoint_policy_blocks_pull"} <= set(diagnosis.passed)


@pytest.mark.parametrize("name", IN_HUB)
def test_one_fault_behind_a_zones_names(sharing: Enterprise, name: str) -> None:
    broken = IN_HUB[name]
    if name == "no route to the hub":
        sharing.owner.ec2.disable_transit_gateway_route_table_propagation(
            TransitGatewayRouteTableId=sharing.spokes, TransitGatewayAttachmentId=sharing.hub.attachment
        )
        _no_default_route(sharing)
    else:
        broken.make(sharing)
    finding = only(asked(sharing), broken.cause)
    arn = f"arn:aws:ec2:{REGION}:{broken.account}:{broken.kind}/{broken.resource(sharing)}"
    assert (finding.resource.id, finding.account) == (arn, broken.account)
    if finding.remediation.commands:
        assert "not enough" not in finding.remediation.summary
        sharing.run(finding.remediation)
        assert causes(asked(sharing)) == []


def test_a_shared_endpoints_policy_applies_to_the_spokes_role(sharing: Enterprise) -> None:
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"}],
    }
    sharing.hub.ec2.modify_vpc_endpoint(VpcEndpointId=sharing.endpoints["ecr.dkr"], PolicyDocument=json.dumps(policy))
    finding = only(asked(sharing), "endpoint_policy_blocks_pull")
    assert finding.resource.id == f"arn:aws:ec2:{REGION}:{HUB}:vpc-endpoint/{sharing.endpoints['ecr.dkr']}"
    assert finding.remediation.account == HUB


def test_a_zone_without_the_wildcard_is_named(whole: Enterprise) -> None:
    whole.zone("ecr.api", "")
    whole.zone("ecr.dkr", "")
    diagnosis = asked(whole)
    assert causes(diagnosis) == []
    reasons = " ".join(opened(diagnosis).values())
    assert "dkr.ecr.us-east-1.amazonaws.com, answers for" in reasons
    assert "has no record for it" in reasons


def test_a_hub_that_cannot_be_read_is_named(sharing: Enterprise) -> None:
    diagnosis = asked(sharing, no_role_in=HUB)
    assert causes(diagnosis) == []
    reasons = " ".join(opened(diagnosis).values())
    assert f"arn:aws:iam::{HUB}:role/PullResponderReadOnly" in reasons


def test_records_that_cannot_be_read_are_left_open_by_the_action(sharing: Enterprise) -> None:
    diagnosis = asked(sharing, denied=("route53:ListResourceRecordSets",))
    assert causes(diagnosis) == []
    assert "route53:ListResourceRecordSets" in " ".join(opened(diagnosis).values())


def test_a_pull_that_dialled_the_hub_finds_nothing_wrong_there(whole: Enterprise) -> None:
    diagnosis = dialled(whole, whole.address_of("ecr.dkr"))
    assert causes(diagnosis) == []


@pytest.mark.cause(TGW, "near_miss")
def test_a_blackhole_for_other_addresses_is_none_for_the_registry(whole: Enterprise) -> None:
    whole.gateway_route(whole.spokes, "10.0.0.0/8")
    whole.gateway_route(whole.shared, "192.168.0.0/16")
    diagnosis = asked(whole)
    assert causes(diagnosis) == []
    assert TGW in diagnosis.passed


def test_faults_of_one_cause_in_two_accounts_are_both_told_with_their_fixes(whole: Enterprise) -> None:
    _not_in_the_zone(whole)
    _no_way_back_at_gateway(whole)
    finding = only(asked(whole), TGW)
    assert finding.remediation.account == ACCOUNT
    assert finding.remediation.commands == ()
    assert f"In account {GATEWAY}: Propagate {whole.attachment}" in finding.remediation.summary
    assert "not enough" not in finding.remediation.summary


def test_a_missing_route_is_not_to_replace_a_blackhole_for_other_addresses(whole: Enterprise) -> None:
    _no_default_route(whole)
    whole.gateway_route(whole.spokes, "10.0.0.0/8")
    summary = only(asked(whole), TGW).remediation.summary
    assert f"add a route for {INTERNET}" in summary
    assert "10.0.0.0/8" not in summary


@pytest.mark.cause(TGW, "passes")
def test_a_gateway_that_carries_the_traffic(whole: Enterprise) -> None:
    assert TGW in asked(whole).passed


@pytest.mark.cause(TGW, "unread")
@pytest.mark.parametrize(
    "action", ["ec2:DescribeTransitGatewayAttachments", "ec2:SearchTransitGatewayRoutes"], ids=lambda each: each[4:]
)
def test_a_gateway_that_cannot_be_read_is_open_by_the_action(whole: Enterprise, action: str) -> None:
    _no_default_route(whole)
    diagnosis = asked(whole, denied=(action,))
    assert causes(diagnosis) == []
    assert action in opened(diagnosis)[TGW]


@pytest.mark.parametrize(("account", "cause"), [(GATEWAY, TGW), (OUT, NO_ROUTE)])
def test_an_account_without_the_member_role_is_named(whole: Enterprise, account: str, cause: str) -> None:
    diagnosis = asked(whole, no_role_in=account)
    assert causes(diagnosis) == []
    assert f"arn:aws:iam::{account}:role/PullResponderReadOnly" in opened(diagnosis)[cause]


def test_a_fault_before_an_account_that_cannot_be_read_is_found(whole: Enterprise) -> None:
    _not_in_the_zone(whole)
    diagnosis = asked(whole, no_role_in=GATEWAY)
    assert causes(diagnosis) == [TGW]


@dataclass(frozen=True)
class Peered:
    """A spoke and the hub, joined by a peering connection alone."""

    whole: Enterprise
    connection: str


@pytest.fixture
def peered(whole: Enterprise) -> Peered:
    spoke, hub = whole.spoke, whole.hub
    made = spoke.ec2.create_vpc_peering_connection(VpcId=spoke.vpc, PeerVpcId=hub.vpc, PeerOwnerId=HUB)
    connection = made["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    hub.ec2.accept_vpc_peering_connection(VpcPeeringConnectionId=connection)
    for table in (spoke.table_a, spoke.table_b):
        spoke.unroute(table)
        spoke.route(table, hub.cidr, VpcPeeringConnectionId=connection)
    hub.route(hub.inner_table, "10.0.0.0/16", VpcPeeringConnectionId=connection)
    return Peered(whole, connection)


@pytest.mark.cause(PEERING, "passes")
def test_a_peering_connection_leads_to_the_hubs_endpoint(peered: Peered) -> None:
    diagnosis = dialled(peered.whole, peered.whole.address_of("ecr.dkr"))
    assert causes(diagnosis) == []
    assert {PEERING, INGRESS} <= set(diagnosis.passed)


@pytest.mark.cause(PEERING, "fails")
def test_a_default_route_over_a_peering_connection(peered: Peered) -> None:
    spoke = peered.whole.spoke
    spoke.route(spoke.table_a, INTERNET, VpcPeeringConnectionId=peered.connection)
    finding = only(asked(peered.whole), PEERING)
    assert finding.resource.id == f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc-peering-connection/{peered.connection}"
    assert peered.whole.hub.cidr in finding.explanation
    assert finding.remediation.commands == ()


def test_no_way_back_over_the_peering_connection_is_the_hubs_to_mend(peered: Peered) -> None:
    whole = peered.whole
    hub = whole.hub
    hub.ec2.delete_route(RouteTableId=hub.inner_table, DestinationCidrBlock="10.0.0.0/16")
    hub.ec2.delete_route(RouteTableId=hub.inner_table, DestinationCidrBlock="10.0.0.0/8")
    address = whole.address_of("ecr.dkr")
    finding = next(each for each in dialled(whole, address).findings if each.cause == NO_ROUTE)
    assert finding.resource.id == f"arn:aws:ec2:{REGION}:{HUB}:subnet/{hub.inner}"
    whole.run(finding.remediation)
    assert NO_ROUTE not in causes(dialled(whole, address))


@pytest.mark.cause(PEERING, "near_miss")
def test_a_peering_connection_beside_the_route_that_is_taken(whole: Enterprise) -> None:
    spoke, hub = whole.spoke, whole.hub
    made = spoke.ec2.create_vpc_peering_connection(VpcId=spoke.vpc, PeerVpcId=hub.vpc, PeerOwnerId=HUB)
    connection = made["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    spoke.route(spoke.table_a, hub.cidr, VpcPeeringConnectionId=connection)  # nobody has accepted it
    diagnosis = asked(whole)
    assert causes(diagnosis) == []
    assert PEERING not in opened(diagnosis)


@pytest.mark.cause(PEERING, "unread")
def test_a_peering_connection_that_cannot_be_read(peered: Peered) -> None:
    spoke = peered.whole.spoke
    spoke.route(spoke.table_a, INTERNET, VpcPeeringConnectionId=peered.connection)
    diagnosis = asked(peered.whole, denied=("ec2:DescribeVpcPeeringConnections",))
    assert causes(diagnosis) == []
    assert "ec2:DescribeVpcPeeringConnections" in opened(diagnosis)[PEERING]


def test_the_page_of_the_transit_gateway(whole: Enterprise, example: Callable[..., None]) -> None:
    _no_way_back_at_gateway(whole)
    show(example, whole.spoke, TIMEOUT, TGW)


def test_the_page_of_the_peering_connection(peered: Peered, example: Callable[..., None]) -> None:
    spoke = peered.whole.spoke
    spoke.route(spoke.table_a, INTERNET, VpcPeeringConnectionId=peered.connection)
    show(example, spoke, TIMEOUT, PEERING)
