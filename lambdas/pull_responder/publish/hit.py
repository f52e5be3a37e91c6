"""Who is hit: the pods of an alert by namespace and workload, in few words."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

# Kubernetes makes the end of a pod's name, and of a ReplicaSet's, of these characters (k8s.io/apimachinery,
# util/rand/rand.go): no vowels, so that no words come out. A StatefulSet numbers its pods. A CronJob's Job ends in the
# minutes since 1970 (k8s.io/kubernetes, pkg/controller/cronjob/utils.go).
_MADE: Final = "[bcdfghjklmnpqrstvwxz2456789]"
_POD: Final = re.compile(rf"(?P<workload>.+?)(?:-[0-9]{{8}})?(?:-{_MADE}{{6,10}})?-(?:{_MADE}{{5}}|[0-9]{{1,5}})")
_TIMES: Final = "\N{MULTIPLICATION SIGN}"
_NAMESPACES: Final = 3
_WORKLOADS: Final = 4


def workload_of(pod: str) -> str:
    """Return the name of what runs a pod, as its own name tells: "api" for "api-7d4b9c5f6-x2x7q". Inference."""
    found = _POD.fullmatch(pod)
    return found["workload"] if found else pod


def by_namespace(pods: Iterable[str]) -> Mapping[str, Counter[str]]:
    """Return how many of `pods` ("namespace/name") each workload has, by namespace, in the order of their names."""
    found: dict[str, Counter[str]] = {}
    for each in pods:
        namespace, _, name = each.partition("/")
        found.setdefault(namespace, Counter())[workload_of(name)] += 1
    return found


def namespace_lines(pods: Iterable[str], count: int) -> Iterator[tuple[str, str]]:
    """Yield each namespace with its workloads, and at last how many pods of `count` are not among them."""
    told = 0
    for namespace, workloads in list(by_namespace(pods).items())[:_NAMESPACES]:
        shown = workloads.most_common(_WORKLOADS)
        told += sum(number for _, number in shown)
        yield namespace, ", ".join(name if number == 1 else f"{name} {_TIMES} {number}" for name, number in shown)
    if told and count > told:
        yield "", f"{count - told} more pods" if count - told > 1 else "1 more pod"
