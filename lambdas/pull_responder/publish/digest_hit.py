"""For whom the findings of a digest are: their clusters, namespaces and roles, and how many pods the widest stops.

Findings may have pods, roles and clusters in common, so no numbers are added up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.findings.alert import Alert
from pull_responder.findings.notice import Edge
from pull_responder.publish.attributes import sort_by_severity
from pull_responder.publish.telling import counted, whom

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.findings.notice import Notice
    from pull_responder.publish.telling import Say

_NAMES: Final = 3
_FIELD: Final = 300


def in_clusters(notices: Sequence[Notice], say: Say) -> str:
    """Return in which clusters the findings are, with a blank before it; empty if none is known."""
    names = clusters(notices)
    if not names:
        return ""
    return f" in cluster{'' if len(names) == 1 else 's'} {_some(names, say, more=_lacks(notices, 'clusters'))}"


def hit_by(notices: Sequence[Notice], say: Say) -> str:
    """Return whom `notices` are about, at least one: of one, its sentence; of several, the names they have."""
    if len(notices) == 1:
        return whom(Alert.alone(notices[0]), say)
    parts = [*filter(None, [in_clusters(notices, say).removeprefix(" in ")]), *hit_parts(notices, say)]
    return f"Hit: {'; '.join(parts)}" if parts else ""


def hit_parts(notices: Sequence[Notice], say: Say) -> list[str]:
    """Return the namespaces and the roles of `notices`, and what the one with the most pods or nodes stops.

    What still stops pods comes before what does no more.
    """
    parts = []
    if names := namespaces(notices):
        # Of some pods, nobody knows the name.
        others = ", maybe more" if _lacks(notices, "pods") else ""
        parts.append(f"namespace{'' if len(names) == 1 else 's'} {_some(names, say)}{others}")
    if names := roles(notices):
        several = len(names) > 1 or _lacks(notices, "principals")
        parts.append(f"role{'s' if several else ''} {_some(names, say, more=_lacks(notices, 'principals'))}")
    still = [each for each in notices if each.edge is not Edge.RESOLVED or each.others]
    widest = max((each.reach for each in still or notices), key=lambda reach: (reach.pod_count, reach.node_count))
    if units := "pods" if widest.pod_count else "nodes" if widest.node_count else "":
        number = counted(widest, units)
        stops = "stops" if still else "stopped"
        parts.append(number if len(notices) == 1 else f"the largest failure {stops} {number}")
    return parts


def clusters(notices: Sequence[Notice]) -> list[str]:
    """Return the names of the clusters that are known, those of the worst finding first."""
    every = (name for each in sort_by_severity(notices) for name in (each.finding.cluster, *each.reach.clusters))
    return list(dict.fromkeys(filter(None, every)))


def namespaces(notices: Sequence[Notice]) -> list[str]:
    """Return the namespaces of the pods that are known by name, those of the worst finding first."""
    worst = sort_by_severity(notices)
    named = (name.partition("/")[0] for each in worst for name in each.reach.pods)
    pulls = (each.finding.pull.namespace for each in worst)
    return list(dict.fromkeys(filter(None, (*named, *pulls))))


def roles(notices: Sequence[Notice]) -> list[str]:
    """Return the names of the roles that are known to fail, those of the worst finding first."""
    worst = sort_by_severity(notices)
    pulls = (each.finding.pull.principal.name for each in worst if each.finding.pull.principal)
    counted_too = (name.partition("/")[2] for each in worst for name in each.reach.principals)
    return list(dict.fromkeys(filter(None, (*pulls, *counted_too))))


def _lacks(notices: Sequence[Notice], units: str) -> bool:
    """Whether the names of what is counted are not all known."""
    known = {"pods": "pods", "clusters": "clusters", "principals": "principals"}[units]
    return any(
        units in each.reach.more or each.reach.count(units) > len(getattr(each.reach, known)) for each in notices
    )


def _some(names: Sequence[str], say: Say, *, more: bool = False) -> str:
    left = len(names) - _NAMES
    end = " and more" if more else f" and {left} more" if left > 0 else ""
    return f"{say(', '.join(names[:_NAMES]), _FIELD)}{end}"
