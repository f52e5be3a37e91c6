"""A workload of a manifest: the images that its pods use, and what decides on which nodes they run."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Expression:
    """One requirement on a node's label: a key, an operator ("In", "NotIn", "Exists", ...) and values."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.operator == "In" and len(self.values) == 1:
            return f"{self.key}={self.values[0]}"
        return f"{self.key} {self.operator} {', '.join(self.values)}".rstrip()


@dataclass(frozen=True, slots=True)
class Toleration:
    """One toleration of a pod. An empty key tolerates every taint, an empty effect every effect."""

    key: str
    operator: str
    value: str
    effect: str


@dataclass(frozen=True, slots=True)
class Placement:
    """What decides on which nodes the pods of a workload run.

    - `namespace` is None where neither the manifest nor the option names one.
    - `labels` are those of the pods, by which Fargate profiles select them.
    - `selector` are the labels that the node must have: nodeSelector, and the operating system that the pod names.
    - `terms` are those of the required node affinity, of which one is enough. None where there is none.
    - `is_daemon` says that a DaemonSet runs them, which does not run on Fargate.
    - `is_pinned` says that the pod names its node, so that no scheduler is asked.
    - `has_runtime_class` says that the pod has a runtime class, which may bring tolerations of its own.
    """

    namespace: str | None = None
    labels: tuple[tuple[str, str], ...] = ()
    selector: tuple[Expression, ...] = ()
    terms: tuple[tuple[Expression, ...], ...] | None = None
    tolerations: tuple[Toleration, ...] = ()
    is_daemon: bool = False
    is_pinned: bool = False
    has_runtime_class: bool = False


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the pods of a workload show to the registry besides their node's role.

    - `role_arn` is the role in the annotation of their service account, None without one.
    - `secrets` are the names of their pull secrets.
    """

    service_account: str = "default"
    role_arn: str | None = None
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UsedImage:
    """An image as a workload's pod template names it; `container` is the container's name, or "volume NAME"."""

    text: str
    container: str
    line: int


@dataclass(frozen=True, slots=True)
class Use:
    """Where an image is used: a container of a workload, in a file, at a line."""

    kind: str
    namespace: str | None
    name: str
    container: str
    file: str
    line: int

    @property
    def workload(self) -> str:
        """The workload, for people."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    @property
    def place(self) -> str:
        """The file and the line."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Workload:
    """A workload: its kind and name, and what its pods need."""

    kind: str
    name: str
    file: str
    placement: Placement
    credentials: Credentials
    images: tuple[UsedImage, ...] = field(default=())

    def use(self, image: UsedImage) -> Use:
        """Return where the workload uses an image."""
        return Use(self.kind, self.placement.namespace, self.name, image.container, self.file, image.line)
