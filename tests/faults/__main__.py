"""Runs the fault campaign and prints its totals: `python -m tests.faults [--faults N] [--seed S] [--processes P]`.

Ends with 1 if anything was wrong. `--only TEXT` runs the faults whose description has TEXT in it.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import json
import logging
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Final

from tests.faults.campaign import Totals, prepared, sample

if TYPE_CHECKING:
    from tests.faults.fault import Fault
    from tests.faults.verdict import Verdict


# Real seconds after which a run counts as one that never ends: all threads' stacks are written, and the process ends.
_NEVER: Final = 300


def _run_shard(arguments: argparse.Namespace) -> Totals:
    """Make every n-th run, and report what is wrong as it comes."""
    logging.disable(logging.CRITICAL)
    with contextlib.contextmanager(prepared)() as campaign:
        faults = [each for each in campaign.faults() if arguments.only in str(each)]
        if arguments.faults:
            faults = sample(faults, arguments.faults, arguments.seed)

        def report(fault: Fault, verdict: Verdict) -> None:
            faulthandler.dump_traceback_later(_NEVER, exit=True)
            for problem in verdict.problems:
                sys.stderr.write(f"{fault}: {problem}\n")
            sys.stderr.flush()

        faulthandler.dump_traceback_later(_NEVER, exit=True)
        totals = campaign.run(faults[arguments.shard :: arguments.processes], report)
        faulthandler.cancel_dump_traceback_later()
    return totals


def _run_all(arguments: argparse.Namespace) -> Totals:
    """Run the shards, each in a process of its own with an emulated AWS of its own."""
    totals = Totals()
    command = [sys.executable, "-m", "tests.faults", *sys.argv[1:], "--shard"]
    shards = [
        subprocess.Popen([*command, str(shard)], stdout=subprocess.PIPE, text=True)  # noqa: S603 -- this program
        for shard in range(arguments.processes)
    ]
    outputs = [shard.communicate()[0] for shard in shards]
    for shard, output in zip(shards, outputs, strict=True):
        if shard.returncode:
            raise SystemExit(f"a shard ended with {shard.returncode}")
        counted = json.loads(output.strip().splitlines()[-1])
        totals.add_all(counted["runs"], counted["wrong"])
    return totals


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--faults", type=int, default=0, help="how many, chosen by the seed; all by default")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", default="", help="only faults whose description has this text in it")
    parser.add_argument("--shard", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.shard is not None:
        totals = _run_shard(arguments)
        sys.stdout.write(json.dumps({"runs": totals.runs, "wrong": totals.wrong}) + "\n")
        return 0
    began = time.monotonic()
    totals = _run_all(arguments)
    number = sum(totals.runs.values())
    sys.stdout.write(f"{totals.table()}\n\n{number} runs in {(time.monotonic() - began) / 60:.0f} minutes\n")
    return int(any(count for each in totals.wrong.values() for name, count in each.items() if name != "heard again"))


if __name__ == "__main__":
    sys.exit(main())
