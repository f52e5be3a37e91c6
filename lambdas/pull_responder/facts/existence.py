"""Whether a broken resource still exists.

It uses calls that a diagnosis makes as well, so it needs no permission of its own. AWS still shows some resources while
they are deleted, such as terminated instances for an hour. These count as gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pull_responder.facts import compute, ec2, iam, images, kms
from pull_responder.facts.vpc import VpcPlace
from pull_responder.model.arn import Arn
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pull_responder.facts.reader import Reader
    from pull_responder.model.verdict import Resource

# Codes for the ids that are asked about here. Source: Amazon EC2 API Reference, "Error codes for the Amazon EC2 API".
_NOT_FOUND: Final = frozenset(
    {
        "InvalidGroup.NotFound",
        "InvalidNetworkAclID.NotFound",
        "InvalidRouteTableID.NotFound",
        "InvalidSubnetID.NotFound",
        "InvalidVpcEndpointId.NotFound",
        "InvalidVpcID.NotFound",
        "NatGatewayNotFound",
    }
)
_ENDED: Final = frozenset({"deleted", "deleting", "shutting-down", "terminated"})


def is_gone(resource: Resource, reader: Reader) -> bool | Unread:
    """Return whether `resource` no longer exists. Unread where that cannot be read.

    An account is never gone. A resource that was created again under the same name is another one where its ARN differs
    (node groups, Fargate profiles). Some findings are about a missing resource: its absence does not end those.
    """
    return reader.once(("is gone", resource.id), lambda: _is_gone(resource, reader))


def _is_gone(resource: Resource, reader: Reader) -> bool | Unread:
    if resource.type == "AwsAccount":
        return False
    arn = Arn.parse(resource.id)
    kind = arn.resource.partition("/")[0] if arn else ""
    look = _LOOKS.get((arn.service, kind)) if arn else None
    if arn is None or look is None:
        return Unread(f"it cannot be read whether {resource.id} still exists")
    # IAM answers in every region. Only a terminal may have no region configured.
    return look(reader, arn, arn.region or reader.aws.region or "us-east-1")


def _is_absent(found: object) -> bool | Unread:
    return found if isinstance(found, Unread) else found is None


def _name(arn: Arn) -> str:
    return arn.resource.rpartition("/")[2]


def _role(reader: Reader, arn: Arn, region: str) -> bool | Unread:
    return _is_absent(iam.read_role(reader, arn.account, region, _name(arn)))


def _instance_profile(reader: Reader, arn: Arn, region: str) -> bool | Unread:
    return _is_absent(iam.read_instance_profile(reader, arn.account, region, _name(arn)))


def _key(reader: Reader, arn: Arn, region: str) -> bool | Unread:
    return _is_absent(kms.read_key(reader, arn.account, region, str(arn)))


def _repository_or_image(reader: Reader, arn: Arn, region: str) -> bool | Unread:
    """ECR gives images no ARNs. Here their names are "…repository/NAME:TAG" and "…repository/NAME/sha256:…"."""
    path = arn.resource.partition("/")[2]
    named, _, tail = path.rpartition("/")
    if tail.startswith(("sha256:", "sha512:")):
        return _image(reader, arn, region, images.ImageName(named, digest=tail))
    name, _, tag = path.partition(":")
    if tag:
        return _image(reader, arn, region, images.ImageName(name, tag=tag))
    return _is_absent(images.read_repository(reader, arn.account, region, name))


def _image(reader: Reader, arn: Arn, region: str, wanted: images.ImageName) -> bool | Unread:
    found = images.read_image(reader, arn.account, region, wanted)
    # A tag may not find an archived image.
    return _is_absent(found or images.read_archived(reader, arn.account, region, wanted))


def _cluster(reader: Reader, arn: Arn, region: str) -> bool | Unread:
    return _is_absent(compute.read_cluster(reader, arn.account, region, _name(arn)))


def _node_group(reader: Reader, arn: Arn, region: str) -> bool | Unread:
    cluster, name = _of_cluster(arn)
    return _is_replaced(compute.read_node_group(reader, arn.account, region, cluster, name), arn)


def _fargate_profile(reader: Reader, arn: Arn, region: str) -> bool | Unread:
    cluster, name = _of_cluster(arn)
    return _is_replaced(compute.read_fargate_profile(reader, arn.account, region, cluster, name), arn)


def _of_cluster(arn: Arn) -> tuple[str, str]:
    """Return the cluster and the name in "nodegroup/CLUSTER/NAME/UUID"."""
    _, cluster, name, *_ = (*arn.resource.split("/"), "", "")
    return cluster, name


def _is_replaced(found: compute.NodeGroup | compute.FargateProfile | Unread | None, arn: Arn) -> bool | Unread:
    if found is None or isinstance(found, Unread):
        return _is_absent(found)
    return found.arn is not None and found.arn != str(arn)


def _instance(reader: Reader, arn: Arn, region: str) -> bool | Unread:
    found = ec2.read_instance(reader, arn.account, region, _name(arn))
    return found.state in _ENDED if isinstance(found, ec2.Instance) else _is_absent(found)


def _launch_template(reader: Reader, arn: Arn, region: str) -> bool | Unread:
    return _is_absent(ec2.read_launch_template(reader, arn.account, region, _name(arn), "$Default"))


def _security_group(reader: Reader, arn: Arn, region: str) -> bool | Unread:
    """A group that this account does not see may still belong to the owner of a shared VPC. Others do not see it."""
    gone = _GROUP(reader, arn, region)
    if gone is not True:
        return gone

    def owners_of(found: list[Any]) -> list[str]:
        return [each["VpcId"] for each in found if each.get("OwnerId", arn.account) != arn.account]

    vpcs = VpcPlace(arn.account, region, "").read(reader, "describe_vpcs", "Vpcs", owners_of)
    if isinstance(vpcs, Unread):
        return vpcs
    if vpcs:
        return Unread(f"{_name(arn)} is not in {arn.account}, and may belong to the owner of the shared VPC {vpcs[0]}")
    return True


@dataclass(frozen=True, slots=True)
class _Part:
    """How EC2 describes one kind of part of a VPC, by boto3's names."""

    operation: str
    ids: str
    key: str

    def __call__(self, reader: Reader, arn: Arn, region: str) -> bool | Unread:
        """Return whether EC2 shows none of this id, or only one that is being deleted."""

        def request(client: Any) -> bool:  # noqa: ANN401 -- one of boto3's generated clients
            found = getattr(client, self.operation)(**{self.ids: [_name(arn)]})[self.key]
            return all(str(each.get("State", "")).lower() in _ENDED for each in found)

        action = "ec2:" + "".join(word.capitalize() for word in self.operation.split("_"))
        gone = reader.call(action, account=arn.account, region=region, request=request, absent=_NOT_FOUND)
        return True if gone is None else gone


_GROUP: Final = _Part("describe_security_groups", "GroupIds", "SecurityGroups")

# By service and resource type in ARNs. Source: Service Authorization Reference, one page for each service.
_LOOKS: Final[Mapping[tuple[str, str], Callable[[Reader, Arn, str], bool | Unread]]] = {
    ("iam", "role"): _role,
    ("iam", "instance-profile"): _instance_profile,
    ("ecr", "repository"): _repository_or_image,
    ("kms", "key"): _key,
    ("eks", "cluster"): _cluster,
    ("eks", "nodegroup"): _node_group,
    ("eks", "fargateprofile"): _fargate_profile,
    ("ec2", "instance"): _instance,
    ("ec2", "launch-template"): _launch_template,
    ("ec2", "security-group"): _security_group,
    ("ec2", "subnet"): _Part("describe_subnets", "SubnetIds", "Subnets"),
    ("ec2", "route-table"): _Part("describe_route_tables", "RouteTableIds", "RouteTables"),
    ("ec2", "network-acl"): _Part("describe_network_acls", "NetworkAclIds", "NetworkAcls"),
    ("ec2", "vpc"): _Part("describe_vpcs", "VpcIds", "Vpcs"),
    ("ec2", "vpc-endpoint"): _Part("describe_vpc_endpoints", "VpcEndpointIds", "VpcEndpoints"),
    ("ec2", "natgateway"): _Part("describe_nat_gateways", "NatGatewayIds", "NatGateways"),
}
