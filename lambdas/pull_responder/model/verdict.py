"""The result of a check: a verdict with its evidence. A failed verdict also has the broken resource and the fix."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Mapping


class Severity(StrEnum):
    """Security Hub's severity labels, from the lowest to the highest."""

    INFORMATIONAL = "INFORMATIONAL"
    LOW = "LOW"
    MEDIUM = "MEDIUM"
    HIGH = "HIGH"
    CRITICAL = "CRITICAL"

    @property
    def rank(self) -> int:
        """The position in this order; 0 is the lowest."""
        return tuple(Severity).index(self)

    def step(self, by: int) -> Severity:
        """Return the severity that is `by` steps higher, or lower if negative, within LOW to CRITICAL.

        INFORMATIONAL stays: it says that nothing is broken.
        """
        if self is Severity.INFORMATIONAL:
            return self
        return tuple(Severity)[min(max(self.rank + by, Severity.LOW.rank), Severity.CRITICAL.rank)]


class Status(StrEnum):
    """The outcome of a check."""

    FAILED = "failed"
    PASSED = "passed"
    NOT_APPLICABLE = "not applicable"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True)
class Resource:
    """An AWS resource: `type` as in the AWS Security Finding Format, `id` its ARN."""

    type: str
    id: str
    account: str


@dataclass(frozen=True, slots=True)
class Remediation:
    """The fix.

    - `summary`: what to do, for people. Without commands it also says who has to do it.
    - `account`: whose credentials the commands need.
    - `docs_url`: the AWS page about the fix.
    - `commands`: each a list of arguments that works on its own, in a new shell. Empty if no command is certain to be
      right.
    - `undo`: what takes the commands back, in the same form. Empty if nothing is certain to.
    - `for_many`: what to do instead where the fault stops more than one role, and the commands would serve one. Empty
      if they serve all.
    - `short`: the summary in few words, for text messages. Empty: it is short itself.
    - `for_many_short`: `for_many` in few words. Empty: it is short itself.
    """

    summary: str
    account: str
    region: str
    docs_url: str
    commands: tuple[tuple[str, ...], ...] = ()
    for_many: str = ""
    undo: tuple[tuple[str, ...], ...] = ()
    short: str = ""
    for_many_short: str = ""


@dataclass(frozen=True, slots=True)
class DecidingPolicy:
    """A policy that decides about a pull.

    - `name`: what evidence calls it.
    - `document`: as it stands in AWS.
    - `statements`: the indexes of those that decide: each Deny that stops the pull, and the Allow that came nearest to
      permitting it. Empty where no Allow is about it.
    """

    name: str
    document: Mapping[str, object] = field(hash=False)
    statements: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of one check.

    - `evidence`: what proves it.
    - `reason`: for an inconclusive verdict, what was missing to decide. For a verdict that is not applicable, why. A
      passed verdict may have one: why the pull was refused although the fault is not present.
    - `explanation`, `resource`, `remediation`: only in a failed verdict.
    - `policies`: those that decide, in a failed verdict on policies that could be read.
    """

    status: Status
    evidence: tuple[str, ...] = ()
    reason: str = ""
    explanation: str = ""
    resource: Resource | None = None
    remediation: Remediation | None = None
    policies: tuple[DecidingPolicy, ...] = ()

    @classmethod
    def passed(cls, *evidence: str, reason: str = "") -> Self:
        """The fault is not present. `evidence` proves it."""
        return cls(Status.PASSED, evidence, reason)

    @classmethod
    def not_applicable(cls, reason: str) -> Self:
        """The fault cannot occur for this pull, because of `reason`."""
        return cls(Status.NOT_APPLICABLE, reason=reason)

    @classmethod
    def inconclusive(cls, reason: str) -> Self:
        """The fault may or may not be present. `reason` says what was missing to decide."""
        return cls(Status.INCONCLUSIVE, reason=reason)

    @classmethod
    def failed(
        cls,
        *,
        resource: Resource,
        explanation: str,
        evidence: tuple[str, ...],
        remediation: Remediation,
        policies: tuple[DecidingPolicy, ...] = (),
    ) -> Self:
        """The fault is present. `explanation` says so in one or two sentences, `evidence` proves it."""
        return cls(
            Status.FAILED,
            evidence,
            explanation=explanation,
            resource=resource,
            remediation=remediation,
            policies=policies,
        )
