"""The pod templates in an object of Kubernetes, wherever it has them, and what they say of images and nodes.

Pods, Deployments, StatefulSets, DaemonSets, ReplicaSets, Jobs and CronJobs have one each. A custom resource may have
several, at any place (Argo Rollouts, Knative, JobSet, Kubeflow). Inference: a mapping with a list `containers`, one of
which has an `image`, is the spec of a pod.

Sources: Kubernetes API Reference, PodSpec; Kubernetes documentation, "Use an Image Volume With a Pod", "Assigning Pods
to Nodes", "Taints and Tolerations".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.cli.workload import Credentials, Expression, Placement, Toleration, UsedImage
from pull_responder.model.printable import clean_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pull_responder.cli.document import Document, Value

_LISTS: Final = ("initContainers", "containers", "ephemeralContainers")
_LONGEST_NAME: Final = 253
_OS: Final = "kubernetes.io/os"
# What defines other objects, and has no pods.
_NO_WORKLOADS: Final = frozenset({"CustomResourceDefinition", "ConfigMap", "Secret"})


@dataclass(frozen=True, slots=True)
class NoImage:
    """An image that is no text, of a container at a line."""

    container: str
    line: int


def mapping(value: Value) -> dict[str, Value]:
    """Return `value` if it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def name_text(value: Value) -> str:
    """Return a name as one printable line, empty if it is none."""
    return clean_line(value)[:_LONGEST_NAME] if isinstance(value, str) else ""


def pod_templates(item: dict[str, Value]) -> Iterator[tuple[dict[str, Value], dict[str, Value]]]:
    """Yield the metadata and the spec of each pod template in an object."""
    if item.get("kind") == "Pod":
        yield mapping(item.get("metadata")), mapping(item.get("spec"))
    elif item.get("kind") not in _NO_WORKLOADS:
        yield from _below(item)


def _below(value: Value) -> Iterator[tuple[dict[str, Value], dict[str, Value]]]:
    if isinstance(value, list):
        for each in value:
            yield from _below(each)
        return
    if not isinstance(value, dict):
        return
    for key, child in value.items():
        if isinstance(child, dict) and _is_pod_spec(child):
            yield mapping(value.get("metadata")) if key == "spec" else {}, child
        else:
            yield from _below(child)


def _is_pod_spec(value: dict[str, Value]) -> bool:
    containers = value.get("containers")
    return isinstance(containers, list) and any(isinstance(each, dict) and "image" in each for each in containers)


def images_of(spec: dict[str, Value], document: Document) -> Iterator[UsedImage | NoImage]:
    """Yield the images of the containers of a pod, and of its volumes."""
    for kind in _LISTS:
        containers = spec.get(kind)
        for each in containers if isinstance(containers, list) else []:
            if isinstance(each, dict):
                yield from _image(each, "image", name_text(each.get("name")) or kind, document)
    volumes = spec.get("volumes")
    for each in volumes if isinstance(volumes, list) else []:
        source = mapping(each).get("image")
        if isinstance(source, dict):
            yield from _image(source, "reference", f"volume {name_text(mapping(each).get('name'))}", document)


def _image(owner: dict[str, Value], key: str, container: str, document: Document) -> Iterator[UsedImage | NoImage]:
    value, line = owner.get(key), document.line_of(owner, key)
    if isinstance(value, str):
        if value.strip():  # without one, a webhook puts it in
            yield UsedImage(value.strip(), container, line)
    elif value is not None:
        yield NoImage(container, line)


def placement_of(
    metadata: dict[str, Value], spec: dict[str, Value], *, namespace: str | None, is_daemon: bool
) -> Placement:
    """Return what a pod template says about the nodes that it runs on."""
    system = name_text(mapping(spec.get("os")).get("name"))
    selector = [
        Expression(name_text(key), "In", (_plain(value),)) for key, value in mapping(spec.get("nodeSelector")).items()
    ]
    if system:
        selector.append(Expression(_OS, "In", (system,)))
    tolerations = spec.get("tolerations")
    return Placement(
        namespace=namespace,
        labels=tuple((name_text(key), _plain(value)) for key, value in mapping(metadata.get("labels")).items()),
        selector=tuple(selector),
        terms=_terms(spec),
        tolerations=tuple(_toleration(mapping(each)) for each in tolerations) if isinstance(tolerations, list) else (),
        is_daemon=is_daemon,
        is_pinned=bool(spec.get("nodeName")),
        has_runtime_class=bool(spec.get("runtimeClassName")),
    )


def credentials_of(spec: dict[str, Value]) -> Credentials:
    """Return the service account and the pull secrets that a pod template names."""
    account = name_text(spec.get("serviceAccountName")) or name_text(spec.get("serviceAccount")) or "default"
    return Credentials(account, None, secret_names(spec))


def secret_names(owner: dict[str, Value]) -> tuple[str, ...]:
    """Return the names of the pull secrets of a pod or service account."""
    secrets = owner.get("imagePullSecrets")
    named = [name_text(mapping(each).get("name")) for each in secrets] if isinstance(secrets, list) else []
    return tuple(each for each in named if each)


def _plain(value: Value) -> str:
    """Return the value of a label as text, as it is written where somebody has left out the quotes."""
    if isinstance(value, bool):
        return str(value).lower()
    return clean_line(str(value))[:_LONGEST_NAME] if isinstance(value, (str, int, float)) else ""


def _terms(spec: dict[str, Value]) -> tuple[tuple[Expression, ...], ...] | None:
    affinity = mapping(mapping(spec.get("affinity")).get("nodeAffinity"))
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    terms = mapping(required).get("nodeSelectorTerms")
    if not isinstance(terms, list):
        return None
    # A term without requirements selects no node (Kubernetes API Reference, NodeSelectorTerm).
    return tuple(found for each in terms if (found := _term(mapping(each))))


def _term(term: dict[str, Value]) -> tuple[Expression, ...]:
    found = []
    for field, prefix in (("matchExpressions", ""), ("matchFields", "field ")):
        listed = term.get(field)
        for each in listed if isinstance(listed, list) else []:
            one = mapping(each)
            values = one.get("values")
            found.append(
                Expression(
                    prefix + name_text(one.get("key")),
                    name_text(one.get("operator")),
                    tuple(_plain(value) for value in values) if isinstance(values, list) else (),
                )
            )
    return tuple(found)


def _toleration(one: dict[str, Value]) -> Toleration:
    return Toleration(
        name_text(one.get("key")),
        name_text(one.get("operator")) or "Equal",
        _plain(one.get("value")),
        name_text(one.get("effect")),
    )
