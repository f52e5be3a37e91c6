"""Whether somebody is told: the subscriptions of the topics of notifications and alarms, and whether mail is confirmed.

Source: SNS API Reference, ListSubscriptionsByTopic (the ARN of a pending one is "PendingConfirmation") and Subscribe
(SNS sends the link again); Developer Guide: a pending subscription is deleted after 48 hours or three days.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pull_responder.doctor.examination import Examination
from pull_responder.doctor.result import Result, broken, off, unread, works
from pull_responder.facts.paging import pages
from pull_responder.model.unread import Unread
from pull_responder.remediation.shell import aws

if TYPE_CHECKING:
    from pull_responder.doctor.deployment import Deployment
    from pull_responder.facts.reader import Reader

_ID: Final = "subscribers"
_PERMISSIONS: Final = ("sns:ListSubscriptionsByTopic",)
_ALARM: Final = "AWS::CloudWatch::Alarm"
_MISSING: Final = frozenset({"NotFound", "NotFoundException"})
_BOTH: Final = "findings or of alarms"
_UNTOLD: Final = {_BOTH: "no finding and no alarm", "findings": "no finding", "alarms": "no alarm"}
# As the API Reference has it, and as the answer to Subscribe does.
_PENDING: Final = ("PendingConfirmation", "pending confirmation")
# Inference, from what users of the API see: for some days SNS lists so what has ended. The reference does not name it.
_ENDED: Final = "Deleted"


@dataclass(frozen=True, slots=True)
class _Subscription:
    arn: str
    protocol: str
    endpoint: str


def _examine(deployment: Deployment, reader: Reader) -> list[Result]:
    topic = deployment.outputs.get("TopicArn")
    if not topic:
        why = Unread("the stack has no output TopicArn")
        subject = "subscribers of the topic of notifications"
        return [unread(_ID, subject, why, "Whether anybody is told of findings is not known")]
    published = _alarm_topics(deployment)
    own = published and topic not in published
    results = _of_topic(deployment, reader, topic, "notifications", "findings" if own else _BOTH)
    for each in published if own else ():
        results += _of_topic(deployment, reader, each, "alarms", "alarms")
    return results


def _alarm_topics(deployment: Deployment) -> list[str]:
    """Return the topics to which the stack's alarms publish."""
    actions = [deployment.value(each.properties.get("AlarmActions")) for each in deployment.of_kind(_ALARM)]
    return sorted({topic for each in actions for topic in each or ()})


def _of_topic(deployment: Deployment, reader: Reader, topic: str, name: str, of_what: str) -> list[Result]:
    region, subject = deployment.region, f"subscribers of the topic of {name}"

    def request(client: Any) -> list[_Subscription]:  # noqa: ANN401 -- boto3's generated client
        found = pages(client, "list_subscriptions_by_topic", "Subscriptions", TopicArn=topic)
        listed = [_Subscription(each["SubscriptionArn"], each["Protocol"], each["Endpoint"]) for each in found]
        return [each for each in listed if each.arn != _ENDED]

    read = reader.call(_PERMISSIONS[0], account=deployment.account, region=region, request=request, absent=_MISSING)
    if isinstance(read, Unread):
        return [unread(_ID, subject, read, f"Whether anybody is told of {of_what} is not known")]
    if read is None:
        step = "Remove the stack and deploy it again"
        found, meaning = f"topic {topic} does not exist", f"Nobody is told of {of_what}"
        return [broken(_ID, subject, found, meaning, step=step)]
    untold = f"This subscriber is told of {_UNTOLD[of_what]}"
    results = [_one(each, topic, region, untold) for each in read]
    known = {(each.protocol, each.endpoint) for each in read}
    mails = [each for each in _deployed(deployment, topic) if ("email", each) not in known]
    results += [_lost(mail, topic, region, untold) for mail in mails]
    if results:
        return results
    meaning = f"Nobody is told of {of_what}"
    step = 'Subscribe somebody (docs/operations.md, "Subscribing")'
    if topic == deployment.outputs.get("TopicArn"):
        meaning = f"{meaning}; what Security Hub gets can be seen there alone"
        step = 'Set `alertEmail` and deploy, or subscribe somebody (docs/operations.md, "Subscribing")'
    return [off(_ID, subject, f"topic {topic} has none", meaning, step=step)]


def _deployed(deployment: Deployment, topic: str) -> list[str]:
    """Return the mail addresses that the stack subscribes to a topic."""
    known = [deployment.value(each.properties) or {} for each in deployment.of_kind("AWS::SNS::Subscription")]
    return [each["Endpoint"] for each in known if each.get("Protocol") == "email" and each.get("TopicArn") == topic]


def _one(subscription: _Subscription, topic: str, region: str, untold: str) -> Result:
    protocol, endpoint = subscription.protocol, subscription.endpoint
    subject = f"subscriber {endpoint} by {protocol}"
    if subscription.arn not in _PENDING:
        return works(_ID, subject, "confirmed")
    step = "Follow the link that SNS has sent there; this sends it again"
    command = _subscribe(topic, protocol, endpoint, region)
    return broken(_ID, subject, "it waits for its confirmation", untold, step=step, commands=(command,))


def _lost(mail: str, topic: str, region: str, untold: str) -> Result:
    found = "the subscription that the stack made is gone: it was not confirmed in time, or somebody ended it"
    step = "Let SNS send the link again, and follow it"
    command = _subscribe(topic, "email", mail, region)
    return broken(_ID, f"subscriber {mail} by email", found, untold, step=step, commands=(command,))


def _subscribe(topic: str, protocol: str, endpoint: str, region: str) -> tuple[str, ...]:
    return aws("sns", "subscribe", topic_arn=topic, protocol=protocol, notification_endpoint=endpoint, region=region)


CHECK: Final = Examination(_ID, "the topic's subscriptions", _PERMISSIONS, _examine)
