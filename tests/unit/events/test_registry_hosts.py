"""Hosts of private registries: their parts, and why kubelet has no credentials for one."""

from __future__ import annotations

import pytest

from pull_responder.events.registry_hosts import PrivateHost, read_private_host

ACCOUNT = "111111111111"


@pytest.mark.parametrize(
    ("host", "parts"),
    [
        (f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com", (ACCOUNT, "us-east-1", "aws", False, False, None)),
        (f"{ACCOUNT}.dkr-ecr-fips.us-east-1.on.aws", (ACCOUNT, "us-east-1", "aws", True, True, None)),
        (
            f"{ACCOUNT}.DKR.ecr.us-east-1.amazonaws.com",
            (
                *(ACCOUNT, "us-east-1", "aws", False, False),
                "the registry's host has upper case letters, so kubelet finds no ECR credentials for it",
            ),
        ),
        (
            "1111.dkr.ecr.us-east-1.amazonaws.com",
            (None, "us-east-1", "aws", False, False, "'1111' is not an account id of twelve digits"),
        ),
        (
            f"{ACCOUNT}.dkr.ecr.us-east.amazonaws.com",
            (ACCOUNT, None, "aws", False, False, "'us-east' is not a region"),
        ),
        (
            f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com.cn",
            (
                *(ACCOUNT, "us-east-1", "aws", False, False),
                "the registry hosts of us-east-1 end in amazonaws.com, not in amazonaws.com.cn",
            ),
        ),
        # No dual-stack hosts are known of the isolated partitions.
        (
            f"{ACCOUNT}.dkr-ecr.us-iso-east-1.on.aws",
            (
                *(ACCOUNT, "us-iso-east-1", "aws-iso", False, True),
                "the registry hosts of us-iso-east-1 end in c2s.ic.gov, not in on.aws",
            ),
        ),
    ],
)
def test_the_parts_of_a_host(host: str, parts: tuple[str | None, str | None, str, bool, bool, str | None]) -> None:
    account, region, partition, fips, dual_stack, problem = parts
    assert read_private_host(host) == PrivateHost(account, region, partition, fips, dual_stack, problem)


@pytest.mark.parametrize(
    "host",
    [
        *("", "public.ecr.aws", f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.org", f"x.{ACCOUNT}.dkr.ecr.us-east-1.on.aws"),
        *(f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com:443", f"{ACCOUNT}.dkr_ecr.us-east-1.on.aws"),
    ],
)
def test_hosts_that_are_none_of_a_private_registry(host: str) -> None:
    assert read_private_host(host) is None
