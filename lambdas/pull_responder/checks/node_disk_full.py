"""The node ran out of space for the image.

What it checks: whether kubelet said `no space left on device`. AWS does not show how full a node's volume is. A node
that has been terminated since is no fault any more.

What it cannot see: the node itself. AWS does not show how full a volume is; only kubelet's words count.

Why that stops a pull: the runtime keeps and unpacks the layers on the node's own volume. There they take several times
their size in the registry.

How to fix it: give nodes larger volumes, or use smaller and fewer images. On Fargate, request more ephemeral storage.

References: Amazon EKS User Guide, "Customize managed nodes with launch templates" and "Understand Fargate Pod
configuration details"; Kubernetes documentation, "Garbage collection of unused containers and images".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.checks.check import Check, Explains
from pull_responder.facts import ec2
from pull_responder.facts.images import IMAGE_PERMISSIONS, Image
from pull_responder.model.pull import PullFailure, Symptom
from pull_responder.model.unread import Unread
from pull_responder.model.verdict import Severity, Verdict
from pull_responder.pulls.image import PulledImage, find_image, image_of
from pull_responder.pulls.kubelet_words import node_of, quote_words
from pull_responder.pulls.nodes import FARGATE_PREFIX
from pull_responder.remediation import docs
from pull_responder.remediation.registry import free_disk

if TYPE_CHECKING:
    from pull_responder.pulls.pull_facts import PullFacts

_GONE = ("shutting-down", "terminated")
_MEBIBYTE = 1024 * 1024


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
    """Return failed by kubelet's message, passed where the node is gone, not applicable without such a message."""
    if pull.symptom is not Symptom.DISK_FULL:
        return Verdict.not_applicable("only kubelet's message shows that a disk is full")
    failing = node_of(pull, facts)
    if isinstance(failing, Unread):
        return Verdict.inconclusive(failing.reason)
    node, instance = failing
    if instance and instance.state in _GONE:
        return Verdict.passed(f"Instance {instance.id} is {instance.state}.")
    named = pull.node or (instance.id if instance else "The node")
    return Verdict.failed(
        resource=node,
        explanation=f"{named} has no space left for the image {pull.image or ''}".rstrip() + ".",
        evidence=(*quote_words(pull), *_size(pull, facts)),
        remediation=free_disk(
            account=node.account,
            region=instance.region if instance else pull.region,
            fargate=(pull.node or "").startswith(FARGATE_PREFIX),
        ),
    )


def _size(pull: PullFailure, facts: PullFacts) -> tuple[str, ...]:
    image = image_of(pull, facts)
    found = find_image(image, pull, facts) if isinstance(image, PulledImage) else None
    if not isinstance(found, Image) or not found.size:
        return ()
    return (f"{image} takes {found.size / _MEBIBYTE:.0f} MiB in the registry, compressed.",)


CHECK = Check(
    id="node_disk_full",
    title="The node ran out of space for the image",
    short="The node's disk is full",
    again="The node has space for the image again",
    severity=Severity.HIGH,
    resource_type="AwsEc2Instance",
    permissions=(*ec2.PERMISSIONS, *IMAGE_PERMISSIONS),
    docs_url=docs.EKS_LAUNCH_TEMPLATES,
    examine=examine,
    explains=(
        Explains(Symptom.DISK_FULL, 10),
        Explains(Symptom.UNKNOWN, 330),
    ),
    ecr_public=frozenset({Symptom.DISK_FULL}),
    any_registry=True,
    by_words=True,
    refused_by_ecr=False,
)
