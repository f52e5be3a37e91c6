"""What can go wrong with a call to AWS, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a call fails.

    Kinds up to `HANG` never reach AWS. Those after it do: only the answer is lost or broken.
    """

    ACCESS_DENIED = "AccessDenied"
    THROTTLING = "throttling"
    HTTP_500 = "HTTP 500"
    HANG = "hang"
    CUT = "cut connection"
    GARBAGE = "200 with garbage"
    TRUNCATED = "truncated body"
    EMPTY = "empty body"
    KILL_BEFORE = "killed before the call"
    KILL_AFTER = "killed after the call"

    @property
    def kills(self) -> bool:
        """Whether the function dies at the call."""
        return self in (Kind.KILL_BEFORE, Kind.KILL_AFTER)

    @property
    def is_unclear(self) -> bool:
        """Whether AWS may have done what the caller has no answer about."""
        return self in (Kind.HANG, Kind.CUT, Kind.GARBAGE, Kind.TRUNCATED, Kind.EMPTY, Kind.HTTP_500) or self.kills


class Span(StrEnum):
    """How long a fault lasts: one call with all its retries, or all calls of the operation for ten minutes."""

    ONCE = "once"
    TEN_MINUTES = "ten minutes"


SECONDS: dict[Span, float] = {Span.ONCE: 0.0, Span.TEN_MINUTES: 600.0}
# Services whose calls change or read what we remember and tell. All others are reads of the estate.
REMEMBERING = frozenset({"dynamodb", "sns", "sqs", "securityhub"})


@dataclass(frozen=True, slots=True, order=True)
class Call:
    """The `number`th call of an operation in a run, from 1. Retries of the SDK are no calls of their own."""

    service: str
    operation: str
    number: int

    @property
    def is_read(self) -> bool:
        """Whether it is a read of the estate."""
        return self.service not in REMEMBERING


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """A call that fails, how, and for how long."""

    call: Call
    kind: Kind
    span: Span

    def __str__(self) -> str:
        return f"{self.call.service}:{self.call.operation} #{self.call.number}, {self.kind}, {self.span}"


def faults_of(call: Call) -> list[Fault]:
    """Return each way in which `call` fails. A function dies once."""
    return [Fault(call, kind, span) for kind in Kind for span in Span if not (kind.kills and span is Span.TEN_MINUTES)]
