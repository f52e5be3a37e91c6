"""Parse the hosts of private Amazon ECR registries: account, region and kind of endpoint.

Sources: ECR User Guide, "Making requests to Amazon ECR registries"; AWS General Reference, "Amazon ECR endpoints and
quotas"; the host pattern of the ECR credential provider (kubernetes/cloud-provider-aws). That pattern decides whether
kubelet has credentials for a host.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Final

from pull_responder.events import names
from pull_responder.model.arn import DNS_SUFFIXES, partition_of

# Dual-stack suffixes. For the other partitions, only the suffix of the IPv4 hosts is known. Inference: that of aws-eusc
# follows from the partition's dual-stack domain in the AWS SDK's partitions.json, as those of the others do.
_DUAL_STACK_SUFFIXES: Final = {
    "aws": "on.aws",
    "aws-us-gov": "on.aws",
    "aws-cn": "on.amazonwebservices.com.cn",
    "aws-eusc": "on.amazonwebservices.eu",
}
_SUFFIXES: Final = frozenset((*DNS_SUFFIXES.values(), *_DUAL_STACK_SUFFIXES.values()))
_PRIVATE: Final = re.compile(r"([A-Za-z0-9_-]{1,63})\.dkr[.-]ecr(-fips)?\.([A-Za-z0-9_-]{1,63})\.([a-z0-9.-]{1,63})")

_ENDS_EARLY: Final = re.compile(r"(?:^dkr\.|\.dkr[.-])ecr[a-z-]*$")
# The similarity from which a suffix counts as AWS's, misspelt: "amazonws.com" and "amazonaws.co" do, a company's domain
# does not.
_ALIKE: Final = 0.85


@dataclass(frozen=True, slots=True)
class PrivateHost:
    """The parts of the host of a private ECR registry.

    - `account`, `region`: None if spelt wrong.
    - `fips`, `dual_stack`: the kind of endpoint.
    - `problem`: why the host cannot exist, or why kubelet has no credentials for it, in a few words; else None.
    """

    account: str | None
    region: str | None
    partition: str
    fips: bool
    dual_stack: bool
    problem: str | None


def read_private_host(host: str) -> PrivateHost | None:
    """Return the parts of `host`, given without port. None if it is not the host of a private ECR registry."""
    match = _PRIVATE.fullmatch(host.lower())
    if match is None or match[4] not in _SUFFIXES:
        return None
    account, region, suffix = names.account(match[1]), names.region(match[3]), match[4]
    partition = partition_of(match[3])
    problem = None
    if account is None:
        problem = f"{match[1]!r} is not an account id of twelve digits"
    elif region is None:
        problem = f"{match[3]!r} is not a region"
    elif host != host.lower():
        problem = "the registry's host has upper case letters, so kubelet finds no ECR credentials for it"
    elif suffix not in (DNS_SUFFIXES[partition], _DUAL_STACK_SUFFIXES.get(partition)):
        problem = f"the registry hosts of {region} end in {DNS_SUFFIXES[partition]}, not in {suffix}"
    return PrivateHost(
        account=account,
        region=region,
        partition=partition,
        fips=match[2] is not None,
        dual_stack=suffix in _DUAL_STACK_SUFFIXES.values(),
        problem=problem,
    )


def is_nearly_private(host: str) -> bool:
    """Return whether `host`, which `read_private_host` does not accept, is most likely a misspelt private ECR host.

    Such a host has a label "dkr" or "ecr". It ends almost like an ECR host, or ends too early. Mirrors and emulators of
    ECR, which have a domain of their own, do not count.
    """
    host = host.lower()
    labels = host.split(".")
    if not any(label in {"dkr", "ecr"} or label.startswith("dkr-ecr") for label in labels):
        return False
    if _ENDS_EARLY.search(host) or names.region(labels[-1]):
        return True
    ends = ((".".join(labels[-1 - suffix.count(".") :]), suffix) for suffix in _SUFFIXES)
    return any(difflib.get_close_matches(end, [suffix], 1, _ALIKE) for end, suffix in ends)
