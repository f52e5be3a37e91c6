"""Transit gateways as EC2 answers: routes to several attachments, more than are listed, pages; and peerings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse, HTTPHeaders

from pull_responder.facts.neighbours import read_gateway, read_gateway_table
from pull_responder.facts.reader import Reader
from pull_responder.model.unread import Unread
from pull_responder.network.model import Route, RouteTable
from pull_responder.network.neighbours import TransitGateway
from tests.unit.facts.conftest import ACCOUNT, REGION

if TYPE_CHECKING:
    from tests.unit.facts.conftest import Watched


def answered(watched: Watched, *pages: dict[str, Any]) -> RouteTable | Unread:
    """What is read of a table whose search EC2 answers with these pages."""
    left = list(pages)

    def answer(**_: object) -> Any:  # noqa: ANN401 -- as botocore takes it
        page = left.pop(0) if len(left) > 1 else left[0]
        return AWSResponse("", 200, HTTPHeaders(), None), {**page, "ResponseMetadata": {"RequestId": "1"}}

    watched.session.events.register("before-call.ec2.SearchTransitGatewayRoutes", answer)
    return read_gateway_table(Reader(watched.aws), ACCOUNT, REGION, "tgw-rtb-1")


def route(cidr: str, *attachments: str, state: str = "active") -> dict[str, Any]:
    listed = [{"TransitGatewayAttachmentId": each, "ResourceType": "vpc"} for each in attachments]
    return {"DestinationCidrBlock": cidr, "TransitGatewayAttachments": listed, "Type": "static", "State": state}


def test_a_route_to_several_attachments_names_none_of_them(watched: Watched) -> None:
    page = {"Routes": [route("10.0.0.0/8", "tgw-attach-1", "tgw-attach-2"), route("0.0.0.0/0", state="blackhole")]}
    assert answered(watched, page) == RouteTable(
        "tgw-rtb-1",
        (Route("10.0.0.0/8", "several attachments"), Route("0.0.0.0/0", "none", active=False)),
    )


def test_more_routes_than_are_listed_are_no_answer(watched: Watched) -> None:
    found = answered(watched, {"Routes": [route("10.0.0.0/8", "tgw-attach-1")], "AdditionalRoutesAvailable": True})
    assert isinstance(found, Unread)
    assert found.reason == "EC2 lists only a part of the routes of tgw-rtb-1"


def test_all_pages_are_read(watched: Watched) -> None:
    first = {"Routes": [route("10.1.0.0/16", "tgw-attach-1")], "NextToken": "more", "AdditionalRoutesAvailable": True}
    last = {"Routes": [route("10.2.0.0/16", "tgw-attach-2")], "AdditionalRoutesAvailable": False}
    found = answered(watched, first, last)
    assert isinstance(found, RouteTable)
    assert [each.destination for each in found.routes] == ["10.1.0.0/16", "10.2.0.0/16"]


def test_a_block_that_is_none_is_no_answer(watched: Watched) -> None:
    found = answered(watched, {"Routes": [route("10.1.0.0/99", "tgw-attach-1")]})
    assert isinstance(found, Unread)
    assert "ec2:SearchTransitGatewayRoutes" in found.reason


def test_a_route_of_a_prefix_list_without_its_block_is_not_lost(watched: Watched) -> None:
    shown = {**route("10.1.0.0/16", "tgw-attach-1"), "PrefixListId": "pl-1"}
    hidden = {"PrefixListId": "pl-1", "TransitGatewayAttachments": [], "Type": "static", "State": "active"}
    found = answered(watched, {"Routes": [shown, hidden]})
    assert found == RouteTable("tgw-rtb-1", (Route("10.1.0.0/16", "tgw-attach-1"), Route("pl-1", "none")))


OURS = {"TransitGatewayId": "tgw-1", "OwnerId": ACCOUNT, "Region": REGION}
THEIRS = {"TransitGatewayId": "tgw-2", "OwnerId": "111111111111", "Region": "eu-west-1"}


def gateway(watched: Watched, *peerings: dict[str, Any]) -> TransitGateway:
    """What is read of a gateway with one peering attachment, where EC2 lists these."""
    attachment = {
        "TransitGatewayAttachmentId": "tgw-attach-1",
        "TransitGatewayId": "tgw-1",
        "TransitGatewayOwnerId": ACCOUNT,
        "ResourceType": "peering",
        "ResourceId": "tgw-2",
        "State": "available",
    }
    answers: dict[str, dict[str, Any]] = {
        "DescribeTransitGatewayAttachments": {"TransitGatewayAttachments": [attachment]},
        "DescribeTransitGatewayVpcAttachments": {"TransitGatewayVpcAttachments": []},
        "DescribeTransitGatewayPeeringAttachments": {"TransitGatewayPeeringAttachments": list(peerings)},
    }
    for name, page in answers.items():
        given = {**page, "ResponseMetadata": {"RequestId": "1"}}

        def answer(given: dict[str, Any] = given, **_: object) -> Any:  # noqa: ANN401 -- as botocore takes it
            return AWSResponse("", 200, HTTPHeaders(), None), given

        watched.session.events.register(f"before-call.ec2.{name}", answer)
    found = read_gateway(Reader(watched.aws), ACCOUNT, REGION, "tgw-1")
    assert isinstance(found, TransitGateway)
    return found


def peering(requester: dict[str, str], accepter: dict[str, str], *ids: str) -> dict[str, Any]:
    first, *second = ids or ("tgw-attach-1",)
    more = {"AccepterTransitGatewayAttachmentId": second[0]} if second else {}
    return {"TransitGatewayAttachmentId": first, "RequesterTgwInfo": requester, "AccepterTgwInfo": accepter, **more}


@pytest.mark.parametrize(
    "listed",
    [
        peering(OURS, THEIRS),
        peering(THEIRS, OURS),
        peering(THEIRS, OURS, "tgw-attach-other", "tgw-attach-1"),
    ],
    ids=["we asked", "they asked", "they asked, in one region"],
)
def test_the_other_gateway_of_a_peering_is_the_side_that_is_not_ours(watched: Watched, listed: dict[str, Any]) -> None:
    attachment = gateway(watched, listed).attachments["tgw-attach-1"]
    assert (attachment.resource_id, attachment.owner, attachment.peer_region) == ("tgw-2", "111111111111", "eu-west-1")


def test_a_peering_with_a_core_network_leads_there(watched: Watched) -> None:
    theirs = {"CoreNetworkId": "core-network-1", "OwnerId": "111111111111", "Region": REGION}
    attachment = gateway(watched, peering(OURS, theirs)).attachments["tgw-attach-1"]
    assert (attachment.resource_id, attachment.owner) == ("core-network-1", "111111111111")


def test_a_peering_that_is_not_shown_leads_nowhere_that_is_known(watched: Watched) -> None:
    elsewhere = peering({**OURS, "TransitGatewayId": "tgw-9"}, THEIRS, "tgw-attach-9")
    attachment = gateway(watched, elsewhere).attachments["tgw-attach-1"]
    assert isinstance(attachment.peer_region, Unread)
    assert attachment.peer_region.reason == "EC2 does not show the other transit gateway of tgw-attach-1"
