"""The rules of Route 53 Resolver DNS Firewall that apply to a VPC, in the order in which they apply."""
# ruff: noqa: ANN401 -- the clients of this service have no type stubs among the pinned ones

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from pull_responder.facts.paging import pages
from pull_responder.facts.resolver import call
from pull_responder.model.printable import clean_line
from pull_responder.model.reason import AGAIN, Reason
from pull_responder.model.unread import Unread
from pull_responder.network.resolver import FirewallRule

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pull_responder.facts.reader import Reader
    from pull_responder.facts.vpc import VpcPlace

    Associations = Sequence[Mapping[str, Any]]

PERMISSIONS: Final = (
    "route53resolver:GetFirewallRuleGroup",
    "route53resolver:ListFirewallDomainLists",
    "route53resolver:ListFirewallDomains",
    "route53resolver:ListFirewallRuleGroupAssociations",
    "route53resolver:ListFirewallRules",
)

# The longest name in DNS (RFC 1035, section 2.3.4).
_LONGEST_NAME: Final = 255
_WITHOUT_EFFECT: Final = {"DELETING"}
_INSPECTS: Final = "INSPECT_REDIRECTION_DOMAIN"


def read_associations(reader: Reader, place: VpcPlace) -> Associations | Unread:
    """Return the rule groups that are associated with the VPC; none where the service is not offered."""

    def request(client: Any) -> Associations:
        found = pages(
            client, "list_firewall_rule_group_associations", "FirewallRuleGroupAssociations", VpcId=place.vpc_id
        )
        ours = (each for each in found if each.get("VpcId", place.vpc_id) == place.vpc_id)
        return sorted(
            (each for each in ours if each.get("Status") not in _WITHOUT_EFFECT), key=lambda each: each["Priority"]
        )

    return call(reader, place, "route53resolver:ListFirewallRuleGroupAssociations", request) or ()


def read_firewall_rules(
    reader: Reader, place: VpcPlace, associations: Associations | Unread
) -> tuple[FirewallRule, ...] | Unread:
    """Return the rules of all associated groups, with the domains of their lists.

    An association with an `Account` comes by a Profile: its group is read there.
    """
    if isinstance(associations, Unread):
        return associations
    if not associations:
        return ()
    groups = {each["FirewallRuleGroupId"]: _in_account_of(each, place) for each in associations}
    reads = [
        lambda: _managed_lists(reader, place),
        lambda: _owners(reader, groups),
        *(_reading(reader, groups[each], each) for each in groups),
    ]
    managed, owners, *listed = reader.each(lambda read: read(), reads)
    unread = next((each for each in listed if isinstance(each, Unread)), None)
    if unread is not None:
        return unread
    rules = [rule for each in listed for rule in each]
    known = set() if isinstance(managed, Unread) else managed
    named = ((rule.get("FirewallDomainListId"), _of_lists(rule, owners, groups)) for rule in rules)
    own = list(dict.fromkeys((each, where) for each, where in named if each and each not in known))
    found = reader.each(lambda each: _domains(reader, each[1], each[0]), own)
    domains = dict(zip((each for each, _ in own), found, strict=True))
    return tuple(_rule(rule, domains, owners) for rule in rules)


def _of_lists(rule: Mapping[str, Any], owners: Mapping[str, str], groups: Mapping[str, VpcPlace]) -> VpcPlace:
    """Return where a rule's domain list is read: whoever shares a rule group does not share its lists."""
    group = rule["FirewallRuleGroupId"]
    return replace(groups[group], account=owners[group] or groups[group].account)


def _owners(reader: Reader, groups: Mapping[str, VpcPlace]) -> Mapping[str, str]:
    """Return the account that owns each rule group: another account may share it. Empty where that is not known."""

    def read(group: str) -> str:
        def request(client: Any) -> str:
            return str(client.get_firewall_rule_group(FirewallRuleGroupId=group)["FirewallRuleGroup"]["OwnerId"])

        found = _answer(reader, groups[group], "route53resolver:GetFirewallRuleGroup", request)
        return "" if isinstance(found, Unread) else found

    return dict(zip(groups, reader.each(read, list(groups)), strict=True))


def _in_account_of(association: Mapping[str, Any], place: VpcPlace) -> VpcPlace:
    """Return where a rule group is read: with a VPC's own in its account, with a Profile's in the group's."""
    return replace(place, account=association.get("Account") or place.account)


def _reading(reader: Reader, place: VpcPlace, group: str) -> Any:
    def request(client: Any) -> list[Mapping[str, Any]]:
        found = pages(client, "list_firewall_rules", "FirewallRules", FirewallRuleGroupId=group)
        return sorted(found, key=lambda each: each["Priority"])

    return lambda: _answer(reader, place, "route53resolver:ListFirewallRules", request)


def _managed_lists(reader: Reader, place: VpcPlace) -> set[str] | Unread:
    """Return the ids of AWS's own domain lists, whose domains nobody can read."""

    def request(client: Any) -> set[str]:
        found = pages(client, "list_firewall_domain_lists", "FirewallDomainLists")
        return {each["Id"] for each in found if each.get("ManagedOwnerName")}

    managed: set[str] | Unread = _answer(reader, place, "route53resolver:ListFirewallDomainLists", request)
    return managed


def _domains(reader: Reader, place: VpcPlace, list_id: str) -> tuple[str, ...] | Unread:
    def request(client: Any) -> tuple[str, ...]:
        found = pages(client, "list_firewall_domains", "Domains", FirewallDomainListId=list_id)
        return tuple(clean_line(each)[:_LONGEST_NAME].rstrip(".").lower() for each in found)

    domains: tuple[str, ...] | Unread = _answer(reader, place, "route53resolver:ListFirewallDomains", request)
    return domains


def _answer(reader: Reader, place: VpcPlace, action: str, request: Any) -> Any:
    found = reader.call(action, account=place.account, region=place.region, request=request)
    return Unread(Reason(f"{action} gave no answer", AGAIN)) if found is None else found


def _rule(
    found: Mapping[str, Any], domains: Mapping[str, tuple[str, ...] | Unread], owners: Mapping[str, str]
) -> FirewallRule:
    list_id = found.get("FirewallDomainListId", "")
    return FirewallRule(
        group=found["FirewallRuleGroupId"],
        priority=found["Priority"],
        action=found["Action"],
        list_id=list_id,
        domains=domains.get(list_id, ()),
        response=found.get("BlockResponse", ""),
        query_type=found.get("Qtype", ""),
        owner=owners[found["FirewallRuleGroupId"]],
        inspects_redirection=found.get("FirewallDomainRedirectionAction", _INSPECTS) == _INSPECTS,
        unusual=not list_id or bool(found.get("DnsThreatProtection")) or bool(found.get("FirewallThreatProtectionId")),
    )
