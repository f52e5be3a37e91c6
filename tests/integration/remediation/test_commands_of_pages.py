"""The commands on the pages of the causes are those of the AWS CLI: it understands each, and would send it."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from pull_responder.checks import CHECKS
from pull_responder.generate.cause_fixes import FOLDER, fix_of
from tests import aws_cli

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
SHELL: Final = {check.id: code for check in CHECKS if (code := fix_of(check.id, ROOT).code.get("sh"))}
SENT: Final = "Could not connect to the endpoint URL"
# What the pages run besides. Their arguments are not ours to check.
OTHERS: Final = ("kubectl", "docker", "pull-responder")
RECORDER: Final = """#!{python} -IS
import json, subprocess, sys
done = subprocess.run([{aws!r}, *sys.argv[1:]], capture_output=True, text=True, stdin=subprocess.DEVNULL)
with open({log!r}, "a") as log:
    log.write(json.dumps([sys.argv[1:], done.stderr]) + "\\n")
print("made-up")
"""


@pytest.fixture
def closed() -> Iterator[str]:
    """An endpoint that refuses connections: its port is taken, and nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def run(code: str, folder: Path, endpoint: str) -> list[tuple[list[str], str]]:
    """Run a block as a shell does. Return each call of the AWS CLI: its arguments, and its standard error."""
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    log = folder / "log"
    log.unlink(missing_ok=True)
    recorder = RECORDER.format(python=sys.executable, aws=str(aws_cli.folder() / "aws"), log=str(log))
    for name, text in {"aws": recorder, **dict.fromkeys(OTHERS, "#!/bin/sh\ncat\n")}.items():
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    (folder / "user-data.txt").write_text("MIME-Version: 1.0\n")
    environment = {
        "PATH": f"{programs}:{os.defpath}",
        "HOME": str(folder),
        "AWS_ACCESS_KEY_ID": "111111111111",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": endpoint,
    }
    done = subprocess.run(  # noqa: S603 -- what is tested
        ["bash", "-euo", "pipefail", "-c", code],  # noqa: S607 -- whichever there is
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{code}\n{done.stderr}"
    lines = log.read_text().splitlines() if log.exists() else []
    return [(arguments, said) for arguments, said in map(json.loads, lines)]


@pytest.mark.parametrize("cause", SHELL)
def test_the_aws_cli_understands_the_commands(cause: str, tmp_path: Path, closed: str) -> None:
    for code in SHELL[cause]:
        calls = run(code, tmp_path, closed)
        assert len(calls) == len(re.findall(r"(?m)(?:^|\$\()aws ", code)), f"{FOLDER}/{cause}.md: {code}"
        for arguments, said in calls:
            assert SENT in said, f"{FOLDER}/{cause}.md: aws {' '.join(arguments)}\n{said}"
            for argument in arguments:
                if argument.startswith(("{", "[")):
                    json.loads(argument)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("aws ecr describe-registry", "You must specify a region"),
        ("aws ecr set-repository-policy --repository-name app", "--policy-text"),
        ("aws ecr create-repository --repository-name app --mutable", "Unknown options: --mutable"),
        ("aws ecr make-repository --repository-name app", "argument operation"),
        (
            "aws ec2 create-launch-template-version --region us-east-1 --launch-template-data '{\"Data\": 1}'",
            "Unknown parameter",
        ),
    ],
)
def test_a_command_that_the_aws_cli_does_not_have_is_refused(
    wrong: str, said: str, tmp_path: Path, closed: str
) -> None:
    ((_, refused),) = run(wrong, tmp_path, closed)
    assert SENT not in refused
    assert said in refused
