"""The finding that a test event imports into Security Hub. It says that it is a test, and names no fault."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pull_responder.model.verdict import Severity
from pull_responder.publish.security_hub import product_arn
from pull_responder.publish.trial import NO_ALERT, TEST

if TYPE_CHECKING:
    from mypy_boto3_securityhub.type_defs import AwsSecurityFindingTypeDef


def trial_finding_id(*, account: str, region: str) -> str:
    """Return the id of the one finding that all tests of a deployment update."""
    return f"pull-responder/{TEST}/{account}/{region}"


def trial_finding(*, account: str, region: str, partition: str, at: float) -> AwsSecurityFindingTypeDef:
    """Return the finding of a test for the Security Hub of `account` in `region`, archived from the first.

    `at` is in seconds since 1970. Fields and limits: Security Hub API Reference, AwsSecurityFinding.
    """
    now = datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "SchemaVersion": "2018-10-08",
        "Id": trial_finding_id(account=account, region=region),
        "ProductArn": product_arn(account=account, region=region, partition=partition),
        "ProductName": "Pull Responder",
        "CompanyName": "Pull Responder",
        "GeneratorId": f"pull-responder/{TEST}",
        "AwsAccountId": account,
        "CreatedAt": now,
        "UpdatedAt": now,
        "FindingProviderFields": {
            "Severity": {"Label": Severity.INFORMATIONAL.value, "Original": Severity.INFORMATIONAL.value},
            "Types": ["Software and Configuration Checks"],
        },
        "Title": "TEST of Pull Responder, no failure",
        "Description": f"{NO_ALERT} A test event asked whether findings arrive.",
        "Compliance": {"Status": "NOT_AVAILABLE"},
        "RecordState": "ARCHIVED",
        "ProductFields": {f"pull-responder/{TEST}": "true"},
        "Resources": [{"Type": "AwsAccount", "Id": f"AWS::::Account:{account}", "Region": region}],
    }
