"""docs/adr/README.md lists each decision once, in order."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parents[2] / "docs" / "adr"


def test_each_decision_has_one_row_in_the_order_of_their_numbers() -> None:
    rows = re.findall(r"^\| \[(\d+)\]\(([^)]+)\) \|", (FOLDER / "README.md").read_text(), re.MULTILINE)
    pages = sorted(each.name for each in FOLDER.glob("[0-9]*.md"))
    assert [name for _, name in rows] == pages
    assert [f"{int(number):04}" for number, _ in rows] == [name[:4] for name in pages]
