"""What EC2 says of a node."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pull_responder.model.reading import Unread

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import InstanceTypeDef

    from pull_responder.facts.reading import Reading

PERMISSIONS: Final = ("ec2:DescribeInstances",)

_NOT_FOUND: Final = frozenset({"InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed"})
_CLUSTER_TAGS: Final = (
    "aws:eks:cluster-name",
    "eks:cluster-name",
    "eks:eks-cluster-name",
    "alpha.eksctl.io/cluster-name",
)
_CLUSTER_TAG_PREFIX: Final = "kubernetes.io/cluster/"


@dataclass(frozen=True, slots=True)
class Instance:
    """An EC2 instance, as far as it matters to a pull."""

    id: str
    partition: str
    account: str
    region: str
    vpc_id: str | None
    subnet_id: str | None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def arn(self) -> str:
        """The instance's ARN."""
        return f"arn:{self.partition}:ec2:{self.region}:{self.account}:instance/{self.id}"

    @property
    def cluster(self) -> str | None:
        """The EKS cluster whose tag the instance carries, None if it carries none.

        Source: Amazon EKS User Guide, "Launch self-managed nodes" (kubernetes.io/cluster/NAME) and "Managed node
        groups" (eks:cluster-name); the others are set by EKS Auto Mode and by eksctl.
        """
        for key in _CLUSTER_TAGS:
            if self.tags.get(key):
                return self.tags[key]
        for key, value in self.tags.items():
            if key.startswith(_CLUSTER_TAG_PREFIX) and value in ("owned", "shared"):
                return key.removeprefix(_CLUSTER_TAG_PREFIX)
        return None

    @property
    def node_group(self) -> str | None:
        """The managed node group the instance belongs to, None if it is in none."""
        return self.tags.get("eks:nodegroup-name")


def read_instance(reading: Reading, account: str, region: str, instance_id: str) -> Instance | Unread | None:
    """Return the instance, None if this account and region have none of this id (any more)."""

    def request(client: EC2Client) -> InstanceTypeDef | None:
        reservations = client.describe_instances(InstanceIds=[instance_id])["Reservations"]
        return next((instance for each in reservations for instance in each.get("Instances", [])), None)

    found = reading.call("ec2:DescribeInstances", account=account, region=region, request=request, absent=_NOT_FOUND)
    if found is None or isinstance(found, Unread):
        return found
    return Instance(
        id=instance_id,
        partition=reading.partition,
        account=account,
        region=region,
        vpc_id=found.get("VpcId"),
        subnet_id=found.get("SubnetId"),
        tags={tag["Key"]: tag["Value"] for tag in found.get("Tags", []) if "Key" in tag and "Value" in tag},
    )
