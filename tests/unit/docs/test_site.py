"""The site has every page, loads nothing from elsewhere, and its commands are those that there are."""

from __future__ import annotations

import re
import shlex
import subprocess
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

import click
import pytest
import yaml

from pull_responder.cli.main import cli
from pull_responder.cli.plugin import pull_why

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[3]
DOCS: Final = ROOT / "docs"
# What people type first stands on these pages.
TYPED: Final = (
    "README.md",
    *(f"docs/{name}.md" for name in ("index", "first-five-minutes", "install", "before-a-rollout", "deploy")),
)
PICTURES: Final = sorted((DOCS / "img").glob("*.svg"))


class _Loader(yaml.SafeLoader):
    """Reads mkdocs.yml without what its tags stand for."""


def _settings() -> dict[str, Any]:
    loaded = yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 -- a safe loader
    assert isinstance(loaded, dict)
    return loaded


def _pages(nav: object) -> Iterator[str]:
    match nav:
        case str():
            yield nav
        case dict() | list():
            for each in nav.values() if isinstance(nav, dict) else nav:
                yield from _pages(each)


def _named(patterns: str, page: str) -> bool:
    """Whether one of mkdocs' patterns, each a path from docs/, names the page."""
    return any(f"/{page}".startswith(pattern.rstrip("/")) for pattern in patterns.split())


def test_each_page_has_a_place_in_the_navigation_or_is_left_out_by_name() -> None:
    settings = _settings()
    places = set(_pages(settings["nav"]))
    pages = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")}
    left_out = {
        page for page in pages if _named(settings["not_in_nav"], page) or _named(settings["exclude_docs"], page)
    }
    assert pages - places - left_out == set()
    # Pages of the root are put into the site by its hook.
    assert {each for each in places if not (DOCS / each).is_file()} == {"CHANGELOG.md", "SECURITY.md"}


def test_the_site_loads_nothing_from_elsewhere() -> None:
    settings = _settings()
    assert settings["theme"]["font"] is False
    assert {"extra_javascript", "extra"} & settings.keys() == set()
    assert [each for each in settings.get("extra_css", []) if "//" in each] == []
    for page in DOCS.rglob("*.md"):
        text = page.read_text(encoding="utf-8")
        assert (
            re.findall(r"!\[[^\]]*\]\((?:https?:)?//[^)]*\)|<(?:img|script|iframe|link)\b[^>]*//[^>]*>", text) == []
        ), page


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_says_what_it_shows_and_stands_alone(picture: Path) -> None:
    text = picture.read_text(encoding="utf-8")
    root = ET.fromstring(text)  # noqa: S314 -- our own file
    names = {each.tag.rpartition("}")[2]: each for each in root}
    assert root.get("role") == "img"
    for name in ("title", "desc"):
        assert names[name].get("id") in (root.get("aria-labelledby") or "").split()
        assert (names[name].text or "").strip()
    assert re.findall(r"(?:href|src)=\"(?!#)|url\((?!#)|@import|<script|\bon\w+=", text) == []
    assert "prefers-color-scheme:dark" in text


def _shell_blocks(page: str) -> list[str]:
    return re.findall(r"^```sh\n(.*?)^```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", TYPED)
def test_what_is_to_be_typed_is_shell(page: str) -> None:
    blocks = _shell_blocks(page)
    assert blocks
    for block in blocks:
        done = subprocess.run(["/bin/bash", "-n"], input=block, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), block


def _commands(page: str) -> Iterator[list[str]]:
    """The words of each call of pull-responder on a page, without its name."""
    for block in _shell_blocks(page):
        for line in block.replace("\\\n", " ").splitlines():
            reader = shlex.shlex(line, posix=True, punctuation_chars=True)
            reader.whitespace_split = True
            for among, words in groupby(reader, lambda word: set(word) <= set("|>&;()<")):
                if not among:
                    yield from _called(list(words))


def _called(words: list[str]) -> Iterator[list[str]]:
    ours = [at for at, word in enumerate(words) if word.rpartition("/")[2] == "pull-responder"]
    if ours and words[ours[-1] + 1 :] and "install" not in words[: ours[-1]]:
        yield words[ours[-1] + 1 :]
    elif words[:2] == ["kubectl", "pull-why"]:
        yield words[1:]


def _options(command: click.Command) -> set[str]:
    return {name for each in command.get_params(click.Context(command)) for name in each.opts}


@pytest.mark.parametrize("page", TYPED)
def test_what_is_to_be_typed_exists(page: str) -> None:
    typed = list(_commands(page))
    assert typed
    for name, *words in typed:
        if name == "--help":
            continue
        command = pull_why if name == "pull-why" else cli.get_command(click.Context(cli), name)
        assert command is not None, f"{page}: there is no command {name}"
        given = {word.partition("=")[0] for word in words if re.match(r"-\w|--\w", word)}
        assert given <= _options(command), f"{page}: {name} has no {given - _options(command)}"


@pytest.mark.parametrize("page", [*TYPED, "CONTRIBUTING.md"])
def test_each_target_of_make_exists(page: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = {word for block in _shell_blocks(page) for word in re.findall(r"^make ([a-z-]+)", block, re.MULTILINE)}
    assert named <= targets


def test_the_readme_stays_short() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert len(text.partition("<!-- causes -->")[0].splitlines()) <= 120
