"""The doctor: what of a deployment works, what will not be seen and why, and the command that mends it.

It only reads. Nothing is said to work that was not read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.doctor import (
    alarms,
    audit_logs,
    forwarding,
    functions,
    members,
    organization,
    queues,
    rules,
    sdk,
    security_hub,
    stack,
    subscribers,
    table,
    trail,
)
from pull_responder.doctor.deployment import Deployment, find_deployment
from pull_responder.doctor.result import Result, State, unread

if TYPE_CHECKING:
    from pull_responder.doctor.examination import Examination
    from pull_responder.facts.reader import Reader

__all__ = ["CHECKS", "PERMISSIONS", "Deployment", "Result", "State", "examine", "find_deployment", "unread"]

CHECKS: Final[tuple[Examination, ...]] = (
    stack.CHECK,
    trail.CHECK,
    rules.CHECK,
    forwarding.CHECK,
    queues.CHECK,
    functions.CHECK,
    sdk.CHECK,
    audit_logs.CHECK,
    table.CHECK,
    subscribers.CHECK,
    security_hub.CHECK,
    organization.CHECK,
    members.CHECK,
    alarms.CHECK,
)
"""The checks, in the order of the way from an event to whoever is told of it."""

PERMISSIONS: Final = tuple(sorted({each for check in CHECKS for each in check.permissions}))
"""The IAM actions of all checks. sts:GetCallerIdentity, which comes first, needs no permission."""


def examine(deployment: Deployment, reader: Reader) -> list[Result]:
    """Return what all checks found, in their order. They run in parallel."""
    found = reader.each(lambda check: list(check.examine(deployment, reader)), CHECKS)
    return [result for results in found for result in results]
