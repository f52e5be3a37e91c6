"""An inspection that a run had no time to finish, as an item of the table (docs/adr/0108-late-inspections.md)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import dacite

from pull_responder.events.eks_change import Inspection
from pull_responder.findings.codec import LOOK_AT, QUEUE, UnusableItem, read_version

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef as Value

LEFT: Final = "inspection"
"""The queue of the index, and the beginning of the item's id."""

_SHAPE: Final = dacite.Config(cast=[tuple, float], check_types=True)
_DAY: Final = 86_400
_REASON: Final = 300


@dataclass(frozen=True, slots=True)
class LeftInspection:
    """An inspection that waits for a run. Times are in seconds since 1970.

    - `since`: since when it waits.
    - `asked`: how many of its questions are answered. They come in the same order each time.
    - `tries`: how many runs in a row have taken it on and answered none.
    - `look_at`: no run takes it on before this time.
    - `version`: how often its item was written.
    """

    inspection: Inspection
    since: float
    asked: int = 0
    tries: int = 0
    look_at: float = 0
    version: int = 0

    @property
    def id(self) -> str:
        """The id of its item: an event that SQS delivers twice is left once."""
        event = self.inspection
        written = event.event_id or json.dumps(asdict(event))
        return f"{LEFT}/{sha256(written.encode('utf-8', 'replace')).hexdigest()[:32]}"


def left_item(left: LeftInspection) -> dict[str, Value]:
    """Return the item of an inspection, as the next version."""
    document = {key: value for key, value in asdict(left).items() if key not in ("look_at", "version")}
    return {
        "id": {"S": left.id},
        "version": {"N": str(left.version + 1)},
        QUEUE: {"S": LEFT},
        LOOK_AT: {"N": f"{left.look_at:.3f}"},
        "inspection": {"S": json.dumps(document, separators=(",", ":"))},
        "expires_at": {"N": str(int(left.since) + 2 * _DAY)},
    }


def read_left(item: Mapping[str, Value]) -> LeftInspection:
    """Return the inspection in an item. Raises UnusableItem."""
    version = read_version(item)
    try:
        document = {
            **json.loads(item["inspection"]["S"]),
            "look_at": float(item[LOOK_AT]["N"]),
            "version": version or 0,
        }
        return dacite.from_dict(LeftInspection, document, config=_SHAPE)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, dacite.DaciteError) as error:
        problem = f"its inspection cannot be read: {type(error).__name__}: {error}"
        raise UnusableItem(item["id"]["S"], " ".join(problem.split())[:_REASON], version) from error
