"""The table of causes in the README, between `<!-- causes -->` and `<!-- end of causes -->`."""

from __future__ import annotations

import re
from typing import Final

from pull_responder.checks import CHECKS
from pull_responder.generate.error import GenerateError

_TABLE: Final = re.compile(r"(?<=<!-- causes -->\n).*?(?=<!-- end of causes -->)", re.DOTALL)


def update_readme(readme: str) -> str:
    """Return `readme` with the causes that there are today, in the order of the checks.

    Raises GenerateError where there is no place for them.
    """
    titles = {check.id: check.title.replace("|", "\\|").replace("<", "&lt;") for check in CHECKS}
    rows = "".join(f"| [{cause}](docs/causes/{cause}.md) | {title} |\n" for cause, title in titles.items())
    text, places = _TABLE.subn(lambda _: f"\n| cause | the fault |\n|---|---|\n{rows}\n", readme)
    if places != 1:
        raise GenerateError("README.md: needs the lines <!-- causes --> and <!-- end of causes --> once")
    return text
