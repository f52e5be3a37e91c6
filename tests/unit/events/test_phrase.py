"""Tables of phrases: which of several a link begins with."""

from __future__ import annotations

import pytest

from pull_responder.events.phrase import PhraseTable

PHRASES = {"a b": 1, "a b c": 2, "* b c d": 3, "* x": 4, "a *": 5, "a * z": 6}


@pytest.mark.parametrize(
    ("link", "found"),
    [
        ("a b", (2, 1)),
        ("a b q", (2, 1)),
        ("a b c", (3, 2)),
        ("a b c q", (3, 2)),
        # The longest counts, also where its first word may be any.
        ("a b c d", (4, 3)),
        ("q b c d", (4, 3)),
        ("q x", (2, 4)),
        # Of two that are as long, the one that names its first word.
        ("a x", (2, 5)),
        ("a q z", (3, 6)),
        ("a b z", (3, 6)),
        ("a", None),
        ("q", None),
        ("q b c", None),
        ("b", None),
        ("* y", None),
        ("", None),
    ],
)
def test_the_longest_phrase_that_a_link_begins_with(link: str, found: tuple[int, int] | None) -> None:
    table = PhraseTable(PHRASES)
    assert table.match(link.split()) == found
    assert table.find(link.split()) == (found[1] if found else None)


def test_a_table_without_stars_knows_no_other_words() -> None:
    assert PhraseTable({"a": 1}).find(["q"]) is None
    assert PhraseTable({"a": 1}).find(["a"]) == 1
