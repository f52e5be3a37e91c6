"""The firewalls of AWS Network Firewall in a VPC, with their policies and rule groups."""
# ruff: noqa: ANN401 -- the client of this service has no type stubs among the pinned ones

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pull_responder.facts.paging import pages
from pull_responder.model.printable import clean_line
from pull_responder.model.reason import AGAIN, Reason
from pull_responder.model.unread import Unread
from pull_responder.network.firewall_policy import DomainList, FirewallPolicy, HeaderRule, RuleGroup
from pull_responder.network.model import Firewall

if TYPE_CHECKING:
    from collections.abc import Mapping

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
_KNOWN_OPTIONS: Final = {"sid", "msg", "rev"}


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
    references = sorted(policy.get("StatefulRuleGroupReferences", []), key=lambda each: each.get("Priority", 0))
    groups = reader.each(lambda each: _group(reader, place, each), references[:_MOST_GROUPS])
    if len(references) > _MOST_GROUPS:
        step = f"Look at the rule groups of {arn} in the VPC console."
        groups.append(Unread(Reason(f"only {_MOST_GROUPS} of the rule groups of {arn} were read", step)))
    return FirewallPolicy(
        arn=arn,
        stateless=tuple(policy["StatelessDefaultActions"]),
        stateful=tuple(policy.get("StatefulDefaultActions", [])),
        strict=policy.get("StatefulEngineOptions", {}).get("RuleOrder") == "STRICT_ORDER",
        has_stateless_groups=bool(policy.get("StatelessRuleGroupReferences")),
        groups=tuple(groups),
        home_net=_home_net(policy.get("PolicyVariables", {}).get("RuleVariables", {})),
    )


def _group(reader: Reader, place: VpcPlace, reference: Mapping[str, Any]) -> RuleGroup | Unread:
    arn = reference["ResourceArn"]

    def request(client: Any) -> RuleGroup:
        return _rule_group(arn, reference, client.describe_rule_group(RuleGroupArn=arn, Type="STATEFUL")["RuleGroup"])

    group: RuleGroup | Unread = _answer(reader, place, "network-firewall:DescribeRuleGroup", request)
    return group


def _rule_group(arn: str, reference: Mapping[str, Any], found: Mapping[str, Any]) -> RuleGroup:
    source = found["RulesSource"]
    listed = source.get("RulesSourceList")
    return RuleGroup(
        arn=arn,
        domains=DomainList(
            listed["GeneratedRulesType"],
            tuple(clean_line(each)[:_LONGEST_NAME].lower() for each in listed["Targets"]),
            "TLS_SNI" in listed["TargetTypes"],
        )
        if listed
        else None,
        rules=tuple(rule for each in source.get("StatefulRules", []) for rule in _header_rules(each)),
        opaque=bool(source.get("RulesString")),
        home_net=_home_net(found.get("RuleVariables", {}).get("IPSets", {})),
        overridden=reference.get("Override", {}).get("Action") == "DROP_TO_ALERT",
    )


def _header_rules(found: Mapping[str, Any]) -> tuple[HeaderRule, ...]:
    """Return a rule, and the same with its sides changed if it is for both directions (API reference, Header)."""
    header, options = found["Header"], found.get("RuleOptions", [])
    ids = [setting for each in options if each["Keyword"] == "sid" for setting in each.get("Settings", [])]
    source, destination = (_written(header[side], header[f"{side}Port"]) for side in ("Source", "Destination"))
    both = ((source, destination), (destination, source)) if header["Direction"] == "ANY" else ((source, destination),)
    return tuple(
        HeaderRule(
            id=clean_line(ids[0])[:20] if ids else "",
            action=found["Action"],
            protocol=header["Protocol"],
            source=start,
            destination=end,
            destination_port=port,
            # A node's own port may be any: one that is named is like an option that is not understood.
            plain=start_port.upper() == "ANY" and all(each["Keyword"] in _KNOWN_OPTIONS for each in options),
        )
        for (start, start_port), (end, port) in both
    )


def _written(address: str, port: str) -> tuple[str, str]:
    """Return an address and a port as they are written in a rule, in lengths that can be shown."""
    return clean_line(address)[:_LONGEST_NAME], clean_line(port)[:_LONGEST_NAME]


def _home_net(variables: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(variables.get("HOME_NET", {}).get("Definition", []))


def _answer(reader: Reader, place: VpcPlace, action: str, request: Any) -> Any:
    found = reader.call(action, account=place.account, region=place.region, request=request)
    return Unread(Reason(f"{action} gave no answer", AGAIN)) if found is None else found
