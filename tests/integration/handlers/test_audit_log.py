"""From a batch of audit records, through the queue, to a finding."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from pull_responder.events.audit_log import SIZE_LIMIT, events_of_batch
from pull_responder.handlers import audit_log, diagnose, recheck
from pull_responder.publish import event_queue
from pull_responder.settings import SettingError
from tests.integration.handlers.test_diagnose import (
    ACCOUNT,
    Context,
    Inbox,
    batch,
    denial,
    failed,
    imported,
    inbox,
    metrics,
    node,
)
from tests.unit.events.audit_records import RECORD, container, delivered, packed, record, stream_record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pull_responder.emulator.emulated_aws import EmulatedAws

__all__ = ["inbox", "node"]

CONTEXT = Context(
    function_name="audit_log", invoked_function_arn=f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:audit_log"
)


@pytest.fixture
def queue(aws: EmulatedAws, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The environment of a deployed function, with a queue of its own."""
    url: str = aws.client("sqs").create_queue(QueueName=f"events-{uuid4().hex[:8]}")["QueueUrl"]
    for key, value in aws.environment.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setenv("QUEUE_URL", url)
    audit_log._aws.cache_clear()
    yield url
    audit_log._aws.cache_clear()


def received(aws: EmulatedAws, url: str) -> list[str]:
    client, bodies = aws.client("sqs"), []
    while messages := client.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for message in messages:
            client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            bodies.append(message["Body"])
    return bodies


def causes_of(messages: Iterable[dict[str, Any]]) -> list[str]:
    """Return the causes of all findings that `messages` tell."""
    return [finding["cause"] for each in messages for finding in json.loads(each["Message"])["findings"]]


def of_node(role: str, instance: str, image: str) -> dict[str, Any]:
    extra = {"arn": [f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{instance}"], "sessionName": [instance]}
    return record(container(image), user={**RECORD["user"], "extra": extra})


def test_a_waiting_pod_becomes_a_finding_that_names_it(
    aws: EmulatedAws, inbox: Inbox, queue: str, node: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    role, instance = node
    repository = f"audit/{uuid4().hex[:8]}"
    aws.client("ecr").create_repository(repositoryName=repository)
    image = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/{repository}:v1"

    audit_log.handler(delivered(of_node(role, instance, image), of_node(role, instance, image), "{cut"), CONTEXT)
    counted = metrics(capsys.readouterr().out)
    assert (counted["AuditRecordsRead"], counted["AuditFailuresQueued"], counted["AuditRecordsUnreadable"]) == (3, 1, 1)

    (body,) = received(aws, queue)
    assert json.loads(body)["account"] == ACCOUNT
    assert failed(diagnose.handler(batch(body), Context())) == []
    (message,) = [each for each in inbox.messages() if "role_lacks_pull_permissions" in causes_of([each])]
    assert message["MessageAttributes"]["cluster"]["Value"] == "prod"
    assert "web-7c9d8b5f6-x2x9k" in message["Message"]
    (finding,) = [each for each in imported(aws, role) if each["GeneratorId"].endswith("role_lacks_pull_permissions")]
    assert finding["Compliance"]["Status"] == "FAILED"


def test_a_dead_letter_sent_on_to_diagnose_is_a_finding_all_the_same(
    aws: EmulatedAws, inbox: Inbox, queue: str, node: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    role, instance = node
    repository = f"audit/{uuid4().hex[:8]}"
    aws.client("ecr").create_repository(repositoryName=repository)
    image = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/{repository}:v1"
    lost = delivered(of_node(role, instance, image), record(container("quay.io/app:v1")), "{cut")
    monkeypatch.setenv("QUEUE_URL", queue + "-that-was-deleted")
    with pytest.raises(ClientError, match="NonExistentQueue"):
        audit_log.handler(lost, CONTEXT)

    assert failed(diagnose.handler(batch(json.dumps(lost)), Context())) == []
    assert "role_lacks_pull_permissions" in causes_of(inbox.messages())


@pytest.mark.usefixtures("inbox")
def test_a_dead_letter_that_cannot_be_read_fails_alone(node: tuple[str, str]) -> None:
    role, instance = node
    good = denial(role, instance)
    answer = diagnose.handler(batch(json.dumps(packed(b"cut")), json.dumps(good)), Context())
    assert failed(answer) == ["message-0"]


def test_more_failures_than_one_request_takes_are_all_queued(aws: EmulatedAws, queue: str) -> None:
    registry = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"
    audit_log.handler(delivered(record(*(container(f"{registry}/a/{at}:v1") for at in range(25)))), CONTEXT)
    images = [json.loads(body)["detail"]["image"] for body in received(aws, queue)]
    assert sorted(images) == sorted(f"{registry}/a/{at}:v1" for at in range(25))


def test_a_batch_that_cannot_be_read_is_counted_and_not_tried_again(
    aws: EmulatedAws, queue: str, capsys: pytest.CaptureFixture[str]
) -> None:
    audit_log.handler(packed(b"\x1f\x8b cut"), CONTEXT)
    assert metrics(capsys.readouterr().out)["AuditBatchesUnusable"] == 1
    assert received(aws, queue) == []


def test_a_queue_that_is_gone_fails_the_invocation(queue: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUEUE_URL", queue + "-that-was-deleted")
    with pytest.raises(ClientError, match="NonExistentQueue"):
        audit_log.handler(delivered(RECORD), CONTEXT)


@pytest.mark.usefixtures("queue")
def test_without_a_queue_the_function_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QUEUE_URL")
    with pytest.raises(SettingError, match="QUEUE_URL"):
        audit_log.handler(delivered(RECORD), CONTEXT)


BOMB = json.dumps(packed(gzip.compress(b"[" + b"[]," * 1_000_000 + b"[]]")))


def test_a_batch_comes_after_the_other_messages_and_fails_alone(
    inbox: Inbox, node: tuple[str, str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[int] = []

    def unpack(body: str, **options: Any) -> list[str]:  # noqa: ANN401
        heard.append(len(inbox.messages()))
        if len(heard) == 1:
            raise MemoryError
        return events_of_batch(body, **options)

    monkeypatch.setattr(diagnose, "events_of_batch", unpack)
    assert failed(diagnose.handler(batch(BOMB, BOMB, denial(*node)), Context())) == ["message-0", "message-1"]
    assert heard == [1, 0], "the denial was notified before anything was unpacked"
    reasons = [getattr(each, "reason", None) for each in caplog.records]
    assert "awslogs.data is not usable: its JSON has more than 100000 values" in reasons


@pytest.mark.parametrize(("blanks", "expected"), [(0, []), (SIZE_LIMIT, ["message-0"])])
def test_a_batch_of_more_bytes_than_are_read_fails_alone(
    inbox: Inbox, node: tuple[str, str], caplog: pytest.LogCaptureFixture, blanks: int, expected: list[str]
) -> None:
    big = packed(gzip.compress(b'{"messageType": "CONTROL_MESSAGE"' + b" " * blanks + b"}"))
    assert len(json.dumps(big)) < 30_000, "a message of the queue holds it easily"
    assert failed(diagnose.handler(batch(json.dumps(big), denial(*node)), Context())) == expected
    assert len(inbox.messages()) == 1
    reasons = [reason for each in caplog.records if (reason := getattr(each, "reason", None))]
    assert reasons == [f"awslogs.data has more than {SIZE_LIMIT} bytes" for _ in expected]


def test_the_function_reads_no_more_bytes_of_a_batch_either(
    aws: EmulatedAws, queue: str, caplog: pytest.LogCaptureFixture
) -> None:
    audit_log.handler(packed(gzip.compress(b"{" + b" " * SIZE_LIMIT + b"}")), CONTEXT)
    assert received(aws, queue) == []
    assert f"awslogs.data has more than {SIZE_LIMIT} bytes" in [getattr(each, "reason", "") for each in caplog.records]


def test_a_batch_is_left_to_another_run_when_the_time_is_short(inbox: Inbox) -> None:
    short = Context(milliseconds_left=4_000)
    assert failed(diagnose.handler(batch(delivered(RECORD)), short)) == ["message-0"]
    assert inbox.messages() == []


def failing(aws: EmulatedAws, node: tuple[str, str]) -> dict[str, Any]:
    """A batch with one failed pull of the node."""
    repository = f"audit/{uuid4().hex[:8]}"
    aws.client("ecr").create_repository(repositoryName=repository)
    return delivered(of_node(*node, f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/{repository}:v1"))


def test_a_batch_that_cannot_be_diagnosed_in_time_is_recorded_and_uses_up_no_delivery(
    aws: EmulatedAws, inbox: Inbox, node: tuple[str, str]
) -> None:
    late = Context(milliseconds_left=12_000)
    assert failed(diagnose.handler(batch(json.dumps(failing(aws, node))), late)) == []
    assert inbox.messages() == []
    (item,) = aws.client("dynamodb").scan(TableName=inbox.table)["Items"]
    assert (item["queue"], item["count"]) == ({"S": "problem"}, {"N": "1"})

    clock = {"source": "aws.events", "detail-type": "Scheduled Event", "account": ACCOUNT, "detail": {}}
    recheck.handler(batch(json.dumps(clock)), Context(function_name="recheck"))
    assert "image_not_found" in causes_of(inbox.messages())


def test_diagnoses_leave_time_for_the_batches_behind_them(
    aws: EmulatedAws, inbox: Inbox, node: tuple[str, str]
) -> None:
    # A diagnosis takes at least 15 seconds, and 20 are the batch's.
    single, behind = json.dumps(denial(*node)), json.dumps(failing(aws, node))
    assert failed(diagnose.handler(batch(single, behind), Context(milliseconds_left=34_000))) == []
    items = aws.client("dynamodb").scan(TableName=inbox.table)["Items"]
    assert len([each for each in items if each["id"]["S"].startswith("problem/")]) == 2
    waiting = [each for each in items if each.get("queue") == {"S": "problem"}]
    assert len(waiting) == 1, "the denial waits for `recheck`, and the batch was diagnosed"
    assert "image_not_found" in causes_of(inbox.messages())


@pytest.mark.parametrize("code", ["InternalFailure", "AccessDenied"])
def test_a_queue_that_fails_for_a_moment_gets_the_events_all_the_same(
    aws: EmulatedAws, queue: str, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(audit_log, "_wait", waited.append)
    sent = event_queue.send

    def fail_twice(*arguments: Any) -> None:  # noqa: ANN401 -- passed on
        if len(waited) < 2:
            error = {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 403}}
            raise ClientError(error, "SendMessageBatch")  # type: ignore[arg-type]  # only what is read
        sent(*arguments)

    monkeypatch.setattr(event_queue, "send", fail_twice)
    audit_log.handler(delivered(RECORD), CONTEXT)
    assert len(received(aws, queue)) == 1
    assert len(waited) == 2


@pytest.mark.usefixtures("queue")
def test_near_its_end_the_function_leaves_the_batch_to_lambda(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise event_queue.QueueError("refused")

    monkeypatch.setattr(event_queue, "send", fail)
    ending = Context(CONTEXT.function_name, invoked_function_arn=CONTEXT.invoked_function_arn, milliseconds_left=30_000)
    with pytest.raises(event_queue.QueueError):
        audit_log.handler(delivered(RECORD), ending)


def streamed(*records: dict[str, Any]) -> dict[str, Any]:
    """What Lambda hands to the function from the stream of members' audit logs."""
    return {"Records": list(records)}


def number(record: dict[str, Any]) -> str:
    return str(record["kinesis"]["sequenceNumber"])


def test_a_members_audit_records_are_queued_as_the_members(
    aws: EmulatedAws, queue: str, capsys: pytest.CaptureFixture[str]
) -> None:
    other = stream_record(RECORD, owner="333333333333", subscriptionFilters=["PullResponder-us-west-2"])
    assert audit_log.handler(streamed(stream_record(RECORD), other), CONTEXT) == {"batchItemFailures": []}
    bodies = list(map(json.loads, received(aws, queue)))
    places = {(each["account"], each["region"]) for each in bodies}
    assert places == {("222222222222", "eu-west-1"), ("333333333333", "us-west-2")}
    assert {each["source"] for each in bodies} == {"pull-responder.audit-log"}
    counted = metrics(capsys.readouterr().out)
    assert (counted["AuditRecordsRead"], counted["AuditFailuresQueued"]) == (2, 2)


def test_a_record_of_a_stream_that_cannot_be_read_is_named_and_the_others_are_queued(
    aws: EmulatedAws, queue: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first, poison, last = (stream_record(RECORD, number=each) for each in (1, 2, 3))
    poison["kinesis"]["data"] = packed(b"\x1f\x8b cut")["awslogs"]["data"]
    answer = audit_log.handler(streamed(first, poison, last), CONTEXT)
    assert answer == {"batchItemFailures": [{"itemIdentifier": number(poison)}]}
    assert len(received(aws, queue)) == 2
    assert metrics(capsys.readouterr().out)["AuditBatchesUnusable"] == 1


def test_a_batch_that_does_not_say_whose_it_is_holds_up_no_other(
    aws: EmulatedAws, queue: str, capsys: pytest.CaptureFixture[str]
) -> None:
    nameless = stream_record(RECORD, subscriptionFilters=["by-hand"])
    answer = audit_log.handler(streamed(nameless, stream_record(RECORD, number=2)), CONTEXT)
    assert answer == {"batchItemFailures": []}
    assert len(received(aws, queue)) == 1
    assert metrics(capsys.readouterr().out)["AuditBatchesUnusable"] == 1


def test_what_the_queue_does_not_take_of_a_stream_is_tried_again(
    queue: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("QUEUE_URL", queue + "-that-was-deleted")
    empty = stream_record(record(container("quay.io/app:v1")), number=1)
    full = stream_record(RECORD, number=2)
    answer = audit_log.handler(streamed(empty, full), CONTEXT)
    assert answer == {"batchItemFailures": [{"itemIdentifier": number(full)}]}
    assert "AuditFailuresQueued" not in metrics(capsys.readouterr().out)


def test_a_control_message_of_a_stream_is_nothing(aws: EmulatedAws, queue: str) -> None:
    control = stream_record(messageType="CONTROL_MESSAGE", owner="CloudwatchLogs", logGroup="", subscriptionFilters=[])
    assert audit_log.handler(streamed(control), CONTEXT) == {"batchItemFailures": []}
    assert received(aws, queue) == []
