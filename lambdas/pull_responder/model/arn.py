"""Amazon Resource Names (ARNs). The parser accepts untrusted text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

# The domain suffix of the ECR hosts in each partition, from the AWS SDK's partitions.json.
DNS_SUFFIXES: Final = {
    "aws": "amazonaws.com",
    "aws-cn": "amazonaws.com.cn",
    "aws-us-gov": "amazonaws.com",
    "aws-iso": "c2s.ic.gov",
    "aws-iso-b": "sc2s.sgov.gov",
    "aws-iso-e": "cloud.adc-e.uk",
    "aws-iso-f": "csp.hci.ic.gov",
    "aws-eusc": "amazonaws.eu",
}

# The region prefixes of every partition except "aws", from the AWS SDK's partitions.json.
_PARTITION_PREFIXES: Final = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eu-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}

_ARN = re.compile(
    r"arn:(?P<partition>[a-z][a-z0-9-]{0,30}):(?P<service>[a-z0-9-]{1,60}):(?P<region>[a-z0-9-]{0,60})"
    r":(?P<account>[0-9]{12}|aws|):(?P<resource>[\x21-\x7e]{1,2048})"
)


@dataclass(frozen=True, slots=True)
class Arn:
    """The parts of one ARN. `account` is empty, "aws" (AWS managed policies) or twelve digits."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> Arn | None:
        """Return the parts of the ARN `text`; None if it is not an ARN."""
        match = _ARN.fullmatch(text)
        return cls(**match.groupdict()) if match else None

    def __str__(self) -> str:
        return f"arn:{self.partition}:{self.service}:{self.region}:{self.account}:{self.resource}"


def partition_of(region_name: str) -> str:
    """Return the partition of a region, such as "aws-cn"."""
    return next((name for prefix, name in _PARTITION_PREFIXES.items() if region_name.startswith(prefix)), "aws")
