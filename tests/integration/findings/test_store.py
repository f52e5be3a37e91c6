"""The findings table on an emulated DynamoDB."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.exceptions import EndpointConnectionError

from pull_responder.emulator.findings_table import create_table
from pull_responder.findings.burst import Burst, Side
from pull_responder.findings.codec import UnusableItem
from pull_responder.findings.life import Life
from pull_responder.findings.problem import Problem
from pull_responder.findings.store import Store, StoreError
from tests.unit.findings.lives import NOON, SETTINGS, close, find, tell
from tests.unit.publish.examples import PULL

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef as Value

    from pull_responder.emulator.emulated_aws import EmulatedAws

DAY = 86_400


@pytest.fixture
def dynamodb(aws: EmulatedAws) -> DynamoDBClient:
    client: DynamoDBClient = aws.client("dynamodb")
    return client


@pytest.fixture
def table(dynamodb: DynamoDBClient) -> str:
    return create_table(dynamodb, f"findings-{uuid4().hex[:8]}")


@pytest.fixture
def waited() -> list[float]:
    return []


@pytest.fixture
def store(dynamodb: DynamoDBClient, table: str, waited: list[float]) -> Store:
    return Store(dynamodb, table, SETTINGS, wait=waited.append)


def named(name: str, **changes: Any) -> Life:  # noqa: ANN401 -- any field of a life
    """An open finding of its own, without a pending notice."""
    life = replace(tell(find(None, NOON), NOON), hub_due=False)
    return replace(life, finding=replace(life.finding, id=f"pull-responder/{name}"), **changes)


def refuse(client: DynamoDBClient, operation: str, code: str, *, times: int = 100) -> None:
    """Have DynamoDB refuse the next calls: the emulated one is never busy."""
    left = [code] * times

    def answer(**_: object) -> tuple[AWSResponse, dict[str, Any]] | None:
        if not left:
            return None
        error = {
            "Error": {"Code": left.pop(), "Message": "slow\ndown"},
            "ResponseMetadata": {"HTTPStatusCode": 400},
        }
        return AWSResponse(client.meta.endpoint_url, 400, HTTPHeaders(), None), error

    client.meta.events.register(f"before-call.dynamodb.{operation}", answer)  # type: ignore[arg-type]  # the stubs know no handler that answers


def test_a_finding_is_kept(store: Store) -> None:
    life = named("a", problems=("problem/a",))
    assert store.save(life)
    assert store.lives([life.id, "pull-responder/b"]) == {life.id: replace(life, version=1)}


def test_a_problem_is_kept_and_one_that_is_not_there_is_new(store: Store) -> None:
    problem = Problem("problem/a", count=3, last_seen=NOON, marks=b"0123456789", pull=PULL)
    assert store.save_problem(problem)
    assert store.problems(["problem/a", "problem/b", "problem/a"]) == {
        "problem/a": replace(problem, version=1),
        "problem/b": Problem("problem/b"),
    }


def test_the_second_of_two_writes_of_the_same_version_is_refused(store: Store) -> None:
    assert store.save(named("a"))
    read = store.lives(["pull-responder/a"])["pull-responder/a"]
    assert isinstance(read, Life)
    assert store.save(close(read, NOON + 60))
    assert not store.save(find(read, NOON + 61))
    (kept,) = store.lives(["pull-responder/a"]).values()
    assert isinstance(kept, Life)
    assert (kept.is_open, kept.version) == (False, 2)


def test_the_second_of_two_writes_of_a_new_item_is_refused(store: Store) -> None:
    assert store.save(named("a"))
    assert not store.save(named("a", because="another"))
    assert store.save_problem(Problem("problem/a", count=1))
    assert not store.save_problem(Problem("problem/a", count=2))
    assert store.problems(["problem/a"])["problem/a"].count == 1


def test_an_item_that_was_deleted_is_not_written(store: Store, dynamodb: DynamoDBClient, table: str) -> None:
    assert store.save(named("a"))
    read = store.lives(["pull-responder/a"])["pull-responder/a"]
    assert isinstance(read, Life)
    dynamodb.delete_item(TableName=table, Key={"id": {"S": read.id}})
    assert not store.save(read)


@pytest.mark.parametrize("version", [None, {"S": "7"}, {"NULL": True}, {"N": "0"}], ids=str)
def test_an_item_with_a_broken_version_can_be_written_once(
    store: Store, dynamodb: DynamoDBClient, table: str, version: Value | None
) -> None:
    assert store.save(named("a"))
    key = {"id": {"S": "pull-responder/a"}}
    if version:
        dynamodb.update_item(
            TableName=table,
            Key=key,
            UpdateExpression="SET version = :version",
            ExpressionAttributeValues={":version": version},
        )
    else:
        dynamodb.update_item(TableName=table, Key=key, UpdateExpression="REMOVE version")
    read = store.lives(["pull-responder/a"])["pull-responder/a"]
    assert isinstance(read, Life)
    assert read.version == 0
    assert store.save(replace(read, because="one"))
    assert not store.save(replace(read, because="another"))


def test_due_items_are_listed_longest_waiting_first(store: Store) -> None:
    for name, minutes in (("c", 30), ("a", 10), ("d", 40), ("b", 20)):
        assert store.save(named(name, look_at=NOON + minutes * 60, hub_due=False))
    over = replace(tell(close(named("over"), NOON), NOON + 300), hub_due=False)
    assert store.save(over)
    assert store.save_problem(Problem("problem/a", look_at=NOON + 60))
    assert store.save_problem(Problem("problem/done", count=1))

    assert store.due_findings(before=NOON + 1800, limit=10) == [f"pull-responder/{name}" for name in "abc"]
    assert store.due_findings(before=NOON + 1799, limit=10) == [f"pull-responder/{name}" for name in "ab"]
    assert store.due_findings(before=NOON + 1800, limit=2) == [f"pull-responder/{name}" for name in "ab"]
    assert store.open_findings(limit=10) == [f"pull-responder/{name}" for name in "abcd"]
    assert store.due_problems(before=NOON + 60, limit=10) == ["problem/a"]
    assert store.due_problems(before=NOON + 59, limit=10) == []


def test_findings_are_listed_under_keys_the_oldest_first(store: Store, dynamodb: DynamoDBClient, table: str) -> None:
    young, old, other = "pull-responder/young", "pull-responder/old", "pull-responder/other"
    store.list_under([f"1/{number}" for number in range(30)], young, since=NOON + 60, now=NOON)
    store.list_under(["1/0", "1/0/more"], old, since=NOON, now=NOON)
    store.list_under(["1/0/more"], other, since=NOON, now=NOON)
    store.list_under([], other, since=NOON, now=NOON)
    item = dynamodb.get_item(TableName=table, Key={"id": {"S": f"at/1/0/{old}"}})["Item"]
    # keepDays and a year.
    assert item["expires_at"] == {"N": str(int(NOON) + (90 + 365) * 86_400)}

    assert store.listed_under(["1/0"], limit=9) == [old, young]
    assert store.listed_under(["1/0"], limit=1) == [old]
    assert store.listed_under(["1/29"], limit=9) == [young]
    assert store.listed_under(["1/0", "1/0/more", "2/0"], limit=9) == [old, young, other]
    assert store.open_findings(limit=9) == []

    store.unlist_under(["1/0", "1/28"], young)
    assert store.listed_under(["1/0", "1/28"], limit=9) == [old]
    assert store.listed_under(["1/29"], limit=9) == [young]


def test_a_resolved_finding_is_not_listed(store: Store) -> None:
    life = named("a", look_at=NOON)
    assert store.save(life)
    over = replace(tell(close(replace(life, version=1), NOON), NOON + 300), hub_due=False)
    assert store.save(over)
    assert store.open_findings(limit=10) == []


def test_more_than_one_page_is_listed(store: Store, dynamodb: DynamoDBClient) -> None:
    ids = [f"pull-responder/{number:02}" for number in range(7)]
    for number, item_id in enumerate(ids):
        assert store.save(named(item_id.removeprefix("pull-responder/"), look_at=NOON + number))
    pages: list[object] = []

    def three_at_a_time(params: dict[str, Any], **_: object) -> None:
        params["Limit"] = 3
        pages.append(params)

    dynamodb.meta.events.register("provide-client-params.dynamodb.Query", three_at_a_time)
    assert store.due_findings(before=NOON + 60, limit=100) == ids
    assert len(pages) >= 3
    assert store.due_findings(before=NOON + 60, limit=4) == ids[:4]


def test_notices_do_not_wait_behind_rechecks(store: Store) -> None:
    assert store.save(named("looked-at", look_at=NOON))
    assert store.save(named("to-be-told", look_at=NOON, hub_due=True, hub_retry_at=NOON + 30))
    assert store.due_notices(before=NOON + 60, limit=9) == ["pull-responder/to-be-told"]
    assert store.due_findings(before=NOON + 60, limit=9) == ["pull-responder/looked-at"]
    assert store.open_findings(limit=9) == ["pull-responder/to-be-told", "pull-responder/looked-at"]


def test_more_are_read_than_go_into_a_call(store: Store) -> None:
    ids = [f"problem/{number}" for number in range(230)]
    for each in ids[::50]:
        assert store.save_problem(Problem(each, count=1))
    before = store.calls
    read = store.problems(ids)
    assert list(read) == ids
    assert [each for each in ids if read[each].version] == ids[::50]
    assert store.calls - before == 3


def test_unprocessed_keys_are_read_again_after_a_wait(
    store: Store, dynamodb: DynamoDBClient, table: str, waited: list[float]
) -> None:
    ids = [f"problem/{number}" for number in range(3)]
    for each in ids:
        assert store.save_problem(Problem(each, count=1))
    asked: list[int] = []

    def leave_the_rest(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        keys = params["RequestItems"][table]["Keys"]
        asked.append(len(keys))
        context["left"] = keys[1:]
        params["RequestItems"] = {table: {**params["RequestItems"][table], "Keys": keys[:1]}}

    def say_so(parsed: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        if context["left"]:
            parsed["UnprocessedKeys"] = {table: {"Keys": context["left"], "ConsistentRead": True}}

    dynamodb.meta.events.register("provide-client-params.dynamodb.BatchGetItem", leave_the_rest)
    dynamodb.meta.events.register("after-call.dynamodb.BatchGetItem", say_so)
    assert [each.version for each in store.problems(ids).values()] == [1, 1, 1]
    assert asked == [3, 2, 1]
    assert waited == [0.1, 0.2]


def test_keys_that_stay_unprocessed_are_an_error(
    store: Store, dynamodb: DynamoDBClient, table: str, waited: list[float]
) -> None:
    def answer_nothing(parsed: dict[str, Any], **_: object) -> None:
        parsed["Responses"] = {}
        parsed["UnprocessedKeys"] = {table: {"Keys": [{"id": {"S": "problem/a"}}]}}

    dynamodb.meta.events.register("after-call.dynamodb.BatchGetItem", answer_nothing)
    with pytest.raises(StoreError, match=r"dynamodb:BatchGetItem did not answer for 1 items in 5 tries"):
        store.problems(["problem/a"])
    assert len(waited) == 4


def test_writes_that_were_throttled_are_made_again(
    store: Store, dynamodb: DynamoDBClient, table: str, waited: list[float]
) -> None:
    def take_one(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        requests = params["RequestItems"][table]
        context["left"] = requests[1:]
        params["RequestItems"] = {table: requests[:1]}

    def say_so(parsed: dict[str, Any], context: dict[str, Any], **_: object) -> None:
        if context["left"]:
            parsed["UnprocessedItems"] = {table: context["left"]}

    dynamodb.meta.events.register("provide-client-params.dynamodb.BatchWriteItem", take_one)
    dynamodb.meta.events.register("after-call.dynamodb.BatchWriteItem", say_so)
    store.list_under(["1", "2", "3"], "pull-responder/a", since=NOON, now=NOON)
    assert store.listed_under(["1", "2", "3"], limit=9) == ["pull-responder/a"]
    assert store.listed_under(["3"], limit=9) == ["pull-responder/a"]
    assert waited == [0.1, 0.2]


def test_writes_that_stay_throttled_are_an_error(
    store: Store, dynamodb: DynamoDBClient, table: str, waited: list[float]
) -> None:
    def take_none(parsed: dict[str, Any], **_: object) -> None:
        parsed["UnprocessedItems"] = {table: [{"DeleteRequest": {"Key": {"id": {"S": "at/1/a"}}}}]}

    dynamodb.meta.events.register("after-call.dynamodb.BatchWriteItem", take_none)
    with pytest.raises(StoreError, match=r"dynamodb:BatchWriteItem did not take 1 items in 5 tries"):
        store.unlist_under(["1"], "a")
    assert len(waited) == 4


def _calls(store: Store) -> dict[str, Callable[[], object]]:
    return {
        "BatchGetItem": lambda: store.problems(["problem/a"]),
        "BatchWriteItem": lambda: store.list_under(["1"], "pull-responder/a", since=NOON, now=NOON),
        "PutItem": lambda: store.save_problem(Problem("problem/a")),
        "Query": lambda: store.due_problems(before=NOON, limit=1),
        "UpdateItem": lambda: store.set_aside(UnusableItem("pull-responder/a", "it was spoilt", None)),
    }


@pytest.mark.parametrize("operation", ["BatchGetItem", "BatchWriteItem", "PutItem", "Query", "UpdateItem"])
@pytest.mark.parametrize("code", ["ProvisionedThroughputExceededException", "AccessDeniedException"])
def test_an_error_is_one_line_with_the_words_of_aws(
    store: Store, dynamodb: DynamoDBClient, operation: str, code: str
) -> None:
    refuse(dynamodb, operation, code)
    with pytest.raises(StoreError) as refused:
        _calls(store)[operation]()
    message = str(refused.value)
    assert message.startswith(f"dynamodb:{operation} failed: ")
    assert code in message
    assert "slow down" in message
    assert len(message) <= 300


def test_a_table_that_cannot_be_reached_or_is_not_there_is_an_error(store: Store, dynamodb: DynamoDBClient) -> None:
    with pytest.raises(StoreError, match="ResourceNotFoundException"):
        Store(dynamodb, "another", SETTINGS).problems(["problem/a"])

    def unplug(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://dynamodb")

    dynamodb.meta.events.register("before-call.dynamodb", unplug)
    for call in _calls(store).values():
        with pytest.raises(StoreError, match="EndpointConnectionError"):
            call()


def spoil(dynamodb: DynamoDBClient, table: str, item_id: str) -> None:
    dynamodb.update_item(
        TableName=table,
        Key={"id": {"S": item_id}},
        UpdateExpression="SET life = :life",
        ExpressionAttributeValues={":life": {"S": "{"}},
    )


def test_an_item_that_cannot_be_read_does_not_hide_the_others_and_can_be_set_aside(
    store: Store, dynamodb: DynamoDBClient, table: str
) -> None:
    assert store.save(named("a"))
    assert store.save(named("b"))
    spoil(dynamodb, table, "pull-responder/a")
    lives = store.lives(["pull-responder/a", "pull-responder/b"])
    unusable, usable = lives["pull-responder/a"], lives["pull-responder/b"]
    assert isinstance(unusable, UnusableItem)
    assert isinstance(usable, Life)
    assert unusable.version == 1

    store.set_aside(unusable)
    assert store.open_findings(limit=10) == ["pull-responder/b"]
    kept = dynamodb.get_item(TableName=table, Key={"id": {"S": "pull-responder/a"}})["Item"]
    assert kept["life"] == {"S": "{"}
    # Written anew, it is listed again.
    assert store.save(named("a", version=1))
    assert sorted(store.open_findings(limit=10)) == ["pull-responder/a", "pull-responder/b"]


def test_an_item_that_was_written_meanwhile_is_not_set_aside(
    store: Store, dynamodb: DynamoDBClient, table: str
) -> None:
    assert store.save(named("a"))
    spoil(dynamodb, table, "pull-responder/a")
    (unusable,) = store.lives(["pull-responder/a"]).values()
    assert isinstance(unusable, UnusableItem)
    assert store.save(named("a", version=1))
    store.set_aside(unusable)
    assert store.open_findings(limit=10) == ["pull-responder/a"]


def test_setting_aside_does_not_create_a_deleted_item(store: Store, dynamodb: DynamoDBClient, table: str) -> None:
    store.set_aside(UnusableItem("pull-responder/a", "it was spoilt", None))
    assert "Item" not in dynamodb.get_item(TableName=table, Key={"id": {"S": "pull-responder/a"}})


def test_a_burst_is_read_as_it_was_written_and_written_by_one_run_only(
    store: Store, dynamodb: DynamoDBClient, table: str
) -> None:
    assert store.burst(Side.BROKEN) == Burst()
    burst = Burst(at=NOON, level=3.5, kinds=("new a", "back b"), alone=1, digests=2, digest_at=NOON - 60)
    assert store.save_burst(Side.BROKEN, burst)
    assert not store.save_burst(Side.BROKEN, burst)
    assert store.burst(Side.BROKEN) == replace(burst, version=1)
    assert store.burst(Side.OVER) == Burst()
    kept = dynamodb.get_item(TableName=table, Key={"id": {"S": "burst/broken"}})["Item"]
    assert kept["expires_at"] == {"N": str(int(NOON) + DAY)}


def test_what_a_run_has_sent_is_read_as_it_was_written(store: Store, dynamodb: DynamoDBClient, table: str) -> None:
    assert store.told("run") == b""
    store.save_told("run", b"12345678", now=NOON)
    store.save_told("run", b"12345678abcdefgh", now=NOON)
    assert store.told("run") == b"12345678abcdefgh"
    assert store.told("other") == b""
    dynamodb.put_item(TableName=table, Item={"id": {"S": "told/run"}, "marks": {"S": "by hand"}})
    assert store.told("run") == b""


def test_the_newest_problems_are_listed_too_and_their_failures_read(
    store: Store, dynamodb: DynamoDBClient, table: str
) -> None:
    for number in range(4):
        assert store.save_problem(Problem(f"problem/{number}", look_at=NOON + number, pull=PULL, marks=b"1" * 10))
    dynamodb.put_item(TableName=table, Item={"id": {"S": "problem/by-hand"}, "pull": {"S": "{}"}})
    assert store.due_problems(before=NOON + 2, limit=2, newest_first=True) == ["problem/2", "problem/1"]
    assert store.pulls(["problem/1", "problem/none", "problem/by-hand"]) == {"problem/1": PULL, "problem/by-hand": None}


def test_problems_that_could_not_be_read_wait_among_the_others_and_are_no_new_ones(store: Store) -> None:
    for number in range(6):
        assert store.save_problem(Problem(f"problem/{number}", look_at=NOON + number, unread_tries=number % 2))
    ids = [f"problem/{number}" for number in range(6)]
    assert store.due_problems(before=NOON + 4, limit=9) == ids[:5]
    assert store.due_problems(before=NOON + 4, limit=4) == ids[:4]
    assert store.due_problems(before=NOON + 4, limit=3, newest_first=True) == ids[4:1:-1]
    assert store.new_problems(before=NOON + 3, limit=9) == ["problem/0", "problem/2"]
    assert store.new_problems(before=NOON + 9, limit=2) == ["problem/0", "problem/2"]
    # A diagnosis that read all leaves it among the others.
    read = replace(store.problems(["problem/1"])["problem/1"], unread_tries=0)
    assert store.save_problem(read)
    assert store.new_problems(before=NOON + 1, limit=9) == ["problem/0", "problem/1"]


@pytest.mark.parametrize(
    ("life", "expires"),
    [
        (named("a"), None),
        (close(named("a"), NOON), None),
        (replace(tell(close(named("a"), NOON), NOON + 300), hub_due=False), {"N": str(int(NOON) + 90 * DAY)}),
    ],
    ids=["open", "over, which is still to be told", "over"],
)
def test_when_dynamodb_may_forget_a_finding(
    store: Store, dynamodb: DynamoDBClient, table: str, life: Life, expires: object
) -> None:
    assert store.save(life)
    item = dynamodb.get_item(TableName=table, Key={"id": {"S": life.id}})["Item"]
    assert item.get("expires_at") == expires


def test_dynamodb_may_forget_a_problem_long_after_it_was_seen(
    store: Store, dynamodb: DynamoDBClient, table: str
) -> None:
    assert store.save_problem(Problem("problem/a", last_seen=NOON))
    item = dynamodb.get_item(TableName=table, Key={"id": {"S": "problem/a"}})["Item"]
    assert item["expires_at"] == {"N": str(int(NOON) + 90 * DAY)}
