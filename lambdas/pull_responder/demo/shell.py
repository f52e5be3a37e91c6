"""Runs a printed command as its reader would: pasted into a shell of its own, in an empty folder."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pull_responder.emulator.emulated_aws import EmulatedAws

_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class CommandResult:
    """A command line that was run with the credentials of `account`. `output` is what it printed, including errors."""

    line: str
    account: str
    exit_status: int
    output: str


def has_aws_cli(aws: EmulatedAws) -> bool:
    """Return whether `run` can find the AWS CLI."""
    return shutil.which("aws", path=_path(aws)) is not None


def run(aws: EmulatedAws, line: str, *, account: str) -> CommandResult:
    """Run `line` against the emulated AWS, as the root of `account`."""
    with tempfile.TemporaryDirectory(prefix="demo-") as folder:
        environment = {
            "PATH": _path(aws),
            "HOME": folder,
            "AWS_ACCESS_KEY_ID": account,
            "AWS_SECRET_ACCESS_KEY": aws.environment["AWS_SECRET_ACCESS_KEY"],
            "AWS_ENDPOINT_URL": aws.environment["AWS_ENDPOINT_URL"],
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_PAGER": "",
        }
        try:
            done = subprocess.run(  # noqa: S603 -- our own breaks, and the fixes that are to be proved
                ["/bin/sh", "-c", line],
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return CommandResult(line, account, -1, f"no answer within {_SECONDS} seconds")
    return CommandResult(line, account, done.returncode, done.stdout.strip())


def _path(aws: EmulatedAws) -> str:
    """Return a PATH that includes this interpreter's folder, where the AWS CLI is installed."""
    return f"{Path(sys.executable).parent}:{aws.environment['PATH']}"
