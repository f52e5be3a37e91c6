"""Match phrases word by word. The cost grows only with the number of words, whatever the text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

T = TypeVar("T")


class PhraseTable(Generic[T]):
    """Phrases and their meanings. A star in a phrase matches any one word."""

    def __init__(self, meanings: Mapping[str, T]) -> None:
        phrases = [(phrase.split(), meaning) for phrase, meaning in meanings.items()]
        # By the first word, the longest first; of equals, one that names its first word.
        self._by_first_word: dict[str, list[tuple[list[str], bool, T]]] = {}
        for first in {words[0] for words, _ in phrases}:
            fitting = [each for each in phrases if each[0][0] == first]
            fitting += [each for each in phrases if each[0][0] == "*" != first]
            fitting.sort(key=lambda each: -len(each[0]))
            self._by_first_word[first] = [(words, "*" in words, meaning) for words, meaning in fitting]

    def find(self, words: list[str]) -> T | None:
        """Return the meaning of the longest phrase that `words` begin with, None if they begin with none."""
        match = self.match(words)
        return match[1] if match else None

    def match(self, words: list[str]) -> tuple[int, T] | None:
        """Return the length in words and the meaning of the longest phrase that `words` begin with, or None."""
        if not words:
            return None
        candidates = self._by_first_word.get(words[0]) or self._by_first_word.get("*", [])
        for phrase, has_star, meaning in candidates:
            if _begin_with(words, phrase) if has_star else words[: len(phrase)] == phrase:
                return len(phrase), meaning
        return None


def _begin_with(words: Sequence[str], phrase: Sequence[str]) -> bool:
    return len(words) >= len(phrase) and all(
        expected in ("*", word) for expected, word in zip(phrase, words, strict=False)
    )
