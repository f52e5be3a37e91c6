"""What the rules take, decided by an EventBridge matching engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from infra.settings import Settings
from tests.infrastructure.conftest import Synthesized, synthesize

if TYPE_CHECKING:
    from pull_responder.emulator.emulated_aws import EmulatedAws


def event(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    """A denied BatchGetImage as EventBridge delivers it; `changed` are fields of its detail."""
    return {
        "version": "0",
        "id": "5b2e2e0c-0000-4000-8000-000000000000",
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.ecr",
        "account": "111111111111",
        "time": "2026-01-01T00:00:00Z",
        "region": "eu-west-1",
        "resources": [],
        "detail": {
            "eventSource": "ecr.amazonaws.com",
            "eventName": "BatchGetImage",
            "errorCode": "AccessDenied",
            "errorMessage": "User: x is not authorized to perform: ecr:BatchGetImage on resource: y",
            "userIdentity": {"type": "AssumedRole"},
            **changed,
        },
    }


SUCCEEDED = event()
del SUCCEEDED["detail"]["errorCode"]
IMAGE, TOKEN = "EcrImageDenied", "EcrTokenDenied"
CACHE, EKS, KUBERNETES = "PullThroughCacheFailed", "EksChanged", "KubernetesEvents"
NAMES = (IMAGE, TOKEN, CACHE, EKS, KUBERNETES)
EVENTS = Path(__file__).parents[1] / "events"


def rules_to(queue: str, stack: Synthesized) -> dict[str, dict[str, Any]]:
    """The rules whose target is the queue with `queue` in its logical id."""
    name, _ = stack.named("AWS::SQS::Queue", queue)
    rules = stack.all_of("AWS::Events::Rule").items()
    return {rule: each for rule, each in rules if each["Targets"][0]["Arn"] == {"Fn::GetAtt": [name, "Arn"]}}


def fixture(name: str, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    """A fixture's event; `changed` are fields of its detail, None for those that are not there."""
    read: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    read["detail"] = {key: value for key, value in {**read["detail"], **changed}.items() if value is not None}
    return read


def eks_call(name: str, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    """A call to EKS that succeeded."""
    detail = {"eventSource": "eks.amazonaws.com", "eventName": name, "requestParameters": {"name": "prod"}, **changed}
    return {**event(), "source": "aws.eks", "detail": detail}


def forwarded(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    return {**fixture("kubernetes_events/failed", **changed), "source": "kubernetes.events"}


@pytest.mark.parametrize(
    ("what", "happened", "taken_by"),
    [
        ("denied manifest", event(), {IMAGE}),
        ("denied manifest, as the API calls it", event(errorCode="AccessDeniedException"), {IMAGE}),
        ("denied layer", event(eventName="GetDownloadUrlForLayer"), {IMAGE}),
        ("denied token", event(eventName="GetAuthorizationToken"), {TOKEN}),
        (
            "denied token, as the API calls it",
            event(eventName="GetAuthorizationToken", errorCode="AccessDeniedException"),
            {TOKEN},
        ),
        ("a pull that succeeded", SUCCEEDED, set()),
        ("no error", event(errorCode=None), set()),
        ("another error", event(errorCode="RepositoryNotFoundException"), set()),
        ("an error that only begins alike", event(errorCode="AccessDeniedByPolicyException"), set()),
        ("another case", event(errorCode="accessdenied"), set()),
        ("a call that a pull does without", event(eventName="BatchCheckLayerAvailability"), set()),
        ("a push", event(eventName="PutImage"), set()),
        ("a name that only begins alike", event(eventName="BatchGetImageScanResults"), set()),
        ("public ECR", event(eventSource="ecr-public.amazonaws.com"), set()),
        ("another service", {**event(), "source": "aws.eks"}, set()),
        ("one who poses as ECR", {**event(), "source": "custom.ecr"}, set()),
        ("ECR's own event", {**event(), "detail-type": "ECR Image Action"}, set()),
        ("a cache that could not fetch", fixture("pull_through_cache_failed"), {CACHE}),
        (
            "a cache that could not fetch, and why is not said",
            fixture("pull_through_cache_failed", **{"failure-code": None, "failure-reason": None}),
            {CACHE},
        ),
        (
            "a cache that fetched",
            fixture("pull_through_cache_failed", **{"sync-status": "SUCCESS", "failure-code": None}),
            set(),
        ),
        ("a new node group", eks_call("CreateNodegroup"), {EKS}),
        ("new subnets of a cluster", eks_call("UpdateClusterConfig"), {EKS}),
        ("a new AMI", eks_call("UpdateNodegroupVersion"), {EKS}),
        ("new sizes or labels", eks_call("UpdateNodegroupConfig"), {EKS}),
        ("a new Fargate profile", eks_call("CreateFargateProfile"), {EKS}),
        ("a new cluster", eks_call("CreateCluster"), {EKS}),
        ("a node group that was not made", eks_call("CreateNodegroup", errorCode="InvalidParameterException"), set()),
        ("a read of EKS", eks_call("DescribeNodegroup"), set()),
        ("a Kubernetes event", forwarded(), {KUBERNETES}),
        ("one about the sandbox", forwarded(reason="FailedCreatePodSandBox"), {KUBERNETES}),
        (
            "one in the README's layout",
            {**fixture("kubernetes_events/readme_layout"), "source": "kubernetes.events"},
            {KUBERNETES},
        ),
        ("one about something else", forwarded(reason="Scheduled"), set()),
        ("one of another account", {**forwarded(), "account": "222222222222"}, set()),
        ("one of another source", {**forwarded(), "source": "kubernetes"}, set()),
        ("a console sign-in", {**event(), "detail-type": "AWS Console Sign In via CloudTrail"}, set()),
    ],
)
def test_a_rule_takes_denied_pulls_and_nothing_else(
    what: str, happened: dict[str, Any], taken_by: set[str], subscribed: Synthesized, aws: EmulatedAws
) -> None:
    engine, text = aws.client("events"), json.dumps(happened)
    patterns = {
        name: json.dumps(rule["EventPattern"]).replace('{"Ref": "AWS::AccountId"}', '"111111111111"')
        for name, rule in rules_to("EventsQueue", subscribed).items()
        if "EventPattern" in rule
    }
    takers = {
        name
        for name, pattern in patterns.items()
        if engine.test_event_pattern(EventPattern=pattern, Event=text)["Result"]
    }
    assert {name for name in NAMES if any(name in taker for taker in takers)} == taken_by, what
    assert len(takers) == len(taken_by), what


def test_rules_on_reads_get_read_only_management_events(subscribed: Synthesized) -> None:
    states = {name: rule["State"] for name, rule in rules_to("EventsQueue", subscribed).items()}
    for name, state in states.items():
        is_read = IMAGE in name or TOKEN in name
        assert state == ("ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" if is_read else "ENABLED"), name


def test_the_forwarders_rule_is_there_only_when_asked_for(stack: Synthesized) -> None:
    assert [name for name in stack.all_of("AWS::Events::Rule") if KUBERNETES in name] == []


def test_health_is_looked_at_as_often_as_the_settings_say(stack: Synthesized, tmp_path: Path) -> None:
    _, rule = stack.named("AWS::Events::Rule", "HealthCheck")
    assert rule["ScheduleExpression"] == "rate(1 hour)"
    never = synthesize(tmp_path, Settings(health_check_rate=None))
    assert [name for name in never.all_of("AWS::Events::Rule") if "HealthCheck" in name] == []


def test_every_rule_keeps_what_it_cannot_deliver(subscribed: Synthesized) -> None:
    dead_letters, _ = subscribed.named("AWS::SQS::Queue", "EventsDeadLetters")
    rules = rules_to("EventsQueue", subscribed)
    assert {name for name in (*NAMES, "HealthCheck") if any(name in rule for rule in rules)} == {*NAMES, "HealthCheck"}
    for rule in rules.values():
        (target,) = rule["Targets"]
        assert target["DeadLetterConfig"]["Arn"] == {"Fn::GetAtt": [dead_letters, "Arn"]}
        assert "Input" not in target
        assert "InputPath" not in target


@pytest.mark.parametrize("name", ["EventsQueue", "EventsDeadLetters"])
def test_only_these_rules_may_send_to_a_queue(name: str, subscribed: Synthesized) -> None:
    stack = subscribed
    queue, _ = stack.named("AWS::SQS::Queue", name)
    statements = [
        statement
        for policy in stack.all_of("AWS::SQS::QueuePolicy").values()
        if policy["Queues"] == [{"Ref": queue}]
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    allowed = [statement for statement in statements if statement["Effect"] == "Allow"]
    senders = {statement["Condition"]["ArnEquals"]["aws:SourceArn"]["Fn::GetAtt"][0] for statement in allowed}
    assert senders == set(rules_to("EventsQueue", stack))
    assert {statement["Principal"]["Service"] for statement in allowed} == {"events.amazonaws.com"}
    denied = [statement for statement in statements if statement["Effect"] == "Deny"]
    assert [statement["Condition"] for statement in denied] == [{"Bool": {"aws:SecureTransport": "false"}}]
