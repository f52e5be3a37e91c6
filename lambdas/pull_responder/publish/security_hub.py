"""Findings into AWS Security Hub CSPM by BatchImportFindings.

Security Hub may be off in a region, or refuse a finding. Neither may keep a notification from going out, so nothing
here raises for it: the outcome says which findings did not arrive, why, and whether it is worth another try.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError  # noqa: A004 -- botocore's

from pull_responder.publish.asff import size_of, to_asff
from pull_responder.publish.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from mypy_boto3_securityhub import SecurityHubClient
    from mypy_boto3_securityhub.type_defs import AwsSecurityFindingTypeDef

__all__ = ["PERMISSIONS", "ImportOutcome", "Rejection", "import_findings", "to_asff"]

PERMISSIONS: Final = ("securityhub:BatchImportFindings",)

# Security Hub CSPM Partner Integration Guide, "Guidelines for using the BatchImportFindings API".
# 100 findings and 6 MB a call, of which a little is left to the request around the findings.
_CALL_FINDINGS: Final = 100
_CALL_BYTES: Final = 5_900_000

# The error codes that another try can end, besides all answers of status 429 or 5xx. LimitExceeded is Security Hub's
# word for throttling. Inference: FailedFindings uses the same words, shortened; only InvalidInput has been seen there.
_RETRYABLE: Final = ("Throttling", "TooManyRequests", "RequestLimitExceeded", "LimitExceeded", "Internal", "Service")
_TOO_MANY_REQUESTS: Final = 429
_SERVER_ERROR: Final = 500


@dataclass(frozen=True, slots=True)
class Rejection:
    """A finding that Security Hub does not have: `code` and `reason` are AWS's own words, made printable."""

    finding_id: str
    code: str
    reason: str
    retryable: bool


@dataclass(frozen=True, slots=True)
class ImportOutcome:
    """How many findings arrived, and those that did not."""

    imported: int = 0
    rejections: tuple[Rejection, ...] = ()

    @property
    def retryable(self) -> tuple[str, ...]:
        """The ids of the findings that are worth another try."""
        return tuple(each.finding_id for each in self.rejections if each.retryable)

    def __add__(self, other: ImportOutcome) -> ImportOutcome:
        return ImportOutcome(self.imported + other.imported, self.rejections + other.rejections)


def import_findings(client: SecurityHubClient, findings: Sequence[AwsSecurityFindingTypeDef]) -> ImportOutcome:
    """Import `findings`, as `to_asff` makes them, in as few calls as may be, and return what became of them.

    Never raises for what AWS answers or for a connection that fails. Retries are the client's own.
    """
    outcome = ImportOutcome()
    for batch in _batches(findings):
        outcome += _import_batch(client, batch)
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


def _import_batch(client: SecurityHubClient, batch: list[AwsSecurityFindingTypeDef]) -> ImportOutcome:
    try:
        answer = client.batch_import_findings(Findings=batch)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        if code == "InvalidInputException" and len(batch) > 1:
            # Inference: one malformed finding can fail the call. Halve until it stands alone, so that the rest arrive.
            middle = len(batch) // 2
            return _import_batch(client, batch[:middle]) + _import_batch(client, batch[middle:])
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        retryable = status == _TOO_MANY_REQUESTS or status >= _SERVER_ERROR or code.startswith(_RETRYABLE)
        return _all_rejected(batch, code, error.response["Error"].get("Message", ""), retryable=retryable)
    except BotoCoreError as error:
        retryable = isinstance(error, ConnectionError | HTTPClientError)
        return _all_rejected(batch, type(error).__name__, str(error), retryable=retryable)
    return ImportOutcome(
        answer["SuccessCount"],
        tuple(
            _rejection(
                each["Id"], each["ErrorCode"], each["ErrorMessage"], retryable=each["ErrorCode"].startswith(_RETRYABLE)
            )
            for each in answer.get("FailedFindings", [])
        ),
    )


def _all_rejected(batch: list[AwsSecurityFindingTypeDef], code: str, reason: str, *, retryable: bool) -> ImportOutcome:
    return ImportOutcome(0, tuple(_rejection(each["Id"], code, reason, retryable=retryable) for each in batch))


def _rejection(finding_id: str, code: str, reason: str, *, retryable: bool) -> Rejection:
    return Rejection(finding_id, one_line(code, 100), one_line(reason, 1000), retryable)
