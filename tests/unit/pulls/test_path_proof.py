"""A fix is traced before it is printed. Behind an address that was dialled, too, where no name leads there."""

from __future__ import annotations

import json

from pull_responder.model.verdict import Remediation
from pull_responder.network import PathCause, SecurityGroup
from pull_responder.pulls.path_proof import prove_way
from tests.unit.network.enterprise import DIALLED_HUB, HUB, enterprise
from tests.unit.network.estate import EVERYTHING_OUT, REGION, REGISTRY


def let_in(cidr: str) -> Remediation:
    """The fix that lets these addresses into the hub's endpoint, as it is said before it is proven."""
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": cidr}]}
    command = ("aws", "ec2", "authorize-security-group-ingress", "--group-id", "sg-hub", "--ip-permissions")
    return Remediation("Let the node in.", HUB, REGION, "https://docs", ((*command, json.dumps([rule])),))


def proven(cidr: str) -> str:
    shut = SecurityGroup("sg-hub", ingress=(), egress=(EVERYTHING_OUT,), owner=HUB)
    estate = enterprise().within("vpc-hub", security_groups={"sg-hub": shut}).dialling_hub()
    path = estate.trace()
    mended = {(fault.cause, fault.resource_id) for fault in path.faults}
    assert {cause for cause, _ in mended} == {PathCause.ENDPOINT_BLOCKS_INGRESS}
    place = estate.spoke.node
    return prove_way(
        let_in(cidr), estate.network(), [(place, path)], REGISTRY, mended, lambda each: each, DIALLED_HUB
    ).summary


def test_what_is_enough_is_said_as_it_is() -> None:
    assert proven("10.0.0.0/16") == "Let the node in."


def test_what_is_not_enough_says_what_is_left() -> None:
    assert proven("10.9.0.0/16").startswith("Let the node in. This is not enough: ")
