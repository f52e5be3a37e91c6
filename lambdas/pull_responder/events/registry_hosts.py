"""Registry hosts: which of them are Amazon ECR, and whose.

Sources: ECR User Guide, "Making requests to Amazon ECR registries" and "Amazon ECR endpoints and quotas" of the AWS
General Reference; the host pattern of the ECR credential provider (kubernetes/cloud-provider-aws), which decides
whether kubelet has credentials for a host at all.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Final

from pull_responder.events import names
from pull_responder.model.arn import DNS_SUFFIXES, partition_of

# Dual-stack suffixes; every other partition is only known to have the suffix of its IPv4 hosts.
_DUAL_STACK_SUFFIXES: Final = {
    "aws": "on.aws",
    "aws-us-gov": "on.aws",
    "aws-cn": "on.amazonwebservices.com.cn",
}
_SUFFIXES: Final = frozenset((*DNS_SUFFIXES.values(), *_DUAL_STACK_SUFFIXES.values()))
_PRIVATE: Final = re.compile(r"([A-Za-z0-9_-]{1,63})\.dkr[.-]ecr(-fips)?\.([A-Za-z0-9_-]{1,63})\.([a-z0-9.-]{1,63})")

_ENDS_EARLY: Final = re.compile(r"(?:^dkr\.|\.dkr[.-])ecr[a-z-]*$")
# How alike a misspelt suffix is to AWS's own: "amazonws.com" and "amazonaws.co" are, a company's domain is not.
_ALIKE: Final = 0.85


@dataclass(frozen=True, slots=True)
class PrivateHost:
    """The host of a private ECR registry, in its parts.

    `problem` says in a few words why no such host exists, or why kubelet has no credentials for it; else None. What
    is spelt wrong is None.
    """

    account: str | None
    region: str | None
    partition: str
    fips: bool
    dual_stack: bool
    problem: str | None = None


def read_private_host(host: str) -> PrivateHost | None:
    """Return what `host`, without a port, says of a private ECR registry; None when it is no such host."""
    match = _PRIVATE.fullmatch(host.lower())
    if match is None or match[4] not in _SUFFIXES:
        return None
    account, region, suffix = names.account(match[1]), names.region(match[3]), match[4]
    partition = partition_of(match[3])
    problem = None
    if account is None:
        problem = f"{match[1]!r} is no account id of twelve digits"
    elif region is None:
        problem = f"{match[3]!r} is no region"
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
    """Return whether `host`, which `read_private_host` does not know, was most likely meant to be one that it does.

    It has the "dkr" or "ecr" of such a host, and ends as one does, or where one ends too early. Mirrors and emulators
    of ECR, whose names go on in a domain of their own, are none.
    """
    host = host.lower()
    labels = host.split(".")
    if not any(label in {"dkr", "ecr"} or label.startswith("dkr-ecr") for label in labels):
        return False
    if _ENDS_EARLY.search(host) or names.region(labels[-1]):
        return True
    ends = ((".".join(labels[-1 - suffix.count(".") :]), suffix) for suffix in _SUFFIXES)
    return any(difflib.get_close_matches(end, [suffix], 1, _ALIKE) for end, suffix in ends)
