"""The order in which problems that wait are diagnosed: a fair share for each kind, and the oldest first.

Pure functions. A pod can name any image, so whoever may make pods can make any number of problems. They must not delay
the problems of others (docs/adr/0097-all-that-is-due.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from pull_responder.model.pull import PullFailure


# How many denials are diagnosed for one of the others while both wait.
_DENIALS_A_TURN: Final = 4


@dataclass(frozen=True, slots=True)
class Waiting:
    """A problem that waits for a diagnosis.

    - `id`: the problem's id.
    - `since`: since when it waits, in seconds since 1970, or its place in the line. Only the order matters.
    - `pull`: the failure to diagnose. None if it is not known.
    """

    id: str
    since: float
    pull: PullFailure | None = None


def in_order(waiting: Iterable[Waiting]) -> list[Waiting]:
    """Return the problems in the order in which they are to be diagnosed.

    Denials that CloudTrail recorded come first: they are AWS's own words, and only AWS can make them. After each four
    of them (`_DENIALS_A_TURN`) comes one of the others, such as statuses of pods, so that no number of denials delays
    those for ever. Of each, every kind of failure has a turn, one after the other. In its turn a kind takes the next of
    its clusters, of a cluster the next namespace, and so on (`_SHARES`). Of equals, the oldest is first. The order of
    `waiting` does not matter.
    """
    oldest_first = sorted(waiting, key=lambda each: (each.since, each.id))
    denied = [each for each in oldest_first if is_denial(each.pull)]
    others = [each for each in oldest_first if not is_denial(each.pull)]
    return _mix(_take_turns(denied, _SHARES), _take_turns(others, _SHARES))


def is_denial(pull: PullFailure | None) -> bool:
    """Return whether AWS itself recorded that it refused this pull. A node that quotes AWS is no record."""
    return pull is not None and pull.denial is not None and not pull.denial.quoted


def _kind(pull: PullFailure) -> object:
    """Return what is known of the cause before the diagnosis: AWS's or kubelet's words."""
    denial = pull.denial
    words = (denial.action, denial.policy_type, denial.explicit) if denial else None
    return (pull.symptom, pull.stage, words)


def _cluster(pull: PullFailure) -> object:
    return (pull.principal_account, pull.cluster)


def _namespace(pull: PullFailure) -> object:
    return pull.namespace


def _role(pull: PullFailure) -> object:
    return pull.principal and (pull.principal.name or pull.principal.arn)


def _pod(pull: PullFailure) -> object:
    return pull.pod


# Whose turn it is, from the outside in.
_SHARES: Final = (_kind, _cluster, _namespace, _role, _pod)


def _mix(denied: Sequence[Waiting], others: Sequence[Waiting]) -> list[Waiting]:
    """Return both in their orders: after each turn of `denied` one of the others, and then what is left of either."""
    mixed: list[Waiting] = []
    for turn, other in enumerate(others):
        mixed += denied[turn * _DENIALS_A_TURN : (turn + 1) * _DENIALS_A_TURN]
        mixed.append(other)
    return [*mixed, *denied[len(others) * _DENIALS_A_TURN :]]


def _take_turns(waiting: Sequence[Waiting], shares: Sequence[Callable[[PullFailure], object]]) -> list[Waiting]:
    """Return `waiting`, the oldest first, with a turn for each group of the first share, and within it of the next."""
    if not shares or len(waiting) < 2:  # noqa: PLR2004 -- one has no order
        return list(waiting)
    groups: dict[object, list[Waiting]] = {}
    for each in waiting:
        groups.setdefault(shares[0](each.pull) if each.pull else None, []).append(each)
    queues = [_take_turns(group, shares[1:]) for group in groups.values()]
    longest = max(map(len, queues))
    return [queue[turn] for turn in range(longest) for queue in queues if turn < len(queue)]
