"""The messages and answers that pages show, from the examples of the causes.

Each stands between a line `<!-- message: NAME -->`, `<!-- answer: NAME -->` or `<!-- first lines: NAME -->` and a line
`<!-- end -->`. NAME is a cause with its example in docs/causes/examples, or an example of the guided tour's own in
docs/site/tour.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from pull_responder.generate.error import GenerateError

if TYPE_CHECKING:
    from pathlib import Path

PAGES: Final = ("docs/guided-tour.md", "docs/first-five-minutes.md")
"""The pages with messages and answers, beside the README."""

FOLDERS: Final = ("docs/causes/examples", "docs/site/tour")
"""Where examples are, from the repository's root."""

_PLACE: Final = re.compile(r"(<!-- (message|answer|first lines): (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_BLOCK: Final = re.compile(r"^```(\w+)\n(.*?)\n```$", re.DOTALL | re.MULTILINE)
# What pages show of an answer: the first lines, and those with the cause. The rest stands on the cause's own page.
_PARAGRAPHS: Final = 2


def update_page(page: str, root: Path) -> str:
    """Return `page` with the messages and answers that the examples in the repository at `root` have today.

    Raises GenerateError for an example that is missing, or that is not a message and an answer.
    """
    return _PLACE.sub(lambda place: f"{place[1]}\n{_shown(place[2], place[3], root)}\n\n{place[4]}", page)


def _shown(part: str, name: str, root: Path) -> str:
    example = next((path for folder in FOLDERS if (path := root / folder / f"{name}.md").exists()), None)
    if example is None:
        raise GenerateError(f"{' and '.join(FOLDERS)} have no {name}.md, which a page shows: run `make examples`")
    blocks = _BLOCK.findall(example.read_text(encoding="utf-8"))
    if len(blocks) != 2:  # noqa: PLR2004 -- a message and an answer
        raise GenerateError(f"{example.relative_to(root)}: is not a message and an answer, which a page shows")
    (language, given), (_, answer) = blocks
    if part == "message":
        text = str(json.loads(given)["errorMessage"]) if language == "json" else given
    else:
        text = "\n\n".join(answer.split("\n\n")[: _PARAGRAPHS if part == "answer" else 1])
    return f"```text\n{text}\n```"
