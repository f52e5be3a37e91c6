from __future__ import annotations

import json

import pytest

from pull_responder.remediation.ec2 import (
    Where,
    allow_entry,
    allow_https,
    enable_dns,
    enable_metadata,
    free_entry_number,
    route_to,
)

WHERE = Where("111111111111", "eu-west-1")


@pytest.mark.parametrize(
    ("peer", "permission"),
    [
        ("0.0.0.0/0", {"IpRanges": [{"CidrIp": "0.0.0.0/0"}]}),
        ("::/0", {"Ipv6Ranges": [{"CidrIpv6": "::/0"}]}),
        ("sg-1", {"UserIdGroupPairs": [{"GroupId": "sg-1"}]}),
        ("pl-1", {"PrefixListIds": [{"PrefixListId": "pl-1"}]}),
    ],
)
@pytest.mark.parametrize(("egress", "operation"), [(True, "egress"), (False, "ingress")])
def test_a_rule_names_its_peer_as_ec2_does(peer: str, permission: object, operation: str, *, egress: bool) -> None:
    remedy = allow_https(WHERE, group_id="sg-9", peer=peer, egress=egress)
    ((*command, permissions, _, region),) = remedy.commands
    assert command == ["aws", "ec2", f"authorize-security-group-{operation}", "--group-id", "sg-9", "--ip-permissions"]
    assert json.loads(permissions) == [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, **permission}]  # type: ignore[dict-item]  # a parametrized dict
    assert (remedy.account, remedy.region, region) == ("111111111111", "eu-west-1", "eu-west-1")


@pytest.mark.parametrize(
    ("before", "taken", "number"),
    [
        (100, [100, 200], "99"),
        (100, [99, 100], "98"),
        (100, [99, 98, 100], "97"),
        (32_767, [], "32766"),
        (32_768, [], "32766"),  # the last entry for IPv6, which nobody can change
        (2, [2], "1"),
        (1, [1], None),
        (3, [1, 2, 3], None),
    ],
)
def test_an_entry_goes_ahead_of_the_one_that_denies(before: int, taken: list[int], number: str | None) -> None:
    free = free_entry_number(before, taken)
    remedy = allow_entry(
        WHERE, acl_id="acl-1", egress=True, ports=(443, 443), cidr="0.0.0.0/0", before=before, number=free
    )
    if number is None:
        assert remedy.commands == ()
        assert "renumber" in remedy.summary
        return
    (command,) = remedy.commands
    assert command[command.index("--rule-number") + 1] == number
    assert command[command.index("--port-range") + 1] == "From=443,To=443"
    assert "--egress" in command


@pytest.mark.parametrize(("target", "option"), [("nat-1", "--nat-gateway-id"), ("igw-1", "--gateway-id")])
@pytest.mark.parametrize(("replace", "operation"), [(True, "replace-route"), (False, "create-route")])
def test_a_route_is_created_or_replaced(target: str, option: str, operation: str, *, replace: bool) -> None:
    (command,) = route_to(
        WHERE, route_table_id="rtb-1", target=target, replace=replace, destination="0.0.0.0/0"
    ).commands
    assert command[2] == operation
    assert command[command.index(option) + 1] == target
    assert command[command.index("--destination-cidr-block") + 1] == "0.0.0.0/0"


def test_each_dns_attribute_has_its_own_command_and_support_comes_first() -> None:
    remedy = enable_dns(WHERE, vpc_id="vpc-1", attributes=("enableDnsSupport", "enableDnsHostnames"))
    named = [[part for part in command if part.startswith("--enable")] for command in remedy.commands]
    assert named == [["--enable-dns-support"], ["--enable-dns-hostnames"]]


def test_metadata_is_turned_on_and_the_template_is_named() -> None:
    remedy = enable_metadata(WHERE, instance_ids=["i-1", "i-2"], template_id="lt-1")
    assert [command[4] for command in remedy.commands] == ["i-1", "i-2"]
    assert "lt-1" in remedy.summary
