"""The picture of a way: a box for each stop, in a row for wide screens and in a column for narrow ones.

It is drawn twice, and the style sheet shows one. Its texts are text, so that people can search and copy them. A screen
reader gets the title and one sentence of all stops. What is broken differs in its sign and words, not by colour alone.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

from pull_responder.page.markup import said, tag
from pull_responder.page.stops import State, Stop

if TYPE_CHECKING:
    from collections.abc import Sequence
    from xml.etree.ElementTree import Element

_BOX: Final = 136
_GAP: Final = 22
_HEIGHT: Final = 78
# In a column.
_WIDE: Final = 300
_LOW: Final = 54
_STEP: Final = 74
# At the size that the style sheet gives. What is wider, as of wide letters, ends at the edge of its box.
_LETTERS_ACROSS: Final = 14
_LETTERS_DOWN: Final = 28
_SIGNS: Final = {
    State.OK: "M-5 0 L-1.5 4 L5.5 -4",
    State.FAILED: "M-4.5 -4.5 L4.5 4.5 M4.5 -4.5 L-4.5 4.5",
    State.UNDECIDED: "M-3.5 -3 C-3.5 -7.5 3.5 -7 3.5 -3 C3.5 -0.5 0 -0.5 0 2 M0 5.8 L0 6",
    State.UNKNOWN: "M-4 0 L4 0",
    State.BEYOND: "M-4 0 L4 0",
    State.ASKS: "M-4 0 L4 0 M1 -3.5 L4.5 0 L1 3.5",
}
_CLASSES: Final = {
    State.OK: "is-ok",
    State.FAILED: "is-failed",
    State.UNDECIDED: "is-undecided",
    State.UNKNOWN: "is-unknown",
    State.BEYOND: "is-unknown",
    State.ASKS: "is-unknown",
}


def picture(stops: Sequence[Stop], title: str, *, key: str) -> list[Element]:
    """Return the two drawings of a way. `key` begins the ids in them, and is used once in a page."""
    return [_across(stops, title, f"{key}-across"), _down(stops, title, f"{key}-down")]


def _across(stops: Sequence[Stop], title: str, key: str) -> Element:
    width = len(stops) * _BOX + (len(stops) - 1) * _GAP
    parts = []
    for number, stop in enumerate(stops):
        left = number * (_BOX + _GAP)
        if number:
            line = f"M{left - _GAP} {_HEIGHT / 2 + 4:g} H{left}"
            parts.append(tag("path", d=line, class_=_wire(stops, number)))
        parts.append(
            tag(
                "g",
                _full_name(stop),
                tag("rect", x=f"{left + 1}", y="4", width=f"{_BOX - 2}", height=f"{_HEIGHT}", rx="8", class_="box"),
                _text(stop.kind, left + 12, 26, _BOX - 42, "kind"),
                _text(shorten(stop.name, _LETTERS_ACROSS), left + 12, 47, _BOX - 18),
                _text(str(stop.state), left + 12, 68, _BOX - 18, "state"),
                _sign(stop, left + _BOX - 18, 22),
                class_=_CLASSES[stop.state],
            )
        )
    return _drawing(parts, stops, title, key, class_="across", width=width, height=_HEIGHT + 8)


def _down(stops: Sequence[Stop], title: str, key: str) -> Element:
    parts = []
    for number, stop in enumerate(stops):
        top = number * _STEP + 1
        if number:
            line = f"M24 {top - (_STEP - _LOW)} V{top}"
            parts.append(tag("path", d=line, class_=_wire(stops, number)))
        parts.append(
            tag(
                "g",
                _full_name(stop),
                tag("rect", x="1", y=f"{top}", width=f"{_WIDE - 2}", height=f"{_LOW}", rx="8", class_="box"),
                _sign(stop, 24, top + _LOW / 2),
                _text(f"{stop.kind}: {stop.state}", 46, top + 22, _WIDE - 52, "kind"),
                _text(shorten(stop.name, _LETTERS_DOWN), 46, top + 41, _WIDE - 52),
                class_=_CLASSES[stop.state],
            )
        )
    height = (len(stops) - 1) * _STEP + _LOW + 2
    return _drawing(parts, stops, title, key, class_="down", width=_WIDE, height=height)


def _drawing(  # noqa: PLR0913 -- each is a part of the drawing
    parts: Sequence[Element], stops: Sequence[Stop], title: str, key: str, *, class_: str, width: int, height: int
) -> Element:
    words = "; ".join(f"{each.kind} {said(each.name)}: {each.state}" for each in stops)
    return tag(
        "svg",
        tag("title", title, id=f"{key}-title"),
        tag("desc", f"{words}.", id=f"{key}-desc"),
        parts,
        viewBox=f"0 0 {width} {height}",
        width=f"{width}",
        height=f"{height}",
        role="img",
        aria_labelledby=f"{key}-title",
        aria_describedby=f"{key}-desc",
        class_=class_,
    )


def _full_name(stop: Stop) -> Element:
    """Return what a pointer shows of a box."""
    return tag("title", f"{stop.kind} {said(stop.name)}: {stop.state}")


def _wire(stops: Sequence[Stop], number: int) -> str:
    """Return the classes of the line to a stop: nothing comes past one that is broken."""
    return "wire cut" if any(each.state is State.FAILED for each in stops[:number]) else "wire"


def _sign(stop: Stop, x: float, y: float) -> Element:
    return tag("path", d=_SIGNS[stop.state], transform=f"translate({x:g} {y:g})", class_="glyph")


def _text(words: str, x: float, y: float, width: float, class_: str | None = None) -> Element:
    """Return text that begins at `x` on the line `y`. A drawing in a drawing cuts off what is wider."""
    line = tag("text", words, x="0", y="15", class_=class_)
    return tag("svg", line, x=f"{x:g}", y=f"{y - 15:g}", width=f"{width:g}", height="20")


def shorten(name: str, letters: int) -> str:
    """Return a name of at most so many letters. Of a longer one both ends stay: ids differ at their end.

    A wide letter, as of Chinese, counts as two (Unicode Standard Annex 11).
    """
    name = said(name)
    wide = any(map(_is_wide, name))
    letters = letters // 2 if wide else letters
    if len(name) <= letters:
        return name
    first = (letters - 1) // 2
    return f"{name[:first]}…{name[-(letters - 1 - first) :]}"


def _is_wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in ("W", "F")
