"""AWS Network Firewall in the egress VPC: its lists against the registry's three hosts, and the way through it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.network.enterprise import OUT, SPOKES, Enterprise, enterprise
from tests.integration.network.estate import ACCOUNT as SPOKE_ACCOUNT
from tests.integration.network.estate import INTERNET, REGION, NetworkEstate, causes, only, opened
from tests.integration.network.test_enterprise import asked
from tests.integration.network.test_examples import LAYER, show

if TYPE_CHECKING:
    from collections.abc import Callable

CAUSE = "network_firewall_blocks_registry"
ECR, S3 = f".ecr.{REGION}.amazonaws.com", f".s3.{REGION}.amazonaws.com"
HOSTS = (ECR, S3)


@dataclass(slots=True)
class Walled:
    """The enterprise with a firewall between the transit gateway and the NAT gateway of its egress VPC."""

    whole: Enterprise
    policy: str = ""
    endpoint: str = ""
    groups: list[str] = field(default_factory=list)

    @property
    def client(self) -> Any:  # noqa: ANN401 -- one of boto3's clients
        return self.whole.out.client("network-firewall")

    def build(self) -> Walled:
        out = self.whole.out
        made = out.ec2.create_subnet(VpcId=out.vpc, CidrBlock="10.200.2.0/28", AvailabilityZone=f"{REGION}a")
        subnet = made["Subnet"]["SubnetId"]
        table = out.ec2.create_route_table(VpcId=out.vpc)["RouteTable"]["RouteTableId"]
        out.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        self.policy = self.client.create_firewall_policy(FirewallPolicyName="central", FirewallPolicy=self._settings())[
            "FirewallPolicyResponse"
        ]["FirewallPolicyArn"]
        self.client.create_firewall(
            FirewallName="edge", FirewallPolicyArn=self.policy, VpcId=out.vpc, SubnetMappings=[{"SubnetId": subnet}]
        )
        (state,) = self.client.describe_firewall(FirewallName="edge")["FirewallStatus"]["SyncStates"].values()
        self.endpoint = state["Attachment"]["EndpointId"]
        out.route(table, INTERNET, NatGatewayId=self.whole.nat)
        out.route(table, SPOKES, TransitGatewayId=self.whole.gateway)
        for own, destination in ((out.entry_table, INTERNET), (out.inner_table, SPOKES)):
            out.ec2.delete_route(RouteTableId=own, DestinationCidrBlock=destination)
            out.route(own, destination, VpcEndpointId=self.endpoint)
        return self

    def _settings(self, *, strict: bool = False) -> dict[str, Any]:
        order = {
            "StatefulEngineOptions": {"RuleOrder": "STRICT_ORDER"},
            "StatefulDefaultActions": ["aws:drop_established"],
        }
        return {
            "StatelessDefaultActions": ["aws:forward_to_sfe"],
            "StatelessFragmentDefaultActions": ["aws:forward_to_sfe"],
            "StatefulRuleGroupReferences": [
                {"ResourceArn": arn, **({"Priority": number} if strict else {})}
                for number, arn in enumerate(self.groups, 1)
            ],
            **(order if strict else {}),
        }

    def domains(self, kind: str, *targets: str, home: tuple[str, ...] = (SPOKES,), strict: bool = False) -> str:
        """One more rule group of the policy, with a domain list. Its ARN."""
        variables = {"RuleVariables": {"IPSets": {"HOME_NET": {"Definition": list(home)}}}} if home else {}
        source = {"Targets": list(targets), "TargetTypes": ["TLS_SNI", "HTTP_HOST"], "GeneratedRulesType": kind}
        return self.group({"RulesSource": {"RulesSourceList": source}, **variables}, strict=strict)

    def group(self, content: dict[str, Any], *, strict: bool = False) -> str:
        made = self.client.create_rule_group(
            RuleGroupName=f"list-{len(self.groups)}", RuleGroup=content, Type="STATEFUL", Capacity=100
        )
        self.groups.append(made["RuleGroupResponse"]["RuleGroupArn"])
        self.update(strict=strict)
        return self.groups[-1]

    def packets(self, *rules: dict[str, Any]) -> str:
        """A stateless rule group before all stateful ones. Its ARN."""
        made = self.client.create_rule_group(
            RuleGroupName="packets",
            RuleGroup={"RulesSource": {"StatelessRulesAndCustomActions": {"StatelessRules": list(rules)}}},
            Type="STATELESS",
            Capacity=100,
        )
        arn: str = made["RuleGroupResponse"]["RuleGroupArn"]
        self.update(stateless=arn)
        return arn

    def update(self, *, strict: bool = False, stateless: str = "") -> None:
        policy = self._settings(strict=strict)
        if stateless:
            policy["StatelessRuleGroupReferences"] = [{"ResourceArn": stateless, "Priority": 1}]
        self.client.update_firewall_policy(UpdateToken="1", FirewallPolicyArn=self.policy, FirewallPolicy=policy)


@pytest.fixture
def walled(estate: NetworkEstate) -> Walled:
    return Walled(enterprise(estate)).build()


@pytest.mark.cause(CAUSE, "fails")
@pytest.mark.parametrize(
    ("listed", "lacks"), [((ECR,), "starport-layer-bucket"), ((S3,), ".dkr.ecr."), ((".example.com",), "api.ecr.")]
)
def test_a_list_that_lacks_a_host(walled: Walled, listed: tuple[str, ...], lacks: str) -> None:
    arn = walled.domains("ALLOWLIST", *listed)
    finding = only(asked(walled.whole), CAUSE)
    assert (finding.resource.id, finding.account, finding.remediation.account) == (arn, OUT, OUT)
    assert lacks in finding.explanation
    assert lacks in finding.remediation.summary
    assert finding.remediation.summary.endswith(
        " to the targets of rule group list-0. Whoever owns the firewall decides."
    )
    walled.domains("ALLOWLIST", *HOSTS)
    assert causes(asked(walled.whole)) == []


def test_the_hosts_that_a_list_lacks_are_one_change(walled: Walled) -> None:
    walled.domains("ALLOWLIST", ".example.com")
    fix = only(asked(walled.whole), CAUSE).remediation
    hosts = ("api.ecr", f"{SPOKE_ACCOUNT}.dkr.ecr", f"prod-{REGION}-starport-layer-bucket.s3")
    first, second, third = (f"{each}.{REGION}.amazonaws.com" for each in hosts)
    assert fix.summary.startswith(f"Add {first}, {second} and {third} to the targets of rule group list-0.")
    assert fix.short == "Add names for the hosts of pulls to rule group list-0."


@pytest.mark.parametrize("action", ["ListFirewallPolicies", "ListRuleGroups"])
def test_what_is_read_ahead_is_not_needed(walled: Walled, action: str) -> None:
    walled.domains("ALLOWLIST", *HOSTS)
    diagnosis = asked(walled.whole, denied=(f"network-firewall:{action}",))
    assert (causes(diagnosis), diagnosis.inconclusive) == ([], ())


@pytest.mark.cause(CAUSE, "fails")
def test_a_list_that_denies(walled: Walled) -> None:
    arn = walled.domains("DENYLIST", ".amazonaws.com")
    assert only(asked(walled.whole), CAUSE).resource.id == arn


@pytest.mark.cause(CAUSE, "fails")
def test_home_net_without_the_spokes_in_strict_order(walled: Walled) -> None:
    walled.domains("ALLOWLIST", *HOSTS, home=(), strict=True)
    finding = only(asked(walled.whole), CAUSE)
    assert finding.resource.id == walled.policy
    assert "aws:drop_established" in finding.explanation
    assert "Set HOME_NET of policy central to 10.200.0.0/16, 10.0." in finding.remediation.summary


@pytest.mark.cause(CAUSE, "passes")
def test_a_list_that_has_all_three_hosts(walled: Walled) -> None:
    walled.domains("ALLOWLIST", *HOSTS)
    diagnosis = asked(walled.whole)
    assert causes(diagnosis) == []
    assert diagnosis.inconclusive == ()
    assert CAUSE in diagnosis.passed


@pytest.mark.cause(CAUSE, "near_miss")
def test_lists_for_others(walled: Walled) -> None:
    walled.domains("DENYLIST", ".example.com", ".ecr.eu-west-1.amazonaws.com")
    walled.domains("ALLOWLIST", ".example.com", home=("192.168.0.0/16",))
    diagnosis = asked(walled.whole)
    assert causes(diagnosis) == []
    assert CAUSE in diagnosis.passed


TLS = "tls $HOME_NET any -> $EXTERNAL_NET any"
PASSES = f'pass {TLS} (tls.sni; dotprefix; content:"%s"; nocase; endswith; flow:to_server; sid:%d;)'


def _text(*lines: str) -> dict[str, Any]:
    """A rule group of Suricata rules for the spokes."""
    return {
        "RulesSource": {"RulesString": "\n".join(("# what spokes may reach", *lines))},
        "RuleVariables": {"IPSets": {"HOME_NET": {"Definition": [SPOKES]}}},
    }


@pytest.mark.cause(CAUSE, "fails")
def test_suricata_rules_that_pass_the_registry_and_not_the_layers(walled: Walled) -> None:
    walled.group(_text(PASSES % (ECR, 1)), strict=True)
    finding = only(asked(walled.whole), CAUSE)
    assert finding.resource.id == walled.policy
    assert "starport-layer-bucket" in finding.explanation
    assert "api.ecr" not in finding.explanation
    walled.group(_text(PASSES % (S3, 2)), strict=True)
    diagnosis = asked(walled.whole)
    assert causes(diagnosis) == []
    assert CAUSE in diagnosis.passed


@pytest.mark.cause(CAUSE, "fails")
def test_a_rule_that_drops_the_first_packet_whatever_the_list_allows(walled: Walled) -> None:
    walled.domains("ALLOWLIST", *HOSTS)
    header = {"Protocol": "TCP", "Source": "$HOME_NET", "SourcePort": "ANY", "Direction": "FORWARD"}
    header |= {"Destination": "$EXTERNAL_NET", "DestinationPort": "ANY"}
    rule = {"Action": "DROP", "Header": header, "RuleOptions": [{"Keyword": "sid:7"}]}
    arn = walled.group({**_text(), "RulesSource": {"StatefulRules": [rule]}})
    finding = only(asked(walled.whole), CAUSE)
    assert finding.resource.id == arn
    assert "rule 7" in finding.explanation


def test_a_pattern_is_open_where_it_matters(walled: Walled) -> None:
    walled.group(_text(f'drop {TLS} (tls.sni; pcre:"/ecr/"; sid:3;)'))
    diagnosis = asked(walled.whole)
    assert causes(diagnosis) == []
    assert "rule 3 of rule group list-0" in opened(diagnosis)[CAUSE]
    assert "with pcre) may match" in opened(diagnosis)[CAUSE]
    walled.domains("ALLOWLIST", *HOSTS)
    assert asked(walled.whole).inconclusive == ()


@pytest.mark.cause(CAUSE, "fails")
def test_stateless_rules_that_let_no_answers_back(walled: Walled) -> None:
    asks = {"Sources": [{"AddressDefinition": SPOKES}], "DestinationPorts": [{"FromPort": 443, "ToPort": 443}]}
    out = {"Priority": 1, "RuleDefinition": {"Actions": ["aws:forward_to_sfe"], "MatchAttributes": asks}}
    rest = {"Priority": 2, "RuleDefinition": {"Actions": ["aws:drop"], "MatchAttributes": {"Protocols": [6]}}}
    arn = walled.packets(out, rest)
    finding = only(asked(walled.whole), CAUSE)
    assert finding.resource.id == arn
    assert "rule 2 of stateless rule group packets (aws:drop) drops the answer" in finding.explanation
    short = finding.remediation.short
    assert "forward to the stateful rules TCP from" in short  # what is no host is not said to be one
    assert "names for" not in short


def test_rule_groups_of_aws_are_not_read(walled: Walled) -> None:
    walled.domains("ALLOWLIST", *HOSTS)
    walled.groups.append(f"arn:aws:network-firewall:{REGION}:aws-managed:stateful-rulegroup/MalwareDomainsActionOrder")
    walled.update()
    diagnosis = asked(walled.whole)
    assert (causes(diagnosis), diagnosis.inconclusive) == ([], ())


@pytest.mark.cause(CAUSE, "unread")
@pytest.mark.parametrize("action", ["ListFirewalls", "DescribeFirewall", "DescribeFirewallPolicy", "DescribeRuleGroup"])
def test_a_firewall_that_cannot_be_read_is_open_by_the_action(walled: Walled, action: str) -> None:
    walled.domains("ALLOWLIST", ".example.com")
    diagnosis = asked(walled.whole, denied=(f"network-firewall:{action}",))
    assert causes(diagnosis) == []
    assert f"network-firewall:{action}" in opened(diagnosis)[CAUSE]


def test_the_page(walled: Walled, example: Callable[..., None]) -> None:
    walled.domains("ALLOWLIST", ECR)
    show(example, walled.whole.spoke, LAYER + "net/http: TLS handshake timeout", CAUSE)
