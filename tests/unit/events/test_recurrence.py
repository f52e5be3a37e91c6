"""What was read before is read the same again, and what is an event's own stays its own."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pull_responder.events.intake import Origins, UnusableEvent, read_body
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
    with pytest.raises(UnusableEvent, match="nested too deeply"):
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
