"""Whether an event is about the account that EventBridge says sent it.

In an organization, members forward their events to the hub's bus. EventBridge sets `account`, and takes no source that
begins with `aws.` from PutEvents (API Reference, PutEvents and PutEventsRequestEntry). So an event whose own words name
another account is none that AWS has made, or something between has changed it. What such an event says of the other
account is not read (docs/adr/0154-who-sent-an-event.md).

What has to be the sender's, by the kind of event:

- CloudTrail's records: `recipientAccountId`, "the account ID that received this event" (CloudTrail User Guide,
  "CloudTrail record contents"). The caller's account, `userIdentity.accountId`, may differ: CloudTrail gives a
  cross-account call to both accounts, each with its own `recipientAccountId`. So may the accounts of resources.
- ECR's and EKS's own events, schedules, Security Hub's custom actions: the account in each ARN of the sending service
  in `resources`. The findings of a custom action may belong to others: an administrator account sees those of members.
- Kubernetes events of a forwarder: an ARN as the cluster's name, if there is one. They say nothing else of an account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.events import fields, names
from pull_responder.events.cloudtrail import DETAIL_TYPES
from pull_responder.events.outcome import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# In an event of each of these sources, the ARNs in `resources` are of the service, which has sent it for their account.
_OWN_ARNS: Final = {"aws.ecr": "ecr", "aws.eks": "eks", "aws.events": "events", "aws.securityhub": "securityhub"}
# Other fields in which EKS's own events may have an ARN (events/eks_event.py).
_ARN_FIELDS: Final = ("addonArn", "addon-arn", "clusterArn", "cluster-arn")


def refusal(envelope: Mapping[str, object]) -> Refused | None:
    """Return why an event is refused: it names another account than its sender's, or no sender. None if it is not."""
    sender = names.account(envelope.get("account"))
    if sender is None:
        return Refused("an event that does not say which account sent it")
    for named in _accounts(envelope):
        if named != sender:
            # What an event names is cut to an account's form: it is shown in logs.
            of = names.account(named) or "(no account's id)"
            return Refused(f"an event that account {sender} sent, about account {of}", sender)
    return None


def _accounts(envelope: Mapping[str, object]) -> Iterator[object]:
    """Yield the accounts by which an event says whose it is."""
    source, detail = fields.text(envelope, "source"), fields.mapping(envelope, "detail")
    if fields.text(envelope, "detail-type") in DETAIL_TYPES:
        if "recipientAccountId" in detail:
            yield detail["recipientAccountId"]
        return
    if service := _OWN_ARNS.get(source):
        for value in (*fields.items(envelope, "resources"), *(detail.get(key) for key in _ARN_FIELDS)):
            arn = names.arn(value)
            if arn and arn.service == service:
                yield arn.account
    elif arn := names.arn(detail.get("clusterName")):
        yield arn.account
