"""CloudFormation's requests to the function that sets up Security Hub, and its one answer to each."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import boto3
import pytest
from moto import mock_aws

from pull_responder.emulator import security_hub
from pull_responder.handlers import hub_setup
from pull_responder.handlers.hub_setup import ACTION, INSIGHT, AnswerError
from pull_responder.publish.hub_setup import HubSetup
from tests.integration.handlers.test_diagnose import Context

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_securityhub import SecurityHubClient

REGION: Final = "eu-west-1"
ACCOUNT: Final = "123456789012"
CONTEXT: Final[Any] = Context(
    function_name="hub_setup", invoked_function_arn=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:hub_setup"
)
PROPERTIES: Final = {
    "ServiceToken": CONTEXT.invoked_function_arn,
    "Name": "Pull Responder: open findings by cause",
    "GroupByAttribute": "GeneratorId",
    "Filters": {"GeneratorId": [{"Comparison": "PREFIX", "Value": "pull-responder/"}]},
}
LOOK: Final = {"Id": "PullResponderLook", "Name": "Look again", "Description": "Check", "Others": ["ready", "ready"]}
OFF: Final = "Security Hub is off here (InvalidAccessException)"
SECRET: Final = "X-Amz-Signature=0123456789abcdef"


class CloudFormation:
    """Where CloudFormation takes answers, and the stack's part that it remembers."""

    def __init__(self) -> None:
        self.answers: list[tuple[str, dict[str, Any]]] = []
        self.status = 200
        outer = self

        class Taker(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                assert len(body) <= 4096
                outer.answers.append((self.headers["Content-Type"], json.loads(body)))
                self.send_response(outer.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Taker)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def event(self, request: str, kind: str, known: str = "", **properties: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
        given = {**(PROPERTIES if kind == INSIGHT else LOOK), **properties}
        return {
            "RequestType": request,
            "RequestId": str(uuid4()),
            "ResponseURL": f"http://127.0.0.1:{self.server.server_port}/answer?{SECRET}",
            "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/PullResponder/1",
            "ResourceType": kind,
            "LogicalResourceId": "ByCause" if kind == INSIGHT else "LookAgain",
            "ResourceProperties": given,
            **({"PhysicalResourceId": known} if known else {}),
            **({"OldResourceProperties": PROPERTIES} if request == "Update" else {}),
        }

    def send(self, event: dict[str, Any]) -> tuple[str, str]:
        """Have the function serve a request. Return the physical id and the outcome that it answers."""
        self.answers.clear()
        hub_setup.handler(event, CONTEXT)
        ((content_type, answer),) = self.answers
        assert content_type == ""
        assert answer["Status"] == "SUCCESS"
        for name in ("StackId", "RequestId", "LogicalResourceId"):
            assert answer[name] == event[name]
        return answer["PhysicalResourceId"], answer["Data"]["Outcome"]


@pytest.fixture
def cloudformation() -> Iterator[CloudFormation]:
    taker = CloudFormation()
    yield taker
    taker.server.shutdown()
    taker.server.server_close()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[SecurityHubClient]:
    """An emulated Security Hub, which is off."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.delenv("AWS_ENDPOINT_URL_SECURITYHUB", raising=False)
    security_hub.apply()
    with mock_aws():
        yield boto3.client("securityhub", region_name=REGION)


def names(hub: SecurityHubClient) -> list[str]:
    return [each["Name"] for each in hub.get_insights()["Insights"]]


def test_an_insight_lives_and_goes_with_the_stack(cloudformation: CloudFormation, hub: SecurityHubClient) -> None:
    hub.enable_security_hub()
    created = cloudformation.event("Create", INSIGHT)
    arn, outcome = cloudformation.send(created)
    assert arn.startswith(f"arn:aws:securityhub:{REGION}:{ACCOUNT}:insight/{ACCOUNT}/custom/")
    assert outcome == "ready"
    # Lambda and CloudFormation may deliver a request twice.
    assert cloudformation.send(created) == (arn, "ready")

    update = cloudformation.event("Update", INSIGHT, arn, GroupByAttribute="ResourceId")
    assert cloudformation.send(update) == cloudformation.send(update) == (arn, "ready")
    (kept,) = hub.get_insights()["Insights"]
    assert (kept["Name"], kept["GroupByAttribute"]) == (PROPERTIES["Name"], "ResourceId")

    delete = cloudformation.event("Delete", INSIGHT, arn)
    assert cloudformation.send(delete) == cloudformation.send(delete) == (arn, "ready")
    assert names(hub) == []


def test_the_action_lives_and_goes_with_the_stack(cloudformation: CloudFormation, hub: SecurityHubClient) -> None:
    hub.enable_security_hub()
    arn = f"arn:aws:securityhub:{REGION}:{ACCOUNT}:action/custom/PullResponderLook"
    for request in ("Create", "Create", "Update"):
        assert cloudformation.send(cloudformation.event(request, ACTION)) == (arn, "ready")
    (action,) = hub.describe_action_targets()["ActionTargets"]
    assert action == {"ActionTargetArn": arn, "Name": "Look again", "Description": "Check"}
    assert cloudformation.send(cloudformation.event("Delete", ACTION, arn)) == (arn, "ready")
    assert hub.describe_action_targets()["ActionTargets"] == []


def test_a_deployment_where_security_hub_is_off_succeeds_and_a_later_one_sets_up(
    cloudformation: CloudFormation, hub: SecurityHubClient, caplog: pytest.LogCaptureFixture
) -> None:
    nothing, outcome = cloudformation.send(cloudformation.event("Create", INSIGHT))
    assert (nothing, outcome) == ("not-set-up/ByCause", OFF)
    _, outcome = cloudformation.send(cloudformation.event("Create", ACTION, Others=["ready", outcome, "no time"]))
    assert outcome == f'{OFF} | no time. What to do: docs/security-hub.md, "Set up again"'
    assert [each.levelname for each in caplog.records if each.name == "pull-responder"] == ["WARNING"] * 2

    hub.enable_security_hub()
    arn, outcome = cloudformation.send(cloudformation.event("Update", INSIGHT, nothing))
    assert outcome == "ready"
    # The id is another one now: CloudFormation deletes what the old one stood for.
    assert cloudformation.send(cloudformation.event("Delete", INSIGHT, nothing)) == (nothing, "ready")
    assert [each["InsightArn"] for each in hub.get_insights()["Insights"]] == [arn]


def test_a_deletion_succeeds_where_security_hub_was_turned_off(
    cloudformation: CloudFormation, hub: SecurityHubClient
) -> None:
    hub.enable_security_hub()
    arn, _ = cloudformation.send(cloudformation.event("Create", INSIGHT))
    hub.disable_security_hub()
    assert cloudformation.send(cloudformation.event("Delete", INSIGHT, arn)) == (arn, OFF)


def test_nobody_gets_an_insight_or_an_action_of_his_own(cloudformation: CloudFormation, hub: SecurityHubClient) -> None:
    hub.enable_security_hub()
    theirs = hub.create_insight(Name="By region", GroupByAttribute="Region", Filters={"Region": []})["InsightArn"]
    ticket = hub.create_action_target(Name="Ticket", Description="of others", Id="Ticket")["ActionTargetArn"]
    refused: tuple[dict[str, Any], ...] = ({"Name": "Mine"}, {"Filters": []}, {"Filters": "all"})
    for properties in refused:
        _, outcome = cloudformation.send(cloudformation.event("Create", INSIGHT, **properties))
        assert outcome != "ready", properties
    assert cloudformation.send(cloudformation.event("Create", ACTION, Id="Mine"))[1] != "ready"
    cloudformation.send(cloudformation.event("Delete", INSIGHT, theirs))
    cloudformation.send(cloudformation.event("Delete", ACTION, ticket))
    assert names(hub) == ["By region"]
    assert [each["ActionTargetArn"] for each in hub.describe_action_targets()["ActionTargets"]] == [ticket]


@pytest.mark.parametrize("broken", [{"ResourceProperties": None}, {"ResourceType": "Custom::Other"}])
def test_a_request_that_cannot_be_read_is_answered(
    cloudformation: CloudFormation, hub: SecurityHubClient, broken: dict[str, Any]
) -> None:
    hub.enable_security_hub()
    _, outcome = cloudformation.send(cloudformation.event("Create", INSIGHT) | broken)
    assert "ready" not in outcome
    assert names(hub) == []


def test_an_error_of_our_own_fails_no_deployment(
    cloudformation: CloudFormation, hub: SecurityHubClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.enable_security_hub()

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(HubSetup, "put_insight", broken)
    outcome = cloudformation.send(cloudformation.event("Create", INSIGHT))[1]
    assert outcome == "an error in Pull Responder itself: ZeroDivisionError"


def test_a_long_reason_fits_into_the_answer(cloudformation: CloudFormation, hub: SecurityHubClient) -> None:
    hub.enable_security_hub()
    others = ["\U0001f600" * 3000, "x\nready", 7]
    _, outcome = cloudformation.send(cloudformation.event("Create", ACTION, Others=others))
    assert outcome.endswith('What to do: docs/security-hub.md, "Set up again"')


def test_an_answer_that_does_not_arrive_is_an_error_without_its_address(
    cloudformation: CloudFormation,
    hub: SecurityHubClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    hub.enable_security_hub()
    monkeypatch.setenv("POWERTOOLS_LOGGER_LOG_EVENT", "true")
    event = cloudformation.event("Create", INSIGHT)
    cloudformation.status = 403
    with pytest.raises(AnswerError, match="could not be answered: HTTPError 403") as refused:
        hub_setup.handler(event, CONTEXT)
    gone = event | {"ResponseURL": f"http://127.0.0.1:1/answer?{SECRET}"}
    malformed = event | {"ResponseURL": f"http://127.0.0.1:1/an answer?{SECRET}"}
    for each in (gone, malformed):
        with pytest.raises(AnswerError) as lost:
            hub_setup.handler(each, CONTEXT)
        assert SECRET not in str(lost.value)
        assert lost.value.__context__ is None
    assert refused.value.__context__ is None
    assert len(cloudformation.answers) == 1
    logged = str([vars(each) for each in caplog.records])
    assert "set up" in logged
    assert SECRET not in logged
    # Lambda runs it again.
    cloudformation.status = 200
    assert cloudformation.send(event)[1] == "ready"
    assert len(names(hub)) == 1


@pytest.mark.parametrize("url", ["", "file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_who_is_not_cloudformation_gets_nothing_done(hub: SecurityHubClient, url: str) -> None:
    hub.enable_security_hub()
    event = {"RequestType": "Create", "ResourceType": INSIGHT, "ResourceProperties": PROPERTIES, "ResponseURL": url}
    with pytest.raises(AnswerError, match="no ResponseURL"):
        hub_setup.handler(event, CONTEXT)
    assert names(hub) == []
