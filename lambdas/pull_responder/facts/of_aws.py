"""Which private hosted zones may answer for the hosts of ECR and of its layers: by their names."""

from __future__ import annotations

from typing import Final

from pull_responder.model.arn import DNS_SUFFIXES
from pull_responder.network.resolver import is_below

# Below which domains the hosts of ECR and of its layers are.
_SUFFIXES: Final = (
    *dict.fromkeys(DNS_SUFFIXES.values()),
    "on.aws",
    "api.aws",
    "on.amazonwebservices.com.cn",
    "api.amazonwebservices.com.cn",
    "on.amazonwebservices.eu",
    "api.amazonwebservices.eu",
)
# How the labels before the region begin in the names of ECR and of S3: ecr-fips, dkr-ecr, s3.dualstack.
_OF_PULLS: Final = ("ecr", "dkr", "s3", "dualstack")


def may_answer(zone: str) -> bool:
    """Return whether a zone of this name may answer for names of ECR and of its layers.

    It is above a domain of AWS, or below it and not for another service: shared endpoints have a zone for each service,
    such as ec2.us-east-1.amazonaws.com, and often dozens of them.
    """
    for domain in _SUFFIXES:
        if zone and is_below(f"a.{domain}", zone):
            return True
        if is_below(zone, domain):
            *service, _ = zone.removesuffix(domain).rstrip(".").split(".")
            return not service or any(label.startswith(_OF_PULLS) for label in service)
    return False
