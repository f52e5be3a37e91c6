"""Firewalls as Network Firewall answers: which of their endpoints handle traffic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.awsrequest import AWSResponse, HTTPHeaders

from pull_responder.facts.network_firewall import read_firewalls
from pull_responder.facts.reader import Reader
from pull_responder.facts.vpc import VpcPlace
from tests.unit.facts.conftest import ACCOUNT, REGION

if TYPE_CHECKING:
    from tests.unit.facts.conftest import Watched

ARN = f"arn:aws:network-firewall:{REGION}:{ACCOUNT}"


def test_endpoints_that_handle_no_traffic_are_told_by_their_state(watched: Watched) -> None:
    states = {"vpce-ready": "READY", "vpce-larger": "SCALING", "vpce-failed": "FAILED", "vpce-silent": ""}
    attachments = [{"EndpointId": each, "SubnetId": "subnet-1", "Status": state} for each, state in states.items()]
    sync = {str(number): {"Attachment": each} for number, each in enumerate((*attachments, {"SubnetId": "subnet-2"}))}
    answers: dict[str, dict[str, Any]] = {
        "ListFirewalls": {"Firewalls": [{"FirewallArn": f"{ARN}:firewall/edge"}]},
        "ListFirewallPolicies": {"FirewallPolicies": []},
        "ListRuleGroups": {"RuleGroups": []},
        "DescribeFirewall": {
            "Firewall": {"FirewallPolicyArn": f"{ARN}:firewall-policy/all"},
            "FirewallStatus": {"SyncStates": sync},
        },
        "DescribeFirewallPolicy": {"FirewallPolicy": {"StatelessDefaultActions": ["aws:pass"]}},
    }

    def answer(model: Any, **_: object) -> Any:  # noqa: ANN401 -- as botocore takes it
        return AWSResponse("", 200, HTTPHeaders(), None), answers[model.name]

    watched.session.events.register("before-call.network-firewall", answer)
    found = read_firewalls(Reader(watched.aws), VpcPlace(ACCOUNT, REGION, "vpc-1"))
    assert isinstance(found, tuple)
    assert [(set(each.endpoints), each.not_ready) for each in found] == [(set(states), {"vpce-failed": "FAILED"})]
