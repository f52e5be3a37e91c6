"""What is written from the code stands in the repository as the code is, and each cause is known everywhere."""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path

import pytest

from infra.permissions import SCOPES
from pull_responder.checks import BY_ID, CHECKS
from pull_responder.checks.check import Check
from pull_responder.generate.cause_list import update_readme
from pull_responder.generate.cause_pages import limits_of, pages
from pull_responder.generate.error import GenerateError
from pull_responder.permissions import declared_permissions, files_by_action

ROOT = Path(__file__).parents[3]
CHECKS_FOLDER = ROOT / "lambdas" / "pull_responder" / "checks"
PAGES = ROOT / "docs" / "causes"
EXAMPLES = PAGES / "examples"
NOT_CAUSES = {"__init__", "check"}


@cache
def written() -> dict[str, str]:
    return pages(ROOT)


def test_each_file_beside_check_py_is_a_cause_that_the_tuple_names() -> None:
    assert {path.name for path in CHECKS_FOLDER.iterdir()} - {"__pycache__"} == {
        path.name for path in CHECKS_FOLDER.glob("*.py")
    }, "lambdas/pull_responder/checks holds check.py and one file a cause, nothing else"
    for name in sorted({path.stem for path in CHECKS_FOLDER.glob("*.py")} - NOT_CAUSES):
        assert name in BY_ID, (
            f"checks/{name}.py is no cause yet: import it in lambdas/pull_responder/checks/__init__.py, and add the "
            f"line {name}.CHECK to CHECKS. What several causes share belongs in pulls/"
        )


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_each_cause_has_one_id_which_is_its_file(check: Check) -> None:
    file = f"{check.examine.__module__.rpartition('.')[2]}.py"
    assert file == f"{check.id}.py", (
        f"checks/{file}: its CHECK has the id {check.id!r}, which has to be the file's name"
    )
    assert [each.id for each in CHECKS].count(check.id) == 1, f"checks/__init__.py: CHECKS names {check.id} twice"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_each_cause_documents_itself(check: Check) -> None:
    for part in ("What it checks:", "What it cannot see:", "Why ", "How to fix it:", "References:"):
        assert f"\n{part}" in check.description, f'checks/{check.id}.py: its docstring lacks a paragraph "{part}"'


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_the_table_of_causes_says_what_each_cannot_see(check: Check) -> None:
    row = next(line for line in written()["README.md"].splitlines() if line.startswith(f"| [{check.id}]("))
    assert row.count("|") - row.count("\\|") == 5
    assert limits_of(check) in row
    assert limits_of(check).endswith(".")


def test_a_check_that_does_not_say_what_it_cannot_see_is_named_by_its_file(monkeypatch: pytest.MonkeyPatch) -> None:
    module = sys.modules[CHECKS[0].examine.__module__]
    monkeypatch.setattr(module, "__doc__", (module.__doc__ or "").replace("What it cannot see:", "It sees:"))
    with pytest.raises(GenerateError, match=rf"^lambdas/pull_responder/checks/{CHECKS[0].id}\.py: its docstring lacks"):
        pages(ROOT)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_each_cause_has_an_example(check: Check) -> None:
    example = EXAMPLES / f"{check.id}.md"
    assert example.exists(), (
        f"docs/causes/examples/{check.id}.md is missing: have one of the tests of {check.id} call the fixture "
        "`example`, and run `make examples`"
    )
    text = example.read_text(encoding="utf-8")
    # A single node that is broken is a step less severe.
    severities = (check.severity, check.severity.step(-1))
    shown = (f"\n{severity}: {what} (" for severity in severities for what in (check.title, check.short or check.title))
    is_shown = any(each in text for each in shown) and f"\nCause      {check.id}" in text and check.title in text
    assert is_shown, f"docs/causes/examples/{check.id}.md is stale: run `make examples`"


@pytest.mark.parametrize("name", sorted([*(f"{check.id}.md" for check in CHECKS), "README.md"]))
def test_the_page_of_each_cause_is_up_to_date(name: str) -> None:
    assert (PAGES / name).exists(), f"docs/causes/{name} is missing: run `make generate`"
    assert (PAGES / name).read_text(encoding="utf-8") == written()[name], (
        f"docs/causes/{name} is stale: run `make generate`"
    )


def test_no_page_and_no_example_is_left_of_a_cause_that_is_no_more() -> None:
    left = {path.name for path in PAGES.glob("*.md")} - written().keys()
    assert left == set(), f"docs/causes holds {left} of causes that are no more: run `make generate`"
    left = {path.stem for path in EXAMPLES.iterdir()} - BY_ID.keys()
    assert left == set(), f"docs/causes/examples holds {left} of causes that are no more: delete them"


def test_a_cause_without_an_example_is_named_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(GenerateError, match=r"docs/causes/examples/\w+\.md: is missing: have one of the tests"):
        pages(tmp_path)


def test_a_page_shows_first_and_lists_last() -> None:
    page = written()["no_route_to_ecr.md"]
    parts = ["kubelet says:", "i/o timeout", "diagnose` answers:", "Broken     AwsEc2Subnet", "What it checks:"]
    parts += ["References:", "- `timeout`: it can be what the message means.", "<summary>What it reads</summary>"]
    assert [page.index(part) for part in parts] == sorted(page.index(part) for part in parts)


def test_the_readme_lists_the_causes() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert update_readme(readme) == readme, "README.md: its table of causes is stale: run `make generate`"


def test_the_permissions_of_the_stack_are_those_that_the_code_declares() -> None:
    stack = json.loads((ROOT / "infra" / "permissions.json").read_text(encoding="utf-8"))
    assert stack == declared_permissions(), "infra/permissions.json is stale: run `make generate`"


@pytest.mark.parametrize("action", sorted(files_by_action()))
def test_what_the_code_declares_can_be_granted(action: str) -> None:
    assert action in SCOPES, (
        f"infra/permissions.py: SCOPES lacks {action}, which {files_by_action()[action][0]} declares: add "
        f'"{action}": Scope(...) with the narrowest resource that AWS defines'
    )


def test_nothing_can_be_granted_that_nothing_declares() -> None:
    spare = sorted(set(SCOPES) - set(files_by_action()))
    assert spare == [], f"infra/permissions.py: take {', '.join(spare)} out of SCOPES, which nothing declares any more"


def test_everything_that_is_declared_says_where() -> None:
    by_purpose = [actions for purposes in declared_permissions().values() for actions in purposes.values()]
    actions = {action for actions in by_purpose for action in actions}
    assert set(files_by_action()) == actions
    for files in files_by_action().values():
        for file in files:
            assert (ROOT / "lambdas" / "pull_responder" / file).is_file()
