"""Measures how soon the command line answers, as it is installed: `python -m bench.start`.

Processes take turns, so that a slow moment of the machine meets all of them. What is printed are medians of elapsed
time, of which `python -c 'import click'` is what no command line with click can do without.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

from bench.install import fresh_environment, install

if TYPE_CHECKING:
    from pathlib import Path

_RUNS: Final = 15
_MESSAGE: Final = (
    'Failed to pull image "111111111111.dkr.ecr.us-east-1.amazonaws.com/app:1": failed to resolve reference: '
    "unexpected status from HEAD request: 403 Forbidden"
)
_COMMANDS: Final = (
    ("python -c 'import click'", ("python", "-c", "import click")),
    ("pull-responder --help", ("pull-responder", "--help")),
    ("pull-responder explain MESSAGE", ("pull-responder", "explain", _MESSAGE)),
    ("pull-responder causes", ("pull-responder", "causes")),
    ("pull-responder causes CAUSE", ("pull-responder", "causes", "image_not_found")),
    ("pull-responder diagnose --help", ("pull-responder", "diagnose", "--help")),
)


def _seconds(scripts: Path, command: tuple[str, ...]) -> float:
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    began = time.perf_counter()
    subprocess.run(  # noqa: S603 -- the commands above
        [str(scripts / command[0]), *command[1:]], env=clean, check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - began


def main() -> None:
    """Print the medians."""
    with fresh_environment() as (wheel, environment):
        install(wheel, environment)
        runs = [[_seconds(environment / "bin", command) for _, command in _COMMANDS] for _ in range(_RUNS + 1)]
    sys.stdout.write(f"Start of the command line, medians of {_RUNS} processes, by turns:\n")
    for number, (name, _) in enumerate(_COMMANDS):
        # The first turn is not counted: it reads from the disk.
        sys.stdout.write(f"  {name:<32} {statistics.median(run[number] for run in runs[1:]):.2f} s\n")


if __name__ == "__main__":
    main()
