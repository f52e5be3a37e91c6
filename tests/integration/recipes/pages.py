"""The code of docs/recipes.md and the template beside the functions, as whoever follows the page reads them."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[3]
FOLDER: Final = ROOT / "recipes" / "incidents"
_BLOCK: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(heading: str, language: str) -> list[str]:
    """Return the code of one language below a heading of the page, up to the next heading."""
    page = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
    # A comment of a script begins with # as a heading does, but none of the page's does.
    below = re.split(rf"^#+ {re.escape(heading)}$", page, flags=re.MULTILINE)[1]
    section = re.split(r"^#+ ", below, flags=re.MULTILINE)[0]
    return [code for name, code in _BLOCK.findall(section) if name == language]


def template() -> Any:  # noqa: ANN401 -- YAML
    """Return the template, where `!Ref X` is "!Ref X" and so on."""
    yaml: Any = import_module("yaml")

    class Loader(yaml.SafeLoader):  # type: ignore[misc]  # it has no types here
        pass

    Loader.add_multi_constructor("!", lambda _, suffix, node: f"!{suffix} {node.value}")
    return yaml.load((FOLDER / "template.yaml").read_text(encoding="utf-8"), Loader=Loader)
