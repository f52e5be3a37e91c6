"""The findings that diagnoses found beside a finding: it remembers their ids. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pull_responder.findings.life import Life

MOST_RELATED: Final = 100
"""How many a finding remembers, the latest. With so many, there may be others."""

# The release before remembered so many. A finding that it wrote may have forgotten one, whoever has read it since.
_MOST_RELATED_BEFORE: Final = 20


def may_have_forgotten(life: Life) -> bool:
    """Return whether there may have been findings beside `life` that it does not remember."""
    return len(life.related) >= MOST_RELATED or len(life.related) == _MOST_RELATED_BEFORE


def add_related(life: Life, ids: Iterable[str]) -> Life:
    """Return `life`, which remembers the findings with `ids` beside it."""
    every = dict.fromkeys(each for each in (*ids, *life.related) if each != life.id)
    return replace(life, related=tuple(every)[:MOST_RELATED])
