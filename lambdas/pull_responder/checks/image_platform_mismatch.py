"""The image has no manifest for the node's platform.

What it checks: whether a multi-platform image lists a manifest for the node's operating system and architecture. These
come from the node's instance, from the AMI type of its node group, or are linux/amd64 on Fargate. containerd fetches an
image of a single manifest on every platform, so such an image is no fault here.

What it cannot see: the platform of an image with a single manifest, and of images that it must not read: behind a pull
through cache, or under a lifecycle rule that counts pulls.

Why that stops a pull: the runtime picks the manifest for its own platform from the list. Without one it says `no match
for platform in manifest`.

How to fix it: build and push the image for that platform too, or keep the pod off such nodes.

How it reads: only `ecr:BatchGetImage` returns a manifest, and ECR counts that call as a pull. The check does not call
it on a pull through cache, nor where a lifecycle rule uses the time of the last pull. The latter is allowed where the
node has just pulled the same manifest.

References: Amazon ECR User Guide, "Pushing a multi-architecture image"; OCI image specification, "Image Index".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.checks.check import Check, Explains
from pull_responder.facts import compute, ec2, lifecycle
from pull_responder.facts.compute import NodeGroup
from pull_responder.facts.images import IMAGE_PERMISSIONS, MANIFEST_PERMISSIONS, Image, Platform
from pull_responder.model.pull import PullFailure, Symptom
from pull_responder.model.reason import AGAIN, RUNNING, Reason
from pull_responder.model.unread import Unread
from pull_responder.model.verdict import Severity, Verdict
from pull_responder.pulls.failed_node import nodes_of
from pull_responder.pulls.image import PulledImage, find_image, image_of
from pull_responder.pulls.kubelet_words import quote_words
from pull_responder.remediation import docs
from pull_responder.remediation.registry import build_for

if TYPE_CHECKING:
    from pull_responder.pulls.nodes import Nodes
    from pull_responder.pulls.pull_facts import PullFacts

# From EC2's names of architectures to Go's.
_ARCHITECTURES: Final = {"x86_64": "amd64", "arm64": "arm64", "i386": "386"}
# What else a node runs. Source: containerd's platforms package (compare.go, platformVector).
_RUNS_TOO: Final = {"amd64": ("386",), "arm64": ("arm",)}
# Inference: EKS on Fargate runs Linux on x86-64 only (aws/containers-roadmap#1629 asks for another).
_FARGATE: Final = Platform("linux", "amd64")

_Offered = tuple[Platform | None, ...]


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:  # noqa: PLR0911 -- each return is another answer
    """Return failed with both platforms, passed, not applicable without an image, or inconclusive."""
    image = image_of(pull, facts)
    by_words = pull.symptom is Symptom.PLATFORM_MISMATCH
    if isinstance(image, Verdict):
        return image
    found = find_image(image, pull, facts)
    if found is None:
        return Verdict.not_applicable("there is no such image")
    if isinstance(found, Image) and not found.is_index and not by_words:
        return Verdict.passed(f"{image} is a single manifest, which nodes of every platform fetch.")
    offered = _read_platforms(image, found, pull, facts)
    nodes = nodes_of(pull, facts)
    needed = nodes if isinstance(nodes, Unread) else node_platforms(nodes, facts)
    if isinstance(offered, Unread) or isinstance(needed, Unread):
        if by_words:
            return _failure(image, pull, offered, ())
        return Verdict.inconclusive(offered.reason if isinstance(offered, Unread) else _reason(needed))
    missing = tuple(platform for platform in needed if not _has_platform_for(offered, platform))
    if missing:
        return _failure(image, pull, offered, missing)
    return Verdict.passed(f"{image} has a manifest for {', '.join(map(str, needed))}.")


def _reason(needed: tuple[Platform, ...] | Unread) -> str:
    return needed.reason if isinstance(needed, Unread) else ""


def _read_platforms(
    image: PulledImage, found: Image | Unread, pull: PullFailure, facts: PullFacts
) -> _Offered | Unread:
    if isinstance(found, Unread):
        return found
    if not found.is_index:
        return Unread(
            Reason(
                f"{image} is a single manifest, which does not name its platform",
                f"Run `docker buildx imagetools inspect {image}` and compare its platform with the node's.",
            )
        )
    just_pulled = pull.symptom is Symptom.PLATFORM_MISMATCH
    account, region = image.repository.account, pull.region
    listed = facts.platforms(account, region, image.name.repository, found.digest, just_pulled=just_pulled)
    return Unread(Reason(f"{image} was deleted during the diagnosis", AGAIN)) if listed is None else listed


def node_platforms(nodes: Nodes, facts: PullFacts) -> tuple[Platform, ...] | Unread:
    """Return the platforms of nodes, as far as their instances, their AMI type or Fargate tell them."""
    if nodes.fargate:
        return (_FARGATE,)
    if nodes.instances:
        found = [_of_instance(instance) for instance in nodes.instances]
        known = tuple(dict.fromkeys(platform for platform in found if platform))
        return (
            known
            if len(found) == len([each for each in found if each])
            else Unread(Reason("EC2 names no architecture", RUNNING))
        )
    if nodes.cluster and nodes.node_group:
        group = facts.node_group(nodes.account, nodes.region, nodes.cluster, nodes.node_group)
        platform = _of_ami_type(group.ami_type or "") if isinstance(group, NodeGroup) else None
        if platform:
            return (platform,)
    return Unread(Reason(f"the platform of {nodes.name} is not known", RUNNING))


def _of_instance(instance: ec2.Instance) -> Platform | None:
    architecture = _ARCHITECTURES.get(instance.architecture or "")
    return Platform(instance.platform or "linux", architecture) if architecture else None


def _of_ami_type(ami_type: str) -> Platform | None:
    """Return the platform of an AMI type, None for CUSTOM. Source: Amazon EKS API Reference, Nodegroup, amiType."""
    os = "windows" if ami_type.startswith("WINDOWS_") else "linux"
    if "ARM_64" in ami_type:
        return Platform(os, "arm64")
    return Platform(os, "amd64") if "x86_64" in ami_type else None


def _has_platform_for(offered: _Offered, node: Platform) -> bool:
    """Return whether one of the manifests may be for `node`. One without a platform may be for any node."""
    fitting = (node.architecture, *_RUNS_TOO.get(node.architecture, ()))
    return any(each is None or (each.os == node.os and each.architecture in fitting) for each in offered)


def _failure(
    image: PulledImage, pull: PullFailure, offered: _Offered | Unread, missing: tuple[Platform, ...]
) -> Verdict:
    needed = ", ".join(map(str, missing))
    has = () if isinstance(offered, Unread) else tuple(dict.fromkeys(str(each) for each in offered if each))
    listed = f" It has {', '.join(has)}." if has else ""
    return Verdict.failed(
        resource=image.resource,
        explanation=f"The image {image} has no manifest for {needed or 'the platform of the node'}.{listed}",
        evidence=(*([f"The manifest of {image} lists {', '.join(has)}."] if has else []), *quote_words(pull)),
        remediation=build_for(image.repository, image=str(image), platforms=needed),
    )


CHECK = Check(
    id="image_platform_mismatch",
    title="The image has no manifest for the node's platform",
    short="No manifest for the platform",
    again="The image fits the node's platform again",
    severity=Severity.LOW,
    resource_type="AwsEcrContainerImage",
    permissions=(
        *IMAGE_PERMISSIONS,
        *MANIFEST_PERMISSIONS,
        *lifecycle.PERMISSIONS,
        *compute.PERMISSIONS,
        *ec2.PERMISSIONS,
        "ecr:DescribePullThroughCacheRules",
    ),
    docs_url=docs.ECR_MULTI_ARCHITECTURE,
    examine=examine,
    explains=(
        Explains(Symptom.PLATFORM_MISMATCH, 10),
        Explains(Symptom.UNKNOWN, 340),
    ),
    any_registry=True,
    by_words=True,
    refused_by_ecr=False,
    ends_with_failures=True,
)
