"""Whether somebody is told: the subscriptions of the topic of notifications, and whether mail was confirmed.

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
_MISSING: Final = frozenset({"NotFound", "NotFoundException"})
_UNTOLD: Final = "This subscriber is told of no finding and no alarm"
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
    topic, region = deployment.outputs.get("TopicArn"), deployment.region
    subject = "subscribers of the topic of notifications"
    if not topic:
        why = Unread("the stack has no output TopicArn")
        return [unread(_ID, subject, why, "Whether anybody is told of findings is not known")]

    def request(client: Any) -> list[_Subscription]:  # noqa: ANN401 -- boto3's generated client
        found = pages(client, "list_subscriptions_by_topic", "Subscriptions", TopicArn=topic)
        listed = [_Subscription(each["SubscriptionArn"], each["Protocol"], each["Endpoint"]) for each in found]
        return [each for each in listed if each.arn != _ENDED]

    read = reader.call(_PERMISSIONS[0], account=deployment.account, region=region, request=request, absent=_MISSING)
    if isinstance(read, Unread):
        return [unread(_ID, subject, read, "Whether anybody is told of findings is not known")]
    if read is None:
        step = "Remove the stack and deploy it again"
        found, meaning = f"topic {topic} does not exist", "Nobody is told of any finding or alarm"
        return [broken(_ID, subject, found, meaning, step=step)]
    results = [_one(each, topic, region) for each in read]
    known = {(each.protocol, each.endpoint) for each in read}
    results += [_lost(mail, topic, region) for mail in _deployed(deployment) if ("email", mail) not in known]
    if results:
        return results
    meaning = "Nobody is told of findings or of alarms; what Security Hub gets can be seen there alone"
    step = 'Set `alertEmail` and deploy, or subscribe somebody (docs/operations.md, "Subscribing")'
    return [off(_ID, subject, f"topic {topic} has none", meaning, step=step)]


def _deployed(deployment: Deployment) -> list[str]:
    """Return the mail addresses that the stack subscribes."""
    known = [deployment.value(each.properties) or {} for each in deployment.of_kind("AWS::SNS::Subscription")]
    return [each["Endpoint"] for each in known if each.get("Protocol") == "email"]


def _one(subscription: _Subscription, topic: str, region: str) -> Result:
    protocol, endpoint = subscription.protocol, subscription.endpoint
    subject = f"subscriber {endpoint} by {protocol}"
    if subscription.arn not in _PENDING:
        return works(_ID, subject, "confirmed")
    step = "Follow the link that SNS has sent there; this sends it again"
    command = _subscribe(topic, protocol, endpoint, region)
    return broken(_ID, subject, "it waits for its confirmation", _UNTOLD, step=step, commands=(command,))


def _lost(mail: str, topic: str, region: str) -> Result:
    found = "the subscription that the stack made is gone: it was not confirmed in time, or somebody ended it"
    step = "Let SNS send the link again, and follow it"
    command = _subscribe(topic, "email", mail, region)
    return broken(_ID, f"subscriber {mail} by email", found, _UNTOLD, step=step, commands=(command,))


def _subscribe(topic: str, protocol: str, endpoint: str, region: str) -> tuple[str, ...]:
    return aws("sns", "subscribe", topic_arn=topic, protocol=protocol, notification_endpoint=endpoint, region=region)


CHECK: Final = Examination(_ID, "the topic's subscriptions", _PERMISSIONS, _examine)
