"""The network interface of a Fargate pod, found by the address in its node's name.

Each Fargate pod is a node of its own. Its name, fargate-ip-10-0-1-9.…, contains its private IPv4 address. The pod pulls
its images over its own network interface. The interface has the cluster's security group, unless a SecurityGroupPolicy
in the cluster gives the pod other groups. AWS does not show these policies (Amazon EKS User Guide, "Assign security
groups to individual Pods"; AWS re:Post knowledge center, "How do I attach security groups to my Amazon EKS Pods on
Fargate").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address
from typing import TYPE_CHECKING, Final

from pull_responder.facts.paging import pages
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

    from pull_responder.facts.reader import Reader
    from pull_responder.facts.vpc import VpcPlace

_NODE_NAME: Final = re.compile(r"fargate-ip-([0-9]{1,3})-([0-9]{1,3})-([0-9]{1,3})-([0-9]{1,3})(?:\..{1,200})?")


@dataclass(frozen=True, slots=True)
class PodInterface:
    """A pod's network interface: its subnet, security groups, and private IPv4 and IPv6 addresses."""

    subnet_id: str
    group_ids: tuple[str, ...]
    addresses: tuple[str, ...]


def pod_address(node: str | None) -> str | None:
    """Return the private IPv4 address in a Fargate node's name, None for other names."""
    match = _NODE_NAME.fullmatch(node or "")
    try:
        return str(IPv4Address(".".join(match.groups()))) if match else None
    except AddressValueError:
        return None


def read_pod_interface(reader: Reader, place: VpcPlace, address: str) -> PodInterface | Unread | None:
    """Return the interface in the VPC that has this address, None where there is none."""

    def request(client: EC2Client) -> PodInterface | None:
        filters = [*place.filters, {"Name": "private-ip-address", "Values": [address]}]
        found = pages(client, "describe_network_interfaces", "NetworkInterfaces", Filters=filters)
        if len(found) != 1:
            return None
        (interface,) = found
        return PodInterface(
            interface.get("SubnetId", ""),
            tuple(group["GroupId"] for group in interface.get("Groups", []) if "GroupId" in group),
            (address, *(each["Ipv6Address"] for each in interface.get("Ipv6Addresses", []) if "Ipv6Address" in each)),
        )

    action = "ec2:DescribeNetworkInterfaces"
    return reader.call(action, account=place.account, region=place.region, request=request)
