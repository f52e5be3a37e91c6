"""A cluster and what runs its pods, as EKS describes them: node groups, Fargate profiles, access entries of nodes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pull_responder.facts.paging import pages
from pull_responder.model.pattern import compile_pattern
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_eks import EKSClient

    from pull_responder.facts.reader import Reader

PERMISSIONS: Final = (
    "eks:DescribeAccessEntry",
    "eks:DescribeCluster",
    "eks:DescribeFargateProfile",
    "eks:DescribeNodegroup",
    "eks:ListAccessEntries",
    "eks:ListFargateProfiles",
    "eks:ListNodegroups",
)

_GONE: Final = frozenset({"ResourceNotFoundException"})
# Inference: a cluster that only uses the aws-auth ConfigMap has no access entries. EKS then answers with this error
# (EKS API Reference, ListAccessEntries: "invalid given the state of the cluster").
_NO_ENTRIES: Final = _GONE | {"InvalidRequestException"}


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster.

    - `group_id` is the security group that EKS creates for it. Its nodes and Fargate pods have this group.
    - `auto_mode_role` is the role of nodes that EKS Auto Mode starts, None where it is off.
    - `hybrid` says that nodes outside AWS may join.
    - `vpc_id` is None where EKS does not name it. Then `subnet_ids` lead to the VPC.
    - `issuer` is the URL of its OIDC issuer, without the scheme. None where EKS does not name it.
    """

    name: str
    vpc_id: str | None
    subnet_ids: tuple[str, ...]
    group_id: str | None
    auto_mode_role: str | None = None
    hybrid: bool = False
    issuer: str | None = None


@dataclass(frozen=True, slots=True)
class HealthIssue:
    """An issue that EKS reports of a node group or Fargate profile, in EKS's own words."""

    code: str
    message: str
    resource_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeGroup:
    """A managed node group.

    - `template` is the customer's own launch template, as its id and version.
    - `ami_type` is EKS's name for the nodes' operating system and architecture ("AL2023_ARM_64_STANDARD", "CUSTOM",
      ...).
    - `labels` and `taints` are those that EKS gives its nodes.
    - `instance_types` are empty where the launch template names the type.
    - `capacity_type` is EKS's value ("ON_DEMAND", "SPOT", ...), None where EKS returns none.
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
    labels: tuple[tuple[str, str], ...] = ()
    taints: tuple[Taint, ...] = ()
    instance_types: tuple[str, ...] = ()
    capacity_type: str | None = None


@dataclass(frozen=True, slots=True)
class Taint:
    """A taint of a node group's nodes. `effect` is EKS's word ("NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE")."""

    key: str
    value: str
    effect: str


@dataclass(frozen=True, slots=True)
class FargateProfile:
    """A Fargate profile. `role_arn` is its pod execution role, `arn` its own ARN.

    `selectors` are the namespaces and labels by which it selects pods. Both may have the wildcards `*` and `?`. None
    where EKS did not return them.
    """

    cluster: str
    name: str
    role_arn: str | None
    subnet_ids: tuple[str, ...]
    arn: str | None = None
    issues: tuple[HealthIssue, ...] = ()
    selectors: tuple[Selector, ...] | None = None

    def may_select(self, namespace: str, labels: Mapping[str, str] | None = None) -> bool:
        """Return whether it may select a pod of this namespace. `labels` are the pod's, None where they are not known.

        Source: Amazon EKS User Guide, "Define which Pods use AWS Fargate when launched", "Fargate profile wildcards".
        """
        return self.selectors is None or any(each.may_fit(namespace, labels) for each in self.selectors)


@dataclass(frozen=True, slots=True)
class Selector:
    """One selector of a Fargate profile. It selects a pod of its namespace that has all its labels."""

    namespace: str
    labels: tuple[tuple[str, str], ...] = ()

    def may_fit(self, namespace: str, labels: Mapping[str, str] | None) -> bool:
        """Return whether the selector may select a pod, as far as the pod is known."""
        if not compile_pattern(self.namespace)(namespace):
            return False
        wanted = [(compile_pattern(name), compile_pattern(value)) for name, value in self.labels]
        return labels is None or all(
            any(fits_name(name) and fits_value(value) for name, value in labels.items())
            for fits_name, fits_value in wanted
        )


class EntryType(StrEnum):
    """The types of access entry for nodes. STANDARD, the type for people, is not among them.

    Source: Amazon EKS User Guide, "Create access entries" and "Review access entry types". EC2 is for EKS Auto Mode.
    EC2_LINUX and EC2_WINDOWS are for all other nodes on EC2. EKS itself creates the entries of managed node groups.
    """

    AUTO_MODE = "EC2"
    LINUX = "EC2_LINUX"
    WINDOWS = "EC2_WINDOWS"
    FARGATE = "FARGATE_LINUX"
    HYBRID = "HYBRID_LINUX"
    HYPERPOD = "HYPERPOD_LINUX"


@dataclass(frozen=True, slots=True)
class AccessEntry:
    """An access entry: it lets a principal into a cluster. `type` is None for an entry that is not for nodes."""

    cluster: str
    principal_arn: str
    type: EntryType | None


def read_cluster(reader: Reader, account: str | None, region: str, name: str) -> Cluster | Unread | None:
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
            issuer=found.get("identity", {}).get("oidc", {}).get("issuer", "").partition("://")[2] or None,
        )

    return reader.call("eks:DescribeCluster", account=account, region=region, request=request, absent=_GONE)


def read_node_group(
    reader: Reader, account: str | None, region: str, cluster: str, name: str
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
            labels=tuple(found.get("labels", {}).items()),
            taints=tuple(
                Taint(each.get("key", ""), each.get("value", ""), each.get("effect", ""))
                for each in found.get("taints", [])
            ),
            instance_types=tuple(found.get("instanceTypes", [])),
            capacity_type=found.get("capacityType"),
        )

    return reader.call("eks:DescribeNodegroup", account=account, region=region, request=request, absent=_GONE)


def read_fargate_profile(
    reader: Reader, account: str | None, region: str, cluster: str, name: str
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
            tuple(
                Selector(each.get("namespace", ""), tuple(each.get("labels", {}).items()))
                for each in found.get("selectors", [])
            )
            or None,
        )

    return reader.call("eks:DescribeFargateProfile", account=account, region=region, request=request, absent=_GONE)


def read_node_group_names(
    reader: Reader, account: str | None, region: str, cluster: str
) -> tuple[str, ...] | Unread | None:
    """Return the names of the cluster's node groups, None if there is no such cluster."""

    def request(client: EKSClient) -> tuple[str, ...]:
        return tuple(pages(client, "list_nodegroups", "nodegroups", clusterName=cluster))

    return reader.call("eks:ListNodegroups", account=account, region=region, request=request, absent=_GONE)


def read_fargate_profile_names(
    reader: Reader, account: str | None, region: str, cluster: str
) -> tuple[str, ...] | Unread | None:
    """Return the names of the cluster's Fargate profiles, None if there is no such cluster."""

    def request(client: EKSClient) -> tuple[str, ...]:
        return tuple(pages(client, "list_fargate_profiles", "fargateProfileNames", clusterName=cluster))

    return reader.call("eks:ListFargateProfiles", account=account, region=region, request=request, absent=_GONE)


def read_access_entry_arns(reader: Reader, account: str | None, region: str, cluster: str) -> tuple[str, ...] | Unread:
    """Return the principals that have an access entry in the cluster."""

    def request(client: EKSClient) -> tuple[str, ...]:
        return tuple(pages(client, "list_access_entries", "accessEntries", clusterName=cluster))

    found = reader.call("eks:ListAccessEntries", account=account, region=region, request=request, absent=_NO_ENTRIES)
    return () if found is None else found


def read_access_entry(
    reader: Reader, account: str | None, region: str, cluster: str, principal_arn: str
) -> AccessEntry | Unread | None:
    """Return a principal's access entry, None if it has none."""

    def request(client: EKSClient) -> AccessEntry:
        found = client.describe_access_entry(clusterName=cluster, principalArn=principal_arn)["accessEntry"]
        kind = found.get("type", "")
        return AccessEntry(cluster, principal_arn, EntryType(kind) if kind in frozenset(EntryType) else None)

    return reader.call("eks:DescribeAccessEntry", account=account, region=region, request=request, absent=_NO_ENTRIES)


def may_be_node_role(principal_arn: str) -> bool:
    """Return whether the principal of an access entry can be a role of nodes.

    Users are none, and neither are service-linked roles and those of IAM Identity Center, which have paths of their own
    (IAM User Guide, "Service-linked roles"; IAM Identity Center User Guide, "Referencing permission sets").
    """
    reserved = (":role/aws-service-role/", ":role/aws-reserved/")
    return ":role/" in principal_arn and not any(path in principal_arn for path in reserved)
