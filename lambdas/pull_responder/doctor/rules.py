"""Whether the EventBridge rules of the stack exist, are in the state that they were deployed in, and have their target.

The rules on refused pulls have a state of their own. As long as one of them is broken, such refusals do not arrive.

Source: EventBridge API Reference, DescribeRule, PutRule (what is left out of a rule is removed from it), PutTargets;
User Guide, "Receiving read-only management events from AWS services" (a rule in state ENABLED does not get them).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pull_responder.doctor.examination import Examination
from pull_responder.doctor.result import Result, broken, off, unread, works
from pull_responder.facts.paging import pages
from pull_responder.model.unread import Unread
from pull_responder.remediation.shell import Command, aws

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.doctor.deployment import Deployment
    from pull_responder.doctor.resource import Resource
    from pull_responder.facts.reader import Reader

_ID: Final = "rules"
_PERMISSIONS: Final = ("events:DescribeRule", "events:ListTargetsByRule")
_KIND: Final = "AWS::Events::Rule"
_MISSING: Final = frozenset({"ResourceNotFoundException"})
# docs/operations.md, "Rechecks". Inference: in GovCloud the region that nobody can disable. Of China no source says it.
_GLOBAL_EVENTS: Final = {"aws": "us-east-1", "aws-us-gov": "us-gov-west-1"}
_GLOBAL_SOURCES: Final = frozenset({"aws.iam", "aws.organizations"})
_ALL_MANAGEMENT_EVENTS: Final = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"


def _examine(deployment: Deployment, reader: Reader) -> list[Result]:
    return reader.each(lambda each: _one(deployment, reader, each), deployment.of_kind(_KIND))


def _one(deployment: Deployment, reader: Reader, rule: Resource) -> Result:
    # CloudFormation's id of a rule on a bus of one's own is BUS|NAME (AWS::Events::Rule, "Ref").
    name, region = rule.physical_id.rpartition("|")[2], deployment.region
    subject = f"rule {name}"
    expected = deployment.value(rule.properties)
    if deployment.template or not isinstance(expected, dict):
        why = deployment.template or Unread(f"what {name} was deployed with is not known")
        return unread(_ID, subject, why, "Whether the rule is as it was deployed is not known")
    meaning = f'This will not be seen: "{expected.get("Description", name)}"'

    bus = {"EventBusName": expected["EventBusName"]} if expected.get("EventBusName") else {}

    def describe(client: Any) -> Mapping[str, Any]:  # noqa: ANN401 -- boto3's generated client
        answer = client.describe_rule(Name=name, **bus)
        pattern = json.loads(answer.get("EventPattern") or "null")
        schedule = answer.get("ScheduleExpression") or None
        return {"State": answer["State"], "EventPattern": pattern, "ScheduleExpression": schedule}

    def targets(client: Any) -> set[str]:  # noqa: ANN401 -- boto3's generated client
        return {each["Arn"] for each in pages(client, "list_targets_by_rule", "Targets", Rule=name, **bus)}

    found = reader.call(_PERMISSIONS[0], account=deployment.account, region=region, request=describe, absent=_MISSING)
    if isinstance(found, Unread):
        return unread(_ID, subject, found, f"If the rule does not work: {meaning[0].lower()}{meaning[1:]}")
    sent = (
        reader.call(_PERMISSIONS[1], account=deployment.account, region=region, request=targets, absent=_MISSING)
        if found
        else set()
    )
    rule_faults = _faults(found, expected)
    target_faults = [] if isinstance(sent, Unread) else _target_faults(sent or set(), expected)
    if not rule_faults and isinstance(sent, Unread):
        return unread(_ID, subject, sent, f"If the rule has lost its target: {meaning[0].lower()}{meaning[1:]}")
    faults = [*rule_faults, *(target_faults if found else [])]
    if not faults:
        return _whole(deployment, subject, f"{found['State'] if found else ''}, and has its target", expected)
    commands = (
        *([_put_rule(name, expected, region)] if rule_faults else []),
        *([_put_targets(name, expected, region)] if target_faults else []),
    )
    # On another bus come the refusals of other accounts and regions.
    blinds = expected.get("State") == _ALL_MANAGEMENT_EVENTS and not bus
    return broken(_ID, subject, "; ".join(faults), meaning, commands=commands, blinds=blinds)


def _whole(deployment: Deployment, subject: str, text: str, expected: Mapping[str, Any]) -> Result:
    """Return that a rule is as it was deployed, and what it needs besides where its service is global."""
    home, sources = _GLOBAL_EVENTS.get(deployment.partition), (expected.get("EventPattern") or {}).get("source", [])
    is_members = bool(expected.get("EventBusName"))  # a bus of one's own gets what members forward from there
    if not home or deployment.region == home or is_members or not _GLOBAL_SOURCES.issuperset(sources) or not sources:
        return works(_ID, subject, text)
    found = (
        f"{text}, but its service is global: its events arrive in {home} alone. Whether they are forwarded is not read"
    )
    meaning = f'Unless they are forwarded, this is seen by scheduled rechecks only: "{expected.get("Description", "")}"'
    step = f'Forward them from {home}, if you want it sooner (docs/operations.md, "Rechecks")'
    return off(_ID, subject, found, meaning, step=step)


def _faults(found: Mapping[str, Any] | None, expected: Mapping[str, Any]) -> list[str]:
    if found is None:
        return ["it does not exist"]
    faults = []
    state, wanted = found["State"], expected.get("State", "ENABLED")
    if state == "DISABLED" != wanted:
        faults.append("it is disabled")
    elif wanted == _ALL_MANAGEMENT_EVENTS != state:
        faults.append(f"its state is {state}, in which a rule does not get read-only management events")
    if expected.get("EventPattern") != found["EventPattern"]:
        faults.append("its event pattern was changed")
    if expected.get("ScheduleExpression") != found["ScheduleExpression"]:
        faults.append("its schedule was changed")
    return faults


def _target_faults(targets: set[str], expected: Mapping[str, Any]) -> list[str]:
    lacking = [each["Arn"] for each in expected.get("Targets", []) if each["Arn"] not in targets]
    return [f"it does not send to {each}" for each in lacking]


def _put_rule(name: str, expected: Mapping[str, Any], region: str) -> Command:
    options = {"name": name, "state": expected.get("State", "ENABLED"), "region": region}
    if pattern := expected.get("EventPattern"):
        options["event_pattern"] = json.dumps(pattern, separators=(",", ":"))
    if schedule := expected.get("ScheduleExpression"):
        options["schedule_expression"] = schedule
    if description := expected.get("Description"):
        options["description"] = description
    return aws("events", "put-rule", **options, **_on_bus(expected))


def _put_targets(name: str, expected: Mapping[str, Any], region: str) -> Command:
    targets = json.dumps(expected.get("Targets", []), separators=(",", ":"))
    return aws("events", "put-targets", rule=name, targets=targets, region=region, **_on_bus(expected))


def _on_bus(expected: Mapping[str, Any]) -> dict[str, str]:
    """Return the option that names the rule's bus; none for the default bus."""
    bus = expected.get("EventBusName")
    return {"event_bus_name": bus} if bus else {}


CHECK: Final = Examination(
    _ID, "each rule's state, pattern, schedule and target", _PERMISSIONS, _examine, can_blind=True
)
