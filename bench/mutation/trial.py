"""Runs tests against one mutant in a process of its own, or against the real source to learn which test runs what."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import json
import math
import os
import resource
import signal
import sys
import time
from typing import TYPE_CHECKING, Final

import pytest
from coverage import Coverage
from hypothesis import Phase, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from importlib.machinery import ModuleSpec
    from pathlib import Path
    from types import CodeType, ModuleType

    from bench.mutation.mutants import Mutant

OPTIONS: Final = ("-q", "-x", "--tb=no", "-p", "no:cacheprovider", "-p", "no:xdist", "-W", "ignore")
_MEMORY: Final = 2 << 30
# Seconds of wall time after which a process that does not use the processor is taken for stuck.
_STUCK: Final = 900


class _NoShrinking:
    """Has Hypothesis stop at the first example that fails: which one is the shortest does not matter."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        """Change the profile of the tests before their decorators read it."""
        settings.register_profile("without shrinking", settings(), phases=(Phase.explicit, Phase.generate))
        settings.load_profile("without shrinking")


NO_SHRINKING: Final = _NoShrinking()


class Recorder:
    """Notes for each test what it takes, in seconds of the processor, and which lines it runs."""

    def __init__(self, coverage: Coverage) -> None:
        self._coverage = coverage
        self.seconds: dict[str, float] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Switch the coverage to the test."""
        self._coverage.switch_context(item.nodeid)
        begin = time.process_time()
        result = yield
        self.seconds[item.nodeid] = time.process_time() - begin
        self._coverage.switch_context("")
        return result


class Choice:
    """Keeps only the tests given, in their order."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._place = {test: place for place, test in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Drop the other tests."""
        items[:] = sorted((i for i in items if i.nodeid in self._place), key=lambda item: self._place[item.nodeid])


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._mutant.module:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        if spec is not None:
            spec.loader = _Loader(self._mutant)
        return spec


class _Loader(importlib.machinery.SourceFileLoader):
    def __init__(self, mutant: Mutant) -> None:
        super().__init__(mutant.module, str(mutant.path))
        self._mutant = mutant

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 -- the loader's signature
        return compile(self._mutant.source, str(self._mutant.path), "exec")


def forget_ours() -> None:
    """Keep in memory what others wrote, and have a forked process import anew what stands in this repository."""
    for name in [name for name in sys.modules if name.split(".")[0] in {"pull_responder", "tests"}]:
        del sys.modules[name]


def start_record(files: Sequence[str], sources: Path, out: Path) -> int:
    """Run all tests in the files in a new process, and return its id; `out` gets which of them run which line."""
    return os.fork() or leave(lambda: _record(files, sources, out), log=out.with_suffix(".log"))


def start_trial(mutant: Mutant, tests: Sequence[str], seconds: float) -> int:
    """Run the tests against the mutant in a new process, and return its id.

    It ends with status 0 if all tests pass, and is killed after these `seconds` of the processor.
    """
    return os.fork() or leave(lambda: _try(mutant, tests, seconds), log=None)


def leave(run: Callable[[], int], log: Path | None) -> int:
    """End this process with the status that `run` returns. What it prints goes to `log`."""
    status = 99
    try:
        out = os.open(log or os.devnull, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1)
        os.dup2(out, 2)
        status = run()
    finally:
        sys.stdout.flush()
        os._exit(status)


def limit(seconds: float) -> None:
    """Have this process killed after so many seconds of the processor, and keep it from taking all the memory."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    most = math.ceil(seconds + time.process_time())
    resource.setrlimit(resource.RLIMIT_CPU, (most, most + 1))
    signal.alarm(_STUCK)


def _record(files: Sequence[str], sources: Path, out: Path) -> int:
    coverage = Coverage(data_file=None, include=[f"{sources}/*"], config_file=False)
    recorder = Recorder(coverage)
    coverage.start()
    status = pytest.main([*files, *OPTIONS], plugins=[recorder, NO_SHRINKING])
    coverage.stop()
    data = coverage.get_data()
    lines = {path: data.contexts_by_lineno(path) for path in sorted(data.measured_files())}
    out.write_text(json.dumps({"seconds": recorder.seconds, "lines": lines}), encoding="utf-8")
    return int(status)


def _try(mutant: Mutant, tests: Sequence[str], seconds: float) -> int:
    limit(seconds)
    sys.meta_path.insert(0, _Finder(mutant))
    files = sorted({test.partition("::")[0] for test in tests})
    return int(pytest.main([*files, *OPTIONS], plugins=[Choice(tests), NO_SHRINKING]))
