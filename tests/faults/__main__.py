"""Runs the fault campaign and prints its totals: `python -m tests.faults [--faults N] [--seed S] [--processes P]`.

Each run is a line in the log, `build/faults.jsonl` unless `--log` names another. A fault that the log has is not run
again, so the campaign can be interrupted; with `--again`, those that were wrong are. `--only TEXT` runs the faults
whose description has TEXT in it, `--totals` none. Ends with 1 if anything was wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import logging
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.faults.campaign import prepared, sample
from tests.faults.progress import Progress
from tests.faults.verdict import Verdict

if TYPE_CHECKING:
    from tests.faults.fault import Fault

# Real seconds after which a run counts as one that never ends: all threads' stacks are written, and the process ends.
_NEVER: Final = 900


def _run_shard(arguments: argparse.Namespace) -> None:
    """Make every n-th run, and report what is wrong as it comes."""
    logging.disable(logging.CRITICAL)
    progress = Progress(arguments.log)
    commit = _commit()
    with contextlib.contextmanager(prepared)() as campaign:
        faults = [each for each in campaign.faults() if arguments.only in str(each)]
        # In the order of the sample, so that a part of the campaign is a sample of it.
        faults = sample(faults, arguments.faults or len(faults), arguments.seed)[arguments.shard :: arguments.processes]

        def report(fault: Fault, verdict: Verdict) -> None:
            faulthandler.dump_traceback_later(_NEVER, exit=True)
            progress.add(fault, verdict, commit)
            for problem in verdict.problems:
                sys.stderr.write(f"{fault}: {problem}\n")
            sys.stderr.flush()

        faulthandler.dump_traceback_later(_NEVER, exit=True)
        campaign.run(progress.left(faults, again=arguments.again), report)
        faulthandler.cancel_dump_traceback_later()


def _commit() -> str:
    """Return the sources' commit, with a plus if they differ from it."""
    git = subprocess.run(["git", "describe", "--always", "--dirty=+"], capture_output=True, text=True, check=False)  # noqa: S607
    return git.stdout.strip()


def _run_all(arguments: argparse.Namespace) -> None:
    """Run the shards, each in a process of its own with an emulated AWS of its own."""
    arguments.log.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.faults", *sys.argv[1:], "--shard"]
    shards = [subprocess.Popen([*command, str(shard)]) for shard in range(arguments.processes)]  # noqa: S603 -- this program
    for shard in shards:
        if shard.wait():
            raise SystemExit(f"a shard ended with {shard.returncode}")


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--faults", type=int, default=0, help="how many, chosen by the seed; all by default")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", default="", help="only faults whose description has this text in it")
    parser.add_argument("--log", type=Path, default=Path("build/faults.jsonl"), help="the file of the runs")
    parser.add_argument("--again", action="store_true", help="run those again that were wrong")
    parser.add_argument("--totals", action="store_true", help="only print the totals of the log")
    parser.add_argument("--shard", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.shard is not None:
        _run_shard(arguments)
        return 0
    began = time.monotonic()
    if not arguments.totals:
        _run_all(arguments)
    totals = Progress(arguments.log).totals()
    sys.stdout.write(f"{totals.table()}\n\n{sum(totals.runs.values())} runs")
    sys.stdout.write(
        "\n" if arguments.totals else f", the last of them in {(time.monotonic() - began) / 60:.0f} minutes\n"
    )
    return int(any(each[name] for each in totals.wrong.values() for name in Verdict.COLUMNS))


if __name__ == "__main__":
    sys.exit(main())
