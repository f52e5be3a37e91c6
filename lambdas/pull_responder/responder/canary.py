"""Send canaries, and record that their records have come: docs/adr/0162-a-canary-that-nobody-else-can-send.md."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from pull_responder.events.canary import repository_of
from pull_responder.facts.refused_call import make_refused_call
from pull_responder.findings.health import Canary, canary_item, canary_item_id, read_canary_item
from pull_responder.findings.store import StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pull_responder.events.canary import CanaryRecord
    from pull_responder.model.unread import Unread
    from pull_responder.responder.run import Run

_TRIES: Final = 5
_NOT_WAITED_FOR: Final = "a canary that nobody waits for"


@dataclass(frozen=True, slots=True)
class Canaries:
    """The canaries of a run. Methods raise StoreError if the table fails."""

    run: Run

    def record(self, records: Sequence[CanaryRecord]) -> None:
        """Write into the table that the records of calls have come. Those of calls that nobody waits for are skipped.

        Whatever they say beside that is told to nobody: they are no failures.
        """
        if not records:
            return
        # Those of calls that we made count by region, too: only their regions are ours, and few.
        self.run.count("CanariesSeen", len(records))
        known = 0
        for region in dict.fromkeys(each.region for each in records):
            ids = frozenset(each.id for each in records if each.region == region)
            before = after = Canary(region)

            def arrive(canary: Canary, ids: frozenset[str] = ids) -> Canary:
                nonlocal before, after
                before, after = canary, canary.arrive(ids, self.run.now())
                return after

            self._change(region, arrive)
            ours = sum(each.id in ids for each in after.sent)
            known += ours
            if ours:
                self.run.gauge("CanariesSeen", ours, region=region)
            if after != before:
                with self.run.about(after.arrived):
                    self.run.logger.info("a canary", region=region, seconds=round(after.took))
        if (skipped := len(records) - known) > 0:
            self.run.count("EventsSkipped", skipped)
            self.run.logger.info("skipped", reasons={_NOT_WAITED_FOR: skipped})

    def read(self, regions: Iterable[str]) -> dict[str, Canary]:
        """Return the canaries of regions."""
        ids = {region: canary_item_id(region) for region in regions}
        items = self.run.store.items(ids.values())
        return {region: read_canary_item(items.get(item_id), region) for region, item_id in ids.items()}

    def send(self, region: str) -> tuple[Canary, Unread | None]:
        """Make one call that is refused. Return the canaries, and why no call was refused, if none was.

        The table has the call's id first: its record may come before this run goes on.
        """
        canary_id, now = uuid4().hex, self.run.now()
        sent = self._change(region, lambda canary: canary.send(canary_id, now))
        why = make_refused_call(self.run.aws, region=region, repository=repository_of(canary_id))
        if why is None:
            self.run.count_by("CanariesSent", {"region": region})
            return sent, None
        with self.run.about(canary_id):
            self.run.logger.warning("a canary was not refused", region=region, reason=why.reason)
        return self._change(region, lambda canary: canary.take_back(canary_id)), why

    def _change(self, region: str, step: Callable[[Canary], Canary]) -> Canary:
        for attempt in range(_TRIES):
            known = self.read([region])[region]
            changed = step(known)
            if changed == known:
                return known
            if self.run.store.save_item(canary_item(changed, now=self.run.now()), read=known.version):
                return replace(changed, version=known.version + 1)
            self.run.let_others(attempt)
        raise StoreError(f"the canary of {region} could not be written: another run wrote it first, {_TRIES} times")
