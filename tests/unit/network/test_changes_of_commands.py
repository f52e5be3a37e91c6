"""What commands do to a VPC. A command of a shape that is not expected proves nothing, and does not stop the fix."""

from __future__ import annotations

import json

import pytest

from pull_responder.model.unread import Unread
from pull_responder.model.verdict import Remediation
from pull_responder.network import Network, Route, RouteTable, SecurityGroup
from pull_responder.pulls.network_changes import network_after

GROUP = SecurityGroup("sg-1", egress=(), ingress=())
TABLE = RouteTable("rtb-1", (Route("10.0.0.0/16", "local"),))
NETWORK = Network(
    "us-east-1", Unread("not read"), security_groups={"sg-1": GROUP}, route_tables={"subnet-1": TABLE}, network_acls={}
)
HTTPS = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
ROUTE = ("aws", "ec2", "create-route", "--route-table-id", "rtb-1", "--destination-cidr-block", "0.0.0.0/0")


def after(*commands: tuple[str, ...]) -> Network:
    return network_after(Remediation("Fix it.", "123456789012", "us-east-1", "https://docs", commands), NETWORK)


def group(*permissions: object) -> tuple[str, ...]:
    text = json.dumps(list(permissions))
    return ("aws", "ec2", "authorize-security-group-egress", "--group-id", "sg-1", "--ip-permissions", text)


def test_what_is_known_is_done() -> None:
    changed = after(group(HTTPS), (*ROUTE, "--gateway-id", "igw-1"))
    assert isinstance(changed.security_groups, dict)
    assert len(changed.security_groups["sg-1"].egress) == 1
    assert isinstance(changed.route_tables, dict)
    assert Route("0.0.0.0/0", "igw-1") in changed.route_tables["subnet-1"].routes


@pytest.mark.parametrize(
    "command",
    [
        group({"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}),
        group({**HTTPS, "IpRanges": []}),
        group({**HTTPS, "IpRanges": [{}]}),
        group("tcp"),
        (*group()[:-1], "no JSON"),
        ("aws", "ec2", "authorize-security-group-egress", "--ip-permissions", "[]"),
        (*ROUTE, "--local-gateway-id", "lgw-1"),
        ("aws", "ec2", "create-route", "--route-table-id", "rtb-1", "--gateway-id", "igw-1"),
        ("aws", "ec2", "create-network-acl-entry", "--network-acl-id", "acl-1"),
        ("aws", "ec2", "create-network-acl-entry", "--port-range", "443", "--rule-number", "x"),
        ("aws", "ec2", "modify-vpc-endpoint"),
        ("aws",),
    ],
    ids=str,
)
def test_an_unexpected_shape_is_no_proof(command: tuple[str, ...]) -> None:
    assert after(command) in (NETWORK, after())
    # Nor is what stands before it: the fix is proven as a whole or not at all.
    if command != ("aws",) and command[2] != "modify-vpc-endpoint":
        assert after(group(HTTPS), command) == NETWORK
