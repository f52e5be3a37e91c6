"""Recheck open findings that are due or that a change concerns, and diagnose problems that other runs left."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Final

from pull_responder.checks import CHECKS
from pull_responder.checks.check import Kind
from pull_responder.findings.concern import concerns
from pull_responder.findings.concern_keys import keys_of_change
from pull_responder.findings.deed import deeds_of
from pull_responder.findings.ending import end, remember
from pull_responder.findings.leases import has_lease, lease, make_due, release
from pull_responder.findings.life import mark_rechecked, open_or_update
from pull_responder.findings.store import StoreError
from pull_responder.model.arn import Arn
from pull_responder.responder.diagnoser import Diagnoser
from pull_responder.responder.inspector import Inspector
from pull_responder.responder.later_looks import LaterLooks
from pull_responder.responder.ledger import Ledger
from pull_responder.responder.lives import change_lives, correlation_of
from pull_responder.responder.notifier import Notifier
from pull_responder.responder.what_broke_it import WhatBrokeIt

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from pull_responder.events.change import Change
    from pull_responder.findings.life import Life
    from pull_responder.responder.run import Run

# One digest says all that is due. To claim so many takes a few seconds.
_MOST_NOTICES: Final = 3_000
# How many ids of open findings are read, and how many findings at a time.
_MOST_IDS: Final = 20_000
_AT_A_TIME: Final = 200
# A recheck waits for AWS most of its time, as a diagnosis does. So many side by side share what they read.
_AT_ONCE: Final = 4
# So many are done soon, and one after the other.
_FEW: Final = 8
# People are notified after so many rechecks, so that the end of a fault is not told after thousands of others.
_RECHECKS_A_NOTICE: Final = 25
# Seconds of the run's time that a recheck takes, and what part of a short run that is at most. The parts leave some of
# each run to begin rechecks in, however short it is.
_SECONDS_TO_CHECK: Final = 15.0
# With fewer seconds left, a recheck could read nothing: it leaves eight to people's notices.
_LEAST_TO_CHECK: Final = 10.0
_PART_TO_CHECK: Final = 0.4
# The same that rechecks leave to problems that wait for a diagnosis.
_SECONDS_FOR_PROBLEMS: Final = 50.0
_PART_FOR_PROBLEMS: Final = 0.3
# The same for inspections that other runs had no time for, and how many of these a run takes on.
_SECONDS_FOR_INSPECTIONS: Final = 20.0
_PART_FOR_INSPECTIONS: Final = 0.1
_MOST_INSPECTIONS: Final = 10
# Seconds by which the lease of a recheck outlives its run.
_SECONDS_OF_GRACE: Final = 5.0
# Seconds until the second recheck after a change. Changes of IAM take a while to be visible everywhere.
_AFTER_A_CHANGE: Final = 60.0

_CHECK_OF: Final = {check.id: check for check in CHECKS}


class Recheck:
    """Rechecks findings, longest waiting first, for as long as the run has time."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._ledger = Ledger(run)
        self._notifier = Notifier(run, self._ledger)
        self._looks = LaterLooks(run, self._ledger)
        self._what_broke_it = WhatBrokeIt(run)
        self._errors: list[Exception] = []
        self._changes: Sequence[Change] = ()
        self._least = _SECONDS_TO_CHECK
        # Failures of the table for findings that a change concerns: the queue has to hand out the change again.
        self._lost: list[StoreError] = []

    def recheck(self, changes: Sequence[Change], *, asked: Sequence[str] = (), on_schedule: bool = True) -> None:
        """Recheck the findings that `changes` concern, those `asked` for by id, and those due; send what is due.

        What is due is left to the runs `on_schedule`. One begins each minute, so however much is due, other runs are
        free for the changes that come (docs/adr/0115-changes-do-not-wait-for-the-schedule.md).

        Raises StoreError if the table fails. An exception of a check, and a failure of the table for a finding that a
        change concerns, are raised after all other findings were handled.
        """
        now = self._run.now()
        self._changes = changes
        store, insist = self._run.store, self._ledger.insist
        concerned = self._open_among(asked) | self._concerned_by(changes)
        notices = [
            each for each in insist(lambda: store.due_notices(before=now, limit=_MOST_NOTICES)) if each not in concerned
        ]
        lives = self._ledger.lives(notices)
        # Findings that only have a notice due go first: that is quick, and people wait for it.
        self._send_due([life.id for life in lives if not _is_due(life, now)])
        waiting = insist(lambda: store.due_problems(before=now, limit=1)) if on_schedule else []
        left = self._ledger.left_inspections(limit=_MOST_INSPECTIONS) if on_schedule else []
        seconds = self._run.remaining()
        for_problems = min(_SECONDS_FOR_PROBLEMS, seconds * _PART_FOR_PROBLEMS) if waiting else 0
        for_inspections = min(_SECONDS_FOR_INSPECTIONS, seconds * _PART_FOR_INSPECTIONS) if left else 0
        to_check = max(_LEAST_TO_CHECK, min(_SECONDS_TO_CHECK, seconds * _PART_TO_CHECK))
        self._least = to_check + for_problems + for_inspections
        self._recheck_in_order(concerned.values(), by_change=True)
        if on_schedule:
            self._recheck_in_order((life for life in lives if _is_due(life, now)), by_change=False)
        done = {*concerned, *notices}
        found = insist(lambda: store.due_findings(before=now, limit=_MOST_IDS)) if on_schedule else []
        due = [each for each in found if each not in done]
        for at in range(0, len(due), _AT_A_TIME):
            if self._run.remaining() > self._least:
                self._recheck_in_order(self._ledger.lives(due[at : at + _AT_A_TIME]), by_change=False)
        diagnoser = Diagnoser(self._run, self._ledger, self._notifier)
        diagnoser.keep = for_problems
        self._errors += Inspector(self._run, self._notifier, diagnoser).inspect_left(left)
        diagnoser.keep = 0
        crashed = diagnoser.diagnose_waiting() if waiting else {}
        for error in (*self._errors, *crashed.values(), *self._lost):
            raise error

    def _recheck_in_order(self, lives: Iterable[Life], *, by_change: bool) -> None:
        """Recheck findings while time is left, those of strangers last, and notify people now and then.

        Of those that a change concerns, the ones that are left are due for the next run.
        """
        changed: list[Life] = []
        to_tell: list[Life] = []
        left: list[str] = []
        in_order = sorted(lives, key=_is_of_stranger)
        places = {life.id: place for place, life in enumerate(in_order)}
        for place, (life, had_time, after) in enumerate(self._side_by_side(in_order, by_change=by_change)):
            if after:
                changed.append(after)
                to_tell.append(after)
            if by_change and not had_time:
                left.append(life.id)
            if (place + 1) % _RECHECKS_A_NOTICE == 0:
                # What one message is to say of a problem is told when all of its findings were rechecked.
                held = [each for each in to_tell if any(places.get(one, 0) > place for one in each.related)]
                kept = {each.id for each in held}
                self._notifier.tell([each for each in to_tell if each.id not in kept])
                to_tell = held
        # One write after the other would take more time than is left.
        _, failed = change_lives(self._run, self._ledger, dict.fromkeys(left, partial(make_due, now=self._run.now())))
        self._log_failures(failed)
        self._lost += failed.values()
        self._notifier.tell(to_tell)
        self._notifier.finish(changed)

    def _side_by_side(self, in_order: Sequence[Life], *, by_change: bool) -> Iterator[tuple[Life, bool, Life | None]]:
        """Recheck findings, several at a time, those of strangers when all others are done.

        Yields in order each finding, whether there was time for it, and what became of it.
        """

        def recheck(life: Life) -> tuple[Life, bool, Life | None]:
            had_time = self._run.remaining() > self._least
            return life, had_time, self._try_recheck(life, by_change=by_change) if had_time else None

        for _, group in groupby(in_order, key=_is_of_stranger):
            each = list(group)
            if len(each) <= _FEW:
                yield from map(recheck, each)
                continue
            with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="recheck") as pool:
                yield from pool.map(recheck, each)

    def _send_due(self, ids: Sequence[str]) -> None:
        """Send the due notices of findings that are not rechecked now, and update Security Hub with them."""
        claimed, failed = change_lives(self._run, self._ledger, dict.fromkeys(ids, self._notifier.claim))
        self._log_failures(failed)
        self._notifier.notify(list(claimed.values()))

    def _log_failures(self, failed: Mapping[str, StoreError]) -> None:
        for each, error in failed.items():
            self._run.count("TableFailures")
            self._run.logger.warning("the findings table did not answer", about=each, reason=str(error))

    def _try_recheck(self, life: Life, *, by_change: bool) -> Life | None:
        """Recheck one finding. Log and keep any exception."""
        with self._run.about(correlation_of(life)):
            return self._rechecked(life, by_change=by_change)

    def _rechecked(self, life: Life, *, by_change: bool) -> Life | None:
        try:
            return self._recheck_one(life, by_change=by_change)
        except StoreError as error:
            self._run.count("TableFailures")
            self._run.logger.warning("the findings table did not answer", about=life.id, reason=str(error))
            if by_change:
                self._lost.append(error)
        except Exception as error:
            # `recheck` raises it at its end, so that the other findings are handled first.
            self._run.count("LooksFailed")
            self._run.logger.exception("a finding could not be rechecked", about=life.id)
            self._errors.append(error)
            self._postpone(life)
        return None

    def _postpone(self, life: Life) -> None:
        """Set the next recheck of a finding that failed, so that it is not the first of every run.

        A change that came meanwhile asked for another recheck: that is due at once.
        """
        now, name, settings = self._run.now(), self._run.name, self._run.settings

        def step(known: Life | None) -> Life | None:
            return known and release(mark_rechecked(known, now=now, settings=settings), name, now=now)

        with suppress(StoreError):
            self._ledger.change(life.id, step)

    def _open_among(self, ids: Sequence[str]) -> dict[str, Life]:
        """Return the open findings among `ids`, by id. People have asked for these."""
        lives = (
            life for at in range(0, len(ids), _AT_A_TIME) for life in self._ledger.lives(ids[at : at + _AT_A_TIME])
        )
        return {life.id: life for life in lives if life.is_open}

    def _concerned_by(self, changes: Sequence[Change]) -> dict[str, Life]:
        """Return the open findings that one of `changes` can have fixed, by id.

        Those on a resource of a service that was changed come first, and the oldest first among them.
        """
        keys = {key for change in changes for key in keys_of_change(change)}
        ids = self._ledger.insist(lambda: self._run.store.listed_under(sorted(keys), limit=_MOST_IDS))
        lives = (
            life for at in range(0, len(ids), _AT_A_TIME) for life in self._ledger.lives(ids[at : at + _AT_A_TIME])
        )
        found = [life for life in lives if life.is_open and any(concerns(each, life.finding) for each in changes)]
        services = {change.service for change in changes}
        return {life.id: life for life in sorted(found, key=lambda life: (not _is_of(services, life), life.created_at))}

    def _recheck_one(self, life: Life, *, by_change: bool) -> Life:
        """Recheck one finding if it is due, record the result, and return the recorded life."""
        now = self._run.now()
        settings = self._run.settings
        # A finding that is not due is here only because its notice is. Another run may be rechecking it.
        is_due = life.is_open and (by_change or life.look_at <= now)
        life = self._lease(life, by_change=by_change) if is_due else life
        outcome = self._looks.look(life) if is_due and has_lease(life, self._run.name, now) else None
        deeds = deeds_of(self._changes, life.finding) if by_change else ()

        def step(known: Life | None) -> Life | None:
            if known is None:
                return None
            known = remember(known, deeds) if known.is_open else known
            # If a diagnosis updated the finding since this recheck began, or took the lease, the diagnosis is newer.
            # Clocks of two runs may differ, so any other time than before says so.
            if outcome and has_lease(known, self._run.name, now) and known.looked_at == life.looked_at:
                if outcome.gone_because:
                    # Include the events of the quiet period: people get the final reach.
                    known = replace(known, reach=self._ledger.reach(known))
                    words, again = outcome.gone_because, outcome.works_again
                    known = end(known, because=words, works_again=again, now=now, settings=settings)
                elif outcome.still:
                    reach = self._ledger.reach(known)
                    still = open_or_update(known, outcome.still, problem=None, reach=reach, now=now, settings=settings)
                    known = self._what_broke_it.add_to(still, before=known)
                unread = outcome.unread and not (outcome.gone_because or outcome.is_read)
                known = mark_rechecked(known, now=now, settings=settings, unread=unread)
            if by_change and known.is_open:
                # Also if a diagnosis is newer: it may have read AWS before the change.
                known = replace(known, look_at=min(known.look_at, now + _AFTER_A_CHANGE))
            return self._notifier.claim(release(known, self._run.name, now=now))

        after = self._ledger.change(life.id, step)
        if outcome and outcome.gone_because:
            self._run.count("FindingsResolved")
            self._end_quiet_period(life)
        return after or life

    def _lease(self, life: Life, *, by_change: bool) -> Life:
        """Return the finding as it is now, leased to this run unless another run has it."""
        now, name = self._run.now(), self._run.name
        until = now + self._run.lifetime() + _SECONDS_OF_GRACE

        def step(known: Life | None) -> Life | None:
            return known and lease(known, name, now=now, until=until, by_change=by_change)

        return self._ledger.change(life.id, step) or life

    def _end_quiet_period(self, life: Life) -> None:
        """End the quiet period of a resolved finding's problems, so that their next failure is diagnosed at once."""
        now = self._run.now()
        if life.problems:
            ids, _ = self._ledger.problems_of(life)
            self._ledger.change_problems(
                dict.fromkeys(ids, lambda known: replace(known, quiet_until=0) if known.quiet_until > now else known)
            )


def _is_due(life: Life, now: float) -> bool:
    return life.is_open and life.look_at <= now


def _is_of(services: set[str], life: Life) -> bool:
    arn = Arn.parse(life.finding.resource.id)
    return arn is not None and arn.service in services


def _is_of_stranger(life: Life) -> bool:
    check = _CHECK_OF.get(life.finding.cause)
    return check is not None and check.kind is Kind.BEHAVIOR
