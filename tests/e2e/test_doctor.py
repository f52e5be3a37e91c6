"""The doctor and a test event on the deployed stack: all that CDK deploys is known, and works together."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from infra.dependency_layer import read_sdk_version
from pull_responder.cli.main import main
from pull_responder.emulator.emulated_aws import ACCOUNT
from tests.e2e.conftest import AUDITED_CLUSTER, PATIENCE_SECONDS, STACK, Deployed
from tests.integration.doctor.conftest import Doctor

if TYPE_CHECKING:
    from collections.abc import Callable

    Look = Callable[[], dict[str, dict[str, Any]]]

RULE = f"rule {STACK}-Rules-EcrImageDenied"
# What the emulator does not make of the template, or no test has made: both are mended by what the doctor prints.
TRAIL = "a trail that logs read-only management events of ECR in us-east-1"
INSIGHTS = "insights and the action of Security Hub"
# Other tests fill queues and make clusters, and the emulator mails nobody.
OF_OTHER_TESTS = ("queue ", "dead-letter queue ", "audit logging of", "other clusters", "subscribers of", "subscriber ")


@pytest.fixture
def doctor(deployed: Deployed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Doctor:
    return Doctor(deployed.aws, monkeypatch, capsys)


@pytest.fixture
def look(doctor: Doctor) -> Look:
    """Look at the stack, and return what the doctor says by subject."""
    return lambda: {each["subject"]: each for each in doctor("-o", "json").results}


def test_each_part_of_the_stack_is_known_and_mended(deployed: Deployed, doctor: Doctor, look: Look) -> None:
    first = look()
    expiry = f"time to live of table {deployed.outputs['TableName']}"
    assert (first[TRAIL]["state"], first[expiry]["state"]) == ("broken", "broken")
    deployed.aws.client("events").disable_rule(Name=RULE.removeprefix("rule "))
    found = look()[RULE]
    assert (found["state"], found["meaning"]) == ("broken", 'This will not be seen: "An image was refused"')

    doctor.run([*first[TRAIL]["commands"], *first[expiry]["commands"], *found["commands"]])

    last = look()
    left = {subject for subject, each in last.items() if each["state"] != "works"}
    # Security Hub was switched on only after the deployment.
    assert {subject for subject in left if not subject.startswith(OF_OTHER_TESTS)} == {INSIGHTS}
    template = deployed.aws.client("cloudformation").list_stack_resources(StackName=STACK)["StackResourceSummaries"]
    rules = [each["PhysicalResourceId"] for each in template if each["ResourceType"] == "AWS::Events::Rule"]
    assert {f"rule {name}" for name in rules} < set(last)
    assert f"subscription of log group /aws/eks/{AUDITED_CLUSTER}/cluster" in last
    assert f"boto3 {read_sdk_version()}; here" in last["the AWS SDK of the functions"]["found"]
    state = deployed.aws.client("events").describe_rule(Name=RULE.removeprefix("rule "))["State"]
    assert state == "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"


def _examine(deployed: Deployed) -> dict[str, Any]:
    """Wake the function `examine`, as its rule does every hour."""
    answer = deployed.aws.client("lambda").invoke(FunctionName=deployed.outputs["ExamineFunctionName"], Payload="{}")
    said: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, (said, deployed.log())
    return said


def _canary(deployed: Deployed) -> dict[str, Any]:
    (item,) = [
        each
        for each in deployed.aws.client("dynamodb").scan(TableName=deployed.outputs["TableName"])["Items"]
        if each["id"]["S"] == "health/canary/us-east-1"
    ]
    state: dict[str, Any] = json.loads(item["state"]["S"])
    return state


def test_the_deployment_examines_itself_tells_and_sees_its_canary(deployed: Deployed, doctor: Doctor) -> None:
    rule = RULE.removeprefix("rule ")
    deployed.aws.client("events").disable_rule(Name=rule)
    said = _examine(deployed)
    states = {each["subject"]: each["state"] for each in said["results"]}
    assert (said["blind"], states[RULE]) == (True, "broken"), said
    unread = {each["subject"]: each["found"] for each in said["results"] if each["state"] == "unread"}
    assert unread == {"the way of a refused call in us-east-1": "no record has come yet, and it is not late"}

    assert deployed.invoke(json.dumps({"source": "aws.events", "detail-type": "Scheduled Event"}), function="Recheck")
    (message,) = deployed.notifications("responder_is_blind")
    assert message["Subject"].startswith("[NEW] MEDIUM: responder is blind (")
    (finding,) = deployed.findings("responder_is_blind")
    assert finding["Severity"]["Label"] == "MEDIUM"
    doctor.run(doctor("-o", "json").about("rules", RULE)["commands"])

    # The emulator has no CloudTrail that records calls, so the record is put in its place.
    (sent,) = _canary(deployed)["sent"]
    role = deployed.aws.client("lambda").get_function(FunctionName=deployed.outputs["ExamineFunctionName"])
    name = role["Configuration"]["Role"].rpartition("/")[2]
    caller = f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/examine"
    repository = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/pull-responder-canary/{sent['id']}"
    deployed.put(
        {
            "eventSource": "ecr.amazonaws.com",
            "eventName": "BatchGetImage",
            "errorCode": "AccessDenied",
            "errorMessage": f"User: {caller} is not authorized to perform: ecr:BatchGetImage on resource: {repository} "
            "with an explicit deny in an identity-based policy",
            "userIdentity": {"type": "AssumedRole", "arn": caller, "accountId": ACCOUNT},
        }
    )
    deadline = time.monotonic() + PATIENCE_SECONDS
    while _canary(deployed)["arrived"] != sent["id"] and time.monotonic() < deadline:
        pass
    assert _canary(deployed)["arrived"] == sent["id"], deployed.log()
    assert deployed.findings("pull-responder-canary") == []

    after = _examine(deployed)
    assert not after["blind"], after
    deployed.notifications("sees failed pulls again")


def test_a_test_event_goes_the_whole_way(
    deployed: Deployed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for key, value in deployed.aws.environment.items():
        monkeypatch.setenv(key, value)
    monkeypatch.setattr(sys, "argv", ["pull-responder", "test-event", "--stack", STACK, "-o", "json"])

    with pytest.raises(SystemExit) as ended:
        main()

    said = {each["subject"]: each for each in map(json.loads, capsys.readouterr().out.splitlines())}
    assert ended.value.code == 0, (said, deployed.log())
    assert {each["state"] for each in said.values()} == {"works"}
    assert {"rule and queue", "table of findings", "topic of notifications", "Security Hub", "subscribers"} < set(said)
    (message,) = deployed.notifications("pull-responder/test")
    assert message["Subject"].startswith("[TEST] ")
    (finding,) = deployed.findings("TEST of Pull Responder")
    assert (finding["RecordState"], finding["Workflow"]["Status"]) == ("ARCHIVED", "RESOLVED")
    items = deployed.aws.client("dynamodb").scan(TableName=deployed.outputs["TableName"])["Items"]
    left = sorted(each["id"]["S"] for each in items if each["id"]["S"].startswith("test/"))
    assert len(left) == 2
    assert said["left behind"]["found"].startswith(f"the items {left[0]} and test/pace, which expire")
