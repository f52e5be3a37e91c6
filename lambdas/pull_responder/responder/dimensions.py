"""The values of metrics' dimensions, in bounded number: whoever writes events can make up accounts and clusters.

A custom metric costs money for each value of its dimensions (CloudWatch pricing).
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pull_responder.findings.finding import Finding

OTHER: Final = "other"
UNKNOWN: Final = "unknown"

_MOST: Final = 50
# CloudWatch API Reference, Dimension: a value has 1024 characters at most. A cluster's name has 100.
_LONGEST: Final = 100
_LOCK: Final = threading.Lock()
_SEEN: Final[dict[str, set[str]]] = {"cause": set(), "account": set(), "cluster": set()}


def dimensions_of(finding: Finding) -> dict[str, str]:
    """Return the cause, account and cluster of a finding, as values of dimensions.

    The first fifty values of each dimension that this process meets are told apart. All others are OTHER.
    """
    values = {"cause": finding.cause, "account": finding.account, "cluster": finding.cluster or ""}
    return {name: _bounded(name, value) for name, value in values.items()}


def _bounded(name: str, value: str) -> str:
    kept = value[:_LONGEST] if value.isascii() and value.isprintable() else OTHER
    if not kept.strip():
        return UNKNOWN
    with _LOCK:
        seen = _SEEN[name]
        if kept in seen:
            return kept
        if len(seen) >= _MOST:
            return OTHER
        seen.add(kept)
        return kept
