"""A finding, and what can happen to it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.findings.life import (
    Life,
    claim,
    mark_notified,
    mark_rechecked,
    open_or_update,
    postpone,
    resolve,
    retry_later,
)
from pull_responder.findings.reach import Reach
from pull_responder.model.verdict import Severity
from pull_responder.settings import Settings
from tests.unit.publish.examples import FINDING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# 2026-03-01T12:00:00Z
NOON: Final = 1_772_366_400.0
RUN: Final = "run"
SETTINGS: Final = Settings(hold_down_minutes=5, reminder_hours=24, recheck_minutes=15, keep_days=90)
GRAVER: Final = replace(FINDING, severity=Severity.CRITICAL)


def seen_on(*, nodes: int = 1, pods: int = 1) -> Reach:
    return Reach(events=pods, pod_count=pods, node_count=nodes)


def find(life: Life | None, now: float, *, nodes: int = 1, pods: int = 1) -> Life:
    """The life after a diagnosis of problem/a reported FINDING."""
    return open_or_update(
        life, FINDING, problem="problem/a", reach=seen_on(nodes=nodes, pods=pods), now=now, settings=SETTINGS
    )


def grave(life: Life | None, now: float) -> Life:
    return open_or_update(life, GRAVER, problem="problem/a", reach=seen_on(), now=now, settings=SETTINGS)


def close(life: Life, now: float) -> Life:
    return resolve(life, because="It passes now.", now=now, settings=SETTINGS)


def look(life: Life, now: float) -> Life:
    return mark_rechecked(life, now=now, settings=SETTINGS)


def tell(life: Life, now: float) -> Life:
    """The life after a run has sent the notice that is due, if any."""
    taken = claim(life, now, RUN)
    return mark_notified(taken, now) if taken != life else life


def keep_back(life: Life, now: float) -> Life:
    """The life after a run has withheld the notice that is due."""
    return mark_notified(claim(life, now, RUN), now, silently=True)


HAPPENINGS: Final[Mapping[str, Callable[[Life, float], Life]]] = {
    "found": find,
    "found on 9 nodes": lambda life, now: find(life, now, nodes=9),
    "found on 10 nodes": lambda life, now: find(life, now, nodes=10),
    "found on 99 nodes": lambda life, now: find(life, now, nodes=99),
    "found on 100 nodes": lambda life, now: find(life, now, nodes=100),
    "found on 10 pods": lambda life, now: find(life, now, pods=10),
    "found, now critical": grave,
    "passed": close,
    "looked at": look,
    "told": tell,
    "kept back": keep_back,
    "claimed": lambda life, now: claim(life, now, RUN),
    "refused": lambda life, now: retry_later(claim(life, now, RUN), now),
    "put off": lambda life, now: postpone(claim(life, now, RUN), now + 65),
}
