"""Count and log events that lie about who sent them. Nobody is told: whoever sends one can send any number."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.events.outcome import Refused
    from pull_responder.responder.run import Run

_MOST: Final = 20


def log_refused(run: Run, refused: Sequence[Refused]) -> None:
    """Count the events, and log one line for all of a batch: the commonest reasons, and how many had each."""
    if not refused:
        return
    run.count("ForwardedEventsRefused", len(refused))
    reasons = Counter(each.reason for each in refused)
    run.logger.warning("events were refused", reasons=dict(reasons.most_common(_MOST)))
