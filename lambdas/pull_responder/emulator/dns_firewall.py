"""DNS Firewall for moto 5.2.5's Route 53 Resolver, which lacks it.

Only what a diagnosis reads and what a test sets up: domain lists, rule groups, their rules and associations. Source of
the shapes: botocore's model of the service.
"""
# ruff: noqa: ANN401 -- moto has neither types nor public names for any of this

from __future__ import annotations

import json
from importlib import import_module
from itertools import count
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

_APPLIED = "_serves_dns_firewall"
_NUMBERS: Final = count(1)


def apply() -> None:
    """Patch moto in this process. Call it before moto's server starts; a second time changes nothing."""
    responses: Any = import_module("moto.route53resolver.responses").Route53ResolverResponse
    if getattr(responses, _APPLIED, False):
        return
    for name, serve in _OPERATIONS.items():
        setattr(responses, name, _served(serve))
    setattr(responses, _APPLIED, True)


def _served(serve: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]) -> Any:
    def answer(self: Any) -> str:
        backend = self.route53resolver_backend
        if not hasattr(backend, "firewall"):
            backend.firewall = {"lists": {}, "groups": {}, "associations": {}}
        return json.dumps(serve(backend.firewall, json.loads(self.body)))

    return answer


def _id(kind: str) -> str:
    return f"rslvr-{kind}-{next(_NUMBERS):016x}"


def _create_list(known: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    made = {"Id": _id("fdl"), "Name": asked["Name"], "Domains": []}
    known["lists"][made["Id"]] = made
    return {"FirewallDomainList": {key: made[key] for key in ("Id", "Name")}}


def _update_domains(known: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    domains = known["lists"][asked["FirewallDomainListId"]]["Domains"]
    for each in asked["Domains"]:
        domains.remove(each) if asked["Operation"] == "REMOVE" else domains.append(f"{each}.")
    return {"Id": asked["FirewallDomainListId"]}


def _create_group(known: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    made = {"Id": _id("frg"), "Name": asked["Name"]}
    known["groups"][made["Id"]] = []
    return {"FirewallRuleGroup": made}


def _get_group(_: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    group = asked["FirewallRuleGroupId"]
    owner = _shared(group)[0]
    return {"FirewallRuleGroup": {"Id": group, "OwnerId": owner}}


def _shared(group: str) -> tuple[str, list[dict[str, Any]]]:
    """Return the owner and the rules of a group. All accounts share theirs with each other, but not their lists."""
    accounts: Any = import_module("moto.backends").get_backend("route53resolver")
    for account, regions in accounts.items():
        for backend in regions.values():
            known: dict[str, Any] = getattr(backend, "firewall", {"groups": {}})
            if group in known["groups"]:
                return account, known["groups"][group]
    raise KeyError(group)


def _create_rule(known: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    rule = {key: value for key, value in asked.items() if key != "CreatorRequestId"}
    known["groups"][asked["FirewallRuleGroupId"]].append(rule)
    return {"FirewallRule": rule}


def _associate(known: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    made = {**asked, "Id": _id("frgassoc"), "Status": "COMPLETE"}
    known["associations"][made["Id"]] = made
    return {"FirewallRuleGroupAssociation": made}


def _list_associations(known: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    found = [each for each in known["associations"].values() if each["VpcId"] == asked.get("VpcId", each["VpcId"])]
    return {"FirewallRuleGroupAssociations": found}


def _list_rules(_: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    return {"FirewallRules": _shared(asked["FirewallRuleGroupId"])[1]}


def _list_lists(known: dict[str, Any], _: dict[str, Any]) -> dict[str, Any]:
    managed = {"Id": "rslvr-fdl-managed", "Name": "AWSManagedDomainsMalwareDomainList", "ManagedOwnerName": "Route 53"}
    own = [{key: each[key] for key in ("Id", "Name")} for each in known["lists"].values()]
    return {"FirewallDomainLists": [managed, *own]}


def _list_domains(known: dict[str, Any], asked: dict[str, Any]) -> dict[str, Any]:
    return {"Domains": known["lists"][asked["FirewallDomainListId"]]["Domains"]}


_OPERATIONS: Final = {
    "create_firewall_domain_list": _create_list,
    "update_firewall_domains": _update_domains,
    "create_firewall_rule_group": _create_group,
    "create_firewall_rule": _create_rule,
    "get_firewall_rule_group": _get_group,
    "associate_firewall_rule_group": _associate,
    "list_firewall_rule_group_associations": _list_associations,
    "list_firewall_rules": _list_rules,
    "list_firewall_domain_lists": _list_lists,
    "list_firewall_domains": _list_domains,
}
