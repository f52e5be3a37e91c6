"""What is written from the checks stands in the repository as the checks are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pull_responder.checks import CHECKS
from pull_responder.generate.cause_pages import pages
from pull_responder.permissions import declared_permissions

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", sorted(pages()))
def test_the_page_of_each_cause_is_up_to_date(name: str) -> None:
    assert (ROOT / "docs" / "causes" / name).read_text(encoding="utf-8") == pages()[name], "run `make generate`"


def test_no_page_is_left_of_a_cause_that_is_no_more() -> None:
    assert {path.name for path in (ROOT / "docs" / "causes").iterdir()} == pages().keys()


def test_the_permissions_of_the_stack_are_those_that_the_code_declares() -> None:
    stack = json.loads((ROOT / "infra" / "permissions.json").read_text(encoding="utf-8"))
    assert stack == declared_permissions(), "run `make generate`"


def test_each_cause_has_one_id_which_is_its_file() -> None:
    ids = [check.id for check in CHECKS]
    assert len(ids) == len(set(ids))
    for check in CHECKS:
        assert check.examine.__module__ == f"pull_responder.checks.{check.id}"


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_each_cause_documents_itself(check: object) -> None:
    page = pages()[f"{check.id}.md"]  # type: ignore[attr-defined]  # a Check, which parametrize does not say
    for part in ("What it checks:", "Why ", "How to fix it:", "References:"):
        assert part in page


def test_every_cause_stands_in_the_readme() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [check.id for check in CHECKS if f"`{check.id}`" not in readme] == []
