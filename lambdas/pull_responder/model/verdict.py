"""What a check finds: a verdict with its evidence, and for a failed one the broken resource and the fix."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class Severity(StrEnum):
    """Security Hub's severity labels, least first."""

    INFORMATIONAL = "INFORMATIONAL"
    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
    CRITICAL = "CRITICAL"

    @property
    def rank(self) -> int:
        """The position among the severities, 0 for the least."""
        return tuple(Severity).index(self)


class Status(StrEnum):
    """How a check ended."""

    FAILED = "failed"
    PASSED = "passed"
    NOT_APPLICABLE = "not applicable"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Resource:
    """An AWS resource: `type` is the AWS Security Finding Format's word for it, `id` its ARN."""

    type: str
    id: str
    account: str


@dataclass(frozen=True, slots=True)
class Remediation:
    """The fix. Each command is an argument list that stands alone, run with credentials of `account`.

    `commands` is empty where no command can be known to be right; `summary` then says who has to do what.
    """

    summary: str
    account: str
    region: str
    docs_url: str
    commands: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of one check. A failed verdict has `resource`, `explanation` and `remediation`; an
    inconclusive one has `reason`, and a passed one where it says why the pull was refused all the same.
    """

    status: Status
    evidence: tuple[str, ...] = ()
    reason: str = ""
    explanation: str = ""
    resource: Resource | None = None
    remediation: Remediation | None = None

    @classmethod
    def passed(cls, *evidence: str, reason: str = "") -> Self:
        """The fault is not there, and `evidence` says how that is known."""
        return cls(Status.PASSED, evidence, reason)

    @classmethod
    def not_applicable(cls, reason: str) -> Self:
        """The question does not arise for this pull."""
        return cls(Status.NOT_APPLICABLE, reason=reason)

    @classmethod
    def inconclusive(cls, reason: str) -> Self:
        """The fault may or may not be there; `reason` says what was missing to decide."""
        return cls(Status.INCONCLUSIVE, reason=reason)

    @classmethod
    def failed(
        cls, *, resource: Resource, explanation: str, evidence: tuple[str, ...], remediation: Remediation
    ) -> Self:
        """The fault is there: `explanation` in a sentence or two, `evidence` proves it."""
        return cls(Status.FAILED, evidence, explanation=explanation, resource=resource, remediation=remediation)
