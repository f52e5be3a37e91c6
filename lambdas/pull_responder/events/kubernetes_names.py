"""The names Kubernetes and Amazon EKS allow. Each function returns the value when it is such a name, else None.

Sources: Kubernetes documentation, "Object Names and IDs" (DNS subdomain names); Amazon EKS API Reference,
CreateCluster.
"""

from __future__ import annotations

import re

_OBJECT = re.compile(r"[a-z0-9][a-z0-9.-]{0,252}")
_CLUSTER = re.compile(r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}")
_GROUP = re.compile(r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}")


def object_name(value: object) -> str | None:
    """A pod's, container's, node's or namespace's name."""
    return value if isinstance(value, str) and _OBJECT.fullmatch(value) else None


def cluster(value: object) -> str | None:
    """An EKS cluster's name."""
    return value if isinstance(value, str) and _CLUSTER.fullmatch(value) else None


def compute(value: object) -> str | None:
    """The name of a node group or Fargate profile."""
    return value if isinstance(value, str) and _GROUP.fullmatch(value) else None
