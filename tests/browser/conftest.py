"""One Chromium for all tests of pages, and one line at the end if there is none."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.chromium import FOLDER, Chromium, MissingError, find_chromium

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.browser.chromium import Page

    Look = Callable[[Page], list[dict[str, Any]]]


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """A browser. Tests are left out where none starts: `make test` needs none, and no rights to install one."""
    folder = tmp_path_factory.mktemp("chromium")
    try:
        with Chromium(find_chromium(folder), folder / "profile") as browser:
            yield browser
    except MissingError as error:
        pytest.skip(f"no browser: {error}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def violations() -> Look:
    """What axe-core finds wrong with a page: rules of WCAG 2.2 A and AA, and its best practices."""
    source = FOLDER / "node_modules" / "axe-core" / "axe.min.js"
    if not source.exists():
        pytest.skip("no axe-core: npm ci --prefix tests/browser")
    program = source.read_text(encoding="utf-8")

    def look(page: Page) -> list[dict[str, Any]]:
        page.run(program)
        found: list[dict[str, Any]] = page.run(
            "axe.run({resultTypes: ['violations']}).then(found => found.violations.map("
            "each => ({rule: each.id, nodes: each.nodes.map(node => [node.html, node.failureSummary])})))"
        )
        return found

    return look


def written(folder: Path, page: str) -> Path:
    """Write a page as a file."""
    file = folder / "page.html"
    file.write_text(page, encoding="utf-8")
    return file
