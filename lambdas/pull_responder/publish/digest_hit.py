"""For whom the findings of a digest are: their clusters, namespaces and roles, and how many pods the widest stops.

Findings may have pods in common, so there are at least as many as the widest finding has. Where all are known by name,
it is known how many there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.findings.alert import Alert
from pull_responder.findings.notice import Edge
from pull_responder.publish.attributes import sort_by_severity
from pull_responder.publish.telling import counted, is_behavior, is_of_responder, whom
from pull_responder.publish.text import number_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.findings.notice import Notice
    from pull_responder.findings.reach import Reach
    from pull_responder.publish.telling import Say

_NAMES: Final = 3
_FIELD: Final = 300


def in_clusters(notices: Sequence[Notice], say: Say) -> str:
    """Return in which clusters the findings are, with a blank before it; empty if none is known."""
    names = clusters(notices)
    if not names:
        return ""
    return f" in cluster{'' if len(names) == 1 else 's'} {_some(names, say, more=_lacks(notices, 'clusters'))}"


def whom_together(notices: Sequence[Notice], say: Say, *, with_namespaces: bool = False) -> str:
    """Return for whom all of `notices` are broken, as a sentence."""
    images = {each.finding.pull.repository for each in notices}
    is_one = len(images) == 1 and all(images) and all(each.reach.repository_count <= 1 for each in notices)
    what = f"the image {say(str(*images), _FIELD)}" if is_one else "images"
    where, number = in_clusters(notices, say), _how_many([each.reach for each in notices])
    if with_namespaces and (named := _in_namespaces(notices, say)):
        where += f" ({named})"
    return f"{number[0]}{where} cannot pull {what}." if number else f"Pulls of {what}{where} fail."


def whom_open(notices: Sequence[Notice], say: Say) -> list[str]:
    """Return for whom those of `notices` are broken that are open, a sentence with the namespaces that are known.

    Empty if no pull of them has failed, or if they are about no pull.
    """
    still = [each for each in notices if each.edge is not Edge.RESOLVED and each.reach.events]
    pulls = [each for each in still if not is_of_responder(each.finding) and not is_behavior(each.finding)]
    if len(pulls) <= 1:
        return [hit_by([each], say) for each in pulls]
    said = whom_together(pulls, say, with_namespaces=True)
    return [said[:1].upper() + said[1:]]


def hit_by(notices: Sequence[Notice], say: Say) -> str:
    """Return whom `notices` are about, at least one: of one, its sentence; of several, the names they have.

    Of what is resolved, whom something else still stops does not count: that was not all.
    """
    if all(each.edge is Edge.RESOLVED for each in notices):
        notices = [each for each in notices if not each.is_in_part] or notices
    if len(notices) == 1:
        return whom(Alert.alone(notices[0]), say)
    parts = [*filter(None, [in_clusters(notices, say).removeprefix(" in ")]), *hit_parts(notices, say)]
    was = "Hit" if any(each.edge is not Edge.RESOLVED or each.is_in_part for each in notices) else "Was hit"
    return f"{was}: {'; '.join(parts)}" if parts else ""


def hit_parts(notices: Sequence[Notice], say: Say) -> list[str]:
    """Return the namespaces and the roles of `notices`, and how many pods or nodes they stop.

    What is open counts, if something is.
    """
    parts = [*filter(None, [_in_namespaces(notices, say)])]
    if names := roles(notices):
        several = len(names) > 1 or _lacks(notices, "principals")
        parts.append(f"role{'s' if several else ''} {_some(names, say, more=_lacks(notices, 'principals'))}")
    still = [each for each in notices if each.edge is not Edge.RESOLVED]
    return [*parts, *_how_many([each.reach for each in still or notices])]


def _in_namespaces(notices: Sequence[Notice], say: Say) -> str:
    """Return the namespaces, as "namespaces shop, tools, maybe more"; empty if none is known."""
    names = namespaces(notices)
    if not names:
        return ""
    # Of some pods, nobody knows the name.
    others = ", maybe more" if _lacks(notices, "pods") else ""
    return f"namespace{'' if len(names) == 1 else 's'} {_some(names, say)}{others}"


def _how_many(reaches: Sequence[Reach]) -> list[str]:
    """Return how many pods, or else nodes, are stopped: if not all are known by name, at least those of the widest."""
    widest = max(reaches, key=lambda reach: (reach.pod_count, reach.node_count))
    units = "pods" if widest.pod_count else "nodes" if widest.node_count else ""
    if not units:
        return []
    named = [set(each.pods if units == "pods" else each.nodes) for each in reaches]
    if all(len(names) == each.count(units) for names, each in zip(named, reaches, strict=True)):
        return [number_of(len(set().union(*named)), units.removesuffix("s"))]
    at_least = "" if len(reaches) == 1 or units in widest.more else "at least "
    return [f"{at_least}{counted(widest, units)}"]


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
