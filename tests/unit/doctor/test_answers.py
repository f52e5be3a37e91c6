"""What the doctor makes of answers that the emulated AWS never gives."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from pull_responder.doctor import functions, queues, rules, sdk, security_hub, stack, subscribers, table, trail
from pull_responder.doctor.resource import Resource
from pull_responder.doctor.result import State
from pull_responder.model.unread import Unread
from tests.unit.doctor.answers import ACCOUNT, REGION, Answers, deployment, examine

MANAGER = "999988887777"
FUNCTION = Resource("Function", "AWS::Lambda::Function", "diagnose", {"Description": "Finds out why"})
MAPPING = Resource("Mapping", "AWS::Lambda::EventSourceMapping", "uuid-1", {"FunctionName": {"Ref": "Function"}})


def arn(name: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:cloudtrail:{REGION}:{account}:trail/{name}"


def refused(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")


def trails(**kinds: Any) -> dict[str, Any]:  # noqa: ANN401 -- what a trail's selectors answer
    """Answers about logging trails by name: a ReadWriteType, or what GetEventSelectors fails with."""

    def selectors(TrailName: str) -> Any:  # noqa: ANN401, N803 -- boto3's name
        kind = kinds[TrailName.rpartition("/")[2]]
        return kind if isinstance(kind, Exception) else {"EventSelectors": [{"ReadWriteType": kind}]}

    listed = [
        {"TrailARN": arn(name, MANAGER if name == "org" else ACCOUNT), "HomeRegion": "us-east-1"} for name in kinds
    ]
    return {
        "describe_trails": {"trailList": listed},
        "get_trail_status": {"IsLogging": True},
        "get_event_selectors": selectors,
    }


def test_one_trail_is_made_for_reads_and_writes() -> None:
    reads, writes = examine(trail.CHECK, **trails())
    assert [each[1:3] for each in reads.commands] == [
        ("s3api", "create-bucket"),
        ("s3api", "put-bucket-policy"),
        ("cloudtrail", "create-trail"),
        ("cloudtrail", "start-logging"),
    ]
    assert (writes.state, writes.commands) == (State.BROKEN, ())
    assert writes.step == "The commands that mend the trail for reads mend this, too"


DENIED = refused("AccessDeniedException", "not authorized")


@pytest.mark.parametrize(
    ("kinds", "state"),
    [
        ({"org": "All"}, State.WORKS),
        ({"mine": "WriteOnly", "org": "All"}, State.WORKS),
        ({"mine": DENIED, "org": "All"}, State.WORKS),
        ({"mine": DENIED, "org": "WriteOnly"}, State.UNREAD),
        ({"mine": "WriteOnly", "org": "WriteOnly"}, State.BROKEN),
        ({}, State.BROKEN),
    ],
)
def test_one_trail_that_logs_reads_is_enough_and_an_unread_one_proves_nothing(
    kinds: dict[str, Any], state: State
) -> None:
    reads, _ = examine(trail.CHECK, **trails(**kinds))
    assert reads.state is state


def test_the_trail_of_the_organization_is_changed_in_its_own_account_and_region() -> None:
    reads, writes = examine(trail.CHECK, **trails(org="WriteOnly"))

    assert (reads.account, writes.state) == (MANAGER, State.WORKS)
    assert f"belongs to account {MANAGER}" in reads.step
    (command,) = reads.commands
    assert command[:3] == ("aws", "cloudtrail", "put-event-selectors")
    assert {arn("org", MANAGER), "us-east-1"} < set(command)


def test_our_own_trail_is_changed_rather_than_that_of_the_organization() -> None:
    reads, _ = examine(trail.CHECK, **trails(org="WriteOnly", mine="WriteOnly"))
    assert (reads.account, arn("mine") in reads.commands[0]) == ("", True)


@pytest.mark.parametrize(
    ("kinds", "state"),
    [
        ({"mine": ["kms.amazonaws.com"]}, State.OFF),
        ({"mine": ["kms.amazonaws.com"], "org": DENIED}, State.UNREAD),
        ({"mine": ["kms.amazonaws.com"], "org": []}, None),
        ({"mine": ["rdsdata.amazonaws.com"]}, None),
    ],
)
def test_changes_of_keys_that_every_trail_leaves_out_are_said(kinds: dict[str, Any], state: State | None) -> None:
    def selectors(TrailName: str) -> Any:  # noqa: ANN401, N803 -- boto3's name
        excluded = kinds[TrailName.rpartition("/")[2]]
        if isinstance(excluded, Exception):
            return excluded
        return {"EventSelectors": [{"ReadWriteType": "All", "ExcludeManagementEventSources": excluded}]}

    reads, writes, *keys = examine(trail.CHECK, **(trails(**kinds) | {"get_event_selectors": selectors}))
    assert (reads.state, writes.state) == (State.WORKS, State.WORKS)
    assert [each.state for each in keys] == ([state] if state else [])
    assert all("key of a repository" in each.meaning and not each.commands for each in keys)


def test_a_trail_without_room_for_a_selector_has_no_command() -> None:
    full = [{"IncludeManagementEvents": False, "DataResources": [{"Type": "AWS::S3::Object"}]}] * 5
    answers = trails(mine="All") | {"get_event_selectors": {"EventSelectors": full}}
    for each in examine(trail.CHECK, **answers):
        assert (each.state, each.commands) == (State.BROKEN, ())
        assert arn("mine") in each.step


@pytest.mark.parametrize(
    ("configuration", "state", "found"),
    [
        ({"State": "Active", "LastUpdateStatus": "Successful"}, State.WORKS, "state Active"),
        ({"State": "Inactive"}, State.WORKS, "state Inactive"),
        ({"State": "Pending"}, State.UNREAD, "its state is Pending"),
        ({}, State.UNREAD, "its state is None"),
        ({"State": "Failed", "StateReason": "no role"}, State.BROKEN, "its state is Failed: no role"),
        (
            {"State": "Active", "LastUpdateStatus": "Failed", "LastUpdateStatusReason": "no layer"},
            State.BROKEN,
            "its last update failed: no layer",
        ),
    ],
)
def test_the_state_of_a_function(configuration: dict[str, str], state: State, found: str) -> None:
    (result,) = examine(functions.CHECK, FUNCTION, get_function={"Configuration": configuration})
    assert (result.state, result.found) == (state, found)


@pytest.mark.parametrize(
    ("answer", "state", "found"),
    [
        ({"State": "Enabled", "LastProcessingResult": "OK"}, State.WORKS, "Enabled"),
        ({"State": "Enabled"}, State.WORKS, "Enabled"),
        ({"State": "Updating"}, State.UNREAD, "its state is Updating"),
        ({"State": "Disabling"}, State.BROKEN, "its state is Disabling"),
        (
            {"State": "Enabled", "LastProcessingResult": "PROBLEM: Function call failed"},
            State.BROKEN,
            "Lambda says of the last messages: PROBLEM: Function call failed",
        ),
    ],
)
def test_the_state_of_a_mapping(answer: dict[str, str], state: State, found: str) -> None:
    *_, result = examine(
        functions.CHECK,
        FUNCTION,
        MAPPING,
        get_function={"Configuration": {"State": "Active"}},
        get_event_source_mapping=answer,
    )
    assert (result.state, result.found, result.subject) == (state, found, "event source mapping uuid-1")


def test_a_function_that_was_deleted() -> None:
    gone = refused("ResourceNotFoundException", "Function not found")
    function, mapping = examine(functions.CHECK, FUNCTION, MAPPING, get_function=gone, get_event_source_mapping=gone)
    assert (function.state, mapping.state) == (State.BROKEN, State.BROKEN)
    assert function.found == mapping.found == "it does not exist"


@pytest.mark.parametrize(
    ("deployed", "command"),
    [
        ({}, "aws lambda delete-function-concurrency --function-name diagnose"),
        (
            {"ReservedConcurrentExecutions": 4},
            "aws lambda put-function-concurrency --function-name diagnose --reserved-concurrent-executions 4",
        ),
    ],
)
def test_what_was_reserved_is_put_back(deployed: dict[str, int], command: str) -> None:
    function = replace(FUNCTION, properties={**FUNCTION.properties, **deployed})
    answer = {"Configuration": {"State": "Active"}, "Concurrency": {"ReservedConcurrentExecutions": 0}}
    (result,) = examine(functions.CHECK, function, get_function=answer)
    assert (result.state, [" ".join(each) for each in result.commands]) == (
        State.BROKEN,
        [f"{command} --region {REGION}"],
    )


def test_a_table_that_is_gone() -> None:
    gone = refused("ResourceNotFoundException", "Table not found")
    own = Resource("Findings172CF60E", "AWS::DynamoDB::GlobalTable", "findings")
    for resources, step in (
        ([own], "Remove the stack and deploy it again"),
        ([FUNCTION], "`existingTable` is true. Let `tableName` name a table that is there, or set `existingTable` to"),
    ):
        here = deployment(*resources, TableName="findings")
        (result,) = table.CHECK.examine(here, Answers(describe_table=gone))  # type: ignore[arg-type]
        assert (result.state, result.found) == (State.BROKEN, "it does not exist")
        assert result.step.startswith(step)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("UPDATE_COMPLETE", State.WORKS),
        ("UPDATE_ROLLBACK_COMPLETE", State.WORKS),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", State.UNREAD),
        ("UPDATE_ROLLBACK_FAILED", State.BROKEN),
        ("DELETE_FAILED", State.BROKEN),
        ("CREATE_FAILED", State.BROKEN),
    ],
)
def test_the_status_of_the_stack(status: str, state: State) -> None:
    (result,) = examine(stack.CHECK, status=status)
    assert (result.state, status in result.found) == (state, True)


def hub(setting: str, answer: object, outcome: str = "ready") -> list[Any]:
    variables = {"Environment": {"Variables": {"SECURITY_HUB_ENABLED": setting}}}
    function = Resource("Function", "AWS::Lambda::Function", "diagnose", variables)
    stack = deployment(function, DiagnoseFunctionName="diagnose", SecurityHubSetup=outcome)
    return list(security_hub.CHECK.examine(stack, Answers(describe_hub=answer)))  # type: ignore[arg-type]


def test_only_the_words_for_off_say_that_security_hub_is_off() -> None:
    off = refused("InvalidAccessException", f"Account {ACCOUNT} is not subscribed to AWS Security Hub")
    other = refused("InvalidAccessException", "The account doesn't have permission to perform this action")
    assert [each.state for each in hub("true", off)] == [State.BROKEN]
    assert [each.state for each in hub("true", other)] == [State.UNREAD]
    assert [each.state for each in hub("false", off)] == [State.OFF]
    assert [each.state for each in hub("true", {"HubArn": "arn"})] == [State.WORKS, State.WORKS]


def test_what_was_not_set_up_in_security_hub_is_said_in_the_words_of_the_deployment() -> None:
    _, insights = hub("true", {"HubArn": "arn"}, outcome="Security Hub is off")
    assert (insights.state, insights.found) == (State.BROKEN, "Security Hub is off")


def test_the_sdk_of_the_functions_is_told_where_their_layer_tells_it() -> None:
    old, new = (
        Resource("Layer", "AWS::Lambda::LayerVersion", "layer-1", {"Description": description})
        for description in ("The packages, the AWS SDK for Python among them", "The packages, with boto3 1.43.106")
    )
    assert examine(sdk.CHECK, old) == []
    (told,) = examine(sdk.CHECK, new)
    assert (told.state, told.found) == (State.WORKS, f"boto3 1.43.106; here it is {boto3.__version__}")


def test_a_subscription_that_has_ended_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:topic"
    listed = [
        {"SubscriptionArn": "Deleted", "Protocol": "email", "Endpoint": "ops@example.com"},
        {"SubscriptionArn": f"{topic}:1", "Protocol": "sqs", "Endpoint": "arn:queue"},
    ]
    monkeypatch.setattr(subscribers, "pages", lambda *_, **__: listed)
    mail = {"TopicArn": topic, "Protocol": "email", "Endpoint": "ops@example.com"}
    here = deployment(Resource("Mail", "AWS::SNS::Subscription", "x", mail), TopicArn=topic)

    queue, lost = subscribers.CHECK.examine(here, Answers())  # type: ignore[arg-type]

    assert (queue.state, queue.subject) == (State.WORKS, "subscriber arn:queue by sqs")
    assert (lost.state, lost.subject, lost.commands[0][:3]) == (
        State.BROKEN,
        "subscriber ops@example.com by email",
        ("aws", "sns", "subscribe"),
    )


@pytest.mark.parametrize(
    ("source", "region", "state"),
    [
        ("aws.iam", REGION, State.OFF),
        ("aws.organizations", REGION, State.OFF),
        ("aws.iam", "us-east-1", State.WORKS),
        ("aws.ec2", REGION, State.WORKS),
    ],
)
def test_events_of_a_global_service_have_to_be_forwarded(
    monkeypatch: pytest.MonkeyPatch, source: str, region: str, state: State
) -> None:
    pattern = {"source": [source]}
    rule = Resource("Rule", "AWS::Events::Rule", "rule", {"EventPattern": pattern, "Description": "A role was changed"})
    monkeypatch.setattr(rules, "pages", lambda *_, **__: [])
    here = replace(deployment(rule), region=region)
    answers = Answers(describe_rule={"State": "ENABLED", "EventPattern": json.dumps(pattern)})

    (result,) = rules.CHECK.examine(here, answers)  # type: ignore[arg-type]

    assert (result.state, result.commands) == (state, ())
    assert ("A role was changed" in result.meaning) is (state is State.OFF)


@pytest.mark.parametrize("state", ["ENABLED", "DISABLED"])
def test_a_rule_on_a_bus_of_ones_own_is_looked_at_and_mended_there(monkeypatch: pytest.MonkeyPatch, state: str) -> None:
    """CloudFormation's id of such a rule has the bus before its name. Members forward what IAM sends to one region."""
    pattern = {"source": ["aws.iam"]}
    bus = Resource("Bus", "AWS::Events::EventBus", "pull-responder")
    properties = {"EventPattern": pattern, "EventBusName": {"Ref": "Bus"}}
    rule = Resource("Rule", "AWS::Events::Rule", "pull-responder|RoleChanged", properties)
    asked: list[dict[str, Any]] = []

    def describe(**about: Any) -> dict[str, Any]:  # noqa: ANN401 -- what is asked for
        asked.append(about)
        return {"State": state, "EventPattern": json.dumps(pattern)}

    monkeypatch.setattr(rules, "pages", lambda *_, **__: [])
    (result,) = examine(rules.CHECK, bus, rule, describe_rule=describe)
    assert asked == [{"Name": "RoleChanged", "EventBusName": "pull-responder"}]
    assert result.subject == "rule RoleChanged"
    if state == "ENABLED":
        assert result.state is State.WORKS
        return
    (command,) = result.commands
    assert command[command.index("--name") + 1] == "RoleChanged"
    assert command[command.index("--event-bus-name") + 1] == "pull-responder"


def test_the_policy_of_a_queue_that_cannot_be_read_is_unread() -> None:
    url = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}"
    events = Resource("Events", "AWS::SQS::Queue", f"{url}/events", {})
    other = Resource("Other", "AWS::SQS::Queue", f"{url}/other", {})
    document = {"Statement": [{"Sid": "Rules", "Effect": "Allow"}]}
    policy = Resource(
        "Policy", "AWS::SQS::QueuePolicy", "policy", {"Queues": [{"Ref": "Events"}], "PolicyDocument": document}
    )
    results = examine(queues.CHECK, events, other, policy, get_queue_attributes=refused("AccessDenied", "no"))
    assert [(each.subject, each.state) for each in results] == [
        ("queue events", State.UNREAD),
        ("policy of queue events", State.UNREAD),
        # The stack gives this one none.
        ("queue other", State.UNREAD),
    ]


def test_a_template_that_cannot_be_read_is_said_of_the_stack() -> None:
    here = replace(deployment(), template=Unread("cloudformation:GetTemplate failed"))
    status, template = stack.CHECK.examine(here, Answers())  # type: ignore[arg-type]
    assert (status.state, template.state) == (State.WORKS, State.UNREAD)
    assert (template.subject, template.found) == (
        "template of stack PullResponder",
        "cloudformation:GetTemplate failed",
    )
