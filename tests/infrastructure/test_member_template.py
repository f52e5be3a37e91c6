"""The template of an organization's members: what it forwards, whom its roles trust, and what it makes where."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from botocore.exceptions import ClientError

from infra import permissions
from infra.change_patterns import CHANGES
from infra.failure_patterns import FAILURES
from infra.member_rules import member_rules
from infra.member_template import template
from infra.rule_pattern import RulePattern
from infra.scan_policies import read_template
from tests.infrastructure.rules import event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pull_responder.emulator.emulated_aws import EmulatedAws

ROOT: Final = Path(__file__).parents[2]
COMMITTED: Final = ROOT / "infra" / "member.yaml"
HUB, MEMBER, HOME, ELSEWHERE = "777777777777", "888888888888", "us-east-1", "eu-west-1"


@pytest.fixture(scope="module")
def written() -> dict[str, Any]:
    return read_template(str(COMMITTED))


def of_kind(written: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """The properties of the resources of a kind, by logical id."""
    return {name: each["Properties"] for name, each in written["Resources"].items() if each["Type"] == kind}


def test_the_template_is_up_to_date() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == template(), "infra/member.yaml is stale: run `make generate`"


def test_it_is_what_a_stack_set_with_service_managed_permissions_takes(written: dict[str, Any]) -> None:
    # CloudFormation API reference, CreateStackSet: without a bucket a template has 51,200 bytes; no macros.
    assert len(COMMITTED.read_bytes()) <= 51_200
    assert "Transform" not in written
    kinds = {each["Type"] for each in written["Resources"].values()}
    assert kinds.isdisjoint(
        {"AWS::CloudFormation::Stack", "AWS::Lambda::Function", "AWS::CloudFormation::CustomResource"}
    )
    assert {each.split("::")[1] for each in kinds} == {"CloudWatch", "Events", "IAM", "Logs", "SQS"}


def sample(rule: RulePattern, **detail: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    """An event that a rule of the hub matches. `detail` replaces members of its detail."""
    pattern = rule.pattern
    filled: dict[str, Any] = {}
    for key, (first, *_) in pattern.get("detail", {}).items():
        match first:
            case {"prefix": text}:
                filled[key] = text
            case {"anything-but": text}:
                filled[key] = f"NOT_{text}"
            case {"exists": False}:
                pass
            case _:
                filled[key] = first
    return event(pattern["source"][0], {**filled, **detail}, pattern["detail-type"][0])


RULES: Final = {**FAILURES, **CHANGES}
REFUSED: Final = {"errorCode": "AccessDenied"}
SAMPLES: Final = [
    *[(name, sample(rule), 1) for name, rule in RULES.items()],
    # Two rules of the hub match these, one rule of a member does.
    ("a node group", sample(CHANGES["Clusters"], eventName="CreateNodegroup"), 1),
    ("a cluster", sample(FAILURES["EksChanged"], eventName="CreateCluster"), 1),
    ("an access entry", sample(CHANGES["Clusters"], eventName="DeleteAccessEntry"), 1),
    ("a route", sample(CHANGES["Routes"], eventName="CreateRoute"), 1),
    ("an endpoint", sample(CHANGES["Networks"], eventName="CreateVpcEndpoint"), 1),
    ("an instance", sample(CHANGES["Instances"], eventName="TerminateInstances"), 1),
    ("a refused layer", sample(FAILURES["EcrImageDenied"], eventName="GetDownloadUrlForLayer"), 1),
    ("refused at an endpoint", sample(FAILURES["EcrTokenDenied"], errorCode="VpceAccessDenied"), 1),
    # No rule of the hub matches these.
    ("a pull", {**sample(FAILURES["EcrImageDenied"]), "detail": {"eventName": "BatchGetImage"}}, 0),
    ("a check that no pull needs", sample(FAILURES["EcrImageDenied"], eventName="BatchCheckLayerAvailability"), 0),
    ("a change that was refused", sample(CHANGES["Roles"], **REFUSED), 0),
    ("a user's policy", sample(CHANGES["Roles"], eventName="AttachUserPolicy"), 0),
    ("a deleted image", sample(CHANGES["ImagePushed"], **{"action-type": "DELETE"}), 0),
    ("somebody who poses as IAM", {**sample(CHANGES["Roles"]), "source": "custom.iam"}, 0),
    ("an alarm of somebody", event("aws.cloudwatch", {"alarmName": "x", "state": {"value": "ALARM"}}, "x"), 0),
]


def matching(patterns: dict[str, Any], happened: dict[str, Any], aws: EmulatedAws) -> list[str]:
    """The names of the patterns that match. An EventBridge engine decides."""
    engine, text = aws.client("events"), json.dumps(happened)
    return [
        name
        for name, pattern in patterns.items()
        if engine.test_event_pattern(EventPattern=json.dumps(pattern), Event=text)["Result"]
    ]


@pytest.mark.parametrize(("what", "happened", "forwarded"), SAMPLES, ids=[each for each, _, _ in SAMPLES])
def test_what_a_rule_of_the_hub_matches_is_forwarded_once(
    what: str, happened: dict[str, Any], forwarded: int, written: dict[str, Any], aws: EmulatedAws
) -> None:
    theirs = {
        name: each["EventPattern"]
        for name, each in of_kind(written, "AWS::Events::Rule").items()
        if name not in {"KubernetesEvents", "Undelivered"}
    }
    assert len(matching(theirs, happened, aws)) == forwarded, what
    ours = {name: each.pattern for name, each in RULES.items()}
    assert bool(matching(ours, happened, aws)) is bool(forwarded), what


def named(rules: Any) -> set[tuple[str, str, str]]:  # noqa: ANN401 -- rules by name
    """What rules match by the name of a call: the call's service, its name, and what its error code has to be."""
    return {
        (each.pattern["source"][0], name, json.dumps(each.pattern["detail"]["errorCode"]))
        for each in rules.values()
        for name in each.pattern.get("detail", {}).get("eventName", [])
    }


def test_members_forward_every_call_that_the_hub_has_a_rule_for() -> None:
    assert named(member_rules()) == named(RULES)
    assert len(named(RULES)) > 80
    of_services = {
        json.dumps(each.pattern) for each in RULES.values() if "eventName" not in each.pattern.get("detail", {})
    }
    assert of_services == {
        json.dumps(each.pattern)
        for each in member_rules().values()
        if "eventName" not in each.pattern.get("detail", {})
    }


def test_the_rules_of_the_template_are_these(written: dict[str, Any]) -> None:
    rules = of_kind(written, "AWS::Events::Rule")
    assert set(rules) == {*member_rules(), "KubernetesEvents", "Undelivered"}
    for name, each in member_rules().items():
        assert rules[name]["EventPattern"] == json.loads(json.dumps(each.pattern)), name
        assert rules[name]["State"] == each.state, name
    needed = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
    assert [name for name, each in rules.items() if each["State"] == needed] == ["EcrDenied"]
    # EventBridge user guide, "Amazon EventBridge quotas".
    assert max(len(json.dumps(each["EventPattern"])) for each in rules.values()) <= 2_048


def test_rules_that_differ_in_more_than_names_are_not_made_one(monkeypatch: pytest.MonkeyPatch) -> None:
    other = RulePattern("x", {**CHANGES["Keys"].pattern, "detail-type": ["Another"]})
    monkeypatch.setattr("infra.member_rules._RULES", {**RULES, "Other": other})
    with pytest.raises(ValueError, match="A KMS key was enabled"):
        member_rules()


def test_each_rule_sends_to_the_hub_and_keeps_what_it_cannot(written: dict[str, Any]) -> None:
    bus = {"Fn::Sub": "arn:${AWS::Partition}:events:${HubRegion}:${HubAccount}:event-bus/pull-responder"}
    rules = of_kind(written, "AWS::Events::Rule")
    for each in rules.values():
        (target,) = each["Targets"]
        assert (target["Arn"], target["RoleArn"]) == (bus, {"Fn::GetAtt": "ForwardRole.Arn"})
        assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": "DeadLetters.Arn"}}
        assert "EventBusName" not in each
    role = of_kind(written, "AWS::IAM::Role")["ForwardRole"]
    (statement,) = role["Policies"][0]["PolicyDocument"]["Statement"]
    assert statement == {"Effect": "Allow", "Action": "events:PutEvents", "Resource": bus}
    policy = written["Resources"]["DeadLettersPolicy"]["Properties"]["PolicyDocument"]
    sources = json.dumps(policy["Statement"][0]["Condition"]["ArnEquals"]["aws:SourceArn"])
    assert {name for name in rules if f'"{name}.Arn"' in sources} == set(rules)


def test_the_alarm_in_a_member_is_the_one_that_the_hub_tells(written: dict[str, Any]) -> None:
    name = {"Fn::Sub": "PullResponder-${HubAccount}-${HubRegion}-undelivered"}
    alarm = written["Resources"]["DeadLettersAlarm"]["Properties"]
    pattern = written["Resources"]["Undelivered"]["Properties"]["EventPattern"]
    assert alarm["AlarmName"] == name
    assert pattern["detail"] == {"alarmName": [name], "state": {"value": ["ALARM"]}}
    assert alarm["Dimensions"] == [{"Name": "QueueName", "Value": {"Fn::GetAtt": "DeadLetters.QueueName"}}]


def statements(written: dict[str, Any], role: str) -> list[dict[str, Any]]:
    (policy,) = written["Resources"][role]["Properties"]["Policies"]
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


def test_the_role_for_reading_may_read_what_checks_declare(written: dict[str, Any]) -> None:
    declared = {action for name in ("diagnose", "recheck") for action in permissions.read_declared(name)["read"]}
    allowed = {action for each in statements(written, "ReadRole") for action in each["Action"]}
    assert allowed == declared | {"securityhub:GetFindings"}
    writes = [each for each in allowed if not re.search(r":(?:BatchGet|Describe|Get|List|Lookup|Search)", each)]
    assert writes == []


def test_the_role_for_importing_may_import_and_nothing_else(written: dict[str, Any]) -> None:
    allowed = {
        action: each["Resource"]
        for each in statements(written, "ImportRole")
        if each["Effect"] == "Allow"
        for action in each["Action"]
    }
    arn = "arn:${AWS::Partition}:securityhub:*:${AWS::AccountId}"
    assert allowed == {
        "securityhub:BatchImportFindings": [{"Fn::Sub": f"{arn}:product/${{AWS::AccountId}}/default"}],
        "securityhub:BatchUpdateFindings": [{"Fn::Sub": f"{arn}:hub/default"}],
    }
    denied = [each for each in statements(written, "ImportRole") if each["Effect"] == "Deny"]
    assert {each["Action"] for each in denied} == {"securityhub:BatchUpdateFindings"}
    conditions = [each["Condition"] for each in denied]
    assert {"Null": {"securityhub:ASFFSyntaxPath/Note.Text": "false"}} in conditions
    assert {
        "ForAnyValue:StringEquals": {"securityhub:ASFFSyntaxPath/Workflow.Status": ["NEW", "NOTIFIED"]}
    } in conditions


def test_the_policies_have_room(written: dict[str, Any]) -> None:
    # IAM User Guide, "IAM and AWS STS quotas": a role's inline policies have 10,240 characters, without white space.
    for role in ("ForwardRole", "ReadRole", "ImportRole"):
        text = json.dumps(statements(written, role), separators=(",", ":")).replace("${AWS::AccountId}", HUB)
        assert len(text) < 10_000, role


Places = dict[tuple[str, str], set[str]]


@pytest.fixture(scope="module")
def organization(aws: EmulatedAws) -> str:
    found: str = aws.client("organizations", account=HUB).describe_organization()["Organization"]["Id"]
    return found


@pytest.fixture(scope="module")
def deployed(aws: EmulatedAws, organization: str) -> Iterator[Places]:
    """The logical ids that CloudFormation makes in each account and region, as a StackSet deploys the template."""
    places: Places = {}
    clients = {
        (account, region): aws.client("cloudformation", account=account, region=region)
        for account in (HUB, MEMBER)
        for region in (HOME, ELSEWHERE)
    }
    values = {"HubAccount": HUB, "HubRegion": HOME, "OrganizationId": organization, "RolesRegion": HOME}
    for place, cloudformation in clients.items():
        cloudformation.create_stack(
            StackName="Members",
            TemplateBody=COMMITTED.read_text(),
            Capabilities=["CAPABILITY_NAMED_IAM"],
            Parameters=[
                {"ParameterKey": key, "ParameterValue": value}
                for key, value in {**values, "FindingsIn": "member"}.items()
            ],
        )
        cloudformation.get_waiter("stack_create_complete").wait(
            StackName="Members", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        resources = cloudformation.describe_stack_resources(StackName="Members")["StackResources"]
        places[place] = {each["LogicalResourceId"] for each in resources}
    yield places
    for cloudformation in clients.values():
        cloudformation.delete_stack(StackName="Members")


def test_a_stack_makes_what_belongs_into_its_account_and_region(deployed: Places) -> None:
    roles, everywhere = {"ReadRole", "ImportRole"}, {"DeadLetters"}
    forwards = {
        *everywhere,
        *("DeadLettersPolicy", "DeadLettersAlarm", "ForwardRole", "Undelivered"),
        *member_rules(),
    }
    # The default bus of the hub's own account and region has the rules of the hub's stack.
    assert deployed == {
        (HUB, HOME): everywhere | roles,
        (HUB, ELSEWHERE): forwards,
        (MEMBER, HOME): forwards | roles,
        (MEMBER, ELSEWHERE): forwards,
    }


@pytest.mark.usefixtures("deployed")
@pytest.mark.parametrize(
    ("account", "name", "may"),
    [
        (HUB, f"PullResponder-diagnose-{HOME}", {"ReadOnly", "ImportFindings"}),
        (HUB, f"PullResponder-recheck-{HOME}", {"ReadOnly", "ImportFindings"}),
        # Another function of the hub reads, and has no findings of its own to import.
        (HUB, f"PullResponder-examine-{HOME}", {"ReadOnly"}),
        (HUB, f"PullResponder-diagnose-{ELSEWHERE}", set()),
        (HUB, f"PullResponderAuditLogs-{HOME}", set()),
        (HUB, "Admin", set()),
        # Its name is right, but the account is not the hub.
        ("999999999999", f"PullResponder-diagnose-{HOME}", set()),
    ],
)
def test_the_roles_of_a_member_trust_the_functions_of_the_hub(
    account: str, name: str, may: set[str], aws: EmulatedAws
) -> None:
    iam = aws.client("iam", account=account)
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
    anything = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [anything]})
    iam.put_role_policy(RoleName=name, PolicyName="assume", PolicyDocument=document)
    own = f"arn:aws:iam::{account}:role/{name}"
    sts = aws.client("sts", account=account)
    session = aws.client("sts", credentials=sts.assume_role(RoleArn=own, RoleSessionName="session")["Credentials"])
    answers = {}
    for role in ("ReadOnly", "ImportFindings"):
        arn = f"arn:aws:iam::{MEMBER}:role/PullResponder{role}"
        try:
            session.assume_role(RoleArn=arn, RoleSessionName="pull-responder")
            answers[role] = "assumed"
        except ClientError as refused:
            answers[role] = refused.response["Error"]["Code"]
    assert answers == {role: "assumed" if role in may else "AccessDenied" for role in answers}


def test_audit_logs_are_sent_by_a_name_that_says_the_region(written: dict[str, Any]) -> None:
    subscriptions = of_kind(written, "AWS::Logs::SubscriptionFilter")
    assert len(subscriptions) == 10
    for number in range(1, 11):
        each = subscriptions[f"Subscription{number}"]
        assert each["FilterName"] == {"Fn::Sub": "PullResponder-${AWS::Region}"}
        assert each["LogGroupName"] == {"Fn::Sub": f"/aws/eks/${{AuditLogCluster{number}}}/cluster"}
        assert each["DestinationArn"] == {
            "Fn::Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${HubAccount}"
            ":destination:PullResponderAuditLogs-${HubRegion}"
        }
        assert each["RoleArn"] == {"Fn::GetAtt": "SubscriptionRole.Arn"}
        assert written["Resources"][f"Subscription{number}"]["Condition"] == f"SendsAuditLogCluster{number}"
    assert written["Resources"]["SubscriptionRole"]["Condition"] == "SendsAuditLogs"
    destination = written["Resources"]["AuditLogDestination"]
    assert destination["Condition"] == "HasDestination"
    policy = json.loads(destination["Properties"]["DestinationPolicy"]["Fn::Sub"])
    (statement,) = policy["Statement"]
    assert statement["Condition"] == {"StringEquals": {"aws:PrincipalOrgID": "${OrganizationId}"}}
    assert destination["Properties"]["TargetArn"] == {
        "Fn::Sub": "arn:${AWS::Partition}:kinesis:${HubRegion}:${HubAccount}:stream/PullResponderAuditLogs"
    }
    assert destination["Properties"]["RoleArn"] == {
        "Fn::Sub": "arn:${AWS::Partition}:iam::${HubAccount}:role/PullResponderAuditLogs-${HubRegion}"
    }
