"""The names AWS allows, and what is dropped instead of passed on."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pull_responder.events import names
from pull_responder.model.arn import partition_of


@pytest.mark.parametrize("value", ["111111111111", "000000000000"])
def test_accounts(value: str) -> None:
    assert names.account(value) == value


@pytest.mark.parametrize("value", ["", "11111111111", "1111111111111", "anonymous", "\u0661" * 12, 111111111111, None])
def test_no_accounts(value: object) -> None:
    assert names.account(value) is None


@pytest.mark.parametrize(
    "value", ["us-east-1", "us-gov-west-1", "us-isob-east-1", "eusc-de-east-1", "cn-northwest-1", "ap-southeast-14"]
)
def test_regions(value: str) -> None:
    assert names.region(value) == value


@pytest.mark.parametrize(
    "value", ["", "us-east", "us-east-1a", "US-EAST-1", "us-east-1\n", "evil.example/us-east-1", 1]
)
def test_no_regions(value: object) -> None:
    assert names.region(value) is None


@pytest.mark.parametrize("value", ["ab", "team/payments", "a.b_c__d---e/f", "1/2/3", "a" * 256])
def test_repositories(value: str) -> None:
    assert names.repository(value) == value


@pytest.mark.parametrize("value", ["", "a", "a" * 257, "Team", "a//b", "/ab", "ab/", "a..b", "a___b", "a b", "*", None])
def test_no_repositories(value: object) -> None:
    assert names.repository(value) is None


@pytest.mark.parametrize("value", ["v1.4.2", "latest", "_x", "a" * 300])
def test_tags(value: str) -> None:
    assert names.tag(value) == value


@pytest.mark.parametrize("value", ["", ".x", "-x", "a b", "a" * 301, "v1\n", "v1\x1b[0m", "a/b", None])
def test_no_tags(value: object) -> None:
    assert names.tag(value) is None


@pytest.mark.parametrize("value", ["sha256:" + "0f" * 32, "sha512:" + "0f" * 64])
def test_digests(value: str) -> None:
    assert names.digest(value) == value


@pytest.mark.parametrize("value", ["", "sha256:0f", "sha256:" + "0F" * 32, "md5:" + "0f" * 16, "sha512:" + "0f" * 32])
def test_no_digests(value: object) -> None:
    assert names.digest(value) is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z"),
        ("2026-03-01T12:00:00.987Z", "2026-03-01T12:00:00Z"),
        ("2026-03-01T14:00:00+02:00", "2026-03-01T12:00:00Z"),
        ("2026-03-01T12:00:00", "2026-03-01T12:00:00Z"),
        ("2026-03-01", None),
        ("2026-02-30T12:00:00Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday, aT noon", None),
        ("", None),
        (1772366400, None),
        (None, None),
    ],
)
def test_times(value: object, expected: str | None) -> None:
    assert names.time(value) == expected


def test_a_time_without_an_offset_is_utc_wherever_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert names.time("2026-03-01T12:00:00") == "2026-03-01T12:00:00Z"
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("value", ["ecr:BatchGetImage", "ecr-public:GetAuthorizationToken"])
def test_actions(value: str) -> None:
    assert names.action(value) == value


@pytest.mark.parametrize("value", ["", "ecr", "ecr:", ":x", "ecr:Batch*", "ECR:x", "a:b:c", "ecr:" + "a" * 81, None])
def test_no_actions(value: object) -> None:
    assert names.action(value) is None


@pytest.mark.parametrize("value", ["0ec71efc-98dd-3203-60b0-4b939b2a5e5f", "e-1", "a" * 128])
def test_event_ids(value: str) -> None:
    assert names.event_id(value) == value


@pytest.mark.parametrize("value", ["", "a b", "a" * 129, "a\n", "a_b", 7, None])
def test_no_event_ids(value: object) -> None:
    assert names.event_id(value) is None


def test_arns() -> None:
    arn = names.arn("arn:aws:iam::111111111111:role/x")
    assert arn is not None
    assert (arn.account, arn.resource) == ("111111111111", "role/x")


@pytest.mark.parametrize("value", ["i-0123abcd", "i-0123456789abcdef0"])
def test_instances(value: str) -> None:
    assert names.instance(value) == value


@pytest.mark.parametrize("value", ["", "i-", "i-0123abc", "i-0123abcde", "i-0123456789ABCDEF0", "mi-0123abcd", 1, None])
def test_no_instances(value: object) -> None:
    assert names.instance(value) is None


@given(st.text())
def test_any_text_is_a_time_or_none(value: str) -> None:
    assert names.time(value) is None or names.time(names.time(value)) == names.time(value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "arn:aws:iam::111111111111",
        "arn:aws:iam::111111111111:role/\x1b[31m",
        "arn:aws:iam::" + "\u0661" * 12 + ":role/x",
        None,
    ],
)
def test_no_arns(value: object) -> None:
    assert names.arn(value) is None


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("us-east-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-east-1", "aws-us-gov"),
        ("us-iso-west-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eu-isoe-west-1", "aws-iso-e"),
        ("us-isof-south-1", "aws-iso-f"),
        ("eusc-de-east-1", "aws-eusc"),
    ],
)
def test_the_partition_of_a_region(region: str, partition: str) -> None:
    assert partition_of(region) == partition
