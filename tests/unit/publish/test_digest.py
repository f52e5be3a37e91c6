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
from pull_responder.findings.deed import Deed
from pull_responder.findings.notice import Edge, Notice
from pull_responder.findings.reach import Reach
from pull_responder.model.verdict import Severity
from pull_responder.publish.digest_text import digest_body, digest_subject
from pull_responder.publish.notification import digest_notification
from tests.unit.publish.examples import ATTACH_POLICY, FINDING, PRINCIPAL, PULL
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

    assert lines[:15] == [
        (
            "100 new pull failures of 2 causes in cluster prod. "
            "Hit: namespace payments, perhaps more; role prod-node; up to 14 pods each."
        ),
        "Do this first (role/eks/prod-node): Attach the managed policy AmazonEC2ContainerRegistryPullOnly to the role.",
        "Run in account 111111111111, region eu-west-1:",
        f"  {' '.join(ATTACH_POLICY)}",
        "",
        "HIGH: role_lacks_pull_permissions",
        "  The role lacks permissions to pull: role/eks/prod-node",
        "  14 pods (payments/api, payments/web and more) in cluster prod cannot pull payments/api.",
        "",
        "LOW: repository_not_found × 99",
        (
            "  There is no such repository: repository/made-up-0, repository/made-up-1, repository/made-up-10"
            " and 96 more"
        ),
        "  Hit: cluster prod; namespace payments, perhaps more; role prod-node; up to 14 pods each",
        "  Do this for the first: Create the repository.",
        "",
        "Each of them",
    ]
    assert lines[15:17] == [
        "  - HIGH role_lacks_pull_permissions: role/eks/prod-node, prod, 111111111111, eu-west-1",
        "    pull-responder/x/99",
    ]


def test_the_chat_has_a_line_for_each_cause() -> None:
    content = json.loads(digest_notification(STORM).texts["https"])["content"]

    assert content["title"] == (
        "DIGEST in cluster prod: 100 new pull failures: "
        "1 role lacks pull permissions (HIGH), 99 repository not found (LOW)"
    )
    assert content["description"].split("\n") == [
        (
            "Do this first (`role/eks/prod-node`): "
            "`Attach the managed policy AmazonEC2ContainerRegistryPullOnly to the role.`"
        ),
        "Run in account `111111111111`, region `eu-west-1`:",
        f"`{' '.join(ATTACH_POLICY)}`",
        "HIGH: `role_lacks_pull_permissions`: `role/eks/prod-node`",
        "14 pods (`payments/api, payments/web` and more) in cluster `prod` cannot pull `payments/api`.",
        (
            "LOW: `repository_not_found` × 99: `repository/made-up-0, repository/made-up-1, repository/made-up-10`"
            " and 96 more"
        ),
        "Hit: cluster `prod`; namespace `payments`, perhaps more; role `prod-node`; up to 14 pods each",
        "Do this: `Create the repository.`",
    ]


def test_no_fix_is_told_twice() -> None:
    summary, command = FINDING.remediation.summary, " ".join(ATTACH_POLICY)

    for text in digest_notification(STORM).texts.values():
        assert text.count(summary) <= 1 or text.startswith("{")
    assert digest_body(STORM, room=ROOM).count(summary) == digest_body(STORM, room=ROOM).count(command) == 1


def _reaching(role: str, **changes: Any) -> Notice:  # noqa: ANN401 -- any field of Reach
    principal = replace(PRINCIPAL, name=role)
    finding = replace(FINDING, id=role, cluster=None, pull=replace(PULL, principal=principal, namespace=None))
    return replace(NOTICE, finding=finding, reach=Reach(events=3, **changes))


def test_whom_a_digest_is_about_says_all_that_is_known_and_no_more() -> None:
    one = _reaching("a", clusters=("blue", "green"), cluster_count=2, pods=("shop/web-0",), pod_count=1)
    two = _reaching("b", principals=("111111111111/c",), principal_count=1, pods=("tools/ci-0",), pod_count=1)

    assert digest_body([one, two], room=ROOM).startswith(
        "2 new pull failures of 1 cause in clusters blue, green. Hit: namespaces shop, tools; roles a, b, c; "
        "up to 1 pod each.\n"
    )


def test_whom_a_digest_is_about_says_that_there_are_more() -> None:
    many = tuple(f"cluster-{number}" for number in range(5))
    one = _reaching("a", clusters=many, cluster_count=5, node_count=3)
    two = _reaching("b", clusters=many[:1], cluster_count=2, principals=("1/a",), principal_count=9)
    wide = _reaching("c", pods=("shop/web-0",), pod_count=10_000, more=("pods",))

    assert digest_body([one, one], room=ROOM).startswith(
        "2 new pull failures of 1 cause in clusters cluster-0, cluster-1, cluster-2 and 2 more. Hit: role a; "
        "up to 3 nodes each.\n"
    )
    assert digest_body([two, two], room=ROOM).startswith(
        "2 new pull failures of 1 cause in cluster cluster-0 and more. Hit: roles b, a and more.\n"
    )
    assert digest_body([wide, wide], room=ROOM).startswith(
        "2 new pull failures of 1 cause. Hit: namespace shop, perhaps more; role c; one stops more than 10,000 pods.\n"
    )


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
        assert re.search(rf"^[A-Z]+: {check.id}$", digest_body(every, room=room), re.MULTILINE)
        assert f"`{check.id}`" in described
    assert len(described) <= 3_000
    assert len(json.loads(notification.texts["default"])["causes"]) == len(CHECKS)


def test_findings_too_many_to_list_are_counted() -> None:
    lines = digest_body([_named(number, Severity.HIGH) for number in range(100)], room=1024).splitlines()

    shown = sum("    pull-responder/x/" in line for line in lines)
    assert 3 < shown < 20
    assert lines[-2] == f"(findings: {100 - shown} more, too long for this message)"


def test_what_is_not_new_is_said_with_its_cause() -> None:
    message = digest_body([NOTICE, replace(NOTICE, edge=Edge.BACK)], room=ROOM)

    assert message.startswith("2 findings of 1 cause in cluster prod. Hit: ")
    assert "HIGH: role_lacks_pull_permissions × 2 (1 NEW, 1 BACK)\n" in message
    assert "  - BACK HIGH role_lacks_pull_permissions: " in message


def test_what_is_over_asks_for_nothing() -> None:
    deed = Deed("AttachRolePolicy", "arn:aws:sts::1:assumed-role/admin/jo", "2026-05-04T12:30:00Z", "0e1c")
    because = f"The role's policies let it pull again; {deed.words}."
    over = replace(NOTICE, edge=Edge.RESOLVED, because=because, fixed_by=(deed,))

    message = digest_body([over, over], room=ROOM)
    described = json.loads(digest_notification([over, over]).texts["https"])["content"]["description"]

    assert message.splitlines()[:2] == [
        (
            "2 resolved findings of 1 cause in cluster prod. "
            "Hit: namespace payments, perhaps more; role prod-node; up to 14 pods each."
        ),
        "role/eks/prod-node: The role's policies let it pull again.",
    ]
    assert "Do this" not in message + described
    assert "0e1c" not in message + described
    assert digest_subject([over, over]) == "[DIGEST] 2 resolved findings: 2 role lacks pull permissions (HIGH)"


COUNTED = re.compile(r"\(findings: \d+ more, too long for this message\)")
OURS = re.compile(
    r"|\d+ (new pull failures?|resolved findings?|findings?) of \d+ causes?.*|Do this first \(.*|Run in account .*"
    r"|[A-Z]+: [a-z_]+( × \d+)?.*|Each of them|They share one message\. Each gets its own when it gets worse\."
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
        is_command = each.strip().startswith("Run in account ") or (is_command and each.startswith("  "))
        assert "://" not in each or is_command
