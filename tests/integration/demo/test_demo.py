"""`pull-responder demo`, run as a person runs it: from any folder, with nothing but the installed project."""

from __future__ import annotations

import json
import os
import re
import signal
from typing import TYPE_CHECKING, Any

import pytest

from pull_responder.checks import BY_ID
from pull_responder.model.arn import Arn
from tests.integration.demo.running import MAIN, SECONDS, Finished, finish, start

if TYPE_CHECKING:
    from pathlib import Path

# The demo with one break, of which it expects what cannot be found, and of which nobody hears that it is over.
MISTAKEN = f"""
from dataclasses import replace
import pull_responder.demo as demo
from pull_responder.demo import function, story
demo.BREAKS = (replace(demo.BREAKS[1], cause="scp_blocks_pull"),)
deploy = story.deploy
def patient(estate, name):
    deployed = deploy(estate, name)
    return replace(deployed, environment={{**deployed.environment, "HOLD_DOWN_MINUTES": "5"}})
story.deploy = patient
{MAIN}
"""
PULL = ["GetAuthorizationToken", "BatchGetImage", "GetDownloadUrlForLayer"]

# In the order in which they are shown: the cause, the broken resource, and whose words AWS uses.
EXPECTED = [
    (
        "role_lacks_pull_permissions",
        "arn:aws:iam::123456789012:role/eks/prod-web-node",
        "because no identity-based policy allows the ecr:BatchGetImage action",
    ),
    (
        "repository_policy_lacks_grant",
        "arn:aws:ecr:us-east-1:111111111111:repository/platform/base",
        "because no resource-based policy allows the ecr:BatchGetImage action",
    ),
    (
        "permissions_boundary_blocks_pull",
        "arn:aws:iam::123456789012:role/eks/prod-batch-node",
        "because no permissions boundary allows the ecr:BatchGetImage action",
    ),
]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finished]:
    """The demo in each format, and one that goes wrong. They share nothing, so they run side by side."""
    started = {form: start(tmp_path_factory.mktemp(form), "--format", form) for form in ("json", "text")}
    started["mistaken"] = start(tmp_path_factory.mktemp("mistaken"), code=MISTAKEN)
    return {form: finish(process) for form, process in started.items()}


@pytest.fixture(scope="module")
def episodes(runs: dict[str, Finished]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in runs["json"].output.splitlines()]


def changes(episode: dict[str, Any]) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = episode["changes"]
    return events


def outcome(pull: dict[str, Any]) -> list[tuple[str, bool]]:
    return [(call["action"], call["refusal"] is None) for call in pull["calls"]]


def test_every_break_is_found(runs: dict[str, Finished], episodes: list[dict[str, Any]]) -> None:
    found = [[(finding["cause"], finding["resource"]["id"]) for finding in episode["findings"]] for episode in episodes]
    assert found == [[(cause, resource)] for cause, resource, _ in EXPECTED], runs["json"].errors
    assert [episode["problems"] for episode in episodes] == [[], [], []]
    assert runs["json"].exit_status == 0


def test_the_pull_works_then_is_denied_then_works_again(episodes: list[dict[str, Any]]) -> None:
    for episode in episodes:
        assert outcome(episode["pull_before"]) == [(action, True) for action in PULL]
        assert outcome(episode["pull_broken"]) == [("BatchGetImage", False)]
        assert outcome(episode["pull_after"]) == [(action, True) for action in PULL]


def test_what_is_run_between_them_is_the_printed_fix(episodes: list[dict[str, Any]]) -> None:
    for episode in episodes:
        (finding,) = episode["findings"]
        remedy = finding["remediation"]
        assert remedy["commands"]
        assert [(ran["line"], ran["account"], ran["exit_status"]) for ran in episode["fix"]] == [
            (command, remedy["account"], 0) for command in remedy["commands"]
        ]


def test_the_event_has_the_form_and_the_words_of_aws(episodes: list[dict[str, Any]]) -> None:
    for episode, (_, _, words) in zip(episodes, EXPECTED, strict=True):
        event, detail = episode["event"], episode["event"]["detail"]
        assert (event["source"], event["detail-type"]) == ("aws.ecr", "AWS API Call via CloudTrail")
        assert (detail["eventName"], detail["errorCode"]) == ("BatchGetImage", "AccessDenied")
        assert detail["errorMessage"].endswith(words)
        assert detail["userIdentity"]["arn"].endswith(f"/{episode['node']}")
        assert detail["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"] == episode["role_arn"]


def test_one_mail_tells_cause_and_fix(episodes: list[dict[str, Any]]) -> None:
    for episode, (cause, resource, words) in zip(episodes, EXPECTED, strict=True):
        (mail,) = episode["notifications"]
        assert mail["sender"] == "Pull Responder <no-reply@sns.amazonaws.com>"
        assert mail["subject"].startswith(f"[NEW] {BY_ID[cause].severity}: ")
        assert cause.replace("_", " ") in mail["subject"]
        assert re.search(r", (cluster )?prod, ", mail["subject"])
        assert resource in mail["body"]
        assert words in mail["body"]
        assert all(command in mail["body"] for command in episode["findings"][0]["remediation"]["commands"])
        assert mail["attributes"]["cause"] == cause
        assert mail["attributes"]["status"] == "new"


def test_the_same_failure_on_other_nodes_is_counted_in_silence(episodes: list[dict[str, Any]]) -> None:
    for episode in episodes:
        repeats = episode["repeats"]
        assert (repeats["messages"], repeats["denials"], repeats["nodes"]) == (31, 25, 5)
        assert repeats["answer"] == {"batchItemFailures": []}
        assert repeats["notifications"] == []
        assert [stored["Id"] for stored in repeats["security_hub"]] == [episode["findings"][0]["id"]]
        assert (repeats["reach"]["events"], repeats["reach"]["node_count"]) == (26, 6)
        assert episode["node"] in repeats["reach"]["nodes"]


def test_the_record_of_the_fix_is_that_of_the_call_that_was_made(episodes: list[dict[str, Any]]) -> None:
    calls = [(each["source"], each["account"], each["detail"]["eventName"]) for (each,) in map(changes, episodes)]
    assert calls == [
        ("aws.iam", "123456789012", "AttachRolePolicy"),
        ("aws.ecr", "111111111111", "SetRepositoryPolicy"),
        ("aws.iam", "123456789012", "CreatePolicyVersion"),
    ]
    attach, grant, boundary = ((*changes(each),)[0]["detail"]["requestParameters"] for each in episodes)
    assert attach == {
        "roleName": "prod-web-node",
        "policyArn": "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly",
    }
    assert grant["repositoryName"] == "platform/base"
    assert "arn:aws:iam::123456789012" in grant["policyText"]
    assert boundary["setAsDefault"] is True


def test_the_fix_resolves_the_finding_and_those_who_got_the_alert_hear_of_it(episodes: list[dict[str, Any]]) -> None:
    for episode in episodes:
        (alert,) = episode["notifications"]
        (mail,) = episode["resolved"]["notifications"]
        assert mail["subject"] == alert["subject"].replace("[NEW]", "[RESOLVED]")
        assert mail["attributes"] == {**alert["attributes"], "status": "resolved"}
        assert re.search(r"\n  (Since|At|From \S+ \S+ UTC to) \S+ \S+ UTC, 26 failures\n", mail["body"])
        # Who has run the fix is known from CloudTrail's record of it.
        assert re.search(r" since .*; it was broken for [^;]*\.$", mail["body"].splitlines()[0])
        assert re.search(
            r"\nChanged before it was resolved: [A-Za-z]+( of [A-Za-z0-9-]+)? by [^,\n]+, \S+ \S+ UTC\n",
            mail["body"],
        )
        (stored,) = episode["resolved"]["security_hub"]
        (before,) = episode["security_hub"]
        assert (stored["Id"], stored["CreatedAt"]) == (before["Id"], before["CreatedAt"])
        assert stored["UpdatedAt"] > before["UpdatedAt"]
        assert stored["Compliance"]["Status"] == "PASSED"
        assert stored["RecordState"] == "ARCHIVED"
        assert stored["Workflow"] == {"Status": "RESOLVED"}


def test_security_hub_stores_the_finding(episodes: list[dict[str, Any]]) -> None:
    for episode, (cause, resource, _) in zip(episodes, EXPECTED, strict=True):
        (stored,) = episode["security_hub"]
        (finding,) = episode["findings"]
        arn = Arn.parse(resource)
        assert arn
        assert stored["Id"] == finding["id"]
        assert stored["GeneratorId"] == f"pull-responder/{cause}"
        assert stored["AwsAccountId"] == "123456789012"
        assert resource in [each["Id"] for each in stored["Resources"]]
        assert stored["ProductFields"]["pull-responder/account"] == arn.account


def test_the_text_shows_every_step_of_every_break(runs: dict[str, Finished]) -> None:
    text = runs["text"].output
    assert runs["text"].exit_status == 0, runs["text"].errors
    headings = (
        " 4  The event: CloudTrail's record of the denial, as EventBridge delivers it\n",
        " 6  The alert: the e-mail that the topic sends to its subscriber\n",
        " 7  The finding, as Security Hub stores it\n",
        " 8  The other nodes of the group fail as well, again and again: silence\n",
        " 9  The fix of the e-mail, run as it is printed\n",
        "10  The node pulls, with a new token\n",
        "11  The function `recheck` gets CloudTrail's record of the fix, and looks again\n",
        "12  Resolved: the e-mail to those who got the alert\n",
    )
    assert {heading: text.count(heading) for heading in headings} == dict.fromkeys(headings, 3)
    for cause, _, _ in EXPECTED:
        # The team's part of the image's name is in it.
        assert re.search(rf"Subject: \[NEW\] {BY_ID[cause].severity}: {cause.replace('_', ' ')} \(\w+/\w+, ", text)
        assert f'"GeneratorId": "pull-responder/{cause}"' in text
        assert f"Subject: [RESOLVED] {BY_ID[cause].severity}: {cause.replace('_', ' ')} (" in text
    assert text.count("    E-mail        none\n") == 3
    assert text.count("    The table     26 failures on 6 nodes, ") == 3
    assert text.count("    Security Hub  Compliance PASSED, RecordState ARCHIVED, Workflow RESOLVED\n") == 3
    assert text.count("By default it is sent 5 minutes later") == 3
    attach = "aws iam attach-role-policy --role-name prod-web-node --policy-arn"
    assert f"$ {attach} arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly --region us-east-1\n" in text
    assert "From:    Pull Responder <no-reply@sns.amazonaws.com>" in text
    assert text.count("    Found, notified once, fixed and resolved.\n") == 3
    assert text.endswith("Every break was found, notified once, fixed and resolved. Nothing is left running.\n")


def test_what_goes_wrong_is_said_and_sets_the_exit_status(runs: dict[str, Finished]) -> None:
    run = runs["mistaken"]
    assert run.exit_status == 1, run.errors
    assert "    Wrong         the alert should name scp_blocks_pull on" in run.output
    assert "    Wrong         the resolution was not notified exactly once: not at all\n" in run.output
    assert run.output.endswith("1 of 1 breaks failed: see above.\n")


def test_the_handlers_log_and_metrics_are_not_shown(runs: dict[str, Finished]) -> None:
    for run in runs.values():
        assert "CloudWatchMetrics" not in run.output + run.errors
        assert "cold_start" not in run.output + run.errors
        assert "HTTP/1.1" not in run.errors


def test_progress_is_kept_apart_from_the_result(runs: dict[str, Finished]) -> None:
    for run in runs.values():
        assert run.errors.startswith("Starting an emulated AWS on this machine\nBuilding the estate\nBreak 1 of ")


@pytest.mark.parametrize("to", ["the group, as Ctrl-C does", "the process alone"])
def test_nothing_is_left_running_when_it_is_stopped(tmp_path: Path, to: str) -> None:
    # Jobs in the background of a shell ignore Ctrl-C, and what they start does, too.
    listens = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    demo = start(tmp_path, code=f"{listens}\n{MAIN}")
    assert demo.stderr
    # By then the emulator runs.
    while "Building the estate" not in demo.stderr.readline():
        assert demo.poll() is None
    if to == "the process alone":
        os.kill(demo.pid, signal.SIGTERM)
    else:
        os.killpg(demo.pid, signal.SIGINT)
    _, errors = demo.communicate(timeout=SECONDS)
    assert demo.returncode == 130
    assert errors.endswith("pull-responder: interrupted\n")
    assert "Traceback" not in errors
    with pytest.raises(ProcessLookupError):
        os.killpg(demo.pid, 0)


def test_a_missing_requirement_is_one_line(tmp_path: Path) -> None:
    demo = start(tmp_path, code=f"import sys; sys.modules['ministack'] = None; {MAIN}")
    output, errors = demo.communicate(timeout=SECONDS)
    assert demo.returncode == 2
    assert output == ""
    assert errors == "pull-responder: demo needs the extra demo: pip install 'pull-responder[demo]'\n"
