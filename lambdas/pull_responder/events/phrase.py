"""Match phrases word by word. The cost grows only with the number of words, whatever the text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

T = TypeVar("T")


class PhraseTable(Generic[T]):
    """Phrases and their meanings. A star in a phrase matches any one word."""

    def __init__(self, meanings: Mapping[str, T]) -> None:
        self._by_first_word: dict[str, list[tuple[list[str], T]]] = {}
        for phrase, meaning in meanings.items():
            words = phrase.split()
            self._by_first_word.setdefault(words[0], []).append((words, meaning))

    def find(self, words: Sequence[str]) -> T | None:
        """Return the meaning of the longest phrase that `words` begin with, None if they begin with none."""
        match = self.match(words)
        return match[1] if match else None

    def match(self, words: Sequence[str]) -> tuple[int, T] | None:
        """Return the length in words and the meaning of the longest phrase that `words` begin with, or None."""
        candidates = [*self._by_first_word.get(words[0], ()), *self._by_first_word.get("*", ())] if words else []
        fitting = [(len(phrase), meaning) for phrase, meaning in candidates if _begin_with(words, phrase)]
        return max(fitting, key=lambda match: match[0], default=None)


def _begin_with(words: Sequence[str], phrase: Sequence[str]) -> bool:
    return len(words) >= len(phrase) and all(
        expected in ("*", word) for expected, word in zip(phrase, words, strict=False)
    )
