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

from pull_responder.findings.reach import Reach
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
# same one is below one in a million. An item of DynamoDB (400 KB at most) holds 12,000 marks.
MARK: Final = 10
_MOST_MARKS: Final = 12_000
# Old marks are dropped each time that another thousand marks were added.
_PRUNE_EVERY_BYTES: Final = 1_000 * MARK
# SQS redelivers a message within minutes or hours, never days: visibility timeout times maximum receives.
_MARKS_KEPT_SECONDS: Final = 6 * 3600
NAME_MARK: Final = 6
_MOST_NAME_MARKS: Final = 1_000
_MOST_NAMES: Final = 20
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
    """The first few distinct names, and how many there are. `marks` holds a hash of each, to recognize it."""

    shown: tuple[str, ...] = ()
    marks: bytes = b""

    @property
    def count(self) -> int:
        """The number of distinct names, at most 1,000."""
        return len(self.marks) // NAME_MARK

    def add_all(self, names: Iterable[str]) -> Names:
        """Return these names with `names` added."""
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

    def merge(self, other: Names) -> Names:
        """Return the names of both."""
        marks = self.marks + b"".join(sorted(_split(other.marks, NAME_MARK) - _split(self.marks, NAME_MARK)))
        shown = (*self.shown, *(name for name in other.shown if name not in self.shown))
        return Names(shown[:_MOST_NAMES], marks[: _MOST_NAME_MARKS * NAME_MARK])


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

    def is_due(self, now: float) -> bool:
        """Whether a diagnosis is due and no run holds the lease."""
        return self.quiet_until <= now and self.leased_until <= now

    def is_wanted(self, now: float) -> bool:
        """Whether the function `recheck` has to diagnose it, also in its quiet period, and no run holds the lease."""
        return 0 < self.look_at <= now and self.leased_until <= now

    def add_sightings(self, sightings: Iterable[Sighting]) -> Problem:
        """Return the problem with `sightings` added. An event that was added before changes nothing."""
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
            marks=_prune_marks(self.marks, b"".join(new), last_seen),
            pods=self.pods.add_all(each.pod for each in events if each.pod),
            nodes=self.nodes.add_all(each.node for each in events if each.node),
        )


def sighting(pull: PullFailure, *, identity: str, observed_at: str | None, now: float) -> Sighting:
    """Return the sighting that one event of `pull` is. `identity` is unique to the event.

    An event from a clock that runs ahead counts as seen at `now`, in seconds since 1970.
    """
    own = seconds_of(observed_at)
    principal = pull.principal
    # The mark begins with the event's own second, which never changes. So old marks can be dropped.
    second = int(own or 0) % 2**32
    return Sighting(
        now if own is None else min(own, now),
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
    # The separator is not printable, so no name can contain it.
    key = "\x1f".join([each or "" for each in parts])
    return PROBLEM + hashlib.blake2b(key.encode("utf-8", "replace"), digest_size=16).hexdigest()


def reach_of(problems: Iterable[Problem], *, found_in: str | None = None) -> Reach:
    """Return the joint reach of `problems`. A pod or node that several of them have is counted once.

    `found_in` is the cluster of a diagnosis that the problems do not have yet.
    """
    every = list(problems)
    pods, nodes = Names(), Names()
    for each in every:
        pods, nodes = pods.merge(each.pods), nodes.merge(each.nodes)
    counted = [each for each in every if each.count]
    pulls = [each.pull for each in every if each.pull]
    repositories = {(each.registry_account, each.region, each.repository) for each in pulls if each.repository}
    principals = {(each.account, each.name) for each in (pull.principal for pull in pulls) if each and each.name}
    # An event may name the cluster otherwise than EKS does, so only a diagnosis tells it. Two accounts may have
    # clusters of the same name. Whose `found_in` is, its own problem says later.
    clusters = {(each.pull.principal_account, each.cluster) for each in every if each.pull and each.cluster}
    names = {name for _, name in clusters}
    missing = found_in is not None and found_in not in names
    return Reach(
        events=sum(each.count for each in every),
        first_seen_at=iso(min(each.first_seen for each in counted)) if counted else None,
        last_seen_at=iso(max(each.last_seen for each in counted)) if counted else None,
        pods=pods.shown,
        pod_count=pods.count,
        nodes=nodes.shown,
        node_count=nodes.count,
        repository_count=len(repositories),
        principal_count=len(principals),
        principals=tuple(sorted({f"{account or '?'}/{name}" for account, name in principals})[:_MOST_NAMES]),
        clusters=tuple(sorted({*names, *([found_in] if found_in else [])})[:_MOST_NAMES]),
        cluster_count=len(clusters) + missing,
    )


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


def _split(marks: bytes, size: int) -> set[bytes]:
    return {marks[at : at + size] for at in range(0, len(marks), size)}


def _prune_marks(before: bytes, added: bytes, last_seen: float) -> bytes:
    """Return the marks of events that SQS can still redeliver: those of the last hours, at most `_MOST_MARKS`.

    Old marks are dropped only now and then, because the search for them costs more than keeping them.
    """
    marks = before + added
    if len(before) // _PRUNE_EVERY_BYTES == len(marks) // _PRUNE_EVERY_BYTES and len(marks) <= _MOST_MARKS * MARK:
        return marks
    oldest = int(max(0, last_seen - _MARKS_KEPT_SECONDS)).to_bytes(4, "big")
    recent = sorted(each for each in _split(marks, MARK) if each[:4] >= oldest)
    return b"".join(recent[-_MOST_MARKS:])
