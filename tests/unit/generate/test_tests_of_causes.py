"""Each cause has tests of its own: it fails, it passes, a near miss, and a read that is refused."""

from __future__ import annotations

import importlib
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pull_responder.checks import BY_ID, CHECKS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from pull_responder.checks.check import Check

ROOT = Path(__file__).parents[3]
SHOWS = {
    "fails": "the cause is there and is found",
    "passes": "the cause is not there",
    "near_miss": "something looks like the cause and is not",
    "unread": "a read that it needs is refused, which is never a pass",
}
EXEMPT = {("pull_failing_unexplained", "unread"): "it reads nothing, and its finding is about what was not read"}


def marks(module: ModuleType) -> Iterator[tuple[str, str]]:
    """The arguments of each `cause` marker of a module's tests, and of the cases that they are parametrized with."""
    for name, test in vars(module).items():
        for mark in getattr(test, "pytestmark", ()) if name.startswith("test_") else ():
            cases = mark.args[1] if mark.name == "parametrize" else ()
            for each in (mark, *(one for case in cases for one in getattr(case, "marks", ()))):
                if each.name == "cause":
                    yield each.args


@pytest.fixture(scope="module")
def marked() -> dict[tuple[str, str], list[str]]:
    """The files whose tests are marked with a cause and what they show of it."""
    files = defaultdict(list)
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        if "mark.cause(" in path.read_text(encoding="utf-8") and path != Path(__file__):
            file = path.relative_to(ROOT)
            for cause, shows in marks(importlib.import_module(".".join(file.with_suffix("").parts))):
                files[cause, shows].append(str(file))
    return dict(files)


@pytest.mark.parametrize("shows", SHOWS)
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_each_cause_has_its_four_tests(marked: dict[tuple[str, str], list[str]], check: Check, shows: str) -> None:
    assert (check.id, shows) in {**marked, **EXEMPT}, (
        f'checks/{check.id}.py has no test marked cause("{check.id}", "{shows}"): mark the one in which '
        f"{SHOWS[shows]}, or write it in tests/integration/checks/test_{check.id}.py"
    )


def test_no_test_is_marked_with_what_is_not(marked: dict[tuple[str, str], list[str]]) -> None:
    for (cause, shows), files in marked.items():
        assert cause in BY_ID, f"{files[0]}: there is no cause {cause}"
        assert shows in SHOWS, f"{files[0]}: cause({cause!r}, {shows!r}) has to show one of {', '.join(SHOWS)}"
