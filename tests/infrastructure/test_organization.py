"""The hub of an organization: the bus that other accounts and regions send to, and what the functions may do there."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import aws_cdk as cdk
import pytest

from infra.member_commands import stack_set_command
from infra.responder import PullResponder
from infra.scan_policies import read_template
from infra.setting_checks import SettingsError
from infra.settings import Settings
from tests.infrastructure.conftest import Synthesized, synthesize
from tests.infrastructure.rules import ACCOUNT, event
from tests.infrastructure.test_queue_rules import statements_of, text_of

if TYPE_CHECKING:
    from pull_responder.emulator.emulated_aws import EmulatedAws

ROOT: Final = Path(__file__).parents[2]
ORGANIZATION: Final = "o-a1b2c3d4e5"
BUS: Final = "pull-responder"
# The rules of the default bus that are for the stack's own account alone.
OWN: Final = {"Hour", "TestEvent", "LookAgain", "HealthCheck", "Clock"}
# The stack `subscribed`, as the hub of an organization.
HUB: Final = Settings(
    organization_id=ORGANIZATION,
    audit_log_clusters=("prod", "test"),
    forwarded_event_source="kubernetes.events",
)
ALARM: Final = f"PullResponder-{ACCOUNT}-eu-west-1-undelivered"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    return synthesize(tmp_path_factory.mktemp("hub"), HUB)


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    """A hub with all that it can have."""
    settings = replace(HUB, findings_in="member", member_audit_logs=True, filter_topics=True)
    return synthesize(tmp_path_factory.mktemp("full"), settings)


def rules_on(bus: str | None, synthesized: Synthesized) -> dict[str, dict[str, Any]]:
    """The rules on a bus by the last part of their names; None: the default bus."""
    rules = synthesized.all_of("AWS::Events::Rule").values()
    return {each["Name"].rpartition("-")[2]: each for each in rules if each.get("EventBusName") == bus}


def flat(value: Any) -> str:  # noqa: ANN401 -- JSON
    """A value of the template with what CloudFormation fills in, as text, for the account and region of `event`."""
    match value:
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(map(flat, parts))
        case {"Ref": name}:
            filled = {"AWS::Partition": "aws", "AWS::AccountId": ACCOUNT, "AWS::Region": "eu-west-1"}
            return filled.get(name, str(name))
        case _:
            return str(value)


def test_alone_there_is_nothing_of_it(subscribed: Synthesized) -> None:
    kinds = {each["Type"] for each in subscribed.template["Resources"].values()}
    assert kinds.isdisjoint({"AWS::Events::EventBus", "AWS::Kinesis::Stream", "AWS::Logs::Destination"})
    text = json.dumps(subscribed.template).replace("PULL_RESPONDER_", "")
    for word in ("ORGANIZATION_ID", "FINDINGS_IN", "IMPORT_ROLE", "RoleName", "EventBusName", "OrganizationBus"):
        assert f'"{word}' not in text


def test_an_account_that_becomes_a_hub_keeps_all_that_it_has(subscribed: Synthesized, hub: Synthesized) -> None:
    before, after = subscribed.template["Resources"], hub.template["Resources"]
    changed = {name for name in before if before[name] != after.get(name)}
    kinds = {name: before[name]["Type"] for name in changed}
    # The roles get names, so they are replaced; the functions get variables; the rules of the bus may send, too.
    assert sorted(kinds.values()) == [
        *["AWS::IAM::Role"] * 3,
        *["AWS::Lambda::Function"] * 3,
        *["AWS::SQS::QueuePolicy"] * 4,
    ]
    for name in (each for each in changed if kinds[each] == "AWS::IAM::Role"):
        named = {key: each for key, each in after[name]["Properties"].items() if key != "RoleName"}
        # The right to close what members have is new, the right to read rules of other regions, and nothing else.
        assert before[name]["Properties"] == {**named, "Policies": without_members(named["Policies"])}


def without_members(policies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Policies of a role without the rights to assume the import role, and to read rules of other regions."""

    def of_stack(statement: dict[str, Any]) -> dict[str, Any]:
        resources = statement["Resource"]
        if not isinstance(resources, list):
            return statement
        return {**statement, "Resource": [each for each in resources if ":events:*:" not in json.dumps(each)]}

    return [
        {
            **policy,
            "PolicyDocument": {
                **policy["PolicyDocument"],
                "Statement": [
                    of_stack(each)
                    for each in policy["PolicyDocument"]["Statement"]
                    if "role/PullResponderImportFindings" not in json.dumps(each.get("Resource"))
                ],
            },
        }
        for policy in policies
    ]


def test_both_buses_have_the_same_rules(hub: Synthesized) -> None:
    default, members = rules_on(None, hub), rules_on(BUS, hub)
    assert set(default) >= OWN
    assert set(default) - OWN == set(members) - {"MemberAlarms"}
    for name in set(default) - OWN - {"KubernetesEvents"}:
        assert default[name]["EventPattern"] == members[name]["EventPattern"], name
    for name in set(default) - OWN:
        assert default[name]["State"] == members[name]["State"], name
        assert default[name]["Targets"] == members[name]["Targets"], name
    # On this bus, EventBridge says which account sent it, and the organization's accounts may.
    own, theirs = default["KubernetesEvents"]["EventPattern"], members["KubernetesEvents"]["EventPattern"]
    assert {**own, "account": None} == {**theirs, "account": None}
    assert (own["account"], "account" in theirs) == ([{"Ref": "AWS::AccountId"}], False)


def test_refused_pulls_arrive_from_members(hub: Synthesized) -> None:
    states = {name: each["State"] for name, each in rules_on(BUS, hub).items()}
    needed = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
    assert {name for name, state in states.items() if state == needed} == {"EcrTokenDenied", "EcrImageDenied"}
    assert set(states.values()) == {needed, "ENABLED"}


def test_only_the_organization_may_send_to_the_bus(hub: Synthesized) -> None:
    bus = hub.one_of("AWS::Events::EventBus")
    (statement,) = bus["Policy"]["Statement"]
    assert bus["Name"] == BUS
    assert {**statement, "Resource": flat(statement["Resource"])} == {
        "Sid": "Organization",
        "Effect": "Allow",
        "Principal": "*",
        "Action": "events:PutEvents",
        "Resource": f"arn:aws:events:eu-west-1:{ACCOUNT}:event-bus/{BUS}",
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}},
    }


@pytest.mark.parametrize("name", ["Queue", "DeadLetters"])
@pytest.mark.parametrize(("queue", "groups"), [("Events", 2), ("Changes", 2)])
def test_the_rules_of_the_bus_may_send_to_the_queues(queue: str, groups: int, name: str, hub: Synthesized) -> None:
    logical_id, _ = hub.named("AWS::SQS::Queue", f"{queue}{name}")
    statements = statements_of(logical_id, hub)
    allowed = [each["Condition"]["ArnLike"]["aws:SourceArn"] for each in statements if each["Effect"] == "Allow"]
    before = [text_of(each).removesuffix("*") for each in allowed]
    assert len(before) == groups
    arn = "arn:<AWS::Partition>:events:<AWS::Region>:<AWS::AccountId>:rule/"
    to_it = {
        arn + (f"{each['EventBusName']}/" if "EventBusName" in each else "") + each["Name"]
        for each in hub.all_of("AWS::Events::Rule").values()
        for target in each["Targets"]
        if json.dumps(target).count(hub.named("AWS::SQS::Queue", f"{queue}Queue")[0])
    }
    assert len(to_it) > 10
    assert {each for each in to_it if not each.startswith(tuple(before))} == set()
    conditions = [key for each in statements for operator in each["Condition"].values() for key in operator]
    assert (len(statements) <= 20, len(conditions) <= 10) == (True, True)


def test_events_of_members_that_are_lost_raise_an_alarm(hub: Synthesized) -> None:
    watched = {
        tuple((each["Name"], each["Value"]) for each in alarm["Dimensions"])
        for alarm in hub.all_of("AWS::CloudWatch::Alarm").values()
        if alarm.get("MetricName") == "FailedInvocations"
    }
    rules = {each["Name"] for each in rules_on(BUS, hub).values()}
    assert {dict(each)["RuleName"] for each in watched if dict(each).get("EventBusName") == BUS} == rules
    assert {dict(each)["RuleName"] for each in watched if "EventBusName" not in dict(each)} == {
        each["Name"] for each in rules_on(None, hub).values()
    }


def alarm_event(name: str = ALARM, state: str = "ALARM", **changed: str) -> dict[str, Any]:
    detail = {"alarmName": name, "state": {"value": state, "reason": "<script>"}, "configuration": {"description": "x"}}
    return {**event("aws.cloudwatch", detail, "CloudWatch Alarm State Change"), **changed}


@pytest.mark.parametrize(
    ("what", "happened", "matches"),
    [
        ("a member's alarm", alarm_event(account="222222222222", region="us-east-1"), True),
        ("it ends", alarm_event(state="OK"), False),
        ("another alarm", alarm_event("PullResponder-Anything"), False),
        ("an alarm of another hub", alarm_event(ALARM.replace(ACCOUNT, "333333333333")), False),
        ("somebody who poses as CloudWatch", alarm_event(source="custom.cloudwatch"), False),
    ],
)
def test_alarms_of_members_are_told(
    what: str, happened: dict[str, Any], *, matches: bool, hub: Synthesized, aws: EmulatedAws
) -> None:
    pattern = rules_on(BUS, hub)["MemberAlarms"]["EventPattern"]
    (name,) = pattern["detail"]["alarmName"]
    text = json.dumps({**pattern, "detail": {**pattern["detail"], "alarmName": [flat(name)]}})
    answer = aws.client("events").test_event_pattern(EventPattern=text, Event=json.dumps(happened))
    assert answer["Result"] is matches, what


def test_what_is_told_of_an_alarm_has_no_words_of_the_member(full: Synthesized) -> None:
    targets = rules_on(BUS, full)["MemberAlarms"]["Targets"]
    topics = [full.named("AWS::SNS::Topic", part)[0] for part in ("NotificationsTopic", "FiltersAlarmsTopic")]
    assert [each["Arn"] for each in targets] == [{"Ref": each} for each in topics]
    for target in targets:
        transformer = target["InputTransformer"]
        paths = transformer["InputPathsMap"]
        assert paths == {"account": "$.account", "region": "$.region", "time": "$.time"}
        text = flat(transformer["InputTemplate"])
        for name, value in {"account": "222222222222", "region": "us-east-1", "time": "2026-01-01T00:00:00Z"}.items():
            # EventBridge puts quotes around a text that is a value by itself.
            text = text.replace(f": <{name}>", f': "{value}"').replace(f"<{name}>", value)
        message = json.loads(text)
        assert (message["AWSAccountId"], message["Region"]) == ("222222222222", "us-east-1")
        assert (message["AlarmName"], message["NewStateValue"]) == (ALARM, "ALARM")
        assert "222222222222 in us-east-1" in message["AlarmDescription"]


@pytest.mark.parametrize("filters", [False, True])
@pytest.mark.parametrize("apart", [False, True])
def test_alarms_of_members_are_published_where_our_own_are(apart: bool, filters: bool, tmp_path: Path) -> None:  # noqa: FBT001
    made = synthesize(tmp_path, replace(HUB, alarms_topic=apart, filter_topics=filters))
    targets = [each["Arn"]["Ref"] for each in rules_on(BUS, made)["MemberAlarms"]["Targets"]]
    ours = [each["AlarmActions"] for each in made.all_of("AWS::CloudWatch::Alarm").values()]
    assert len(ours) > 20
    assert [each for each in ours if [action["Ref"] for action in each] != targets] == []
    notifications, _ = made.named("AWS::SNS::Topic", "NotificationsTopic")
    assert (notifications in targets) is not apart
    assert len(targets) == (2 if filters and not apart else 1)


def test_the_rule_on_alarms_may_publish_to_these_topics_alone(full: Synthesized) -> None:
    _, role = full.named("AWS::IAM::Role", "MemberAlarmsRole")
    publish, key = role["Policies"][0]["PolicyDocument"]["Statement"]
    targets = rules_on(BUS, full)["MemberAlarms"]["Targets"]
    assert (publish["Action"], publish["Resource"]) == ("sns:Publish", [each["Arn"] for each in targets])
    assert key["Resource"] == {"Fn::GetAtt": [full.named("AWS::KMS::Key", "")[0], "Arn"]}
    policies = json.dumps(full.all_of("AWS::SNS::TopicPolicy"))
    assert "events.amazonaws.com" not in policies


@pytest.mark.parametrize("function", ["Diagnose", "Recheck"])
def test_the_functions_have_roles_that_members_know_by_name(function: str, hub: Synthesized) -> None:
    _, role = hub.named("AWS::IAM::Role", f"{function}Role")
    assert flat(role["RoleName"]) == f"PullResponder-{function.lower()}-eu-west-1"
    _, properties = hub.named("AWS::Lambda::Function", function)
    variables = properties["Environment"]["Variables"]
    assert variables["PULL_RESPONDER_ORGANIZATION_ID"] == ORGANIZATION
    assert variables["PULL_RESPONDER_FINDINGS_IN"] == "hub"
    assert variables["PULL_RESPONDER_IMPORT_ROLE"] == "PullResponderImportFindings"


def assumed(synthesized: Synthesized, function: str) -> dict[str, Any]:
    """What a function may assume, with the condition of each."""
    _, role = synthesized.named("AWS::IAM::Role", f"{function}Role")
    return {
        flat(statement["Resource"]): statement.get("Condition")
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Action"] == "sts:AssumeRole"
    }


@pytest.mark.parametrize("function", ["Diagnose", "Recheck"])
def test_roles_of_members_are_assumed_in_the_organization_alone(
    function: str, hub: Synthesized, full: Synthesized
) -> None:
    inside = {"StringEquals": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}}
    read, write = "arn:aws:iam::*:role/PullResponderReadOnly", "arn:aws:iam::*:role/PullResponderImportFindings"
    # The hub's, too, where `findingsIn` is "hub": members may have findings from before, which it closes there.
    assert assumed(hub, function) == assumed(full, function) == {read: inside, write: inside}
    _, properties = full.named("AWS::Lambda::Function", function)
    assert properties["Environment"]["Variables"]["PULL_RESPONDER_FINDINGS_IN"] == "member"


def test_audit_logs_of_members_are_off_at_first(hub: Synthesized) -> None:
    assert hub.all_of("AWS::Kinesis::Stream") == hub.all_of("AWS::Logs::Destination") == {}
    mappings = json.dumps(hub.all_of("AWS::Lambda::EventSourceMapping"))
    assert "Kinesis" not in mappings


def test_audit_logs_of_members_come_through_a_stream(full: Synthesized) -> None:
    stream_id, stream = full.named("AWS::Kinesis::Stream", "")
    assert (stream["Name"], stream["StreamModeDetails"]) == ("PullResponderAuditLogs", {"StreamMode": "ON_DEMAND"})
    destination = full.one_of("AWS::Logs::Destination")
    assert (destination["DestinationName"], destination["TargetArn"]) == (
        {"Fn::Join": ["", ["PullResponderAuditLogs-", {"Ref": "AWS::Region"}]]},
        {"Fn::GetAtt": [stream_id, "Arn"]},
    )
    (statement,) = json.loads(flat(destination["DestinationPolicy"]))["Statement"]
    assert statement["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}}
    assert statement["Resource"] == f"arn:aws:logs:eu-west-1:{ACCOUNT}:destination:PullResponderAuditLogs-eu-west-1"
    role_id, role = full.named("AWS::IAM::Role", "MemberAuditLogsRole")
    assert destination["RoleArn"] == {"Fn::GetAtt": [role_id, "Arn"]}
    # No member trusts a role of this name.
    assert flat(role["RoleName"]) == "PullResponderAuditLogs-eu-west-1"
    (write,) = role["Policies"][0]["PolicyDocument"]["Statement"]
    assert (write["Action"], write["Resource"]) == ("kinesis:PutRecord", {"Fn::GetAtt": [stream_id, "Arn"]})


def test_the_function_reads_the_stream_and_loses_nothing_unsaid(full: Synthesized) -> None:
    stream_id, _ = full.named("AWS::Kinesis::Stream", "")
    _, mapping = full.named("AWS::Lambda::EventSourceMapping", "AuditLog")
    dead_letters, _ = full.named("AWS::SQS::Queue", "EventsDeadLetters")
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": [stream_id, "Arn"]}
    assert mapping["FunctionName"]["Fn::GetAtt"][0] == full.named("AWS::Lambda::Function", "AuditLog")[0]
    assert (mapping["FunctionResponseTypes"], mapping["BisectBatchOnFunctionError"]) == (
        ["ReportBatchItemFailures"],
        True,
    )
    assert mapping["DestinationConfig"] == {"OnFailure": {"Destination": {"Fn::GetAtt": [dead_letters, "Arn"]}}}
    role_id, role = full.named("AWS::IAM::Role", "AuditLogRole")
    resources = {
        action: statement["Resource"]
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        for action in ([statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"])
    }
    reads = {action for action in resources if action.startswith("kinesis:")}
    assert {resources[action]["Fn::GetAtt"][0] for action in reads} == {stream_id}
    assert "kinesis:GetRecords" in reads
    # Lambda refuses a mapping whose function may not read, so the role's policies come first.
    name, _ = full.named("AWS::Lambda::EventSourceMapping", "AuditLog")
    assert role_id in full.template["Resources"][name]["DependsOn"]
    (behind,) = (
        alarm for alarm in full.all_of("AWS::CloudWatch::Alarm").values() if alarm.get("MetricName") == "IteratorAge"
    )
    assert behind["Threshold"] == 6 * 3_600_000


def test_the_outputs_say_how_members_are_set_up(full: Synthesized) -> None:
    outputs = {name: flat(each["Value"]) for name, each in full.template["Outputs"].items()}
    assert outputs["EventBusArn"] == f"arn:aws:events:eu-west-1:{ACCOUNT}:event-bus/{BUS}"
    command = outputs["StackSetCommand"]
    for part in (
        "--template-body file://infra/member.yaml",
        "--permission-model SERVICE_MANAGED",
        "--auto-deployment Enabled=true,",
        "--capabilities CAPABILITY_NAMED_IAM",
        f"ParameterKey=HubAccount,ParameterValue={ACCOUNT} ",
        "ParameterKey=HubRegion,ParameterValue=eu-west-1 ",
        f"ParameterKey=OrganizationId,ParameterValue={ORGANIZATION} ",
        "ParameterKey=RolesRegion,ParameterValue=eu-west-1 ",
        "ParameterKey=FindingsIn,ParameterValue=member ",
        "ParameterKey=ForwardedEventSource,ParameterValue=kubernetes.events ",
    ):
        assert part in command
    assert command.endswith("ParameterKey=AuditLogs,ParameterValue=on")
    assert "PermissionsBoundary" not in command
    assert "--regions eu-west-1 OTHER-REGIONS" in outputs["StackInstancesCommand"]


@pytest.mark.parametrize(
    ("arn", "given"),
    [
        (f"arn:aws:iam::{ACCOUNT}:policy/limit", "ParameterKey=PermissionsBoundary,ParameterValue=limit "),
        (
            f"arn:aws-us-gov:iam::{ACCOUNT}:policy/a/b/limit",
            "ParameterKey=PermissionsBoundary,ParameterValue=a/b/limit ",
        ),
        # No account has it, and the template names a policy of the member's own account.
        ("arn:aws:iam::aws:policy/PowerUserAccess", ""),
    ],
)
def test_members_have_the_boundary_that_the_hub_has(arn: str, given: str) -> None:
    settings = replace(HUB, permissions_boundary_arn=arn)
    command = stack_set_command(settings, account=ACCOUNT, region="eu-west-1")
    assert given in command
    assert ("PermissionsBoundary" in command) is bool(given)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"findings_in": "member"}, "findings_in is member, but Settings: organization_id does not name"),
        ({"member_audit_logs": True}, "member_audit_logs is true, but Settings: organization_id does not name"),
        ({"organization_id": "o-short"}, "organization_id must be the id of an organization"),
        ({"organization_id": "123456789012"}, "organization_id must be the id of an organization"),
        ({"findings_in": "both"}, "findings_in must be one of hub, member, not 'both'"),
        ({"import_role_name": "PullResponderReadOnly"}, "cannot have two roles of one name"),
        ({"import_role_name": "pullresponderreadonly"}, "cannot have two roles of one name"),
        (
            {"organization_id": ORGANIZATION, "member_role_name": "Read,Only=1"},
            "member_role_name is Read,Only=1, but no role of a StackSet may have , or = here",
        ),
    ],
)
def test_settings_that_say_nothing_sensible_are_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Settings(**values)


def test_another_app_can_have_the_hub_in_a_stack_of_its_own(tmp_path: Path) -> None:
    app = cdk.App(outdir=str(tmp_path), analytics_reporting=False, context={"aws:cdk:disable-asset-staging": True})
    # As long as the names of stacks are: those of rules have 64 characters (EventBridge API reference, PutRule).
    stack = cdk.Stack(app, f"Platform{'x' * 100}")
    settings = Settings(organization_id=ORGANIZATION, member_audit_logs=True)
    responder = PullResponder(stack, "PullResponder", settings=settings)
    assert responder.organization
    cdk.CfnOutput(stack, "Members", value=responder.organization.stack_set_command)
    template = app.synth().get_stack_by_name(stack.stack_name).template
    command = flat(template["Outputs"]["Members"]["Value"])
    assert f"ParameterKey=HubAccount,ParameterValue={ACCOUNT} " in command
    kinds = [each["Type"] for each in template["Resources"].values()]
    assert kinds.count("AWS::Events::EventBus") == 1
    # The function that reads audit logs is there for members alone: no cluster of the own account is subscribed.
    mappings = [
        each for name, each in template["Resources"].items() if each["Type"] == "AWS::Lambda::EventSourceMapping"
    ]
    assert ["Stream" in json.dumps(each["Properties"]["EventSourceArn"]) for each in mappings].count(True) == 1
    assert "AWS::Logs::SubscriptionFilter" not in kinds
    names = [
        each["Properties"]["Name"] for each in template["Resources"].values() if each["Type"] == "AWS::Events::Rule"
    ]
    assert len(set(names)) == len(names) > 30
    assert [name for name in names if not re.fullmatch(r"[.\-_A-Za-z0-9]{1,64}", name)] == []


def test_the_guides_have_the_alarms_of_a_hub_and_their_price(
    hub: Synthesized, full: Synthesized, subscribed: Synthesized
) -> None:
    guides = {name: (ROOT / "docs" / f"{name}.md").read_text() for name in ("operations", "organization")}
    section = guides["operations"].partition("\n## Alarms\n")[2].partition("\n## ")[0]
    metrics = {each["MetricName"] for each in full.all_of("AWS::CloudWatch::Alarm").values()}
    assert {"ForwardedEventsRefused", "IteratorAge"} <= metrics
    assert [metric for metric in sorted(metrics) if f"`{metric}`" not in section] == []
    before, after = (len(each.all_of("AWS::CloudWatch::Alarm")) for each in (subscribed, hub))
    # Without the one on Kubernetes events, which the settings leave out at first.
    more = after - before - 1
    assert f"$0.10 for each of {more} | ${more / 10:.2f} |" in guides["organization"]


def test_the_guide_has_the_command_that_the_stack_prints(full: Synthesized) -> None:
    guide = " ".join((ROOT / "docs" / "organization.md").read_text().replace("\\\n", " ").split())
    shown = {ACCOUNT: "HUB-ACCOUNT", "eu-west-1": "HUB-REGION"}
    command = flat(full.template["Outputs"]["StackSetCommand"]["Value"])
    for value, name in shown.items():
        command = command.replace(value, name)
    assert command.partition(" ParameterKey=ReadRoleName")[0] in guide
    options = flat(full.template["Outputs"]["StackInstancesCommand"]["Value"]).partition("--operation-preferences ")[2]
    assert options.replace("eu-west-1", "HUB-REGION") in guide


def test_the_guide_describes_every_parameter_of_the_template() -> None:
    guide = (ROOT / "docs" / "organization.md").read_text()
    parameters = read_template(str(ROOT / "infra" / "member.yaml"))["Parameters"]
    named = {re.sub(r"\d+$", "1", name) for name in parameters}
    assert [name for name in sorted(named) if name not in guide] == []
