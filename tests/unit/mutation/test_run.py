"""`make mutants` on a package of two functions and a table."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TABLE = """\
LIMITS = {"small": 3, "large": 5}
"""
NAMES = """\
KIND = "toy"
"""
SOURCE = """\
from pull_responder.toy.limits import LIMITS


def is_large(number: int) -> bool:
    return number >= LIMITS["large"]


def is_small(number: int) -> bool:
    return number < LIMITS["small"]


def forgotten(number: int) -> int:
    return number + 1
"""
TESTS = """\
from pull_responder.toy import names
from pull_responder.toy.sizes import is_large, is_small


def test_large() -> None:
    assert is_large(5) and not is_large(4)


def test_small() -> None:
    assert is_small(1) and not is_small(4)


def test_the_kind() -> None:
    assert names.KIND == "toy"
"""
EQUIVALENT = """\
[[equivalent]]
module = "pull_responder.toy.sizes"
removed = 'return number < LIMITS["small"]'
added = 'return number <= LIMITS["small"]'
reason = "for the test"
"""


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("repository")
    files = {
        "lambdas/pull_responder/__init__.py": "",
        "lambdas/pull_responder/toy/__init__.py": "",
        "lambdas/pull_responder/toy/limits.py": TABLE,
        "lambdas/pull_responder/toy/names.py": NAMES,
        "lambdas/pull_responder/toy/sizes.py": SOURCE,
        "tests/__init__.py": "",
        "tests/conftest.py": "",
        "tests/unit/toy/test_sizes.py": TESTS,
        "bench/mutation/equivalents.toml": EQUIVALENT,
    }
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    places = [str(folder / "lambdas"), str(folder), str(Path.cwd())]
    program = f"""
import sys
sys.path[:0] = {places}
sys.argv = ["mutants", "toy", "--sample", "0", "--jobs", "1"]
from bench.mutation.__main__ import main
sys.exit(main())"""
    done = subprocess.run(  # noqa: S603 -- this interpreter
        [sys.executable, "-c", program],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_change_that_a_test_notices_is_killed_and_not_shown(printed: str) -> None:
    assert 'number > LIMITS["large"]' not in printed
    assert '"large": 6' not in printed


def test_a_change_of_a_table_that_no_test_notices_survives(printed: str) -> None:
    assert 'survived: lambdas/pull_responder/toy/limits.py:1\n-LIMITS = {"small": 3, "large": 5}\n' in printed
    assert '+LIMITS = {"small": 4, "large": 5}' in printed


def test_a_table_meets_the_tests_that_import_it(printed: str) -> None:
    assert "toy/names.py" not in printed


def test_a_function_without_a_test_is_said_to_have_none(printed: str) -> None:
    assert "run by no test: lambdas/pull_responder/toy/sizes.py:13\n" in printed


def test_an_equivalent_is_not_tried(printed: str) -> None:
    assert "<=" not in printed


def test_the_share_counts_what_was_tried(printed: str) -> None:
    first, *_, last = printed.splitlines()
    tried = int(first.split()[0])
    survived = printed.count("survived: ") + printed.count("run by no test: ")
    assert survived == 3
    assert last == f"all: {tried - 3} killed, 3 survived, 0 timeouts: {(tried - 3) / tried:.1%} killed"
