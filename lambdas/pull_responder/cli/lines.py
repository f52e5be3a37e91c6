"""Lines for a terminal: what a name looks like there, and where a line breaks.

A line breaks only between words. A URL, an ARN, an id or a command is one word: whoever copies half of it has another.
"""

from __future__ import annotations

import re
import shutil
import sys
import unicodedata
from itertools import takewhile
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len

from pull_responder.model.printable import clean_line

if TYPE_CHECKING:
    from collections.abc import Iterable

UNLIMITED: Final = 1_000_000
"""The width of what is no terminal: there no line is broken."""

NARROW: Final = 60
"""A narrower terminal has no room for labels beside the text."""

# A command in a sentence stands in backticks, or in brackets if its first word says that it is one.
_WORD: Final = re.compile(r"(?:`[^`]*+`|\((?:aws|docker|kubectl|pull-responder) [^()]*+\)|\S)++")
_CLAUSE_END: Final = re.compile(r"[.;:,](?= )| (?=\()")
_SHORTEST_SENTENCE: Final = 12
_SHORTEST_CLAUSE: Final = 24
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL", "AN"})
# Letters and signs that look like a space, or like nothing (Unicode, Default_Ignorable_Code_Point and U+2800).
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")


def shown(text: str) -> str:
    r"""Return untrusted text as one line of characters that stand where they are written, of any length.

    Letters that are written from right to left would change the order of what stands around them. Marks are put onto
    the letter before them, which may be ours. Both are shown as escapes, such as \u05d0, and so are blank letters.
    """
    line = clean_line(text)
    return line if line.isascii() else "".join(map(_in_place, line))


def _in_place(character: str) -> str:
    moves = unicodedata.bidirectional(character) in _RIGHT_TO_LEFT
    is_mark = unicodedata.category(character).startswith("M")
    if not (moves or is_mark or character in _BLANK):
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 -- what four digits can hold


def terminal_width() -> int:
    """Return how many characters a line of standard output has. Only a terminal's lines have an end.

    COLUMNS does not count elsewhere: readline exports it to whatever a shell or a Python program starts.
    """
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else UNLIMITED


def wrap(text: str, width: int) -> list[str]:
    """Return `text`, a line, as lines of at most `width` cells. A longer word has a line of its own."""
    lines: list[str] = []
    room = 0
    for word in _WORD.findall(text):
        size = cell_len(word)
        if lines and size + 1 <= room:
            lines[-1] += f" {word}"
            room -= size + 1
        else:
            lines.append(word)
            room = width - size
    return lines or [""]


def labelled(label: str, text: str, width: int, *, indent: int) -> list[tuple[str, str]]:
    """Return text behind a label, as lines of two parts. In a narrow terminal it stands below its label.

    `indent` is how many cells a label has, with the blank behind it.
    """
    if width >= NARROW:
        parts = wrap(text, width - indent)
        return [(f"{'' if number else label:<{indent}}", part) for number, part in enumerate(parts)]
    below = [("  ", part) for part in wrap(text, width - 2)]
    return [(label, ""), *below] if label else below


def first_fitting(candidates: Iterable[str], width: int) -> str | None:
    """Return the first of `candidates` that has at most `width` cells, None if none has."""
    return next((each for each in candidates if cell_len(each) <= width), None)


def first_words(text: str, width: int) -> str:
    """Return `text` if it has at most `width` cells, else as many of its clauses, else of its words, and dots.

    A whole sentence has no dots. All of the text is returned if not even its first word fits.
    """
    if cell_len(text) <= width:
        return text
    for end in reversed([found.start() for found in _CLAUSE_END.finditer(text)]):
        clause = text[:end]
        is_whole = clause.count("(") == clause.count(")") and clause.count("`") % 2 == 0
        is_sentence = text[end] == "."
        shortened = f"{clause}." if is_sentence else f"{clause} ..."
        least = _SHORTEST_SENTENCE if is_sentence else _SHORTEST_CLAUSE
        if is_whole and least <= cell_len(shortened) <= width:
            return shortened
    kept = wrap(text, width - len(" ..."))[0]
    return f"{kept} ..." if cell_len(kept) + len(" ...") <= width else text


def cut_name(name: str, width: int) -> str:
    """Return a name that has at most `width` cells, or its beginning and its end with dots between them.

    Names that a program has made differ at their end.
    """
    if cell_len(name) <= width:
        return name
    room = max(width - len("..."), 0)
    end = _fitting(reversed(name), room // 2)[::-1]
    return f"{_fitting(name, room - cell_len(end))}...{end}"


def _fitting(characters: Iterable[str], room: int) -> str:
    used = 0

    def fits(character: str) -> bool:
        nonlocal used
        used += cell_len(character)
        return used <= room

    return "".join(takewhile(fits, characters))
