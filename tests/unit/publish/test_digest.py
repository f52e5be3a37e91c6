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
from pull_responder.findings.alert import Alert
from pull_responder.findings.deed import Deed
from pull_responder.findings.notice import Edge, Notice
from pull_responder.findings.reach import Reach
from pull_responder.model.verdict import Severity
from pull_responder.publish.digest_text import digest_body, digest_subject
from pull_responder.publish.notification import alert_notification, digest_notification
from pull_responder.publish.style import Style
from tests.unit.publish.examples import ATTACH_POLICY, FINDING, PRINCIPAL, PULL
from tests.unit.publish.notices import BOUNDARY, NOTICE, notices

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

    assert lines[:17] == [
        (
            "100 new pull failures of 2 causes in cluster prod. "
            "Hit: namespace payments, maybe more; role prod-node; at least 14 pods."
        ),
        "All 100 fixes are needed: the same pods wait for several.",
        "Do this first (role/eks/prod-node): Attach the managed policy AmazonEC2ContainerRegistryPullOnly to the role.",
        "Run in account 111111111111, region eu-west-1:",
        f"  {' '.join(ATTACH_POLICY)}",
        "",
        "HIGH: role_lacks_pull_permissions",
        "  The role lacks permissions to pull: role/eks/prod-node",
        "  14 pods (payments/api, payments/web and more) in cluster prod cannot pull the image payments/api.",
        "  Do this: see the top",
        "",
        "LOW: repository_not_found × 99",
        (
            "  There is no such repository: repository/made-up-0, repository/made-up-1, repository/made-up-10"
            " and 96 more"
        ),
        ("  Hit: cluster prod; namespace payments, maybe more; role prod-node; at least 14 pods"),
        "  Do this for the first, by hand in account 111111111111, region eu-west-1: made-up-0: Create the repository.",
        "",
        "Each of them",
    ]
    assert lines[17:19] == [
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
        "At least 14 pods in cluster prod (namespace payments, maybe more) cannot pull the image payments/api.",
        "All 100 fixes are needed: the same pods wait for several.",
        (
            "Do this first (role/eks/prod-node): "
            "Attach the managed policy AmazonEC2ContainerRegistryPullOnly to the role."
        ),
        "Run in account 111111111111, region eu-west-1:",
        f"`{' '.join(ATTACH_POLICY)}`",
        "HIGH: role_lacks_pull_permissions: role/eks/prod-node",
        "14 pods (payments/api, payments/web and more) in cluster prod cannot pull the image payments/api.",
        (
            "LOW: repository_not_found × 99: repository/made-up-0, repository/made-up-1, repository/made-up-10"
            " and 96 more"
        ),
        ("Hit: cluster prod; namespace payments, maybe more; role prod-node; at least 14 pods"),
        "Do this for the first, by hand in account 111111111111, region eu-west-1: made-up-0: Create the repository.",
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
        "2 pods.\n"
        "Both fixes are needed, each for its own failure. A pod may wait for both.\n"
    )


def test_whom_a_digest_is_about_says_that_there_are_more() -> None:
    many = tuple(f"cluster-{number}" for number in range(5))
    one = _reaching("a", clusters=many, cluster_count=5, node_count=3)
    two = _reaching("b", clusters=many[:1], cluster_count=2, principals=("1/a",), principal_count=9)
    wide = _reaching("c", pods=("shop/web-0",), pod_count=10_000, more=("pods",))

    assert digest_body([one, one], room=ROOM).startswith(
        "2 new pull failures of 1 cause in clusters cluster-0, cluster-1, cluster-2 and 2 more. Hit: role a; "
        "at least 3 nodes.\n"
    )
    assert digest_body([two, two], room=ROOM).startswith(
        "2 new pull failures of 1 cause in cluster cluster-0 and more. Hit: roles b, a and more.\n"
    )
    assert digest_body([wide, wide], room=ROOM).startswith(
        "2 new pull failures of 1 cause. Hit: namespace shop, maybe more; role c; more than 10,000 pods.\n"
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
        assert check.id in described
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
    deed = Deed("AttachRolePolicy", "arn:aws:sts::222222222222:assumed-role/admin/jo", "2026-05-04T12:30:00Z", "0e1c")
    because = f"The role's policies allow the pull again; {deed.words}."
    seen = (
        "There is nothing to run: pods try again within 5 minutes. "
        "No pull was seen to succeed yet; the configuration says that pulls can."
    )
    over = replace(NOTICE, edge=Edge.RESOLVED, because=because, fixed_by=(deed,))

    message = digest_body([over, over], room=ROOM)
    described = json.loads(digest_notification([over, over]).texts["https"])["content"]["description"]

    assert message.splitlines()[:4] == [
        (
            "2 resolved findings of 1 cause in cluster prod. "
            "Hit: namespace payments, maybe more; role prod-node; at least 14 pods."
        ),
        "role/eks/prod-node: The role's policies allow the pull again.",
        "Changed before it was resolved: AttachRolePolicy by admin/jo of account 222222222222, 2026-05-04 12:30 UTC",
        seen,
    ]
    assert f"\n{seen}\n" in described
    assert described.startswith("Resolved: role/eks/prod-node: The role's policies allow the pull again.\n")
    assert "\nChanged before it was resolved: AttachRolePolicy by admin/jo of account 222222222222, " in described
    assert "Do this" not in message + described
    assert "0e1c" not in message + described
    assert digest_subject([over, over]) == "[DIGEST] 2 resolved findings: 2 role lacks pull permissions (HIGH)"


def test_a_digest_links_the_page_of_each_cause() -> None:
    lines = digest_body(STORM, room=ROOM, style=Style(runbook_url="https://wiki.example.com/{cause}")).splitlines()

    assert lines[5] == "Runbook: https://wiki.example.com/role_lacks_pull_permissions"
    assert "  Runbook: https://wiki.example.com/repository_not_found" in lines
    assert sum("Runbook: " in line for line in lines) == 2


def test_causes_beyond_those_that_a_message_names_are_counted() -> None:
    """Eight are left, and who mends five of them thinks that it is over."""
    eight = replace(_in_part(1), others=(BOUNDARY,) * 5, unnamed=3)

    assert "\nDo all 8, or the pulls still fail:\n" in digest_body([eight, _over(2)], room=ROOM)
    assert _described([eight, _over(2)])[1] == "Do all 8, or the pulls still fail:"
    text = digest_notification([eight, _over(2)]).texts["sms"]
    assert text.startswith("STILL BROKEN, HIGH, 8 causes: 14 pods in cluster prod ")
    assert "\nDo all 8 in 111111111111 eu-west-1:\n" in text
    alone = Alert.alone(eight)
    assert "\nDo all 8, or the pulls still fail:\n" in alert_notification(alone).texts["email"]
    assert (
        "Do all 8, or the pulls still fail:"
        in json.loads(alert_notification(alone).texts["https"])["content"]["description"]
    )
    new = alert_notification(Alert.alone(replace(eight, edge=Edge.NEW))).texts["email"]
    assert "\nAlso stop these pulls:\n" in new
    assert "\nAnd 3 more causes\n" in new


def _in_part(number: int) -> Notice:
    """Return what a digest knows of a role that another cause still stops."""
    over = replace(NOTICE, edge=Edge.RESOLVED, because="The role's policies allow the pull again.", others=(BOUNDARY,))
    return replace(over, finding=replace(FINDING, id=f"pull-responder/x/{number}"))


def _over(number: int) -> Notice:
    return replace(_in_part(number), others=(), is_over=True)


def _described(digest: list[Notice]) -> list[str]:
    lines: list[str] = json.loads(digest_notification(digest).texts["https"])["content"]["description"].split("\n")
    return lines


IN_PART = "2 of 3 are resolved only in part: another cause still stops the pulls."


def test_what_is_resolved_in_part_is_counted_in_every_format() -> None:
    """Who reads that sixty are resolved goes back to bed."""
    texts = digest_notification([_over(1), _in_part(2), _in_part(3)]).texts

    assert f"\n\n3 resolved findings of 1 cause in cluster prod. {IN_PART}\n\n" in texts["email"]
    assert texts["sms"] == (
        "STILL BROKEN, HIGH: The role's permissions boundary stops the pull (prod-node). "
        "14 pods in cluster prod cannot pull the image payments/api.\n"
        "Do this in 111111111111 eu-west-1: Add the actions to the boundary.\n"
        "Findings: 1 resolved, 2 in part."
    )
    document = json.loads(texts["default"])
    assert document["headline"].endswith(f" 3 resolved findings of 1 cause in cluster prod. {IN_PART}")
    assert document["still_broken"] == 2
    assert f"3 resolved findings of 1 cause in cluster prod. {IN_PART}" in _described(
        [_over(1), _in_part(2), _in_part(3)]
    )
    for text in digest_notification([_over(1), _over(2)]).texts.values():
        assert "in part" not in text
        assert "STILL BROKEN" not in text


def test_what_is_resolved_in_part_asks_for_the_fix_of_what_is_left() -> None:
    digest = [_over(1), _in_part(2), _in_part(3)]
    whom = "14 pods (payments/api, payments/web and more) in cluster prod cannot pull the image payments/api."
    command = """aws iam create-policy-version --policy-document '{"Statement":[{"Effect":"Allow"}]}'"""
    message = digest_body(digest, room=ROOM)

    assert message.splitlines()[:10] == [
        (f"STILL BROKEN, HIGH: The role's permissions boundary stops the pull (role/eks/prod-node). {whom}"),
        "Do this: Add the actions to the boundary.",
        "Run in account 111111111111, region eu-west-1:",
        f"  {command}",
        "",
        f"3 resolved findings of 1 cause in cluster prod. {IN_PART}",
        "",
        "HIGH: role_lacks_pull_permissions × 3 (1 RESOLVED, 2 in part)",
        "  It was: The role lacks permissions to pull: role/eks/prod-node and 2 more",
        # Not with what still fails.
        f"  {whom.replace('cannot', 'could not')}",
    ]
    # The example is one that is resolved wholly.
    assert message.splitlines()[10:12] == ["  role/eks/prod-node: The role's policies allow the pull again.", ""]
    assert "see the top" not in message
    assert "  - RESOLVED in part HIGH role_lacks_pull_permissions: " in message
    assert FINDING.remediation.summary not in message
    assert digest_subject(digest) == (
        "[STILL BROKEN] HIGH: permissions boundary blocks pull (prod-node, prod); 1 resolved, 2 in part"
    )
    assert _described(digest)[:4] == [
        whom,
        "Do this: Add the actions to the boundary.",
        "Run in account 111111111111, region eu-west-1:",
        f"`{command}`",
    ]
    action = json.loads(digest_notification(digest).texts["default"])["action"]
    assert action == "prod-node: Add the actions to the boundary."
    assert (
        digest_notification(digest)
        .texts["sms"]
        .endswith("eu-west-1: Add the actions to the boundary.\nFindings: 1 resolved, 2 in part.")
    )


def test_what_is_left_is_told_with_the_pods_that_it_stops() -> None:
    """Not with those of another finding that is over."""
    one = replace(_over(1), reach=replace(NOTICE.reach, pods=("payments/x-0",), pod_count=1))

    assert "stops the pull (prod-node). 14 pods in cluster" in digest_notification([one, _in_part(2)]).texts["sms"]


def test_the_pulls_of_what_is_resolved_in_part_still_fail() -> None:
    whom = "in cluster prod {} pull the image payments/api."

    assert whom.format("cannot") in digest_body([_in_part(1)], room=ROOM)
    assert whom.format("could not") in digest_body([_over(1)], room=ROOM)
    # What is over is not counted with what is not.
    assert " 14 pods (" in digest_body([replace(_over(1), reach=Reach(events=1)), _in_part(2)], room=ROOM)
    assert " Was hit: " in digest_body([_over(1), _over(3), _in_part(2)], room=ROOM)
    still = digest_body([_in_part(1), _in_part(2)], room=ROOM)
    assert "  Hit: cluster prod; " in still
    assert "Was hit: " not in still


def test_what_was_hit_does_not_count_what_still_is() -> None:
    """A role that works again had one pod; another one, which a boundary stops, has fourteen."""
    small = replace(_over(1), reach=Reach(events=1, pods=("shop/web-0",), pod_count=1))

    assert "\n  1 pod (shop/web) in cluster prod could not pull " in digest_body([small, _in_part(2)], room=ROOM)
    causes = json.loads(digest_notification([small, _in_part(2)]).texts["default"])["causes"]
    assert causes[0]["edges"] == ["resolved", "resolved_in_part"]


def test_the_chat_says_of_nothing_but_pulls_that_pulls_fail() -> None:
    """Not of what Pull Responder says about itself, of who pulls for no cluster, and before a pull has failed."""
    unseen = replace(NOTICE, reach=Reach())
    blind = replace(NOTICE, finding=replace(FINDING, cause="responder_is_blind"))
    stranger = replace(NOTICE, finding=replace(FINDING, cause="unexpected_principal_denied"))

    for each in (unseen, blind, stranger, _over(1)):
        assert not any("cannot pull" in line for line in _described([each, each])[:2]), each.finding.cause


def test_a_number_of_pods_that_nobody_knows_is_at_least_that_of_the_others() -> None:
    one, none = _reaching("a", pods=("shop/web-0",), pod_count=3), _reaching("b")

    assert "; at least 3 pods." in digest_body([one, none], room=ROOM).splitlines()[0]
    assert "pods" not in digest_body([none, none], room=ROOM).splitlines()[0]


def test_a_digest_says_whether_one_fix_is_enough() -> None:
    other = replace(NOTICE, finding=BOUNDARY)
    apart = replace(other, reach=replace(NOTICE.reach, pods=("shop/web-0",)))
    over = replace(NOTICE, edge=Edge.RESOLVED, because="It is mended.")

    shared = "Both fixes are needed: the same pods wait for both."
    assert digest_body([NOTICE, other], room=ROOM).splitlines()[1] == shared
    assert _described([NOTICE, other])[:2] == [
        "At least 14 pods in cluster prod (namespace payments, maybe more) cannot pull the image payments/api.",
        shared,
    ]
    assert json.loads(digest_notification([NOTICE, other]).texts["default"])["headline"].endswith(f" {shared}")
    assert digest_body([NOTICE, apart], room=ROOM).splitlines()[1] == (
        "Both fixes are needed, each for its own failure. A pod may wait for both."
    )
    assert "needed" not in digest_body([NOTICE], room=ROOM) + digest_body([NOTICE, over], room=ROOM)


def test_the_document_of_a_digest_says_what_to_do_about_each_cause_and_where_their_pages_are() -> None:
    style = Style(runbook_url="https://wiki/{cause}")
    digest = [_missing(1), replace(NOTICE, finding=BOUNDARY)]
    document = json.loads(digest_notification(digest, style).texts["default"])

    assert document["action"] == "1. prod-node: Add the actions to the boundary. 2. made-up-1: Create the repository."
    assert [each["runbook_url"] for each in document["causes"]] == [
        "https://wiki/permissions_boundary_blocks_pull",
        "https://wiki/repository_not_found",
    ]
    many = [_named(number, Severity.HIGH, cause=f"cause_{number}") for number in range(7)]
    assert json.loads(digest_notification(many).texts["default"])["action"].endswith(" And 2 more: see `causes`.")


def test_a_digest_of_what_is_resolved_relates_to_all_its_resources() -> None:
    other = "arn:aws:iam::111111111111:role/batch"
    batch = replace(_over(2), finding=replace(FINDING, id="x", resource=replace(FINDING.resource, id=other)))
    related = json.loads(digest_notification([_over(1), batch]).texts["https"])["metadata"]["relatedResources"]

    assert sorted(related) == sorted([FINDING.resource.id, other])


def test_that_the_other_causes_could_not_be_read_is_not_called_over_nor_in_part() -> None:
    unread = replace(_over(1), others_known=False, is_over=False)
    said = "Whether something else stops the pulls of 1 of 2 could not be read."
    texts = digest_notification([_over(2), unread]).texts

    assert said in texts["email"].splitlines()[0]
    assert said in texts["sms"]
    assert said in json.loads(texts["default"])["headline"]
    assert _described([_over(2), unread])[0] == said
    assert "in part" not in texts["email"]


def test_what_is_open_stands_before_what_is_resolved() -> None:
    low = replace(_missing(0), edge=Edge.NEW)
    lines = digest_body([_over(1), low], room=ROOM).splitlines()

    by_hand = "Do this, by hand in account 111111111111, region eu-west-1 (repository/made-up-0)"
    assert lines[1] == f"{by_hand}: Create the repository."
    assert [line for line in lines if line.startswith(("HIGH: ", "LOW: "))] == [
        "LOW: repository_not_found",
        "HIGH: role_lacks_pull_permissions (1 RESOLVED)",
    ]
    whom, asked, *others = _described([_over(1), low])
    assert whom.startswith("14 pods (payments/api, payments/web and more) in cluster prod cannot pull ")
    assert whom not in others
    assert asked.startswith("Do this, by hand in account 111111111111")
    # The same cause, and the worse of the two is resolved.
    assert "Do this (" in digest_body([_over(1), replace(_over(2), edge=Edge.NEW)], room=ROOM)
    assert "Do this first (" in digest_body([NOTICE, replace(_over(2), edge=Edge.NEW)], room=ROOM)


def test_the_last_line_says_what_is_told_again() -> None:
    shared = "\nThey share this message. Another one follows for what"
    worse, again = f"{shared} gets worse or is resolved.\n", f"{shared} breaks again.\n"

    assert digest_body(STORM, room=ROOM).endswith(worse)
    assert digest_body([_over(1), _over(2)], room=ROOM).endswith(again)
    assert digest_body([_over(1), NOTICE], room=ROOM).endswith(worse)


def test_the_chat_has_the_commands_of_all_causes_that_fit() -> None:
    other = _named(1, Severity.HIGH, cause="permissions_boundary_blocks_pull", remediation=BOUNDARY.remediation)
    lines = _described([NOTICE, other])

    assert f"`{' '.join(ATTACH_POLICY)}`" in lines
    assert any(line.startswith("`aws iam create-policy-version ") for line in lines)
    assert sum(line == "Run in account 111111111111, region eu-west-1:" for line in lines) == 2


def test_the_chat_leaves_out_the_commands_of_the_least_severe_causes_first() -> None:
    fix = replace(FINDING.remediation, commands=(("aws", "x" * 700),))
    digest = [_named(number, Severity.HIGH, cause=f"cause_{number}", remediation=fix) for number in range(4)]
    lines = _described(digest)

    assert sum("xxx" in line for line in lines) in (1, 2)
    assert sum(line.startswith(("Do this: ", "Do this first ")) for line in lines) == 4


def test_the_chats_title_is_short_whatever_the_names_are() -> None:
    clusters = tuple(f"<{'c' * 98}{number}>" for number in range(4))
    digest = [replace(NOTICE, reach=replace(NOTICE.reach, clusters=clusters, cluster_count=4)), NOTICE]
    title = json.loads(digest_notification(digest).texts["https"])["content"]["title"]

    assert len(title) <= 200
    assert title.startswith("DIGEST in clusters ")
    assert title.endswith(": 2 new pull failures: 2 role lacks pull permissions (HIGH)")


COUNTED = re.compile(r"\(findings: \d+ more, too long for this message\)")
OURS = re.compile(
    r"|\d+ (new pull failures?|resolved findings?|findings?) of \d+ causes?.*"
    r"|Do this( first)?(, by hand in account .*)? \(.*"
    r"|Run in account .*"
    r"|[A-Z]+: [a-z_]+( × \d+)?.*|Each of them"
    r"|They share this message\. Another one follows for what (gets worse or is resolved|breaks again)\."
    r"|Still broken: .*|(Both|All \d+) fixes are needed.*"
    # What stops the pulls of what is resolved is told as an alert tells it.
    r"|STILL BROKEN, [A-Z]+: .*|Do (both|all \d+), or the pulls still fail:|\d\. .*"
    r"|Do this(, by hand in account .*)?: .*|To undo it:|There is nothing to run.*|No pull was seen .*"
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
        assert OURS.fullmatch(each) or each.startswith("  ") or COUNTED.fullmatch(each) or number in (1, 2), each
        is_command = each.strip().startswith("Run in account ") or (is_command and each.startswith("  "))
        assert "://" not in each or is_command
