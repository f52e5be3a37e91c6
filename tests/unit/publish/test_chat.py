"""What Slack and Microsoft Teams are given to show."""
# ruff: noqa: RUF001 -- what is shown looks like what was said, and is not the same

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pull_responder.findings.notice import Edge, Notice
from pull_responder.publish.chat import chat_digest, chat_notification, escape, quote
from tests.unit.publish.examples import ATTACH_POLICY, FINDING, MARKUP, text
from tests.unit.publish.notices import NOTICE, notices


def test_an_alert() -> None:
    assert chat_notification(NOTICE) == {
        "version": "1.0",
        "source": "custom",
        "content": {
            "textType": "client-markdown",
            "title": "NEW HIGH: The role lacks permissions to pull",
            "description": (
                "`No identity policy of the role allows ecr:BatchGetImage on the repository.`\n"
                "At fault: `arn:aws:iam::111111111111:role/eks/prod-node`\n"
                "Image: `222222222222.dkr.ecr.eu-west-1.amazonaws.com/payments/api:1.4.2`\n"
                "Cluster `prod`, account `111111111111`, `eu-west-1`\n"
                "Open since `2026-05-04T10:11:12Z`\n"
                "Pods: 14 (`payments/api-7d4b9c5f6-x2x7q, payments/api-7d4b9c5f6-k8s2d, payments/web-0 and 11 more`)\n"
                "Nodes: 1 (`ip-10-0-3-17.eu-west-1.compute.internal`)\n"
                "Console: https://console.aws.amazon.com/iam/home#/roles/details/prod-node\n"
                "Documentation: "
                "https://docs.aws.amazon.com/AmazonECR/latest/userguide/security-iam-awsmanpol.html"
            ),
            "nextSteps": [
                "`Attach the managed policy AmazonEC2ContainerRegistryPullOnly to the role.`",
                f"`{' '.join(ATTACH_POLICY)}`",
            ],
            "keywords": ["HIGH", "new"],
        },
        "metadata": {
            "threadId": "pull-responder/role_lacks_pull_permissions/111111111111/eu-west-1/d702178e063867cd3ebd",
            "summary": "NEW role_lacks_pull_permissions",
            "eventType": "pull-responder-new",
            "relatedResources": ["arn:aws:iam::111111111111:role/eks/prod-node"],
            "additionalContext": {
                "severity": "HIGH",
                "cause": "role_lacks_pull_permissions",
                "cluster": "prod",
                "account": "111111111111",
                "region": "eu-west-1",
                "status": "new",
            },
        },
    }


def test_a_resolution_goes_into_the_thread_of_the_alert_and_asks_for_nothing() -> None:
    resolved = chat_notification(
        replace(NOTICE, edge=Edge.RESOLVED, at="2026-05-04T12:30:00Z", because="The role allows the pull now.")
    )

    assert resolved["metadata"]["threadId"] == chat_notification(NOTICE)["metadata"]["threadId"]
    assert resolved["content"]["title"] == "RESOLVED HIGH: The role lacks permissions to pull"
    lines = resolved["content"]["description"].split("\n")
    assert lines[0] == "`The role allows the pull now.`"
    assert "Open since `2026-05-04T10:11:12Z`, resolved `2026-05-04T12:30:00Z`" in lines
    assert "nextSteps" not in resolved["content"]


@pytest.mark.parametrize(
    "command",
    [
        ("aws", "iam", "put-role-policy", "--policy-document", '{"Action":["ecr:*"]}'),
        ("aws", "iam", "x", "--role-name", "`id`"),
        ("aws", "iam", "x", "--description", "a & b"),
        ("aws", "iam", "x", "--description", "two\nlines"),
        ("aws", "iam", "x", "--description", "x" * 1_000),
    ],
)
def test_a_command_that_a_chat_program_would_change_is_not_shown(command: tuple[str, ...]) -> None:
    fix = replace(FINDING.remediation, commands=(("aws", "first"), command, ("aws", "last")))

    steps = chat_notification(replace(NOTICE, finding=replace(FINDING, remediation=fix)))["content"]["nextSteps"]

    assert steps[1:] == [
        "`aws first`",
        "The other commands are in the e-mail and in the JSON document of this notification.",
    ]


def test_a_digest_has_a_line_for_each_finding_the_worst_first() -> None:
    others = [
        replace(NOTICE, finding=replace(FINDING, id=str(number), severity=severity))
        for number, severity in enumerate(type(FINDING.severity))
    ]

    content = chat_digest(others)["content"]

    assert (
        content["title"] == "5 new pull failures: 1 CRITICAL, 1 HIGH, 1 MEDIUM, 1 LOW, 1 INFORMATIONAL (cluster prod)"
    )
    lines = content["description"].split("\n")
    assert lines[0] == "CRITICAL role_lacks_pull_permissions: `role/eks/prod-node` cluster `prod`, `111111111111`"
    assert [line.partition(" ")[0] for line in lines] == ["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL"]


def test_a_long_digest_says_how_many_more_there_are() -> None:
    description = chat_digest([NOTICE] * 200)["content"]["description"]

    assert len(description) <= 3_000
    shown = description.count("role_lacks_pull_permissions")
    assert shown > 20
    assert description.endswith(f"\n… and {200 - shown} more")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("<!channel>", "&lt;!channel&gt;"),
        ("&lt;!channel&gt;", "&amp;lt;!channel&amp;gt;"),
        ("<https://evil.example|console>", "&lt;https［:］//evil［.］example｜console&gt;"),
        ("[console](https://evil.example)", "［console］(https［:］//evil［.］example)"),
        ("www.evil.example", "www［.］evil［.］example"),
        ("@here and me@home.example", "＠here and me@home［.］example"),
        ("*bold* ~no~ `code`", "∗bold∗ ∼no∼ ˋcodeˋ"),
        ("two\nlines", "two lines"),
        ("arn:aws:iam::111111111111:role/my_node-role", "arn:aws:iam::111111111111:role/my_node-role"),
        ("repo@sha256:0123", "repo@sha256:0123"),
    ],
)
def test_markup_is_made_harmless(said: str, shown: str) -> None:
    assert escape(said, 100) == shown


MARKED_UP = re.compile(r"[<>\[\]*~|\\]|&(?!(?:amp|lt|gt);)|(?<![0-9A-Za-z])@|://|\bwww\.", re.IGNORECASE)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.builds("{}{}{}".format, text, st.sampled_from(MARKUP), text))
def test_nobodys_text_leaves_its_quotes(said: str) -> None:
    shown = quote(said)

    assert re.fullmatch(r"`[^`]+`", shown)
    assert shown.isprintable()
    assert not MARKED_UP.search(shown)


# What is left of a description when all that is quoted is taken out: our own words.
OWN = re.compile(
    r"``|At fault: ``|Image: ``|Cluster ``, account ``, ``|Account ``, ``|Open since ``(, resolved ``)?"
    r"|(Pods|Nodes): \d+ \(``\)|… and \d+ more"
    r"|Console: https://[^\s<>|*`\[\]]+|Documentation: https://docs\.(aws\.amazon\.com|amazonaws\.cn)/\S*"
    r"|[A-Z]+ [a-z_0-9]+: `` cluster ``, ``"
    r"|The other commands are in the e-mail and in the JSON document of this notification\."
)


def _assert_harmless(notification: dict[str, Any]) -> None:
    content, metadata = notification["content"], notification["metadata"]
    for line in [*content["description"].split("\n"), *content.get("nextSteps", [])]:
        assert OWN.fullmatch(re.sub(r"`[^`]+`", "``", line)), line
    for shown in [
        content["title"],
        metadata["summary"],
        *metadata["relatedResources"],
        *metadata["additionalContext"].values(),
        *re.findall(r"`[^`]+`", content["description"]),
    ]:
        assert shown.isprintable()
        assert not MARKED_UP.search(shown), shown
    # Entities make a text longer than it reads.
    assert len(content["title"]) <= 5 * 220
    assert len(content["description"]) <= 3_000
    assert len(content.get("nextSteps", [])) <= 6
    assert len(json.dumps(notification, ensure_ascii=False).encode()) <= 40 * 1024


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(notices)
def test_nobodys_text_marks_up_a_notice(notice: Notice) -> None:
    _assert_harmless(chat_notification(notice))


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], max_examples=30)
@given(st.lists(notices, min_size=1, max_size=12))
def test_nobodys_text_marks_up_a_digest(digest: list[Notice]) -> None:
    _assert_harmless(chat_digest(digest))
