"""A stack that is deleted leaves its table or nothing, as its settings say, and a new one goes on with the table."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import pytest

from infra import PullResponderStack, Settings
from tests.e2e.conftest import ALL_DONE, PATIENCE_SECONDS, Deployed
from tests.e2e.stacks import Bucket, Inbox, Stack, make_cluster
from tests.e2e.test_deployed_stack import NO_IDENTITY_POLICY, denied_pull, envelope

if TYPE_CHECKING:
    from pull_responder.emulator.emulated_aws import EmulatedAws

CLUSTER = "uninstalled"
TOLD, NEW = "uninstalled-node", "uninstalled-new-node"
TABLE = "uninstalled-findings"
SETTINGS = Settings(table_name=TABLE, security_hub=False, read_accounts=("111111111111",), quiet_minutes=1)


@pytest.fixture(scope="module", autouse=True)
def estate(aws: EmulatedAws) -> None:
    make_cluster(aws, CLUSTER, TOLD, NEW)
    aws.client("ecr").create_repository(repositoryName="uninstalled/app")


@pytest.fixture(scope="module")
def templates(aws: EmulatedAws, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The URLs of the stacks' templates, by their names. One synthesis makes all, and the assets are in the bucket."""
    app = cdk.App(outdir=str(tmp_path_factory.mktemp("uninstalled")), analytics_reporting=False)
    PullResponderStack(app, "First", settings=SETTINGS)
    PullResponderStack(app, "Second", settings=replace(SETTINGS, existing_table=True))
    PullResponderStack(app, "Removed", stack_name="First", settings=replace(SETTINGS, remove_data=True))
    return Bucket(aws).put_assembly(Path(app.synth().directory))


def messages_until(deployed: Deployed, role: str) -> list[dict[str, Any]]:
    """Return all notifications up to the one about a role."""
    seen: list[dict[str, Any]] = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not any(role in each["Message"] for each in seen) and time.monotonic() < deadline:
        seen += [json.loads(body) for body in deployed.receive(deployed.inbox)]
    return seen


def test_a_stack_leaves_its_table_and_the_next_one_tells_nothing_twice(
    aws: EmulatedAws, templates: dict[str, str]
) -> None:
    inbox = Inbox(aws, "uninstalled-inbox")

    def watched(outputs: dict[str, str]) -> Deployed:
        inbox.subscribe(outputs["TopicArn"])
        return Deployed(aws, outputs, inbox.url)

    first = Stack(aws, "First")
    deployed = watched(first.deploy(templates["First"]))
    told = envelope(denied_pull("uninstalled/app", role=TOLD, reason=NO_IDENTITY_POLICY))
    assert deployed.invoke(told) == ALL_DONE
    (mail,) = messages_until(deployed, TOLD)
    assert mail["MessageAttributes"]["status"]["Value"] == "new"
    assert len(first.left()) > 50
    first.delete()
    assert first.left() == [TABLE]

    second = Stack(aws, "Second")
    deployed = watched(second.deploy(templates["Second"]))
    assert deployed.outputs["TableName"] == TABLE
    assert deployed.invoke(told) == ALL_DONE
    assert deployed.invoke(envelope(denied_pull("uninstalled/app", role=NEW, reason=NO_IDENTITY_POLICY))) == ALL_DONE
    (mail,) = messages_until(deployed, NEW)
    assert TOLD not in mail["Message"]
    second.delete()
    assert second.left() == []
    assert TABLE in aws.client("dynamodb").list_tables()["TableNames"]


def test_with_remove_data_nothing_is_left(aws: EmulatedAws, templates: dict[str, str]) -> None:
    dynamodb, stack = aws.client("dynamodb"), Stack(aws, "First")
    if TABLE in dynamodb.list_tables()["TableNames"]:
        dynamodb.delete_table(TableName=TABLE)
    stack.deploy(templates["First"])
    # Deletion protection asks for this deployment. The emulator does not have it for this type of table.
    stack.deploy(templates["Removed"], change="update")
    assert TABLE in stack.left()
    stack.delete()
    assert stack.left() == []
    assert TABLE not in dynamodb.list_tables()["TableNames"]
