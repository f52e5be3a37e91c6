"""`python -m bench.mutation [PACKAGE | MODULE ...]`: try a sample of mutants, and print which of them no test notices.

Each mutant meets only the unit tests of its package that run its lines, the fastest first. `--sample` (0 for all) and
`--seed` choose the mutants; the same seed chooses the same ones as long as the code stays.
"""

# ruff: noqa: T201 -- what a benchmark is for

from __future__ import annotations

import argparse
import importlib
import os
import random
import sys
import tomllib
from bisect import bisect
from collections import Counter
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from bench.mutation import warm
from bench.mutation.mutants import Change, Mutant, changes_of
from bench.mutation.record import Record, module_of
from bench.mutation.trial import forget_ours, start_trial
from bench.mutation.warm import PROOF, Job

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_SOURCES: Final = Path("lambdas/pull_responder").resolve()
# Without the table's own module, which calls AWS.
_PACKAGES: Final = ("authorization", "network", "events", "remediation", "findings")
_IMPURE: Final = {"pull_responder.findings.store"}
_EQUIVALENTS: Final = Path("bench/mutation/equivalents.toml")
# A mutant may take this many seconds of the processor, and this many times what its tests take otherwise.
_SECONDS, _TIMES = 8.0, 3.0


def main() -> int:
    """Return 0 when all mutants were tried, whatever survived."""
    options = _options()
    listed = tomllib.loads(_EQUIVALENTS.read_text(encoding="utf-8")).get("equivalent", [])
    known = {(each["module"], each["removed"], each["added"]) for each in listed}
    changes = [change for path, module in _modules(options.only) for change in changes_of(path, module)]
    mutants = _sample(changes, known, options.sample, random.Random(options.seed))  # noqa: S311 -- no secret
    print(f"{len(mutants)} of {len(changes)} changes, seed {options.seed}", flush=True)
    importlib.import_module("tests.conftest")
    forget_ours()
    counts: dict[str, Counter[str]] = {}
    for package in dict.fromkeys(_package(mutant.module) for mutant in mutants):
        record = Record.of(package, _SOURCES)
        counts[package] = Counter()
        jobs = [_job(mutant, record, options.seconds) for mutant in mutants if _package(mutant.module) == package]
        for mutant, result in _results(jobs, options.jobs):
            counts[package][result] += 1
            if result != "killed":
                print(f"{result}: {mutant.path.relative_to(Path.cwd())}:{mutant.line}\n{mutant.diff}\n", flush=True)
    for package, found in counts.items():
        print(_line(package, found))
    print(_line("all", sum(counts.values(), Counter())))
    return 0


def _sample(changes: list[Change], known: set[tuple[str, str, str]], count: int, draw: random.Random) -> list[Mutant]:
    """Return so many mutants of the changes, all for 0, without those known to mean the same as the code."""
    found: dict[tuple[str, str, int], Mutant] = {}
    for change in draw.sample(changes, len(changes)):
        mutant = change.made()
        if mutant and mutant.key not in known:
            found[mutant.module, mutant.diff, mutant.line] = mutant
        if len(found) == count:
            break
    return sorted(found.values(), key=lambda mutant: (mutant.module, mutant.line))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.mutation", description=__doc__)
    parser.add_argument("only", nargs="*", default=_PACKAGES, help="as network, or network/names.py")
    parser.add_argument("--sample", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--seconds", type=float, default=0, help="try a mutant only with the fastest tests that take so long together"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    return parser.parse_args()


def _modules(only: Iterable[str]) -> Iterator[tuple[Path, str]]:
    for name in only:
        place = _SOURCES / name
        for path in [place] if place.suffix else sorted(place.glob("*.py")):
            module = module_of(path)
            if module not in _IMPURE and path.name != "__init__.py":
                yield path, module


def _package(module: str) -> str:
    return module.split(".")[1]


def _job(mutant: Mutant, record: Record, most: float) -> Job:
    """Return the mutant with the tests that it has to meet: all that run it, or the fastest of `most` seconds."""
    tests = record.tests_of(mutant)
    if most:
        so_far = list(accumulate(record.seconds[test] for test in tests))
        tests = tests[: max(1, bisect(so_far, most))]
    seconds = _SECONDS + _TIMES * sum(record.seconds[test] for test in tests)
    return Job(mutant, tuple(tests), seconds, is_early=record.runs_at_import(mutant))


def _results(jobs: list[Job], parallel: int) -> Iterator[tuple[Mutant, str]]:
    """Return each mutant with what became of it, `parallel` of them at a time."""
    yield from ((job.mutant, "run by no test") for job in jobs if not job.tests)
    jobs = [job for job in jobs if job.tests]
    if not jobs:
        return
    known = set[int]()
    for number, result in warm.results(jobs, _SOURCES, parallel):
        known.add(number)
        yield jobs[number].mutant, result
    yield from _cold([job for number, job in enumerate(jobs) if number not in known], parallel)


def _cold(jobs: Iterable[Job], parallel: int) -> Iterator[tuple[Mutant, str]]:
    """Return what became of the jobs, each tried with a new import of its changed source.

    Before the first, the source as it is has to pass, or a fault of this driver would count as killed.
    """
    running: dict[int, Mutant] = {}
    is_proven = False
    for job in jobs:
        mutant = job.mutant
        if not is_proven:
            same = replace(mutant, source=mutant.path.read_text(encoding="utf-8"))
            if _ended({start_trial(same, job.tests[:PROOF], job.seconds): same})[1] != "survived":
                sys.exit(f"The tests of {mutant.module} fail by themselves without any change")
            is_proven = True
        if len(running) >= parallel:
            yield _ended(running)
        running[start_trial(mutant, job.tests, job.seconds)] = mutant
    while running:
        yield _ended(running)


def _ended(running: dict[int, Mutant]) -> tuple[Mutant, str]:
    pid, status = os.wait()
    mutant = running.pop(pid)
    if os.WIFSIGNALED(status):
        return mutant, "timeout"
    match os.WEXITSTATUS(status):
        case pytest.ExitCode.OK:
            return mutant, "survived"
        case pytest.ExitCode.TESTS_FAILED | pytest.ExitCode.INTERRUPTED:  # the latter when a module cannot be imported
            return mutant, "killed"
        case other:
            sys.exit(f"pytest ended with {other} for {mutant.module}:{mutant.line}, which says nothing of the tests")


def _line(name: str, found: Counter[str]) -> str:
    killed, total = found["killed"] + found["timeout"], found.total()
    survived = found["survived"] + found["run by no test"]
    share = f"{killed / total:.1%}" if total else "none"
    return f"{name}: {found['killed']} killed, {survived} survived, {found['timeout']} timeouts: {share} killed"


if __name__ == "__main__":
    sys.exit(main())
