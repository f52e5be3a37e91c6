"""Which private hosted zones may answer for the hosts of ECR and of its layers: by their names."""

from __future__ import annotations

from typing import Final

from pull_responder.model.arn import DNS_SUFFIXES
from pull_responder.network.resolver import is_below

# Below which domains the hosts of ECR and of its layers are.
_SUFFIXES: Final = (
    *dict.fromkeys(DNS_SUFFIXES.values()),
    "on.aws",
    "api.aws",
    "on.amazonwebservices.com.cn",
    "api.amazonwebservices.com.cn",
    "on.amazonwebservices.eu",
    "api.amazonwebservices.eu",
)


def may_answer(zone: str) -> bool:
    """Return whether a zone of this name may answer for names of AWS."""
    return bool(zone) and any(is_below(f"a.{each}", zone) or is_below(zone, each) for each in _SUFFIXES)
