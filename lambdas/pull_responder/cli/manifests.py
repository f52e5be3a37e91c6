"""The workloads in manifests, and what of the manifests could not be read.

Nothing is rendered here: what Helm, Kustomize or a script still has to fill in is told, with the file and the line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from pull_responder.cli.document import Document, UnusableTextError
from pull_responder.cli.pod_template import (
    NoImage,
    credentials_of,
    images_of,
    mapping,
    name_text,
    placement_of,
    pod_templates,
    secret_names,
)
from pull_responder.cli.workload import UsedImage, Workload
from pull_responder.cli.yaml_documents import read_documents
from pull_responder.events.redaction import redact
from pull_responder.pulls.pod_role import ANNOTATION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pull_responder.cli.document import Value
    from pull_responder.cli.manifest_files import ManifestFile

_TEMPLATE: Final = "{{"
# Of envsubst, shells and Kustomize's vars.
_PLACEHOLDER: Final = re.compile(r"\$[({A-Za-z_]|[<>]")
_IS_TEMPLATE: Final = "it is a template, not a manifest: render it first, as with `helm template`"
# With these, Kustomize changes images or where pods run.
_CHANGES: Final = (
    "components",
    "helmCharts",
    "images",
    "namespace",
    "patches",
    "patchesJson6902",
    "patchesStrategicMerge",
    "replacements",
    "transformers",
    "vars",
)
_KUSTOMIZATION: Final = "Kustomization"
_LONGEST_KIND: Final = 63


@dataclass(slots=True)
class Manifests:
    """What was read.

    - `objects` is the number of objects of Kubernetes in it, with workloads or without.
    - `problems` say what could not be read, and where.
    """

    workloads: list[Workload] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    objects: int = 0


@dataclass(frozen=True, slots=True)
class _ServiceAccount:
    role_arn: str | None
    secrets: tuple[str, ...]


def read_manifests(files: Iterable[ManifestFile], namespace: str | None) -> Manifests:
    """Return the workloads in files. `namespace` is that of objects that name none, where it is known.

    A file or document that cannot be read is a problem, and the others are read.
    """
    reading = _Reading(namespace)
    for file in files:
        if isinstance(file.text, UnusableTextError):
            reading.found.problems.append(f"{file.name}: {file.text.problem}")
        else:
            reading.file(file.name, file.text)
    found = reading.found
    found.workloads = [_with_account(each, reading.accounts) for each in found.workloads]
    return found


@dataclass(slots=True)
class _Reading:
    """What is known after some of the files."""

    namespace: str | None
    found: Manifests = field(default_factory=Manifests)
    accounts: dict[tuple[str | None, str], _ServiceAccount] = field(default_factory=dict)

    def file(self, name: str, text: str) -> None:
        """Add the objects of one file. That it is a template is told once, however many places are to be filled in."""
        is_template = False
        for document in read_documents(text):
            if isinstance(document, Document):
                for each in _objects(document.value):
                    is_template = self._is_template(name, document, each) or is_template
            elif _TEMPLATE in text:
                is_template = True
            else:
                self.found.problems.append(f"{name}:{document.line}: {document.problem}")
        if is_template:
            line = text.count("\n", 0, max(text.find(_TEMPLATE), 0)) + 1
            self.found.problems.append(f"{name}:{line}: {_IS_TEMPLATE}")

    def _is_template(self, file: str, document: Document, item: dict[str, Value]) -> bool:
        """Add one object. Return whether it has an image that is to be rendered yet."""
        self.found.objects += 1
        metadata = mapping(item.get("metadata"))
        namespace = name_text(metadata.get("namespace")) or self.namespace
        if item.get("kind") == _KUSTOMIZATION:
            self.found.problems.extend(_kustomization(file, document, item))
            return False
        if item.get("kind") == "ServiceAccount":
            self.accounts[namespace, name_text(metadata.get("name"))] = _account(item)
        is_template = False
        for each in _workloads(file, document, item, namespace):
            if isinstance(each, Workload):
                self.found.workloads.append(each)
            elif each is None:
                is_template = True
            else:
                self.found.problems.append(each)
        return is_template


def _objects(value: Value) -> Iterator[dict[str, Value]]:
    """Yield the objects of Kubernetes in a document, also those of its lists."""
    if isinstance(value, list):
        for each in value:
            yield from _objects(each)
    elif isinstance(value, dict) and isinstance(value.get("kind"), str) and isinstance(value.get("apiVersion"), str):
        items = value.get("items")
        if str(value["kind"]).endswith("List") and isinstance(items, list):
            for each in items:
                yield from _objects(each)
        else:
            yield value


def _workloads(
    file: str, document: Document, item: dict[str, Value], namespace: str | None
) -> Iterator[Workload | str | None]:
    """Yield the object's workloads, problems, and None for an image that is to be rendered yet."""
    metadata = mapping(item.get("metadata"))
    kind = name_text(item.get("kind"))[:_LONGEST_KIND]
    name = name_text(metadata.get("name")) or name_text(metadata.get("generateName")) or "without a name"
    for template, spec in pod_templates(item):
        images = []
        for each in images_of(spec, document):
            if isinstance(each, NoImage):
                yield f"{file}:{each.line}: the image of {each.container} is no text"
            elif _TEMPLATE in each.text:
                yield None
            elif _PLACEHOLDER.search(each.text):
                said = redact(each.text, limit=200)
                yield f"{file}:{each.line}: the image {said!r} has a placeholder that is not filled in"
            else:
                images.append(each)
        yield _workload(kind, name, file, namespace, template, spec, images)


def _workload(  # noqa: PLR0913, PLR0917 -- the parts of one object
    kind: str,
    name: str,
    file: str,
    namespace: str | None,
    template: dict[str, Value],
    spec: dict[str, Value],
    images: list[UsedImage],
) -> Workload:
    placement = placement_of(template, spec, namespace=namespace, is_daemon=kind == "DaemonSet")
    return Workload(kind, name, file, placement, credentials_of(spec), tuple(images))


def _account(item: dict[str, Value]) -> _ServiceAccount:
    annotations = mapping(mapping(item.get("metadata")).get("annotations"))
    return _ServiceAccount(name_text(annotations.get(ANNOTATION)) or None, secret_names(item))


def _with_account(workload: Workload, accounts: dict[tuple[str | None, str], _ServiceAccount]) -> Workload:
    """Return the workload with what its service account shows to the registry, if the manifests have that account."""
    own = workload.credentials
    account = accounts.get((workload.placement.namespace, own.service_account))
    if account is None:
        return workload
    # A pod's own pull secrets take the place of its service account's (Kubernetes documentation, "Configure Service
    # Accounts for Pods").
    return replace(
        workload, credentials=replace(own, role_arn=account.role_arn, secrets=own.secrets or account.secrets)
    )


def _kustomization(file: str, document: Document, item: dict[str, Value]) -> Iterator[str]:
    if not str(item.get("apiVersion")).startswith("kustomize.config.k8s.io/"):
        return
    if changes := [each for each in _CHANGES if item.get(each)]:
        yield (
            f"{file}:{document.line}: Kustomize changes these manifests ({', '.join(changes)}): give what `kubectl "
            "kustomize` prints"
        )
