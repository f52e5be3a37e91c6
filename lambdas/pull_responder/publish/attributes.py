"""The message attributes of a notification, which subscriptions filter by.

All six are always present. An unknown one has the value "unknown". Every name in a filter policy has to match an
attribute of the message (SNS Developer Guide, "Amazon SNS subscription filter policies"). If `cluster` were absent, a
subscriber who excludes one cluster would silently miss findings without a cluster.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from pull_responder.publish.text import one_line, take_fitting

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef

    from pull_responder.findings.alert import Alert
    from pull_responder.findings.finding import Finding
    from pull_responder.findings.notice import Notice

    Values = Mapping[str, Sequence[str]]

UNKNOWN: Final = "unknown"
DIGEST: Final = "digest"
IN_PART: Final = "resolved_in_part"

_VALUE: Final = 256
# Bytes of each list of a digest. The most severe findings come first, so the values left out are of the least severe.
_LIST_BYTES: Final = 16 * 1024


def alert_values(alert: Alert, *, in_part: bool = True) -> dict[str, list[str]]:
    """Return the attributes of an alert: each value that one of its findings has, the worst's first.

    `status` is the edge. The message about a resolved finding has the values that its alert had, so it reaches the same
    subscribers. What is resolved in part has the values of what is left, too, and these first; its status is
    `IN_PART`, so that nothing that waits for an end takes it for one. Without `in_part`, as in schema 1.0, it has not.
    """
    is_in_part = in_part and alert.is_in_part
    findings = [*(alert.others if is_in_part else ()), *(each.finding for each in alert.notices)]
    return _values(findings, IN_PART if is_in_part else str(alert.edge), alert.reach.clusters)


def digest_values(notices: Sequence[Notice]) -> dict[str, list[str]]:
    """Return the attributes of a digest: each value that one of its findings has, the most severe finding's first.

    What still stops the pulls of what is resolved in part counts as one of its findings.
    """
    worst = sort_by_severity(notices)
    left = (each for notice in worst if notice.is_in_part for each in notice.others)
    clusters = (name for each in worst for name in each.reach.clusters)
    return _values([*(each.finding for each in worst), *left], DIGEST, clusters)


def sort_by_severity(notices: Iterable[Notice]) -> list[Notice]:
    """Return `notices` sorted by severity, the most severe first, then by cause and finding id."""
    return sorted(notices, key=lambda each: (-each.finding.severity.rank, each.finding.cause, each.finding.id))


def message_attributes(values: Values) -> dict[str, MessageAttributeValueTypeDef]:
    """Return `values` in SNS's form: a String for one value, else a String.Array.

    A filter policy accepts an array if it accepts one element, also with "anything-but" (SNS Developer Guide, "String
    value matching"). So an alert or a digest reaches everyone whom one of its findings would have reached. It may reach
    more, because different findings may match different attributes.
    """
    return {name: _attribute(list(each)) for name, each in values.items()}


def _values(findings: Sequence[Finding], status: str, clusters: Iterable[str]) -> dict[str, list[str]]:
    """Return the values of `findings`. Their failures reach `clusters`, too, as far as these are known by name."""
    return {
        "severity": _distinct(each.severity.value for each in findings),
        "cause": _distinct(each.cause for each in findings),
        "cluster": _distinct([*(each.cluster for each in findings), *clusters]),
        "account": _distinct(each.account for each in findings),
        "region": _distinct(each.region for each in findings),
        "status": [status],
    }


def _distinct(values: Iterable[str | None]) -> list[str]:
    cleaned = dict.fromkeys(one_line(each or "", _VALUE) or UNKNOWN for each in values)
    return take_fitting(cleaned, size=_LIST_BYTES)


def _attribute(values: list[str]) -> MessageAttributeValueTypeDef:
    if len(values) == 1:
        return {"DataType": "String", "StringValue": values[0]}
    return {"DataType": "String.Array", "StringValue": json.dumps(values, ensure_ascii=False)}
