"""The reach of many problems, added up one by one."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from pull_responder.findings.problem import iso, unite_names
from pull_responder.findings.reach import Reach

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pull_responder.findings.problem import Names, Problem

_MOST_SHOWN: Final = 20


class Tally:
    """Adds up problems. A pod, node, repository, principal or cluster that several have is counted once.

    Pods of one name in clusters of several members are several.

    A problem may be added again when more of it is known. Then its newest state counts.
    """

    def __init__(self) -> None:
        self._events: dict[str, int] = {}
        self._first = self._last = 0.0
        self._pods: list[Names] = []
        self._nodes: list[Names] = []
        self._repositories: set[tuple[str | None, str | None, str]] = set()
        self._principals: set[tuple[str | None, str]] = set()
        self._clusters_of: dict[str, set[str]] = {}
        # An event may name the cluster otherwise than EKS does, so only a diagnosis tells it. Two accounts may have
        # clusters of the same name.
        self._clusters: set[tuple[str | None, str]] = set()
        self._more_events = False
        self._more_problems = False

    def __contains__(self, problem_id: str) -> bool:
        return problem_id in self._events

    def add(self, problem: Problem, *, found_in: str | None = None) -> None:
        """Add a problem, with its pages. `found_in` is the cluster of a diagnosis that it does not have yet."""
        self._events[problem.id] = problem.count
        self._more_events = self._more_events or problem.more
        if problem.count:
            self._first = min(self._first or problem.first_seen, problem.first_seen)
            self._last = max(self._last, problem.last_seen)
        self._pods = _joined(self._pods, _pods_of(problem))
        self._nodes = _joined(self._nodes, problem.nodes)
        pull = problem.pull
        if pull is None:
            return
        if pull.repository:
            self._repositories.add((pull.registry_account, pull.region, pull.repository))
        if pull.principal and pull.principal.name:
            self._principals.add((pull.principal.account, pull.principal.name))
        for name in filter(None, [problem.cluster, found_in]):
            self._clusters.add((pull.principal_account, name))
            self._clusters_of.setdefault(problem.id, set()).add(name)

    def say_more(self) -> None:
        """Have all counts say that there are more: some problems are not added."""
        self._more_problems = True

    def reach(self, *, found_in: str | None = None) -> Reach:
        """Return the joint reach. `found_in` is the cluster of a diagnosis whose problem does not tell it yet."""
        self._pods, self._nodes = [unite_names(self._pods)], [unite_names(self._nodes)]
        (pods,), (nodes,) = self._pods, self._nodes
        names = {name for _, name in self._clusters}
        failures = Counter[str]()
        for problem, of_problem in self._clusters_of.items():
            failures.update(dict.fromkeys(of_problem, self._events[problem]))
        worst = sorted({*names, *([found_in] if found_in else [])}, key=lambda name: (-failures[name], name))
        worst = worst[:_MOST_SHOWN]
        missing = found_in is not None and found_in not in names
        # A signal that tells no account is about a cluster that another signal names with its account.
        told = {name for account, name in self._clusters if account}
        clusters = [(account, name) for account, name in self._clusters if account or name not in told]
        more = {"events": self._more_events, "pods": pods.more, "nodes": nodes.more}
        every = ("events", "pods", "nodes", "repositories", "principals", "clusters")
        return Reach(
            events=sum(self._events.values()),
            first_seen_at=iso(self._first) if any(self._events.values()) else None,
            last_seen_at=iso(self._last) if any(self._events.values()) else None,
            pods=pods.shown,
            pod_count=pods.count,
            nodes=nodes.shown,
            node_count=nodes.count,
            repository_count=len(self._repositories),
            principal_count=len(self._principals),
            principals=tuple(sorted({f"{account or '?'}/{name}" for account, name in self._principals})[:_MOST_SHOWN]),
            clusters=tuple(worst),
            cluster_events=tuple(failures[name] for name in worst),
            account_count=len({account for account, _ in self._principals if account}),
            cluster_count=len(clusters) + missing,
            more=tuple(each for each in every if self._more_problems or more.get(each)),
        )


def reach_of(problems: Iterable[Problem], *, found_in: str | None = None) -> Reach:
    """Return the joint reach of `problems`, with their pages.

    `found_in` is the cluster of a diagnosis that the problems do not have yet.
    """
    tally = Tally()
    for each in problems:
        tally.add(each)
    return tally.reach(found_in=found_in)


def _pods_of(problem: Problem) -> Names:
    """Return the pods of a problem, told apart from those of the same names in other members' clusters.

    A problem is of one cluster: what says where that is, is part of its id. Pods of our own account keep their names,
    as its signals may name no cluster, or name it otherwise.
    """
    pull = problem.pull
    if pull is None or not pull.cluster_region:
        return problem.pods
    return problem.pods.within("/".join((pull.account or "", pull.cluster_region, pull.cluster or "")))


def _joined(every: list[Names], names: Names) -> list[Names]:
    """Return names to unite later. They are united now and then, so that they do not fill the memory."""
    every = [*every, names] if names.count or names.more else every
    return every if len(every) < 100 else [unite_names(every)]  # noqa: PLR2004
