"""A problem: failures that would all get the same diagnosis, and what is remembered of them.

A broken node group refuses thousands of pulls an hour. They are one problem, diagnosed once in a quiet period. Nothing
here reads or writes anything, and nothing depends on the order in which events arrive.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from pull_responder.findings.reach import Reach
from pull_responder.model.pull import PrincipalKind, Symptom

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pull_responder.model.pull import PullFailure

PROBLEM: Final = "problem/"

# A node that may not read the manifest may not read layers either; which of both was tried says nothing.
_SAME_ACTION: Final = {"ecr:GetDownloadUrlForLayer": "ecr:BatchGetImage"}
# Only here is another tag another problem.
_OF_AN_IMAGE: Final = frozenset({Symptom.NOT_FOUND, Symptom.PLATFORM_MISMATCH})

# An event seen is kept as its second and six bytes of its hash: among 12,000 of them, two that differ are taken for one
# in fewer than one of a million cases, and an item of DynamoDB (400 KB at most) holds them.
MARK: Final = 10
_MOST_MARKS: Final = 12_000
_TIDY: Final = 1_000 * MARK
# Queues bring a message again within minutes or hours, never days: visibility timeout times receives.
_MARKS_KEPT_SECONDS: Final = 6 * 3600
NAME_MARK: Final = 6
_MOST_NAME_MARKS: Final = 1_000
_MOST_NAMES: Final = 20
_INSTANCE: Final = re.compile(r"i-[0-9a-f]{8,17}")


@dataclass(frozen=True, slots=True)
class Sighting:
    """One event of a problem. `at` is in seconds since 1970, `mark` what the same event always has again."""

    at: float
    mark: bytes
    pod: str | None = None
    node: str | None = None


@dataclass(frozen=True, slots=True)
class Names:
    """The first few distinct names, and how many there are; `marks` is what tells whether one is new."""

    shown: tuple[str, ...] = ()
    marks: bytes = b""

    @property
    def count(self) -> int:
        """The number of distinct names, at most 1,000."""
        return len(self.marks) // NAME_MARK

    def plus(self, names: Iterable[str]) -> Names:
        """Return these and `names`."""
        known = _split(self.marks, NAME_MARK)
        added = {}
        for name in names:
            mark = _digest(name, NAME_MARK)
            if mark not in known:
                known.add(mark)
                added[mark] = name
        if not added:
            return self
        room = _MOST_NAME_MARKS - self.count
        kept = sorted(added)[:room] if len(added) > room else list(added)
        shown = (*self.shown, *sorted(added.values()))[:_MOST_NAMES]
        return Names(shown, self.marks + b"".join(kept))

    def and_of(self, other: Names) -> Names:
        """Return the names of both."""
        marks = self.marks + b"".join(sorted(_split(other.marks, NAME_MARK) - _split(self.marks, NAME_MARK)))
        shown = (*self.shown, *(name for name in other.shown if name not in self.shown))
        return Names(shown[:_MOST_NAMES], marks[: _MOST_NAME_MARKS * NAME_MARK])


@dataclass(frozen=True, slots=True)
class Problem:
    """What is remembered of one problem. Times are in seconds since 1970, 0 where they do not apply.

    `version` counts the writes of its item, 0 before the first. It is not diagnosed again before `quiet_until`, and
    until `leased_until` the run `leased_by` is at it. `pull` is the failure to diagnose, `findings` are the ids of what
    the last diagnosis found; since `unexplained_since` that has been nothing, and `unexplained_count` had been seen by
    then. `tries` counts the diagnoses in a row that ran out of time. `look_at` is when somebody has to look after it
    who was not sent by an event.
    """

    id: str
    version: int = 0
    count: int = 0
    first_seen: float = 0
    last_seen: float = 0
    marks: bytes = b""
    pods: Names = Names()
    nodes: Names = Names()
    quiet_until: float = 0
    leased_until: float = 0
    leased_by: str = ""
    pull: PullFailure | None = None
    findings: tuple[str, ...] = ()
    unexplained_since: float = 0
    unexplained_count: int = 0
    tries: int = 0
    look_at: float = 0

    def is_due(self, now: float) -> bool:
        """Whether it is time for a diagnosis, and nobody is at it."""
        return self.quiet_until <= now and self.leased_until <= now

    def seen(self, sightings: Iterable[Sighting]) -> Problem:
        """Return the problem with `sightings`, each event once however often and in whatever order it comes."""
        known = _split(self.marks, MARK)
        new = {each.mark: each for each in sightings if each.mark not in known}
        if not new:
            return self
        events = new.values()
        earliest, latest = min(each.at for each in events), max(each.at for each in events)
        last_seen = max(self.last_seen, latest)
        return replace(
            self,
            count=self.count + len(new),
            first_seen=min(self.first_seen or earliest, earliest),
            last_seen=last_seen,
            marks=_kept(self.marks, b"".join(new), last_seen),
            pods=self.pods.plus(each.pod for each in events if each.pod),
            nodes=self.nodes.plus(each.node for each in events if each.node),
        )


def sighting(pull: PullFailure, *, identity: str, observed_at: str | None, now: float) -> Sighting:
    """Return an event of the problem of `pull`. `identity` is the same for the same event, and for no other.

    A clock that runs ahead does not make a failure of the future: nothing is seen later than `now`.
    """
    own = seconds_of(observed_at)
    principal = pull.principal
    # The second is part of the mark so that old ones can be let go of; it is the event's own, which never changes.
    second = int(own or 0) % 2**32
    return Sighting(
        now if own is None else min(own, now),
        second.to_bytes(4, "big") + _digest(identity, MARK - 4),
        pod=f"{pull.namespace or '?'}/{pull.pod}" if pull.pod else None,
        # Signals name the same node by its instance or by its host name: the instance, where it is known.
        node=(principal.instance_id if principal else None) or _node(pull.node),
    )


def _node(name: str | None) -> str | None:
    """Return a node's instance id where its name holds it ("i-….ec2.internal"), else the name."""
    first = name.partition(".")[0] if name else ""
    return first if _INSTANCE.fullmatch(first) else name


def problem_id(pull: PullFailure) -> str:
    """Return which problem a failure belongs to: who pulls what, where from, and what AWS or kubelet said.

    The node is no part of it, nor the pod, and the tag only where the image itself may be at fault.
    """
    principal, denial = pull.principal, pull.denial
    who: tuple[str | None, ...] = ()
    if principal is not None:
        # A session's name is no part of it: nodes have one each.
        unnamed = principal.kind is PrincipalKind.UNKNOWN or not principal.name
        who = (principal.kind, principal.account, principal.name, principal.arn if unnamed else None)
    image = (pull.tag, pull.digest) if pull.symptom in _OF_AN_IMAGE else ()
    reason: tuple[str | None, ...] = ()
    if denial is not None:
        action = _SAME_ACTION.get(denial.action, denial.action)
        reason = (action, denial.policy_type, "explicit" if denial.explicit else None)
    upstream = (pull.upstream_failure or "").partition(":")[0]
    what = (pull.registry_account, pull.region, pull.repository, pull.registry_host)
    parts = (*who, "|", *what, "|", *image, "|", *reason, "|", pull.cluster, pull.symptom, upstream)
    # No name in it can hold the separator, which is no printable character.
    key = "\x1f".join([each or "" for each in parts])
    return PROBLEM + hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=16).hexdigest()


def reach_of(problems: Iterable[Problem]) -> Reach:
    """Return how far `problems` reach together. Events that belong to none of them are not counted."""
    together = list(problems)
    pods, nodes = Names(), Names()
    for each in together:
        pods, nodes = pods.and_of(each.pods), nodes.and_of(each.nodes)
    seen = [each for each in together if each.count]
    return Reach(
        events=sum(each.count for each in together),
        first_seen_at=iso(min(each.first_seen for each in seen)) if seen else None,
        last_seen_at=iso(max(each.last_seen for each in seen)) if seen else None,
        pods=pods.shown,
        pod_count=pods.count,
        nodes=nodes.shown,
        node_count=nodes.count,
    )


def iso(seconds: float) -> str:
    """Return a time in seconds since 1970 as ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@lru_cache(maxsize=4_096)
def seconds_of(text: str | None) -> float | None:
    """Return a time in ISO 8601 as seconds since 1970; None for what is none."""
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _digest(text: str, size: int) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=size).digest()


def _split(marks: bytes, size: int) -> set[bytes]:
    return {marks[at : at + size] for at in range(0, len(marks), size)}


def _kept(before: bytes, added: bytes, last_seen: float) -> bytes:
    """Return the marks that a repeated event could still have: those of the last hours, and not too many.

    Old ones are let go of now and then, as looking for them takes longer than keeping them.
    """
    marks = before + added
    if len(before) // _TIDY == len(marks) // _TIDY and len(marks) <= _MOST_MARKS * MARK:
        return marks
    oldest = int(max(0, last_seen - _MARKS_KEPT_SECONDS)).to_bytes(4, "big")
    recent = sorted(each for each in _split(marks, MARK) if each[:4] >= oldest)
    return b"".join(recent[-_MOST_MARKS:])
