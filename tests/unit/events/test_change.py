"""The events that start a recheck: changes and the schedule; and events that are neither."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from infra import change_patterns
from pull_responder.events.change import SERVICES, Change, Wakeup, read_change, read_record
from pull_responder.events.outcome import Skipped, UnusableEvent

ACCOUNT, MOMENT = "111111111111", "2026-03-01T12:00:00Z"
KEY = "arn:aws:kms:eu-west-1:111111111111:key/01234567-89ab-cdef-0123-456789abcdef"


def call(service: str, name: str, asked: Any = None, **detail: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    """A CloudTrail record of a call, as EventBridge delivers it."""
    return {
        "source": f"aws.{service}",
        "detail-type": "AWS API Call via CloudTrail",
        "account": ACCOUNT,
        "region": "eu-west-1",
        "time": "2026-03-01T12:01:00Z",
        "detail": {
            "eventSource": f"{service}.amazonaws.com",
            "eventName": name,
            "eventTime": MOMENT,
            "awsRegion": "eu-west-1",
            "requestParameters": asked,
            **detail,
        },
    }


def read(event: object, *, account: str | None = ACCOUNT) -> object:
    return read_change(json.dumps(event), account=account)


def change(service: str, name: str, *words: str, **fields: Any) -> Change:  # noqa: ANN401 -- any field of Change
    place = {"account": ACCOUNT, "region": "eu-west-1", "at": MOMENT}
    return Change(service, name, words=frozenset(words), **{**place, **fields})


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (
            call("iam", "AttachRolePolicy", {"roleName": "node", "policyArn": "arn:aws:iam::aws:policy/service/Pull"}),
            change(
                *("iam", "AttachRolePolicy", "node", "arn:aws:iam::aws:policy/service/Pull", "service/Pull"),
                role="node",
                policy="Pull",
            ),
        ),
        (
            call("iam", "PutRolePolicy", {"roleName": "node", "policyName": "pull", "policyDocument": '{"a": 1}'}),
            change("iam", "PutRolePolicy", "node", "pull", role="node", policy="pull"),
        ),
        (
            call("iam", "AddRoleToInstanceProfile", {"roleName": "node", "instanceProfileName": "nodes"}),
            change("iam", "AddRoleToInstanceProfile", "node", "nodes"),
        ),
        (
            call("ecr", "SetRepositoryPolicy", {"repositoryName": "team/app", "policyText": "{ }", "force": False}),
            change("ecr", "SetRepositoryPolicy", "team/app", repository="team/app"),
        ),
        (
            call("ecr", "TagResource", {"resourceArn": "arn:aws:ecr:eu-west-1:111111111111:repository/team/app"}),
            change(
                *("ecr", "TagResource", "arn:aws:ecr:eu-west-1:111111111111:repository/team/app", "team/app"),
                repository="team/app",
            ),
        ),
        (call("ecr", "DeleteRegistryPolicy"), change("ecr", "DeleteRegistryPolicy")),
        # As EC2 writes its newer calls: the request by its name, lists as numbered objects.
        (
            call(
                "ec2",
                "CreateVpcEndpoint",
                {"CreateVpcEndpointRequest": {"VpcId": "vpc-1", "RouteTableId": [{"tag": 1, "content": "rtb-1"}]}},
            ),
            change("ec2", "CreateVpcEndpoint", "vpc-1", "rtb-1"),
        ),
        (
            call(
                "ec2", "TerminateInstances", {"instancesSet": {"items": [{"instanceId": "i-1"}, {"instanceId": "i-2"}]}}
            ),
            change("ec2", "TerminateInstances", "i-1", "i-2"),
        ),
        (
            call("kms", "EnableKey", {"keyId": KEY}, resources=[{"ARN": KEY, "type": "AWS::KMS::Key"}]),
            change("kms", "EnableKey", KEY, "01234567-89ab-cdef-0123-456789abcdef"),
        ),
        (
            {**call("organizations", "DetachPolicy", {"policyId": "p-1", "targetId": "ou-1"}), "account": "2" * 12},
            change("organizations", "DetachPolicy", "p-1", "ou-1", account="222222222222"),
        ),
        # IAM's events say that they happened in us-east-1 also where they were forwarded to another region.
        (
            call("iam", "CreateRole", {"roleName": "node"}, awsRegion="us-east-1"),
            change("iam", "CreateRole", "node", role="node", region="us-east-1"),
        ),
        (
            call("iam", "DeleteRolePolicy", {"roleName": "node", "policyName": "not <a> name"}),
            change("iam", "DeleteRolePolicy", "node", role="node"),
        ),
        (
            call("iam", "CreateRole", {"roleName": "not a name"}, eventTime=None),
            change("iam", "CreateRole", at="2026-03-01T12:01:00Z"),
        ),
    ],
)
def test_a_change_says_what_it_is_about(event: dict[str, Any], expected: Change) -> None:
    assert read(event) == expected


@pytest.mark.parametrize(
    ("detail_type", "detail", "expected"),
    [
        (
            "ECR Image Action",
            {"action-type": "PUSH", "result": "SUCCESS", "repository-name": "team/app", "image-tag": "v1"},
            change("ecr", "ECR Image Action", "team/app", repository="team/app"),
        ),
        (
            "ECR Pull Through Cache Action",
            {"sync-status": "SUCCESS", "repository-name": "hub/alpine"},
            change("ecr", "ECR Pull Through Cache Action", "hub/alpine", repository="hub/alpine"),
        ),
        (
            "ECR Image Action",
            {"action-type": "PUSH", "result": "FAILURE", "repository-name": "team/app"},
            Skipped("an ECR Image Action that added no image"),
        ),
        (
            "ECR Image Action",
            {"action-type": "DELETE", "result": "SUCCESS", "repository-name": "team/app"},
            Skipped("an ECR Image Action that added no image"),
        ),
        (
            "ECR Pull Through Cache Action",
            {"sync-status": "FAILURE", "repository-name": "hub/alpine"},
            Skipped("an ECR Pull Through Cache Action that added no image"),
        ),
    ],
)
def test_ecr_itself_tells_of_images_that_come(detail_type: str, detail: dict[str, str], expected: object) -> None:
    assert read({**call("ecr", ""), "detail-type": detail_type, "time": MOMENT, "detail": detail}) == expected


CLOCK = {"source": "aws.events", "detail-type": "Scheduled Event", "account": ACCOUNT, "time": MOMENT, "detail": {}}


def test_the_schedule_is_a_wakeup() -> None:
    assert read(CLOCK) == Wakeup(MOMENT)
    assert read({**CLOCK, "account": "222222222222"}, account=None) == Wakeup(MOMENT)
    not_ours = Skipped("an event of EventBridge that is not from our schedule")
    assert read({**CLOCK, "account": "222222222222"}) == read({**CLOCK, "detail-type": "Other"}) == not_ours


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (
            call("iam", "AttachRolePolicy", errorCode="AccessDenied"),
            "AttachRolePolicy failed with AccessDenied, so nothing has changed",
        ),
        (
            call("ecr", "CreateRepository", eventSource="ecr-public.amazonaws.com"),
            "a call to ecr-public.amazonaws.com, not to ecr",
        ),
        (call("ec2", "CreateRoute", eventSource="ec2.example.com"), "a call to ec2.example.com, not to ec2"),
        (call("s3", "PutBucketPolicy"), "an event of aws.s3, whose changes do not affect pulls"),
        ({**call("iam", "CreateRole"), "source": "iam"}, "an event of iam, whose changes do not affect pulls"),
        (
            {**call("iam", "CreateRole"), "detail-type": "AWS Service Event via CloudTrail"},
            "an event of aws.iam, whose changes do not affect pulls",
        ),
        ({**call("iam", "CreateRole"), "account": "me"}, "CreateRole without account or region"),
        ({"detail": {}}, "an event of an unnamed source, whose changes do not affect pulls"),
    ],
)
def test_what_changes_nothing_is_skipped(event: dict[str, Any], reason: str) -> None:
    assert read(event) == Skipped(reason)


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        ([], "body is not an event but a list"),
        ({"source": "aws.iam"}, "body.detail is not an object but null"),
        (call("iam", ""), "body.detail.eventName is not the name of a call"),
        (call("iam", "Create\nRole"), "body.detail.eventName is not the name of a call"),
    ],
)
def test_a_body_that_is_not_an_event_is_unusable(event: object, problem: str) -> None:
    with pytest.raises(UnusableEvent) as unusable:
        read(event)
    assert str(unusable.value) == problem


def test_text_that_is_no_json_is_unusable() -> None:
    with pytest.raises(UnusableEvent, match=r"^body is not JSON: Expecting value at line 1, column 1$"):
        read_change("no event", account=None)


def test_with_too_many_names_there_are_none() -> None:
    ids = [f"i-{number:017x}" for number in range(3_000)]
    assert read(call("ec2", "TerminateInstances", ids[:1_000])) == change("ec2", "TerminateInstances")
    few, many = ({"instancesSet": {"items": ids[:number]}} for number in (1_000, 3_000))
    assert read(call("ec2", "TerminateInstances", few)) == change("ec2", "TerminateInstances", *ids[:1_000])
    assert read(call("ec2", "TerminateInstances", many)) == change("ec2", "TerminateInstances")


def test_a_name_is_short_and_plain() -> None:
    asked = {"a": "x" * 513, "b": "two words", "c": "-dash", "d": "na\u0131ve", "e": "", "f": "line\n", "g": "fine_1"}
    assert read(call("eks", "UpdateClusterConfig", asked)) == change("eks", "UpdateClusterConfig", "fine_1")


def test_the_services_are_those_that_the_stack_has_rules_for() -> None:
    assert {service for service, _, _ in change_patterns._CALLS.values()} == SERVICES


@pytest.mark.parametrize(
    ("identity", "by"),
    [
        (
            {"type": "AssumedRole", "arn": "arn:aws:sts::111111111111:assumed-role/admin/jo"},
            "arn:aws:sts::111111111111:assumed-role/admin/jo",
        ),
        ({"type": "AWSService", "invokedBy": "autoscaling.amazonaws.com"}, "autoscaling.amazonaws.com"),
        ({"arn": "arn:aws:iam::111111111111:user/a b", "invokedBy": "no service"}, None),
        ({"arn": "arn:aws:iam::111111111111:user/<!channel>"}, None),
        ({"arn": f"arn:aws:iam::111111111111:user/{'x' * 800}"}, None),
        ({}, None),
    ],
)
def test_a_change_says_who_made_it(identity: dict[str, str], by: str | None) -> None:
    made = read(call("iam", "AttachRolePolicy", {"roleName": "node"}, userIdentity=identity, eventID="0-1"))
    assert isinstance(made, Change)
    assert (made.by, made.event_id) == (by, "0-1")


def test_an_event_id_that_is_none_is_left_out() -> None:
    made = read(call("iam", "AttachRolePolicy", {"roleName": "node"}, eventID="<b>"))
    assert isinstance(made, Change)
    assert (made.by, made.event_id) == (None, None)


RECORD: dict[str, Any] = {
    "eventSource": "iam.amazonaws.com",
    "eventName": "AttachRolePolicy",
    "awsRegion": "us-east-1",
    "readOnly": False,
    "recipientAccountId": ACCOUNT,
    "eventTime": MOMENT,
    "requestParameters": {"roleName": "node"},
    "userIdentity": {"arn": f"arn:aws:iam::{ACCOUNT}:user/jo"},
    "eventID": "e-1",
}


def test_a_record_by_itself_is_read_as_in_an_event() -> None:
    expected = change("iam", "AttachRolePolicy", "node", role="node", region="us-east-1")
    made = read_record(json.dumps(RECORD), where="record 1")
    assert made == replace(expected, by=f"arn:aws:iam::{ACCOUNT}:user/jo", event_id="e-1")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"readOnly": True}, "a call that is not said to change anything"),
        ({"readOnly": None}, "a call that is not said to change anything"),
        ({"eventSource": "s3.amazonaws.com"}, "a call to s3, whose changes do not affect pulls"),
        ({"eventSource": ""}, "a call to an unnamed service, whose changes do not affect pulls"),
    ],
)
def test_a_record_of_what_changes_nothing_is_skipped(fields: dict[str, Any], reason: str) -> None:
    assert read_record(json.dumps({**RECORD, **fields}), where="record 1") == Skipped(reason)


def test_a_record_that_is_none_is_unusable() -> None:
    with pytest.raises(UnusableEvent, match=r"^record 1 is not a record but a list$"):
        read_record("[]", where="record 1")


def test_a_source_of_any_length_is_cut() -> None:
    found = read({**call("iam", "x"), "source": "s" * 500})
    assert found == Skipped(f"an event of {'s' * 80}, whose changes do not affect pulls")


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        # Only a resource of ECR is a repository.
        (
            call("ecr", "TagResource", {"resourceArn": "arn:aws:s3:::repository/team/app"}),
            change("ecr", "TagResource", "arn:aws:s3:::repository/team/app", "team/app"),
        ),
        (
            call("secretsmanager", "PutSecretValue", {"secretId": "arn:aws:secretsmanager:eu-west-1:111111111111:s"}),
            change("secretsmanager", "PutSecretValue", "arn:aws:secretsmanager:eu-west-1:111111111111:s", "s"),
        ),
        (call("ec2", "CreateRoute", awsRegion=None), change("ec2", "CreateRoute")),
        (call("ec2", "CreateRoute", awsRegion="us-east-1"), change("ec2", "CreateRoute", region="us-east-1")),
        ({**call("ec2", "CreateRoute"), "region": None}, change("ec2", "CreateRoute")),
        (
            {**call("ec2", "CreateRoute", recipientAccountId="2" * 12), "account": None},
            change("ec2", "CreateRoute", account="222222222222"),
        ),
        (
            call("ec2", "CreateRoute", recipientAccountId="2" * 12),
            change("ec2", "CreateRoute"),
        ),
        (
            call("ec2", "CreateRoute", eventSource="ec2.amazonaws.com.cn", awsRegion="cn-north-1"),
            change("ec2", "CreateRoute", region="cn-north-1"),
        ),
        (
            call("ec2", "CreateRoute", resources=[{"ARN": KEY}, {"ARN": 7}, None]),
            change("ec2", "CreateRoute", KEY, "01234567-89ab-cdef-0123-456789abcdef"),
        ),
        # A role is only what a call of IAM is about, and a repository only what one of ECR is.
        (
            call("ec2", "CreateRoute", {"roleName": "node", "repositoryName": "app"}),
            change("ec2", "CreateRoute", "node", "app"),
        ),
        (
            call("iam", "CreateRole", {"roleName": "node", "repositoryName": "app"}),
            change("iam", "CreateRole", "node", "app", role="node"),
        ),
    ],
)
def test_where_a_change_happened_and_what_it_is_about(event: dict[str, Any], expected: Change) -> None:
    assert read(event) == expected


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (
            {**call("ec2", "CreateRoute", awsRegion=None), "region": "x"},
            "CreateRoute without account or region",
        ),
        (
            call("ec2", "CreateRoute", errorCode="E" * 100),
            f"CreateRoute failed with {'E' * 80}, so nothing has changed",
        ),
        (call("ec2", "CreateRoute", eventSource=None), "a call to an unnamed service, not to ec2"),
        (call("ec2", "CreateRoute", eventSource=f"{'e' * 100}.x"), f"a call to {'e' * 80}, not to ec2"),
    ],
)
def test_a_call_that_changes_nothing_that_can_be_found_is_skipped(event: dict[str, Any], reason: str) -> None:
    assert read(event) == Skipped(reason)


@pytest.mark.parametrize("detail_type", ["ECR Image Action", "ECR Pull Through Cache Action"])
def test_an_image_that_comes_needs_a_place_and_may_lack_a_name(detail_type: str) -> None:
    detail = {"action-type": "PUSH", "result": "SUCCESS", "sync-status": "SUCCESS", "repository-name": "No Name"}
    event = {**call("ecr", ""), "detail-type": detail_type, "time": MOMENT, "detail": detail}
    assert read(event) == change("ecr", detail_type)
    for place in ("account", "region"):
        assert read({**event, place: None}) == Skipped(f"an {detail_type} without account or region")
    # Each of the two events tells its outcome in a field of its own.
    other = "sync-status" if detail_type == "ECR Image Action" else "result"
    assert read({**event, "detail": {**detail, other: "FAILURE"}}) == change("ecr", detail_type)
    assert read({**event, "source": "aws.ecr-public"}) == Skipped(
        "an event of aws.ecr-public, whose changes do not affect pulls"
    )


def test_two_thousand_names_are_the_most() -> None:
    ids = [f"i-{number:017x}" for number in range(2_001)]
    few, many = ({"instancesSet": {"items": ids[:number]}} for number in (2_000, 2_001))
    assert read(call("ec2", "TerminateInstances", few)) == change("ec2", "TerminateInstances", *ids[:2_000])
    assert read(call("ec2", "TerminateInstances", many)) == change("ec2", "TerminateInstances")


def test_a_service_of_a_long_name_is_cut() -> None:
    record = json.dumps({**RECORD, "eventSource": "s" * 100})
    assert read_record(record, where="record 1") == Skipped(f"a call to {'s' * 80}, whose changes do not affect pulls")


def test_json_that_is_none_names_the_record() -> None:
    with pytest.raises(UnusableEvent, match=r"^record 1 is not JSON"):
        read_record("{", where="record 1")


@pytest.mark.parametrize("event", [CLOCK, {**CLOCK, "account": None}])
def test_without_an_account_any_schedule_is_ours(event: dict[str, Any]) -> None:
    assert read(event, account=None) == Wakeup(MOMENT)


def test_an_add_on_that_works_again_without_a_detail_names_the_place() -> None:
    event = {"source": "aws.eks", "detail-type": "EKS Addon Health Restored", "detail": {}, "account": ACCOUNT}
    assert read(event) == Skipped("EKS Addon Health Restored without account or region")
