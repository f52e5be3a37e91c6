"""`pull-responder … | head`: who reads the output goes away, and the exit status is what it would have been."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import IO, TYPE_CHECKING, Any, Final

import pytest

from tests.integration.cli.test_diagnose import event, node

if TYPE_CHECKING:
    from pull_responder.emulator.emulated_aws import EmulatedAws

__all__ = ["node"]

_MAIN: Final = """
from pull_responder.cli.reader import outlive_reader; outlive_reader()
from pull_responder.cli.start import main; main()
"""
COMMAND: Final = (sys.executable, "-c", _MAIN)
NOT_OURS: Final = {
    "eventSource": "aws:sqs",
    "body": json.dumps({"source": "aws.s3", "detail-type": "Object Created", "detail": {}}),
}


def unread(*arguments: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run a command whose standard output nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return subprocess.run(  # noqa: S603 -- our own command
            [*COMMAND, *arguments],
            input=stdin,
            stdout=writing,
            stderr=subprocess.PIPE,
            env={**os.environ, **environment},
            check=False,
        )
    finally:
        os.close(writing)


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_cause_is_still_exit_status_1(aws: EmulatedAws, node: tuple[str, str, str], form: str) -> None:
    instance, role, repository = node
    said = event(instance, role, repository=repository)
    ended = unread("diagnose", "--event", "-", "--format", form, stdin=said, **aws.environment)
    assert (ended.returncode, ended.stderr) == (1, b"")


@pytest.mark.parametrize("form", ["text", "json"])
def test_nothing_wrong_is_still_exit_status_0(form: str) -> None:
    batch = json.dumps({"Records": [NOT_OURS] * 2_000}).encode()
    ended = unread("diagnose", "--event", "-", "--format", form, stdin=batch, AWS_REGION="us-east-1")
    assert (ended.returncode, ended.stderr) == (0, b"")


def test_unusable_input_is_still_exit_status_2() -> None:
    ended = unread("diagnose", "--event", "-", stdin=b"[]")
    assert (ended.returncode, ended.stderr.count(b"\n")) == (2, 1)


def test_a_list_ends_without_a_word() -> None:
    ended = unread("causes")
    assert (ended.returncode, ended.stderr) == (0, b"")


CASE: Final = {
    "request": {
        "principal": "arn:aws:iam::111111111111:role/node",
        "action": "ecr:BatchGetImage",
        "resource": {"arn": "*", "accountId": "111111111111"},
    }
}


@pytest.mark.parametrize(
    ("arguments", "line"),
    [(("explain", "-", "--format", "json"), {"message": "toomanyrequests: Rate exceeded"}), (("evaluate",), CASE)],
)
def test_a_filter_of_an_endless_input_ends(arguments: tuple[str, ...], line: dict[str, Any]) -> None:
    text = json.dumps(line).encode() + b"\n"
    with subprocess.Popen([*COMMAND, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:  # noqa: S603 -- our own
        assert process.stdin
        assert process.stdout
        process.stdin.write(text)
        assert process.stdout.read(1)
        process.stdout.close()
        with pytest.raises(BrokenPipeError):
            _write_for_ever(process.stdin, text)
        assert process.wait() == 0


def _write_for_ever(to: IO[bytes], text: bytes) -> None:
    while True:
        to.write(text)
