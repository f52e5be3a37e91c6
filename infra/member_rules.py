"""What an organization's members forward to its hub: what the rules of the hub match, each event once."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from infra.change_patterns import CHANGES
from infra.failure_patterns import FAILURES
from infra.rule_pattern import RulePattern

if TYPE_CHECKING:
    from collections.abc import Mapping

_RULES: Final[Mapping[str, RulePattern]] = {**FAILURES, **CHANGES}


def member_rules() -> Mapping[str, RulePattern]:
    """Return the rules by their logical ids in the template of members.

    No event matches two of them: each rule sends what it matches, and what is sent twice is billed and handled twice.
    So the rules on calls to one service are one, with all names of calls. A new node group, for instance, can make
    pulls fail and can fix them, and two rules of the hub match it.
    """
    calls: defaultdict[str, list[RulePattern]] = defaultdict(list)
    others: dict[str, RulePattern] = {}
    for name, rule in _RULES.items():
        if "eventName" in rule.pattern.get("detail", {}):
            (source,) = rule.pattern["source"]
            what = "Denied" if rule.reads else "Changed"
            service = "".join(part.capitalize() for part in source.removeprefix("aws.").split("-"))
            calls[f"{service}{what}"].append(rule)
        else:
            others[name] = rule
    return {**{name: _together(rules) for name, rules in calls.items()}, **others}


def _together(rules: list[RulePattern]) -> RulePattern:
    """Return the rule that matches what any of these rules match, which differ in the names of calls alone.

    Raises ValueError where they differ in anything else.
    """
    first = rules[0]
    if any(_nameless(each.pattern) != _nameless(first.pattern) or each.reads != first.reads for each in rules):
        raise ValueError(f"rules with different patterns cannot be one: {[each.description for each in rules]}")
    names = sorted({name for each in rules for name in each.pattern["detail"]["eventName"]})
    pattern = {**first.pattern, "detail": {**first.pattern["detail"], "eventName": names}}
    return RulePattern(". ".join(each.description for each in rules), pattern, first.reads)


def _nameless(pattern: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**pattern, "detail": {**pattern["detail"], "eventName": []}}
