"""The picture of a way: a box for each stop, in rows for wide screens and in a column for narrow ones.

A stop of another VPC names its account, so that one sees where the way leaves an account.
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
# Boxes, as many as a page has room for at the size that the style sheet gives.
_MOST_ACROSS: Final = 7
_BETWEEN_ROWS: Final = 22
# Of the line that names an account.
_LINE: Final = 18
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
    rows = -(-len(stops) // _MOST_ACROSS) or 1
    in_row = -(-len(stops) // rows)
    high = _HEIGHT + _line(stops)
    width = in_row * _BOX + (in_row - 1) * _GAP
    parts = []
    for number, stop in enumerate(stops):
        row, column = divmod(number, in_row)
        left, top = column * (_BOX + _GAP), row * (high + _BETWEEN_ROWS)
        size = {"width": f"{_BOX - 2}", "height": f"{high}"}
        if number:
            line = f"M{left - _GAP} {top + high / 2 + 4:g} H{left}"
            if not column:
                last, between = width - _BOX / 2, top + 4 - _BETWEEN_ROWS / 2
                line = f"M{last:g} {top + 4 - _BETWEEN_ROWS} V{between:g} H{_BOX / 2:g} V{top + 4}"
            parts.append(tag("path", d=line, class_=_wire(stops, number)))
        parts.append(
            tag(
                "g",
                _full_name(stop),
                tag("rect", x=f"{left + 1}", y=f"{top + 4}", rx="8", class_="box", **size),
                _text(stop.kind, left + 12, top + 26, _BOX - 42, "kind"),
                _text(shorten(stop.name, _LETTERS_ACROSS), left + 12, top + 47, _BOX - 18),
                _text(str(stop.state), left + 12, top + 68, _BOX - 18, "state"),
                _text(f"of {said(stop.account)}", left + 12, top + 86, _BOX - 18, "kind") if stop.account else None,
                _sign(stop, left + _BOX - 18, top + 22),
                class_=_CLASSES[stop.state],
            )
        )
    height = rows * (high + _BETWEEN_ROWS) - _BETWEEN_ROWS + 8
    return _drawing(parts, stops, title, key, class_="across", width=width, height=height)


def _down(stops: Sequence[Stop], title: str, key: str) -> Element:
    low, step = _LOW + _line(stops), _STEP + _line(stops)
    parts = []
    for number, stop in enumerate(stops):
        top = number * step + 1
        if number:
            line = f"M24 {top - (step - low)} V{top}"
            parts.append(tag("path", d=line, class_=_wire(stops, number)))
        parts.append(
            tag(
                "g",
                _full_name(stop),
                tag("rect", x="1", y=f"{top}", width=f"{_WIDE - 2}", height=f"{low}", rx="8", class_="box"),
                _sign(stop, 24, top + low / 2),
                _text(f"{stop.kind}: {stop.state}", 46, top + 22, _WIDE - 52, "kind"),
                _text(shorten(stop.name, _LETTERS_DOWN), 46, top + 41, _WIDE - 52),
                _text(f"account {said(stop.account)}", 46, top + 59, _WIDE - 52, "kind") if stop.account else None,
                class_=_CLASSES[stop.state],
            )
        )
    height = (len(stops) - 1) * step + low + 2
    return _drawing(parts, stops, title, key, class_="down", width=_WIDE, height=height)


def _drawing(  # noqa: PLR0913 -- each is a part of the drawing
    parts: Sequence[Element], stops: Sequence[Stop], title: str, key: str, *, class_: str, width: int, height: int
) -> Element:
    words = "; ".join(map(_words, stops))
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
    return tag("title", _words(stop))


def _words(stop: Stop) -> str:
    where = f" {said(stop.place)}" if stop.place else ""
    return f"{stop.kind} {said(stop.name)}{where}: {stop.state}"


def _line(stops: Sequence[Stop]) -> int:
    """Return by how much boxes are higher, so that there is room for the account of some."""
    return _LINE if any(each.account for each in stops) else 0


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
