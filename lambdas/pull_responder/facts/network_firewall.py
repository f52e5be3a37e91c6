"""The firewalls of AWS Network Firewall in a VPC, with their policies and rule groups."""
# ruff: noqa: ANN401 -- the client of this service has no type stubs among the pinned ones

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

from pull_responder.facts.paging import pages
from pull_responder.model.printable import clean_line
from pull_responder.model.reason import AGAIN, Reason
from pull_responder.model.unread import Unread
from pull_responder.network.firewall_rules import (
    DomainList,
    FirewallPolicy,
    RuleGroup,
    StatelessGroup,
    StatelessRule,
    TcpFlags,
)
from pull_responder.network.model import Firewall
from pull_responder.network.stateless_rules import standard_action
from pull_responder.network.suricata import StatefulRule, parse_rules, relevant, rule_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pull_responder.facts.reader import Reader
    from pull_responder.facts.vpc import VpcPlace

PERMISSIONS: Final = (
    "network-firewall:DescribeFirewall",
    "network-firewall:DescribeFirewallPolicy",
    "network-firewall:DescribeRuleGroup",
    "network-firewall:ListFirewalls",
)

_LONGEST_NAME: Final = 255
# A policy has at most 20 stateful rule groups unless the quota was raised (Developer Guide, "Quotas").
_MOST_GROUPS: Final = 60
# What stands for the account in the ARN of a rule group of AWS's own.
_AWS: Final = "aws-managed"


def read_firewalls(reader: Reader, place: VpcPlace) -> tuple[Firewall, ...] | Unread:
    """Return the firewalls of the VPC."""

    def request(client: Any) -> tuple[str, ...]:
        found = pages(client, "list_firewalls", "Firewalls", VpcIds=[place.vpc_id])
        return tuple(each["FirewallArn"] for each in found)

    arns = _answer(reader, place, "network-firewall:ListFirewalls", request)
    if isinstance(arns, Unread):
        return arns
    found = reader.each(lambda arn: _firewall(reader, place, arn), list(arns))
    unread = next((each for each in found if isinstance(each, Unread)), None)
    return unread or tuple(each for each in found if isinstance(each, Firewall))


def _firewall(reader: Reader, place: VpcPlace, arn: str) -> Firewall | Unread:
    def request(client: Any) -> tuple[str, dict[str, str]]:
        answer = client.describe_firewall(FirewallArn=arn)
        states = answer.get("FirewallStatus", {}).get("SyncStates", {}).values()
        attachments = [each.get("Attachment", {}) for each in states]
        endpoints = {each["EndpointId"]: each["SubnetId"] for each in attachments if each.get("EndpointId")}
        return answer["Firewall"]["FirewallPolicyArn"], endpoints

    found = _answer(reader, place, "network-firewall:DescribeFirewall", request)
    if isinstance(found, Unread):
        return found
    policy_arn, endpoints = found
    return Firewall(arn, endpoints, _policy(reader, place, policy_arn))


def _policy(reader: Reader, place: VpcPlace, arn: str) -> FirewallPolicy | Unread:
    def request(client: Any) -> Mapping[str, Any]:
        policy: Mapping[str, Any] = client.describe_firewall_policy(FirewallPolicyArn=arn)["FirewallPolicy"]
        return policy

    policy = _answer(reader, place, "network-firewall:DescribeFirewallPolicy", request)
    if isinstance(policy, Unread):
        return policy
    stateless = _by_priority(policy.get("StatelessRuleGroupReferences", []))
    stateful = [
        each
        for each in _by_priority(policy.get("StatefulRuleGroupReferences", []))
        if not _is_of_aws(each["ResourceArn"])
    ]
    wanted: list[Callable[[], Any]] = [
        *(partial(_stateless_group, reader, place, each["ResourceArn"]) for each in stateless[:_MOST_GROUPS]),
        *(partial(_group, reader, place, each) for each in stateful[:_MOST_GROUPS]),
    ]
    found = reader.each(lambda read: read(), wanted)
    of_packets, of_flows = found[: len(stateless[:_MOST_GROUPS])], found[len(stateless[:_MOST_GROUPS]) :]
    for listed, known in ((stateless, of_packets), (stateful, of_flows)):
        if len(listed) > _MOST_GROUPS:
            step = f"Look at the rule groups of {arn} in the VPC console."
            known.append(Unread(Reason(f"only {_MOST_GROUPS} of the rule groups of {arn} were read", step)))
    return FirewallPolicy(
        arn=arn,
        stateless=tuple(policy["StatelessDefaultActions"]),
        stateful=tuple(policy.get("StatefulDefaultActions", [])),
        strict=policy.get("StatefulEngineOptions", {}).get("RuleOrder") == "STRICT_ORDER",
        stateless_groups=tuple(of_packets),
        groups=tuple(of_flows),
        home_net=_sets(policy.get("PolicyVariables", {}).get("RuleVariables", {})).get("HOME_NET", ()),
        inspects_tls=bool(policy.get("TLSInspectionConfigurationArn")),
    )


def _by_priority(references: list[Any]) -> list[Any]:
    return sorted(references, key=lambda each: int(each.get("Priority", 0)))


def _is_of_aws(arn: str) -> bool:
    """Return whether a rule group is one of AWS's own, which the API does not describe."""
    return arn.split(":")[4:5] == [_AWS]


def _group(reader: Reader, place: VpcPlace, reference: Mapping[str, Any]) -> RuleGroup | Unread:
    arn = reference["ResourceArn"]

    def request(client: Any) -> RuleGroup:
        # Without `Type`: an ARN has it, and there are more types than one of stateful groups.
        return _rule_group(arn, reference, client.describe_rule_group(RuleGroupArn=arn)["RuleGroup"])

    group: RuleGroup | Unread = _answer(reader, place, "network-firewall:DescribeRuleGroup", request)
    return group


def _rule_group(arn: str, reference: Mapping[str, Any], found: Mapping[str, Any]) -> RuleGroup:
    source, variables = found["RulesSource"], found.get("RuleVariables", {})
    listed = source.get("RulesSourceList")
    addresses = _sets(variables.get("IPSets", {}))
    return RuleGroup(
        arn=arn,
        domains=DomainList(
            listed["GeneratedRulesType"],
            frozenset(clean_line(each)[:_LONGEST_NAME].lower() for each in listed["Targets"]),
            "TLS_SNI" in listed["TargetTypes"],
        )
        if listed
        else None,
        rules=(
            *relevant(_rule(each) for each in source.get("StatefulRules", [])),
            *parse_rules(source.get("RulesString", "")),
        ),
        home_net=addresses.pop("HOME_NET", ()),
        external_net=addresses.pop("EXTERNAL_NET", ()),
        variables={**addresses, **_sets(variables.get("PortSets", {}))},
        overridden=reference.get("Override", {}).get("Action") == "DROP_TO_ALERT",
    )


def _rule(found: Mapping[str, Any]) -> StatefulRule:
    """Return a rule that is given field by field. A keyword may have its value in itself: `sid:1`."""
    header = found["Header"]
    options: list[tuple[str, str]] = []
    for each in found.get("RuleOptions", []):
        keyword, _, value = str(each["Keyword"]).partition(":")
        options.append((keyword.strip().lower(), ",".join(each.get("Settings", [])) or value.strip()))
    return rule_of(
        found["Action"],
        (header["Protocol"], header["Source"], header["SourcePort"], header["Destination"], header["DestinationPort"]),
        options,
        both_ways=header["Direction"] == "ANY",
    )


def _stateless_group(reader: Reader, place: VpcPlace, arn: str) -> StatelessGroup | Unread:
    def request(client: Any) -> StatelessGroup:
        found = client.describe_rule_group(RuleGroupArn=arn)["RuleGroup"]
        rules = found["RulesSource"].get("StatelessRulesAndCustomActions", {}).get("StatelessRules", [])
        return StatelessGroup(arn, tuple(_stateless_rule(each) for each in _by_priority(rules)))

    group: StatelessGroup | Unread = _answer(reader, place, "network-firewall:DescribeRuleGroup", request)
    return group


def _stateless_rule(found: Mapping[str, Any]) -> StatelessRule:
    definition = found["RuleDefinition"]
    asks = definition["MatchAttributes"]
    return StatelessRule(
        priority=int(found["Priority"]),
        action=standard_action(tuple(definition["Actions"])),
        sources=tuple(each["AddressDefinition"] for each in asks.get("Sources", [])),
        destinations=tuple(each["AddressDefinition"] for each in asks.get("Destinations", [])),
        source_ports=tuple((each["FromPort"], each["ToPort"]) for each in asks.get("SourcePorts", [])),
        destination_ports=tuple((each["FromPort"], each["ToPort"]) for each in asks.get("DestinationPorts", [])),
        protocols=tuple(asks.get("Protocols", [])),
        tcp_flags=tuple(
            TcpFlags(frozenset(each.get("Flags", [])), frozenset(each.get("Masks", [])))
            for each in asks.get("TCPFlags", [])
        ),
    )


def _sets(variables: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(each.get("Definition", [])) for name, each in variables.items()}


def _answer(reader: Reader, place: VpcPlace, action: str, request: Any) -> Any:
    found = reader.call(action, account=place.account, region=place.region, request=request)
    return Unread(Reason(f"{action} gave no answer", AGAIN)) if found is None else found
