"""Put notices together that are about the same problem, so that people get one message with all its causes.

Findings stay one a cause. Who fixes one cause of several would find that the pod still fails, so a message also names
the causes that are open and not in it (docs/adr/0094-one-message-a-problem.md).
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from functools import reduce
from typing import TYPE_CHECKING, Final, TypeVar

from pull_responder.findings.alert import MOST_CAUSES, Alert
from pull_responder.findings.life import notice
from pull_responder.findings.notice import Edge
from pull_responder.findings.store import StoreError
from pull_responder.responder.endings import Endings, stops_pulls

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from pull_responder.findings.finding import Finding
    from pull_responder.findings.life import Life
    from pull_responder.findings.notice import Notice
    from pull_responder.findings.reach import Reach
    from pull_responder.responder.ledger import Ledger
    from pull_responder.responder.run import Run

T = TypeVar("T")

_ONE_A_FINDING: Final = "1.0"


class Alerts:
    """Makes the alerts of one run. If the table fails, an alert lacks what it would have said, and `refusals` grows."""

    def __init__(self, run: Run, ledger: Ledger) -> None:
        self._run = run
        self._ledger = ledger
        # The findings of the messages that were made. The record of what was sent may have failed.
        self._made: set[str] = set()
        self._refusals = 0

    @property
    def refusals(self) -> int:
        """How often the table has refused to say what is found beside the findings of a message."""
        return self._refusals

    def group(self, lives: Sequence[Life]) -> list[list[Life]]:
        """Return the lives that each message is about. With schema 1.0 of the document, that is one for each."""
        alone = self._run.settings.notification_schema == _ONE_A_FINDING
        return [[life] for life in lives] if alone else by_problem(lives)

    def alert(self, lives: Sequence[Life]) -> Alert:
        """Return the alert about the pending notices of `lives`, at least one, as `group` put them together."""
        worst = sorted(lives, key=_worst_first)
        related = self._related(worst)
        others = _others(worst, related or [])
        thread = _thread(worst, others)
        endings = self._endings(worst, related)
        if endings and not any(life.thread for life in (*worst, *others)):
            # People heard nothing of these findings: their end ends what was told of those beside them.
            thread = next(iter(endings.threads_beside(worst)), thread)
        still_open = endings.still_open(thread) if endings else []
        return Alert(
            thread,
            tuple(map(notice, worst)),
            others=_findings(others),
            reach=self._reach(worst),
            others_known=related is not None and (endings is None or endings.is_known),
            over=_over(worst, thread, endings),
            still_open=_findings([each for each in still_open if each not in others]),
            unnamed=_unnamed(others),
        )

    def digest(self, lives: Sequence[Life]) -> list[Notice]:
        """Return the pending notices of `lives` for a digest: each with its problem, and what else stops its pulls."""
        related = self._related(lives)
        endings = self._endings([life for life in lives if _is_over(life)], related)
        notices = []
        for group in self.group(lives):
            others = _others(group, related or [])
            thread = _thread(group, others)
            is_over = related is not None and not others
            first, *rest = [
                replace(
                    each,
                    problem=thread,
                    is_over=is_over and each.edge is Edge.RESOLVED,
                    others=_findings(others),
                    others_known=related is not None,
                    unnamed=_unnamed(others),
                )
                for each in map(notice, group)
            ]
            notices += [replace(first, over=_over(group, thread, endings)), *rest]
        return notices

    def withhold(self, lives: Sequence[Life]) -> None:
        """Know that the message about `lives` is not sent in this run."""
        self._made.difference_update(life.id for life in lives)

    def ending(self, lives: Sequence[Life]) -> tuple[frozenset[str], frozenset[str]]:
        """Say of `lives`, whose notices are to be kept back, which end a problem that people know.

        Returns the ids of those that do, and of those of which the table does not say.
        """
        over = {life.id: life for life in lives if _is_over(life) and life.related}
        if not over or self._run.settings.notification_schema == _ONE_A_FINDING:
            return frozenset(), frozenset()
        known: dict[str, Life | None] = {**over}

        def read(ids: Collection[str]) -> list[Life] | None:
            unread = [each for each in ids if each not in known]
            found = self._read_lives(unread)
            if found is None:
                return None
            known.update(dict.fromkeys(unread) | {life.id: life for life in found})
            return [life for life in map(known.get, ids) if life]

        read(list(dict.fromkeys(each for life in over.values() for each in life.related)))  # all at once
        ending, unread = set(), set()
        for life in over.values():
            refusals = self._refusals
            beside = read(life.related)
            endings = Endings([life, *beside], read, ending=over, own=self._is_to_tell) if beside else None
            if endings and endings.ends(life):
                ending.add(life.id)
            elif self._refusals > refusals:
                unread.add(life.id)
        return frozenset(ending), frozenset(unread)

    def _related(self, lives: Sequence[Life]) -> list[Life] | None:
        """Return `lives` and the findings that diagnoses found beside them; None if they cannot be read."""
        own = {life.id for life in lives}
        ids = dict.fromkeys(each for life in lives for each in life.related if each not in own)
        known = self._read_lives(ids)
        return None if known is None else [*lives, *known]

    def _endings(self, lives: Sequence[Life], related: Sequence[Life] | None) -> Endings | None:
        """Return what is known of the problems of `lives`, if some have ended and `related` is known; else None."""
        if related is None or not any(map(_is_over, lives)):
            return None
        ending = {life.id for life in lives}
        self._made |= ending
        return Endings(related, self._read_lives, ending=ending, own=self._is_to_tell)

    def _is_to_tell(self, life: Life) -> bool:
        """Say whether this run has claimed the notice of a finding, and has not made its message yet."""
        return life.pending is not None and life.pending.claimant == self._run.name and life.id not in self._made

    def _read_lives(self, ids: Collection[str]) -> list[Life] | None:
        """Return the findings with `ids` that are in the table; None if one of them cannot be read."""
        lives = self._read(lambda: self._ledger.lives(ids)) if ids else []
        self._refusals += lives is None
        return None if self._ledger.unusable.intersection(ids) else lives

    def _reach(self, lives: Sequence[Life]) -> Reach:
        """Return the joint reach of `lives`. What has expired in the table was seen all the same."""
        farthest = max((life.reach for life in lives), key=lambda reach: reach.events)
        if len(lives) == 1 or not any(life.problems for life in lives):
            return farthest
        joint = self._read(lambda: self._ledger.joint_reach(lives)) or farthest
        return reduce(lambda reach, life: reach.at_least(life.reach), lives, joint)

    def _read(self, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except StoreError as error:
            self._run.count("TableFailures")
            self._run.logger.warning("the other causes of an alert cannot be read", reason=str(error))
            return None


def by_problem(lives: Sequence[Life]) -> list[list[Life]]:
    """Return `lives` in groups, the worst first: those that changed in the same way and share a problem with the worst.

    The worst alone decides: two roles that pull the same missing image are two problems.
    """
    places: defaultdict[object, list[int]] = defaultdict(list)
    ordered = sorted(lives, key=_worst_first)
    for place, life in enumerate(ordered):
        for key in _keys(life):
            places[key].append(place)
    groups: list[list[Life]] = []
    taken: set[int] = set()
    for place, life in enumerate(ordered):
        if place not in taken:
            same = sorted({each for key in _keys(life) for each in places[key]} - taken - {place})
            group = [place, *same[: MOST_CAUSES - 1]]
            taken.update(group)
            groups.append([ordered[each] for each in group])
    return groups


def _keys(life: Life) -> list[tuple[str, bool, str]]:
    """Return what the findings of one message have in common, one at least."""
    pending = life.pending
    return [(pending.edge, pending.told, problem) for problem in life.problems] if pending else []


def _others(lives: Sequence[Life], known: Sequence[Life]) -> list[Life]:
    """Return the findings among `known` of other causes of the problem of `lives` that are open."""
    own = {life.id for life in lives}
    related = {each for life in lives for each in life.related} - own
    still_open = [each for each in known if each.id in related and stops_pulls(each)]
    return [each for each in still_open if any(_is_same_problem(each, life) for life in lives)]


def _is_same_problem(life: Life, other: Life) -> bool:
    return not set(life.problems).isdisjoint(other.problems)


def _is_over(life: Life) -> bool:
    """Say whether people are to be told that a finding is over."""
    return bool(life.pending and life.pending.edge is Edge.RESOLVED)


def _over(lives: Sequence[Life], thread: str, endings: Endings | None) -> tuple[str, ...]:
    """Return the ids of the problems that are over with `lives`, which are told as the problem `thread`."""
    if endings is None or not all(map(_is_over, lives)):
        return ()
    problems = {each for life in lives for each in life.problems}
    ids = dict.fromkeys((thread, *(life.thread for life in lives if life.thread), *endings.threads_beside(lives)))
    return tuple(each for each in ids if endings.is_over(each, problems if each == thread else ()))


def _findings(lives: Sequence[Life]) -> tuple[Finding, ...]:
    """Return as many findings as a message names, the worst first."""
    return tuple(life.finding for life in sorted(lives, key=_worst_first)[:MOST_CAUSES])


def _thread(lives: Sequence[Life], others: Sequence[Life]) -> str:
    """Return the id of a problem: that of the oldest of its findings that was told before, else its first.

    What people have perhaps heard is repeated with the id that it had.
    """
    heard = [life for life in lives if life.thread and life.pending and life.pending.perhaps_heard]
    life = min(heard or (*lives, *others), key=lambda each: (not each.thread, each.created_at, each.id))
    return life.thread or next(iter(life.problems), life.id)


def _worst_first(life: Life) -> tuple[int, str, str]:
    return (-life.finding.severity.rank, life.finding.cause, life.id)


def _unnamed(lives: Sequence[Life]) -> int:
    """Return how many findings there are beyond those that a message names."""
    return max(0, len(lives) - MOST_CAUSES)
