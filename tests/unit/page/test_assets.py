"""The wheel has the style and the script of pages, which are no modules."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pull_responder import page
from pull_responder.page.assets import script, style

ROOT = Path(__file__).resolve().parents[3]


def test_every_file_of_the_package_that_is_no_module_is_named_for_the_wheel() -> None:
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    folder = Path(page.__path__[0])
    assert set(named["pull_responder.page"]) == {each.name for each in folder.glob("*.*") if each.suffix != ".py"}


def test_they_load_nothing() -> None:
    assert "url(" not in style()
    assert "@import" not in style()
    assert not any(word in script() for word in ("fetch(", "XMLHttpRequest", "import(", "innerHTML", "eval("))
