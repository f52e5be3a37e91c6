"""Which other workloads of a cluster use what is broken: the same image, role, subnet, security group or VPC.

It tells who is hit, or will be at the next pull: a pod that runs has its images already. Nothing is read here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from pull_responder.events.image_reference import RegistryKind, parse_image
from pull_responder.model.arn import Arn
from pull_responder.publish.text import number_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from pull_responder.events.image_reference import ImageReference
    from pull_responder.facts.ec2 import Instance
    from pull_responder.findings.finding import Finding

_OF_SUBNET: Final = ("AwsEc2Subnet", "AwsEc2RouteTable", "AwsEc2NetworkAcl")
_OF_IMAGE: Final = ("AwsEcrRepository", "AwsEcrContainerImage", "AwsKmsKey")
_NAMED: Final = 3
_OF_VPC: Final = ("vpc-endpoint", "vpc", "firewall-rule-group")
# What a route leads over. Nodes of another subnet may have other routes.
_OF_ROUTE: Final = (
    "transit-gateway-attachment",
    "transit-gateway-route-table",
    "vpc-peering-connection",
    "stateful-rulegroup",
    "stateless-rulegroup",
    "firewall-policy",
)


@dataclass(frozen=True, slots=True)
class Use:
    """What one pod uses.

    - `workload` is its owner as kind and name, or the pod itself.
    - `node` is the node's name.
    - `own_role` is the role that its service account names for pulls, None if it pulls with its node's.
    - `service_account` is the service account's name. `is_role_known` says whether it was read.
    - `waits` is whether it waits for an image. Another pod meets what is broken at its next pull.
    """

    namespace: str
    workload: str
    images: tuple[str, ...]
    node: str | None = None
    own_role: str | None = None
    service_account: str = "default"
    is_role_known: bool = True
    waits: bool = False

    @property
    def name(self) -> str:
        """The workload with its namespace."""
        kind, _, name = self.workload.rpartition(" ")
        return f"{kind} {self.namespace}/{name}".strip()


@dataclass(frozen=True, slots=True)
class Scope:
    """The other workloads that use what is broken.

    - `shared` is what they use, in words: "subnet subnet-0a1b2c3d".
    - `workloads` are they, by kind, namespace and name, in order; `pods` is how many pods they have.
    - `waiting` is how many of the pods wait for an image. The others are at risk when they restart.
    - `doubt` says what was not read, by which it may be more or fewer. Empty if all was.
    """

    shared: str
    workloads: tuple[str, ...]
    pods: int
    waiting: int = 0
    doubt: str = ""

    def in_words(self) -> str:
        """Return the scope for people: how many, the first three, and which of their pods wait already."""
        count = len(self.workloads)
        more = f" and {count - _NAMED:,} more" if count > _NAMED else ""
        uses = "more workloads use" if count != 1 else "more workload uses"
        first = f"{count:,} {uses} {self.shared}: {', '.join(self.workloads[:_NAMED])}{more}"
        risk = self.pods - self.waiting
        now = f"{_pods(self.waiting)} of theirs cannot pull an image now" if self.waiting else ""
        later = (
            f"{_pods(risk)} of theirs {'run, and are' if risk > 1 else 'runs, and is'} at risk when restarted"
            if risk
            else ""
        )
        doubt = f" Not certain: {self.doubt}." if self.doubt else ""
        return f"{first}. {'; '.join(filter(None, (now, later)))}.{doubt}"


def scope_of(finding: Finding, failing: Use, pods: Iterable[Use], instances: Mapping[str, Instance]) -> Scope | None:
    """Return who else uses the resource of a finding. None if pods and nodes do not tell who uses it.

    `failing` is the pod that cannot pull, `pods` are all of the cluster, and `instances` are its nodes by their names.
    Only pods with an image in a private registry of ECR count.
    """
    using = _of_image(finding) or _of_role(finding, failing, instances) or _of_node(finding, failing, instances)
    if using is None:
        return None
    shared, uses = using
    others = [each for each in pods if each.name != failing.name]
    found = [each for each in others if uses(each)]
    waiting = sum(each.waits for each in found)
    doubt = _doubt(finding, others, instances)
    return Scope(shared, tuple(sorted({each.name for each in found})), len(found), waiting, doubt)


def _pods(count: int) -> str:
    return f"{count:,} pod{'' if count == 1 else 's'}"


def _doubt(finding: Finding, pods: Iterable[Use], instances: Mapping[str, Instance]) -> str:
    """Say what was not read that tells who uses the resource."""
    if finding.resource.type in _OF_IMAGE:
        return ""
    of_ecr = [each for each in pods if _private(each)]
    nodes = {each.node for each in of_ecr if each.node and each.node not in instances}
    unread = [f"EC2 did not show {number_of(len(nodes), 'node')} of other pods"] if nodes else []
    if finding.resource.type == "AwsIamRole" and not all(each.is_role_known for each in of_ecr):
        unread.append("service accounts of other pods were not read, which may name roles of their own for pulls")
    return "; ".join(unread)


_Uses = tuple[str, "Callable[[Use], bool]"]


def _of_image(finding: Finding) -> _Uses | None:
    """Return who uses the repository of the finding, or the one image of it that is broken."""
    pull, kind = finding.pull, finding.resource.type
    if kind not in _OF_IMAGE or not pull.repository:
        return None
    of_one = kind == "AwsEcrContainerImage"

    def matches(image: ImageReference) -> bool:
        if (image.registry_account, image.region, image.repository) != (
            pull.registry_account,
            pull.region,
            pull.repository,
        ):
            return False
        return not of_one or (image.digest or image.tag or "latest") == (pull.digest or pull.tag or "latest")

    shared = f"image {pull.image}" if of_one else f"repository {pull.repository}"
    return shared, lambda each: any(matches(image) for image in _private(each))


def _of_role(finding: Finding, failing: Use, instances: Mapping[str, Instance]) -> _Uses | None:
    """Return who pulls with the role of the finding: pods that name it, or those that pull with their nodes' role."""
    if finding.resource.type != "AwsIamRole":
        return None
    role = finding.resource.id
    shared = f"role {role.rpartition('/')[2]}"
    if failing.own_role is not None:
        return shared, lambda each: each.own_role == role and bool(_private(each))
    node = instances.get(failing.node or "")
    if node is None or node.profile_arn is None:
        return None
    alike = {name for name, each in instances.items() if each.profile_arn == node.profile_arn}
    return shared, lambda each: each.own_role is None and each.node in alike and bool(_private(each))


def _of_node(finding: Finding, failing: Use, instances: Mapping[str, Instance]) -> _Uses | None:
    """Return who runs on nodes that have in common with the failing one what is broken."""
    node = instances.get(failing.node or "")
    found = _shared_by_nodes(finding, node) if node else None
    if found is None:
        return None
    shared, is_alike = found
    alike = {name for name, each in instances.items() if is_alike(each)}
    return shared, lambda each: each.node in alike and bool(_private(each))


def _shared_by_nodes(finding: Finding, node: Instance) -> tuple[str, Callable[[Instance], bool]] | None:
    kind, arn = finding.resource.type, Arn.parse(finding.resource.id)
    what, _, name = arn.resource.partition("/") if arn else ("", "", "")
    if kind == "AwsEc2Instance":
        return f"node {node.id}", lambda each: each.id == node.id
    if kind == "AwsEc2SecurityGroup" and name in node.group_ids:
        return f"security group {name}", lambda each: name in each.group_ids
    if (kind in _OF_SUBNET or what in _OF_ROUTE) and node.subnet_id:
        return f"subnet {node.subnet_id}", lambda each: each.subnet_id == node.subnet_id
    # All nodes of the VPC meet an endpoint, and the security group of one.
    if (kind == "AwsEc2SecurityGroup" or what in _OF_VPC) and node.vpc_id:
        return f"VPC {node.vpc_id}", lambda each: each.vpc_id == node.vpc_id
    return None


def _private(use: Use) -> tuple[ImageReference, ...]:
    return _private_images(use.images)


@lru_cache(maxsize=16_384)
def _private_images(images: tuple[str, ...]) -> tuple[ImageReference, ...]:
    """Return the images in private registries of ECR. Thousands of pods have the same few."""
    read = (parse_image(text) for text in images)
    return tuple(each for each in read if each is not None and each.kind is RegistryKind.ECR_PRIVATE)
