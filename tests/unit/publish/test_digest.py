"""A digest: no cause is lost among many findings of another, in any format."""
# ruff: noqa: RUF001 -- the multiplication sign

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pull_responder.checks import CHECKS
from pull_responder.findings.notice import Edge, Notice
from pull_responder.model.verdict import Severity
from pull_responder.publish.digest_text import digest_body, digest_subject
from pull_responder.publish.notification import digest_notification
from tests.unit.publish.examples import ATTACH_POLICY, FINDING
from tests.unit.publish.notices import NOTICE, notices

ROOM = 32 * 1024


def _named(number: int, severity: Severity, **changes: Any) -> Notice:  # noqa: ANN401 -- any field of Finding
    return replace(NOTICE, finding=replace(FINDING, id=f"pull-responder/x/{number}", severity=severity, **changes))


def _missing(number: int) -> Notice:
    name = f"arn:aws:ecr:eu-west-1:111111111111:repository/made-up-{number}"
    fix = replace(FINDING.remediation, summary="Create the repository.", commands=())
    return _named(
        number,
        Severity.LOW,
        cause="repository_not_found",
        title="There is no such repository",
        resource=replace(FINDING.resource, id=name),
        remediation=fix,
    )


STORM = [*map(_missing, range(99)), _named(99, Severity.HIGH)]


def test_each_cause_has_its_line_before_the_findings() -> None:
    lines = digest_body(STORM, room=ROOM).splitlines()

    assert lines[:13] == [
        "100 new pull failures of 2 causes in cluster prod",
        "Do this first (role/eks/prod-node): Attach the managed policy AmazonEC2ContainerRegistryPullOnly to the role.",
        "",
        "HIGH: role_lacks_pull_permissions × 1",
        "  The role lacks permissions to pull",
        "  role/eks/prod-node",
        "  Do this: Attach the managed policy AmazonEC2ContainerRegistryPullOnly to the role.",
        "  Run in account 111111111111, region eu-west-1:",
        f"    {' '.join(ATTACH_POLICY)}",
        "",
        "LOW: repository_not_found × 99",
        "  There is no such repository",
        "  repository/made-up-0, repository/made-up-1, repository/made-up-10 and 96 more",
    ]
    assert lines[13] == "  Do this for the first: Create the repository."
    assert lines[15:18] == [
        "Each of them",
        "  - HIGH role_lacks_pull_permissions: role/eks/prod-node, prod, 111111111111, eu-west-1",
        "    pull-responder/x/99",
    ]


def test_the_chat_has_a_line_for_each_cause() -> None:
    content = json.loads(digest_notification(STORM).texts["https"])["content"]

    assert content["description"].split("\n") == [
        "HIGH: `role_lacks_pull_permissions` × 1: `role/eks/prod-node`",
        "Do this: `Attach the managed policy AmazonEC2ContainerRegistryPullOnly to the role.`",
        (
            "LOW: `repository_not_found` × 99: `repository/made-up-0, repository/made-up-1, repository/made-up-10`"
            " and 96 more"
        ),
        "Do this: `Create the repository.`",
    ]


def test_the_document_has_all_causes() -> None:
    document = json.loads(digest_notification(STORM).texts["default"])

    assert [(each["cause"], each["count"], each["severity"]) for each in document["causes"]] == [
        ("role_lacks_pull_permissions", 1, "HIGH"),
        ("repository_not_found", 99, "LOW"),
    ]
    assert document["severity"] == "HIGH"
    assert document["causes"][1]["examples"] == [f"repository/made-up-{number}" for number in (0, 1, 10)]


def test_the_subject_names_the_causes_that_fit() -> None:
    assert digest_subject(STORM) == (
        "[DIGEST] 100 new pull failures: 1 role lacks pull permissions (HIGH), 99 repository not found (LOW)"
    )
    route = replace(STORM[-1].finding, cause="no_route_to_ecr")
    assert digest_subject([*STORM, replace(NOTICE, finding=route)]) == (
        "[DIGEST] 101 new pull failures: 1 no route to ecr (HIGH) and 2 more causes"
    )
    assert digest_subject(STORM[:2]) == "[DIGEST] 2 new pull failures: 2 repository not found (LOW)"


@pytest.mark.parametrize("room", [1024, ROOM])
def test_no_cause_falls_behind_the_cut(room: int) -> None:
    every = [
        _named(number, check.severity, cause=check.id, title=check.title, explanation="x" * 5_000)
        for number, check in enumerate(CHECKS)
    ]

    notification = digest_notification(every)
    described = json.loads(notification.texts["https"])["content"]["description"]

    for check in CHECKS:
        assert re.search(rf"^[A-Z]+: {check.id} × 1$", digest_body(every, room=room), re.MULTILINE)
        assert f"`{check.id}` × 1" in described
    assert len(described) <= 3_000
    assert len(json.loads(notification.texts["default"])["causes"]) == len(CHECKS)


def test_findings_too_many_to_list_are_counted() -> None:
    lines = digest_body([_named(number, Severity.HIGH) for number in range(100)], room=1024).splitlines()

    shown = sum("    pull-responder/x/" in line for line in lines)
    assert 3 < shown < 20
    assert lines[-2] == f"(findings: {100 - shown} more, too long for this message)"


def test_what_is_not_new_is_said_with_its_cause() -> None:
    message = digest_body([NOTICE, replace(NOTICE, edge=Edge.BACK)], room=ROOM)

    assert message.startswith("2 findings of 1 cause in cluster prod\n")
    assert "HIGH: role_lacks_pull_permissions × 2 (1 NEW, 1 BACK)\n" in message
    assert "  - BACK HIGH role_lacks_pull_permissions: " in message


def test_what_is_over_asks_for_nothing() -> None:
    over = replace(NOTICE, edge=Edge.RESOLVED, because="The role's policies let it pull again.")

    message = digest_body([over, over], room=ROOM)
    described = json.loads(digest_notification([over, over]).texts["https"])["content"]["description"]

    assert message.splitlines()[:2] == [
        "2 resolved findings of 1 cause in cluster prod",
        "role/eks/prod-node: The role's policies let it pull again.",
    ]
    assert "Do this" not in message + described
    assert digest_subject([over, over]) == "[DIGEST] 2 resolved findings: 2 role lacks pull permissions (HIGH)"


COUNTED = re.compile(r"\(findings: \d+ more, too long for this message\)")
OURS = re.compile(
    r"|\d+ (new pull failures?|resolved findings?|findings?) of \d+ causes?( in clusters? .*)?|Do this first \(.*"
    r"|[A-Z]+: [a-z_]+ × \d+.*|Each of them|They share one message\. Each gets its own when it gets worse\."
)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None, max_examples=30)
@given(st.lists(notices, min_size=1, max_size=12))
def test_nobodys_text_adds_a_line_or_a_link(digest: list[Notice]) -> None:
    line, message = digest_subject(digest), digest_body(digest, room=ROOM)

    assert len(line) < 100
    assert line.isascii()
    assert line.isprintable()
    is_command = False
    for number, each in enumerate(message.split("\n")):
        assert each.isprintable()
        assert OURS.fullmatch(each) or each.startswith("  ") or COUNTED.fullmatch(each) or number == 1, each
        is_command = each.startswith("  Run in account ") or (is_command and each.startswith("    "))
        assert "://" not in each or is_command
