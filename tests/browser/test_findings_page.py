"""The page of `report` in a browser: as that of a diagnosis, nothing leaves it and everybody can read it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pull_responder.model.verdict import Severity
from tests.browser.conftest import written
from tests.browser.lives import hostile_life, open_life, page_of, resolved_life
from tests.browser.pages import HOSTILE
from tests.unit.publish.examples import FINDING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.browser.chromium import Chromium
    from tests.browser.conftest import Look

_LOW = replace(
    FINDING, id="low", cause="image_not_found", title="The repository has no such image", severity=Severity.LOW
)
PAGES = {
    "period": page_of(open_life(), resolved_life(), resolved_life(_LOW, number=2, broken_by=None), unread=("item x",)),
    "empty": page_of(),
    **{f"hostile-{number}": page_of(hostile_life(text), open_life()) for number, text in enumerate(HOSTILE)},
}


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_asked_for_and_nothing_runs(chromium: Chromium, tmp_path: Path, name: str) -> None:
    opened = chromium.open(written(tmp_path, PAGES[name]))
    assert opened.requests == []
    assert opened.problems == []
    assert opened.run("typeof ran") == "undefined"


@pytest.mark.parametrize("name", PAGES)
def test_nothing_is_wider_than_a_phone(chromium: Chromium, tmp_path: Path, name: str) -> None:
    opened = chromium.open(written(tmp_path, PAGES[name]), width=360)
    opened.run("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert opened.run("document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("name", ["period", "empty", "hostile-0"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_axe_finds_nothing(  # noqa: PLR0913, PLR0917 -- each is a parameter of the test
    chromium: Chromium, tmp_path: Path, violations: Look, name: str, scheme: str, width: int
) -> None:
    opened = chromium.open(written(tmp_path, PAGES[name]), width=width, scheme=scheme)
    opened.run("document.querySelectorAll('details').forEach(each => each.open = true)")
    assert violations(opened) == []
