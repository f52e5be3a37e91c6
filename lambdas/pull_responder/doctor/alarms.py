"""Whether the alarms exist, have their actions, and are quiet.

Source: CloudWatch API Reference, DescribeAlarms (100 names a call) and MetricAlarm.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pull_responder.doctor.examination import Examination
from pull_responder.doctor.result import Result, broken, unread, works
from pull_responder.facts.paging import pages
from pull_responder.model.unread import Unread
from pull_responder.remediation.shell import aws

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.doctor.deployment import Deployment
    from pull_responder.doctor.resource import Resource
    from pull_responder.facts.reader import Reader

_ID: Final = "alarms"
_PERMISSIONS: Final = ("cloudwatch:DescribeAlarms",)
_NAMES: Final = 100
# The output of a stack whose alarms have a topic of their own (infra/stack.py).
_OWN_TOPIC: Final = "AlarmsTopicArn"


def _examine(deployment: Deployment, reader: Reader) -> list[Result]:
    alarms = deployment.of_kind("AWS::CloudWatch::Alarm")
    names = [each.physical_id for each in alarms]
    batches = [names[at : at + _NAMES] for at in range(0, len(names), _NAMES)]
    known: dict[str, Mapping[str, Any]] = {}
    for answer in reader.each(lambda batch: _read(deployment, reader, batch), batches):
        if isinstance(answer, Unread):
            meaning = "Whether Pull Responder's own failures would be told, and whether there are any, is not known"
            return [unread(_ID, "the alarms of the stack", answer, meaning)]
        known |= answer
    results = [each for each in (_one(deployment, alarm, known.get(alarm.physical_id)) for alarm in alarms) if each]
    quiet = len(alarms) - len(results)
    return (
        [
            *results,
            works(
                _ID,
                f"other alarms of the stack: {quiet}" if results else f"alarms of the stack: {quiet}",
                "they have their actions, and none is in ALARM",
            ),
        ]
        if quiet
        else results
    )


def _read(deployment: Deployment, reader: Reader, names: list[str]) -> dict[str, Mapping[str, Any]] | Unread:
    def request(client: Any) -> dict[str, Mapping[str, Any]]:  # noqa: ANN401 -- boto3's generated client
        return {each["AlarmName"]: each for each in pages(client, "describe_alarms", "MetricAlarms", AlarmNames=names)}

    return reader.call(_PERMISSIONS[0], account=deployment.account, region=deployment.region, request=request) or {}


def _one(deployment: Deployment, alarm: Resource, found: Mapping[str, Any] | None) -> Result | None:
    """Return what is wrong with an alarm, None if nothing is."""
    name, region = alarm.physical_id, deployment.region
    described = (found or {}).get("AlarmDescription") or alarm.properties.get("AlarmDescription") or name
    meaning = f'Nobody would be told of this: "{described}"'
    subject = f"alarm {name}"
    if found is None:
        return broken(_ID, subject, "it does not exist", meaning, step="Remove the stack and deploy it again")
    if not found.get("ActionsEnabled"):
        command = aws("cloudwatch", "enable-alarm-actions", alarm_names=name, region=region)
        return broken(_ID, subject, "its actions are disabled", meaning, commands=(command,))
    actions = found.get("AlarmActions") or []
    lacking = sorted(set(deployment.value(alarm.properties.get("AlarmActions")) or ()) - set(actions))
    if lacking or not actions:
        output = _OWN_TOPIC if _OWN_TOPIC in deployment.outputs else "TopicArn"
        step = f"Give the alarm the topic of the output {output} as its action again"
        reason = f"it does not notify {', '.join(lacking)}" if lacking else "it has no action"
        return broken(_ID, subject, reason, meaning, step=step)
    if found.get("StateValue") == "ALARM":
        why = f"it is in state ALARM: {found.get('StateReason', 'no reason given')}"
        step = 'docs/operations.md, "Alarms", says what it means and what to do'
        return broken(_ID, subject, why, described, step=step)
    return None


CHECK: Final = Examination(_ID, "each alarm's actions and state", _PERMISSIONS, _examine)
