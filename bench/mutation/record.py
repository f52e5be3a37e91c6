"""What the tests of a package do, kept in `build/mutation/` for as long as neither they nor the code change."""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from bench.mutation.trial import start_record

if TYPE_CHECKING:
    from collections.abc import Iterable

    from bench.mutation.mutants import Mutant

_KEPT: Final = Path("build/mutation")
_TESTS: Final = Path("tests")


@dataclass(slots=True)
class Record:
    """The seconds that each test takes, and the tests that run each line of each file; "" is what runs before them."""

    seconds: dict[str, float] = field(default_factory=dict)
    lines: dict[str, dict[int, list[str]]] = field(default_factory=dict)

    @classmethod
    def of(cls, package: str, sources: Path) -> Self:
        """Run the tests that are not known yet: all have to pass, or nothing that fails later would mean anything."""
        folder, kept = _TESTS / "unit" / package, _KEPT / f"{package}.json"
        tests = {str(path): _digest([path]) for path in sorted(folder.rglob("test_*.py"))}
        others = _digest([*sources.rglob("*.py"), *(path for path in _TESTS.rglob("*") if _is_helper(path))])
        old = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
        known = old.get("tests", {}) if old.get("others") == others else {}
        same = {name for name, digest in tests.items() if known.get(name) == digest}
        record = cls()
        if same:
            record._add(old, same)
        if missing := sorted(set(tests) - same):
            record._add(_run(missing, sources, kept.with_suffix(".new")), set(missing))
        if not record.lines:
            sys.exit(f"The tests of {package} import pull_responder from another place than {sources}")
        found = {"others": others, "tests": tests, "seconds": record.seconds, "lines": record.lines}
        kept.write_text(json.dumps(found), encoding="utf-8")
        return record

    def tests_of(self, mutant: Mutant) -> list[str]:
        """Return the tests that run the statement, the fastest first.

        Of one that runs at import they are those that run its file or a file that imports it, and those that import it
        themselves. In place of a file that holds nothing but tables, too, count those that import that one.
        """
        found = self._contexts(mutant)
        if "" in found:
            found = self._of_import(str(mutant.path), mutant.module, set())
        return sorted(found - {""}, key=lambda test: self.seconds[test])

    def _of_import(self, path: str, module: str, seen: set[str]) -> set[str]:
        seen.add(path)
        files = {file for file in map(_file, self.seconds) if _imports(file, module)}
        found = self._of_file(path).union(test for test in self.seconds if _file(test) in files)
        for other in set(self.lines) - seen:
            if _imports(other, module):
                found |= self._of_file(other) or self._of_import(other, module_of(Path(other)), seen)
        return found

    def _of_file(self, path: str) -> set[str]:
        return {test for tests in self.lines.get(path, {}).values() for test in tests} - {""}

    def runs_at_import(self, mutant: Mutant) -> bool:
        """Whether the statement runs before the first test, too: when a module is imported or a table of tests made."""
        return "" in self._contexts(mutant)

    def _contexts(self, mutant: Mutant) -> set[str]:
        lines = self.lines.get(str(mutant.path), {})
        first, last = mutant.lines
        return {test for line in range(first, last + 1) for test in lines.get(line, ())}

    def _add(self, found: dict[str, Any], files: set[str]) -> None:
        """Add what was found of the tests in these files."""
        self.seconds |= {test: took for test, took in found["seconds"].items() if _file(test) in files}
        for path, lines in found["lines"].items():
            of_file = self.lines.setdefault(path, {})
            for line, tests in lines.items():
                more = {test for test in tests if not test or _file(test) in files}
                of_file[int(line)] = sorted(more.union(of_file.get(int(line), ())))


def module_of(path: Path) -> str:
    """Return the name of the module in a file of the package."""
    _, _, inside = path.with_suffix("").as_posix().rpartition("/pull_responder/")
    return f"pull_responder.{inside.replace('/', '.')}"


@cache
def _imports(file: str, module: str) -> bool:
    """Whether the Python file imports the module or something of it."""
    package, _, name = module.rpartition(".")
    wanted = rf"^from (?:{re.escape(module)} import|{re.escape(package)} import (?:\([^)]*|.*)\b{name}\b)"
    return re.search(wanted, Path(file).read_text(encoding="utf-8"), re.MULTILINE) is not None


def _run(files: list[str], sources: Path, out: Path) -> dict[str, Any]:
    out.parent.mkdir(parents=True, exist_ok=True)
    _, status = os.waitpid(start_record(files, sources, out), 0)
    if status:
        sys.exit(out.with_suffix(".log").read_text() + "Tests fail without any change")
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    out.unlink()
    return found


def _is_helper(path: Path) -> bool:
    return path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("test_")


def _file(test: str) -> str:
    return test.partition("::")[0]


def _digest(paths: Iterable[Path]) -> str:
    found = hashlib.sha256()
    for path in sorted(paths):
        found.update(f"{path}\0".encode() + path.read_bytes() + b"\0")
    return found.hexdigest()
