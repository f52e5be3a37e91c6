"""What Slack and Microsoft Teams are given to show."""
# ruff: noqa: RUF001 -- what is shown looks like what was said, and is not the same

from __future__ import annotations

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pull_responder.findings.alert import Alert
from pull_responder.findings.deed import Deed
from pull_responder.findings.flapping import flapping_words
from pull_responder.findings.notice import Edge, Notice
from pull_responder.publish.chat import chat_notification
from pull_responder.publish.chat_text import code, escape, say
from pull_responder.publish.digest_chat import chat_digest
from pull_responder.publish.style import Style
from tests.unit.publish.examples import ATTACH_POLICY, FINDING, MARKUP, text
from tests.unit.publish.notices import ALERT, BOTH, BOUNDARY, NOTICE, alerts, notices

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pull_responder.findings.finding import Finding

JSON = ("aws", "iam", "put-role-policy", "--policy-document", '{"Action":["ecr:*"],"Resource":"a|b"}')


def _lines(alert: Alert) -> list[str]:
    lines: list[str] = chat_notification(alert)["content"]["description"].split("\n")
    return lines


def _with_commands(*commands: tuple[str, ...]) -> Alert:
    fix = replace(FINDING.remediation, commands=commands)
    return Alert.alone(replace(NOTICE, finding=replace(FINDING, remediation=fix)))


def test_an_alert() -> None:
    assert chat_notification(replace(ALERT, problem="problem/1"), Style(runbook_url="https://wiki/{cause}")) == {
        "version": "1.0",
        "source": "custom",
        "content": {
            "textType": "client-markdown",
            "title": "NEW HIGH in cluster prod: The role lacks permissions to pull (role/eks/prod-node)",
            "description": (
                "14 pods (payments/api, payments/web and more) in cluster prod cannot pull the image "
                "payments/api.\n"
                "Do this: Attach the managed policy AmazonEC2ContainerRegistryPullOnly to the role.\n"
                "Run in account 111111111111, region eu-west-1:\n"
                f"`{' '.join(ATTACH_POLICY)}`\n"
                "14 pods on 1 node\n"
                "Since 2026-05-04 10:11 UTC, 120 failures\n"
                "Among them, in payments: api × 2, web × 2\n"
                "Node: `ip-10-0-3-17.eu-west-1.compute.internal`\n"
                "Image: `222222222222.dkr.ecr.eu-west-1.amazonaws.com/payments/api:1.4.2`\n"
                "At fault: `arn:aws:iam::111111111111:role/eks/prod-node`\n"
                "Why: No identity policy of the role allows ecr:BatchGetImage on the repository.\n"
                "Runbook: https://wiki/role_lacks_pull_permissions\n"
                "Console: https://console.aws.amazon.com/iam/home#/roles/details/prod-node\n"
                "AWS docs: https://docs.aws.amazon.com/AmazonECR/latest/userguide/security-iam-awsmanpol.html"
            ),
            "keywords": ["HIGH", "new"],
        },
        "metadata": {
            "threadId": "problem/1",
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


def test_a_resolution_goes_into_the_thread_of_the_problem_and_asks_for_nothing() -> None:
    deed = Deed("AttachRolePolicy", "arn:aws:sts::111111111111:assumed-role/admin/jo", "2026-05-04T12:30:00Z", "0e1c")
    because = f"The role's policies allow the pull again since 2026-05-04 12:30 UTC; {deed.words}."
    over = replace(NOTICE, edge=Edge.RESOLVED, because=because, fixed_by=(deed,))
    resolved = chat_notification(replace(Alert.alone(over), problem="problem/1"))

    assert resolved["metadata"]["threadId"] == "problem/1"
    assert resolved["content"]["title"] == (
        "RESOLVED in cluster prod. It was: The role lacks permissions to pull (role/eks/prod-node)"
    )
    lines = resolved["content"]["description"].split("\n")
    assert lines[:5] == [
        "Resolved: role/eks/prod-node: The role's policies allow the pull again since 2026-05-04 12:30 UTC.",
        (
            "There is nothing to run: pods try again within 5 minutes. "
            "No pull was seen to succeed yet; the configuration says that pulls can."
        ),
        "No other cause of these failures is known.",
        "14 pods (payments/api, payments/web and more) in cluster prod could not pull the image payments/api.",
        "Changed before it was resolved: AttachRolePolicy by admin/jo, 2026-05-04 12:30 UTC",
    ]
    assert lines[-1] == "CloudTrail event: 0e1c, by `arn:aws:sts::111111111111:assumed-role/admin/jo`"
    # What the cause said while it was open is not said as if it were.
    assert f"What was wrong, as found then: {FINDING.explanation}" in lines
    assert "Where: account 111111111111, region eu-west-1" in lines
    assert "Do this" not in resolved["content"]["description"]


def test_a_resolution_says_what_still_stops_the_pulls() -> None:
    over = replace(NOTICE, edge=Edge.RESOLVED, because="The role can pull again.")
    in_part = replace(Alert.alone(over), others=(BOUNDARY,))

    assert chat_notification(in_part)["content"]["title"] == (
        "STILL BROKEN, HIGH in cluster prod: The role's permissions boundary stops the pull (role/eks/prod-node)"
    )
    assert _lines(in_part)[:5] == [
        "14 pods (payments/api, payments/web and more) in cluster prod cannot pull the image payments/api.",
        "Do this: Add the actions to the boundary.",
        "Run in account 111111111111, region eu-west-1:",
        """`aws iam create-policy-version --policy-document '{"Statement":[{"Effect":"Allow"}]}'`""",
        "Resolved: role/eks/prod-node: The role can pull again.",
    ]


def test_a_resolution_in_part_links_what_is_left() -> None:
    style = Style(runbook_url="https://wiki/{cause}")
    left = replace(BOUNDARY, explanation="The boundary stops it.", evidence=())
    in_part = replace(Alert.alone(replace(NOTICE, edge=Edge.RESOLVED)), others=(left,))
    lines = chat_notification(in_part, style)["content"]["description"].split("\n")

    assert "Runbook: https://wiki/permissions_boundary_blocks_pull" in lines
    assert "Runbook: https://wiki/role_lacks_pull_permissions" not in lines
    assert "Why: The boundary stops it." in lines
    assert f"What was wrong, as found then: {FINDING.explanation}" in lines


@pytest.mark.parametrize("edge", [Edge.NEW, Edge.BACK, Edge.RESOLVED])
@pytest.mark.parametrize("mark", ["n", "&", "<", "."])
def test_a_title_is_short_whatever_the_names_are_and_keeps_severity_and_cause(edge: Edge, mark: str) -> None:
    role = replace(FINDING.resource, id=f"arn:aws:iam::111111111111:role/{mark * 400}")
    finding = replace(FINDING, resource=role, cluster=mark * 400)
    flapping = flapping_words((0.0, 3_600.0), minutes=5) if edge is Edge.BACK else ""
    told = replace(NOTICE, edge=edge, finding=finding, because=flapping)
    several = Alert("problem/1", (told, told, told, told, told), reach=NOTICE.reach)

    title = chat_notification(several)["content"]["title"]

    assert len(title) <= 200
    severity = {Edge.NEW: "NEW HIGH", Edge.BACK: "BACK (flapping) HIGH", Edge.RESOLVED: "RESOLVED"}[edge]
    assert title.startswith(f"{severity} in cluster ")
    assert ": The role lacks permissions to pull" in title
    named = title.lower().count("the role lacks permissions to pull")
    assert title.endswith(f"), and {5 - named} more causes")
    assert not re.search(r"&(?!amp;|lt;)", title)


def test_two_causes_have_both_fixes_and_their_commands() -> None:
    assert _lines(BOTH)[1:7] == [
        "Do both, or the pulls still fail:",
        "1. prod-node: Attach the managed policy AmazonEC2ContainerRegistryPullOnly to the role.",
        "Run in account 111111111111, region eu-west-1:",
        f"`{' '.join(ATTACH_POLICY)}`",
        "2. prod-node: Add the actions to the boundary.",
        "Run in account 111111111111, region eu-west-1:",
    ]


def test_what_a_line_says_no_later_line_says_again() -> None:
    """Role, account and cluster stood in a message three times each."""
    role = FINDING.resource.id
    named = replace(FINDING, explanation=f"No identity policy of the role {role} allows ecr:BatchGetImage.")
    once = Alert.alone(replace(NOTICE, finding=named))
    both = Alert("problem/1", (once.worst, replace(NOTICE, finding=BOUNDARY)), reach=NOTICE.reach)

    assert "".join(_lines(once)).count(role) == 1
    assert "".join(_lines(once)).count("account 111111111111") == 1
    assert sum(line.startswith("Console: ") for line in _lines(both)) == 1
    assert sum(line.startswith("Where: ") for line in _lines(both)) == 0
    # Both commands say where they run.
    assert sum(line.startswith("Run in ") for line in _lines(both)) == 2


def test_what_only_one_line_says_is_kept() -> None:
    fix = replace(FINDING.remediation, account="222222222222")
    elsewhere = replace(FINDING, remediation=fix)
    clusters = replace(NOTICE.reach, clusters=("prod", "stage"), cluster_count=3, principal_count=4)

    lines = _lines(Alert.alone(replace(NOTICE, finding=elsewhere, reach=clusters)))

    assert "Run in account 222222222222, region eu-west-1:" in lines
    assert "Where: account 111111111111, region eu-west-1" in lines
    assert "Clusters: prod, stage and 1 more" in lines
    assert f"Pulled by: `{FINDING.resource.id}`, one of 4 roles or users" in lines
    assert not [each for each in _lines(_with_commands()) if each.startswith("Where: ")]


def test_a_command_that_holds_json_is_shown_whole() -> None:
    """A team that has nothing but the chat sees the most common fixes."""
    shown = """`aws iam put-role-policy --policy-document '{"Action":["ecr:*"],"Resource":"a|b"}'`"""
    assert shown in _lines(_with_commands(JSON))
    assert "in full in the e-mail" not in "".join(_lines(_with_commands(JSON)))


def test_without_a_command_nobody_looks_for_one() -> None:
    assert _lines(_with_commands())[1].startswith("Do this, by hand in account 111111111111, region eu-west-1: Attach ")
    # One that cannot be shown is one.
    assert _lines(_with_commands(("aws", "`id`")))[1].startswith("Do this: Attach ")


def test_the_commands_of_all_causes_are_shown_whole() -> None:
    pages = (Path(__file__).parents[3] / "docs" / "causes" / "examples").glob("*.md")
    commands = [
        each
        for page in pages
        for each in re.findall(r"(?:\$|Run.*: |Then +)(aws .*)", page.read_text(encoding="utf-8"))
    ]

    assert len(commands) > 15
    assert [code(shlex.split(each)) for each in commands] == [f"`{each}`" for each in commands]


@pytest.mark.parametrize(
    "argument",
    ["`id`", "a & b", "<!channel>", "two\nlines", "x" * 2_000, "@here", "https://evil.example", "www.evil.example"],
)
def test_a_command_that_a_chat_program_would_change_is_pointed_to(argument: str) -> None:
    lines = _lines(_with_commands(("aws", "first"), ("aws", "iam", "x", argument), ("aws", "last")))

    assert lines[3:5] == [
        "`aws first`",
        "2 commands more: in full in the e-mail and in the JSON document of this notification.",
    ]


def test_the_fix_is_never_behind_the_cut() -> None:
    finding = replace(FINDING, explanation="x" * 5_000)
    commands = [("aws", "x" * 480) for _ in range(4)]

    lines = _lines(replace(_with_commands(*commands), others=(finding,) * 20))

    assert lines[3:7] == [f"`aws {'x' * 480}`"] * 4
    assert re.fullmatch(r"… and \d+ more", lines[-1])


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


# Where it is not code, it is also no emoji, not italic, no host that is linked, and no heading or list.
CHANGED = re.compile(r":[\w+'-]+:|(?<!\w)_|_(?!\w)|[\w-]\.[^\W\d_]{2}|\barn:|^(?:[#+=-]|\d+[.)])")


def _outside_of_code(line: str) -> str:
    """Return a line without its code. What stands around that is apart, as it is where it is shown."""
    return re.sub(r"`[^`]+`", "\N{WHITE SQUARE}", line)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("The role does not allow the pull.", "The role does not allow the pull."),
        ("No policy of arn:aws:iam::1:role/x, which", "No policy of `arn:aws:iam::1:role/x`, which"),
        ("(arn:aws:iam::1:role/x).", "(`arn:aws:iam::1:role/x`)."),
        ("ip-10-0-3-17.eu-west-1.compute.internal and", "`ip-10-0-3-17.eu-west-1.compute.internal` and"),
        ("my_role and _my role_", "my_role and `_my` `role_`"),
        (":tada: it works", "`:tada`: it works"),
        ("# Heading", "`#` Heading"),
        ("- x", "`-` x"),
        ("12. x", "`12.` x"),
        ("ecr:BatchGetImage, at 2026-05-04 12:30 UTC", "ecr:BatchGetImage, at 2026-05-04 12:30 UTC"),
        ("", "?"),
    ],
)
def test_words_that_a_program_would_change_are_code_and_others_are_text(said: str, shown: str) -> None:
    assert say(said) == shown


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.builds("{}{}{}".format, text, st.sampled_from((*MARKUP, ":tada:", "_it_", "arn:aws:s3:::x")), text))
def test_nobodys_text_is_formatted(said: str) -> None:
    shown = say(said)

    assert shown.isprintable()
    assert shown.count("`") % 2 == 0
    assert not MARKED_UP.search(shown)
    assert not CHANGED.search(_outside_of_code(shown)), shown


TIME = r"(\d{4}-\d\d-\d\d \d\d:\d\d UTC|.*)"
# All lines begin with our own words, or with the name of what they are about.
OWN = re.compile(
    r"… and \d+ more"
    r"|(\d+ (pod|node)s?( \(.*\))?( of \d+ roles or users)?|\d+ roles or users"
    r"|Pulls of (the image .*|images of \d+ repositories))"
    r"( in cluster .*| in \d+ clusters)? "
    r"(((still )?cannot|could not) pull (the image .*|from ECR|images of \d+ repositories)|(still )?fail|failed)\."
    r"( Since the last notification: .*)?"
    r"|Pulls of from ECR( in cluster .*| in \d+ clusters)? ((still )?fail|failed)\.( Since the last notification: .*)?"
    r"|No pull has failed yet( in cluster .*| in \d+ clusters)?\.( Since the last notification: .*)?"
    r"|.* was refused (the image .*|from ECR|images of \d+ repositories)( in cluster .*| in \d+ clusters)?\."
    r"( Since the last notification: .*)?"
    r"|Do this( for the first)?(, by hand in account .*, region .*)?: .*|Do (both|all \d+), or the pulls still fail:"
    r"|\d\. .*|Resolved: .*|Still broken: .* \(.*\)(, and \d+ more causes?)?"
    r"|Run in account .*, region .*:|Where: account .*, region .*|To undo it:"
    r"|\d+ commands? more: in full in the e-mail and in the JSON document of this notification\."
    r"|Also stops? these pulls:|- [A-Z]+: .* \(.*\)\. Do this: .*"
    r"|(It was resolved|Fixed .* by .*|Resolved .*); broken again .*\. "
    r"(.* may undo this again|It may break again): .*\."
    r"|Flapping: silence does not mean that it is fixed\."
    r"|No other cause of these failures is known\.|Whether something else stops these pulls could not be read\."
    r"|There is nothing to run\.|(There is nothing to run: pods try again within 5 minutes\. )?No pull was seen .*"
    r"|\d+ resolved findings? of \d+ causes?.*"
    r"|\d+ pods?( on \d+ nodes?)?|\d+ nodes?|(Among them,|Pods) in .*: .*"
    rf"|Since {TIME}(, \d+ failures?( in all)?(, the last at {TIME})?)?"
    rf"|(At|From {TIME} to) {TIME}, \d+ failures?( in all)?"
    rf"|Seen again since {TIME}; \d+ failures? since {TIME}"
    r"|(Pod|Nodes?|Clusters?|At fault|Why|What was wrong, as found then): .*|It is flapping:.*"
    r"|Image: .*|Pulled by: .*|Who changed it is not known: .*"
    rf"|Changed before it (was resolved|broke): .* by .*, {TIME}|Changed by: .*"
    r"|CloudTrail event: .*, by .*"
    r"|Console: https://[^\s<>|*`\[\]]+|AWS docs: https://docs\.(aws\.amazon\.com|amazonaws\.cn)/\S*"
    r"|[A-Z]+: .*"
    r"|Do this( first)?(, by hand in account .*, region .*)? \(.*\): .*"
    r"|(Both|All \d+) fixes are needed(: the same pods wait for both|: (the same|some) pods wait for (both|several)"
    r"|, each for its own failure\. A pod may wait for (both|several))\."
    r"|(Hit|Was hit): .*"
    r"|(At least )?\d+ (pods?|nodes?)( in clusters? .*)?( \(namespaces? .*\))? cannot pull (the image .*|images)\."
    r"|Pulls of (the image .*|images)( in clusters? .*)?( \(namespaces? .*\))? fail\."
    r"|\d+ of \d+ (is|are) resolved only in part: another cause still stops the pulls\."
    r"|Whether something else stops the pulls of \d+ of \d+ could not be read\."
)
LINK = re.compile(r"(Console|AWS docs): https://\S+")


def _assert_harmless(notification: dict[str, Any], told: Iterable[Finding]) -> None:
    commands = {code(each) for finding in told for each in finding.remediation.commands}
    assert not any(re.search(r"[<>&]|.`.|(?<![0-9A-Za-z])@|://", each[1:-1]) for each in commands if each)
    content, metadata = notification["content"], notification["metadata"]
    for line in content["description"].split("\n"):
        if line in commands:
            continue
        outside = _outside_of_code(line)
        assert OWN.fullmatch(outside), line
        assert line.count("`") % 2 == 0
        link = LINK.fullmatch(line)
        assert link or not MARKED_UP.search(line), line
        # Our own lists begin so.
        assert link or not CHANGED.search(re.sub(r"^(\d\. |- (?=[A-Z]+: ))", "", outside)), line
    for shown in [
        content["title"],
        metadata["summary"],
        *metadata["relatedResources"],
        *metadata["additionalContext"].values(),
    ]:
        assert shown.isprintable()
        assert not MARKED_UP.search(shown), shown
    assert len(content["title"]) <= 200
    assert len(content["description"]) <= 3_000
    assert "nextSteps" not in content
    assert len(json.dumps(notification, ensure_ascii=False).encode()) <= 40 * 1024


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(alerts)
def test_nobodys_text_marks_up_an_alert(alert: Alert) -> None:
    _assert_harmless(chat_notification(alert), [*(each.finding for each in alert.notices), *alert.others])


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], max_examples=30)
@given(st.lists(notices, min_size=1, max_size=12))
def test_nobodys_text_marks_up_a_digest(digest: list[Notice]) -> None:
    _assert_harmless(chat_digest(digest), [each for told in digest for each in (told.finding, *told.others)])
