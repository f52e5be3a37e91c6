"""What a terminal is told while it waits for AWS, and of an AWS that does not answer."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.integration.cli.silent import Silent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pull_responder.emulator.emulated_aws import EmulatedAws

ROOT: Final = Path(__file__).parents[3]
ACCOUNT: Final = "111111111111"
EVENT: Final = str(ROOT / "tests" / "events" / "ecr_denials" / "node_role_every_field.json")
IMAGE: Final = f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/team/app:v1"
MAIN: Final = "from pull_responder.cli.start import main; main()"
# Jobs in the background of a shell ignore Ctrl-C, and what they start does, too.
LISTENING: Final = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
# Far more than any of these takes, and far less than the SDK's tries and time-outs of one read after the other.
PATIENCE: Final = 60
ALL: Final = ("--event", EVENT), ("--image", IMAGE, "--cluster", "prod")


@pytest.fixture
def silent() -> Iterator[Silent]:
    server = Silent()
    yield server
    server.close()


@pytest.fixture
def environment(silent: Silent) -> dict[str, str]:
    return {
        **os.environ,
        "AWS_ENDPOINT_URL": silent.url,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "TERM": "xterm",
    }


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 -- our own command
        [sys.executable, "-c", MAIN, "diagnose", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


@pytest.mark.parametrize("arguments", ALL, ids=["event", "question"])
def test_an_aws_that_answers_nothing_is_said_and_no_cause_is_claimed(
    environment: dict[str, str], arguments: tuple[str, ...]
) -> None:
    ended = run(environment, *arguments, "--timeout", "2", "--format", "json")
    (answer,) = map(json.loads, ended.stdout.splitlines())
    assert (ended.returncode, ended.stderr, answer["findings"]) == (3, "", [])
    assert answer["skipped"].startswith("AWS did not answer within 2 s: ")
    assert "sts in us-east-1" in answer["skipped"] or ", sts" in answer["skipped"]
    assert answer["skipped"].endswith("; nothing was read, so nothing is said about the pull")


def test_what_one_service_leaves_unanswered_is_said_and_left_open(
    environment: dict[str, str], aws: EmulatedAws
) -> None:
    silent_ec2 = {**aws.environment, "AWS_ENDPOINT_URL_EC2": environment["AWS_ENDPOINT_URL"]}
    mixed = {**environment, **silent_ec2, "AWS_ACCESS_KEY_ID": ACCOUNT}
    ended = run(mixed, "--event", EVENT, "--timeout", "4", "--format", "json")
    (answer,) = map(json.loads, ended.stdout.splitlines())
    said = ended.stderr.strip()
    silence = "AWS did not answer within 4 s: ec2 in us-east-1"
    assert said.startswith(f"pull-responder: {silence}; not asked any more: ")
    assert "; what answered until then: " in said
    assert "sts in us-east-1" in said
    assert "\n" not in said
    reasons = [each["reason"] for each in (*answer["inconclusive"], *answer["unchecked"])]
    assert any("ec2:DescribeInstances failed: no answer within 4 seconds" in each for each in reasons), reasons
    assert ended.returncode == (1 if answer["findings"] else 3)


def in_terminal(environment: dict[str, str], *arguments: str, until: bytes) -> tuple[str, bytes, int]:
    """Run the command with standard error as a terminal. Press Ctrl-C there once `until` is seen, if it is not empty.

    Return standard output, what the terminal got, and the exit status.
    """
    ours, its = pty.openpty()
    command = subprocess.Popen(  # noqa: S603 -- our own command
        [sys.executable, "-c", f"{LISTENING}\n{MAIN}", "diagnose", *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=its,
        text=True,
    )
    os.close(its)
    seen = b""
    try:
        while chunk := _read(ours):
            seen += chunk
            if until and until in seen:
                command.send_signal(signal.SIGINT)
                until = b""
        out, _ = command.communicate(timeout=PATIENCE)
    finally:
        command.kill()
        os.close(ours)
    return out, seen, command.returncode


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # nobody has the other end any more
        return b""


def test_a_terminal_is_told_how_far_the_reads_are_and_the_line_is_gone_at_the_end(
    environment: dict[str, str],
) -> None:
    out, seen, status = in_terminal(environment, "--event", EVENT, "--timeout", "3", until=b"")
    assert b"reading from AWS: 0 of " in seen
    assert seen.endswith(b"\r\x1b[K")
    assert (out.startswith("Not decided: AWS did not answer within 3 s"), status) == (True, 3)


def test_the_line_is_gone_at_ctrl_c(environment: dict[str, str]) -> None:
    out, seen, status = in_terminal(environment, "--event", EVENT, until=b"reading from AWS: ")
    assert seen.rpartition(b"\r\x1b[K")[2].split() == [b"pull-responder:", b"interrupted"]
    assert (out, status) == ("", 130)


@pytest.mark.parametrize(("term", "form"), [("dumb", "text"), ("xterm", "json")])
def test_no_line_where_none_belongs(environment: dict[str, str], term: str, form: str) -> None:
    environment["TERM"] = term
    _, seen, status = in_terminal(environment, "--event", EVENT, "--timeout", "3", "--format", form, until=b"")
    assert (seen, status) == (b"", 3)
