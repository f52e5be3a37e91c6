"""Which changes `make mutants` makes to a module."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from bench.mutation.mutants import Mutant, changes_of

EQUIVALENTS = tomllib.loads(Path("bench/mutation/equivalents.toml").read_text(encoding="utf-8")).get("equivalent", [])


def mutants_of(folder: Path, source: str) -> list[Mutant]:
    path = folder / "toy.py"
    path.write_text(source, encoding="utf-8")
    return [mutant for change in changes_of(path, "toy") if (mutant := change.made())]


def test_a_mutant_is_the_source_with_one_change(tmp_path: Path) -> None:
    source = "def is_more(one: int, other: int) -> bool:\n    return one > other\n"
    (mutant,) = mutants_of(tmp_path, source)
    assert mutant.source == source.replace("> other", ">= other")
    assert mutant.key == ("toy", "return one > other", "return one >= other")
    assert (mutant.line, mutant.lines) == (2, (2, 2))


def test_a_change_belongs_to_its_whole_statement(tmp_path: Path) -> None:
    found = mutants_of(
        tmp_path, "def total(numbers):\n    return sum(\n        each + 1\n        for each in numbers\n    )\n"
    )
    assert {mutant.lines for mutant in found} == {(2, 5)}
    assert {mutant.line for mutant in found} == {3}


@pytest.mark.parametrize(
    "source",
    [
        '"""Words."""\n',
        "import json\nfrom os import path\n",
        "__all__ = ('one',)\n",
        "def same(number: 'int') -> 'int':\n    return number\n",
        "class Toy:\n    names: tuple[str, ...] = ()\n",
        "def pairs(one, other):\n    return zip(one, other, strict=True)\n",
        "class Toy:\n    names: tuple[str, ...] = field(repr=False)\n",
        "Truth = bool | None\n",
        "_Names = dict[str, int]\n",
        "class Toy:\n    node: Node | None = None\n",
        "T = TypeVar('T')\n",
        "class Toy(Enum):\n    ONE = auto()\n",
    ],
    ids=[
        *("docstring", "import", "list of names", "annotation", "None for a tuple", "strict", "repr", "union", "alias"),
        *("a text for a node", "type variable", "member by auto"),
    ],
)
def test_what_changes_nothing_or_is_refused_by_mypy_is_left_alone(tmp_path: Path, source: str) -> None:
    assert mutants_of(tmp_path, source) == []


def test_none_is_tried_where_it_may_stand(tmp_path: Path) -> None:
    assert "name: str | None = None" in {m.added for m in mutants_of(tmp_path, "name: str | None = len('')\n")}


@pytest.mark.parametrize("entry", EQUIVALENTS, ids=lambda entry: f"{entry['module']}: {entry['removed'][:40]}")
def test_an_equivalent_is_still_a_change_of_the_code(entry: dict[str, str]) -> None:
    path = Path("lambdas", *entry["module"].split(".")).with_suffix(".py")
    lines = " ".join(line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    assert entry["removed"] in lines
    assert entry["added"] not in lines
    assert entry["reason"]
