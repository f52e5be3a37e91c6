"""Transit gateways' routes as EC2 answers: several attachments, more routes than are listed, pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.awsrequest import AWSResponse, HTTPHeaders

from pull_responder.facts.neighbours import read_gateway_table
from pull_responder.facts.reader import Reader
from pull_responder.model.unread import Unread
from pull_responder.network.model import Route, RouteTable
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
