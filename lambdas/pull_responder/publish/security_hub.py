"""Import findings into AWS Security Hub CSPM with BatchImportFindings.

Security Hub may be off in a region, throttle, or refuse a finding. That must not stop a notification, so this module
does not raise for it. The outcome says which findings were not imported, why, and whether a retry makes sense.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError  # noqa: A004 -- botocore's
from botocore.parsers import ResponseParserError

from pull_responder.publish.asff import product_arn, size_of, to_asff
from pull_responder.publish.backoff import Backoff, is_retryable
from pull_responder.publish.text import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mypy_boto3_securityhub import SecurityHubClient
    from mypy_boto3_securityhub.type_defs import AwsSecurityFindingTypeDef

__all__ = ["PERMISSIONS", "ImportOutcome", "Rejection", "import_findings", "product_arn", "rejection", "to_asff"]

PERMISSIONS: Final = ("securityhub:BatchImportFindings",)

# Security Hub CSPM Partner Integration Guide, "Guidelines for using the BatchImportFindings API".
# 100 findings and 6 MB a call, less a reserve for the request around the findings.
_CALL_FINDINGS: Final = 100
_CALL_BYTES: Final = 5_900_000

# The prefix of InvalidAccessException, which the call raises, and of InvalidAccess in FailedFindings. Both mean that
# Security Hub, or the integration, is off (User Guide, "BatchImportFindings for finding providers").
_OFF: Final = "InvalidAccess"


@dataclass(frozen=True, slots=True)
class Rejection:
    """A finding that Security Hub did not accept. `code` and `reason` are AWS's error, made printable."""

    finding_id: str
    code: str
    reason: str
    retryable: bool


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """The result of an import.

    - `imported`: how many findings were imported.
    - `rejections`: the findings that were not.
    - `unavailable`: why no finding can be imported: Security Hub is off here, or does not answer in this region. Empty
      if it is available. Findings that had not been sent by then are among the rejections.
    """

    imported: int = 0
    rejections: tuple[Rejection, ...] = ()
    unavailable: str = ""

    @property
    def retryable(self) -> tuple[str, ...]:
        """The ids of the rejected findings that are worth a retry."""
        return tuple(each.finding_id for each in self.rejections if each.retryable)

    def __add__(self, other: ImportOutcome) -> ImportOutcome:
        return ImportOutcome(
            self.imported + other.imported,
            self.rejections + other.rejections,
            self.unavailable or other.unavailable,
        )


def import_findings(
    client: SecurityHubClient,
    findings: Sequence[AwsSecurityFindingTypeDef],
    *,
    remaining: Callable[[], float] | None = None,
    wait: Callable[[float], None] = time.sleep,
) -> ImportOutcome:
    """Import `findings`, made by `to_asff`, in as few calls as possible. Return the outcome.

    - `remaining`: returns the seconds left. Within them, calls and findings that failed with a retryable error are sent
      again; no call begins after them. With None, every finding is sent once.
    - `wait`: sleeps for a number of seconds.

    The client makes its own retries in addition, and a call that has begun is not interrupted. Never raises for errors
    of AWS or of the connection.
    """
    backoff = Backoff(remaining, wait)
    outcome = ImportOutcome()
    for batch in _batches(findings):
        if outcome.unavailable:
            last = outcome.rejections[-1]
            outcome += _all_rejected(batch, last.code, last.reason, retryable=last.retryable)
        elif backoff.is_over:
            outcome += _all_rejected(batch, "OutOfTime", "no time was left to send it", retryable=True)
        else:
            outcome += _import_with_retries(client, batch, backoff)
    return outcome


def _batches(findings: Sequence[AwsSecurityFindingTypeDef]) -> Iterator[list[AwsSecurityFindingTypeDef]]:
    batch: list[AwsSecurityFindingTypeDef] = []
    size = 0
    for finding in findings:
        added = size_of(finding)
        if batch and (len(batch) == _CALL_FINDINGS or size + added > _CALL_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(finding)
        size += added
    if batch:
        yield batch


def _import_with_retries(
    client: SecurityHubClient, batch: list[AwsSecurityFindingTypeDef], backoff: Backoff
) -> ImportOutcome:
    """Import a batch, and retry its retryable rejections until none are left or time runs out."""
    outcome = _import_batch(client, batch)
    tries = 1
    while outcome.retryable and not outcome.unavailable and backoff.pause(tries):
        again = [each for each in batch if each["Id"] in outcome.retryable]
        final = tuple(each for each in outcome.rejections if not each.retryable)
        outcome = ImportOutcome(outcome.imported, final) + _import_batch(client, again)
        tries += 1
    return outcome


def _import_batch(client: SecurityHubClient, batch: list[AwsSecurityFindingTypeDef]) -> ImportOutcome:
    try:
        answer = client.batch_import_findings(Findings=batch)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "InvalidInputException" and len(batch) > 1:
            # Inference: one malformed finding can fail the call. Halve the batch until that finding is alone.
            middle = len(batch) // 2
            return _import_batch(client, batch[:middle]) + _import_batch(client, batch[middle:])
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        reason = error.response["Error"].get("Message", "")
        return _all_rejected(
            batch, code, reason, retryable=is_retryable(code, status), unavailable=code.startswith(_OFF)
        )
    except BotoCoreError as error:
        lost = isinstance(error, ConnectionError | HTTPClientError)
        # The client has made its own retries. If this region has no Security Hub, more waits are useless.
        return _all_rejected(batch, type(error).__name__, str(error), retryable=lost, unavailable=lost)
    except ResponseParserError as error:
        return _all_rejected(batch, "Unreadable", str(error), retryable=True)
    try:
        imported = answer["SuccessCount"]
        rejections = tuple(
            rejection(each["Id"], each["ErrorCode"], each["ErrorMessage"], retryable=is_retryable(each["ErrorCode"]))
            for each in answer.get("FailedFindings", [])
        )
    except (AttributeError, KeyError, TypeError) as error:
        # What the answer does not say may not have been imported. Sent again, a finding that was changes nothing.
        return _all_rejected(batch, "Unreadable", f"the answer lacks {error}", retryable=True)
    off = next((f"{each.code}: {each.reason}" for each in rejections if each.code.startswith(_OFF)), "")
    return ImportOutcome(imported, rejections, off)


def _all_rejected(
    batch: list[AwsSecurityFindingTypeDef], code: str, reason: str, *, retryable: bool, unavailable: bool = False
) -> ImportOutcome:
    rejections = tuple(rejection(each["Id"], code, reason, retryable=retryable) for each in batch)
    return ImportOutcome(0, rejections, f"{rejections[0].code}: {rejections[0].reason}" if unavailable else "")


def rejection(finding_id: str, code: str, reason: str, *, retryable: bool) -> Rejection:
    """Return a Rejection with AWS's error on bounded lines."""
    return Rejection(finding_id, one_line(code, 100), one_line(reason, 1000), retryable)
