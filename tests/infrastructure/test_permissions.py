"""The role has what is declared, on the narrowest resources that AWS knows, and nothing else."""

from __future__ import annotations

import copy
import json
import re
from fnmatch import fnmatchcase
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from cfnlint.decode import cfn_yaml  # type: ignore[import-untyped]  # it has no types

from infra import permissions
from infra.permissions import SCOPES, PermissionsError
from infra.settings import Settings
from pull_responder.events.canary import PREFIX
from tests.infrastructure.conftest import synthesize

if TYPE_CHECKING:
    from tests.infrastructure.conftest import Synthesized

ROOT = Path(__file__).resolve().parents[2]
PLACES = {"partition": "aws", "account": "111111111111", "region": "eu-west-1"}
NAMES: dict[str, str | tuple[str, ...]] = {
    "topic": "arn:aws:sns:eu-west-1:111111111111:topic",
    "queue": "arn:aws:sqs:eu-west-1:111111111111:queue",
    "member_role": "Reader",
    "stack": "PullResponder",
    "rules": (
        "arn:{partition}:events:{region}:{account}:rule/*/PullResponder-*",
        "arn:{partition}:events:{region}:{account}:rule/PullResponder-*",
    ),
    "function": "arn:aws:lambda:eu-west-1:111111111111:function:diagnose",
    "topics": "arn:aws:sns:eu-west-1:111111111111:topic",
    "queues": "arn:aws:sqs:eu-west-1:111111111111:queue",
    "table": "arn:aws:dynamodb:eu-west-1:111111111111:table/findings",
    "table_index": "arn:aws:dynamodb:eu-west-1:111111111111:table/findings/index/due",
    "reports": "arn:aws:s3:::reports/problems/*",
}
DEPLOYED_IN = {"AWS::Partition": "aws", "AWS::AccountId": "111111111111", "AWS::Region": "eu-west-1"}
# cfn-lint's copy of AWS's Service Authorization Reference.
REFERENCE: dict[str, Any] = json.loads(
    resources.files("cfnlint.data.AdditionalSpecs").joinpath("Policies.json").read_text()
)


def rendered(value: Any) -> str:  # noqa: ANN401 -- JSON
    """A template's value as text, with what is known at deployment only filled in."""
    match value:
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(map(rendered, parts))
        case {"Fn::Sub": text}:
            return re.sub(r"\$\{(.+?)\}", lambda name: rendered({"Ref": name[1]}), str(text))
        case {"Ref": name}:
            return DEPLOYED_IN.get(str(name), str(name))
        case {"Fn::GetAtt": [name, attribute]}:
            return f"{name}.{attribute}"
        case _:
            return str(value)


def as_list(value: Any) -> list[Any]:  # noqa: ANN401 -- JSON
    return value if isinstance(value, list) else [value]


def allowed(policy: dict[str, Any]) -> set[tuple[str, str]]:
    """Every action with every resource that the policy allows."""
    statements = policy["PolicyDocument"]["Statement"]
    assert {statement["Effect"] for statement in statements} == {"Allow"}
    return {
        (action, rendered(resource))
        for statement in statements
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
    }


def declared(purpose: str, *, function: str = "diagnose", **names: str) -> set[tuple[str, str]]:
    return {
        (action, resource)
        for grant in permissions.grants(permissions.read_declared(function)[purpose], **PLACES, **{**NAMES, **names})
        for action in grant.actions
        for resource in grant.resources
    }


@pytest.mark.parametrize(("name", "feeds"), [("Diagnose", "EventsQueue"), ("Recheck", "ChangesQueue")])
def test_the_role_has_exactly_what_is_declared(name: str, feeds: str, stack: Synthesized) -> None:
    role = stack.named("AWS::IAM::Role", f"{name}Role")[1]
    granting = [policy for policy in role["Policies"] if policy["PolicyName"] != "limits"]
    policies = {policy["PolicyName"]: allowed(policy) for policy in granting}
    queue, _ = stack.named("AWS::SQS::Queue", feeds)
    (topic,) = stack.all_of("AWS::SNS::Topic")
    log, _ = stack.named("AWS::Logs::LogGroup", name)
    (key,) = stack.all_of("AWS::KMS::Key")
    (table,) = stack.all_of("AWS::DynamoDB::GlobalTable")
    arns = {"table": f"{table}.Arn", "table_index": f"{table}.Arn/index/due"}

    assert policies == {
        "read": declared("read", function=name.lower()),
        # Without a bucket for reports nobody may write into any.
        "publish": declared("publish", function=name.lower(), topic=topic) - {("s3:PutObject", NAMES["reports"])},
        "remember": declared("remember", function=name.lower(), **arns),
        "assume": {("sts:AssumeRole", "arn:aws:iam::*:role/PullResponderReadOnly")},
        "run": {
            ("logs:CreateLogStream", f"{log}.Arn"),
            ("logs:PutLogEvents", f"{log}.Arn"),
            ("sqs:DeleteMessage", f"{queue}.Arn"),
            ("sqs:GetQueueAttributes", f"{queue}.Arn"),
            ("sqs:ReceiveMessage", f"{queue}.Arn"),
            ("kms:Decrypt", f"{key}.Arn"),
            ("kms:GenerateDataKey", f"{key}.Arn"),
        },
    }
    assert role.get("ManagedPolicyArns") is None
    assert roles_with_more(stack) == {stack.named("AWS::IAM::Role", "ExamineRole")[0]}


def roles_with_more(stack: Synthesized) -> set[str]:
    """The roles that have a policy beside those in the role itself."""
    return {role["Ref"] for policy in stack.all_of("AWS::IAM::Policy").values() for role in policy["Roles"]}


def test_the_role_of_examinations_reads_what_the_doctor_reads_and_may_not_send_its_canary(
    subscribed: Synthesized,
) -> None:
    role = subscribed.named("AWS::IAM::Role", "ExamineRole")[1]
    policies = {policy["PolicyName"]: allowed(policy) for policy in role["Policies"]}
    log, _ = subscribed.named("AWS::Logs::LogGroup", "Examine")
    (topic,) = subscribed.all_of("AWS::SNS::Topic")
    (table,) = subscribed.all_of("AWS::DynamoDB::GlobalTable")
    queues = [f"{name}.Arn" for name in subscribed.all_of("AWS::SQS::Queue")]
    assert len(queues) == 4
    read = declared("read", function="examine", topics=topic, table=f"{table}.Arn")
    shared = {(action, arn) for action, arn in read if action not in ("lambda:GetFunction", "lambda:GetPolicy")}
    own_queues = {("sqs:GetQueueAttributes", each) for each in queues}
    assert policies == {
        "read": {(action, arn) for action, arn in shared if action != "sqs:GetQueueAttributes"} | own_queues,
        "remember": declared("remember", function="examine", table=f"{table}.Arn"),
        "assume": {("sts:AssumeRole", "arn:aws:iam::*:role/PullResponderReadOnly")},
        "run": {("logs:CreateLogStream", f"{log}.Arn"), ("logs:PutLogEvents", f"{log}.Arn")},
    }
    _, later = subscribed.named("AWS::IAM::Policy", "Examine")
    *granting, denying = later["PolicyDocument"]["Statement"]
    functions = {f"{name}.Arn" for name in subscribed.all_of("AWS::Lambda::Function")}
    assert {
        (action, rendered(arn)) for each in granting for action in each["Action"] for arn in as_list(each["Resource"])
    } == {(action, arn) for action in ("lambda:GetFunction", "lambda:GetPolicy") for arn in functions}
    assert (denying["Effect"], denying["Action"]) == ("Deny", "ecr:BatchGetImage")
    assert rendered(denying["Resource"]) == f"arn:aws:ecr:*:{PLACES['account']}:repository/{PREFIX}*"


# What BatchUpdateFindings takes besides the identifiers (API Reference), and the keys that cover it.
UPDATABLE = {
    "Confidence": {"Confidence"},
    "Criticality": {"Criticality"},
    "Note": {"Note.Text", "Note.UpdatedBy"},
    "RelatedFindings": {"RelatedFindings"},
    "Severity": {"Severity.Label", "Severity.Normalized", "Severity.Product"},
    "Types": {"Types"},
    "UserDefinedFields": {"UserDefinedFields.key", "UserDefinedFields.value"},
    "VerificationState": {"VerificationState"},
    "Workflow": {"Workflow.Status"},
}


@pytest.mark.parametrize("name", ["Diagnose", "Recheck"])
def test_a_function_may_change_the_workflow_status_of_findings_and_nothing_else(name: str, stack: Synthesized) -> None:
    role = stack.named("AWS::IAM::Role", f"{name}Role")[1]
    (limits,) = (policy for policy in role["Policies"] if policy["PolicyName"] == "limits")
    denied: dict[str, Any] = {}
    for statement in limits["PolicyDocument"]["Statement"]:
        assert statement["Effect"] == "Deny"
        assert statement["Action"] == "securityhub:BatchUpdateFindings"
        assert rendered(statement["Resource"]) == "arn:aws:securityhub:eu-west-1:111111111111:hub/default"
        # The keys of one condition are combined with AND: each statement has one.
        ((operator, keys),) = statement["Condition"].items()
        ((key, value),) = keys.items()
        prefix, _, path = key.partition("/")
        assert prefix == "securityhub:ASFFSyntaxPath"
        denied[path] = (operator, value)
    assert denied.pop("Workflow.Status") == ("ForAnyValue:StringEquals", ["NEW", "NOTIFIED"])
    assert set(denied.values()) == {("Null", "false")}
    assert denied.keys() == set().union(*UPDATABLE.values()) - {"Workflow.Status"}


def test_all_that_security_hub_lets_be_updated_is_limited() -> None:
    shape = boto3.client("securityhub", region_name="eu-west-1").meta.service_model.operation_model(
        "BatchUpdateFindings"
    )
    assert shape.input_shape is not None
    members: dict[str, Any] = dict(shape.input_shape.members)
    del members["FindingIdentifiers"]
    assert members.keys() == UPDATABLE.keys()
    for field, paths in UPDATABLE.items():
        if members[field].type_name == "structure":
            assert {f"{field}.{each}" for each in members[field].members} == paths


def test_the_roles_inline_policies_have_room(stack: Synthesized) -> None:
    # IAM User Guide, "IAM and AWS STS quotas": a role's inline policies have 10,240 characters, without white space.
    for role in copy.deepcopy(stack.all_of("AWS::IAM::Role")).values():
        documents = [policy["PolicyDocument"] for policy in role.get("Policies", [])]
        for statement in (each for document in documents for each in document["Statement"]):
            statement["Resource"] = [rendered(each) for each in as_list(statement["Resource"])]
        assert sum(len(json.dumps(each, separators=(",", ":"))) for each in documents) < 10_240


def test_a_recheck_reads_what_the_diagnosis_reads(stack: Synthesized) -> None:
    assert permissions.read_declared("recheck") == permissions.read_declared("diagnose")
    # The index alone is searched; the table's items are only named.
    (table,) = stack.all_of("AWS::DynamoDB::GlobalTable")
    role = stack.named("AWS::IAM::Role", "RecheckRole")[1]
    (remember,) = (policy for policy in role["Policies"] if policy["PolicyName"] == "remember")
    assert {arn for action, arn in allowed(remember) if action == "dynamodb:Query"} == {f"{table}.Arn/index/due"}
    assert {arn for action, arn in allowed(remember) if action != "dynamodb:Query"} == {f"{table}.Arn"}


@pytest.mark.parametrize("name", ["Diagnose", "Recheck"])
def test_roles_are_assumed_in_our_organization_and_in_listed_accounts_only(
    name: str, stack: Synthesized, tmp_path: Path
) -> None:
    def assumes(synthesized: Synthesized) -> dict[tuple[str, ...], object]:
        role = synthesized.named("AWS::IAM::Role", f"{name}Role")[1]
        return {
            tuple(map(rendered, as_list(statement["Resource"]))): statement.get("Condition")
            for policy in role["Policies"]
            for statement in policy["PolicyDocument"]["Statement"]
            if "sts:AssumeRole" in as_list(statement["Action"])
        }

    ours = {"StringEquals": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}}
    assert assumes(stack) == {("arn:aws:iam::*:role/PullResponderReadOnly",): ours}
    settings = Settings(member_role_name="Reader", read_accounts=("222222222222", "111111111111"))
    assert assumes(synthesize(tmp_path, settings)) == {
        ("arn:aws:iam::*:role/Reader",): ours,
        ("arn:aws:iam::111111111111:role/Reader", "arn:aws:iam::222222222222:role/Reader"): None,
    }


def test_the_audit_log_function_may_send_to_the_queues_and_nothing_else(subscribed: Synthesized) -> None:
    role = subscribed.named("AWS::IAM::Role", "AuditLogRole")[1]
    log, _ = subscribed.named("AWS::Logs::LogGroup", "AuditLog")
    queue, _ = subscribed.named("AWS::SQS::Queue", "EventsQueue")
    dead_letters, _ = subscribed.named("AWS::SQS::Queue", "EventsDeadLetters")
    assert {policy["PolicyName"]: allowed(policy) for policy in role["Policies"]} == {
        "publish": declared("publish", function="audit_log", queue=f"{queue}.Arn"),
        "run": {
            ("logs:CreateLogStream", f"{log}.Arn"),
            ("logs:PutLogEvents", f"{log}.Arn"),
            ("sqs:SendMessage", f"{dead_letters}.Arn"),
        },
    }
    assert role.get("ManagedPolicyArns") is None
    assert roles_with_more(subscribed) == {subscribed.named("AWS::IAM::Role", "ExamineRole")[0]}


def test_the_function_of_deployments_may_set_up_security_hub_and_nothing_else(stack: Synthesized) -> None:
    role = stack.named("AWS::IAM::Role", "HubSetupRole")[1]
    log, _ = stack.named("AWS::Logs::LogGroup", "HubSetup")
    hub = "arn:aws:securityhub:eu-west-1:111111111111:hub/default"
    assert {policy["PolicyName"]: allowed(policy) for policy in role["Policies"]} == {
        "publish": {
            ("securityhub:CreateActionTarget", hub),
            ("securityhub:CreateInsight", hub),
            ("securityhub:DeleteActionTarget", hub),
            ("securityhub:DeleteInsight", hub),
            ("securityhub:GetInsights", hub),
            ("securityhub:UpdateInsight", hub),
        },
        "run": {("logs:CreateLogStream", f"{log}.Arn"), ("logs:PutLogEvents", f"{log}.Arn")},
    }
    assert role.get("ManagedPolicyArns") is None


def test_the_member_role_reads_what_the_function_reads() -> None:
    role = cfn_yaml.load(str(ROOT / "infra" / "member-role.yaml"))["Resources"]["Role"]["Properties"]
    (policy,) = role["Policies"]
    assert allowed(policy) == declared("read")
    assert role["AssumeRolePolicyDocument"]["Statement"] == [
        {"Effect": "Allow", "Principal": {"AWS": {"Ref": "ResponderRoleArns"}}, "Action": "sts:AssumeRole"}
    ]
    assert "ManagedPolicyArns" not in role


@pytest.mark.parametrize("action", SCOPES)
def test_a_scope_is_as_narrow_as_aws_knows(action: str) -> None:
    service, _, name = action.partition(":")
    assert name.lower() in REFERENCE.get(service, {}).get("Actions", {}), (
        f"infra/permissions.py: AWS knows no action {action} (Service Authorization Reference)"
    )
    known = REFERENCE[service]["Actions"][name.lower()]
    formats = [
        # The reference is in regular expressions; one letter stands for any text in the middle of an ARN.
        re.compile(re.sub(r"\\\$\\\{[^}]+\\\}", "[^:]*", re.escape(arn)).replace(r"\.\*", ".+"))
        for kind in known.get("Resources", [])
        # The reference spells some kinds of resource in two ways.
        for arn in REFERENCE[service]["Resources"][kind.lower()]["ARNFormats"]
    ]
    scope = SCOPES[action]
    (grant,) = permissions.grants([action], **PLACES, **NAMES)
    granted = list(grant.resources)
    says = f"infra/permissions.py: SCOPES[{action!r}]"
    if formats:
        patterns = ", ".join(each.pattern for each in formats)
        for arn in granted:
            assert any(each.fullmatch(arn) for each in formats), f"{says} grants {arn}; AWS defines {patterns}"
    else:
        assert granted == ["*"], f"{says} grants {granted}, but AWS defines no resource for it: use _ANY"
    assert bool(scope.reason) is any("*" in arn for arn in granted), (
        f"{says} needs a reason exactly where its resources hold a *"
    )


def test_what_is_read_is_only_read() -> None:
    # BatchGetImage is the only call that gives an image's manifest; see facts/images.py for when it is made.
    # LookupEvents shows recorded management events (Service Authorization Reference, CloudTrail: access level Read).
    # SearchTransitGatewayRoutes is the only call that shows a transit gateway's routes (access level List).
    reading = ("Describe*", "Get*", "List*", "BatchGetImage", "LookupEvents", "SearchTransitGatewayRoutes")
    verbs = [action.partition(":")[2] for action in permissions.read_declared("diagnose")["read"]]
    writing = [verb for verb in verbs if not any(fnmatchcase(verb, pattern) for pattern in reading)]
    assert writing == [], f"infra/permissions.json: a check declares {', '.join(writing)}, which is more than reading"


def test_an_action_without_a_scope_stops_the_synthesis() -> None:
    with pytest.raises(
        PermissionsError, match=r'infra/permissions\.py: SCOPES lacks iam:CreateRole, .*: add "iam:CreateRole": Scope\('
    ):
        permissions.grants(["iam:GetRole", "iam:CreateRole"], **PLACES, **NAMES)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"diagnose": ["iam:GetRole"]}', '{"diagnose": {"read": 1}}'])
def test_a_permissions_file_that_says_nothing_stops_the_synthesis(tmp_path: Path, text: str) -> None:
    (tmp_path / "permissions.json").write_text(text)
    with pytest.raises(PermissionsError, match=r"permissions\.json: says nothing usable about diagnose"):
        permissions.read_declared("diagnose", tmp_path / "permissions.json")
