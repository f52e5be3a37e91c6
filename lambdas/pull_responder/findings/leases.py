"""Who rechecks a finding: one run at a time, and again if a change came meanwhile. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pull_responder.findings.life import Life


def lease(life: Life, run: str, *, now: float, until: float, by_change: bool) -> Life:
    """Return the life leased to `run` until `until`, if a recheck is due and no other run has the lease.

    With `by_change`, a recheck is due in any case; if another run is rechecking the finding, it is rechecked again when
    that run is done, which may have read AWS before the change.
    """
    if not life.is_open:
        return life
    if life.leased_until > now and life.leased_by != run:
        # If that run dies, it is due when the lease expires.
        return replace(life, again=True, look_at=min(life.look_at, life.leased_until)) if by_change else life
    if not by_change and life.look_at > now:
        return life
    return _give_to(life, run, until)


def seize(life: Life, run: str, *, until: float) -> Life:
    """Return an open life leased to `run` until `until`, whoever has the lease: `run` knows that it is over.

    The result of a recheck that is under way no longer counts.
    """
    return _give_to(life, run, until) if life.is_open else life


def _give_to(life: Life, run: str, until: float) -> Life:
    if life.leased_by not in ("", run):
        # That run may have deleted the items under the keys before it could record that the finding is over.
        life = replace(life, keys=())
    return replace(life, leased_by=run, leased_until=until)


def make_due(life: Life, *, now: float) -> Life:
    """Return the life due for a recheck at once or, while a run is rechecking it, when that run is done."""
    return replace(life, look_at=0, again=life.again or life.leased_until > now) if life.is_open else life


def has_lease(life: Life, run: str, now: float) -> bool:
    """Return whether `run` may recheck the finding now."""
    return life.is_open and life.leased_by == run and life.leased_until > now


def release(life: Life, run: str, *, now: float) -> Life:
    """Return the life without the lease of `run`: due at once if a change asked for another recheck meanwhile."""
    if life.leased_by != run:
        return life
    look_at = min(life.look_at, now) if life.again else life.look_at
    return replace(life, leased_by="", leased_until=0, again=False, look_at=look_at)
