"""Validate names of Kubernetes and Amazon EKS. Each function returns the value if it is a valid name, else None.

Sources: Kubernetes documentation, "Object Names and IDs" (DNS subdomain names); Amazon EKS API Reference,
CreateCluster.
"""

from __future__ import annotations

import re

_LABEL = re.compile(r"[A-Za-z0-9./_-]{1,317}=[A-Za-z0-9._-]{0,63}")
_MOST_LABELS = 100
_OBJECT = re.compile(r"[a-z0-9][a-z0-9.-]{0,252}")
_CLUSTER = re.compile(r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}")
_GROUP = re.compile(r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}")


def object_name(value: object) -> str | None:
    """The name of a pod, container, node or namespace."""
    return value if isinstance(value, str) and _OBJECT.fullmatch(value) else None


def labels(value: object) -> tuple[str, ...] | None:
    """The labels of a pod, each as "key=value", sorted. Only the first hundred are returned."""
    if not isinstance(value, dict):
        return None
    written = [f"{key}={text}" for key, text in value.items() if _is_label(key, text)]
    return tuple(sorted(written)[:_MOST_LABELS])


def _is_label(key: object, text: object) -> bool:
    return isinstance(key, str) and isinstance(text, str) and bool(_LABEL.fullmatch(f"{key}={text}"))


def cluster(value: object) -> str | None:
    """The name of an EKS cluster."""
    return value if isinstance(value, str) and _CLUSTER.fullmatch(value) else None


def compute(value: object) -> str | None:
    """The name of a node group or Fargate profile."""
    return value if isinstance(value, str) and _GROUP.fullmatch(value) else None
