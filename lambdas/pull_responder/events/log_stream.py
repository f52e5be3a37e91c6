"""Read the audit logs of members' clusters, which CloudWatch Logs sends through a destination and a Kinesis stream.

A record of the stream is what a function gets from a subscription, without the envelope: gzip of a JSON document
(CloudWatch Logs User Guide, "Cross-account cross-Region log data sharing using Kinesis Data Streams"). CloudWatch Logs
names the account by itself, as `owner`: the account that owns the log group.

Nothing in it says in which region the log group is, and destinations in all regions may lead to one stream. So the name
of the subscription filter says it, which the document quotes: `PullResponder-` and the region
(docs/adr/0155-the-region-of-a-members-audit-log.md). A member chooses the name, and can by it only have its own account
asked in a region of its choice.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.events import fields, names
from pull_responder.events.audit_log import AuditBatch, is_control_message, read_log_document, unpack
from pull_responder.events.outcome import UnusableEvent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.events.pod_failure import PodFailure

FILTER_NAME: Final = "PullResponder-"
"""What the name of a subscription filter begins with; the region of the log group follows."""

_FILTER: Final = re.compile(rf"{FILTER_NAME}([a-z0-9-]{{1,40}})")
_SOURCE: Final = "aws:kinesis"


class NoPlaceError(UnusableEvent):
    """A batch does not say whose cluster it is about, and where that is. It would not say so another time either."""


@dataclass(frozen=True, slots=True)
class StreamBatch:
    """A batch of audit records, and the `account` and `region` of its cluster; both "" where there are no records."""

    batch: AuditBatch
    account: str = ""
    region: str = ""

    @property
    def failures(self) -> tuple[PodFailure, ...]:
        """Each failed pull of each pod once."""
        return self.batch.failures

    def bodies(self) -> list[str]:
        """Return the bodies of our own events for the queue."""
        return [failure.body(region=self.region) for failure in self.batch.failures]


def is_of_stream(record: object) -> bool:
    """Return whether a record of an event is one of a Kinesis stream."""
    return fields.text(record, "eventSource") == _SOURCE


def read_stream_record(record: Mapping[str, object]) -> StreamBatch:
    """Read a record of the stream, as Lambda hands it to a function.

    Raises NoPlaceError if it does not say whose cluster it is about, and UnusableEvent if it cannot be read.
    """
    document = unpack(fields.text(record, "kinesis", "data"), where="kinesis.data")
    if is_control_message(document):
        return StreamBatch(AuditBatch((), 0, {}))
    account = names.account(document.get("owner"))
    if account is None:
        raise NoPlaceError("owner", "is no account's id")
    region = _region(document, account)
    batch = read_log_document(document, account=account)
    if batch.cluster is None:
        raise NoPlaceError("logGroup", f"is not the log group of a cluster, in a batch of account {account}")
    return StreamBatch(batch, account, region)


def _region(document: Mapping[str, object], account: str) -> str:
    filters = (each for each in fields.items(document, "subscriptionFilters") if isinstance(each, str))
    found = (_FILTER.fullmatch(each) for each in filters)
    regions = {region for each in found if each and (region := names.region(each[1]))}
    if len(regions) != 1:
        problem = f"do not name one region as {FILTER_NAME}REGION does, in a batch of account {account}"
        raise NoPlaceError("subscriptionFilters", problem)
    return regions.pop()
