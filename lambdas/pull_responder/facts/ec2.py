"""What EC2 says of nodes: their instances and launch templates."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pull_responder.facts.paging import pages
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import InstanceTypeDef

    from pull_responder.facts.reader import Reader

PERMISSIONS: Final = ("ec2:DescribeInstances",)
TEMPLATE_PERMISSIONS: Final = ("ec2:DescribeLaunchTemplateVersions",)

_NOT_FOUND: Final = frozenset({"InvalidInstanceID.NotFound", "InvalidInstanceID.Malformed"})
_NO_TEMPLATE: Final = frozenset(
    {"InvalidLaunchTemplateId.NotFound", "InvalidLaunchTemplateId.VersionNotFound", "InvalidLaunchTemplateId.Malformed"}
)
_CLUSTER_TAGS: Final = (
    "aws:eks:cluster-name",
    "eks:cluster-name",
    "eks:eks-cluster-name",
    "alpha.eksctl.io/cluster-name",
)
_CLUSTER_TAG_PREFIX: Final = "kubernetes.io/cluster/"


@dataclass(frozen=True, slots=True)
class Instance:
    """An EC2 instance, with what matters to a pull.

    - `group_ids` and `addresses` (private IPv4 and IPv6) are those of its primary interface, by which kubelet pulls.
    - `metadata_endpoint` is EC2's value ("enabled", "disabled"), None where EC2 returns none.
    - `architecture` is EC2's value ("x86_64", "arm64", ...), None where EC2 returns none.
    - `platform` is "windows", None for others.
    - `operator` is the service that manages the instance, so that nobody else can change it. It is EKS for nodes of EKS
      Auto Mode (Amazon EC2 User Guide, "Amazon EC2 managed instances").
    - `type` is its instance type ("m7g.large"), `zone` its Availability Zone; None where EC2 returns none.
    """

    id: str
    partition: str
    account: str
    region: str
    vpc_id: str | None
    subnet_id: str | None
    tags: Mapping[str, str] = field(default_factory=dict, hash=False)
    state: str = "running"
    group_ids: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    public_address: str | None = None
    profile_arn: str | None = None
    metadata_endpoint: str | None = None
    architecture: str | None = None
    platform: str | None = None
    operator: str | None = None
    type: str | None = None
    zone: str | None = None

    @property
    def arn(self) -> str:
        """The instance's ARN."""
        return f"arn:{self.partition}:ec2:{self.region}:{self.account}:instance/{self.id}"

    @property
    def is_gone(self) -> bool:
        """Whether it was terminated. EC2 then still shows its tags for a while, but not its subnet or groups."""
        return self.state in ("shutting-down", "terminated") or self.subnet_id is None

    @property
    def cluster(self) -> str | None:
        """The EKS cluster in the instance's tags, None without such a tag.

        Sources of the tags:

        - kubernetes.io/cluster/NAME: Amazon EKS User Guide, "Launch self-managed nodes".
        - eks:cluster-name: Amazon EKS User Guide, "Managed node groups". aws:eks:cluster-name is EC2's name for it.
        - eks:eks-cluster-name, of EKS Auto Mode and Karpenter: AWS Managed Policy Reference, AmazonEKSComputePolicy,
          and Karpenter's documentation, "NodeClasses".
        - alpha.eksctl.io/cluster-name: eksctl.
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
        """The managed node group of the instance, None if it is in none."""
        return self.tags.get("eks:nodegroup-name")

    @property
    def node_pool(self) -> str | None:
        """The node pool for which Karpenter or EKS Auto Mode started the instance, None for other nodes.

        Source: Karpenter's documentation, "NodeClasses"; AWS Managed Policy Reference, AmazonEKSComputePolicy.
        """
        return self.tags.get("karpenter.sh/nodepool") or self.tags.get("eks:kubernetes-node-pool-name")

    @property
    def template(self) -> tuple[str, str] | None:
        """The launch template of the instance, as its id and version.

        Source of the tags: Amazon EC2 User Guide, "Launch instances from a launch template".
        """
        template_id, version = self.tags.get("aws:ec2launchtemplate:id"), self.tags.get("aws:ec2launchtemplate:version")
        return (template_id, version) if template_id and version else None


def read_instance(reader: Reader, account: str, region: str, instance_id: str) -> Instance | Unread | None:
    """Return the instance, None if this account and region have none of this id."""

    def request(client: EC2Client) -> Instance | None:
        reservations = client.describe_instances(InstanceIds=[instance_id])["Reservations"]
        found = next((instance for each in reservations for instance in each.get("Instances", [])), None)
        return _instance(reader, account, region, found) if found else None

    return reader.call("ec2:DescribeInstances", account=account, region=region, request=request, absent=_NOT_FOUND)


def read_running_instances(
    reader: Reader, account: str | None, region: str, filters: Mapping[str, Sequence[str]]
) -> tuple[Instance, ...] | Unread:
    """Return the running instances that match all `filters` (EC2's filter names, each with its values), by id."""
    wanted = {**filters, "instance-state-name": ("running",)}

    def request(client: EC2Client) -> list[Instance]:
        listed = [{"Name": name, "Values": list(values)} for name, values in wanted.items()]
        reservations = pages(client, "describe_instances", "Reservations", Filters=listed)
        found = [instance for each in reservations for instance in each.get("Instances", [])]
        return [_instance(reader, account, region, each) for each in found]

    found = reader.call("ec2:DescribeInstances", account=account, region=region, request=request)
    if found is None or isinstance(found, Unread):
        return found or ()
    return tuple(sorted(found, key=lambda instance: instance.id))


def _instance(reader: Reader, account: str | None, region: str, found: InstanceTypeDef) -> Instance:
    interfaces = found.get("NetworkInterfaces", [])
    primary: Mapping[str, Any] = next((i for i in interfaces if i.get("Attachment", {}).get("DeviceIndex") == 0), {})
    own = reader.aws.identity()
    groups = primary.get("Groups") or found.get("SecurityGroups", [])
    address = primary.get("PrivateIpAddress") or found.get("PrivateIpAddress")
    return Instance(
        id=found["InstanceId"],
        partition=reader.partition,
        account=account or ("" if isinstance(own, Unread) else own.account),
        region=region,
        vpc_id=found.get("VpcId"),
        subnet_id=found.get("SubnetId"),
        tags={tag["Key"]: tag["Value"] for tag in found.get("Tags", []) if "Key" in tag and "Value" in tag},
        state=found.get("State", {}).get("Name", "running"),
        group_ids=tuple(group["GroupId"] for group in groups if "GroupId" in group),
        addresses=(
            *([address] if address else []),
            *(each["Ipv6Address"] for each in primary.get("Ipv6Addresses", []) if "Ipv6Address" in each),
        ),
        public_address=found.get("PublicIpAddress"),
        profile_arn=found.get("IamInstanceProfile", {}).get("Arn"),
        metadata_endpoint=found.get("MetadataOptions", {}).get("HttpEndpoint"),
        architecture=found.get("Architecture"),
        platform=found.get("Platform"),
        operator=found.get("Operator", {}).get("Principal"),
        type=found.get("InstanceType"),
        zone=found.get("Placement", {}).get("AvailabilityZone"),
    )


@dataclass(frozen=True, slots=True)
class LaunchTemplate:
    """The content of one version of a launch template. What it leaves open is empty or None.

    - `public_address` is AssociatePublicIpAddress of its primary interface.
    - `profile` is the name of the instance profile.
    """

    id: str
    version: str
    group_ids: tuple[str, ...] = ()
    public_address: bool | None = None
    metadata_endpoint: str | None = None
    subnet_id: str | None = None
    profile: str | None = None


def read_launch_template(
    reader: Reader, account: str, region: str, template_id: str, version: str
) -> LaunchTemplate | Unread | None:
    """Return a version of a launch template, None if it does not exist."""

    def request(client: EC2Client) -> LaunchTemplate | None:
        answer = client.describe_launch_template_versions(LaunchTemplateId=template_id, Versions=[version])
        data = next((each.get("LaunchTemplateData", {}) for each in answer["LaunchTemplateVersions"]), None)
        if data is None:
            return None
        interfaces = data.get("NetworkInterfaces", [])
        primary: Mapping[str, Any] = next((each for each in interfaces if each.get("DeviceIndex", 0) == 0), {})
        profile = data.get("IamInstanceProfile", {})
        return LaunchTemplate(
            id=template_id,
            version=version,
            group_ids=tuple(primary.get("Groups") or data.get("SecurityGroupIds", [])),
            public_address=primary.get("AssociatePublicIpAddress"),
            metadata_endpoint=data.get("MetadataOptions", {}).get("HttpEndpoint"),
            subnet_id=primary.get("SubnetId"),
            profile=profile.get("Name") or profile.get("Arn", "").rpartition("/")[2] or None,
        )

    return reader.call(
        "ec2:DescribeLaunchTemplateVersions", account=account, region=region, request=request, absent=_NO_TEMPLATE
    )
