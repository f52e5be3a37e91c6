"""Which problems are over: nothing that was told as one is open, and nothing open stops the pulls of what was.

All messages about a problem have its id, and whoever opened an incident for that id closes it when it is over. A
finding keeps the id of its first message (`Life.thread`). Two findings of an id need not share a failed pull: each may
share one with a third. And two that share one may have been told as two problems before they did.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from pull_responder.checks import BY_ID
from pull_responder.checks.check import Kind
from pull_responder.findings.notice import Edge
from pull_responder.findings.related import may_have_forgotten

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from pull_responder.findings.life import Life

# Findings that are read beside those of a message or digest. With more, it is not known what is over.
_MOST_READ: Final = 1_000


class Endings:
    """What is known of the findings that were told as some problems.

    - `lives`: the findings of a message, which have ended, and those that were found beside them.
    - `read`: reads the findings with some ids; returns None if they cannot be read.
    - `ending`: the ids of the findings whose end the message tells.
    - `own`: says of a finding whether this run is to tell its end in a later message.
    """

    def __init__(
        self,
        lives: Iterable[Life],
        read: Callable[[Collection[str]], Sequence[Life] | None],
        *,
        ending: Collection[str] = (),
        own: Callable[[Life], bool] = lambda _: False,
    ) -> None:
        self._known = {life.id: life for life in lives}
        self._ending = frozenset(ending)
        self._own = own
        told = {life.thread for life in self._known.values() if life.thread}
        self.threads = frozenset(told - {life.thread for life in self._known.values() if self._counts_as_open(life)})
        self.is_known = self._read_on(read)
        self._open: defaultdict[str, list[Life]] = defaultdict(list)
        self._stopping: defaultdict[str, set[str]] = defaultdict(set)
        self._problems: defaultdict[str, set[str]] = defaultdict(set)
        for life in self._known.values():
            self._problems[life.thread].update(life.problems)
            if self._counts_as_open(life):
                self._open[life.thread].append(life)
            if stops_pulls(life):
                for problem in life.problems:
                    self._stopping[problem].add(life.id)

    def is_over(self, thread: str, problems: Iterable[str] = ()) -> bool:
        """Say whether the problem `thread` is known to be over. With `problems`, it had these failed pulls, too."""
        stopped = {*problems, *self._problems[thread]}
        return self.is_known and not self._open[thread] and not any(self._stopping[each] for each in stopped)

    def threads_beside(self, lives: Iterable[Life]) -> list[str]:
        """Return the ids of the problems as which the findings beside `lives` were told, if those have ended."""
        beside = (self._known[each].thread for life in lives for each in life.related if each in self._known)
        return [each for each in beside if each in self.threads]

    def ends(self, life: Life) -> bool:
        """Say whether a finding whose end may be kept back is the last of a problem that people heard of by another.

        If they never heard of the finding, it must have been open when they heard of the other's end: otherwise that
        message said that the problem is over.
        """
        is_quiet = life.pending is not None and life.pending.quiet
        for thread in self.threads_beside([life]):
            others = [each for each in self._known.values() if each.thread == thread and each.id not in self._ending]
            heard = [each.told.at for each in others if each.told and not each.told.silently]
            was_open = not is_quiet or max(heard, default=0.0) <= life.resolved_at
            if heard and was_open and self.is_over(thread, life.problems):
                return True
        return False

    def still_open(self, thread: str) -> list[Life]:
        """Return the open findings that are known to have been told as the problem `thread`."""
        return [each for each in self._open[thread] if each.is_open]

    def _counts_as_open(self, life: Life) -> bool:
        """Say whether a finding is open, or is open for people, who have not heard of its end.

        If it comes back before they do, nobody is told. If a run has claimed that message, they are.
        """
        if life.is_open or life.id in self._ending:
            return life.is_open
        pending = life.pending
        if pending is None or pending.edge is not Edge.RESOLVED or pending.told or pending.quiet:
            return False
        return not (pending.claimant or pending.perhaps_heard) or self._own(life)

    def _read_on(self, read: Callable[[Collection[str]], Sequence[Life] | None]) -> bool:
        """Read what is related to the findings of the problems, and what is related to that, as far as it is of them.

        Return whether all could be read.
        """
        asked, first = set(self._known), len(self._known)
        while True:
            of_threads = [life for life in self._known.values() if life.thread in self.threads]
            left = dict.fromkeys(each for life in of_threads for each in life.related if each not in asked)
            if not left:
                return not any(map(may_have_forgotten, of_threads))
            asked.update(left)
            found = read(left) if len(asked) - first <= _MOST_READ else None
            if found is None:
                return False
            self._known |= {life.id: life for life in found}


def stops_pulls(life: Life) -> bool:
    """Say whether a finding is open, and of a cause that stops pulls."""
    check = BY_ID.get(life.finding.cause)  # a later version may have recorded a cause that this one lacks
    return life.is_open and (check is None or check.kind is Kind.CONFIGURATION)
