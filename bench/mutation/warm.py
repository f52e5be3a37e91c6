"""Tries mutants of functions in forks of a process that has collected the tests: a few hundredths of a second each."""

from __future__ import annotations

import os
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from bench.mutation.live import live_functions, replacements
from bench.mutation.trial import NO_SHRINKING, OPTIONS, leave, limit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.mutation.live import Replacement
    from bench.mutation.mutants import Mutant

PROOF: Final = 20
"""So many tests have to pass without a change before the first mutant: all of them did when they were recorded."""

_KILLED: Final = 1


@dataclass(frozen=True, slots=True)
class Job:
    """A mutant and what it has to meet.

    - `tests`: in their order.
    - `seconds`: what it may take of the processor.
    - `is_early`: its statement runs before the first test, too.
    """

    mutant: Mutant
    tests: tuple[str, ...]
    seconds: float
    is_early: bool


def results(jobs: Sequence[Job], sources: Path, parallel: int) -> Iterator[tuple[int, str]]:
    """Try what can be tried without an import, and return the number of each job with its result.

    The result is "killed", "timeout" or "survived". The other jobs have to be tried from their source: their changes do
    not stand in a function, or what ran before the tests would have been different.
    """
    there, here = os.pipe()
    with tempfile.NamedTemporaryFile() as log:
        pid = os.fork() or leave(lambda: _run(jobs, sources, parallel, here), log=Path(log.name))
        os.close(here)
        with open(there, encoding="ascii") as lines:  # noqa: PTH123 -- a pipe
            for line in lines:
                number, result = line.split()
                yield int(number), result
        _, status = os.waitpid(pid, 0)
        if status:
            sys.exit(Path(log.name).read_text() + f"The mutants could not be tried: status {status}")


def _run(jobs: Sequence[Job], sources: Path, parallel: int, out: int) -> int:
    files = sorted({test.partition("::")[0] for job in jobs for test in job.tests})
    return int(
        pytest.main([*files, *OPTIONS], plugins=[_Trials(jobs, f"{sources}{os.sep}", parallel, out), NO_SHRINKING])
    )


class _Trials:
    """Takes the place of pytest's loop: what is collected runs once for each mutant, in a fork."""

    def __init__(self, jobs: Sequence[Job], folder: str, parallel: int, out: int) -> None:
        self._jobs = jobs
        self._folder = folder
        self._parallel = parallel
        self._out = out
        self._running: dict[int, int] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Try all jobs. The first one's tests have to pass without a change, or a failure would prove nothing."""
        items = {item.nodeid: item for item in session.items}
        functions = live_functions(self._folder)
        first = self._jobs[0]
        unchanged = self._start(session, items, replace(first, tests=first.tests[:PROOF]), [])
        if os.waitpid(unchanged, 0)[1]:
            raise pytest.UsageError(f"The tests of {first.mutant.module} fail in a fork without any change")
        for number, job in enumerate(self._jobs):
            found = replacements(job.mutant, functions)
            if found is not None:
                if len(self._running) >= self._parallel:
                    self._end_one()
                self._running[self._start(session, items, job, found)] = number
        while self._running:
            self._end_one()
        return True

    def _start(
        self, session: pytest.Session, items: Mapping[str, pytest.Item], job: Job, changes: Sequence[Replacement]
    ) -> int:
        chosen = [items[test] for test in job.tests]
        return os.fork() or leave(lambda: _try(session, chosen, job.seconds, changes), log=None)

    def _end_one(self) -> None:
        pid, status = os.wait()
        number = self._running.pop(pid)
        if os.WIFSIGNALED(status):
            self._tell(number, "timeout")
        elif os.WEXITSTATUS(status) == _KILLED:
            self._tell(number, "killed")
        elif status == 0 and not self._jobs[number].is_early:
            self._tell(number, "survived")

    def _tell(self, number: int, result: str) -> None:
        os.write(self._out, f"{number} {result}\n".encode())


def _try(session: pytest.Session, items: Sequence[pytest.Item], seconds: float, changes: Sequence[Replacement]) -> int:
    limit(seconds)
    for function, code in changes:
        function.__code__ = code
    for item, following in zip(items, [*items[1:], None], strict=True):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.testsfailed:
            return _KILLED
    return 0
