"""Read and write the findings table in Amazon DynamoDB. It holds problems and findings.

Every write is conditional on the version that was read. If two runs change an item at the same time, one write fails,
and that run has to read again. This module stores; it decides nothing.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NoReturn

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from pull_responder.findings.burst import Burst, Side, read_burst
from pull_responder.findings.codec import (
    FINDINGS_DUE,
    LOOK_AT,
    NOTICES_DUE,
    PROBLEMS_DUE,
    QUEUE,
    UNREAD_PROBLEMS_DUE,
    UnusableItem,
    life_item,
    page_item,
    problem_item,
    read_life,
    read_page,
    read_problem,
    read_version,
)
from pull_responder.findings.left_inspection import LEFT, LeftInspection, left_item, read_left
from pull_responder.findings.life import Life, expires_at
from pull_responder.findings.pages import Page
from pull_responder.findings.problem import PROBLEM, Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef as Value
    from mypy_boto3_dynamodb.type_defs import KeysAndAttributesTypeDef
    from mypy_boto3_dynamodb.type_defs import WriteRequestUnionTypeDef as WriteRequest

    from pull_responder.model.pull import PullFailure
    from pull_responder.settings import Settings

PERMISSIONS: Final = (
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:UpdateItem",
)

_INDEX: Final = "due"
# DynamoDB API reference, BatchGetItem: at most 100 keys a call. BatchWriteItem: at most 25 requests a call.
_KEYS: Final = 100
_REQUESTS: Final = 25
# The queue of the index, and the beginning of the item's id, for the open findings that a key lists.
_AT: Final = "at/"
# The same, for the problems of a finding.
_OF: Final = "of/"
_TRIES: Final = 5
# Seconds, doubled each time. BatchGetItem may leave keys unprocessed; a retry at once would be throttled again.
_FIRST_WAIT: Final = 0.1
_DAY: Final = 86_400
# What is not a finding or a problem has an id with one of these.
_BURST: Final = "burst/"
_TOLD: Final = "told/"
# A notice that a run has claimed is taken over within minutes. The topic, or the table, may be out of reach for longer.
_TOLD_DAYS: Final = 7
# An open finding is listed anew each month (responder/ledger.py). Its functions may stand still for longer.
_LISTED_DAYS: Final = 365
_REASON: Final = 300
_END_OF_TIME: Final = 1e12
# What a call raises that fails, or whose answer cannot be read.
_FAILURES: Final = (BotoCoreError, ClientError, ResponseParserError)
# What a broken answer raises when it is read: a member is missing, or has another type.
_BROKEN: Final = (AttributeError, KeyError, TypeError, ValueError)


class StoreError(Exception):
    """The table could not be read or written. The message is one line with AWS's error."""


class Store:
    """The findings table. Every method raises StoreError when a call to DynamoDB fails."""

    def __init__(
        self, client: DynamoDBClient, table: str, settings: Settings, *, wait: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self._table = table
        self._settings = settings
        self._wait = wait
        self.calls = 0

    def problems(self, ids: Iterable[str]) -> dict[str, Problem]:
        """Return the problems with `ids`. A problem that is not in the table is returned empty, at version 0."""
        wanted = list(dict.fromkeys(ids))
        items = self._read(wanted)
        return {each: read_problem(items[each]) if each in items else Problem(each) for each in wanted}

    def save_problem(self, problem: Problem) -> bool:
        """Write a problem. Return False if another run has written it since it was read."""
        if problem.is_total:
            raise AssertionError(f"{problem.id} has its pages counted in, and would be counted twice")
        keep = problem.last_seen + self._settings.keep_days * _DAY
        return self._write(problem_item(problem, expires_at=int(keep)), problem.version)

    def pages(self, ids: Iterable[str]) -> dict[str, Page]:
        """Return the pages with `ids`. A page that is not in the table is returned empty, at version 0."""
        wanted = list(dict.fromkeys(ids))
        items = self._read(wanted)
        return {each: read_page(items[each]) if each in items else Page(each) for each in wanted}

    def save_page(self, page: Page, *, now: float) -> bool:
        """Write a page. Return False if another run has written it since it was read.

        `now` is in seconds since 1970. A page outlives its problem, because it may not be written for long.
        """
        keep = now + 2 * self._settings.keep_days * _DAY
        return self._write(page_item(page, expires_at=int(keep)), page.version)

    def link_problems(self, finding_id: str, problems: Iterable[str], *, now: float) -> None:
        """List problems under a finding whose own item has no room for them. `now` is in seconds since 1970.

        A link lasts as long as the problem does if it does not fail again. If it does, the finding gets it again.
        """
        keep = now + (self._settings.keep_days + 1) * _DAY
        self._write_all(
            {
                "PutRequest": {
                    "Item": {
                        "id": {"S": f"{_OF}{finding_id}/{each}"},
                        QUEUE: {"S": f"{_OF}{finding_id}"},
                        LOOK_AT: {"N": f"{now:.0f}"},
                        "expires_at": {"N": str(int(keep))},
                    }
                }
            }
            for each in problems
        )

    def linked_problems(self, finding_id: str, *, limit: int) -> list[str]:
        """Return the ids of the problems that are listed under a finding, at most `limit`."""
        prefix = f"{_OF}{finding_id}/"
        ids = self._due(f"{_OF}{finding_id}", _END_OF_TIME, limit)
        return [each.removeprefix(prefix) for each in ids if each.startswith(f"{prefix}{PROBLEM}")]

    def lives(self, ids: Iterable[str]) -> dict[str, Life | UnusableItem]:
        """Return the findings with `ids` that are in the table; UnusableItem for each that cannot be read."""
        lives: dict[str, Life | UnusableItem] = {}
        for item_id, item in self._read(list(dict.fromkeys(ids))).items():
            try:
                lives[item_id] = read_life(item)
            except UnusableItem as unusable:
                lives[item_id] = unusable
        return lives

    def save(self, life: Life) -> bool:
        """Write a finding. Return False if another run has written it since it was read."""
        return self._write(life_item(life, expires_at=expires_at(life, self._settings)), life.version)

    def open_findings(self, *, limit: int) -> list[str]:
        """Return the ids of findings that are open or have a pending notice, each group longest waiting first."""
        return self.due_notices(before=_END_OF_TIME, limit=limit) + self.due_findings(before=_END_OF_TIME, limit=limit)

    def list_under(self, keys: Iterable[str], finding_id: str, *, since: float, now: float) -> None:
        """List an open finding under `keys`, so that changes find it. Times are in seconds since 1970.

        `since` is when it opened. The items expire if they are not written again for more than a year: then what they
        lead to is gone (docs/adr/0101-how-a-change-finds-its-findings.md).
        """
        keep = now + (self._settings.keep_days + _LISTED_DAYS) * _DAY
        self._write_all(
            {
                "PutRequest": {
                    "Item": {
                        "id": {"S": f"{_AT}{key}/{finding_id}"},
                        QUEUE: {"S": f"{_AT}{key}"},
                        LOOK_AT: {"N": f"{since:.0f}"},
                        "expires_at": {"N": str(int(keep))},
                    }
                }
            }
            for key in keys
        )

    def unlist_under(self, keys: Iterable[str], finding_id: str) -> None:
        """List a finding under `keys` no longer."""
        self._write_all({"DeleteRequest": {"Key": {"id": {"S": f"{_AT}{key}/{finding_id}"}}}} for key in keys)

    def listed_under(self, keys: Iterable[str], *, limit: int) -> list[str]:
        """Return the ids of the findings that one of `keys` lists, at most `limit` a key, the oldest first."""
        found: dict[str, None] = {}
        for key in keys:
            prefix = f"{_AT}{key}/"
            ids = self._due(f"{_AT}{key}", _END_OF_TIME, limit)
            found |= dict.fromkeys(each.removeprefix(prefix) for each in ids if each.startswith(prefix))
        return list(found)

    def due_notices(self, *, before: float, limit: int) -> list[str]:
        """Return the ids of findings with a notice or Security Hub import due by `before`, longest waiting first."""
        return self._due(NOTICES_DUE, before, limit)

    def due_findings(self, *, before: float, limit: int) -> list[str]:
        """Return the ids of findings that are due for a recheck only, by `before`, longest waiting first."""
        return self._due(FINDINGS_DUE, before, limit)

    def due_problems(self, *, before: float, limit: int, newest_first: bool = False) -> list[str]:
        """Return the ids of problems whose diagnosis no run has finished by `before`, longest waiting first.

        With `newest_first`, those that have waited for the shortest time.
        """
        queues = (PROBLEMS_DUE, UNREAD_PROBLEMS_DUE)
        found = [each for queue in queues for each in self._due_at(queue, before, limit, newest_first=newest_first)]
        return [each for _, each in sorted(found, key=lambda each: each[0], reverse=newest_first)[:limit]]

    def new_problems(self, *, before: float, limit: int) -> list[str]:
        """Return the ids of those of `due_problems` that were not diagnosed before without all that had to be read."""
        return self._due(PROBLEMS_DUE, before, limit)

    def pulls(self, ids: Iterable[str]) -> dict[str, PullFailure | None]:
        """Return the failure to diagnose of each problem that is in the table; None if it cannot be read."""
        return {each: read_problem(item).pull for each, item in self._read(list(ids), only="pull").items()}

    def save_left(self, left: LeftInspection) -> bool:
        """Write an inspection that waits. Return False if another run has written it since it was read."""
        return self._write(left_item(left), left.version)

    def is_left(self, left: LeftInspection) -> bool:
        """Return whether the inspection waits for a run: it is in the table, and was not set aside."""
        return QUEUE in self._read([left.id], only=QUEUE).get(left.id, {})

    def delete_left(self, left: LeftInspection) -> None:
        """Delete an inspection that waits no longer."""
        self._write_all([{"DeleteRequest": {"Key": {"id": {"S": left.id}}}}])

    def left_inspections(self, *, before: float, limit: int) -> list[LeftInspection | UnusableItem]:
        """Return the inspections that wait for a run and are due by `before`, longest waiting first."""
        items = self._read(self._due(LEFT, before, limit))
        every: list[LeftInspection | UnusableItem] = []
        for item in items.values():
            try:
                every.append(read_left(item))
            except UnusableItem as unusable:
                every.append(unusable)
        return every

    def set_aside(self, unusable: UnusableItem) -> None:
        """Take an item that cannot be read out of its queue. The rest of it stays, for people to look at.

        Does nothing if the item is gone or was written since it was read.
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
        except (BotoCoreError, ResponseParserError) as error:
            _raise("dynamodb:UpdateItem", error)

    def burst(self, side: Side) -> Burst:
        """Return what people were sent of late. A new burst if that is not in the table or cannot be read."""
        item = self._read([f"{_BURST}{side}"]).get(f"{_BURST}{side}", {})
        return read_burst(item.get("burst", {}).get("S", ""), version=read_version(item) or 0)

    def save_burst(self, side: Side, burst: Burst) -> bool:
        """Write what people were sent of late. Return False if another run has written it since it was read."""
        item: dict[str, Value] = {
            "id": {"S": f"{_BURST}{side}"},
            "version": {"N": str(burst.version + 1)},
            "burst": {"S": burst.dump()},
            "expires_at": {"N": str(int(burst.at) + _DAY)},
        }
        return self._write(item, burst.version)

    def told(self, run: str) -> bytes:
        """Return the marks of the notices that the run `run` has sent in digests, joined."""
        marks = self._read([f"{_TOLD}{run}"]).get(f"{_TOLD}{run}", {}).get("marks", {}).get("B", b"")
        return marks if isinstance(marks, bytes) else b""

    def save_told(self, run: str, marks: bytes, *, now: float) -> None:
        """Write the marks of all notices that the run `run` has sent in digests. `now` is in seconds since 1970."""
        item: dict[str, Value] = {
            "id": {"S": f"{_TOLD}{run}"},
            "marks": {"B": marks},
            "expires_at": {"N": str(int(now) + _TOLD_DAYS * _DAY)},
        }
        self._write(item, 0)

    def items(self, ids: Iterable[str]) -> dict[str, Mapping[str, Value]]:
        """Return the items with `ids` that are in the table, as they are: for what another module reads and writes."""
        return self._read(list(dict.fromkeys(ids)))

    def save_item(self, item: Mapping[str, Value], *, read: int) -> bool:
        """Write an item if the table still has its version `read`, 0 for none. Return whether it was written."""
        return self._write(item, read)

    def _read(self, ids: list[str], *, only: str | None = None) -> dict[str, Mapping[str, Value]]:
        """Return the items with `ids` by id, with all their attributes or with `only` one."""
        items: dict[str, Mapping[str, Value]] = {}
        wanted: KeysAndAttributesTypeDef = {"Keys": [], "ConsistentRead": True}
        if only:
            # The names may be words that DynamoDB reserves.
            wanted |= {"ProjectionExpression": "id, #only", "ExpressionAttributeNames": {"#only": only}}
        for at in range(0, len(ids), _KEYS):
            keys = [{"id": {"S": each}} for each in ids[at : at + _KEYS]]
            for attempt in range(_TRIES):
                if attempt:
                    self._wait(_FIRST_WAIT * 2 ** (attempt - 1))
                try:
                    self.calls += 1
                    answer = self._client.batch_get_item(RequestItems={self._table: {**wanted, "Keys": keys}})
                except _FAILURES as error:
                    _raise("dynamodb:BatchGetItem", error)
                try:
                    # An answer without its list says nothing: it does not say that the items are absent.
                    for item in answer["Responses"].get(self._table, []):
                        items[item["id"]["S"]] = item
                    # BatchGetItem does not raise for keys that were throttled or did not fit into 16 MB. It lists them.
                    left = answer["UnprocessedKeys"].get(self._table, {"Keys": []})["Keys"]
                    keys = [{"id": {"S": key["id"]["S"]}} for key in left]
                except _BROKEN as error:
                    _raise_broken("dynamodb:BatchGetItem", error)
                if not keys:
                    break
            else:
                raise StoreError(f"dynamodb:BatchGetItem did not answer for {len(keys)} items in {_TRIES} tries")
        return items

    def _write_all(self, requests: Iterable[WriteRequest]) -> None:
        """Put and delete items whatever they hold now."""
        every = list(requests)
        for at in range(0, len(every), _REQUESTS):
            left: list[WriteRequest] = every[at : at + _REQUESTS]
            for attempt in range(_TRIES):
                if attempt:
                    self._wait(_FIRST_WAIT * 2 ** (attempt - 1))
                try:
                    self.calls += 1
                    answer = self._client.batch_write_item(RequestItems={self._table: left})
                except _FAILURES as error:
                    _raise("dynamodb:BatchWriteItem", error)
                try:
                    # BatchWriteItem does not raise for requests that were throttled. It lists them.
                    left = list(answer["UnprocessedItems"].get(self._table, []))
                except _BROKEN as error:
                    _raise_broken("dynamodb:BatchWriteItem", error)
                if not left:
                    break
            else:
                raise StoreError(f"dynamodb:BatchWriteItem did not take {len(left)} items in {_TRIES} tries")

    def _write(self, item: Mapping[str, Value], read: int) -> bool:
        """Put `item` if the table still has version `read`. Return whether it was written."""
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
        except (BotoCoreError, ResponseParserError) as error:
            _raise("dynamodb:PutItem", error)
        return True

    def _due(self, queue: str, before: float, limit: int) -> list[str]:
        return [each for _, each in self._due_at(queue, before, limit)]

    def _due_at(self, queue: str, before: float, limit: int, *, newest_first: bool = False) -> list[tuple[float, str]]:
        """Return since when the items of a queue are due, and their ids."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            IndexName=_INDEX,
            KeyConditionExpression=f"#queue = :queue AND {LOOK_AT} <= :before",
            ExpressionAttributeNames={"#queue": QUEUE},
            ExpressionAttributeValues={":queue": {"S": queue}, ":before": {"N": f"{before:.3f}"}},
            ScanIndexForward=not newest_first,
            PaginationConfig={"MaxItems": limit},
        )
        due: list[tuple[float, str]] = []
        try:
            for page in pages:
                self.calls += 1
                due += [(float(item[LOOK_AT]["N"]), item["id"]["S"]) for item in page["Items"]]
        except _FAILURES as error:
            _raise("dynamodb:Query", error)
        except _BROKEN as error:
            _raise_broken("dynamodb:Query", error)
        return due


def _as_read(version: int) -> tuple[str, dict[str, Value]]:
    """Return the condition that an item still has `version`. 0 stands for no item, or an item without a version."""
    if version:
        return "version = :read", {":read": {"N": str(version)}}
    # A person who writes an item by hand may start at version 0.
    return "NOT attribute_type(version, :number) OR version = :zero", {":number": {"S": "N"}, ":zero": {"N": "0"}}


def _is_refused(error: ClientError) -> bool:
    return error.response["Error"]["Code"] == "ConditionalCheckFailedException"


def _raise(call: str, error: Exception) -> NoReturn:
    words = f"{call} failed: {type(error).__name__}: {error}"
    raise StoreError(" ".join(words.split())[:_REASON]) from error


def _raise_broken(call: str, error: Exception) -> NoReturn:
    raise StoreError(f"{call} gave an answer that cannot be read: {type(error).__name__}: {error}"[:_REASON]) from error
