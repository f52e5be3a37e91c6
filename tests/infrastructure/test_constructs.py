"""The constructs work in another CDK app, and a deployment that is there already keeps its resources."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import aws_cdk as cdk
import pytest

import infra
from infra.event_rules import EventRules
from infra.responder import PullResponder
from infra.settings import Settings
from pull_responder.settings import read_settings

if TYPE_CHECKING:
    from tests.infrastructure.conftest import Synthesized

ROOT = Path(__file__).resolve().parents[2]
# The logical ids of what holds data, is subscribed to, or is trusted in other accounts. CloudFormation would replace a
# resource whose id changes. No release may do that (docs/versions.md), so no line here may change.
KEPT: Final = {
    "Findings172CF60E": "AWS::DynamoDB::GlobalTable",
    "NotificationsTopicAE679CBD": "AWS::SNS::Topic",
    "NotificationsKeyADCFA950": "AWS::KMS::Key",
    "EventsQueue7396B467": "AWS::SQS::Queue",
    "EventsDeadLetters8A90034E": "AWS::SQS::Queue",
    "ChangesQueueD86756A9": "AWS::SQS::Queue",
    "ChangesDeadLetters18B289EF": "AWS::SQS::Queue",
    "DiagnoseRoleE86A0E5C": "AWS::IAM::Role",
    "RecheckRole62824609": "AWS::IAM::Role",
    "DiagnoseLogE97FA8C1": "AWS::Logs::LogGroup",
    "RecheckLog39449317": "AWS::Logs::LogGroup",
    "AuditLog9F1E0186": "AWS::Logs::LogGroup",
    "HubSetupLog579639E6": "AWS::Logs::LogGroup",
}
# What the test adds to the app of docs/constructs.md: an alarm that is not ours, which must not notify our topics.
THEIRS = """
from aws_cdk import aws_cloudwatch as cloudwatch
metric = cloudwatch.Metric(namespace="AWS/EC2", metric_name="CPUUtilization")
cloudwatch.Alarm(app.node.find_child("Platform"), "Theirs", metric=metric, threshold=90, evaluation_periods=1)
"""


def test_an_upgrade_replaces_nothing_that_holds_data_or_is_subscribed_to(subscribed: Synthesized) -> None:
    resources = subscribed.template["Resources"]
    assert {name: resources.get(name, {}).get("Type") for name in KEPT} == KEPT
    of_a_kind = {name for name, each in resources.items() if each["Type"] in set(KEPT.values())}
    # The roles and the log groups of further functions may be new.
    assert {name for name in of_a_kind - set(KEPT) if not re.search("Role|Log", name)} == set()


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The assembly of the app in docs/constructs.md, which runs in a folder of its own."""
    folder = tmp_path_factory.mktemp("their-app")
    (code,) = re.findall(
        r"^```python\n(.*?)^```", (ROOT / "docs" / "constructs.md").read_text(), re.DOTALL | re.MULTILINE
    )
    assert code.count("app.synth()") == 1
    (folder / "app.py").write_text(code.replace("app.synth()", f"{THEIRS}\napp.synth()"))
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CDK_OUTDIR": str(folder / "out")}
    run = subprocess.run(
        [sys.executable, "app.py"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return folder / "out"


def template(assembly: Path, stack: str) -> dict[str, Any]:
    whole: dict[str, Any] = json.loads((assembly / f"{stack}.template.json").read_text())
    return whole


def test_a_stack_of_another_team_takes_the_construct_in(composed: Path) -> None:
    resources = template(composed, "Platform")["Resources"]
    kinds = [each["Type"] for each in resources.values()]
    assert (kinds.count("AWS::DynamoDB::GlobalTable"), kinds.count("AWS::Lambda::Function")) == (1, 5)
    (subscription,) = (each["Properties"] for each in resources.values() if each["Type"] == "AWS::SNS::Subscription")
    assert re.match("PullResponderNotificationsTopic", subscription["TopicArn"]["Ref"])
    assert re.match("Tickets", subscription["Endpoint"]["Fn::GetAtt"][0])
    # It is the app's business what it outputs.
    assert "Outputs" not in template(composed, "Platform")


def test_an_alarm_that_is_not_ours_stays_as_it_is(composed: Path) -> None:
    alarms = {
        name: each["Properties"].get("AlarmActions", [])
        for name, each in template(composed, "Platform")["Resources"].items()
        if each["Type"] == "AWS::CloudWatch::Alarm"
    }
    theirs = {name: actions for name, actions in alarms.items() if not name.startswith("PullResponder")}
    assert list(theirs.values()) == [[]]
    assert {len(actions) for name, actions in alarms.items() if name not in theirs} == {2}


def test_the_stack_can_stand_beside_them(composed: Path) -> None:
    own = template(composed, "PullResponder")
    assert own["Resources"]["Findings172CF60E"]["Type"] == "AWS::DynamoDB::GlobalTable"
    assert own["Outputs"]["ConfirmTheMail"]["Value"] == "ops@example.com"
    manifest = json.loads((composed / "manifest.json").read_text())
    assert manifest["artifacts"]["PullResponder"]["environment"] == "aws://111111111111/eu-central-1"


def test_the_assets_are_found_from_another_folder(composed: Path) -> None:
    for stack in ("Platform", "PullResponder"):
        files = json.loads((composed / f"{stack}.assets.json").read_text())["files"].values()
        packaged = [composed / each["source"]["path"] for each in files if each["source"]["packaging"] == "zip"]
        found = {each.name for folder in packaged for each in folder.iterdir()}
        assert found == {"pull_responder", "python"}


def test_what_is_exported_is_documented() -> None:
    table = (ROOT / "docs" / "constructs.md").read_text()
    assert [name for name in infra.__all__ if f"| `{name}` |" not in table] == []
    assert [getattr(infra, name).__name__ for name in infra.__all__] == infra.__all__
    (row,) = re.findall(r"^\| `PullResponder` .*$", table, re.MULTILINE)
    construct = (ROOT / "infra" / "responder.py").read_text()
    assert [
        name for name in re.findall(r"^        self\.(\w+) = ", construct, re.MULTILINE) if f"`{name}`" not in row
    ] == []
    with pytest.raises(AttributeError, match="module 'infra' has no attribute 'PullResponders'"):
        infra.PullResponders  # noqa: B018 -- that it raises is what is tested


def rule_names(stack: cdk.Stack) -> list[str]:
    queue = cdk.aws_sqs.Queue(stack, "Queue")
    return EventRules(stack, "Rules", settings=Settings(), queue=queue, dead_letters=queue).names


def test_rules_have_names_that_eventbridge_takes_whatever_the_stack_is_called() -> None:
    app = cdk.App(analytics_reporting=False)
    long = [rule_names(cdk.Stack(app, f"Platform{'x' * 100}{end}")) for end in "ab"]
    nested = rule_names(cdk.NestedStack(cdk.Stack(app, "Outer"), "Inner"))
    names = [*long[0], *long[1], *nested]
    assert len(set(names)) == 3 * len(nested)
    assert [name for name in names if not re.fullmatch(r"[.\-_A-Za-z0-9]{1,64}", name)] == []
    assert rule_names(cdk.Stack(app, "A" * 35))[0].startswith("A" * 35 + "-Rules-")


def filled(value: Any) -> str:  # noqa: ANN401 -- JSON
    """What CloudFormation makes of a value in the template: in the account 111111111111, with Other=333333333333."""
    deployed = {"AWS::Partition": "aws", "AWS::AccountId": "111111111111", "Other": "333333333333"}
    match value:
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(map(filled, parts))
        case {"Ref": name}:
            return deployed.get(name, str(name))
        case {"Fn::GetAtt": [name, attribute]}:
            return f"{name}.{attribute}"
        case {"Fn::ImportValue": export}:
            return str(export)
        case _:
            return str(value)


def test_a_role_and_an_account_of_the_same_app_reach_the_functions(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path), analytics_reporting=False, context={"aws:cdk:disable-asset-staging": True})
    roles = cdk.Stack(app, "Roles")
    stack = cdk.Stack(app, "Platform")
    build, deploy = (
        cdk.aws_iam.Role(each, "Build", assumed_by=cdk.aws_iam.AccountRootPrincipal()) for each in (stack, roles)
    )
    other = cdk.CfnParameter(stack, "Other")
    pattern = f"arn:{cdk.Aws.PARTITION}:iam::{cdk.Aws.ACCOUNT_ID}:role/ci-*"
    settings = Settings(
        known_principals=(build.role_arn, deploy.role_arn, pattern),
        read_accounts=(other.value_as_string, "222222222222"),
    )
    PullResponder(stack, "PullResponder", settings=settings)
    resources = app.synth().get_stack_by_name("Platform").template["Resources"]
    (environment,) = (
        {key: filled(value) for key, value in each["Properties"]["Environment"]["Variables"].items()}
        for name, each in resources.items()
        if each["Type"] == "AWS::Lambda::Function" and "Diagnose" in name
    )
    (own,) = (name for name in resources if name.startswith("Build"))
    read = read_settings(environment)
    known = [each for each in read.known_principals if "PullResponder" not in each]
    assert [known[0], known[2]] == [f"{own}.Arn", "arn:aws:iam::111111111111:role/ci-*"]
    assert re.fullmatch(r"Roles:\w*Build\w*Arn\w*", known[1])
    assert read.read_accounts == ("333333333333", "222222222222")
    assumed = [
        sorted(map(filled, statement["Resource"]))
        for name, each in resources.items()
        if each["Type"] == "AWS::IAM::Role" and "Diagnose" in name
        for policy in each["Properties"]["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Action"] == "sts:AssumeRole" and isinstance(statement["Resource"], list)
    ]
    member_roles = [f"arn:aws:iam::{each}:role/PullResponderReadOnly" for each in ("222222222222", "333333333333")]
    assert assumed == [member_roles]
