"""Ask CloudTrail who changed the resource of a finding shortly before the first failure.

At most two look-ups a finding. They are the last reads of a diagnosis, and bounded: an alert goes out in time and
without what they would have said (docs/adr/0105-what-broke-it.md).
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.events.change import Change, read_record
from pull_responder.events.outcome import UnusableEvent
from pull_responder.facts.cloudtrail import HOME_REGIONS, Asked, look_up
from pull_responder.facts.reader import Reader
from pull_responder.findings.breaking_calls import suspects_of
from pull_responder.findings.clock import began_at
from pull_responder.findings.deed import Deed
from pull_responder.findings.problem import seconds_of
from pull_responder.model.arn import Arn
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pull_responder.findings.breaking_calls import Suspects
    from pull_responder.findings.life import Life
    from pull_responder.responder.run import Run

# How long before the first failure a change counts. Nodes keep images and credentials, so a pull may fail later; a
# change of hours ago is not shown to have to do with it.
_SECONDS_BEFORE: Final = 3600.0
# CloudTrail shows a call some minutes after it was made (User Guide, "Viewing event history"). So an open finding is
# asked about again, at its next looks, for this long.
_SECONDS_TO_APPEAR: Final = 2400.0
# In a storm nobody reads who changed each of a thousand resources, and CloudTrail allows two look-ups a second.
_MOST_FINDINGS: Final = 20
_SECONDS_A_RUN: Final = 10.0
# Seconds of the run's time that look-ups leave for recording and notifying.
_SECONDS_TO_NOTIFY: Final = 12.0
_HUB_RETRY_SECONDS: Final = 120.0
# Services whose calls name a resource now by its ARN, now by its name, or a part of it instead.
_BY_CALL: Final = ("network-firewall", "organizations", "route53resolver")
_REASON: Final = 300


class WhatBrokeIt:
    """The look-ups of one run. Never raises for what CloudTrail refuses or answers."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._left = _SECONDS_A_RUN
        # CloudTrail allows two look-ups a second, and the findings of a run share the time for them.
        self._asking = threading.Lock()
        self._reader = Reader(run.aws, remaining=self._seconds_left)
        self._found: dict[tuple[str, float], Deed | Unread | None] = {}
        # Where CloudTrail does not answer, it is not asked again in this run.
        self._refusals: dict[tuple[str, str], Unread] = {}

    def add_to(self, life: Life, *, before: Life | None) -> Life:
        """Return an open `life` with the change that came before its first failure, if there is one.

        `before` is the life before it was opened or updated; None if there was none.
        """
        was_open = before is not None and before.is_open
        if not was_open:
            life = replace(life, broken_by=None, changes_unread="")
        began = began_at(life.reach, life.opened_at)
        is_recent = self._run.now() - life.opened_at <= _SECONDS_TO_APPEAR
        if not self._run.settings.look_up_changes or not life.reach.events or life.broken_by or not is_recent:
            return life
        found = self._find(life, began)
        if not isinstance(found, Deed):
            return replace(life, changes_unread=found.reason[:_REASON] if found else "")
        life = replace(life, broken_by=found, changes_unread="")
        return replace(life, hub_due=True, hub_retry_at=self._run.now() + _HUB_RETRY_SECONDS) if was_open else life

    def _find(self, life: Life, began: float) -> Deed | Unread | None:
        """Return the answer about a finding. It is asked for once a run: writing the finding may be tried again."""
        key = (life.id, began)
        with self._asking:
            return self._ask(key, life, began)

    def _ask(self, key: tuple[str, float], life: Life, began: float) -> Deed | Unread | None:
        if key not in self._found:
            suspects = suspects_of(life.finding)
            if suspects is None or len(self._found) >= _MOST_FINDINGS:
                return None
            before = self._run.remaining()
            self._found[key] = found = self._look_up(suspects, began)
            self._left -= max(0.0, before - self._run.remaining())
            if isinstance(found, Unread):
                self._run.count("ChangesUnread")
                self._run.logger.warning("cloudtrail did not say who changed it", finding=life.id, reason=found.reason)
        return self._found[key]

    def _look_up(self, suspects: Suspects, began: float) -> Deed | Unread | None:
        region = suspects.region or HOME_REGIONS.get(self._reader.partition, "")
        if not region:
            return None
        for asked in _questions(suspects):
            if refused := self._refusals.get((suspects.account, region)):
                return refused
            read = look_up(
                self._reader,
                asked,
                account=suspects.account,
                region=region,
                since=began - _SECONDS_BEFORE,
                until=began,
            )
            if isinstance(read, Unread):
                return self._refusals.setdefault((suspects.account, region), read)
            changes = [each for each in _changes(read) if suspects.has(each)]
            if deed := _likeliest(changes, suspects.calls, since=began - _SECONDS_BEFORE, until=began):
                return deed
        return None

    def _seconds_left(self) -> float:
        return min(self._left, self._run.remaining() - _SECONDS_TO_NOTIFY)


def _questions(suspects: Suspects) -> Iterator[Asked]:
    """Yield the two questions. How CloudTrail names a resource is not documented, so the second does not need that."""
    arn = Arn.parse(suspects.arn)
    if arn is None or arn.service in _BY_CALL:
        yield from (Asked("EventName", call) for call in suspects.calls[:2])
        return
    yield Asked("ResourceName", suspects.arn if arn.service in ("ecr", "kms") else suspects.names[0])
    if arn.service != "ecr" and len(suspects.names) > 1:
        yield Asked("ResourceName", suspects.names[1])
    else:
        yield Asked("EventName", suspects.calls[0])


def _changes(records: Iterable[str]) -> Iterator[Change]:
    for text in records:
        try:
            change = read_record(text, where="CloudTrailEvent")
        except UnusableEvent:
            continue  # one record that is garbage says nothing of the others
        if isinstance(change, Change):
            yield change


def _likeliest(changes: Iterable[Change], calls: Sequence[str], *, since: float, until: float) -> Deed | None:
    """Return the change in the time whose call comes first in `calls`, as a deed; of several the latest.

    One that does not say who made it is none.
    """
    deeds = [
        Deed(each.name, each.by, each.at, each.event_id or "", each.policy or "")
        for each in changes
        if each.by and each.at
    ]
    timely = [each for each in deeds if since <= (seconds_of(each.at) or 0) <= until]
    return max(timely, key=lambda each: (-calls.index(each.call), each.at), default=None)
