"""Which changes the rules match."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from infra.settings import Settings
from tests.infrastructure.conftest import Synthesized, synthesize
from tests.infrastructure.rules import event, matching_rules, rules_to

if TYPE_CHECKING:
    from pull_responder.emulator.emulated_aws import EmulatedAws

REMEDIATION = Path(__file__).resolve().parents[2] / "lambdas" / "pull_responder" / "remediation"
SERVICES = (
    "ec2",
    "ecr",
    "eks",
    "iam",
    "kms",
    "network-firewall",
    "organizations",
    "route53resolver",
    "secretsmanager",
)


def call(service: str, name: str, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    """A call that succeeded, as EventBridge delivers it. `changed` replaces fields of its detail."""
    detail = {"eventSource": f"{service}.amazonaws.com", "eventName": name, "requestParameters": {}, **changed}
    return event(f"aws.{service}", detail)


def event_of_ecr(detail_type: str, **detail: str) -> dict[str, Any]:
    """An event that ECR itself sends. `detail` has underscores where the event has dashes."""
    return event("aws.ecr", {name.replace("_", "-"): value for name, value in detail.items()}, detail_type)


def custom_action(name: str) -> dict[str, Any]:
    """What Security Hub sends when somebody chooses a custom action."""
    chosen = event("aws.securityhub", {"findings": [{"Id": "x"}]}, "Security Hub Findings - Custom Action")
    return chosen | {"resources": [f"arn:aws:securityhub:eu-west-1:111111111111:action/custom/{name}"]}


@pytest.mark.parametrize(
    ("what", "happened", "rule"),
    [
        ("somebody wants another look", custom_action("PullResponderLook"), "LookAgain"),
        ("another custom action", custom_action("Ticket"), None),
        ("a policy attached", call("iam", "AttachRolePolicy"), "Roles"),
        ("a policy detached", call("iam", "DetachRolePolicy"), "Roles"),
        ("a managed policy edited", call("iam", "CreatePolicyVersion"), "Roles"),
        ("a boundary replaced", call("iam", "PutRolePermissionsBoundary"), "Roles"),
        ("a role added to an instance profile", call("iam", "AddRoleToInstanceProfile"), "Roles"),
        ("a call that was refused", call("iam", "AttachRolePolicy", errorCode="AccessDenied"), None),
        ("a policy of a user", call("iam", "AttachUserPolicy"), None),
        ("a read", call("iam", "GetRole"), None),
        ("a repository's policy", call("ecr", "SetRepositoryPolicy"), "Registries"),
        ("the registry's policy", call("ecr", "DeleteRegistryPolicy"), "Registries"),
        ("a repository of public ECR", call("ecr", "CreateRepository", eventSource="ecr-public.amazonaws.com"), None),
        ("a route", call("ec2", "ReplaceRoute"), "Routes"),
        ("a deleted subnet", call("ec2", "DeleteSubnet"), "Routes"),
        ("a rule of a security group", call("ec2", "AuthorizeSecurityGroupEgress"), "Networks"),
        ("a rule removed, which opens nothing", call("ec2", "RevokeSecurityGroupEgress"), None),
        ("an endpoint", call("ec2", "CreateVpcEndpoint"), "Networks"),
        ("the VPC's DNS", call("ec2", "ModifyVpcAttribute"), "Networks"),
        ("the metadata endpoint", call("ec2", "ModifyInstanceMetadataOptions"), "Instances"),
        ("a terminated node", call("ec2", "TerminateInstances"), "Instances"),
        ("a node that starts", call("ec2", "RunInstances"), None),
        ("a deleted node group", call("eks", "DeleteNodegroup"), "Clusters"),
        ("an add-on that works again", event("aws.eks", {}, "EKS Addon Health Restored"), "AddonRestored"),
        ("an add-on that is degraded", event("aws.eks", {}, "EKS Addon Health Degraded"), None),
        ("a control policy", call("organizations", "DetachPolicy"), "Organizations"),
        ("a key", call("kms", "EnableKey"), "Keys"),
        ("the use of a key", call("kms", "Decrypt"), None),
        ("a rule group", call("network-firewall", "UpdateRuleGroup"), "Firewalls"),
        ("a firewall's logs", call("network-firewall", "UpdateLoggingConfiguration"), None),
        ("a domain list", call("route53resolver", "UpdateFirewallDomains"), "DnsFirewalls"),
        ("a log of queries", call("route53resolver", "CreateResolverQueryLogConfig"), None),
        ("a secret", call("secretsmanager", "RestoreSecret"), "Secrets"),
        ("an event of somebody who poses as IAM", {**call("iam", "AttachRolePolicy"), "source": "custom.iam"}, None),
        ("a push", event_of_ecr("ECR Image Action", action_type="PUSH", result="SUCCESS"), "ImagePushed"),
        ("a push that failed", event_of_ecr("ECR Image Action", action_type="PUSH", result="FAILURE"), None),
        ("a deleted image", event_of_ecr("ECR Image Action", action_type="DELETE", result="SUCCESS"), None),
        ("a cache that fetched", event_of_ecr("ECR Pull Through Cache Action", sync_status="SUCCESS"), "CacheFetched"),
        ("a cache that could not fetch", event_of_ecr("ECR Pull Through Cache Action", sync_status="FAILURE"), None),
    ],
)
def test_a_rule_matches_what_can_fix_a_fault(
    what: str, happened: dict[str, Any], rule: str | None, stack: Synthesized, aws: EmulatedAws
) -> None:
    matching = matching_rules("ChangesQueue", happened, stack, aws)
    assert len(matching) == (rule is not None), what
    assert all(str(rule) in name for name in matching), what


def calls(stack: Synthesized) -> dict[str, list[str]]:
    """The names of the calls that the rules match, by service."""
    named: dict[str, list[str]] = {service: [] for service in SERVICES}
    for rule in rules_to("ChangesQueue", stack).values():
        pattern = rule.get("EventPattern", {})
        if "eventName" in pattern.get("detail", {}):
            (source,) = pattern["source"]
            assert pattern["detail"]["eventSource"] == [f"{source.removeprefix('aws.')}.amazonaws.com"]
            named[source.removeprefix("aws.")] += pattern["detail"]["eventName"]
    return named


def test_every_call_exists_in_the_service(stack: Synthesized) -> None:
    for service, names in calls(stack).items():
        known = boto3.client(service, region_name="us-east-1").meta.service_model.operation_names  # type: ignore[call-overload]  # the stubs know literals only
        assert sorted(set(names) - set(known)) == [], service
        assert len(names) == len(set(names)), service


def test_a_rule_matches_every_command_of_a_fix(stack: Synthesized) -> None:
    known = {name for names in calls(stack).values() for name in names}
    all_known = {
        name
        for service in SERVICES
        for name in boto3.client(service, region_name="us-east-1").meta.service_model.operation_names  # type: ignore[call-overload]  # the stubs know literals only
    }
    words = {
        node.value
        for file in REMEDIATION.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"[a-z0-9-]+", node.value)
    }
    commands = {"".join(part.capitalize() for part in word.split("-")) for word in words} & all_known
    assert {"AttachRolePolicy", "CreateVpcEndpoint", "CancelKeyDeletion", "UpdateSecret"} <= commands
    # It only makes room for CreatePolicyVersion, which a rule matches.
    assert sorted(commands - known) == ["DeletePolicyVersion"]


def test_rechecks_run_as_often_as_the_settings_say(stack: Synthesized, tmp_path: Path) -> None:
    (clock,) = (rule for name, rule in rules_to("ChangesQueue", stack).items() if "Clock" in name)
    assert clock["ScheduleExpression"] == "rate(1 minute)"
    seldom = synthesize(tmp_path, Settings(recheck_rate="rate(5 minutes)"))
    (clock,) = (rule for name, rule in rules_to("ChangesQueue", seldom).items() if "Clock" in name)
    assert clock["ScheduleExpression"] == "rate(5 minutes)"


def test_every_rule_is_enabled(stack: Synthesized) -> None:
    assert {rule["State"] for rule in rules_to("ChangesQueue", stack).values()} == {"ENABLED"}
