"""Batches of members' audit logs, as a Kinesis stream brings them."""

from __future__ import annotations

import base64
import gzip
import json
from typing import Any

import pytest

from pull_responder.events.audit_log import SIZE_LIMIT
from pull_responder.events.intake import read_event
from pull_responder.events.log_stream import NoPlaceError, read_stream_record
from pull_responder.events.outcome import UnusableEvent
from pull_responder.model.pull import PullFailure
from tests.unit.events.audit_records import RECORD, stream_record

MEMBER = "222222222222"


def test_the_owner_and_the_filters_name_say_whose_cluster_it_is() -> None:
    read = read_stream_record(stream_record(RECORD))
    assert (read.account, read.region, read.batch.cluster) == (MEMBER, "eu-west-1", "prod")
    (body,) = map(json.loads, read.bodies())
    assert (body["source"], body["account"], body["region"]) == ("pull-responder.audit-log", MEMBER, "eu-west-1")
    assert body["detail"]["clusterName"] == "prod"


def test_a_control_message_is_nothing() -> None:
    control = stream_record(messageType="CONTROL_MESSAGE", owner="CloudwatchLogs", logGroup="", subscriptionFilters=[])
    read = read_stream_record(control)
    assert (read.bodies(), read.batch.records, read.account, read.region) == ([], 0, "", "")


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"owner": "CloudwatchLogs"}, "owner is no account's id"),
        ({"owner": 222222222222}, "owner is no account's id"),
        ({"subscriptionFilters": []}, "subscriptionFilters do not name one region"),
        ({"subscriptionFilters": ["pull-responder"]}, "subscriptionFilters do not name one region"),
        ({"subscriptionFilters": ["PullResponder-prod"]}, "subscriptionFilters do not name one region"),
        ({"subscriptionFilters": ["PullResponder-eu-west-1 "]}, "subscriptionFilters do not name one region"),
        ({"subscriptionFilters": ["PullResponder-eu-west-1", "PullResponder-us-east-1"]}, "do not name one region"),
        ({"subscriptionFilters": "PullResponder-eu-west-1"}, "subscriptionFilters do not name one region"),
        ({"logGroup": "/aws/lambda/app"}, "logGroup is not the log group of a cluster"),
    ],
)
def test_a_batch_that_does_not_say_whose_it_is_is_no_batch_of_ours(changed: dict[str, Any], says: str) -> None:
    with pytest.raises(NoPlaceError, match=says):
        read_stream_record(stream_record(RECORD, **changed))


def test_other_filters_of_the_log_group_do_not_matter() -> None:
    read = read_stream_record(stream_record(RECORD, subscriptionFilters=["other", "PullResponder-eu-west-1"]))
    assert read.region == "eu-west-1"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("", "kinesis.data is cut off"),
        ("%", "kinesis.data is not base64 of gzip"),
        (base64.b64encode(b"{}").decode(), "kinesis.data is not base64 of gzip"),
        (base64.b64encode(gzip.compress(b"[]")).decode(), "kinesis.data is not a JSON object"),
        (
            base64.b64encode(gzip.compress(b" " * (SIZE_LIMIT + 1))).decode(),
            f"kinesis.data has more than {SIZE_LIMIT} bytes",
        ),
    ],
    # Gzip has the time in it, and the processes of a test run have to agree on the names.
    ids=["empty", "no base64", "no gzip", "no object", "too long"],
)
def test_what_cannot_be_unpacked_is_unusable(data: str, says: str) -> None:
    with pytest.raises(UnusableEvent, match=says) as raised:
        read_stream_record({"eventSource": "aws:kinesis", "kinesis": {"data": data}})
    # It may be read another time, so it is not one that says nothing of its place.
    assert not isinstance(raised.value, NoPlaceError)


def test_the_terminal_reads_it_too() -> None:
    (pull,) = read_event({"Records": [stream_record(RECORD)]})
    assert isinstance(pull, PullFailure)
    assert (pull.account, pull.cluster) == (MEMBER, "prod")
