"""Every envelope of an event, input that is not an event, and one failure for each distinct pull."""

from __future__ import annotations

import json
import string
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pull_responder.events.cloudtrail import read_envelope
from pull_responder.events.eks_change import read_eks_change
from pull_responder.events.eks_event import read_addon, read_eks_event
from pull_responder.events.intake import (
    Inspection,
    Origins,
    Skipped,
    UnusableEvent,
    distinct,
    read_body,
    read_document,
    read_event,
    read_text,
)
from pull_responder.events.kubernetes_event import read_kubernetes_event
from pull_responder.events.pod_failure import read_pod_failure
from pull_responder.events.pull_through_cache_action import read_cache_action
from pull_responder.model.pull import PrincipalKind, PullFailure, Stage
from tests.unit.events.audit_records import RECORD, delivered

if TYPE_CHECKING:
    from collections.abc import Callable

EVENTS = Path(__file__).parents[2] / "events"


def text(name: str) -> str:
    return (EVENTS / f"{name}.json").read_text()


def pull(name: str) -> PullFailure:
    (result,) = read_text(text(f"ecr_denials/{name}"))
    assert isinstance(result, PullFailure)
    return result


def test_an_eventbridge_event() -> None:
    assert pull("node_role_every_field").tag == "v1.4.2"


def test_an_sqs_batch_is_read_in_order() -> None:
    results = read_text(text("sqs_batch"))
    assert results == [pull("node_role_every_field"), Skipped("BatchGetImage succeeded"), pull("token")]


def test_one_sqs_body_is_the_event_as_eventbridge_delivers_it() -> None:
    assert read_body(text("ecr_denials/token"), origins=Origins()) == pull("token")


def test_a_cloudtrail_log_file() -> None:
    skipped, cross_account, user = read_text(text("cloudtrail_log_file"))
    assert skipped == Skipped("a call to ec2.amazonaws.com, not to Amazon ECR")
    assert cross_account == pull("cross_account_in_callers_trail")
    assert user == pull("iam_user")


def test_a_bare_cloudtrail_record() -> None:
    (result,) = read_text(text("cloudtrail_record"))
    assert result == pull("node_role_as_ecr_sends_it")


def batch(*bodies: object) -> dict[str, object]:
    return {"Records": [{"eventSource": "aws:sqs", "body": body} for body in bodies]}


NOTIFICATION = {"Type": "Notification", "TopicArn": "arn:aws:sns:us-east-1:111111111111:t", "Message": "{}"}


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        (None, "the input is not an event but null"),
        ([], "the input is not an event but a list"),
        ("x", "the input is not an event but a string"),
        (7, "the input is not an event but a number"),
        (
            {},
            (
                "the input is not an event: it has neither Records (SQS, log file), detail (EventBridge), awslogs nor "
                "eventName"
            ),
        ),
        ({"detail": None}, "detail is not an object but null"),
        ({"detail": {}}, "detail.eventName is not a string but null"),
        ({"Records": []}, "Records is empty"),
        ({"Records": {}}, "Records is not a list but an object"),
        ({"Records": [7]}, "Records[0] is not an object but a number"),
        ({"Records": [{}]}, "Records[0] is neither a message of SQS, a record of Kinesis nor a CloudTrail record"),
        (
            {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put"}]},
            "Records[0] is neither a message of SQS, a record of Kinesis nor a CloudTrail record",
        ),
        (batch(None), "Records[0].body is not a string but null"),
        (batch("{}"), "Records[0].body is not an EventBridge event: it has no detail"),
        (batch("[]"), "Records[0].body is not an event but a list"),
        (batch(json.dumps(NOTIFICATION)), "Records[0].body is not an EventBridge event: it has no detail"),
        (batch('{"detail": 1}'), "Records[0].body.detail is not an object but a number"),
        (
            batch(text("ecr_denials/token"), "{'single': 'quotes'}"),
            "Records[1].body is not JSON: Expecting property name enclosed in double quotes at line 1, column 2",
        ),
    ],
)
def test_what_is_no_event_is_unusable_and_says_where(document: object, problem: str) -> None:
    with pytest.raises(UnusableEvent) as raised:
        read_event(document)
    assert str(raised.value) == problem


@pytest.mark.parametrize(
    ("malformed", "problem"),
    [
        ("", "the input is not JSON: Expecting value at line 1, column 1"),
        ('{"a": 1,\n "b" 2}', "the input is not JSON: Expecting ':' delimiter at line 2, column 6"),
        ('{"a": NaN}', "the input is not usable: NaN is not JSON"),
        ('{"a": -Infinity}', "the input is not usable: -Infinity is not JSON"),
        ("[" * 100_000, "the input is not usable: its JSON is nested too deeply"),
        ('{"a":' * 100_000, "the input is not usable: its JSON is nested too deeply"),
    ],
)
def test_malformed_json_is_unusable(malformed: str, problem: str) -> None:
    with pytest.raises(UnusableEvent) as raised:
        read_text(malformed)
    assert str(raised.value) == problem


def test_a_number_of_thousands_of_digits_is_unusable() -> None:
    with pytest.raises(UnusableEvent, match=r"^the input is not usable: Exceeds the limit"):
        read_text('{"eventName": ' + "9" * 5000 + "}")


KEYS = st.sampled_from(
    [
        "Records",
        "detail",
        "eventName",
        "eventSource",
        "errorCode",
        "errorMessage",
        "body",
        "source",
        "userIdentity",
        "arn",
    ]
)
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        ["aws:sqs", "aws.ecr", "ecr.amazonaws.com", "BatchGetImage", "AccessDenied", "{}", '{"detail": {}}']
    ),
)
DOCUMENTS = st.recursive(
    VALUES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=6)),
    max_leaves=25,
)


@given(st.one_of(DOCUMENTS.map(json.dumps), st.text(), st.text(alphabet=string.punctuation + string.digits)))
def test_any_text_is_read_or_unusable(document: str) -> None:
    results: list[PullFailure | Inspection | Skipped] = []
    problem = ""
    try:
        results = read_text(document)
    except UnusableEvent as error:
        problem = str(error)
    assert bool(results) is not bool(problem)
    assert problem.isprintable()


def at(moment: str, **changes: Any) -> PullFailure:  # noqa: ANN401 -- any field of PullFailure
    return replace(pull("node_role_every_field"), observed_at=moment, event_id=moment[14:16], **changes)


NOON, LATER, LAST = "2026-03-01T12:00:00Z", "2026-03-01T12:05:00Z", "2026-03-01T12:10:00Z"


def test_repeats_of_a_pull_are_one_and_the_latest_stands_for_all() -> None:
    first, other = at(LATER), at(NOON, repository="other")
    assert distinct([first, other, Skipped("x"), at(LAST), at(NOON)]) == [at(LAST), other]


def test_of_two_at_the_same_time_the_second_stands() -> None:
    assert distinct([at(NOON, stage=Stage.MANIFEST), at(NOON, stage=Stage.LAYER)]) == [at(NOON, stage=Stage.LAYER)]
    assert distinct([at(NOON), replace(at(NOON), observed_at=None)]) == [at(NOON)]


def test_one_that_tells_its_time_stands_before_one_that_does_not() -> None:
    timeless = [replace(at(NOON), observed_at=None, stage=stage) for stage in (Stage.MANIFEST, Stage.LAYER)]
    assert distinct([timeless[0], at(NOON)]) == [at(NOON)]
    assert distinct(timeless) == timeless[1:]


@pytest.mark.parametrize(
    "change",
    [
        {"registry_account": "222222222222"},
        {"region": "eu-west-1"},
        {"repository": "other"},
        {"tag": "v2"},
        {"digest": "sha256:" + "9f" * 32},
        {"node": "i-00000000000000000"},
        {"principal": None},
        {"principal": pull("iam_user").principal},
        {"principal": pull("cross_account_in_callers_trail").principal},
    ],
)
def test_pulls_that_differ_stay_apart(change: dict[str, object]) -> None:
    assert distinct([at(NOON), at(NOON, **change)]) == [at(NOON), at(NOON, **change)]


def test_unknown_principals_are_distinguished_by_what_aws_wrote() -> None:
    known = at(NOON).principal
    assert known is not None
    one, other = (replace(known, kind=PrincipalKind.UNKNOWN, arn=known.arn + suffix) for suffix in ("1", "2"))
    pulls = [at(NOON, principal=one), at(NOON, principal=other)]
    assert distinct(pulls) == pulls


def test_the_session_of_a_role_makes_no_difference() -> None:
    principal = at(NOON).principal
    assert principal is not None
    other = replace(principal, session_name="x", arn=principal.arn + "x", role_arn=None)
    assert distinct([at(NOON), at(LATER, principal=other)]) == [at(LATER, principal=other)]


def test_a_cross_account_pull_seen_from_both_sides_is_one() -> None:
    owner, caller = pull("cross_account_in_owners_trail"), pull("cross_account_in_callers_trail")
    assert distinct([owner, caller]) == [caller]


def test_a_dead_letter_of_audit_records_is_read_in_a_batch_of_the_queue() -> None:
    letter = {"messageId": "1", "eventSource": "aws:sqs", "body": json.dumps(delivered(RECORD, "{cut"))}
    pull, dropped = read_event({"Records": [letter]})
    assert isinstance(pull, PullFailure)
    assert pull.pod == "web-7c9d8b5f6-x2x9k"
    assert dropped == Skipped("1 in the batch: unreadable")


@pytest.mark.parametrize(
    ("body", "problem"),
    [("[]", "letter 3 is not an event but a list"), ("{", "letter 3 is not JSON"), ("{}", "letter 3 is not an Event")],
)
def test_a_message_is_named_as_its_reader_asks(body: str, problem: str) -> None:
    with pytest.raises(UnusableEvent, match=f"^{problem}"):
        read_body(body, origins=Origins(), where="letter 3")


@pytest.mark.parametrize(
    "event",
    [
        {"source": "aws.eks", "detail-type": "EKS Addon Health Degraded"},
        {"source": "aws.eks", "detail-type": "AWS API Call via CloudTrail"},
        {"source": "aws.ecr", "detail-type": "ECR Pull Through Cache Action"},
        {"source": "aws.ecr", "detail-type": "AWS API Call via CloudTrail"},
        {"source": "pull-responder.audit-log"},
    ],
)
def test_the_second_message_of_a_batch_is_named_whatever_its_event_is(event: dict[str, object]) -> None:
    with pytest.raises(UnusableEvent, match=r"^Records\[1\]\.body\.detail is not an object but a list$"):
        read_event(batch(text("ecr_denials/token"), json.dumps({**event, "detail": []})))


def test_the_second_record_of_a_log_file_is_named() -> None:
    record = json.loads(text("cloudtrail_record"))
    with pytest.raises(UnusableEvent, match=r"^Records\[1\]\.errorCode is not a string but a number$"):
        read_event({"Records": [record, {**record, "errorCode": 7}]})


@pytest.mark.parametrize(
    ("source", "detail"), [("aws.health", {"reason": "Failed", "message": "x"}), ("com.example.deploys", {"id": 1})]
)
def test_what_no_forwarder_of_kubernetes_events_sent_is_not_read_as_such(
    source: str, detail: dict[str, object]
) -> None:
    event = {"source": source, "detail": detail}
    assert read_event(event) == [Skipped(f"an event of {source}, not of Amazon ECR")]
    assert read_event({**event, "source": "cd", "detail": {"reason": "Killing"}}) == [
        Skipped("a Kubernetes event with reason Killing, which is not about a pull")
    ]


@pytest.mark.parametrize(
    "read",
    [
        read_addon,
        read_cache_action,
        read_eks_change,
        read_eks_event,
        read_envelope,
        read_kubernetes_event,
        read_pod_failure,
    ],
)
def test_an_event_by_itself_has_no_place_to_name(read: Callable[[dict[str, object]], object]) -> None:
    with pytest.raises(UnusableEvent, match=r"^detail is not an object but null$"):
        read({"detail-type": "EKS Addon Health Degraded" if read in {read_addon, read_eks_event} else ""})


KUBERNETES = {"source": "cd", "detail": {"reason": "Killing"}}


@pytest.mark.parametrize(("source", "is_read"), [("cd", True), ("*", True), ("other", False), (None, False)])
def test_events_of_kubernetes_count_only_from_the_source_that_was_set(source: str | None, *, is_read: bool) -> None:
    read = read_body(json.dumps(KUBERNETES), origins=Origins(forwarded_source=source))
    reason = "a Kubernetes event with reason Killing, which is not about a pull"
    assert read == Skipped(reason if is_read else "an event of cd, not of Amazon ECR")


def test_a_message_is_named_by_itself_where_no_place_is_given() -> None:
    with pytest.raises(UnusableEvent, match=r"^body is not an event but a list$"):
        read_body("[]", origins=Origins())
    with pytest.raises(UnusableEvent, match=r"^body is not an event but a list$"):
        read_document([], origins=Origins())


OF_POD = {"source": "pull-responder.audit-log", "detail": {"message": "no basic auth credentials"}}
READ = Skipped("a failing pod whose message names no image")


@pytest.mark.parametrize(
    ("account", "own", "expected"),
    [
        ("111111111111", "111111111111", READ),
        ("222222222222", "111111111111", Skipped("an event of account 222222222222, not of our own")),
        ("me", "111111111111", Skipped("an event of account (not named), not of our own")),
        ("222222222222", None, READ),
    ],
)
def test_an_event_of_a_pod_counts_only_from_our_own_account(account: str, own: str | None, expected: Skipped) -> None:
    assert read_body(json.dumps({**OF_POD, "account": account}), origins=Origins(own)) == expected


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (
            {"source": "aws.eks", "detail-type": "EKS Addon Health Degraded"},
            "EKS Addon Health Degraded without account",
        ),
        (
            {"source": "aws.eks", "detail-type": "AWS API Call via CloudTrail"},
            "an event without a name does not change",
        ),
        ({"source": "aws.events", "detail-type": "x"}, "an event of EventBridge that is not from a schedule"),
        (
            {"source": "aws.ecr", "detail-type": "ECR Pull Through Cache Action"},
            "a pull through cache action that ended in (no status)",
        ),
        (
            {"source": "aws.ecr", "detail-type": "ECR Image Action"},
            "an event of type ECR Image Action, not an API call",
        ),
        (
            {"source": "aws.ec2", "detail-type": "ECR Pull Through Cache Action"},
            "an event of aws.ec2, not of Amazon ECR",
        ),
    ],
)
def test_each_event_goes_to_its_own_reader(event: dict[str, object], reason: str) -> None:
    read = read_body(json.dumps({**event, "detail": {}}), origins=Origins())
    assert isinstance(read, Skipped)
    assert read.reason.startswith(reason)


@pytest.mark.parametrize(("where", "text"), [("body", "body is empty"), ("", "is empty")])
def test_what_is_unusable_says_where_if_there_is_a_place(where: str, text: str) -> None:
    assert str(UnusableEvent(where, "is empty")) == text
