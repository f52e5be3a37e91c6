"""`pull-responder demo --enterprise`: a way over four accounts, with one fault in the transit gateway's."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pull_responder.demo.enterprise.asking import Answer
from pull_responder.demo.enterprise.estate import Estate
from pull_responder.demo.enterprise.story import Story
from pull_responder.demo.shell import CommandResult
from pull_responder.emulator.emulated_aws import EmulatedAws
from tests.integration.demo.running import SECONDS, Finished, finish, start

if TYPE_CHECKING:
    from collections.abc import Callable

SPOKE, HUB, EGRESS, GATEWAY = "123456789012", "222222222222", "333333333333", "444444444444"
CAUSE = "transit_gateway_blocks_traffic"
PROPAGATE = "aws ec2 enable-transit-gateway-route-table-propagation --transit-gateway-route-table-id "


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Finished]:
    started = {
        form: start(tmp_path_factory.mktemp(form), "--enterprise", "--format", form) for form in ("json", "text")
    }
    return {form: finish(process) for form, process in started.items()}


@pytest.fixture(scope="module")
def told(runs: dict[str, Finished]) -> dict[str, Any]:
    assert runs["json"].exit_status == 0, runs["json"].errors + runs["json"].output
    (line,) = runs["json"].output.splitlines()
    story: dict[str, Any] = json.loads(line)
    return story


def test_nothing_is_wrong_before_the_break_and_after_the_fix(told: dict[str, Any]) -> None:
    for when in ("before", "after"):
        assert told[when]["exit_status"] == 0
        assert told[when]["text"].startswith("No fault found: ")
        found = told[when]["found"]
        assert found["findings"] == found["inconclusive"] == []
        (way,) = found["path"]["from"]
        assert way["verdict"] == "ok"


def test_the_one_fault_is_found_in_the_account_of_the_gateway(told: dict[str, Any]) -> None:
    assert told["problems"] == []
    (finding,) = told["answer"]["found"]["findings"]
    assert finding["cause"] == CAUSE
    assert finding["resource"]["id"].startswith(f"arn:aws:ec2:us-east-1:{GATEWAY}:transit-gateway-route-table/tgw-rtb-")
    assert finding["remediation"]["account"] == GATEWAY
    assert told["message"].endswith(":443: i/o timeout")
    assert told["break"]["account"] == GATEWAY
    (fix,) = told["fix"]
    assert fix["line"] == finding["remediation"]["commands"][0]
    assert fix["line"].startswith(PROPAGATE)
    assert (fix["account"], fix["exit_status"]) == (GATEWAY, 0)


def test_the_ways_lead_over_all_four_accounts(told: dict[str, Any]) -> None:
    def accounts(answer: dict[str, Any], stage: str) -> list[str]:
        (way,) = answer["found"]["path"]["from"]
        (leg,) = [each for each in way["legs"] if each["stage"] == stage]
        return list(dict.fromkeys(hop["account"] or SPOKE for hop in leg["hops"]))

    assert accounts(told["answer"], "manifest") == [SPOKE, GATEWAY, HUB]
    assert accounts(told["after"], "layer") == [SPOKE, GATEWAY, EGRESS]


def test_the_text_shows_message_answer_way_and_fix(runs: dict[str, Finished]) -> None:
    text = runs["text"].output
    assert runs["text"].exit_status == 0, runs["text"].errors
    lines = text.splitlines()
    at = lines.index("    $ kubectl get pod web-0 -n shop -o json | pull-responder diagnose -")
    assert lines[at + 1].startswith("    HIGH: A transit gateway drops it (tgw-rtb-")
    assert lines[at + 2].startswith(f"    Run in account {GATEWAY}, us-east-1: {PROPAGATE}")
    assert lines[at + 3].startswith("    Pod shop/web-0, image shop/web:v1.4.2, node ip-10-0-1-")
    assert text.index("i/o timeout") < text.index("    HIGH: ")
    (broken,) = [line for line in lines if line.endswith(": broken")]
    assert broken.startswith("    gateway       transit gateway tgw-rtb-")
    assert any(line.startswith("                  firewall edge in vpc-") and line.endswith("works") for line in lines)
    assert text.count(f"    With credentials of account {GATEWAY}:\n") == 2
    assert text.count("    No fault found: ") == 2
    assert text.endswith("    Found in the account at fault, fixed there, and gone. Nothing is left running.\n")


def test_only_progress_is_on_standard_error(runs: dict[str, Finished]) -> None:
    for run in runs.values():
        assert run.errors.startswith("Starting an emulated AWS on this machine\nBuilding the estate of four accounts\n")
        assert "HTTP/1.1" not in run.errors


def test_nothing_is_left_running_when_it_is_stopped(tmp_path: Path) -> None:
    demo = start(tmp_path, "--enterprise")
    assert demo.stderr
    while "Building the estate" not in demo.stderr.readline():
        assert demo.poll() is None
    os.kill(demo.pid, signal.SIGTERM)
    _, errors = demo.communicate(timeout=SECONDS)
    assert demo.returncode == 130
    assert errors.endswith("pull-responder: interrupted\n")
    with pytest.raises(ProcessLookupError):
        os.killpg(demo.pid, 0)


TABLE = "tgw-rtb-0123456789abcdef0"
ESTATE = Estate(
    EmulatedAws({}, Path(os.devnull)), {}, "tgw-1", TABLE, "tgw-attach-1", "i-1", "ip-10-0-1-4", "10.100.1.9"
)
FINDING = {
    "cause": CAUSE,
    "resource": {"id": ESTATE.shared_arn},
    "remediation": {"account": GATEWAY, "commands": ["aws ec2 fix"]},
}


def answer(status: int, *findings: dict[str, Any], hops: tuple[str | None, ...], stage: str) -> Answer:
    legs = [{"stage": stage, "hops": [{"account": each} for each in hops]}]
    found = {"findings": list(findings), "path": {"account": SPOKE, "from": [{"legs": legs}]}}
    return Answer("diagnose", status, "first line\nsecond line\n", found)


RAN = CommandResult("aws ec2 fix", GATEWAY, 0, "")
FAILED = CommandResult("aws ec2 fix", GATEWAY, 254, "no such table")
SOUND = answer(0, hops=(None, GATEWAY, EGRESS), stage="layer")
BROKEN = answer(1, FINDING, hops=(None, GATEWAY, HUB), stage="manifest")
GOOD = Story(ESTATE, SOUND, RAN, "i/o timeout", BROKEN, (RAN,), SOUND)


def test_a_story_that_goes_well_has_no_problem() -> None:
    assert GOOD.problems == ()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda: {"before": replace(SOUND, exit_status=3)}, "something was wrong before the break: first line"),
        (lambda: {"breaking": FAILED}, "the break could not be made: no such table"),
        (
            lambda: {"answer": answer(3, hops=(None, GATEWAY, HUB), stage="manifest")},
            f"the answer should name {CAUSE} on {ESTATE.shared_arn}, but names nothing",
        ),
        (
            lambda: {
                "answer": answer(
                    1,
                    FINDING | {"remediation": {"account": SPOKE, "commands": []}},
                    hops=(None, GATEWAY, HUB),
                    stage="manifest",
                )
            },
            f"the fix should be for account {GATEWAY}, but is for {SPOKE}",
        ),
        (
            lambda: {"after": answer(0, hops=(None, GATEWAY), stage="layer")},
            f"the ways do not lead over account {EGRESS}",
        ),
        (lambda: {"fixing": ()}, "there is no command that fixes it"),
        (lambda: {"fixing": (FAILED,)}, "the fix `aws ec2 fix` ended with exit status 254: no such table"),
        (lambda: {"after": replace(SOUND, exit_status=1)}, "something is wrong after the fix: first line"),
    ],
)
def test_each_problem_is_said_and_no_other(change: Callable[[], dict[str, Any]], problem: str) -> None:
    assert replace(GOOD, **change()).problems == (problem,)
