"""The words of a terminal for who reads from AWS: whoever runs the command, not a role of a deployment."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.cli.answered import Answered
from pull_responder.model.reason import OUR_ROLE, reword

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pull_responder.cli.answered import Answer
    from pull_responder.diagnosis import Undecided

# In this order: the first are whole phrases, the last is what is left of them.
_WORDS: Final = (
    (f"as {OUR_ROLE}", "with your credentials"),
    (OUR_ROLE, "the role or user of your credentials"),
    ("the credentials that Pull Responder runs with", "your credentials"),
    ("that Pull Responder itself can reach", "that this machine can reach"),
    ("AWS STS in its own region", "AWS STS in your region"),
)


def own_words(text: str) -> str:
    """Return a next step in the words of a terminal."""
    for theirs, ours in _WORDS:
        text = text.replace(theirs, ours)
    return text


def in_own_words(answers: Iterable[Answer]) -> Iterator[Answer]:
    """Yield the answers with what is not decided in the words of a terminal."""
    for each in answers:
        if isinstance(each, Answered):
            found = each.diagnosis
            opened, unchecked = tuple(map(_reworded, found.inconclusive)), tuple(map(_reworded, found.unchecked))
            yield replace(each, diagnosis=replace(found, inconclusive=opened, unchecked=unchecked))
        else:
            yield each


def _reworded(undecided: Undecided) -> Undecided:
    reason = reword(undecided.reason, own_words(undecided.reason))
    return replace(undecided, reason=reason, next=own_words(undecided.next))
