"""The pages of diagnoses in Amazon S3, to which notifications link."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

PERMISSIONS: Final = ("s3:PutObject",)

FOLDER: Final = "problems"
"""All pages have keys that begin with this and a slash."""


def page_key(problem_id: str) -> str:
    """Return the key of the page of a problem. A later diagnosis of it has the same key, so that links stay right."""
    return f"{FOLDER}/{hashlib.sha256(problem_id.encode()).hexdigest()[:40]}.html"


def put_page(client: S3Client, *, bucket: str, owner: str, key: str, page: str) -> str:
    """Write a page. Return why that failed, in one line; empty if it did not.

    `owner` is the account that must own the bucket: a bucket of this name may be somebody else's by now (Amazon S3 User
    Guide, "Verifying bucket ownership with bucket owner condition").
    """
    try:
        client.put_object(
            Bucket=bucket,
            Key=key,
            Body=page.encode(),
            ContentType="text/html; charset=utf-8",
            CacheControl="no-store",
            ExpectedBucketOwner=owner,
        )
    except (BotoCoreError, ClientError) as error:
        return " ".join(f"s3:PutObject failed: {type(error).__name__}: {error}".split())
    return ""
