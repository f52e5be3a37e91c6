"""What was read before is read the same again, and what is an event's own stays its own."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pull_responder.events.intake import Origins, UnusableEvent, read_body
from pull_responder.events.outcome import Skipped
from pull_responder.events.recurrence import Occurrence, Recurrence
from pull_responder.model.pull import PullFailure

if TYPE_CHECKING:
    from collections.abc import Iterator

ORIGINS = Origins("123456789012", "forwarder")
_times = st.sampled_from(["2026-03-01T12:00:00Z", "2026-03-01T12:00:01Z", "soon", "", None, 7])
_ids = st.sampled_from(["a-1", "b-2", "not an id!", None, 5])


def record(*, role: str = "node", action: str = "BatchGetImage", code: str = "AccessDenied") -> dict[str, Any]:
    arn = f"arn:aws:sts::123456789012:assumed-role/{role}/i-0123456789abcdef0"
    return {
        "version": "0",
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.ecr",
        "account": "123456789012",
        "region": "us-east-1",
        "detail": {
            "eventSource": "ecr.amazonaws.com",
            "eventName": action,
            "awsRegion": "us-east-1",
            "errorCode": code,
            "errorMessage": f"User: {arn} is not authorized to perform: ecr:{action} on resource: "
            "arn:aws:ecr:us-east-1:123456789012:repository/app because no identity-based policy allows the "
            f"ecr:{action} action",
            "userIdentity": {"type": "AssumedRole", "arn": arn, "accountId": "123456789012"},
        },
    }


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["node", "other"]),
            st.sampled_from(["BatchGetImage", "GetAuthorizationToken", "PutImage"]),
            _times,
            _times,
            _ids,
            _ids,
            st.sampled_from(["ASIA1", "ASIA2", None]),
        ),
        max_size=12,
    )
)
def test_each_event_is_read_as_if_it_were_the_only_one(events: list[tuple[Any, ...]]) -> None:
    reader = Recurrence()
    for role, action, own_time, time, own_id, event_id, key in events:
        event = record(role=role, action=action) | {"id": own_id, "time": own_time}
        event["detail"] |= {"eventID": event_id, "eventTime": time, "requestID": event_id}
        event["detail"]["userIdentity"]["accessKeyId"] = key
        body = json.dumps(event)
        alone, read = read_body(body, origins=ORIGINS), reader.read(body, origins=ORIGINS)
        assert (read.failure() if isinstance(read, Occurrence) else read) == alone


def test_what_says_the_same_is_one_object() -> None:
    reader = Recurrence()
    first, second = (
        reader.read(json.dumps(record() | {"id": each, "time": "2026-03-01T12:00:00Z"}), origins=ORIGINS)
        for each in ("a-1", "b-2")
    )
    other = reader.read(json.dumps(record(role="other")), origins=ORIGINS)
    assert isinstance(first, Occurrence)
    assert isinstance(second, Occurrence)
    assert isinstance(other, Occurrence)
    assert first.pull is second.pull
    assert (first.event_id, second.event_id) == ("a-1", "b-2")
    assert isinstance(other.pull, PullFailure)
    assert other.pull is not first.pull


@pytest.fixture
def deep_json() -> Iterator[None]:
    """As Python 3.12 and newer have it: JSON is read that is nested deeper than other readers can follow."""
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    yield
    sys.setrecursionlimit(limit)


@pytest.mark.usefixtures("deep_json")
def test_a_record_that_is_nested_without_end_is_unusable() -> None:
    body = json.dumps(record()).replace('"version": "0"', f'"version": {"[" * 4_000}{"]" * 4_000}')
    with pytest.raises(UnusableEvent, match=r"^body is not usable: its JSON is nested too deeply$"):
        Recurrence().read(body, origins=ORIGINS)


def test_what_is_kept_is_bounded_in_bytes() -> None:
    reader, sizes = Recurrence(), []
    for number in range(400):
        body = record(role=f"node-{number}") | {"resources": ["x" * 60_000]}
        reader.read(json.dumps(body), origins=ORIGINS)
        sizes.append(len(reader._read))
    assert sizes[0] == 1
    assert max(sizes) * 60_000 <= 8 * 1024 * 1024
    assert max(len(key) for key in reader._read) == 32


def test_a_record_of_a_hundred_kilobytes_is_read_but_not_kept() -> None:
    reader = Recurrence()
    event = reader.read(json.dumps(record() | {"resources": ["x" * 100_000]}), origins=ORIGINS)
    assert isinstance(event, Occurrence)
    assert not reader._read


SKIPPED = Skipped("no pull")


def test_two_thousand_records_are_kept_and_then_none() -> None:
    reader = Recurrence()
    for number in range(2_000):
        reader._keep(str(number).encode(), SKIPPED, size=1)
    assert len(reader._read) == 2_000
    reader._keep(b"next", SKIPPED, size=1)
    assert reader._read == {b"next": SKIPPED}


def test_eight_mebibytes_of_records_are_kept_and_then_none() -> None:
    reader, longest = Recurrence(), 64 * 1024
    for filled in (1, 2):  # what was dropped no longer counts
        for number in range(128):
            reader._keep(f"{filled}-{number}".encode(), SKIPPED, size=longest)
        assert len(reader._read) == 128
    reader._keep(b"next", SKIPPED, size=1)
    reader._keep(b"too long", SKIPPED, size=longest + 1)
    assert reader._read == {b"next": SKIPPED}


@pytest.mark.parametrize("field", ["id", "time", "eventID", "eventTime", "requestID", "accessKeyId"])
def test_what_differs_in_each_record_makes_no_other_failure(field: str) -> None:
    reader, pulls = Recurrence(), []
    for value in ("a-1", "b-2"):
        event = record()
        detail = event["detail"]
        holder = {"id": event, "time": event, "accessKeyId": detail["userIdentity"]}.get(field, detail)
        holder[field] = value
        read = reader.read(json.dumps(event), origins=ORIGINS)
        assert isinstance(read, Occurrence)
        pulls.append(read.pull)
    assert pulls[0] is pulls[1]


NODE_EVENT = {
    "reason": "Failed",
    "message": 'Failed to pull image "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:v1": 403 Forbidden',
    "involvedObject": {"kind": "Pod", "name": "web-1", "namespace": "shop"},
    "lastTimestamp": "2026-03-01T12:00:01Z",
}


@pytest.mark.parametrize(
    "event",
    [
        # Whatever a forwarder calls its events, they are read as such, with their own times.
        {"source": "forwarder", "detail-type": "AWS API Call via CloudTrail", "detail": NODE_EVENT},
        {"source": "forwarder", "detail-type": "event", "detail": NODE_EVENT},
        {"source": "aws.ec2", "detail-type": "AWS API Call via CloudTrail", "detail": record()["detail"]},
        {**record(), "detail": {**record()["detail"], "userIdentity": None}},
    ],
)
def test_what_is_no_record_of_ecr_keeps_its_own_time(event: dict[str, Any]) -> None:
    body = json.dumps({"id": "e-1", "account": "123456789012", "time": "2026-03-01T12:00:02Z", **event})
    read, alone = Recurrence().read(body, origins=ORIGINS), read_body(body, origins=ORIGINS)
    assert (read.failure() if isinstance(read, Occurrence) else read) == alone
    assert isinstance(read, Occurrence) is isinstance(alone, PullFailure)


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        ([], "body is not an event but a list"),
        ({**record(), "detail": []}, "body.detail is not an object but a list"),
        ({"source": "forwarder", "detail": []}, "body.detail is not an object but a list"),
        ({**record(), "detail": {}}, "body.detail.eventName is not a string but null"),
    ],
)
def test_what_is_no_event_is_unusable_as_anywhere(event: object, problem: str) -> None:
    body = json.dumps(event if isinstance(event, list) else {"account": "123456789012", **event})  # type: ignore[dict-item]
    with pytest.raises(UnusableEvent) as raised:
        Recurrence().read(body, origins=ORIGINS)
    assert str(raised.value) == problem


def test_what_is_no_json_is_unusable_as_anywhere() -> None:
    with pytest.raises(UnusableEvent, match=r"^body is not JSON: "):
        Recurrence().read("{", origins=ORIGINS)


@pytest.mark.parametrize(
    ("own", "of_event", "expected"),
    [
        ("2026-03-01T12:00:01Z", "2026-03-01T12:00:02Z", "2026-03-01T12:00:01Z"),
        (None, "2026-03-01T12:00:02Z", "2026-03-01T12:00:02Z"),
        ("soon", "2026-03-01T12:00:02Z", "2026-03-01T12:00:02Z"),
        (7, "2026-03-01T12:00:02Z", "2026-03-01T12:00:02Z"),
        ({}, "2026-03-01T12:00:02Z", "2026-03-01T12:00:02Z"),
        ([], {}, None),
    ],
)
def test_an_event_is_of_the_time_that_its_record_tells_or_else_of_its_own(
    own: object, of_event: object, expected: str | None
) -> None:
    event = record() | {"time": of_event}
    event["detail"]["eventTime"] = own
    read = Recurrence().read(json.dumps(event), origins=ORIGINS)
    assert isinstance(read, Occurrence)
    assert read.observed_at == read.failure().observed_at == expected


@pytest.mark.parametrize(("own", "expected"), [("a-1", "a-1"), (None, "e-1"), ("not an id!", "e-1"), ([], "e-1")])
def test_an_event_is_known_by_the_id_of_its_record_or_else_by_its_own(own: object, expected: str) -> None:
    event = record() | {"id": "e-1"}
    event["detail"]["eventID"] = own
    read = Recurrence().read(json.dumps(event), origins=ORIGINS)
    assert isinstance(read, Occurrence)
    assert read.event_id == read.failure().event_id == expected
