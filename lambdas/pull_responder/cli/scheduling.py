"""Whether a workload's pods may run on nodes, by what AWS shows of the nodes' labels and taints.

Sources: Kubernetes documentation, "Assigning Pods to Nodes", "Taints and Tolerations", "Well-Known Labels, Annotations
and Taints"; Amazon EKS User Guide, "Simplify node lifecycle with managed node groups", "Define which Pods use AWS
Fargate when launched" and "Fargate considerations" (no DaemonSets). What is taken for certain, and what not:
docs/adr/0190-which-nodes-a-manifest-is-about.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pull_responder.cli.workload import Expression, Placement, Toleration
    from pull_responder.facts.compute import Taint

ARCH: Final = "kubernetes.io/arch"
OS: Final = "kubernetes.io/os"
TYPE: Final = "node.kubernetes.io/instance-type"
ZONE: Final = "topology.kubernetes.io/zone"
REGION: Final = "topology.kubernetes.io/region"
NODE_GROUP: Final = "eks.amazonaws.com/nodegroup"
CAPACITY: Final = "eks.amazonaws.com/capacityType"
COMPUTE: Final = "eks.amazonaws.com/compute-type"
PROFILE: Final = "eks.amazonaws.com/fargate-profile"
_OLD_NAMES: Final = {
    "beta.kubernetes.io/arch": ARCH,
    "beta.kubernetes.io/os": OS,
    "beta.kubernetes.io/instance-type": TYPE,
    "failure-domain.beta.kubernetes.io/zone": ZONE,
    "failure-domain.beta.kubernetes.io/region": REGION,
}
# EKS's words for what Kubernetes calls NoSchedule and NoExecute. PreferNoSchedule keeps no pod off.
_EFFECTS: Final = {"NO_SCHEDULE": "NoSchedule", "NO_EXECUTE": "NoExecute"}


class Fit(IntEnum):
    """Whether pods may run on nodes, in the order in which one requirement outweighs another."""

    NO = 0
    PERHAPS = 1
    YES = 2


@dataclass(frozen=True, slots=True)
class Labels:
    """What is known of the labels of some nodes.

    - `values` are the values that each label has on one node or another; one label may have several.
    - `absent` are labels that none of the nodes has.
    """

    values: Mapping[str, frozenset[str]] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()

    def fit(self, expression: Expression) -> Fit:
        """Return whether the nodes meet one requirement."""
        key = _OLD_NAMES.get(expression.key, expression.key)
        found = self.values.get(key)
        if found is None:
            if key in self.absent:
                return Fit.YES if expression.operator in ("NotIn", "DoesNotExist") else Fit.NO
            return Fit.PERHAPS
        return _of_values(found, expression)


def _of_values(found: frozenset[str], expression: Expression) -> Fit:
    wanted = frozenset(expression.values)
    match expression.operator:
        case "In":
            return _share(found & wanted, found)
        case "NotIn":
            return _share(found - wanted, found)
        case "Exists":
            return Fit.YES
        case "DoesNotExist":
            return Fit.NO
        case "Gt" | "Lt":
            return _compared(found, expression)
        case _:
            return Fit.PERHAPS


def _compared(found: frozenset[str], expression: Expression) -> Fit:
    try:
        bound = int(next(iter(expression.values), ""))
        fitting = {each for each in found if (int(each) > bound if expression.operator == "Gt" else int(each) < bound)}
    except ValueError:
        return Fit.PERHAPS
    return _share(frozenset(fitting), found)


def _share(fitting: frozenset[str], found: frozenset[str]) -> Fit:
    """Return whether all values fit, some or none. Where some do, some of the nodes do."""
    if not fitting:
        return Fit.NO
    return Fit.YES if fitting == found else Fit.PERHAPS


def required(placement: Placement) -> tuple[tuple[Expression, ...], ...]:
    """Return what a pod requires of a node's labels: of these sets of requirements one is enough."""
    if placement.terms is None:
        return (placement.selector,)
    return tuple((*placement.selector, *term) for term in placement.terms)


def fit_labels(placement: Placement, labels: Labels) -> Fit:
    """Return whether nodes have the labels that a pod requires."""
    return max((_all(labels.fit(each) for each in one) for one in required(placement)), default=Fit.NO)


def _all(fits: Iterable[Fit]) -> Fit:
    return min(fits, default=Fit.YES)


def fit_taints(placement: Placement, taints: Iterable[Taint]) -> Fit:
    """Return whether a pod tolerates the taints of nodes."""
    untolerated = [each for each in taints if each.effect in _EFFECTS and not _is_tolerated(placement, each)]
    if not untolerated:
        return Fit.YES
    return Fit.PERHAPS if placement.has_runtime_class else Fit.NO


def _is_tolerated(placement: Placement, taint: Taint) -> bool:
    effect = _EFFECTS[taint.effect]
    if placement.is_pinned and effect == "NoSchedule":
        return True  # no scheduler is asked
    return any(_tolerates(each, taint, effect) for each in placement.tolerations)


def _tolerates(toleration: Toleration, taint: Taint, effect: str) -> bool:
    if toleration.effect not in ("", effect):
        return False
    if not toleration.key:
        return toleration.operator == "Exists"
    if toleration.key != taint.key:
        return False
    # An operator that is not known here may compare in another way.
    return toleration.operator != "Equal" or toleration.value == taint.value
