"""Recognize Kubernetes events about the health of a node: what they say is wrong with the node, not with a pull.

Sources: Amazon EKS User Guide, "View the health status of your nodes" and "Detect node health issues with the EKS node
monitoring agent"; the agent's code (github.com/aws/eks-node-monitoring-agent, pkg/manager/node_exporter.go), which
records events of its own component about the node: the reason is the name of a condition, and the message begins with
the name of the issue ("KubeletFailed: …"). Inference: an event may also have the issue, or the reason of the node's
condition Ready, as its reason. None of the issues is about pulling an image.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pull_responder.events import fields, kubernetes_names
from pull_responder.events.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Mapping

AGENT: Final = "eks-node-monitoring-agent"

_CONDITIONS: Final = frozenset(
    {"AcceleratedHardwareReady", "ContainerRuntimeReady", "KernelReady", "NetworkingReady", "StorageReady"}
)
_ISSUES: Final = frozenset(
    {
        "ContainerRuntimeFailed",
        "ContainerRuntimeNotReady",
        "ContainerdNotReady",
        "DeprecatedContainerdConfiguration",
        "IPAMDNotReady",
        "IPAMDNotRunning",
        "InterfaceNotRunning",
        "InterfaceNotUp",
        "KubeletFailed",
        "KubeletNotReady",
        "NetworkNotReady",
        "NodeNotReady",
        "PodStuckTerminating",
        "ServiceFailedToStart",
    }
)
_ISSUE_IN_MESSAGE: Final = re.compile(r"[A-Z][A-Za-z0-9_]{2,79}(?=: )")


def skip_reason(detail: Mapping[str, object]) -> str:
    """Return in one line what a forwarded event says of its node's health; empty if it is not about that."""
    about, reason = fields.mapping(detail, "involvedObject"), fields.text(detail, "reason")
    component = fields.text(detail, "source", "component") or fields.text(detail, "reportingComponent")
    is_of_agent = component == AGENT
    if not is_of_agent and reason not in _CONDITIONS | _ISSUES:
        return ""
    found = _ISSUE_IN_MESSAGE.match(fields.text(detail, "message")) if reason in _CONDITIONS else None
    issue = redact(found.group() if found else reason, limit=80) or "an issue without a name"
    name = kubernetes_names.object_name(about.get("name")) if fields.text(about, "kind") == "Node" else None
    name = name or kubernetes_names.object_name(fields.text(detail, "source", "host"))
    node = f"node {name}" if name else "a node"
    who = "the EKS node monitoring agent" if is_of_agent else "Kubernetes"
    return f"{who} reports {issue} of {node}: a matter of the node's health, not of the registry"
