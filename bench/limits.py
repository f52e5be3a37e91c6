"""How many calls AWS allows, and how a bucket of them is used up.

Each limit is for one account and one region. Where AWS documents none, as for IAM, EKS, ECR and Organizations, that of
EC2 stands in (inference): `Limit.documented` is false then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Limit:
    """Calls that AWS allows: `burst` at once, and `a_second` more each second.

    - `shared`: whether all operations of the service share it.
    - `documented`: whether AWS documents it.
    """

    burst: float
    a_second: float
    shared: bool = False
    documented: bool = True


# EC2 Developer Guide, "Request throttling for the Amazon EC2 API": DescribeHosts, as any call that changes nothing.
_EC2: Final = Limit(100, 20)
NOT_DOCUMENTED: Final = Limit(100, 20, documented=False)
_OF_SERVICE: Final = {
    "ec2": _EC2,
    # IAM User Guide, "IAM and AWS STS quotas": of the account that calls, not of the one whose role is assumed.
    "sts": Limit(600, 600, shared=True),
    # Security Hub API Reference, "Welcome": all other operations.
    "securityhub": Limit(30, 10),
    # General Reference, "Amazon SNS endpoints and quotas": Publish, us-east-1.
    "sns": Limit(30_000, 30_000),
}
_OF_OPERATION: Final = {
    # CloudTrail API Reference, LookupEvents.
    ("cloudtrail", "LookupEvents"): Limit(2, 2),
    # Security Hub API Reference, "Welcome".
    ("securityhub", "GetFindings"): Limit(6, 3),
}


def documented_limit(service: str, operation: str) -> Limit:
    """Return how many calls of an operation AWS allows an account in a region."""
    return _OF_OPERATION.get((service, operation)) or _OF_SERVICE.get(service, NOT_DOCUMENTED)


def any_limit(service: str, operation: str) -> Limit:  # noqa: ARG001 -- the same for all of them
    """Return the limit of EC2, for any operation."""
    return _EC2


@dataclass(slots=True)
class Bucket:
    """The calls that AWS allows by one limit. `lowest` is the least part of the burst that was ever left."""

    limit: Limit
    tokens: float = -1.0
    at: float = 0.0
    lowest: float = 1.0

    def wait(self, now: float, *, patience: float) -> float | None:
        """Take a token. Return the seconds until there is one, None if that is longer than `patience`."""
        if self.tokens < 0 and not self.at:
            self.tokens = self.limit.burst
        if now > self.at:
            self.tokens = min(self.limit.burst, self.tokens + (now - self.at) * self.limit.a_second)
            self.at = now
        seconds = max(0.0, (1 - self.tokens) / self.limit.a_second)
        self.lowest = min(self.lowest, max(0.0, self.tokens - 1) / self.limit.burst)
        if seconds > patience:
            return None
        self.tokens -= 1
        return seconds


# What the other services take. Sources: DynamoDB Developer Guide, "Understanding DynamoDB warm throughput in different
# scenarios"; EventBridge User Guide, "Amazon EventBridge quotas" (us-east-1); Lambda Developer Guide, "Lambda quotas";
# SQS Developer Guide, "Amazon SQS message quotas"; Kinesis Data Streams Developer Guide, "Quotas and limits" (a new
# stream on demand).
TABLE_WRITES_AT_FIRST: Final = 4_000
TABLE_READS_AT_FIRST: Final = 12_000
PARTITION_WRITES: Final = 1_000
PARTITION_READS: Final = 3_000
BUS_EVENTS: Final = 10_000
BUS_INVOCATIONS: Final = 18_750
FUNCTION_RUNS: Final = 1_000
IN_FLIGHT: Final = 120_000
STREAM_MEGABYTES: Final = 4
STREAM_RECORDS: Final = 4_000
# Lambda Developer Guide, "Configure Lambda function memory": so much memory has one virtual processor.
MEGABYTES_OF_A_PROCESSOR: Final = 1_769
