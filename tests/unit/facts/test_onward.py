"""Which private hosted zones of a VPC are read."""

from __future__ import annotations

import pytest

from pull_responder.facts.onward import has_zones_of_aws
from pull_responder.facts.vpc_dns import ZoneSummary
from tests.unit.facts.conftest import REGION


@pytest.mark.parametrize(
    ("name", "is_read"),
    [
        (f"dkr.ecr.{REGION}.amazonaws.com", True),
        (f"111111111111.dkr.ecr.{REGION}.amazonaws.com", True),
        (f"api.ecr.{REGION}.amazonaws.com", True),
        (f"ecr-fips.{REGION}.amazonaws.com", True),
        (f"s3.{REGION}.amazonaws.com", True),
        (f"dualstack.{REGION}.amazonaws.com", True),
        (f"dkr-ecr.{REGION}.on.aws", True),
        (f"{REGION}.amazonaws.com", True),
        ("amazonaws.com", True),
        ("com", True),
        (f"ec2.{REGION}.amazonaws.com", False),
        (f"api.sagemaker.{REGION}.amazonaws.com", False),
        ("example.com", False),
    ],
)
def test_a_zone_for_another_service_is_not_read(name: str, *, is_read: bool) -> None:
    assert has_zones_of_aws((ZoneSummary(name, "Z1", "222222222222"),)) is is_read
