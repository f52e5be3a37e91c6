"""Validate names of AWS. Each function returns the value if it is a valid name, else None.

Sources: the ECR API model (RepositoryName, ImageTag, RegistryId), the OCI image specification (digests), the AWS
SDK's partitions.json (regions) and the Amazon EC2 User Guide, "Resource IDs" (instances).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from pull_responder.model.arn import Arn

_ACCOUNT = re.compile(r"[0-9]{12}")
_REGION = re.compile(r"[a-z]{2,8}(?:-[a-z]{1,12}){1,3}-[0-9]{1,2}")
# No character can be both a separator and part of a name. So there is only one way to match, without backtracking.
_REPOSITORY = re.compile(r"[a-z0-9]+(?:(?:[._/]|__|-+)[a-z0-9]+)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,299}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_ACTION = re.compile(r"[a-z0-9-]{1,40}:[A-Za-z0-9]{1,80}")
_INSTANCE = re.compile(r"i-(?:[0-9a-f]{8}|[0-9a-f]{17})")
_EVENT_ID = re.compile(r"[A-Za-z0-9-]{1,128}")

_REPOSITORY_LENGTHS: Final = range(2, 257)


def account(value: object) -> str | None:
    """An AWS account id: twelve digits."""
    return _name(_ACCOUNT, value)


def region(value: object) -> str | None:
    """A region such as us-east-1, in any partition."""
    return _name(_REGION, value)


def repository(value: object) -> str | None:
    """An ECR repository's name, namespaces included."""
    return _name(_REPOSITORY, value) if isinstance(value, str) and len(value) in _REPOSITORY_LENGTHS else None


def tag(value: object) -> str | None:
    """An image tag."""
    return _name(_TAG, value)


def digest(value: object) -> str | None:
    """An image digest, with its algorithm."""
    return _name(_DIGEST, value)


def action(value: object) -> str | None:
    """An IAM action such as ecr:BatchGetImage."""
    return _name(_ACTION, value)


def arn(value: object) -> Arn | None:
    """An ARN in printable ASCII, so that it can be shown and compared unchanged."""
    return Arn.parse(value) if isinstance(value, str) and value.isascii() and value.isprintable() else None


def instance(value: object) -> str | None:
    """The id of an EC2 instance, in the old or the new length."""
    return _name(_INSTANCE, value)


def event_id(value: object) -> str | None:
    """The id of a CloudTrail or EventBridge event."""
    return _name(_EVENT_ID, value)


def time(value: object) -> str | None:
    """A time in ISO 8601, returned in UTC to the second ("2026-03-01T12:00:00Z").

    A time without an offset is UTC (CloudTrail User Guide, "CloudTrail record contents", eventTime).
    """
    if not (isinstance(value, str) and "T" in value):
        return None
    try:
        moment = datetime.fromisoformat(value)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        return None
    return moment.replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def _name(pattern: re.Pattern[str], value: object) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None
