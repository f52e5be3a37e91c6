"""What EKS says of a cluster and of what runs its pods: node groups and Fargate profiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.facts.paging import pages
from pull_responder.model.reading import Unread

if TYPE_CHECKING:
    from mypy_boto3_eks import EKSClient

    from pull_responder.facts.reading import Reading

PERMISSIONS: Final = (
    "eks:DescribeCluster",
    "eks:DescribeFargateProfile",
    "eks:DescribeNodegroup",
    "eks:ListFargateProfiles",
    "eks:ListNodegroups",
)

_GONE: Final = frozenset({"ResourceNotFoundException"})


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster. `group_id` is the security group that EKS made for it, which its nodes and Fargate pods have.

    `auto_mode_role` is the role of the nodes that EKS Auto Mode starts, None where it does not; `hybrid` says that
    nodes outside AWS may join. `vpc_id` is None where EKS does not tell: then `subnet_ids` do.
    """

    name: str
    vpc_id: str | None
    subnet_ids: tuple[str, ...]
    group_id: str | None
    auto_mode_role: str | None = None
    hybrid: bool = False


@dataclass(frozen=True, slots=True)
class HealthIssue:
    """What EKS reports of a node group or Fargate profile, in its own words."""

    code: str
    message: str
    resource_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeGroup:
    """A managed node group. `template` is the customer's own launch template, as its id and version; `ami_type` is
    EKS's word for its nodes' operating system and architecture ("AL2023_ARM_64_STANDARD", "CUSTOM", ...).
    """

    cluster: str
    name: str
    role_arn: str | None
    subnet_ids: tuple[str, ...]
    template: tuple[str, str] | None = None
    remote_access_group_id: str | None = None
    ami_type: str | None = None
    arn: str | None = None
    issues: tuple[HealthIssue, ...] = ()


@dataclass(frozen=True, slots=True)
class FargateProfile:
    """A Fargate profile; `role_arn` is its pod execution role, `arn` its own."""

    cluster: str
    name: str
    role_arn: str | None
    subnet_ids: tuple[str, ...]
    arn: str | None = None
    issues: tuple[HealthIssue, ...] = ()


def read_cluster(reading: Reading, account: str | None, region: str, name: str) -> Cluster | Unread | None:
    """Return the cluster, None if there is none of this name."""

    def request(client: EKSClient) -> Cluster:
        found = client.describe_cluster(name=name)["cluster"]
        vpc = found.get("resourcesVpcConfig", {})
        auto = found.get("computeConfig", {})
        return Cluster(
            name=name,
            vpc_id=vpc.get("vpcId"),
            subnet_ids=tuple(vpc.get("subnetIds", [])),
            group_id=vpc.get("clusterSecurityGroupId"),
            auto_mode_role=auto.get("nodeRoleArn") if auto.get("enabled") else None,
            hybrid=bool(found.get("remoteNetworkConfig", {}).get("remoteNodeNetworks")),
        )

    return reading.call("eks:DescribeCluster", account=account, region=region, request=request, absent=_GONE)


def read_node_group(
    reading: Reading, account: str | None, region: str, cluster: str, name: str
) -> NodeGroup | Unread | None:
    """Return the node group, None if the cluster has none of this name."""

    def request(client: EKSClient) -> NodeGroup:
        found = client.describe_nodegroup(clusterName=cluster, nodegroupName=name)["nodegroup"]
        template = found.get("launchTemplate", {})
        template_id = template.get("id")
        return NodeGroup(
            cluster=cluster,
            name=name,
            role_arn=found.get("nodeRole"),
            subnet_ids=tuple(found.get("subnets", [])),
            template=(template_id, template.get("version", "$Default")) if template_id else None,
            remote_access_group_id=found.get("resources", {}).get("remoteAccessSecurityGroup"),
            ami_type=found.get("amiType"),
            arn=found.get("nodegroupArn"),
            issues=tuple(
                HealthIssue(each.get("code", ""), each.get("message", ""), tuple(each.get("resourceIds", [])))
                for each in found.get("health", {}).get("issues", [])
            ),
        )

    return reading.call("eks:DescribeNodegroup", account=account, region=region, request=request, absent=_GONE)


def read_fargate_profile(
    reading: Reading, account: str | None, region: str, cluster: str, name: str
) -> FargateProfile | Unread | None:
    """Return the Fargate profile, None if the cluster has none of this name."""

    def request(client: EKSClient) -> FargateProfile:
        found = client.describe_fargate_profile(clusterName=cluster, fargateProfileName=name)["fargateProfile"]
        return FargateProfile(
            cluster,
            name,
            found.get("podExecutionRoleArn"),
            tuple(found.get("subnets", [])),
            found.get("fargateProfileArn"),
            tuple(
                HealthIssue(each.get("code", ""), each.get("message", ""), tuple(each.get("resourceIds", [])))
                for each in found.get("health", {}).get("issues", [])
            ),
        )

    return reading.call("eks:DescribeFargateProfile", account=account, region=region, request=request, absent=_GONE)


def read_node_group_names(
    reading: Reading, account: str | None, region: str, cluster: str
) -> tuple[str, ...] | Unread | None:
    """Return the names of the cluster's node groups, None if there is no such cluster."""

    def request(client: EKSClient) -> tuple[str, ...]:
        return tuple(pages(client, "list_nodegroups", "nodegroups", clusterName=cluster))

    return reading.call("eks:ListNodegroups", account=account, region=region, request=request, absent=_GONE)


def read_fargate_profile_names(
    reading: Reading, account: str | None, region: str, cluster: str
) -> tuple[str, ...] | Unread | None:
    """Return the names of the cluster's Fargate profiles, None if there is no such cluster."""

    def request(client: EKSClient) -> tuple[str, ...]:
        return tuple(pages(client, "list_fargate_profiles", "fargateProfileNames", clusterName=cluster))

    return reading.call("eks:ListFargateProfiles", account=account, region=region, request=request, absent=_GONE)
