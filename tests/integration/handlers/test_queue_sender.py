"""What whoever may send to the queue of failures can do with our own source, and cannot: docs/security.md."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from pull_responder.events.audit_log import read_log_batch
from pull_responder.handlers import diagnose
from tests.integration.handlers.test_diagnose import ACCOUNT, Context, batch, failed, imported, inbox, metrics, node
from tests.unit.events.audit_records import RECORD, delivered

if TYPE_CHECKING:
    from pull_responder.emulator.emulated_aws import EmulatedAws
    from tests.integration.handlers.test_diagnose import Inbox

__all__ = ["inbox", "node"]

SCP = f"arn:aws:organizations::{ACCOUNT}:policy/o-exampleorg/service_control_policy/p-evil1234"


@pytest.fixture
def image(aws: EmulatedAws) -> str:
    name = f"sent/{uuid4().hex[:8]}"
    aws.client("ecr").create_repository(repositoryName=name)
    return f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/{name}:v1"


def sent(node: tuple[str, str], image: str, message: str, *, account: str = ACCOUNT) -> str:
    """A message as the function `audit_log` sends it, from somebody else."""
    (failure,) = read_log_batch(delivered(RECORD), account=account).failures
    session = f"arn:aws:sts::{account}:assumed-role/{node[0]}/{node[1]}"
    return replace(failure, image=image, message=message, principal_arn=session).body(region="us-east-1")


def test_a_role_of_the_senders_choice_is_diagnosed(
    aws: EmulatedAws, inbox: Inbox, node: tuple[str, str], image: str
) -> None:
    body = sent(node, image, f'Failed to pull image "{image}": status code 403 Forbidden')
    assert json.loads(body)["source"] == "pull-responder.audit-log"
    assert failed(diagnose.handler(batch(body), Context())) == []
    causes = {finding["cause"] for each in inbox.messages() for finding in findings(each)}
    assert "role_lacks_pull_permissions" in causes
    assert imported(aws, node[0])


def test_the_words_decide_no_policy(inbox: Inbox, node: tuple[str, str], image: str) -> None:
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{node[0]}/{node[1]}"
    said = (
        f"User: {session} is not authorized to perform: ecr:BatchGetImage on resource: "
        f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/app with an explicit deny in a service control policy: {SCP}"
    )
    assert (
        failed(diagnose.handler(batch(sent(node, image, f'Failed to pull image "{image}": {said}')), Context())) == []
    )
    told = inbox.messages()
    told_of = [finding for each in told for finding in findings(each)]
    assert "scp_blocks_pull" not in {each["cause"] for each in told_of}
    assert not any(SCP in command for each in told_of for command in each["remediation"]["commands"])


def findings(message: dict[str, object]) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(str(message["Message"]))["findings"]
    return listed


def test_another_account_is_skipped(
    inbox: Inbox, node: tuple[str, str], image: str, capsys: pytest.CaptureFixture[str]
) -> None:
    body = sent(node, image, f'Failed to pull image "{image}": 403 Forbidden', account="222222222222")
    assert failed(diagnose.handler(batch(body), Context())) == []
    assert inbox.messages() == []
    assert metrics(capsys.readouterr().out)["EventsSkipped"] == 1


def test_in_an_organization_a_message_may_be_of_any_account(
    inbox: Inbox,
    node: tuple[str, str],
    image: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It is read, as those of members are. Nothing can be read in an account that is none of the organization."""
    monkeypatch.setenv("PULL_RESPONDER_ORGANIZATION_ID", "o-exampleorg1")
    body = sent(node, image, f'Failed to pull image "{image}": 403 Forbidden', account="222222222222")
    assert failed(diagnose.handler(batch(body), Context())) == []
    assert inbox.messages() == []
    counted = metrics(capsys.readouterr().out)
    assert counted["PullsInconclusive"] == 1
    assert "EventsSkipped" not in counted


def test_control_characters_and_credentials_are_shown_to_nobody(
    inbox: Inbox, node: tuple[str, str], image: str
) -> None:
    said = f'Failed to pull image "{image}": 403 Forbidden \x1b[31m\u202e AKIAIOSFODNN7EXAMPLE ' + "x" * 50_000
    assert failed(diagnose.handler(batch(sent(node, image, said)), Context())) == []
    told = inbox.messages()
    assert told
    for each in told:
        assert all(hidden not in each["Message"] for hidden in ("\x1b", "\u202e", "\\u001b", "\\u202e", "IOSFODNN"))
        assert len(each["Message"]) < 20_000
