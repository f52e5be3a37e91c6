"""How a finding ended, in a sentence for people: what works again, since when, after how long, by whose change."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.findings.clock import began_at, minute, span
from pull_responder.findings.deed import recent
from pull_responder.findings.life import resolve
from pull_responder.findings.problem import seconds_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pull_responder.findings.deed import Deed
    from pull_responder.findings.life import Life
    from pull_responder.settings import Settings

# What is sent and stored of a sentence is bounded; the names in it are not.
_LONGEST: Final = 1_500
_MOST: Final = 3
_MINUTE: Final = 60


def _at_most(seconds: float) -> str:
    return f"at most {span(seconds)}" if seconds >= _MINUTE else span(seconds)


def remember(life: Life, deeds: Iterable[Deed]) -> Life:
    """Return the life with `deeds` remembered, the latest few, each once."""
    known = dict.fromkeys((*life.deeds, *deeds))
    return replace(life, deeds=tuple(sorted(known, key=lambda each: each.at))[-_MOST:])


def end(life: Life, *, because: str, works_again: bool, now: float, settings: Settings) -> Life:
    """Return the life of a finding whose cause is gone: resolved, with the sentence that says how it ended.

    - `because`: with `works_again`, what works again ("The role can pull again"), without the full stop. Otherwise why
      nothing is left of it, as a sentence.
    - `now`: when that was seen, in seconds since 1970.

    One change to the resource shortly before says since when it works. With none, or with several, only the look does.
    """
    if not life.is_open:
        return life
    began = began_at(life.reach, life.opened_at)
    deeds = tuple(each for each in recent(life.deeds, now) if (seconds_of(each.at) or 0) >= began)
    life = replace(life, deeds=deeds)
    if not works_again:
        because = f"{because.rstrip('. ')}. It was open for {span(now - life.opened_at)}."
        return resolve(life, because=because[:_LONGEST], now=now, settings=settings)
    if len(deeds) == 1:
        changed_at = min(seconds_of(deeds[0].at) or now, now)
        parts = [f"{because} since {minute(changed_at)}", f"it was broken for {span(changed_at - began)}"]
    else:
        parts = [f"{because}, as read at {minute(now)}", f"it was broken for {_at_most(now - began)}"]
    parts += [each.words if len(deeds) == 1 else f"{each.words} at {each.at}" for each in deeds]
    return resolve(life, because=f"{'; '.join(parts)}."[:_LONGEST], now=now, settings=settings)
