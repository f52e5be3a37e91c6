"""A problem: all failures that would get the same diagnosis, counted together.

A broken node group can cause thousands of failed pulls an hour. They are one problem, diagnosed once in a quiet period.
The functions are pure. The order in which events arrive does not matter.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from pull_responder.model.pull import PrincipalKind, Symptom

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pull_responder.model.pull import PullFailure

PROBLEM: Final = "problem/"

# A node that may not read the manifest may not read layers either. So both actions are the same problem.
_SAME_ACTION: Final = {"ecr:GetDownloadUrlForLayer": "ecr:BatchGetImage"}
# With these symptoms, each tag is a problem of its own.
_IMAGE_SYMPTOMS: Final = frozenset({Symptom.NOT_FOUND, Symptom.PLATFORM_MISMATCH})

# The mark of an event is its second and six bytes of its hash. Among 12,000 marks, the chance that two events have the
# same one is below one in a million.
MARK: Final = 10
NAME_MARK: Final = 6
# What a problem's own item holds. Most problems never have more. What comes then is counted on pages
# (findings/pages.py), so that a write of this item stays small.
INLINE_MARKS: Final = 640
INLINE_NAMES: Final = 200
MOST_NAMES: Final = 10_000
"""The number of names up to which they are counted exactly."""

# Earlier versions counted so many names and no more.
_ONCE_MOST_NAMES: Final = 1_000
_MOST_SHOWN: Final = 20
# No record of an event is kept for longer: CloudTrail keeps its events for 90 days (AWS CloudTrail User Guide, "Working
# with CloudTrail event history"), SQS a message for 14. An older time is one of a clock that is wrong.
_OLDEST_SECONDS: Final = 90 * 86_400.0
_INSTANCE: Final = re.compile(r"i-[0-9a-f]{8,17}")


@dataclass(frozen=True, slots=True)
class Sighting:
    """One event of a problem. `at` is in seconds since 1970. `mark` identifies the event if SQS delivers it again."""

    at: float
    mark: bytes
    pod: str | None = None
    node: str | None = None


@dataclass(frozen=True, slots=True)
class Names:
    """The first few distinct names, and how many there are.

    - `marks`: a hash of each, to recognize it.
    - `more`: whether there are more than `count`.
    """

    shown: tuple[str, ...] = ()
    marks: bytes = b""
    more: bool = False

    @property
    def count(self) -> int:
        """The number of distinct names that are counted."""
        return len(self.marks) // NAME_MARK

    def add_all(self, names: Iterable[str], *, most: int = MOST_NAMES, shown: int = _MOST_SHOWN) -> Names:
        """Return these names with `names` added. At most `most` are counted, and the first `shown` kept as they are."""
        known = split_marks(self.marks, NAME_MARK)
        added = {}
        for name in names:
            mark = name_mark(name)
            if mark not in known:
                known.add(mark)
                added[mark] = name
        if not added:
            return self
        room = max(0, most - self.count)
        kept = sorted(added)[:room] if len(added) > room else list(added)
        names_shown = (*self.shown, *sorted(added.values()))[: max(shown, len(self.shown))]
        return Names(names_shown, self.marks + b"".join(kept), self.more or len(added) > room)

    def within(self, place: str) -> Names:
        """Return these names as those of things in `place`: the same names in another are others."""
        inside = place.encode("utf-8", "replace") + b"\x1f"
        marks = [inside + mark for mark in ordered_marks(self.marks, NAME_MARK)]
        return replace(self, marks=b"".join(hashlib.blake2b(each, digest_size=NAME_MARK).digest() for each in marks))

    def has(self, name: str) -> bool:
        """Return whether `name` is one of these."""
        return name_mark(name) in split_marks(self.marks, NAME_MARK)


def unite_names(every: Iterable[Names]) -> Names:
    """Return the names of all. A name that several have is counted once, and 10,000 are counted at most."""
    shown: dict[str, None] = {}
    marks: dict[bytes, None] = {}
    more = False
    for each in every:
        if len(shown) < _MOST_SHOWN:
            shown |= dict.fromkeys(each.shown)
        if len(marks) <= MOST_NAMES:
            marks |= dict.fromkeys(ordered_marks(each.marks, NAME_MARK))
        more = more or each.more
    kept = list(marks)[:MOST_NAMES]
    return Names(tuple(shown)[:_MOST_SHOWN], b"".join(kept), more or len(marks) > len(kept))


@dataclass(frozen=True, slots=True)
class Problem:
    """The state of one problem. Times are in seconds since 1970, 0 where they do not apply.

    - `version`: how often its item was written, 0 before the first time.
    - `count`: the number of distinct events.
    - `first_seen`, `last_seen`: the times of the earliest and the latest event.
    - `marks`: the marks of recent events, joined, to recognize redelivered ones.
    - `quiet_until`: no new diagnosis before this time.
    - `leased_until`, `leased_by`: the run that is diagnosing it, and until when no other run may.
    - `pull`: the failure to diagnose.
    - `findings`: the ids of the findings of the last diagnosis that had any.
    - `unexplained_since`: when the failures without a known cause began, 0 if the last diagnosis found a cause.
    - `unexplained_count`: the number of events before `unexplained_since`.
    - `tries`: how many diagnoses in a row did not finish.
    - `unread_tries`: how many diagnoses in a row were undecided while something could not be read.
    - `look_at`: when the function `recheck` has to diagnose it, without a new event; 0 for never.
    - `cluster`: the cluster that the last diagnosis found.
    - `paged`: whether new events are counted on pages. `count`, `marks`, `pods` and `nodes` are then those of before;
      `first_seen` and `last_seen` are those that were known when the item was written.
    - `forgotten`: events up to this time may have been counted though their marks are gone.
    - `more`: whether there were perhaps more events than `count`.
    - `is_total`: whether the pages are counted in. Such a problem is read only, and never written.
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
    unread_tries: int = 0
    look_at: float = 0
    cluster: str | None = None
    paged: bool = False
    forgotten: float = 0
    more: bool = False
    is_total: bool = False

    def is_due(self, now: float) -> bool:
        """Whether a diagnosis is due and no run holds the lease."""
        return self.quiet_until <= now and self.leased_until <= now

    def is_wanted(self, now: float) -> bool:
        """Whether the function `recheck` has to diagnose it, also in its quiet period, and no run holds the lease."""
        return 0 < self.look_at <= now and self.leased_until <= now

    def add_sightings(self, sightings: Iterable[Sighting]) -> Problem:
        """Return the problem with `sightings` added. An event that was added before changes nothing.

        If they are too many for its item, the problem is `paged` from now on, and none of them is counted here.
        """
        if self.paged:
            return self
        known = split_marks(self.marks, MARK)
        new = {each.mark: each for each in sightings if each.mark not in known}
        if not new:
            return self
        events = new.values()
        earliest, latest = min(each.at for each in events), max(each.at for each in events)
        added = replace(
            self,
            count=self.count + len(new),
            first_seen=min(self.first_seen or earliest, earliest),
            last_seen=max(self.last_seen, latest),
            marks=self.marks + b"".join(new),
            pods=self.pods.add_all(each.pod for each in events if each.pod),
            nodes=self.nodes.add_all(each.node for each in events if each.node),
        )
        is_small = len(added.marks) <= INLINE_MARKS * MARK
        if is_small and max(added.pods.count, added.nodes.count) <= INLINE_NAMES:
            return added
        # An earlier version may have left thousands of marks.
        marks, forgotten = keep_latest(self.marks, INLINE_MARKS, self.last_seen)
        return replace(
            self,
            paged=True,
            first_seen=added.first_seen,
            last_seen=added.last_seen,
            marks=marks,
            forgotten=forgotten,
            pods=_once_full(self.pods),
            nodes=_once_full(self.nodes),
        )


def sighting(pull: PullFailure, *, identity: str, observed_at: str | None, now: float) -> Sighting:
    """Return the sighting that one event of `pull` is. `identity` is unique to the event.

    An event counts as seen at `now`, in seconds since 1970, if its own time lies ahead or so far back that no record of
    it could have been kept.
    """
    own = seconds_of(observed_at)
    is_plausible = own is not None and now - _OLDEST_SECONDS <= own <= now
    principal = pull.principal
    # The mark begins with the event's own second, which never changes, whatever it is.
    second = int(own or 0) % 2**32
    return Sighting(
        own if own is not None and is_plausible else now,
        second.to_bytes(4, "big") + _digest(identity, MARK - 4),
        pod=f"{pull.namespace or '?'}/{pull.pod}" if pull.pod else None,
        # Signals name a node by its instance id or by its host name. The instance id wins if it is known.
        node=(principal.instance_id if principal else None) or _node(pull.node),
    )


def _node(name: str | None) -> str | None:
    """Return a node's instance id if its name contains it ("i-….ec2.internal"), else the name."""
    first = name.partition(".")[0] if name else ""
    return first if _INSTANCE.fullmatch(first) else name


def problem_id(pull: PullFailure) -> str:
    """Return the id of a failure's problem: a hash of who pulls, the repository, and the error of AWS or kubelet.

    Node and pod are not part of it. The tag is, only where the image itself may be at fault.
    """
    principal, denial = pull.principal, pull.denial
    who: tuple[str | None, ...] = ()
    if principal is not None:
        # The session name is left out: each node has its own.
        unnamed = principal.kind is PrincipalKind.UNKNOWN or not principal.name
        who = (principal.kind, principal.account, principal.name, principal.arn if unnamed else None)
    image = (pull.tag, pull.digest) if pull.symptom in _IMAGE_SYMPTOMS else ()
    reason: tuple[str | None, ...] = ()
    if denial is not None:
        action = _SAME_ACTION.get(denial.action, denial.action)
        reason = (action, denial.policy_type, "explicit" if denial.explicit else None)
    upstream = (pull.upstream_failure or "").partition(":")[0]
    what = (pull.registry_account, pull.region, pull.repository, pull.registry_host)
    parts = (*who, "|", *what, "|", *image, "|", *reason, "|", pull.cluster, pull.symptom, upstream)
    if pull.cluster_region:
        # Clusters of the same name in several accounts or regions are not one cluster.
        parts = (*parts, "|", pull.account, pull.cluster_region)
    # The separator is not printable, so no name can contain it.
    key = "\x1f".join([each or "" for each in parts])
    return PROBLEM + hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=16).hexdigest()


def iso(seconds: float) -> str:
    """Return a time in seconds since 1970 as ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@lru_cache(maxsize=4_096)
def seconds_of(text: str | None) -> float | None:
    """Return a time in ISO 8601 as seconds since 1970; None if `text` is not one. Without an offset it is UTC."""
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    if moment is None:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _digest(text: str, size: int) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=size).digest()


def name_mark(name: str) -> bytes:
    """Return the hash by which a name is recognized."""
    return _digest(name, NAME_MARK)


def split_marks(marks: bytes, size: int) -> set[bytes]:
    """Return marks of `size` bytes that are joined."""
    return set(ordered_marks(marks, size))


def ordered_marks(marks: bytes, size: int) -> list[bytes]:
    """Return marks of `size` bytes that are joined, in their order."""
    return [marks[at : at + size] for at in range(0, len(marks), size)]


def keep_latest(marks: bytes, most: int, last_seen: float) -> tuple[bytes, float]:
    """Return the `most` marks of events that arrived last, and the latest time of the others; 0 if there are none.

    They are in the order of arrival: by their own times, events of the year 2100 would be kept forever. `last_seen` is
    the time of the latest event. What claims to be later says nothing about the others.
    """
    left = ordered_marks(marks[: max(0, len(marks) - most * MARK)], MARK)
    seconds = [int.from_bytes(each[:4], "big") for each in left]
    forgotten = max((each for each in seconds if each <= last_seen), default=0)
    return marks[len(left) * MARK :], float(forgotten)


def _once_full(names: Names) -> Names:
    return replace(names, more=names.more or names.count >= _ONCE_MOST_NAMES)
