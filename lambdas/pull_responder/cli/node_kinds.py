"""The kinds of node in a cluster with the labels and taints that AWS shows, and on which of them a workload may run.

docs/adr/0190-which-nodes-a-manifest-is-about.md argues the rules.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from pull_responder.checks.image_platform_mismatch import node_platforms
from pull_responder.cli import scheduling
from pull_responder.cli.scheduling import Fit, Labels
from pull_responder.facts.compute import FargateProfile, NodeGroup
from pull_responder.model.unread import Unread
from pull_responder.pulls.cluster_nodes import ClusterPlace, next_of_node_group, unread_nodes

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pull_responder.cli.workload import Placement
    from pull_responder.facts.compute import Taint
    from pull_responder.facts.ec2 import Instance
    from pull_responder.pulls.nodes import Nodes

_POOL: Final = "karpenter.sh/nodepool"
_OF_KARPENTER: Final = frozenset({_POOL, "karpenter.sh/capacity-type"})
_NOT_FARGATE: Final = frozenset({"auto", "ec2", "hybrid", "hyperpod"})
_ARCHITECTURES: Final = {"x86_64": "amd64", "arm64": "arm64", "i386": "386"}
_LONGEST_NAME: Final = 120


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of node. `profile` is set for Fargate, `group` for a node group."""

    nodes: Nodes
    labels: Labels = field(default_factory=Labels)
    taints: tuple[Taint, ...] = ()
    profile: FargateProfile | None = None
    group: NodeGroup | None = None

    @property
    def is_unread(self) -> bool:
        """Whether nothing of the nodes could be read."""
        return self.nodes.unread is not None


@dataclass(frozen=True, slots=True)
class Run:
    """Nodes on which a workload runs, or may run: `doubt` says what is not known then, and is empty otherwise."""

    nodes: Nodes
    doubt: str = ""


class NodeKinds:
    """The kinds of node of a cluster."""

    def __init__(self, place: ClusterPlace, found: Iterable[Nodes]) -> None:
        self._place = place
        kinds = [self._kind(each) for each in found]
        # Inference: who gives nodes a label by EKS gives it by EKS to all nodes that are to have it.
        by_eks = frozenset(key for each in kinds if each.group for key, _ in each.group.labels)
        self._kinds = [_without(each, by_eks) if each.group else each for each in kinds]
        self._some: dict[tuple[str, tuple[str, ...]], Nodes] = {}
        self._taken: set[str] = set()

    def of(self, placement: Placement) -> list[Run]:
        """Return the nodes on which pods run or may run. Where none that AWS shows fits, they stand as unread."""
        chosen, is_certain = self._of_fargate(placement)
        if not is_certain:
            doubt = _NO_NAMESPACE if chosen and placement.namespace is None else ""
            others = [kind for kind in self._kinds if not _is_fargate(kind)]
            chosen += [run for kind in others if (run := self._run(kind, placement, doubt))]
        return chosen or [Run(self._nowhere(placement))]

    def _of_fargate(self, placement: Placement) -> tuple[list[Run], bool]:
        """Return the Fargate profiles that select the pods, and whether one of them certainly does."""
        chosen: list[Run] = []
        is_certain = False
        for kind in self._kinds:
            if not _is_fargate(kind) or placement.is_daemon:
                continue
            selected = _selected(kind, placement)
            is_certain |= selected is Fit.YES
            if selected is Fit.NO or scheduling.fit_labels(placement, kind.labels) is Fit.NO:
                continue
            chosen.append(Run(kind.nodes, "" if selected is Fit.YES else _why_perhaps(kind, placement)))
        return chosen, is_certain

    def _run(self, kind: Kind, placement: Placement, doubt: str) -> Run | None:
        """Return the nodes of one kind on which pods may run, None if they run on none of them.

        `doubt` is what is not known of the pods, whatever the nodes are.
        """
        if kind.is_unread and scheduling.fit_labels(placement, kind.labels) is not Fit.NO:
            return Run(kind.nodes, "nothing of these nodes could be read")
        labels = self._with_zones(kind, placement)
        fit = min(scheduling.fit_labels(placement, labels), scheduling.fit_taints(placement, kind.taints))
        if fit is Fit.NO:
            return None
        if placement.is_pinned:
            doubt = "the pod names its node itself (nodeName)"
        instances = kind.nodes.instances
        fitting = [each for each in instances if _fits(placement, _of_instances((each,)), labels)]
        nodes: Nodes | None = kind.nodes
        if fitting and len(fitting) < len(instances):
            nodes = self._those(kind.nodes, tuple(fitting), placement)
        elif instances and not fitting:
            future = next_of_node_group(self._place, kind.group.name) if kind.group else None
            nodes = self._renamed(future, f"new nodes of {future.name}") if future else None
        of_these = Labels({**labels.values, **_of_instances(fitting).values}, labels.absent)
        return Run(nodes, doubt or _doubt(placement, of_these, kind.taints)) if nodes else None

    def _kind(self, nodes: Nodes) -> Kind:
        place = self._place
        if nodes.unread is not None:
            named = {scheduling.NODE_GROUP: frozenset({nodes.node_group})} if nodes.node_group else {}
            return Kind(nodes, Labels(named))
        if nodes.fargate:
            profile = place.facts.fargate_profile(place.account, place.region, place.name, nodes.fargate_profile or "")
            values = {scheduling.ARCH: "amd64", scheduling.OS: "linux", scheduling.COMPUTE: "fargate"}
            labels = Labels(
                {key: frozenset({value}) for key, value in values.items()},
                frozenset({scheduling.NODE_GROUP, scheduling.CAPACITY}) | _OF_KARPENTER,
            )
            return Kind(nodes, labels, profile=profile if isinstance(profile, FargateProfile) else None)
        if nodes.node_group:
            group = place.facts.node_group(place.account, place.region, place.name, nodes.node_group)
            if isinstance(group, NodeGroup):
                return Kind(nodes, self._of_group(group, nodes), group.taints, group=group)
        return Kind(nodes, _of_others(nodes))

    def _of_group(self, group: NodeGroup, nodes: Nodes) -> Labels:
        found = _of_instances(nodes.instances).values if nodes.instances else {}
        values = {key: found[key] for key in (scheduling.ARCH, scheduling.OS, scheduling.TYPE) if key in found}
        platforms = node_platforms(nodes, self._place.facts)
        if not isinstance(platforms, Unread):
            values[scheduling.ARCH] = frozenset(each.architecture for each in platforms)
            values[scheduling.OS] = frozenset(each.os for each in platforms)
        if group.instance_types:
            values[scheduling.TYPE] = values.get(scheduling.TYPE, frozenset()) | frozenset(group.instance_types)
        if group.capacity_type:
            values[scheduling.CAPACITY] = frozenset({group.capacity_type})
        values[scheduling.NODE_GROUP] = frozenset({group.name})
        values[scheduling.REGION] = frozenset({nodes.region})
        values |= {key: frozenset({value}) for key, value in group.labels}
        return Labels(values, frozenset({scheduling.COMPUTE, scheduling.PROFILE}) | _OF_KARPENTER)

    def _with_zones(self, kind: Kind, placement: Placement) -> Labels:
        """Return the labels of a node group with the zones of its subnets, which are read only where a pod asks."""
        wanted = any(each.key in _ZONES for one in scheduling.required(placement) for each in one)
        if not (wanted and kind.group) or isinstance(kind.nodes.vpc_id, Unread):
            return kind.labels
        parts = self._place.facts.vpc_parts(self._place.account, self._place.region, kind.nodes.vpc_id)
        if isinstance(parts.subnets, Unread):
            return kind.labels
        named = [parts.subnets[each].availability_zone for each in kind.group.subnet_ids if each in parts.subnets]
        running = [each.zone for each in kind.nodes.instances]
        zones = frozenset(filter(None, (*named, *running)))
        if not zones or len(named) < len(kind.group.subnet_ids):
            return kind.labels
        return Labels({**kind.labels.values, scheduling.ZONE: zones}, kind.labels.absent)

    def _those(self, nodes: Nodes, fitting: tuple[Instance, ...], placement: Placement) -> Nodes:
        """Return some of the nodes, by a name that no others have: facts are kept by it."""
        key = (nodes.name, tuple(each.id for each in fitting))
        if key not in self._some:
            wanted = f"{nodes.name} with {_requirements(placement)}"
            self._some[key] = self._renamed(replace(nodes, instances=fitting), wanted)
        return self._some[key]

    def _renamed(self, nodes: Nodes, name: str) -> Nodes:
        key = (name, tuple(each.id for each in nodes.instances))
        if key not in self._some:
            unique, number = name, 1
            while unique in self._taken:
                number += 1
                unique = f"{name} ({number})"
            self._taken.add(unique)
            self._some[key] = replace(nodes, name=unique)
        return self._some[key]

    def _nowhere(self, placement: Placement) -> Nodes:
        wanted = _requirements(placement)
        lacks = f"no node of cluster {self._place.name} that AWS shows has {wanted}"
        why = Unread(lacks if wanted else "the pods tolerate the taints of no node that AWS shows")
        return unread_nodes(self._place, f"nodes with {wanted}" if wanted else "nodes without other taints", why)


_NO_NAMESPACE: Final = "no namespace is named, by which a Fargate profile may select the pods (--namespace)"
_ZONES: Final = (scheduling.ZONE, "failure-domain.beta.kubernetes.io/zone")


def _is_fargate(kind: Kind) -> bool:
    return kind.nodes.fargate or kind.nodes.fargate_profile is not None


def _selected(kind: Kind, placement: Placement) -> Fit:
    """Return whether a Fargate profile selects the pods.

    A pod may name its profile by a label (Amazon EKS User Guide, "Define which Pods use AWS Fargate when launched").
    """
    labels = dict(placement.labels)
    profile = kind.profile
    if labels.get(scheduling.PROFILE, kind.nodes.fargate_profile) != kind.nodes.fargate_profile:
        return Fit.NO
    if profile is None or profile.selectors is None:
        return Fit.PERHAPS
    if placement.namespace is not None:
        return Fit.YES if profile.may_select(placement.namespace, labels) else Fit.NO
    anywhere = [replace(each, namespace="*").may_fit("", labels) for each in profile.selectors]
    return Fit.PERHAPS if any(anywhere) else Fit.NO


def _why_perhaps(kind: Kind, placement: Placement) -> str:
    if kind.is_unread or kind.profile is None or kind.profile.selectors is None:
        return "the selectors of the Fargate profile could not be read"
    return _NO_NAMESPACE if placement.namespace is None else ""


def _without(kind: Kind, keys: frozenset[str]) -> Kind:
    absent = kind.labels.absent | (keys - kind.labels.values.keys())
    return replace(kind, labels=Labels(kind.labels.values, absent))


def _of_others(nodes: Nodes) -> Labels:
    """Return what is known of the labels of nodes of which only the instances or the role are known."""
    found = _of_instances(nodes.instances)
    if nodes.node_group:  # which could not be read
        return Labels({**found.values, scheduling.NODE_GROUP: frozenset({nodes.node_group})}, found.absent)
    compute = {"auto"} if any(each.operator for each in nodes.instances) else _NOT_FARGATE
    absent = found.absent | {scheduling.NODE_GROUP, scheduling.PROFILE}
    return Labels({**found.values, scheduling.COMPUTE: frozenset(compute)}, absent)


def _of_instances(instances: Sequence[Instance]) -> Labels:
    """Return the labels that kubelet gives running nodes, as far as EC2 shows what they are made of."""
    found: dict[str, list[str | None]] = {
        scheduling.ARCH: [_ARCHITECTURES.get(each.architecture or "") for each in instances],
        scheduling.OS: [each.platform or "linux" for each in instances],
        scheduling.TYPE: [each.type for each in instances],
        scheduling.ZONE: [each.zone for each in instances],
        scheduling.REGION: [each.region for each in instances],
        _POOL: [each.node_pool for each in instances],
    }
    return Labels(
        {key: frozenset(filter(None, each)) for key, each in found.items() if each and all(each)}, frozenset()
    )


def _fits(placement: Placement, own: Labels, of_kind: Labels) -> bool:
    """Return whether one instance may have what a pod requires; what EC2 does not show is as for its kind."""
    labels = Labels({**of_kind.values, **own.values}, of_kind.absent)
    return scheduling.fit_labels(placement, labels) is not Fit.NO


def _doubt(placement: Placement, labels: Labels, taints: Sequence[Taint]) -> str:
    """Say what is not known of nodes on which pods may run. Empty if all is known."""
    if scheduling.fit_taints(placement, taints) is not Fit.YES:
        return "the pod's runtime class may tolerate their taints"
    sets = scheduling.required(placement)
    if any(all(labels.fit(each) is Fit.YES for each in one) for one in sets):
        return ""
    open_ = [each for one in sets for each in one if labels.fit(each) is Fit.PERHAPS]
    return f"AWS does not show which of these nodes have the label {open_[0]}" if open_ else ""


def _requirements(placement: Placement) -> str:
    sets = scheduling.required(placement)
    text = " or ".join(" and ".join(map(str, one)) for one in sets if one)
    return text if len(text) <= _LONGEST_NAME else f"{text[:_LONGEST_NAME]}…"
