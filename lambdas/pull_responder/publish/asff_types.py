"""What Security Hub is told that a cause is: its finding type, and whether a check of a configuration has failed.

Namespaces, categories and classifiers: Security Hub User Guide, "Types taxonomy for ASFF". A part of a path is valid.
"""

from __future__ import annotations

from typing import Final

from pull_responder.checks import BY_ID
from pull_responder.checks.check import Kind
from pull_responder.network import PathCause

_CHECKS: Final = "Software and Configuration Checks"
_BEST_PRACTICES: Final = f"{_CHECKS}/AWS Security Best Practices"
_NETWORK: Final = f"{_BEST_PRACTICES}/Network Reachability"
_BEHAVIOR: Final = "Unusual Behaviors/User"

_ON_THE_WAY: Final = frozenset({*PathCause, "proxy_blocks_pull"})

AVAILABILITY: Final = frozenset(
    {
        "image_not_found",
        "image_platform_mismatch",
        "nat_gateway_unavailable",
        "node_disk_full",
        "node_group_unhealthy",
        "registry_throttled",
        "registry_token_expired",
        "registry_unavailable",
        "repository_not_found",
        "vpc_endpoint_unavailable",
    }
)
"""The causes in which no setting is wrong: something is down, full, busy or not there."""


def types_of(cause: str) -> list[str]:
    """Return the finding types of a cause."""
    if _kind(cause) is Kind.BEHAVIOR:
        return [_BEHAVIOR]
    if cause in _ON_THE_WAY:
        return [_NETWORK]
    return [_CHECKS if cause in AVAILABILITY else _BEST_PRACTICES]


def is_of_configuration(cause: str) -> bool:
    """Return whether the cause is a setting that is wrong, so that its check fails and later passes."""
    return _kind(cause) is Kind.CONFIGURATION and cause not in AVAILABILITY


def _kind(cause: str) -> Kind:
    check = BY_ID.get(cause)  # a later version may have recorded a cause that this one lacks
    return check.kind if check else Kind.CONFIGURATION
