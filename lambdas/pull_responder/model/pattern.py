"""Patterns with the wildcards `*` (any number of characters, or none) and `?` (exactly one character).

Matching never backtracks. A pattern is cut at each `*`. The first piece must match at the start of the text and the
last piece at its end. Each middle piece is searched once, from left to right: the leftmost match leaves the most room
for the next piece. A piece with `?` is searched by the Shift-And method (Baeza-Yates and Gonnet, 1992), which takes
one step for each character of the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from enum import Enum
from functools import lru_cache

TextTest = Callable[[str], bool]


class Wildcard(Enum):
    """The two wildcards of the policy language."""

    ANY = "*"
    ONE = "?"


Token = str | Wildcard

# Python 3.11 takes ten times as long to read an enumeration's member as a global.
_ANY, _ONE = Wildcard.ANY, Wildcard.ONE
_TOKENS: dict[str, Token] = {"*": _ANY, "?": _ONE}

_WILDCARDS = re.compile(r"([*?])")


def tokens(text: str) -> list[Token]:
    """Cut `text` into literal runs and wildcards."""
    return [_TOKENS.get(part, part) for part in _WILDCARDS.split(text) if part]


def compile_pattern(text: str) -> TextTest:
    """Return a test for whether a whole text matches the pattern `text`."""
    star = text.find("*")
    if "?" not in text:
        if star == -1:
            return text.__eq__
        if star == len(text) - 1:
            return _starts_with(text[:-1]) if star else _anything
    return compile_tokens(tokens(text))


@lru_cache(maxsize=256)
def compile_stars(text: str) -> TextTest:
    """Return the same test for a pattern in which only `*` is a wildcard, and `?` means itself."""
    pieces: list[Token] = [_ANY] * (2 * text.count("*") + 1)
    pieces[::2] = text.split("*")
    return compile_tokens([piece for piece in pieces if piece])


def compile_tokens(pattern: Sequence[Token]) -> TextTest:
    """Return the same test for a pattern that is already cut. Its literal parts may contain a plain `*` or `?`."""
    pieces: list[list[Token]] = [[]]
    for token in pattern:
        if token is _ANY:
            pieces.append([])
        else:
            pieces[-1].append(token)
    if len(pieces) == 1:
        return _match_one(_piece(pieces[0]))
    first, *middle, last = pieces
    return _match_several(_piece(first), [_piece(piece) for piece in middle if piece], _piece(last))


def _anything(_text: str) -> bool:
    return True


def _starts_with(prefix: str) -> TextTest:
    return lambda text: text.startswith(prefix)


class _Literal:
    """A piece without `?`."""

    __slots__ = ("length", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.length = len(text)

    def find(self, text: str, start: int, end: int) -> int:
        """Return where the piece first lies within text[start:end], or -1."""
        return text.find(self.text, start, end)


class _WithGaps:
    """A piece with `?`. Bit i of a character's mask says that the piece accepts the character at place i."""

    __slots__ = ("accept", "any_character", "length", "masks")

    def __init__(self, piece: Sequence[Token]) -> None:
        self.masks: dict[str, int] = {}
        self.any_character = 0
        place = 0
        for token in piece:
            if isinstance(token, Wildcard):
                self.any_character |= 1 << place
                place += 1
            else:
                for character in token:
                    self.masks[character] = self.masks.get(character, 0) | 1 << place
                    place += 1
        self.length = place
        self.accept = 1 << (place - 1)

    def find(self, text: str, start: int, end: int) -> int:
        """Return where the piece first lies within text[start:end], or -1."""
        state = 0
        for place in range(start, end):
            state = (state << 1 | 1) & (self.masks.get(text[place], 0) | self.any_character)
            if state & self.accept:
                return place - self.length + 1
        return -1


def _piece(piece: Sequence[Token]) -> _Literal | _WithGaps:
    if _ONE in piece:
        return _WithGaps(piece)
    return _Literal("".join(token for token in piece if isinstance(token, str)))


def _match_one(piece: _Literal | _WithGaps) -> TextTest:
    if isinstance(piece, _Literal):
        return piece.text.__eq__
    return lambda text: len(text) == piece.length and piece.find(text, 0, piece.length) == 0


def _match_several(
    first: _Literal | _WithGaps, middle: Sequence[_Literal | _WithGaps], last: _Literal | _WithGaps
) -> TextTest:
    least = first.length + sum(piece.length for piece in middle) + last.length

    def matches(text: str) -> bool:
        size = len(text)
        if size < least or first.find(text, 0, first.length) != 0:
            return False
        end = size - last.length
        if last.find(text, end, size) != end:
            return False
        place = first.length
        for piece in middle:
            place = piece.find(text, place, end)
            if place == -1:
                return False
            place += piece.length
        return True

    return matches
