"""The regions that an account may use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

    from pull_responder.facts.reader import Reader
    from pull_responder.model.unread import Unread

PERMISSIONS: Final = ("ec2:DescribeRegions",)


def read_enabled_regions(reader: Reader, account: str, region: str) -> tuple[str, ...] | Unread:
    """Return the regions that are enabled for the account, as EC2 says in `region`.

    Source: Amazon EC2 API Reference, DescribeRegions: without AllRegions it returns only enabled ones.
    """

    def request(client: EC2Client) -> tuple[str, ...]:
        return tuple(sorted(each["RegionName"] for each in client.describe_regions()["Regions"]))

    found = reader.call("ec2:DescribeRegions", account=account, region=region, request=request)
    return () if found is None else found
