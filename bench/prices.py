"""AWS's list prices in us-east-1, in US dollars, without free tiers, for bench/scale.py.

Each says where it was read, on the day `READ`: pages of others, as AWS builds its own from data that they do not show.
So compare with the pricing page of the service before you rely on one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

READ: Final = "29 November 2026"


@dataclass(frozen=True, slots=True)
class Price:
    """A price of `of` units. `source`: whose page said so, and as of when."""

    dollars: float
    of: float
    source: str

    def times(self, units: float) -> float:
        """Return what so many units cost."""
        return units * self.dollars / self.of


_MILLION: Final = 1_000_000
# An event that crosses accounts is a custom event, paid by the sending account. On the default bus, AWS's are free.
CROSS_ACCOUNT_EVENTS: Final = Price(1.00, _MILLION, "cloudburn.io, Amazon EventBridge Pricing, March 2026")
# Of a standard queue. A batch of ten messages is one request, and so is each 64 KB of it.
QUEUE_REQUESTS: Final = Price(0.40, _MILLION, "cloudburn.io, Amazon SQS Pricing, March 2026")
FUNCTION_RUNS: Final = Price(0.20, _MILLION, "cloudchipr.com, AWS Lambda Pricing Breakdown, 2024")
# On arm64. Up to 7.5 billion a month.
FUNCTION_GB_SECONDS: Final = Price(0.0000133334, 1, "cloudchipr.com, AWS Lambda Pricing Breakdown, 2024")
TABLE_WRITES: Final = Price(0.625, _MILLION, "airbyte.com, Amazon DynamoDB Pricing, July 2025")
TABLE_READS: Final = Price(0.125, _MILLION, "airbyte.com, Amazon DynamoDB Pricing, July 2025")
# More than the first ten thousand a month in an account and region.
FINDINGS: Final = Price(0.00003, 1, "aws-gcr-wwso-security.gitbook.io, undated")
MESSAGES: Final = Price(0.50, _MILLION, "not read anywhere: from memory")
LOG_GIGABYTES: Final = Price(0.50, 1, "hykell.com, CloudWatch Logs pricing, undated")
