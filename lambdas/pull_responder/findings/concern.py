"""Decide whether a change in AWS can have fixed a finding. Such a finding is rechecked at once.

The question is asked for every change and every open finding. So it only compares the two and calls no AWS API. If they
do not say enough, the answer is yes. A needless recheck costs a few reads. A missed one leaves the finding open until
its next scheduled recheck.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pull_responder.checks import CHECKS
from pull_responder.events.change import CACHE_ACTION, IMAGE_ACTION
from pull_responder.events.eks_event import ADDON_RESTORED
from pull_responder.model.arn import Arn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pull_responder.events.change import Change
    from pull_responder.findings.finding import Finding

_PERMISSIONS: Final = {check.id: frozenset(check.permissions) for check in CHECKS}
OF_RESPONDER: Final = frozenset(check.id for check in CHECKS if check.of_responder)
"""The causes that no change of the customer's resources can have fixed."""
# The EC2 reads that are about nodes. All other EC2 reads are about the network.
_NODE_READS: Final = frozenset({"ec2:DescribeInstances", "ec2:DescribeLaunchTemplateVersions"})
_ABOUT_NODES: Final = ("Instance", "LaunchTemplate")
# ECR's own events about a new image, and the API call that shows the image.
IMAGE_EVENTS: Final = frozenset({IMAGE_ACTION, CACHE_ACTION})
"""The names of changes that are about one image, and so about its repository alone."""
_READ_IMAGES: Final = "ecr:DescribeImages"
# Resources that the owner of a VPC has. Security groups and instances may belong to an account that shares the VPC.
_VPC_OWNER_RESOURCE: Final = re.compile(r"(?:natgateway|network-acl|route-table|subnet|vpc|vpc-endpoint)/")
_INSTANCE: Final = re.compile(r"i-[0-9a-f]{8,17}")
_KEY: Final = re.compile(r"(?:mrk-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
# Amazon ECR accepts only secrets with this prefix for pull through cache rules.
_CACHE_SECRET: Final = "ecr-pullthroughcache/"  # noqa: S105 -- the beginning of a name, not a secret


def concerns(change: Change, finding: Finding) -> bool:
    """Return whether `change` can have fixed `finding`.

    It can if all of these hold:

    - The finding's check reads from the service that was changed.
    - The change happened in an account and region of the finding.
    - The two do not name different resources of the same kind.
    """
    return (
        finding.cause not in OF_RESPONDER
        and _is_read_by_check(change, _PERMISSIONS.get(finding.cause, frozenset()))
        and _is_in_same_place(change, finding)
        and not _names_another_resource(change, finding)
    )


def _is_read_by_check(change: Change, permissions: frozenset[str]) -> bool:
    """Whether a check with these permissions reads what has changed. Without permissions the answer is yes."""
    if not permissions or change.name == ADDON_RESTORED:
        return True  # whatever was mended, the pods of the add-on run again
    read = frozenset(each for each in permissions if each.startswith(f"{change.service}:"))
    if change.name in IMAGE_EVENTS:
        return _READ_IMAGES in read
    if change.service == "ec2" and read <= _NODE_READS:
        return bool(read) and is_about_nodes(change)
    return bool(read)


def services_of(cause: str) -> frozenset[str]:
    """Return the services that the check of a cause reads. Empty if it reads none, or is not known."""
    return frozenset(each.partition(":")[0] for each in _PERMISSIONS.get(cause, ()))


def is_about_nodes(change: Change) -> bool:
    """Return whether a change of EC2 is about instances and not about the network."""
    return any(word in change.name for word in _ABOUT_NODES)


def _is_in_same_place(change: Change, finding: Finding) -> bool:
    """Whether the change happened where it can matter to the finding."""
    if change.service == "organizations":
        return True  # it happens in the management account, which the finding does not name
    # A VPC may be shared. Then its owner changes it, and the finding may not name the owner.
    may_be_owner = change.service == "ec2" and not is_about_nodes(change) and not names_vpc_owner(finding)
    if change.account not in accounts_of(finding) and not may_be_owner:
        return False
    if change.service == "iam":
        return True  # IAM is global: the region of its events does not matter
    arns = list(_arns(finding))
    # Nodes may be in another region than the registry. Only an ARN of EC2 or EKS tells their region.
    if change.service in ("ec2", "eks") and not any(arn.service in ("ec2", "eks") for arn in arns):
        return True
    regions = {finding.region, finding.pull.region, finding.remediation.region, *(arn.region for arn in arns)}
    return change.region in regions


def _names_another_resource(change: Change, finding: Finding) -> bool:
    """Whether the change and the finding name different resources of the same kind."""
    changed: frozenset[str] = frozenset()
    has: frozenset[str] = frozenset()
    match change.service:
        case "iam":
            changed, has = _one(change.role), roles_of(finding)
        case "ecr":
            changed, has = _one(change.repository), _repositories(finding, change)
        case "ec2":
            changed, has = _matching(_INSTANCE, change), _ids(finding, "AwsEc2Instance")
        case "eks":
            changed, has = change.words, _one(finding.cluster)
        case "kms":
            changed, has = _matching(_KEY, change), _ids(finding, "AwsKmsKey")
        case "secretsmanager":
            changed = frozenset(_CACHE_SECRET if _CACHE_SECRET in word else word for word in change.words)
            has = _one(_CACHE_SECRET)
    return bool(changed and has and not changed & has)


def _one(name: str | None) -> frozenset[str]:
    return frozenset({name} if name else ())


def _matching(pattern: re.Pattern[str], change: Change) -> frozenset[str]:
    return frozenset(word for word in change.words if pattern.fullmatch(word))


def _arns(finding: Finding) -> Iterator[Arn]:
    """The ARNs of the broken resource and of the related resources."""
    for resource in (finding.resource, *finding.related):
        if arn := Arn.parse(resource.id):
            yield arn


def accounts_of(finding: Finding) -> set[str | None]:
    """Return the accounts that the finding names."""
    pull = finding.pull
    return {
        finding.account,
        finding.remediation.account,
        pull.account,
        pull.registry_account,
        pull.principal_account,
        *(resource.account for resource in (finding.resource, *finding.related)),
    }


def names_vpc_owner(finding: Finding) -> bool:
    """Return whether what is broken belongs to the owner of the VPC."""
    arn = Arn.parse(finding.resource.id)
    return arn is not None and arn.service == "ec2" and _VPC_OWNER_RESOURCE.match(arn.resource) is not None


def roles_of(finding: Finding) -> frozenset[str]:
    """The names of the roles that the finding is about; empty if the pulling role is not known."""
    principal = finding.pull.principal
    if principal is None or not principal.name:
        return frozenset()
    arn = Arn.parse(finding.resource.id)
    broken = arn.resource.rpartition("/")[2] if arn and arn.service == "iam" else principal.name
    return frozenset({principal.name, broken})


def is_of_registry(finding: Finding) -> bool:
    """Return whether what is broken is of Amazon ECR."""
    arn = Arn.parse(finding.resource.id)
    return arn is not None and arn.service == "ecr"


def _repositories(finding: Finding, change: Change) -> frozenset[str]:
    """The repository of the pull. Empty if another resource is broken: it may affect several repositories."""
    return _one(finding.pull.repository) if is_of_registry(finding) or change.name in IMAGE_EVENTS else frozenset()


def _ids(finding: Finding, kind: str) -> frozenset[str]:
    """The id of the broken resource if its type is `kind`, else empty."""
    return _one(finding.resource.id.rpartition("/")[2]) if finding.resource.type == kind else frozenset()
