"""Whether the table of findings answers, has its index, and deletes what has expired.

Source: DynamoDB API Reference, DescribeTable, DescribeTimeToLive and UpdateTimeToLive.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pull_responder.doctor.examination import Examination
from pull_responder.doctor.result import Result, broken, unread, works
from pull_responder.model.unread import Unread
from pull_responder.remediation.shell import aws

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.doctor.deployment import Deployment
    from pull_responder.facts.reader import Reader

_ID: Final = "table"
_PERMISSIONS: Final = ("dynamodb:DescribeTable", "dynamodb:DescribeTimeToLive")
_MISSING: Final = frozenset({"ResourceNotFoundException"})
# infra/findings_table.py.
_INDEX: Final = "due"
_EXPIRES: Final = "expires_at"
_INDEX_COMMAND: Final = (
    '[{"Create":{"IndexName":"due","KeySchema":[{"AttributeName":"queue","KeyType":"HASH"},'
    '{"AttributeName":"look_at","KeyType":"RANGE"}],"Projection":{"ProjectionType":"KEYS_ONLY"}}}]'
)
_INDEX_ATTRIBUTES: Final = (
    '[{"AttributeName":"queue","AttributeType":"S"},{"AttributeName":"look_at","AttributeType":"N"}]'
)
# infra/findings_table.py: a table of an earlier deployment is none of the stack's resources.
_KIND: Final = "AWS::DynamoDB::GlobalTable"
_NOTHING: Final = "Nothing is remembered: no failure is diagnosed, and no finding is notified or resolved"


def _examine(deployment: Deployment, reader: Reader) -> list[Result]:
    name, region = deployment.outputs.get("TableName"), deployment.region
    if not name:
        why = Unread("the stack has no output TableName")
        return [unread(_ID, "table of findings", why, "Whether findings are remembered is not known")]

    def describe(client: Any) -> tuple[str, Mapping[str, str]]:  # noqa: ANN401 -- boto3's generated client
        answer = client.describe_table(TableName=name)["Table"]
        indexes = answer.get("GlobalSecondaryIndexes", [])
        return answer["TableStatus"], {each["IndexName"]: each["IndexStatus"] for each in indexes}

    found = reader.call(_PERMISSIONS[0], account=deployment.account, region=region, request=describe, absent=_MISSING)
    subject = f"table {name}"
    if isinstance(found, Unread):
        return [unread(_ID, subject, found, "Whether findings are remembered is not known")]
    if found is None:
        step = "Remove the stack and deploy it again"
        if not deployment.of_kind(_KIND):
            step = (
                "`existingTable` is true. Let `tableName` name a table that is there, or set `existingTable` to false "
                "for a new table of this name, and deploy"
            )
        return [broken(_ID, subject, "it does not exist", _NOTHING, step=step, blinds=True)]
    status, indexes = found
    if status not in ("ACTIVE", "UPDATING"):
        step = "Look at it in DynamoDB's console"
        return [broken(_ID, subject, f"its status is {status}", _NOTHING, step=step, blinds=True)]
    return [*_index(indexes, subject, name, region), _expiry(deployment, reader, subject, name)]


def _index(indexes: Mapping[str, str], subject: str, name: str, region: str) -> list[Result]:
    subject = f"index {_INDEX} of {subject}"
    status = indexes.get(_INDEX)
    if status in ("ACTIVE", "UPDATING"):
        return [works(_ID, subject, "the table and the index are active")]
    meaning = "Open findings are not rechecked, and late notifications are not sent"
    if status is not None:
        return [unread(_ID, subject, Unread(f"its status is {status}"), f"{meaning}, until the index is active")]
    command = aws(
        "dynamodb",
        "update-table",
        table_name=name,
        attribute_definitions=_INDEX_ATTRIBUTES,
        global_secondary_index_updates=_INDEX_COMMAND,
        region=region,
    )
    return [broken(_ID, subject, "it does not exist", meaning, commands=(command,))]


def _expiry(deployment: Deployment, reader: Reader, subject: str, name: str) -> Result:
    region = deployment.region

    def request(client: Any) -> Mapping[str, Any]:  # noqa: ANN401 -- boto3's generated client
        answer: Mapping[str, Any] = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        return answer

    subject = f"time to live of {subject}"
    meaning = "Old findings and problems stay in the table for ever, and cost storage"
    found = reader.call(_PERMISSIONS[1], account=deployment.account, region=region, request=request, absent=_MISSING)
    if isinstance(found, Unread):
        return unread(_ID, subject, found, f"If it is off: {meaning[0].lower()}{meaning[1:]}")
    status, attribute = (found or {}).get("TimeToLiveStatus"), (found or {}).get("AttributeName")
    if status in ("ENABLED", "ENABLING") and attribute == _EXPIRES:
        return works(_ID, subject, f"{status}, by {attribute}")
    if status in ("ENABLING", "DISABLING"):
        why = Unread(f"its status is {status}")
        return unread(_ID, subject, why, f"If it stays off: {meaning[0].lower()}{meaning[1:]}")
    # DynamoDB takes no other attribute before this one is off, and then not for up to an hour.
    is_other = status == "ENABLED"
    step = "An hour after this command, run the doctor again: it prints the next one" if is_other else ""
    given = {"Enabled": not is_other, "AttributeName": attribute if is_other else _EXPIRES}
    specification = json.dumps(given, separators=(",", ":"))
    command = aws(
        "dynamodb", "update-time-to-live", table_name=name, time_to_live_specification=specification, region=region
    )
    on = f"{status or 'DISABLED'}" + (f", by {attribute}" if attribute else "")
    if is_other:
        meaning = f"{meaning}, and what has {attribute} is deleted by that"
    return broken(_ID, subject, on, meaning, step=step, commands=(command,))


CHECK: Final = Examination(_ID, "the table's status, index and time to live", _PERMISSIONS, _examine, can_blind=True)
