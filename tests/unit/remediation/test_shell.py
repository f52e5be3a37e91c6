from __future__ import annotations

import shlex
import subprocess
import sys

import pytest

from pull_responder.remediation.shell import aws, render

HOSTILE = [
    "plain",
    "it's",
    'say "no"',
    "$(touch owned)",
    "`touch owned`",
    "a;b && c | d > e",
    "two\nlines",
    "--role-name",
    "-rf",
    "*",
    "~",
    "",
    "\\",
    '{"Version":"2012-10-17","Statement":[{"Sid":"it\'s"}]}',
]


@pytest.mark.parametrize("value", HOSTILE)
def test_a_value_stays_one_argument_of_a_shell(value: str) -> None:
    command = aws("iam", "attach-role-policy", role_name=value, region="eu-west-1")
    echo = [sys.executable, "-c", "import sys; print(ascii(sys.argv[1:]))"]
    shell = subprocess.run(["sh", "-c", render([*echo, *command])], check=True, capture_output=True, text=True)  # noqa: S603, S607 -- what is tested
    assert shell.stdout.strip() == ascii(list(command))
    assert tuple(shlex.split(render(command))) == command


def test_options_are_spelled_like_the_aws_clis() -> None:
    assert aws("iam", "create-policy-version", "--set-as-default", policy_arn="arn", region="eu-west-1") == (
        *("aws", "iam", "create-policy-version", "--policy-arn", "arn", "--region", "eu-west-1"),
        "--set-as-default",
    )


def test_a_value_with_a_leading_dash_is_joined_to_its_option() -> None:
    assert aws("iam", "delete-role-policy", role_name="-node", policy_name="--all") == (
        *("aws", "iam", "delete-role-policy", "--role-name=-node", "--policy-name=--all"),
    )
