"""Runs the demo as a person runs it: from any folder, with nothing but the installed project."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SECONDS = 300
MAIN = "from pull_responder.cli.main import main; main()"


def start(folder: Path, *arguments: str, code: str = MAIN) -> subprocess.Popen[str]:
    """Start the demo in a process group of its own, and in an empty folder."""
    return subprocess.Popen(  # noqa: S603 -- what is tested
        [sys.executable, "-c", code, "demo", *arguments],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "COLUMNS": "100"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


@dataclass(frozen=True)
class Finished:
    exit_status: int
    output: str
    errors: str


def finish(process: subprocess.Popen[str]) -> Finished:
    output, errors = process.communicate(timeout=SECONDS)
    return Finished(process.returncode, output, errors)
