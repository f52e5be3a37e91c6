"""Decide which notices are sent by themselves and which share a digest, by what is sent and what waits elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.findings.burst import Burst, Plan, Side, Telling, plan, put_off_until, side_of
from pull_responder.findings.life import postpone
from pull_responder.findings.notice import Edge
from pull_responder.findings.store import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.findings.life import Life
    from pull_responder.responder.ledger import Ledger
    from pull_responder.responder.run import Run

# When several runs write one item at once, one of them succeeds each time.
_TRIES: Final = 25
# Only what is due this soon is waited for. A lease ends within this time, as Lambda's longest run does. The hold-down
# of a finding that flaps takes hours.
_SOON_SECONDS: Final = 900.0
_MOST_READ: Final = 100


class Pacing:
    """Plans the notices of one run."""

    def __init__(self, run: Run, ledger: Ledger) -> None:
        self._run = run
        self._ledger = ledger
        # As this run has last written it.
        self._bursts: dict[Side, Burst] = {}

    def put_off(self, life: Life) -> Life:
        """Return the life with a new notice put off until the next digest, if it is clear that it has to wait for that.

        So a storm's findings are not claimed, each with a write, only to be put off.
        """
        telling, burst = _telling(life), self._bursts.get(_side(life) or Side.OVER)
        if life.pending is None or telling is None or burst is None or telling.put_off or telling.tries:
            return life
        due = put_off_until(burst, telling.kind, self._run.now())
        return postpone(life, due) if due and due > life.pending.due else life

    def plan(self, lives: Sequence[Life]) -> list[Plan]:
        """Return what becomes of the pending notices of `lives`: a plan for what is broken and one for what is over.

        If the table fails, notices do not wait for it: few are sent by themselves, and many in one digest.
        """
        plans = []
        for side in Side:
            tellings = [telling for life in lives if (telling := _telling(life)) and _side(life) is side]
            if tellings:
                plans.append(self._plan(side, tellings))
        return plans

    def _plan(self, side: Side, tellings: Sequence[Telling]) -> Plan:
        above, now = self._run.settings.digest_above, self._run.now()
        try:
            waiting = self._waiting(side, limit=above + 1) if len(tellings) <= above else 0
            for attempt in range(_TRIES):
                known = self._run.store.burst(side)
                burst, planned = plan(known, tellings, now=now, waiting=waiting, above=above)
                if self._run.store.save_burst(side, burst):
                    self._bursts[side] = burst
                    return planned
                self._run.let_others(attempt)
        except StoreError as error:
            self._run.logger.warning("what was sent of late is not known", reason=str(error))
        # One message too many is better than a notice that waits for a failing table.
        burst = Burst(at=now) if len(tellings) <= above else Burst(at=now, level=above, kinds=tuple(_kinds(tellings)))
        sent = [replace(each, put_off=False, tries=1) for each in tellings]
        return plan(burst, sent, now=now, waiting=0, above=above)[1]

    def _waiting(self, side: Side, *, limit: int) -> int:
        """Return how many more notices may come soon, as far as `limit`."""
        now, store = self._run.now(), self._run.store
        if side is Side.BROKEN:
            # Those that other runs are diagnosing are due again when their lease expires. What could not be read a
            # minute ago most often cannot be read now: a problem that waits for it brings no notice.
            return len(store.new_problems(before=now + _SOON_SECONDS, limit=limit))
        ids = store.due_notices(before=now + _SOON_SECONDS, limit=_MOST_READ)
        if len(ids) < limit:
            return 0
        return sum(
            life.pending is not None
            and life.pending.edge is Edge.RESOLVED
            and life.pending.due > now
            and not life.pending.digest
            for life in self._ledger.lives(ids)
        )


def _side(life: Life) -> Side | None:
    return side_of(life.pending.edge) if life.pending else None


def _telling(life: Life) -> Telling | None:
    pending = life.pending
    if pending is None:
        return None
    return Telling(life.id, f"{pending.edge} {life.finding.cause}", put_off=pending.digest, tries=pending.tries)


def _kinds(tellings: Sequence[Telling]) -> list[str]:
    return [each.kind for each in tellings]
