"""The management events of the last 90 days, which CloudTrail keeps without a trail: records of calls.

Source: CloudTrail API Reference, LookupEvents: one attribute a request, the latest events first, 50 a page, two
requests a second for each account and region. Only the first page is read. A call is in it some minutes after it was
made.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from pull_responder.facts.reader import Reader
    from pull_responder.model.unread import Unread

PERMISSIONS: Final = ("cloudtrail:LookupEvents",)

# Where the events of IAM and of Organizations are, by partition. Source: CloudTrail User Guide, "Global service
# events". Inference for the partitions other than "aws": the region in which their IAM is.
HOME_REGIONS: Final = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}

_PAGE: Final = 50


@dataclass(frozen=True, slots=True)
class Asked:
    """What events are asked for: `attribute` is "ResourceName" or "EventName", `value` its value."""

    attribute: str
    value: str


def look_up(  # noqa: PLR0913 -- keyword-only but for the reader and the question
    reader: Reader, asked: Asked, *, account: str, region: str, since: float, until: float
) -> tuple[str, ...] | Unread:
    """Return the records of the latest events of an account and region, as JSON, the latest first.

    `since` and `until` are in seconds since 1970, both included.
    """

    def request(client: Any) -> tuple[str, ...]:  # noqa: ANN401 -- boto3's generated client
        answer = client.lookup_events(
            LookupAttributes=[{"AttributeKey": asked.attribute, "AttributeValue": asked.value}],
            StartTime=datetime.fromtimestamp(since, UTC),
            EndTime=datetime.fromtimestamp(until, UTC),
            MaxResults=_PAGE,
        )
        return tuple(str(each["CloudTrailEvent"]) for each in answer["Events"])

    read = reader.once(
        ("look up", asked, account, region, since, until),
        lambda: reader.call(PERMISSIONS[0], account=account, region=region, request=request),
    )
    return () if read is None else read
