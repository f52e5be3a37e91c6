"""The resources of a finding in the AWS Security Finding Format."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pull_responder.findings.finding import Finding
from pull_responder.model.arn import Arn
from pull_responder.model.pull import Principal, PrincipalKind, PullFailure
from pull_responder.model.verdict import Resource
from pull_responder.publish.text import last_name, one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from mypy_boto3_securityhub.literals import PartitionType
    from mypy_boto3_securityhub.type_defs import ResourceDetailsTypeDef, ResourceTypeDef

# Security Hub API Reference, AwsSecurityFinding (Resources) and Resource (Type, Region).
_MOST: Final = 32
_TYPE: Final = 256
_REGION: Final = 16
# Inference: no limit of Id is documented. An ARN has at most 2048 characters.
_ID: Final = 2048

# The enumeration of Partition lacks the newer partitions. There the field is left out.
_PARTITIONS: Final[dict[str, PartitionType]] = {"aws": "aws", "aws-cn": "aws-cn", "aws-us-gov": "aws-us-gov"}


# EC2 API Reference, Instance: old ids have 8 hexadecimal digits, newer ones 17.
_INSTANCE: Final = re.compile(r"i-[0-9a-f]{8}(?:[0-9a-f]{9})?")


def asff_resources(
    finding: Finding, *, region: str, partition: str, nodes: Sequence[str] = ()
) -> list[ResourceTypeDef]:
    """Return the resources of `finding`, each once, at most 32.

    The order: the resource at fault, the related ones, those that the pull names, then the affected `nodes` that are
    given by instance id. ASFF has no resource type for a pod, or for a node known only by name: ProductFields
    lists them.

    `region` is used for global resources, as in Security Hub's own findings about IAM. `partition` is used for
    resources whose id is not an ARN.
    """
    found: dict[str, ResourceTypeDef] = {}
    for resource in (*_resources(finding), *_instances(finding, nodes)):
        if not any(_is_same_resource(known, resource) for known in found.values()):
            entry = _entry(resource, finding.pull, region=region, partition=partition)
            found.setdefault(entry["Id"], entry)
    return list(found.values())[:_MOST]


def _resources(finding: Finding) -> Iterator[Resource]:
    yield finding.resource
    yield from finding.related
    pull, principal = finding.pull, finding.pull.principal
    if principal:
        yield from _principal(principal)
    if pull.repository_arn and pull.registry_account:
        yield Resource("AwsEcrRepository", pull.repository_arn, pull.registry_account)
    # A pull does not say the region of its cluster and node, and it may differ from the registry's. So they are given
    # by name only. If a diagnosis has read them, `related` has their ARNs.
    account = _account(finding)
    if cluster := finding.cluster or pull.cluster:
        yield Resource("AwsEksCluster", cluster, account)
    if principal and principal.instance_id:
        yield Resource("AwsEc2Instance", principal.instance_id, account)


def _instances(finding: Finding, nodes: Sequence[str]) -> Iterator[Resource]:
    for node in nodes:
        if _INSTANCE.fullmatch(node):
            yield Resource("AwsEc2Instance", node, _account(finding))


def _account(finding: Finding) -> str:
    """The account of the pulling principal, where its nodes are; else the account that reported the failure."""
    return finding.pull.principal_account or finding.pull.account or finding.account


def _principal(principal: Principal) -> Iterable[Resource]:
    """The role or the user. The ARN of a session lacks the role's path, so it does not give the role's ARN."""
    account = principal.account or ""
    if principal.role_arn:
        yield Resource("AwsIamRole", principal.role_arn, account)
    elif principal.kind is PrincipalKind.USER and principal.arn:
        yield Resource("AwsIamUser", principal.arn, account)


def _is_same_resource(known: ResourceTypeDef, resource: Resource) -> bool:
    """Say whether `known` is `resource`, which may be given by name instead of ARN."""
    if known["Id"] == resource.id:
        return True
    return known["Type"] == resource.type and not _is_arn(resource.id) and last_name(known["Id"]) == resource.id


def _is_arn(text: str) -> bool:
    return Arn.parse(text) is not None


def _entry(resource: Resource, pull: PullFailure, *, region: str, partition: str) -> ResourceTypeDef:
    arn = Arn.parse(resource.id)
    entry: ResourceTypeDef = {
        "Type": one_line(resource.type, _TYPE) or "Other",
        "Id": one_line(resource.id, _ID) or "unknown",
    }
    if known := _PARTITIONS.get(arn.partition if arn else partition):
        entry["Partition"] = known
    if arn and 0 < len(place := arn.region or region) <= _REGION:
        entry["Region"] = place
    if details := _details(entry, arn, resource, pull):
        entry["Details"] = details
    return entry


def _details(
    entry: ResourceTypeDef, arn: Arn | None, resource: Resource, pull: PullFailure
) -> ResourceDetailsTypeDef | None:
    """The details that follow from the id alone, in the fields of the resource's type. Nothing is read from AWS."""
    identity, kind = entry["Id"], entry["Type"]
    name = last_name(identity)
    path = f"/{arn.resource.partition('/')[2].rpartition('/')[0]}/".replace("//", "/") if arn else "/"
    if arn and kind == "AwsIamRole":
        return {"AwsIamRole": {"RoleName": name, "Path": one_line(path, _ID)}}
    if arn and kind == "AwsIamUser":
        return {"AwsIamUser": {"UserName": name, "Path": one_line(path, _ID)}}
    if arn and kind == "AwsEcrRepository":
        return {"AwsEcrRepository": {"Arn": identity, "RepositoryName": identity.partition("/")[2] or name}}
    if kind == "AwsEksCluster":
        return {"AwsEksCluster": {"Arn": identity, "Name": name} if arn else {"Name": name}}
    # "Other" takes details that the type's own object has no field for (API Reference, ResourceDetails).
    other = {"AccountId": resource.account} if not (arn and arn.account) else {}
    if kind == "AwsEc2Instance":
        other |= {"InstanceId": name}
        if pull.principal and pull.principal.instance_id == name and pull.node:
            other["NodeName"] = pull.node
    cleaned = {key: one_line(value, 1024) for key, value in other.items()}
    return {"Other": {key: value for key, value in cleaned.items() if value}} if any(cleaned.values()) else None
