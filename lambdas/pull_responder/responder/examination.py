"""Examine the deployment: all that the doctor looks at once a day, and what is broken every hour until it works.

The schedule wakes this every hour. Most runs read two items of the table, and end.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pull_responder.doctor import CHECKS, State, examine, find_deployment, unread
from pull_responder.doctor.result import Result, broken, works
from pull_responder.facts.reader import Reader
from pull_responder.findings.health import (
    EXAMINATION,
    MISSING_AFTER_SECONDS,
    Examination,
    examination_item,
    read_examination,
)
from pull_responder.findings.store import StoreError
from pull_responder.model.unread import Unread
from pull_responder.responder.blindness import Blindness
from pull_responder.responder.canary import Canaries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pull_responder.findings.health import Canary
    from pull_responder.model.arn import Arn
    from pull_responder.responder.run import Run

CANARY: Final = "canary"
CHECK_IDS: Final = (*(each.id for each in CHECKS), CANARY)
"""The names of all checks: the dimensions of their metrics."""

MISSED_UNTIL_BLIND: Final = 2
"""One that is lost is no proof: services deliver events to CloudTrail on a best effort basis (Amazon EventBridge Events
Reference, "AWS CloudTrail events")."""

# The schedule wakes a run each hour, some seconds sooner or later. Half an hour less than a day is one of its hours.
_DAY_SECONDS: Final = 86_400 - 1_800
# Seconds of the run that reads leave for the table.
_SECONDS_TO_RECORD: Final = 15.0
# A result of the stack says whether others can be trusted to be all.
_CAN_BLIND: Final = frozenset({"stack", *(each.id for each in CHECKS if each.can_blind)})
_UNSEEN: Final = "Refused pulls will not be seen, or long after they were refused"


@dataclass(frozen=True, slots=True)
class Deployed:
    """The deployment that is examined.

    - `stack`: the name of the stack that it is a part of.
    - `own`: an ARN of its own, in its account and region.
    - `outputs`: the outputs of a stack of Pull Responder alone. In a stack of somebody else's there are none.
    """

    stack: str
    own: Arn
    outputs: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Report:
    """What a run has seen. `results` are empty if it was not time to look."""

    results: tuple[Result, ...]
    is_blind: bool


class Examiner:
    """Examines one deployment in one run."""

    def __init__(self, run: Run, deployed: Deployed, *, sends_canaries: bool = True) -> None:
        self._run = run
        self._deployed = deployed
        self._region = deployed.own.region
        self._sends = sends_canaries
        self._canaries = Canaries(run)

    def examine(self) -> Report:
        """Examine the deployment if it is time, record what was found, and send a canary if it is time.

        Raises StoreError, once all was counted that is known without the table.
        """
        now = self._run.now()
        try:
            known = read_examination(self._run.store.items([EXAMINATION]).get(EXAMINATION))
            results, is_due = self._watch_canary(known, now)
        except StoreError as error:
            # The doctor reads without the table, and its metrics need none.
            results = (unread(CANARY, self._subject, Unread(str(error)), _if_missing()), *self._look())
            self._count(results)
            # What made it blind before is in the table: that it sees is not known. No data is an alarm after hours.
            if any(each.blinds for each in results):
                self._count_blindness(is_blind=True)
            raise
        if not is_due:
            self._count_blindness(is_blind=bool(known.blind_by))
            return Report((), bool(known.blind_by))
        results = (*self._look(), *results)
        self._count(results)
        blind_by = still_blind(known.blind_by, results)
        self._count_blindness(is_blind=bool(blind_by))
        self._record(known, blind_by, results, now)
        return Report(results, bool(blind_by))

    @property
    def _subject(self) -> str:
        return f"the way of a refused call in {self._region}"

    def _watch_canary(self, known: Examination, now: float) -> tuple[tuple[Result, ...], bool]:
        """Return what the canaries show, having sent one if it is time, and whether it is time to examine the rest."""
        is_due = now - known.at >= _DAY_SECONDS or bool(known.blind_by)
        if not self._sends:
            return (), is_due
        canary = self._canaries.read(self._region)
        missed, newest = canary.missed(now), canary.newest
        why: Unread | None = None
        if newest is None or canary.is_missing(now) or now - newest.at >= _DAY_SECONDS:
            canary, why = self._canaries.send(self._region)
        result = self._judge(canary, missed, why)
        return (result,), is_due or result.blinds

    def _judge(self, canary: Canary, missed: int, why: Unread | None) -> Result:
        minutes = MISSING_AFTER_SECONDS // 60
        if missed >= MISSED_UNTIL_BLIND:
            # Not how many: a finding whose text differs each hour is imported into Security Hub each hour.
            calls = "two or more refused calls, one after the other"
            found = f"CloudTrail's records of {calls}, have not come in {minutes} minutes"
            step = "Look at the trail, rules, queue and function, in this order, as `pull-responder doctor` does"
            return broken(CANARY, self._subject, found, _UNSEEN, step=step, blinds=True)
        if why:
            return unread(CANARY, self._subject, why, _if_missing())
        if missed:
            reason = f"CloudTrail's record of one refused call has not come in {minutes} minutes; another call was made"
            return unread(CANARY, self._subject, Unread(reason), _if_missing())
        if not canary.arrived:
            return unread(CANARY, self._subject, Unread("no record has come yet, and it is not late"), _if_missing())
        if canary.took > MISSING_AFTER_SECONDS:
            found = f"the last record of a refused call came after {canary.took / 60:.0f} minutes"
            return broken(CANARY, self._subject, found, "People hear of failed pulls late")
        return works(CANARY, self._subject, f"the last record of a refused call came after {canary.took:.0f} seconds")

    def _look(self) -> tuple[Result, ...]:
        """Return what the doctor finds."""
        deployed, run = self._deployed, self._run
        reader = Reader(run.aws, remaining=lambda: run.remaining() - _SECONDS_TO_RECORD)
        found = find_deployment(reader, deployed.stack, own=deployed.own, region=self._region)
        if found is None or isinstance(found, Unread):
            why = found or Unread(f"there is no stack {deployed.stack}")
            meaning = "Nothing of the deployment could be looked at"
            return (unread("stack", f"stack {deployed.stack}", why, meaning),)
        return tuple(examine(replace(found, outputs={**deployed.outputs, **found.outputs}), reader))

    def _record(self, known: Examination, blind_by: tuple[str, ...], results: Sequence[Result], now: float) -> None:
        """Resolve the finding, write what was found, or open the finding, in this order.

        A run that ends between two of these steps is made good by the next: it resolves what nothing blinds any more,
        and looks again within the hour while something does. Of two runs at the same time, one opens no finding: what
        it saw may be over by now, and nobody would look again for a day.
        """
        blindness = Blindness(self._run, account=self._deployed.own.account, region=self._region)
        faults = [each for each in results if each.blinds]
        if not blind_by:
            blindness.resolve()
        at = known.at if any(each.check in _CAN_BLIND and each.state is State.UNREAD for each in results) else now
        done = examination_item(replace(known, at=at, blind_by=blind_by), now=now)
        if not self._run.store.save_item(done, read=known.version):
            self._run.logger.warning("another run has examined the deployment at the same time")
        elif faults:
            blindness.open(faults)

    def _count(self, results: Sequence[Result]) -> None:
        """Log what does not work, and count it by check, also what works: a metric that is 0 was looked at."""
        self._run.count("Examinations")
        for each in results:
            if each.state in (State.BROKEN, State.UNREAD):
                self._run.logger.warning(
                    "not as it should be",
                    check=each.check,
                    subject=each.subject,
                    state=each.state,
                    found=each.found,
                    meaning=each.meaning,
                )
        by_state = Counter((each.check, each.state) for each in results)
        for check in CHECK_IDS:
            if check == CANARY and not self._sends:
                continue
            self._run.gauge("ThingsBroken", by_state[check, State.BROKEN], check=check)
            self._run.gauge("ThingsUnread", by_state[check, State.UNREAD], check=check)

    def _count_blindness(self, *, is_blind: bool) -> None:
        self._run.gauge("ResponderBlind", int(is_blind))


def still_blind(before: Sequence[str], results: Sequence[Result]) -> tuple[str, ...]:
    """Return the keys of what makes the responder blind, after an examination.

    What made it blind before does so until it was read and works, or is no part of the deployment any more: a read that
    failed is never a pass. What has no result may be one of what its check could not read. Without the stack and its
    template, only what works is known: not whether what is broken is what blinds.
    """
    by_key = {each.key: each for each in results}
    unread_checks = {each.check for each in results if each.state is State.UNREAD}
    is_partial = "stack" in unread_checks

    def lasts(key: str) -> bool:
        now = by_key.get(key)
        if now is None:
            return is_partial or key.partition(": ")[0] in unread_checks
        return now.state is State.UNREAD or (is_partial and now.state is State.BROKEN)

    broken_now = [each.key for each in results if each.blinds]
    return tuple(dict.fromkeys((*broken_now, *(each for each in before if lasts(each)))))


def _if_missing() -> str:
    return f"If records do not come: {_UNSEEN[0].lower()}{_UNSEEN[1:]}"
