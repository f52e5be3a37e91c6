"""What the canaries of all regions show: one that comes, comes late, or does not come.

A region beside our own is watched while our account forwards refused pulls from there, as the check `forwarding` of the
doctor reads it. Where that could not be read, or no call was refused, a record that does not come proves nothing: the
region may be disabled, or denied to the account, and nobody pulls there (docs/adr/0165-a-canary-in-each-region.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.doctor import State, forwarding, unread
from pull_responder.doctor.result import Result, broken, works
from pull_responder.findings.health import MISSING_AFTER_SECONDS
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pull_responder.facts.reader import Reader
    from pull_responder.findings.health import Canary
    from pull_responder.responder.canary import Canaries

CANARY: Final = "canary"
"""The id of the results, among those of the doctor's checks."""

MISSED_UNTIL_BLIND: Final = 2
"""One that is lost is no proof: services deliver events to CloudTrail on a best effort basis (Amazon EventBridge Events
Reference, "AWS CloudTrail events")."""

_UNSEEN: Final = "Refused pulls in {} will not be seen, or long after they were refused"
_AT_HOME: Final = "Look at the trail, rules, queue and function, in this order, as `pull-responder doctor` does"
_ELSEWHERE: Final = (
    "In {}, look at the trail, at the stack of infra/member.yaml with its rules and its queue of dead letters, and "
    "then at the bus here, as `pull-responder doctor` does"
)


@dataclass(frozen=True, slots=True)
class Watched:
    """The canaries of one region: how many are missing in a row, and why the last call was not refused, if so."""

    canary: Canary
    missed: int
    why: Unread | None = None


@dataclass(frozen=True, slots=True)
class CanaryWatch:
    """Watches the canaries. `home` is our own region, `every` the seconds after which another is sent."""

    canaries: Canaries
    home: str
    every: float

    def look(self, regions: Sequence[str], now: float, reader: Reader) -> dict[str, Watched]:
        """Return what regions show, having sent a canary where it is time. Raises StoreError if the table fails."""
        known = self.canaries.read(regions)
        return dict(zip(regions, reader.each(lambda region: self._look(known[region], now), regions), strict=True))

    def _look(self, canary: Canary, now: float) -> Watched:
        missed, newest = canary.missed(now), canary.newest
        if newest is None or canary.is_missing(now) or now - newest.at >= self.every:
            canary, why = self.canaries.send(canary.region)
            return Watched(canary, missed, why)
        return Watched(canary, missed)

    def judge(self, watched: Mapping[str, Watched], forwarded: Mapping[str, Result]) -> list[Result]:
        """Return what regions show. `forwarded` are the results of the check `forwarding`, by region."""
        return [self._judge(region, each, self._is_sure(region, forwarded)) for region, each in watched.items()]

    def unsure(self, watched: Mapping[str, Watched], forwarded: Mapping[str, Result]) -> tuple[str, ...]:
        """Return the regions, but for our own, in which a record that does not come proves nothing."""
        return tuple(
            region
            for region, each in watched.items()
            if region != self.home and (each.why or not self._is_sure(region, forwarded))
        )

    def subject(self, region: str) -> str:
        """Return what the results of a region are about."""
        return f"the way of a refused call in {region}"

    def meaning(self, region: str) -> str:
        """Return what follows if records of a region do not come."""
        unseen = _UNSEEN.format(region)
        return f"If records do not come: {unseen[0].lower()}{unseen[1:]}"

    def _is_sure(self, region: str, forwarded: Mapping[str, Result]) -> bool:
        there = forwarded.get(region)
        return region == self.home or (there is not None and there.state in (State.WORKS, State.BROKEN))

    def _judge(self, region: str, watched: Watched, is_sure: bool) -> Result:  # noqa: FBT001 -- private
        minutes, subject = MISSING_AFTER_SECONDS // 60, self.subject(region)
        place = "" if region == self.home else region
        calls = "two or more refused calls, one after the other"
        missing = f"CloudTrail's records of {calls}, have not come in {minutes} minutes"
        if watched.missed >= MISSED_UNTIL_BLIND and is_sure:
            # Not how many: a finding whose text differs each hour is imported into Security Hub each hour.
            step = _ELSEWHERE.format(region) if place else _AT_HOME
            unseen = _UNSEEN.format(region)
            return broken(CANARY, subject, missing, unseen, step=step, region=place, blinds=True)
        if why := watched.why or self._why(watched, missing):
            return unread(CANARY, subject, why, self.meaning(region), region=place)
        canary = watched.canary
        if canary.took > MISSING_AFTER_SECONDS:
            found = f"the last record of a refused call came after {canary.took / 60:.0f} minutes"
            return broken(CANARY, subject, found, "People hear of failed pulls late", region=place)
        return works(
            CANARY, subject, f"the last record of a refused call came after {canary.took:.0f} seconds", region=place
        )

    def _why(self, watched: Watched, missing: str) -> Unread | None:
        """Return why the canaries do not show yet whether records come; None if they show it."""
        minutes = MISSING_AFTER_SECONDS // 60
        if watched.missed >= MISSED_UNTIL_BLIND:
            return Unread(f"{missing}; whether the account forwards them from there could not be read")
        if watched.missed:
            return Unread(
                f"CloudTrail's record of one refused call has not come in {minutes} minutes; another call was made"
            )
        return None if watched.canary.arrived else Unread("no record has come yet, and it is not late")


def forwarded_by_region(results: Sequence[Result]) -> dict[str, Result]:
    """Return the results of the check `forwarding` by region."""
    return {each.region: each for each in results if each.check == forwarding.ID and each.region}
