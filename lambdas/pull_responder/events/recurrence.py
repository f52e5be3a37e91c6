"""Read thousands of similar events fast: records that differ only in ids and times are read once.

A refused node tries again and again, and CloudTrail writes a record of a kilobyte or two each time. To interpret a
record takes many times as long as to parse its JSON.
"""

from __future__ import annotations

import marshal
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from pull_responder.events import names
from pull_responder.events.cloudtrail import DETAIL_TYPE
from pull_responder.events.intake import read_document
from pull_responder.events.json_text import read_json
from pull_responder.events.outcome import Skipped, UnusableEvent
from pull_responder.model.pull import PullFailure

if TYPE_CHECKING:
    from pull_responder.events.eks_change import Inspection
    from pull_responder.events.intake import Origins

# Fields that differ in each record. They are used only for `observed_at` and `event_id`, or not at all.
_ENVELOPE_FIELDS: Final = ("id", "time")
_RECORD_FIELDS: Final = ("eventID", "eventTime", "requestID")
_IDENTITY_FIELDS: Final = ("accessKeyId",)
# What is cached: this many records, of this many bytes together. What is read of a record is no longer than the record.
_MOST: Final = 2_000
_MOST_BYTES: Final = 8 * 1024 * 1024
# A record of more bytes is not cached. A usual one has one or two thousand.
_LONGEST: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One event of a failure.

    - `pull`: one shared object for all equal failures.
    - `observed_at`, `event_id`: this event's own.
    """

    pull: PullFailure
    observed_at: str | None
    event_id: str | None

    def failure(self) -> PullFailure:
        """Return `pull` with the time and the id of this event."""
        return replace(self.pull, observed_at=self.observed_at, event_id=self.event_id)


class Recurrence:
    """Reads the bodies of messages, with a cache of records that were read before."""

    def __init__(self) -> None:
        self._read: dict[bytes, PullFailure | Inspection | Skipped] = {}
        self._bytes = 0

    def read(self, body: str, *, origins: Origins) -> Occurrence | Inspection | Skipped:
        """Read the body of a message. Returns and raises the same as `read_body`."""
        envelope: Any = read_json(body, where="body")
        if not _is_record(envelope):
            event = read_document(envelope, origins=origins, where="body")
            return Occurrence(event, event.observed_at, event.event_id) if isinstance(event, PullFailure) else event
        detail = envelope["detail"]
        identity = detail.get("userIdentity")
        time, own = envelope.get("time"), envelope.get("id")
        event_time, event_id = detail.get("eventTime"), detail.get("eventID")
        for name in _ENVELOPE_FIELDS:
            envelope.pop(name, None)
        for name in _RECORD_FIELDS:
            detail.pop(name, None)
        if isinstance(identity, dict):
            for name in _IDENTITY_FIELDS:
                identity.pop(name, None)
        # Version 2 of the format gives equal bytes for equal documents. Newer versions depend on object identity.
        try:
            record = marshal.dumps(envelope, 2)
        except ValueError:
            raise UnusableEvent("body", "is not usable: its JSON is nested too deeply") from None
        key = sha256(record).digest()
        known = self._read.get(key)
        event = known or read_document(envelope, origins=origins, where="body")
        if known is None:
            self._keep(key, event, size=len(record))
        if not isinstance(event, PullFailure):
            return event
        return Occurrence(
            event,
            _time(event_time) or _time(time),
            names.event_id(event_id) or names.event_id(own),
        )

    def _keep(self, key: bytes, event: PullFailure | Inspection | Skipped, *, size: int) -> None:
        if size > _LONGEST:
            return
        if len(self._read) >= _MOST or self._bytes + size > _MOST_BYTES:
            self._read.clear()
            self._bytes = 0
        self._read[key] = event
        self._bytes += size


def _time(value: object) -> str | None:
    return _known_time(value) if isinstance(value, str) else None


@lru_cache(maxsize=4_096)
def _known_time(text: str) -> str | None:
    # Cached, because many of the thousands of events in a few minutes are of the same second.
    return names.time(text)


def _is_record(envelope: object) -> bool:
    return (
        isinstance(envelope, dict)
        and envelope.get("source") == "aws.ecr"
        and envelope.get("detail-type") == DETAIL_TYPE
        and isinstance(envelope.get("detail"), dict)
    )
