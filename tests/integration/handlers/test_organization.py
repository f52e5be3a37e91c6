"""What the functions count and log of events that lie about their account: docs/adr/0154-who-sent-an-event.md."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from pull_responder.handlers import audit_log, diagnose, recheck
from tests.integration.handlers.test_audit_log import CONTEXT, of_node, queue, received, streamed
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
from tests.integration.responder.member import Member
from tests.unit.events.audit_records import stream_record

if TYPE_CHECKING:
    from pull_responder.emulator.emulated_aws import EmulatedAws

__all__ = ["inbox", "node", "queue"]

MEMBER = "222222222222"


@pytest.fixture
def organization(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULL_RESPONDER_ORGANIZATION_ID", "o-exampleorg1")


def of(event: dict[str, Any], *, account: str, recipient: str) -> dict[str, Any]:
    return {**event, "account": account, "detail": {**event["detail"], "recipientAccountId": recipient}}


@pytest.mark.usefixtures("organization")
def test_diagnose_refuses_lies_and_reads_the_rest(
    aws: EmulatedAws,
    inbox: Inbox,
    node: tuple[str, str],
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    role, instance = node
    lie = of(denial(role, instance), account=MEMBER, recipient=ACCOUNT)
    other = of(denial(role, instance), account=ACCOUNT, recipient=MEMBER)
    assert failed(diagnose.handler(batch(lie, lie, other), Context())) == []
    counted = metrics(capsys.readouterr().out)
    assert counted["ForwardedEventsRefused"] == 3
    assert "EventsSkipped" not in counted
    (line,) = [vars(each) for each in caplog.records if each.message == "events were refused"]
    assert line["reasons"] == {
        f"an event that account {MEMBER} sent, about account {ACCOUNT}": 2,
        f"an event that account {ACCOUNT} sent, about account {MEMBER}": 1,
    }
    assert inbox.messages() == imported(aws, role) == []

    true = of(denial(role, instance), account=ACCOUNT, recipient=ACCOUNT)
    assert failed(diagnose.handler(batch(true), Context())) == []
    assert imported(aws, role)
    assert "ForwardedEventsRefused" not in metrics(capsys.readouterr().out)


def test_without_an_organization_nothing_is_refused(
    aws: EmulatedAws, inbox: Inbox, node: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    role, instance = node
    lie = of(denial(role, instance), account=MEMBER, recipient=ACCOUNT)
    assert failed(diagnose.handler(batch(lie), Context())) == []
    assert inbox.messages()
    assert imported(aws, role)
    assert "ForwardedEventsRefused" not in metrics(capsys.readouterr().out)


@pytest.mark.usefixtures("organization", "inbox")
def test_recheck_refuses_lies(capsys: pytest.CaptureFixture[str]) -> None:
    change = denial("role", "session") | {"source": "aws.iam"}
    change["detail"] = {"eventSource": "iam.amazonaws.com", "eventName": "AttachRolePolicy", "awsRegion": "us-east-1"}
    lie = of(change, account=MEMBER, recipient=ACCOUNT)
    true = of(change, account=MEMBER, recipient=MEMBER)
    assert failed(recheck.handler(batch(lie, true), Context())) == []
    assert metrics(capsys.readouterr().out)["ForwardedEventsRefused"] == 1


def test_from_a_members_audit_log_to_its_security_hub(
    aws: EmulatedAws, inbox: Inbox, queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The stream, the function that reads it, the queue, the diagnosis, and the finding where it belongs."""
    member = Member(aws)
    member.readable()
    member.importable()
    member.security_hub("us-east-1", member.region)
    member.client("ecr").create_repository(repositoryName="shop/web")
    theirs = member.node()
    for name, value in member.in_member.items():
        monkeypatch.setenv(name, value)
    image = f"{member.id}.dkr.ecr.{member.region}.amazonaws.com/shop/web:v1"
    record = of_node(theirs.role, theirs.instance, image)
    record["user"]["extra"]["arn"] = [f"arn:aws:sts::{member.id}:assumed-role/{theirs.role}/{theirs.instance}"]

    assert audit_log.handler(streamed(stream_record(record, owner=member.id)), CONTEXT) == {"batchItemFailures": []}
    (body,) = received(aws, queue)
    assert failed(diagnose.handler(batch(body), Context())) == []
    (finding,) = [
        each for each in member.findings(region="us-east-1") if each["Resources"][0]["Id"].endswith(theirs.role)
    ]
    assert finding["GeneratorId"] == "pull-responder/role_lacks_pull_permissions"
    assert finding["AwsAccountId"] == member.id
    assert f"arn:aws:eks:eu-west-1:{member.id}:cluster/prod" in {each["Id"] for each in finding["Resources"]}
    assert inbox.messages()
    assert imported(aws, theirs.role) == []
