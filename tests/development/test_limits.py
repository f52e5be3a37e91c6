"""The buckets of calls of bench/limits.py."""

from __future__ import annotations

import pytest

from bench.limits import Bucket, Limit, documented_limit


def test_the_burst_comes_first_and_then_so_many_a_second() -> None:
    bucket = Bucket(Limit(3, 2))
    assert [bucket.wait(100, patience=10) for _ in range(5)] == [0, 0, 0, 0.5, 1.0]
    assert bucket.wait(103, patience=10) == 0


def test_who_would_wait_for_too_long_takes_nothing() -> None:
    bucket = Bucket(Limit(1, 1))
    assert bucket.wait(100, patience=1) == 0
    assert bucket.wait(100, patience=1) == 1
    assert bucket.wait(100, patience=1) is None
    assert bucket.wait(101, patience=1) == 1, "the refused call has used up none"


def test_the_least_that_was_left_is_known() -> None:
    bucket = Bucket(Limit(4, 2))
    bucket.wait(100, patience=1)
    assert bucket.lowest == 0.75
    bucket.wait(200, patience=1)
    assert bucket.lowest == 0.75
    for _ in range(9):
        bucket.wait(200, patience=1)
    assert bucket.lowest == 0


@pytest.mark.parametrize(
    ("service", "operation", "limit"),
    [
        ("cloudtrail", "LookupEvents", Limit(2, 2)),
        ("securityhub", "GetFindings", Limit(6, 3)),
        ("securityhub", "BatchImportFindings", Limit(30, 10)),
        ("sts", "AssumeRole", Limit(600, 600, shared=True)),
        ("ec2", "DescribeInstances", Limit(100, 20)),
        ("iam", "GetRole", Limit(100, 20, documented=False)),
    ],
)
def test_what_aws_documents(service: str, operation: str, limit: Limit) -> None:
    assert documented_limit(service, operation) == limit
