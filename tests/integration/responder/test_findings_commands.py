"""`findings` and `report` at a terminal, about what a deployed responder found."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from pull_responder.cli.main import main
from tests.integration.responder.scene import ACCOUNT, ADMIN, REGION, Node, Scene, denial
from tests.unit.page.parsed import Parsed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Run = Callable[..., "Ended"]

LACKS = "role_lacks_pull_permissions"


class Ended:
    """How a command ended."""

    def __init__(self, status: object, out: str, err: str) -> None:
        self.status, self.out, self.err = status, out, err

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def stack(scene: Scene) -> str:
    """A stack that names the scene's table, as the deployed one does."""
    name = f"Responder-{uuid4().hex[:8]}"
    resources = {"Topic": {"Type": "AWS::SNS::Topic"}}
    template = {"Resources": resources, "Outputs": {"TableName": {"Value": scene.table}}}
    client = scene.aws.client("cloudformation")
    client.create_stack(StackName=name, TemplateBody=json.dumps(template))
    client.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
    return name


@pytest.fixture
def run(stack: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    def command(name: str, *arguments: str, stack: str = stack) -> Ended:
        monkeypatch.setattr(sys, "argv", ["pull-responder", name, "--stack", stack, "--region", REGION, *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return Ended(ended.value.code, *capsys.readouterr())

    return command


@pytest.fixture
def broken(scene: Scene) -> Node:
    """A node whose role lacks its policy, as found from the refusal of one of its pulls."""
    node = scene.node_group()
    assert scene.respond(node.denied(scene.clock.now)) == []
    return node


def test_what_is_open_is_listed_with_its_reach_and_its_fix(run: Run, broken: Node) -> None:
    ended = run("findings")
    assert ended.status == 1
    lines = ended.out.splitlines()
    assert lines[0].startswith("1 finding is open in stack Responder-")
    assert lines[2] == f"HIGH {LACKS}  The role does not allow the pull"
    assert f"Broken     AwsIamRole arn:aws:iam::{ACCOUNT}:role/{broken.role}" in lines
    assert f"Where      account {ACCOUNT}, region {REGION}, cluster {broken.role}" in lines
    assert any(each.startswith("Since      2026-03-01 12:00 UTC (") for each in lines)
    assert any(each.startswith("Stops      1 node, 1 failure") for each in lines)
    assert any(each.strip().startswith(f"$ aws iam attach-role-policy --role-name {broken.role}") for each in lines)


def test_json_is_a_line_for_each_with_the_keys_of_diagnose(run: Run, broken: Node) -> None:
    ended = run("findings", "-o", "json")
    assert ended.status == 1
    (found,) = ended.objects
    assert found["cause"] == LACKS
    assert found["state"] == "open"
    assert found["clusters"] == [broken.role]
    assert found["reach"]["events"] == 1
    assert found["since"] == "2026-03-01T12:00:00Z"
    assert found["remediation"]["commands"][0].startswith("aws iam attach-role-policy")
    assert found["unread"] is None


def test_one_cluster_alone_by_its_name_or_its_arn(run: Run, scene: Scene, broken: Node) -> None:
    other = scene.node_group()
    assert scene.respond(other.denied(scene.clock.now)) == []
    arn = f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{broken.role}"
    for cluster in (broken.role, arn):
        (found,) = run("findings", "-o", "json", "--cluster", cluster).objects
        assert found["clusters"] == [broken.role]
    nothing = run("findings", "--cluster", "none")
    assert nothing.status == 0
    assert nothing.out.startswith("No finding of cluster none is open in stack ")


def test_a_finding_of_no_known_cluster_may_be_of_this_one(run: Run, scene: Scene) -> None:
    assert scene.respond(denial(scene.stranger(), "ci", at=scene.clock.now)) == []
    (found,) = run("findings", "-o", "json").objects
    assert found["clusters"] == []
    said = "Of 1 open finding the cluster is not known: ask without --cluster"
    ended = run("findings", "--cluster", "prod")
    assert ended.status == 3
    assert f"{said}." in ended.out.splitlines()
    assert run("findings", "--cluster", "prod", "-o", "json").objects == [{"id": None, "unread": said}]


def test_nothing_is_open_once_it_is_resolved(run: Run, scene: Scene, broken: Node) -> None:
    _resolve(scene, broken)
    ended = run("findings")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.startswith("No finding is open in stack ")


@pytest.mark.usefixtures("broken")
def test_a_finding_that_cannot_be_read_is_no_pass(run: Run, scene: Scene) -> None:
    (finding,) = scene.store.open_findings(limit=10)
    scene.aws.client("dynamodb").update_item(
        TableName=scene.table,
        Key={"id": {"S": finding}},
        UpdateExpression="SET #life = :life",
        ExpressionAttributeNames={"#life": "life"},
        ExpressionAttributeValues={":life": {"S": "{"}},
    )
    ended = run("findings")
    assert ended.status == 3
    assert f"Not read: item {finding} of the findings table" in ended.out
    (line,) = run("findings", "-o", "json").objects
    assert line["id"] is None
    assert finding in line["unread"]
    page = Parsed(run("report", "--since", "2026-02-01").out)
    assert "Not read: 1 item of the table" in page.texts("h2")


def test_the_report_says_who_fixed_what(run: Run, scene: Scene, broken: Node, tmp_path: Path) -> None:
    still = scene.node_group()
    assert scene.respond(still.denied(scene.clock.now)) == []
    _resolve(scene, broken)
    file = tmp_path / "audit.html"
    ended = run("report", "--since", "2026-02-20", "-f", str(file))
    assert (ended.status, ended.out) == (0, f"2 findings in {file}\n")
    found = Parsed(file.read_text(encoding="utf-8"))
    assert found.texts("h1") == ["2 findings in the period: 1 open, 1 resolved"]
    values = found.texts("dd")
    assert any(f"{ADMIN}: AttachRolePolicy of AmazonEC2ContainerRegistryPullOnly" in each for each in values)
    assert any(f"role/{still.role}" in each for each in found.texts("code"))
    assert any(each.startswith("The table keeps a finding for 90 days") for each in found.texts("li"))


def test_a_period_before_or_after_has_nothing(run: Run, scene: Scene, broken: Node) -> None:
    _resolve(scene, broken)
    for since, until in (("2026-01-01", "2026-02-01"), ("2026-03-02", "2026-03-03")):
        found = Parsed(run("report", "--since", since, "--until", until).out)
        assert found.texts("h1") == ["0 findings in the period: 0 open, 0 resolved"]


@pytest.mark.parametrize(
    ("command", "options", "words"),
    [
        ("report", ("--since", "soon"), "--since is not a date"),
        ("report", ("-f", "/nowhere/page.html"), "--file: there is no folder /nowhere"),
        ("findings", ("--cluster", " "), "--cluster is empty"),
        (
            "findings",
            ("--cluster", f"arn:aws:eks:{REGION}:{ACCOUNT}:nodegroup/prod/a"),
            "cannot be an EKS cluster's name",
        ),
        ("findings", ("--stack", "no stack"), "--stack is not the name of a stack"),
        ("findings", ("--stack", "Nowhere"), f"account {ACCOUNT} has no stack Nowhere in {REGION}"),
    ],
)
def test_what_cannot_be_used_is_one_line(run: Run, command: str, options: tuple[str, ...], words: str) -> None:
    ended = run(command, *options)
    assert (ended.status, ended.out) == (2, "")
    assert ended.err.count("\n") == 1
    assert words in ended.err


def test_a_table_that_is_gone_is_one_line(run: Run, scene: Scene) -> None:
    scene.aws.client("dynamodb").delete_table(TableName=scene.table)
    for command in ("findings", "report"):
        ended = run(command, "--since", "1d") if command == "report" else run(command)
        assert (ended.status, ended.out) == (2, "")
        assert ended.err.count("\n") == 1
        assert "dynamodb:" in ended.err
        assert "ResourceNotFoundException" in ended.err


def test_a_page_is_not_thrown_at_a_screen(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    ended = run("report")
    assert ended.status == 2
    assert "give --file FILE.html" in ended.err


def _resolve(scene: Scene, node: Node) -> None:
    """Mend the role, and have it seen and told."""
    scene.clock.forward(minutes=10)
    made = scene.allow(node)
    scene.clock.forward(seconds=30)
    scene.recheck(made)
    scene.clock.forward(minutes=6)
    scene.recheck()
