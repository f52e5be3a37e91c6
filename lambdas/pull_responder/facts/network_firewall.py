"""The firewalls of AWS Network Firewall in a VPC, with their policies and rule groups."""
# ruff: noqa: ANN401 -- the client of this service has no type stubs among the pinned ones

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

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
    from collections.abc import Callable, Mapping, Sequence

    from pull_responder.facts.reader import Reader
    from pull_responder.facts.vpc import VpcPlace

T = TypeVar("T")

PERMISSIONS: Final = (
    "network-firewall:DescribeFirewall",
    "network-firewall:DescribeFirewallPolicy",
    "network-firewall:DescribeRuleGroup",
    "network-firewall:ListFirewallPolicies",
    "network-firewall:ListFirewalls",
    "network-firewall:ListRuleGroups",
)

_LONGEST_NAME: Final = 255
# A policy has at most 20 stateful rule groups unless the quota was raised (Developer Guide, "Quotas").
_MOST_GROUPS: Final = 60
# What stands for the account in the ARN of a rule group of AWS's own.
_OF_AWS: Final = "aws-managed"
# The states of an endpoint that handles traffic, or that shows none (API reference, Attachment). Inference: one that is
# made larger handles it, too.
_UP: Final = {"READY", "SCALING", ""}
_TO_ALERT: Final = "DROP_TO_ALERT"
# How many policies, and how many groups, an account may have so that all of them are read at once.
_MOST_AHEAD: Final = 20


def read_firewalls(reader: Reader, place: VpcPlace) -> tuple[Firewall, ...] | Unread:
    """Return the firewalls of the VPC."""
    start_reading(reader, place)
    arns = _firewall_arns(reader, place)
    if isinstance(arns, Unread):
        return arns
    found = reader.each(lambda arn: _firewall(reader, place, arn), list(arns))
    unread = next((each for each in found if isinstance(each, Unread)), None)
    return unread or tuple(each for each in found if isinstance(each, Firewall))


def start_reading(reader: Reader, place: VpcPlace) -> None:
    """Start to list the firewalls of the VPC, and to read policies and rule groups before it is known which they have.

    A firewall leads to its policy, and that to its groups: three rounds, of which this saves two. Accounts with many
    of them save nothing: those are read that are needed.
    """

    def ahead(listed: Callable[[], tuple[str, ...] | Unread], read: Callable[[str], object]) -> None:
        found = listed()
        if isinstance(found, Unread) or len(found) > _MOST_AHEAD:
            return
        arns = _firewall_arns(reader, place)
        if arns and not isinstance(arns, Unread):
            reader.start([partial(read, each) for each in found])

    def start() -> None:
        reader.start(
            [
                partial(_firewall_arns, reader, place),
                lambda: ahead(lambda: _policy_arns(reader, place), lambda arn: _described_policy(reader, place, arn)),
                lambda: ahead(lambda: _group_arns(reader, place), lambda arn: _described_group(reader, place, arn)),
            ]
        )

    reader.once(("firewalls ahead", place), start)


def _firewall_arns(reader: Reader, place: VpcPlace) -> tuple[str, ...] | Unread:
    def request(client: Any) -> tuple[str, ...]:
        found = pages(client, "list_firewalls", "Firewalls", VpcIds=[place.vpc_id])
        return tuple(each["FirewallArn"] for each in found)

    return _once(reader, place, "network-firewall:ListFirewalls", place.vpc_id, request)


def _policy_arns(reader: Reader, place: VpcPlace) -> tuple[str, ...] | Unread:
    def request(client: Any) -> tuple[str, ...]:
        return tuple(each["Arn"] for each in pages(client, "list_firewall_policies", "FirewallPolicies"))

    return _once(reader, place, "network-firewall:ListFirewallPolicies", "", request)


def _group_arns(reader: Reader, place: VpcPlace) -> tuple[str, ...] | Unread:
    def request(client: Any) -> tuple[str, ...]:
        return tuple(each["Arn"] for each in pages(client, "list_rule_groups", "RuleGroups", Scope="ACCOUNT"))

    return _once(reader, place, "network-firewall:ListRuleGroups", "", request)


@dataclass(frozen=True, slots=True)
class _Policy:
    """A policy without its rule groups, and their ARNs by priority. `overridden` are those with drops as alerts."""

    policy: FirewallPolicy
    stateless: tuple[str, ...]
    stateful: tuple[str, ...]
    overridden: frozenset[str]


def _described_policy(reader: Reader, place: VpcPlace, arn: str) -> _Policy | Unread:
    def request(client: Any) -> _Policy:
        found = client.describe_firewall_policy(FirewallPolicyArn=arn)["FirewallPolicy"]
        stateful = _by_priority(found.get("StatefulRuleGroupReferences", []))
        policy = FirewallPolicy(
            arn=arn,
            stateless=tuple(found["StatelessDefaultActions"]),
            stateful=tuple(found.get("StatefulDefaultActions", [])),
            strict=found.get("StatefulEngineOptions", {}).get("RuleOrder") == "STRICT_ORDER",
            home_net=_sets(found.get("PolicyVariables", {}).get("RuleVariables", {})).get("HOME_NET", ()),
            inspects_tls=bool(found.get("TLSInspectionConfigurationArn")),
        )
        return _Policy(
            policy,
            tuple(each["ResourceArn"] for each in _by_priority(found.get("StatelessRuleGroupReferences", []))),
            tuple(each["ResourceArn"] for each in stateful),
            frozenset(each["ResourceArn"] for each in stateful if each.get("Override", {}).get("Action") == _TO_ALERT),
        )

    return _once(reader, place, "network-firewall:DescribeFirewallPolicy", arn, request)


def _described_group(reader: Reader, place: VpcPlace, arn: str) -> RuleGroup | StatelessGroup | Unread:
    def request(client: Any) -> RuleGroup | StatelessGroup:
        # Without `Type`, which the ARN has: there is more than one type of stateful groups.
        found = client.describe_rule_group(RuleGroupArn=arn)["RuleGroup"]
        return _stateless_group(arn, found) if ":stateless-rulegroup/" in arn else _rule_group(arn, found)

    return _once(reader, place, "network-firewall:DescribeRuleGroup", arn, request)


def _firewall(reader: Reader, place: VpcPlace, arn: str) -> Firewall | Unread:
    def request(client: Any) -> tuple[str, dict[str, str], dict[str, str]]:
        answer = client.describe_firewall(FirewallArn=arn)
        states = answer.get("FirewallStatus", {}).get("SyncStates", {}).values()
        listed = [each.get("Attachment", {}) for each in states]
        attachments = [each for each in listed if each.get("EndpointId")]
        endpoints = {each["EndpointId"]: each["SubnetId"] for each in attachments}
        not_ready = {each["EndpointId"]: each["Status"] for each in attachments if each.get("Status", "") not in _UP}
        return answer["Firewall"]["FirewallPolicyArn"], endpoints, not_ready

    found = _once(reader, place, "network-firewall:DescribeFirewall", arn, request)
    if isinstance(found, Unread):
        return found
    policy_arn, endpoints, not_ready = found
    return Firewall(arn, endpoints, _policy(reader, place, policy_arn), not_ready)


def _policy(reader: Reader, place: VpcPlace, arn: str) -> FirewallPolicy | Unread:
    found = _described_policy(reader, place, arn)
    if isinstance(found, Unread):
        return found
    # AWS's own rule groups are not described by the API.
    stateful = [each for each in found.stateful if each.split(":")[4:5] != [_OF_AWS]]
    arns = [*found.stateless[:_MOST_GROUPS], *stateful[:_MOST_GROUPS]]
    read = dict(zip(arns, reader.each(lambda each: _described_group(reader, place, each), arns), strict=True))
    return replace(
        found.policy,
        stateless_groups=tuple(
            each for each in _listed(arn, found.stateless, read) if isinstance(each, StatelessGroup | Unread)
        ),
        groups=tuple(
            replace(each, overridden=each.arn in found.overridden) if isinstance(each, RuleGroup) else each
            for each in _listed(arn, stateful, read)
            if isinstance(each, RuleGroup | Unread)
        ),
    )


def _listed(arn: str, wanted: Sequence[str], read: Mapping[str, T | Unread]) -> list[T | Unread]:
    """Return the groups of a policy that were read, and one that is Unread for those that are too many."""
    found = [read[each] for each in wanted[:_MOST_GROUPS]]
    if len(wanted) > _MOST_GROUPS:
        step = f"Look at the rule groups of {arn} in the VPC console."
        found.append(Unread(Reason(f"only {_MOST_GROUPS} of the rule groups of {arn} were read", step)))
    return found


def _by_priority(references: list[Any]) -> list[Any]:
    return sorted(references, key=lambda each: int(each.get("Priority", 0)))


def _rule_group(arn: str, found: Mapping[str, Any]) -> RuleGroup:
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


def _stateless_group(arn: str, found: Mapping[str, Any]) -> StatelessGroup:
    rules = found["RulesSource"].get("StatelessRulesAndCustomActions", {}).get("StatelessRules", [])
    return StatelessGroup(arn, tuple(_stateless_rule(each) for each in _by_priority(rules)))


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


def _once(reader: Reader, place: VpcPlace, action: str, key: str, request: Callable[[Any], T]) -> T | Unread:
    def read() -> T | Unread:
        found = reader.call(action, account=place.account, region=place.region, request=request)
        return Unread(Reason(f"{action} gave no answer", AGAIN)) if found is None else found

    return reader.once((action, place.account, place.region, key), read)
