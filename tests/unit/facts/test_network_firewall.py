"""Rules of a firewall's groups as Network Firewall answers: both directions, ports of the node, long addresses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.awsrequest import AWSResponse, HTTPHeaders

from pull_responder.facts.network_firewall import read_firewalls
from pull_responder.facts.reader import Reader
from pull_responder.facts.vpc import VpcPlace
from pull_responder.model.unread import Unread
from pull_responder.network.firewall_policy import HeaderRule, RuleGroup
from tests.unit.facts.conftest import ACCOUNT, REGION

if TYPE_CHECKING:
    from tests.unit.facts.conftest import Watched

ARN = f"arn:aws:network-firewall:{REGION}:{ACCOUNT}"
GROUP = f"{ARN}:stateful-rulegroup/ports"
POLICY = {
    "StatelessDefaultActions": ["aws:forward_to_sfe"],
    "StatefulRuleGroupReferences": [{"ResourceArn": GROUP}],
}


def read_rules(watched: Watched, **header: str) -> tuple[HeaderRule, ...]:
    """What is read of a group with one rule, from anywhere to anywhere but for what `header` says."""
    anywhere = {"Source": "ANY", "SourcePort": "ANY", "Destination": "ANY", "DestinationPort": "443"}
    rule = {
        "Action": "DROP",
        "Header": {"Protocol": "TCP", "Direction": "FORWARD", **anywhere, **header},
        "RuleOptions": [{"Keyword": "sid", "Settings": ["7"]}],
    }
    answers: dict[str, dict[str, Any]] = {
        "ListFirewalls": {"Firewalls": [{"FirewallArn": f"{ARN}:firewall/edge"}]},
        "DescribeFirewall": {"Firewall": {"FirewallPolicyArn": f"{ARN}:firewall-policy/edge"}},
        "DescribeFirewallPolicy": {"UpdateToken": "1", "FirewallPolicyResponse": {}, "FirewallPolicy": POLICY},
        "DescribeRuleGroup": {
            "UpdateToken": "1",
            "RuleGroupResponse": {},
            "RuleGroup": {"RulesSource": {"StatefulRules": [rule]}},
        },
    }

    def answer(model: Any, **_: object) -> Any:  # noqa: ANN401 -- as botocore takes it
        parsed = {**answers[model.name], "ResponseMetadata": {"RequestId": "1"}}
        return AWSResponse("", 200, HTTPHeaders(), None), parsed

    watched.session.events.register("before-call.network-firewall", answer)
    found = read_firewalls(Reader(watched.aws), VpcPlace(ACCOUNT, REGION, "vpc-1"))
    assert not isinstance(found, Unread)
    assert not isinstance(found[0].policy, Unread)
    (group,) = found[0].policy.groups
    assert isinstance(group, RuleGroup)
    return group.rules


def test_a_rule_for_both_directions_counts_from_each_side(watched: Watched) -> None:
    rules = read_rules(watched, Source="$EXTERNAL_NET", SourcePort="443", DestinationPort="ANY", Direction="ANY")
    assert [(each.source, each.destination, each.destination_port, each.plain) for each in rules] == [
        ("$EXTERNAL_NET", "ANY", "ANY", False),
        ("ANY", "$EXTERNAL_NET", "443", True),
    ]


def test_a_rule_for_some_ports_of_the_node_is_not_understood(watched: Watched) -> None:
    (rule,) = read_rules(watched, SourcePort="1024:2048")
    assert (rule.id, rule.plain) == ("7", False)


def test_a_long_list_of_addresses_is_bounded_and_clean(watched: Watched) -> None:
    (rule,) = read_rules(watched, Destination=f"[{'10.0.0.0/8,' * 90}\x1b]")
    assert len(rule.destination) == 255
    assert "\x1b" not in rule.destination
