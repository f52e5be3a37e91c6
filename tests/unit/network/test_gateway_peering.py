"""Transit gateways that are peered: each has its own association and routes, in its own account and region."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import pytest

from pull_responder.network import Route, TransitGateway, Unread
from tests.unit.network.enterprise import GATEWAY, OUT, Enterprise, enterprise, faults, opened
from tests.unit.network.inspected import FAR_END, FAR_GATEWAY, FAR_REGION, OF_PEERING, far_out
from tests.unit.network.test_neighbours import ACL, NO_ROUTE, TGW, reason, the_fault

FAR = far_out(enterprise())


def peering(**facts: object) -> Enterprise:
    """Return the estate with other facts about the peering attachment, as our gateway sees it."""
    return FAR.attachment("peer", **facts)


def far_end(**facts: object) -> Enterprise:
    """Return the estate with other facts about the peering attachment, as the other gateway sees it."""
    assert isinstance(FAR.far, TransitGateway)
    end = replace(FAR_END, **facts)  # type: ignore[arg-type]  # fields of an attachment
    attachments = {key: each for key, each in FAR.far.attachments.items() if key != FAR_END.id}
    return replace(FAR, far=replace(FAR.far, attachments={**attachments, end.id: end}))


def test_it_works_over_both_gateways_and_back() -> None:
    path = FAR.trace()
    assert (faults(path), opened(path)) == (set(), set())
    shown = [hop.resource_id for hop in path.legs[0].hops if hop.kind.value == "transit gateway"]
    assert shown == [
        *("tgw-attach-spoke", "tgw-attach-spoke", "tgw-rtb-spokes", "tgw-rtb-far-peer"),
        *("tgw-attach-out", "tgw-rtb-far-out", "tgw-rtb-shared"),
    ]


def test_two_gateways_of_one_region_may_each_have_an_id_of_their_own_for_the_peering() -> None:
    estate = far_end(id="tgw-attach-peer-far")
    estate = estate.table("far-out", Route("10.0.0.0/16", "tgw-attach-peer-far"))
    assert (faults(estate.trace()), opened(estate.trace())) == (set(), set())
    fault = the_fault(estate.table("far-out").trace())
    assert fault.fixes[0].target == "tgw-attach-peer-far"


BROKEN: dict[str, tuple[Enterprise, tuple[str, str], tuple[str, str]]] = {
    "nobody has accepted the peering": (
        peering(state="pendingAcceptance"),
        (TGW, "tgw-attach-peer"),
        (GATEWAY, "eu-west-1"),
    ),
    "the peering is being deleted": (peering(state="deleting"), (TGW, "tgw-attach-peer"), (GATEWAY, "eu-west-1")),
    "no association at the other gateway": (
        far_end(table_id="", association=""),
        (TGW, "tgw-attach-peer"),
        (FAR_GATEWAY, FAR_REGION),
    ),
    "no route at the other gateway": (FAR.table("far-peer"), (TGW, "tgw-rtb-far-peer"), (FAR_GATEWAY, FAR_REGION)),
    "no way back at the other gateway": (
        FAR.table("far-out", Route("10.9.0.0/16", "tgw-attach-peer")),
        (TGW, "tgw-rtb-far-out"),
        (FAR_GATEWAY, FAR_REGION),
    ),
    "no way back at our gateway": (FAR.table("shared"), (TGW, "tgw-rtb-shared"), (GATEWAY, "eu-west-1")),
    "a blackhole on the way back": (
        FAR.table("far-out", Route("10.0.0.0/16", "none", active=False)),
        (TGW, "tgw-rtb-far-out"),
        (FAR_GATEWAY, FAR_REGION),
    ),
    "no association of ours on the way back": (
        peering(table_id="", association=""),
        (TGW, "tgw-attach-peer"),
        (GATEWAY, "eu-west-1"),
    ),
    "the ACL of the egress VPC": (FAR.acl("subnet-out-tgw"), (ACL, "acl-out-tgw"), (OUT, FAR_REGION)),
    "no way back from the NAT gateway": (
        FAR.routes("subnet-out-nat", Route("0.0.0.0/0", "igw-out")),
        (NO_ROUTE, "subnet-out-nat"),
        (OUT, FAR_REGION),
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_one_fault_is_found_with_its_account_and_region(name: str) -> None:
    estate, expected, where = BROKEN[name]
    path = estate.trace()
    assert (faults(path), opened(path)) == ({expected}, set())
    owned = the_fault(path).owned
    assert owned
    assert (owned.account, owned.region) == where


@pytest.mark.parametrize(
    ("table", "target"), [("far-out", "tgw-attach-peer"), ("shared", "tgw-attach-spoke")], ids=["other", "ours"]
)
def test_a_missing_route_back_is_named_with_what_it_must_lead_to(table: str, target: str) -> None:
    fix = the_fault(FAR.table(table).trace()).fixes[0]
    assert (fix.route_table_id, fix.peer, fix.target) == (f"tgw-rtb-{table}", "10.0.0.0/16", target)


NEAR = {
    "it is being modified": peering(state="modifying"),
    "an old peering that is gone": replace(
        FAR, attachments=(*FAR.attachments, replace(OF_PEERING, id="tgw-attach-old", state="deleted"))
    ),
    "another peering that is pending": replace(
        FAR,
        attachments=(
            *FAR.attachments,
            replace(OF_PEERING, id="tgw-attach-new", resource_id="tgw-other", state="pendingAcceptance"),
        ),
    ),
}


@pytest.mark.parametrize("name", NEAR)
def test_what_only_looks_like_a_fault_passes(name: str) -> None:
    path = NEAR[name].trace()
    assert (faults(path), opened(path)) == (set(), set())


class TestLeftOpen:
    CASES: ClassVar[dict[str, tuple[Enterprise, str]]] = {
        "the other gateway cannot be read": (
            replace(FAR, far=Unread("the account of tgw-far cannot be read")),
            "the account of tgw-far cannot be read",
        ),
        "where it leads is not shown": (
            peering(peer_region=Unread("EC2 does not show the other transit gateway")),
            "EC2 does not show the other transit gateway",
        ),
        "the other gateway does not show it": (
            far_end(resource_id="tgw-another"),
            "tgw-far does not show the other end of tgw-attach-peer",
        ),
        "a core network of Cloud WAN": (
            peering(resource_id="core-network-1", owner="777777777777"),
            "the core network core-network-1 of Cloud WAN of account 777777777777 takes the traffic on",
        ),
        "it is being made": (peering(state="pending"), "leads to tgw-attach-peer, in state pending"),
        "the other gateway leads back": (
            FAR.table("far-peer", Route("0.0.0.0/0", "tgw-attach-peer")),
            "leads back to where the traffic comes from",
        ),
        "several ways behind the other gateway": (
            FAR.table("far-peer", Route("0.0.0.0/0", "several attachments")),
            "spreads the traffic over several attachments",
        ),
    }

    @pytest.mark.parametrize("name", CASES)
    def test_what_is_not_known_is_open_and_blames_nobody(self, name: str) -> None:
        estate, words = self.CASES[name]
        path = estate.trace()
        assert faults(path) == set()
        assert words in reason(path, TGW)
        assert faults(estate.acl("subnet-tgw").trace()) == {(ACL, "acl-tgw")}


class TestWhatIsAskedFor:
    def test_the_other_gateway_in_its_account_and_region(self) -> None:
        asked = replace(FAR, far=None).trace().wanted
        assert [(each.kind.value, each.id, each.account, each.region) for each in asked] == [
            ("transit gateway", "tgw-far", FAR_GATEWAY, FAR_REGION)
        ]

    def test_then_its_table_and_then_the_vpc_behind_it(self) -> None:
        tables = {key: each for key, each in (FAR.tables or {}).items() if "far" not in key}
        asked = replace(FAR, tables=tables).trace().wanted
        assert [(each.id, each.account, each.region) for each in asked] == [
            ("tgw-rtb-far-peer", FAR_GATEWAY, FAR_REGION)
        ]
        vpcs = {key: each for key, each in FAR._vpcs().items() if key != "vpc-out"}
        asked = replace(FAR, vpcs=vpcs).trace().wanted
        assert [(each.id, each.account, each.region) for each in asked] == [("vpc-out", OUT, FAR_REGION)]
