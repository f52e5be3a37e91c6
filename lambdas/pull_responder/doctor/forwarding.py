"""Whether the stack's own account forwards refused pulls from the organization's other regions.

The regions are those in which the StackSet of the members has stacks, and those of the setting `memberRegions`. What an
account forwards from a region shows in its own rules there alone: those whose target is the stack's bus. Other accounts
have rules of their own; the role for reading them may not read rules (infra/member_roles.py).

A region in which the account has no such rule is off, unless the StackSet has a stack of the account there, or the
settings name it: then the rule was there once.

Sources: EventBridge API Reference, ListRuleNamesByTarget and DescribeRule; User Guide, "Receiving read-only management
events from AWS services". docs/adr/0165-a-canary-in-each-region.md
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pull_responder.doctor.examination import Examination
from pull_responder.doctor.member_stacks import PERMISSIONS as STACK_PERMISSIONS
from pull_responder.doctor.member_stacks import Stacks, member_stacks
from pull_responder.doctor.result import Result, broken, off, unread, works
from pull_responder.facts.paging import pages
from pull_responder.model.unread import Unread
from pull_responder.remediation.shell import Command, aws
from pull_responder.settings import SettingError, read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.doctor.deployment import Deployment
    from pull_responder.facts.reader import Reader

ID: Final = "forwarding"
MOST_REGIONS: Final = 50
"""More regions than a partition has. Each costs two reads and a canary."""

BUS: Final = "pull-responder"
"""The bus of the stack that members send to. infra/organization.py has the same name."""

_PERMISSIONS: Final = (*STACK_PERMISSIONS, "events:DescribeRule", "events:ListRuleNamesByTarget")
_MISSING: Final = frozenset({"ResourceNotFoundException"})
_ALL_MANAGEMENT_EVENTS: Final = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
_LOGICAL_ID: Final = "EcrDenied"  # infra/member_rules.py
_CALL: Final = "BatchGetImage"
_OTHERS: Final = "other regions that forward events"


@dataclass(frozen=True, slots=True)
class _Place:
    """A region, and whether the account is known to have had a rule there."""

    region: str
    is_expected: bool


def _examine(deployment: Deployment, reader: Reader) -> list[Result]:
    if not deployment.environment:
        why = deployment.template or Unread("what the stack's functions are set to is not known")
        return [unread(ID, _OTHERS, why, "Whether events of other regions are to come is not known")]
    if not deployment.environment.get("PULL_RESPONDER_ORGANIZATION_ID"):
        return [works(ID, _OTHERS, "none do: the setting `organizationId` is not set")]
    try:
        named = read_settings(deployment.environment).member_regions
    except SettingError as error:
        return [unread(ID, _OTHERS, Unread(f"the stack's settings cannot be read: {error}"), "None was looked at")]
    stacks = member_stacks(deployment, reader)
    found: list[Result] = []
    if isinstance(stacks, Unread):
        if not named:
            meaning = "Nothing proves that events of other regions arrive: which regions these are is not known"
            seen = unread(ID, _OTHERS, stacks, meaning)
            step = f"{seen.step} Or name the regions in the setting `memberRegions`".strip()
            return [replace(seen, step=step)]
        stacks = Stacks(())
    own = {*named, *stacks.regions_of(deployment.account)}
    regions = sorted({*named, *stacks.regions} - {deployment.region})
    if not regions:
        return [works(ID, _OTHERS, "none do: the StackSet has stacks in the stack's own region alone")]
    if len(regions) > MOST_REGIONS:
        found.append(
            off(ID, "further regions", f"there are more than {MOST_REGIONS}", "They were not looked at", step="")
        )
    places = [_Place(each, each in own) for each in regions[:MOST_REGIONS]]
    return [*found, *reader.each(lambda place: replace(_one(deployment, reader, place), region=place.region), places)]


def _one(deployment: Deployment, reader: Reader, place: _Place) -> Result:
    region, account = place.region, deployment.account
    subject = f"forwarding of refused pulls from {region}"
    bus = f"arn:{deployment.partition}:events:{deployment.region}:{account}:event-bus/{BUS}"
    meaning = f"Refused pulls of account {account} in {region} will not be seen"

    def names(client: Any) -> list[str]:  # noqa: ANN401 -- boto3's generated client
        return pages(client, "list_rule_names_by_target", "RuleNames", TargetArn=bus)

    listed = reader.call(_PERMISSIONS[2], account=account, region=region, request=names, absent=_MISSING)
    if isinstance(listed, Unread):
        return unread(ID, subject, listed, _if_not(meaning, region))
    rules: list[Mapping[str, Any]] = []
    why: Unread | None = None
    # CloudFormation makes names of logical ids, so that the rule that is looked for is most often the only one read.
    for name in sorted(listed or (), key=lambda each: _LOGICAL_ID not in each):
        rule = _rule(deployment, reader, name, region)
        if isinstance(rule, Unread):
            why = why or rule
        elif rule and _takes_refused_pulls(rule):
            rules.append(rule)
            if rule["State"] == _ALL_MANAGEMENT_EVENTS:
                return works(ID, subject, f"account {account} has a rule on them there, which sends to the bus {BUS}")
    if rules:
        found = f"rule {rules[0]['Name']} of account {account} there is {_state(rules[0]['State'])}"
        return broken(ID, subject, found, meaning, commands=(_put_rule(rules[0], region),), blinds=True)
    if why:
        return unread(ID, subject, why, _if_not(meaning, region))
    none = f"account {account} has no rule there that sends them to the bus {BUS}"
    step = f"Deploy the StackSet, or infra/member.yaml by itself, in account {account}, region {region}"
    if place.is_expected:
        return broken(ID, subject, none, meaning, step=step, blinds=True)
    step = f"{step}, if a canary is to prove that events of {region} arrive"
    return off(ID, subject, none, f"{meaning}, and those of other accounts there are not proven to arrive", step=step)


def _rule(deployment: Deployment, reader: Reader, name: str, region: str) -> Mapping[str, Any] | Unread | None:
    def describe(client: Any) -> Mapping[str, Any]:  # noqa: ANN401 -- boto3's generated client
        answer = client.describe_rule(Name=name)
        return {**answer, "State": answer["State"], "EventPattern": json.loads(answer.get("EventPattern") or "{}")}

    return reader.call(_PERMISSIONS[1], account=deployment.account, region=region, request=describe, absent=_MISSING)


def _takes_refused_pulls(rule: Mapping[str, Any]) -> bool:
    """Return whether a rule is the one of the template on refused calls. Its name is CloudFormation's."""
    pattern = rule["EventPattern"]
    detail = pattern.get("detail") if isinstance(pattern, dict) else None
    return isinstance(detail, dict) and _CALL in detail.get("eventName", []) and "errorCode" in detail


def _state(state: str) -> str:
    if state == "DISABLED":
        return "disabled"
    return f"in state {state}, in which a rule does not get read-only management events"


def _put_rule(rule: Mapping[str, Any], region: str) -> Command:
    """Return the command that puts a rule into the state of the template. What is left out would be removed from it."""
    options = {
        "name": rule["Name"],
        "state": _ALL_MANAGEMENT_EVENTS,
        "event_pattern": json.dumps(rule["EventPattern"], separators=(",", ":")),
        "region": region,
    }
    if description := rule.get("Description"):
        options["description"] = description
    return aws("events", "put-rule", **options)


def _if_not(meaning: str, region: str) -> str:
    """Return what follows where the rule could not be read, as in a region that is not enabled or is denied."""
    return f"If people pull in {region} and the rule there does not work: {meaning[0].lower()}{meaning[1:]}"


CHECK: Final = Examination(
    ID, "the account's own rules in the organization's other regions", _PERMISSIONS, _examine, can_blind=True
)
