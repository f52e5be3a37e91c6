"""Whether the queues are drained, the dead-letter queues are empty, and the rules may send to both.

Source: SQS API Reference, GetQueueAttributes and StartMessageMoveTask; Developer Guide, "Available CloudWatch metrics
for Amazon SQS" (ApproximateAgeOfOldestMessage).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from pull_responder.doctor.examination import Examination
from pull_responder.doctor.queue_policy import foreign, lacking, mended, read_policy
from pull_responder.doctor.result import Result, broken, unread, works
from pull_responder.model.reason import Reason
from pull_responder.model.unread import Unread
from pull_responder.remediation.shell import aws

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.doctor.deployment import Deployment
    from pull_responder.doctor.resource import Resource
    from pull_responder.facts.reader import Reader

_ID: Final = "queues"
_PERMISSIONS: Final = ("cloudwatch:GetMetricStatistics", "sqs:GetQueueAttributes")
_MISSING: Final = frozenset({"AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"})
_NUMBERS: Final = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "VisibilityTimeout")
_PERIOD_SECONDS: Final = 300
_LOOK_BACK: Final = timedelta(minutes=15)
# As the alarm has it (infra/alarms.py): two failed attempts take two visibility timeouts.
_LONGEST_TIMEOUTS: Final = 3
_UNDELIVERED: Final = "What the rules match is not delivered, and is not seen"
_GONE: Final = "Remove the stack and deploy it again: a deployment does not bring back what was deleted beside it"


@dataclass(frozen=True, slots=True)
class _Held:
    """What a queue holds: messages that wait, messages that somebody is receiving, and its policy."""

    messages: int
    in_flight: int
    visibility_seconds: int
    policy: Mapping[str, Any]


def _examine(deployment: Deployment, reader: Reader) -> list[Result]:
    queues = deployment.of_kind("AWS::SQS::Queue")
    if deployment.template:
        return [
            unread(_ID, "the queues of the stack", deployment.template, "Which queues hold dead letters is not known")
        ]
    sources = {}
    for each in queues:
        redrive = deployment.value(each.properties.get("RedrivePolicy", {})) or {}
        if target := redrive.get("deadLetterTargetArn"):
            sources[target] = deployment.value({"Fn::GetAtt": [each.logical_id, "Arn"]})
    found = reader.each(lambda each: _one(deployment, reader, each, sources), queues)
    return [result for results in found for result in results]


def _one(deployment: Deployment, reader: Reader, queue: Resource, sources: Mapping[str, str]) -> list[Result]:
    url, region = queue.physical_id, deployment.region
    name = url.rpartition("/")[2]
    arn = deployment.value({"Fn::GetAtt": [queue.logical_id, "Arn"]})
    subject = f"dead-letter queue {name}" if arn in sources else f"queue {name}"

    def request(client: Any) -> _Held:  # noqa: ANN401 -- boto3's generated client
        found = client.get_queue_attributes(QueueUrl=url, AttributeNames=[*_NUMBERS, "Policy"])["Attributes"]
        waiting, in_flight, visibility = (int(found[name]) for name in _NUMBERS)
        return _Held(waiting, in_flight, visibility, read_policy(found.get("Policy", "")))

    read = reader.call(_PERMISSIONS[1], account=deployment.account, region=region, request=request, absent=_MISSING)
    if isinstance(read, Unread):
        waiting = unread(_ID, subject, read, "Whether events wait there, or were given up, is not known")
        if not _expected(deployment, url):
            return [waiting]
        return [waiting, unread(_ID, _policy_of(subject), read, "Whether the rules may send there is not known")]
    if read is None:
        blinds = _is_of_failures(deployment, queue)
        return [
            broken(_ID, subject, "it does not exist", "Events that are sent there are lost", step=_GONE, blinds=blinds)
        ]
    source = sources.get(arn)
    # Letters that somebody looks at in the console are in flight.
    letters = read.messages + read.in_flight
    filled = _dead(subject, arn, source, letters, region) if source else _live(deployment, reader, name, read)
    return [filled, *_policy(deployment, queue, subject, read)]


def _policy_of(subject: str) -> str:
    return f"policy of {subject}"


def _expected(deployment: Deployment, url: str) -> Any:  # noqa: ANN401 -- a template is any JSON
    """Return the policy that the stack gives the queue, None if it gives none or that is not known."""
    documents = [
        each.properties.get("PolicyDocument")
        for each in deployment.of_kind("AWS::SQS::QueuePolicy")
        if url in (deployment.value(each.properties.get("Queues", [])) or [])
    ]
    return deployment.value(documents[0]) if documents else None


def _dead(subject: str, arn: str, source: str, letters: int, region: str) -> Result:
    if not letters:
        return works(_ID, subject, "empty")
    # The destination is named because Lambda, too, puts letters there, whose source SQS does not know.
    command = aws("sqs", "start-message-move-task", source_arn=arn, destination_arn=source, region=region)
    meaning = "These events could not be handled. What they tell of was not diagnosed or rechecked by them"
    step = "Read in the functions' logs why they failed, mend that, and then move them back"
    return broken(_ID, subject, f"messages in it: about {letters}", meaning, step=step, commands=(command,))


def _live(deployment: Deployment, reader: Reader, name: str, read: _Held) -> Result:
    subject, waiting, longest = f"queue {name}", read.messages, read.visibility_seconds * _LONGEST_TIMEOUTS
    if not waiting:
        return works(_ID, subject, "no message waits")
    now = reader.aws.now()

    def request(client: Any) -> float | None:  # noqa: ANN401 -- boto3's generated client
        points = client.get_metric_statistics(
            Namespace="AWS/SQS",
            MetricName="ApproximateAgeOfOldestMessage",
            Dimensions=[{"Name": "QueueName", "Value": name}],
            StartTime=now - _LOOK_BACK,
            EndTime=now,
            Period=_PERIOD_SECONDS,
            Statistics=["Maximum"],
        ).get("Datapoints", [])
        return max(points, key=lambda each: each["Timestamp"])["Maximum"] if points else None

    age = reader.call(_PERMISSIONS[0], account=deployment.account, region=deployment.region, request=request)
    text = f"messages waiting: about {waiting}"
    meaning = "Failures or changes are not handled in time"
    if age is None:
        why = Unread(f"{text}; CloudWatch does not say for how long")
        return unread(_ID, subject, why, f"If they wait for long: {meaning[0].lower()}{meaning[1:]}")
    if isinstance(age, Unread):
        return unread(_ID, subject, age, f"Whether they wait for long is not known ({text})")
    if age <= longest:
        return works(_ID, subject, f"{text}, the oldest for {age:.0f} seconds")
    found = f"{text}, the oldest for {age:.0f} seconds, which is more than {longest}"
    step = "Look at the event source mappings and functions here, and at the functions' logs"
    return broken(_ID, subject, found, meaning, step=step)


def _policy(deployment: Deployment, queue: Resource, subject: str, read: _Held) -> list[Result]:
    """Return whether the queue's policy still has the statements that let the rules send."""
    url, region = queue.physical_id, deployment.region
    expected = _expected(deployment, url)
    if not expected:
        return []
    subject = _policy_of(subject)
    lacks = [str(each.get("Sid")) for each in lacking(read.policy, expected)]
    allows, denies = (foreign(read.policy, expected, effect) for effect in ("Allow", "Deny"))
    if not lacks and not denies:
        return [works(_ID, subject, "it lets the rules send")]
    has = f"it lacks these statements of the stack, or has others in their place: {', '.join(lacks)}"
    if not lacks or allows or denies:
        others = f"it has statements that the stack does not have: {', '.join([*allows, *denies])}"
        why = Unread(Reason(f"{has}; {others}" if lacks else others, "Look at whether the policy lets the rules send."))
        return [unread(_ID, subject, why, f"If it does not: {_UNDELIVERED[0].lower()}{_UNDELIVERED[1:]}")]
    policy = json.dumps(mended(read.policy, expected), separators=(",", ":"))
    attributes = json.dumps({"Policy": policy}, separators=(",", ":"))
    command = aws("sqs", "set-queue-attributes", queue_url=url, attributes=attributes, region=region)
    blinds = _is_of_failures(deployment, queue)
    return [broken(_ID, subject, has, _UNDELIVERED, commands=(command,), blinds=blinds)]


def _is_of_failures(deployment: Deployment, queue: Resource) -> bool:
    """Return whether failed pulls wait in this queue."""
    return queue.physical_id == deployment.outputs.get("QueueUrl")


CHECK: Final = Examination(
    _ID, "each queue's messages, their age, and its policy", _PERMISSIONS, _examine, can_blind=True
)
