"""Who is hit: the pods of an alert by namespace and workload, in few words."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pull_responder.findings.reach import Reach

# Kubernetes makes the end of a pod's name, and of a ReplicaSet's, of these characters (k8s.io/apimachinery,
# util/rand/rand.go): no vowels, so that no words come out. A StatefulSet numbers its pods. A CronJob's Job ends in the
# minutes since 1970 (k8s.io/kubernetes, pkg/controller/cronjob/utils.go).
_MADE: Final = "[bcdfghjklmnpqrstvwxz2456789]"
_POD: Final = re.compile(rf"(?P<workload>.+?)(?:-[0-9]{{8}})?(?:-{_MADE}{{6,10}})?-(?:{_MADE}{{5}}|[0-9]{{1,5}})")
_TIMES: Final = "\N{MULTIPLICATION SIGN}"
_NAMESPACES: Final = 3
_WORKLOADS: Final = 4


def reach_words(reach: Reach) -> str:
    """Return how far failures reach, as "12 pods, 4 nodes, 312 failures". What is not known is left out."""
    if not reach.events:
        return "no pull yet"
    counts = (("pods", "pod"), ("nodes", "node"), ("repositories", "repository"), ("events", "failure"))
    words = []
    for counted, one in counts:
        if number := reach.count(counted):
            many = "failures" if counted == "events" else counted
            words.append(f"{reach.words(counted)} {one if number == 1 and counted not in reach.more else many}")
    return ", ".join(words)


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


def workload_lists(pods: Iterable[str]) -> tuple[list[tuple[str, str]], int]:
    """Return the first few namespaces, each with a list of its workloads, and how many pods these are."""
    told = 0
    lists = []
    for namespace, workloads in list(by_namespace(pods).items())[:_NAMESPACES]:
        shown = workloads.most_common(_WORKLOADS)
        told += sum(number for _, number in shown)
        names = ", ".join(name if number == 1 else f"{name} {_TIMES} {number}" for name, number in shown)
        lists.append((namespace, names))
    return lists, told
