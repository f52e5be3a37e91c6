"""Which failures the rules match."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from infra.settings import Settings
from pull_responder.events.eks_event import ADDON_FAILURES
from pull_responder.events.trial import DETAIL_TYPE, SOURCE
from tests.infrastructure.conftest import Synthesized, synthesize
from tests.infrastructure.rules import event, matching_rules, rules_to

if TYPE_CHECKING:
    from pull_responder.emulator.emulated_aws import EmulatedAws


def denied_pull(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    """A denied BatchGetImage as EventBridge delivers it. `changed` replaces fields of its detail."""
    detail = {
        "eventSource": "ecr.amazonaws.com",
        "eventName": "BatchGetImage",
        "errorCode": "AccessDenied",
        "errorMessage": "User: x is not authorized to perform: ecr:BatchGetImage on resource: y",
        "userIdentity": {"type": "AssumedRole"},
        **changed,
    }
    return event("aws.ecr", detail)


SUCCEEDED = denied_pull()
del SUCCEEDED["detail"]["errorCode"]
IMAGE, TOKEN = "EcrImageDenied", "EcrTokenDenied"
CACHE, EKS, KUBERNETES = "PullThroughCacheFailed", "EksChanged", "KubernetesEvents"
ADDON, TEST = "AddonFailed", "TestEvent"
NAMES = (IMAGE, TOKEN, CACHE, EKS, KUBERNETES, ADDON, TEST)
EVENTS = Path(__file__).parents[1] / "events"


def fixture(name: str, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    """The event in a file of tests/events. `changed` replaces fields of its detail; None removes a field."""
    read: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    read["detail"] = {key: value for key, value in {**read["detail"], **changed}.items() if value is not None}
    return read


def eks_call(name: str, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    """A call to EKS that succeeded."""
    detail = {"eventSource": "eks.amazonaws.com", "eventName": name, "requestParameters": {"name": "prod"}, **changed}
    return event("aws.eks", detail)


def of_eks(detail_type: str) -> dict[str, Any]:
    """An event that EKS itself sends."""
    return event("aws.eks", {"clusterName": "prod", "addonName": "coredns"}, detail_type)


def sent_test(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    """What `pull-responder test-event` sends. `changed` replaces fields of the event."""
    return {**event(SOURCE, {"id": "0" * 32}, DETAIL_TYPE), **changed}


def forwarded_event(**changed: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    return {**fixture("kubernetes_events/failed", **changed), "source": "kubernetes.events"}


@pytest.mark.parametrize(
    ("what", "happened", "rules"),
    [
        ("denied manifest", denied_pull(), {IMAGE}),
        ("denied manifest, as the API calls it", denied_pull(errorCode="AccessDeniedException"), {IMAGE}),
        ("denied layer", denied_pull(eventName="GetDownloadUrlForLayer"), {IMAGE}),
        ("denied token", denied_pull(eventName="GetAuthorizationToken"), {TOKEN}),
        (
            "denied token, as the API calls it",
            denied_pull(eventName="GetAuthorizationToken", errorCode="AccessDeniedException"),
            {TOKEN},
        ),
        ("a pull that succeeded", SUCCEEDED, set()),
        ("no error", denied_pull(errorCode=None), set()),
        ("another error", denied_pull(errorCode="RepositoryNotFoundException"), set()),
        ("another code of a denial", denied_pull(errorCode="AccessDeniedByPolicyException"), {IMAGE}),
        ("a denial by an endpoint policy", denied_pull(errorCode="VpceAccessDenied"), {IMAGE}),
        (
            "a denial by an endpoint policy, as a network activity event",
            {
                **denied_pull(errorCode="VpceAccessDenied"),
                "detail-type": "AWS Network Activity Event via CloudTrail",
            },
            {IMAGE},
        ),
        ("an insight", {**denied_pull(), "detail-type": "AWS Insight via CloudTrail"}, set()),
        ("another case", denied_pull(errorCode="accessdenied"), set()),
        ("a call that a pull does not need", denied_pull(eventName="BatchCheckLayerAvailability"), set()),
        ("a push", denied_pull(eventName="PutImage"), set()),
        ("a name that begins the same", denied_pull(eventName="BatchGetImageScanResults"), set()),
        ("public ECR", denied_pull(eventSource="ecr-public.amazonaws.com"), set()),
        ("another service", {**denied_pull(), "source": "aws.eks"}, set()),
        ("an event of somebody who poses as ECR", {**denied_pull(), "source": "custom.ecr"}, set()),
        ("ECR's own event", {**denied_pull(), "detail-type": "ECR Image Action"}, set()),
        ("a cache that could not fetch", fixture("pull_through_cache_failed"), {CACHE}),
        (
            "a cache that could not fetch, without a reason",
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
        (
            "a node group that could not be created",
            eks_call("CreateNodegroup", errorCode="InvalidParameterException"),
            set(),
        ),
        ("a read of EKS", eks_call("DescribeNodegroup"), set()),
        ("an add-on that could not be created", of_eks("EKS Addon Creation Failed"), {ADDON}),
        ("an add-on that could not be updated", of_eks("EKS Addon Update Failed"), {ADDON}),
        ("an add-on that is degraded", of_eks("EKS Addon Health Degraded"), {ADDON}),
        ("an add-on that works again", of_eks("EKS Addon Health Restored"), set()),
        ("a new add-on", of_eks("EKS Addon Creation Succeeded"), set()),
        ("an add-on that could not be deleted", of_eks("EKS Addon Deletion Failed"), set()),
        ("a Fargate pod that is to stop", of_eks("EKS Fargate Pod Scheduled Termination"), set()),
        ("somebody who poses as EKS", {**of_eks("EKS Addon Health Degraded"), "source": "custom.eks"}, set()),
        ("a Kubernetes event", forwarded_event(), {KUBERNETES}),
        ("a Kubernetes event about the sandbox", forwarded_event(reason="FailedCreatePodSandBox"), {KUBERNETES}),
        (
            "a Kubernetes event in the README's layout",
            {**fixture("kubernetes_events/readme_layout"), "source": "kubernetes.events"},
            {KUBERNETES},
        ),
        ("a Kubernetes event about something else", forwarded_event(reason="Scheduled"), set()),
        ("a Kubernetes event of another account", {**forwarded_event(), "account": "222222222222"}, set()),
        ("a Kubernetes event of another source", {**forwarded_event(), "source": "kubernetes"}, set()),
        ("a test event", sent_test(), {TEST}),
        ("a test event of another account", sent_test(account="222222222222"), set()),
        ("a test event of another type", sent_test(**{"detail-type": "Kubernetes Event"}), set()),
        ("somebody who poses as a test", sent_test(source="pull-responder.tests"), set()),
        ("somebody who poses as our audit log", sent_test(source="pull-responder.audit-log"), set()),
        ("a console sign-in", {**denied_pull(), "detail-type": "AWS Console Sign In via CloudTrail"}, set()),
    ],
)
def test_rules_match_failed_pulls_and_nothing_else(
    what: str, happened: dict[str, Any], rules: set[str], subscribed: Synthesized, aws: EmulatedAws
) -> None:
    matching = matching_rules("EventsQueue", happened, subscribed, aws)
    assert {name for name in NAMES if any(name in rule for rule in matching)} == rules, what
    assert len(matching) == len(rules), what


def test_rules_on_reads_get_read_only_management_events(subscribed: Synthesized) -> None:
    states = {name: rule["State"] for name, rule in rules_to("EventsQueue", subscribed).items()}
    for name, state in states.items():
        is_read = IMAGE in name or TOKEN in name
        assert state == ("ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" if is_read else "ENABLED"), name


def test_the_rule_on_kubernetes_events_needs_a_source(stack: Synthesized) -> None:
    assert [name for name in stack.all_of("AWS::Events::Rule") if KUBERNETES in name] == []


def test_health_is_checked_as_often_as_the_settings_say(stack: Synthesized, tmp_path: Path) -> None:
    _, rule = stack.named("AWS::Events::Rule", "HealthCheck")
    assert rule["ScheduleExpression"] == "rate(1 hour)"
    never = synthesize(tmp_path, Settings(health_check_rate=None))
    assert [name for name in never.all_of("AWS::Events::Rule") if "HealthCheck" in name] == []


def test_there_is_a_rule_for_every_kind_of_failure(subscribed: Synthesized) -> None:
    rules = rules_to("EventsQueue", subscribed)
    assert {name for name in (*NAMES, "HealthCheck") if any(name in rule for rule in rules)} == {*NAMES, "HealthCheck"}


def test_the_add_ons_events_are_those_that_the_function_reads(stack: Synthesized) -> None:
    _, rule = stack.named("AWS::Events::Rule", ADDON)
    assert set(rule["EventPattern"]["detail-type"]) == ADDON_FAILURES


def test_no_rule_takes_the_source_of_our_own_events(subscribed: Synthesized) -> None:
    """Whoever may call PutEvents cannot write as our function `audit_log`."""
    patterns = [rule.get("EventPattern") for rule in subscribed.all_of("AWS::Events::Rule").values()]
    sources = [pattern["source"] for pattern in patterns if pattern]
    assert sources
    assert not [source for source in sources if "pull-responder.audit-log" in source]
