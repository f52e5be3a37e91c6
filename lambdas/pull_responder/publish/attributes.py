"""What subscriptions filter by: the message attributes of a notification.

All six are always there, "unknown" where nothing is known: every name in a filter policy has to match an attribute of
the message (SNS Developer Guide, "Amazon SNS subscription filter policies"), so that a subscriber who wants all
clusters but one would silently miss a finding without a cluster.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from pull_responder.publish.text import fitting, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from mypy_boto3_sns.type_defs import MessageAttributeValueTypeDef

    from pull_responder.findings.finding import Finding
    from pull_responder.findings.notice import Notice

    Values = Mapping[str, Sequence[str]]

UNKNOWN: Final = "unknown"
DIGEST: Final = "digest"

_VALUE: Final = 256
# Each of a digest's lists; worst findings first, so that what is left out is of the lightest.
_LIST_BYTES: Final = 16 * 1024


def notice_values(notice: Notice) -> dict[str, list[str]]:
    """Return what a notice is filtered by, one value each.

    Those of a resolved one are those of the alert, so that it reaches who got that; `status` is the edge.
    """
    return _values([notice.finding], str(notice.edge))


def digest_values(notices: Sequence[Notice]) -> dict[str, list[str]]:
    """Return what a digest is filtered by: each value that any of its findings has, the worst finding's first."""
    return _values([each.finding for each in worst_first(notices)], DIGEST)


def worst_first(notices: Iterable[Notice]) -> list[Notice]:
    """Return `notices` by severity, then by cause and finding, which tells equals apart the same way each time."""
    return sorted(notices, key=lambda each: (-each.finding.severity.rank, each.finding.cause, each.finding.id))


def message_attributes(values: Values) -> dict[str, MessageAttributeValueTypeDef]:
    """Return `values` as SNS takes them: a String where there is one, as for each notice; else a String.Array.

    A filter policy looks at each element of an array by itself, and one that it accepts is enough, with "anything-but"
    too (SNS Developer Guide, "String value matching"). So a digest reaches everyone whom one of its findings would
    have reached, and some more: each attribute may be matched by another finding.
    """
    return {name: _attribute(list(each)) for name, each in values.items()}


def _values(findings: Sequence[Finding], status: str) -> dict[str, list[str]]:
    return {
        "severity": _distinct(each.severity.value for each in findings),
        "cause": _distinct(each.cause for each in findings),
        "cluster": _distinct(each.cluster for each in findings),
        "account": _distinct(each.account for each in findings),
        "region": _distinct(each.region for each in findings),
        "status": [status],
    }


def _distinct(values: Iterable[str | None]) -> list[str]:
    cleaned = dict.fromkeys(one_line(each or "", _VALUE) or UNKNOWN for each in values)
    return fitting(cleaned, size=_LIST_BYTES)


def _attribute(values: list[str]) -> MessageAttributeValueTypeDef:
    if len(values) == 1:
        return {"DataType": "String", "StringValue": values[0]}
    return {"DataType": "String.Array", "StringValue": json.dumps(values, ensure_ascii=False)}
