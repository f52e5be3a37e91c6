"""The findings table in Amazon DynamoDB: what has been seen, found, told and resolved.

Every write is conditional on the version that was read, so that of two runs that change an item at the same time one
learns that it has to read again. Nothing here decides anything.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NoReturn

from botocore.exceptions import BotoCoreError, ClientError

from pull_responder.findings.codec import (
    FINDINGS_DUE,
    LOOK_AT,
    NOTICES_DUE,
    PROBLEMS_DUE,
    QUEUE,
    UnusableItem,
    life_item,
    problem_item,
    read_life,
    read_problem,
)
from pull_responder.findings.life import Life, expires_at
from pull_responder.findings.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef as Value

    from pull_responder.settings import Settings

PERMISSIONS: Final = (
    "dynamodb:BatchGetItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
)

_INDEX: Final = "due"
# DynamoDB API reference, BatchGetItem: at most 100 keys a call.
_KEYS: Final = 100
_TRIES: Final = 5
# Seconds, doubled each time: what BatchGetItem leaves unread is to be asked for again later, not at once.
_FIRST_WAIT: Final = 0.1
_DAY: Final = 86_400
_MINUTE: Final = 60
_REASON: Final = 300
_END_OF_TIME: Final = 1e12


class StoreError(Exception):
    """The table could not be read or written; the message is one line with AWS's words."""


class Store:
    """The table, as the functions use it. Every method raises StoreError when DynamoDB does not answer."""

    def __init__(
        self, client: DynamoDBClient, table: str, settings: Settings, *, wait: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self._table = table
        self._settings = settings
        self._wait = wait
        self.calls = 0

    def problems(self, ids: Iterable[str]) -> dict[str, Problem]:
        """Return the problems with `ids`; one that the table does not have is new."""
        wanted = list(dict.fromkeys(ids))
        items = self._read(wanted)
        return {each: read_problem(items[each]) if each in items else Problem(each) for each in wanted}

    def save_problem(self, problem: Problem) -> bool:
        """Write a problem, and return whether nobody else has since it was read."""
        keep = problem.last_seen + self._settings.keep_days * _DAY
        return self._write(problem_item(problem, expires_at=int(keep)), problem.version)

    def lives(self, ids: Iterable[str]) -> dict[str, Life | UnusableItem]:
        """Return the findings with `ids` that the table has."""
        lives: dict[str, Life | UnusableItem] = {}
        for item_id, item in self._read(list(dict.fromkeys(ids))).items():
            try:
                lives[item_id] = read_life(item)
            except UnusableItem as unusable:
                lives[item_id] = unusable
        return lives

    def save(self, life: Life) -> bool:
        """Write a finding, and return whether nobody else has since it was read."""
        return self._write(life_item(life, expires_at=expires_at(life, self._settings)), life.version)

    def open_findings(self, *, limit: int) -> list[str]:
        """Return the ids of findings that are open or have something to be told, those that wait longest first."""
        return self.due_notices(before=_END_OF_TIME, limit=limit) + self.due_findings(before=_END_OF_TIME, limit=limit)

    def due_notices(self, *, before: float, limit: int) -> list[str]:
        """Return the ids of findings of which somebody is to hear by `before`, those that wait longest first."""
        return self._due(NOTICES_DUE, before, limit)

    def due_findings(self, *, before: float, limit: int) -> list[str]:
        """Return the ids of findings that are only to be looked at by `before`, those that wait longest first."""
        return self._due(FINDINGS_DUE, before, limit)

    def due_problems(self, *, before: float, limit: int) -> list[str]:
        """Return the ids of problems that no run has brought to an end, those that wait longest first."""
        return self._due(PROBLEMS_DUE, before, limit)

    def set_aside(self, unusable: UnusableItem) -> None:
        """Let nobody turn to an item that cannot be read any more. It stays as it is, for people.

        If it is gone, or somebody has written it anew since, it is left alone.
        """
        condition, values = _as_read(unusable.version or 0)
        try:
            self.calls += 1
            self._client.update_item(
                TableName=self._table,
                Key={"id": {"S": unusable.item_id}},
                UpdateExpression="REMOVE #queue",
                ExpressionAttributeNames={"#queue": QUEUE},
                ConditionExpression=f"attribute_exists(id) AND ({condition})",
                ExpressionAttributeValues=values,
            )
        except ClientError as error:
            if not _is_refused(error):
                _raise("dynamodb:UpdateItem", error)
        except BotoCoreError as error:
            _raise("dynamodb:UpdateItem", error)

    def count_new(self, now: float) -> int:
        """Return how many findings have been new in this minute, with this one."""
        minute = int(now // _MINUTE)
        try:
            self.calls += 1
            answer = self._client.update_item(
                TableName=self._table,
                Key={"id": {"S": f"new-findings/{minute}"}},
                UpdateExpression="ADD #new :one SET expires_at = :expires_at",
                ExpressionAttributeNames={"#new": "new"},
                ExpressionAttributeValues={":one": {"N": "1"}, ":expires_at": {"N": str(int(now) + _DAY)}},
                ReturnValues="UPDATED_NEW",
            )
        except (ClientError, BotoCoreError) as error:
            _raise("dynamodb:UpdateItem", error)
        return int(answer["Attributes"]["new"]["N"])

    def _read(self, ids: list[str]) -> dict[str, Mapping[str, Value]]:
        items: dict[str, Mapping[str, Value]] = {}
        for at in range(0, len(ids), _KEYS):
            keys = [{"id": {"S": each}} for each in ids[at : at + _KEYS]]
            for attempt in range(_TRIES):
                if attempt:
                    self._wait(_FIRST_WAIT * 2 ** (attempt - 1))
                try:
                    self.calls += 1
                    answer = self._client.batch_get_item(
                        RequestItems={self._table: {"Keys": keys, "ConsistentRead": True}}
                    )
                except (ClientError, BotoCoreError) as error:
                    _raise("dynamodb:BatchGetItem", error)
                for item in answer["Responses"].get(self._table, []):
                    items[item["id"]["S"]] = item
                # What was throttled, or did not fit into 16 MB, is named, and no error.
                left = answer["UnprocessedKeys"].get(self._table, {"Keys": []})["Keys"]
                keys = [{"id": {"S": key["id"]["S"]}} for key in left]
                if not keys:
                    break
            else:
                raise StoreError(f"dynamodb:BatchGetItem did not answer for {len(keys)} items in {_TRIES} tries")
        return items

    def _write(self, item: dict[str, Value], read: int) -> bool:
        """Put `item` if the table still has the version that was `read`."""
        condition, values = _as_read(read)
        try:
            self.calls += 1
            self._client.put_item(
                TableName=self._table, Item=item, ConditionExpression=condition, ExpressionAttributeValues=values
            )
        except ClientError as error:
            if _is_refused(error):
                return False
            _raise("dynamodb:PutItem", error)
        except BotoCoreError as error:
            _raise("dynamodb:PutItem", error)
        return True

    def _due(self, queue: str, before: float, limit: int) -> list[str]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=_INDEX,
            KeyConditionExpression=f"#queue = :queue AND {LOOK_AT} <= :before",
            ExpressionAttributeNames={"#queue": QUEUE},
            ExpressionAttributeValues={":queue": {"S": queue}, ":before": {"N": f"{before:.3f}"}},
            PaginationConfig={"MaxItems": limit},
        )
        ids: list[str] = []
        try:
            for page in pages:
                self.calls += 1
                ids += [item["id"]["S"] for item in page["Items"]]
        except (ClientError, BotoCoreError) as error:
            _raise("dynamodb:Query", error)
        return ids


def _as_read(version: int) -> tuple[str, dict[str, Value]]:
    """Return the condition that an item still has the version that was read: 0 is no item, or one without a version."""
    if version:
        return "version = :read", {":read": {"N": str(version)}}
    # Whoever writes by hand may begin at 0.
    return "NOT attribute_type(version, :number) OR version = :zero", {":number": {"S": "N"}, ":zero": {"N": "0"}}


def _is_refused(error: ClientError) -> bool:
    return error.response["Error"]["Code"] == "ConditionalCheckFailedException"


def _raise(call: str, error: ClientError | BotoCoreError) -> NoReturn:
    words = f"{call} failed: {type(error).__name__}: {error}"
    raise StoreError(" ".join(words.split())[:_REASON]) from error
