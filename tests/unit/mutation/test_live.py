"""A change put into a module that is in memory, and which changes cannot be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bench.mutation.live import live_functions, replacements
from bench.mutation.mutants import Mutant

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = """\
from __future__ import annotations

from functools import cache

LEAST = 3


class Basket:
    size = 2

    @property
    def is_full(self) -> bool:
        return self.size > LEAST


@cache
def twice(number: int, times: int = 2) -> int:
    return number * times


def adder(by: int) -> Callable[[int], int]:
    def add(number: int) -> int:
        return number + by

    return add


add_two = adder(2)
names = [str(number + 1) for number in range(2)]
one, two = lambda: 1, lambda: 1
"""


def patched(folder: Path, old: str, new: str) -> dict[str, Any] | None:
    """Return the module's names after the change in memory; None if it could not be made there."""
    path = folder / "toy.py"
    path.write_text(SOURCE, encoding="utf-8")
    module: dict[str, Any] = {}
    exec(compile(SOURCE, str(path), "exec", dont_inherit=True), module)  # noqa: S102 -- it stands above
    assert SOURCE.count(old) == 1
    mutant = Mutant("toy", path, SOURCE.replace(old, new), 1, (1, 1), old, new, "")
    found = replacements(mutant, live_functions(str(folder)))
    for function, code in found or ():
        function.__code__ = code
    return None if found is None else module


def test_a_function_changes_wherever_it_was_imported(tmp_path: Path) -> None:
    module = patched(tmp_path, "number * times", "number + times")
    assert module is not None
    assert module["twice"](5) == 7


def test_a_property_changes_for_the_objects_of_its_class(tmp_path: Path) -> None:
    module = patched(tmp_path, "self.size > LEAST", "self.size < LEAST")
    assert module is not None
    assert module["Basket"]().is_full


def test_a_function_changes_that_another_one_made(tmp_path: Path) -> None:
    module = patched(tmp_path, "number + by", "number - by")
    assert module is not None
    assert module["add_two"](5) == 3
    assert module["adder"](2)(5) == 3


def test_a_function_that_needs_other_names_of_its_maker_is_imported_anew(tmp_path: Path) -> None:
    assert patched(tmp_path, "number + by", "number + 1") is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LEAST = 3", "LEAST = 4"),
        ("LEAST = 3", "LEAST = 3.0"),
        ("size = 2", "size = 3"),
        ("times: int = 2", "times: int = 3"),
        ("number + 1", "number - 1"),
        ("lambda: 1, lambda", "lambda: 2, lambda"),
        ("@cache\n", ""),
    ],
)
def test_what_runs_at_import_has_to_be_imported_anew(tmp_path: Path, old: str, new: str) -> None:
    assert patched(tmp_path, old, new) is None
