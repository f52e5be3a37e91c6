"""Examine the deployment: all that the doctor looks at once a day, and what is broken every hour until it works.

The schedule wakes this every hour. Most runs read two items of the table, and end.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pull_responder.doctor import CHECKS, Result, State, examine, find_deployment, forwarding, unread
from pull_responder.facts.reader import Reader
from pull_responder.findings.health import (
    EXAMINATION,
    Examination,
    examination_item,
    read_examination,
)
from pull_responder.findings.store import StoreError
from pull_responder.model.unread import Unread
from pull_responder.responder.blindness import Blindness
from pull_responder.responder.canary import Canaries
from pull_responder.responder.canary_watch import CANARY, MISSED_UNTIL_BLIND, CanaryWatch, forwarded_by_region

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pull_responder.model.arn import Arn
    from pull_responder.responder.canary_watch import Watched
    from pull_responder.responder.run import Run

CHECK_IDS: Final = (*(each.id for each in CHECKS), CANARY)
"""The names of all checks: the dimensions of their metrics."""

# The schedule wakes a run each hour, some seconds sooner or later. Half an hour less than a day is one of its hours.
_DAY_SECONDS: Final = 86_400 - 1_800
# Seconds of the run that reads leave for the table.
_SECONDS_TO_RECORD: Final = 15.0
# A result of the stack says whether others can be trusted to be all.
_CAN_BLIND: Final = frozenset({"stack", *(each.id for each in CHECKS if each.can_blind)})


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
        self._home = deployed.own.region
        self._sends = sends_canaries
        self._watch = CanaryWatch(Canaries(run), self._home, every=_DAY_SECONDS)

    def examine(self) -> Report:
        """Examine the deployment if it is time, record what was found, and send canaries if it is time.

        Raises StoreError, once all was counted that is known without the table.
        """
        now = self._run.now()
        results: tuple[Result, ...] | None = None
        try:
            known = read_examination(self._run.store.items([EXAMINATION]).get(EXAMINATION))
            is_due = known.is_due(now)
            watched = self._watch_canaries(known, now, is_due=is_due)
            news = (each.missed >= MISSED_UNTIL_BLIND for region, each in watched.items() if region not in known.unsure)
            if not is_due and not any(news):
                self._count_blindness(is_blind=bool(known.blind_by))
                return Report((), bool(known.blind_by))
            results = self._look()
            regions = self._regions(known, results)
            if self._sends:
                new = [each for each in regions if each not in watched]
                watched |= self._watch.look(new, now, self._reader())
        except StoreError as error:
            # The doctor reads without the table, and its metrics need none.
            why = unread(CANARY, self._watch.subject(self._home), Unread(str(error)), self._watch.meaning(self._home))
            results = (why, *(self._look() if results is None else results))
            self._count(results)
            # What made it blind before is in the table: that it sees is not known. No data is an alarm after hours.
            if any(each.blinds for each in results):
                self._count_blindness(is_blind=True)
            raise
        # A region that is watched no more blinds no more.
        watched = {region: each for region, each in watched.items() if region in (self._home, *regions)}
        forwarded = forwarded_by_region(results)
        results = (*results, *self._watch.judge(watched, forwarded))
        self._count(results)
        blind_by = still_blind(known.blind_by, results)
        self._count_blindness(is_blind=bool(blind_by))
        unsure = self._watch.unsure(watched, forwarded)
        self._record(replace(known, regions=regions, unsure=unsure), blind_by, results, now)
        return Report(results, bool(blind_by))

    def _watch_canaries(self, known: Examination, now: float, *, is_due: bool) -> dict[str, Watched]:
        """Return what the canaries of the regions show that are known.

        Where they prove nothing, one is sent with an examination, and not each hour.
        """
        if not self._sends:
            return {}
        regions = [each for each in known.regions if is_due or each not in known.unsure]
        return self._watch.look([self._home, *regions], now, self._reader())

    def _regions(self, known: Examination, results: Sequence[Result]) -> tuple[str, ...]:
        """Return the regions beside our own that are watched, after the doctor has looked.

        Those where the account forwards nothing are not. Where the doctor could not say which regions there are, all
        that were watched before are watched on.
        """
        found = [each for each in results if each.check == forwarding.ID]
        there = [each.region for each in found if each.region and each.state is not State.OFF]
        is_partial = not found or any(each.state is State.UNREAD and not each.region for each in found)
        return tuple(dict.fromkeys((*there, *(known.regions if is_partial else ()))))[: forwarding.MOST_REGIONS]

    def _reader(self) -> Reader:
        return Reader(self._run.aws, remaining=lambda: self._run.remaining() - _SECONDS_TO_RECORD)

    def _look(self) -> tuple[Result, ...]:
        """Return what the doctor finds."""
        deployed, reader = self._deployed, self._reader()
        found = find_deployment(reader, deployed.stack, own=deployed.own, region=self._home)
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
        blindness = Blindness(self._run, account=self._deployed.own.account, region=self._home)
        faults = [each for each in results if each.blinds]
        if not blind_by:
            blindness.resolve()
        is_open = blind_by or any(each.check in _CAN_BLIND and each.state is State.UNREAD for each in results)
        times = known.unread + 1 if is_open and not faults else 0
        done = examination_item(replace(known, at=now, blind_by=blind_by, unread=times), now=now)
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
    # What is unread of one region says nothing of others.
    unread_checks = {each.check for each in results if each.state is State.UNREAD and not each.region}
    is_partial = "stack" in unread_checks

    def lasts(key: str) -> bool:
        now = by_key.get(key)
        if now is None:
            return is_partial or key.partition(": ")[0] in unread_checks
        return now.state is State.UNREAD or (is_partial and now.state is State.BROKEN)

    broken_now = [each.key for each in results if each.blinds]
    return tuple(dict.fromkeys((*broken_now, *(each for each in before if lasts(each)))))
