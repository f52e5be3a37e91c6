"""What an alert tells people, in the order in which they need it, for mail and chat alike.

First what is broken and for whom, then what to do. Each function takes `say`, which makes text that anybody may have
written safe for its format, at most so many characters of it. All other words are ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.checks import BY_ID
from pull_responder.checks.check import Kind
from pull_responder.findings.clock import minute
from pull_responder.findings.notice import Edge
from pull_responder.findings.problem import seconds_of
from pull_responder.publish.attributes import UNKNOWN
from pull_responder.publish.hit import by_namespace, workload_lists
from pull_responder.publish.text import resource_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pull_responder.findings.alert import Alert
    from pull_responder.findings.deed import Deed
    from pull_responder.findings.finding import Finding
    from pull_responder.findings.notice import Notice
    from pull_responder.findings.reach import Reach

    Say = Callable[[str, int], str]

WORDS: Final = {
    Edge.NEW: "NEW",
    Edge.WORSE: "WORSE",
    Edge.BACK: "BACK",
    Edge.REMINDER: "STILL OPEN",
    Edge.RESOLVED: "RESOLVED",
}
_NOTHING_LEFT: Final = "Nothing else that was found stops these pulls."
_NOT_READ: Final = "Whether something else stops these pulls could not be read."

_NAME: Final = 100
_TITLE: Final = 200
_FIELD: Final = 600
_SUMMARY: Final = 400
_SENTENCE: Final = 1_500
_NAMES: Final = 3
_SHORT: Final = 2
_PAIR: Final = 2


def broken(alert: Alert, say: Say) -> str:
    """Return what is broken, or was: the fault and the resource, and how many other causes the message tells."""
    more = len(alert.notices) - 1
    return fault(alert.worst.finding, say) + (f", and {_count(more, 'more cause')}" if more else "")


def fault(finding: Finding, say: Say) -> str:
    """Return the fault and the resource."""
    what = say(finding.title, _TITLE) or say(finding.cause, _NAME)
    return f"{what} ({say(resource_name(finding.resource.id), _NAME)})"


def do_all(number: int) -> str:
    """Return what to do with the fixes of `number` causes, two at least."""
    return f"Do {'both' if number == _PAIR else f'all {number}'}, or the pulls still fail:"


def whom(alert: Alert, say: Say) -> str:
    """Return for whom it is broken, as a sentence."""
    finding, reach = alert.worst.finding, alert.reach
    where = _where(alert, say)
    what = _what(alert, say)
    if _is_behavior(finding):
        who = finding.pull.principal
        name = who and (who.name or who.arn)
        return f"{say(name, _NAME) if name else 'Somebody'} was refused {what}{where}."
    if not reach.events:
        return f"No pull has failed yet{where}."
    if reach.pod_count:
        who_fails = f"{_counted(reach, 'pods')}{_workloads(reach.pods, reach.pod_count, say)}"
    elif reach.node_count:
        who_fails = _counted(reach, "nodes")
    else:
        return f"Pulls of {what}{where} {'failed' if alert.edge is Edge.RESOLVED else 'fail'}."
    return f"{who_fails}{where} {'could not' if alert.edge is Edge.RESOLVED else 'cannot'} pull {what}."


def ended(alert: Alert, say: Say) -> Iterator[str]:
    """Yield how each finding of a resolved alert ended, a sentence each."""
    for each in alert.notices:
        name = say(resource_name(each.finding.resource.id), _NAME)
        yield f"{name}: {say(each.because, _SENTENCE) or say(each.finding.title, _FIELD)}"


def what_is_left(alert: Alert, say: Say) -> list[str]:
    """Return what else is known to stop the pulls of an alert: a heading with a line for each, or one sentence.

    Of a new alert it is empty if nothing else is known.
    """
    over = alert.edge is Edge.RESOLVED
    if not alert.others_known:
        return [_NOT_READ]
    if not alert.others:
        return [_NOTHING_LEFT] if over else []
    return [f"{'Still' if over else 'Also'} stops these pulls:", *(f"- {each}" for each in _still_stops(alert, say))]


def _still_stops(alert: Alert, say: Say) -> Iterator[str]:
    """Yield the other causes that are open and the fix of each, a line each."""
    for each in alert.others:
        yield f"{each.severity.value}: {fault(each, say)}. Do this: {say(each.remediation.summary, _SUMMARY)}"


def hit(alert: Alert, say: Say) -> Iterator[str]:
    """Yield who is hit, since when and how often, a short line each. There is one "since"."""
    reach, pull = alert.reach, alert.worst.finding.pull
    if reach.pod_count or reach.node_count:
        counts = [(reach.pod_count, "pods"), (reach.node_count, "nodes")]
        yield " on ".join(_counted(reach, units) for number, units in counts if number)
    since = seconds_of(alert.since)
    earlier = " in all" if (reach.first_seen_at or alert.since) < alert.since else ""
    times = f", {reach.words('events')} failure{'' if reach.events == 1 else 's'}{earlier}" if reach.events else ""
    yield f"Since {minute(since) if since is not None else say(alert.since, _NAME)}{times}"
    lists, told = workload_lists(reach.pods)
    for namespace, workloads in lists:
        yield f"{say(namespace, _NAME) or UNKNOWN}: {say(workloads, _FIELD) or UNKNOWN}"
    if told and reach.pod_count > told:
        more = "at least " if "pods" in reach.more else ""
        yield f"And {more}{_count(reach.pod_count - told, 'more pod')}"
    if not reach.pods and pull.pod:
        yield f"Pod: {say('/'.join(filter(None, [pull.namespace, pull.pod])), _FIELD)}"
    if nodes := _list(reach.nodes, reach.node_count) or _node(alert):
        yield f"{'Node' if reach.node_count <= 1 else 'Nodes'}: {say(nodes, _FIELD)}"
    if clusters := _list(reach.clusters, reach.cluster_count) or alert.worst.finding.cluster:
        yield f"{'Cluster' if reach.cluster_count <= 1 else 'Clusters'}: {say(clusters, _FIELD)}"
    if image := pull.image or pull.repository_arn or pull.repository:
        yield f"Image: {say(image, _FIELD)}{_of_several(reach, 'repositories')}"
    principal = pull.principal
    if puller := (principal.role_arn or principal.arn or principal.name) if principal else None:
        yield f"Pulled by: {say(puller, _FIELD)}{_of_several(reach, 'principals')}"


def changed_by(notice: Notice, say: Say) -> Iterator[str]:
    """Yield who changed the resource before it broke, as a fact."""
    if deed := notice.broken_by:
        yield f"Changed by {_deed(deed, say)}"
    elif notice.changes_unread and notice.edge is not Edge.RESOLVED:
        yield f"Who changed it is not known: {say(notice.changes_unread, _FIELD)}"


def _deed(deed: Deed, say: Say) -> str:
    event = f" (event {say(deed.event_id, _NAME)})" if deed.event_id else ""
    return f"{say(deed.by, _FIELD)} with {say(deed.call, _NAME)} at {say(deed.at, _NAME)}{event}"


def _where(alert: Alert, say: Say) -> str:
    clusters = alert.reach.clusters or tuple(filter(None, [alert.worst.finding.cluster]))
    number = max(alert.reach.cluster_count, len(clusters))
    if not clusters:
        return ""
    return f" in cluster {say(clusters[0], _NAME)}" if number == 1 else f" in {number} clusters"


def _what(alert: Alert, say: Say) -> str:
    repository = alert.worst.finding.pull.repository
    if alert.reach.repository_count > 1:
        return f"images of {alert.reach.words('repositories')} repositories"
    return say(repository, _NAME) if repository else "from ECR"


def _workloads(pods: Sequence[str], count: int, say: Say) -> str:
    known = [f"{namespace}/{name}" for namespace, names in by_namespace(pods).items() for name in names]
    if not known:
        return ""
    are_more = len(known) > _SHORT or count > len(pods)
    return f" ({say(', '.join(known[:_SHORT]), _FIELD)}{' and more' if are_more else ''})"


def _node(alert: Alert) -> str | None:
    pull = alert.worst.finding.pull
    return pull.node or (pull.principal.instance_id if pull.principal else None)


def _list(known: Sequence[str], count: int) -> str:
    """Return the first few of `known`, and how many more there are of `count`."""
    shown = known[:_NAMES]
    more = max(count, len(known)) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _of_several(reach: Reach, units: str) -> str:
    words = reach.words(units)
    return f", one of {words} {units}" if words not in ("0", "1") else ""


def _is_behavior(finding: Finding) -> bool:
    check = BY_ID.get(finding.cause)
    return check is not None and check.kind is Kind.BEHAVIOR


def _counted(reach: Reach, units: str) -> str:
    """Return a count of `reach` with its unit: "1 pod", "312 pods", "more than 10,000 pods"."""
    words = reach.words(units)
    return f"{words} {units.removesuffix('s') if words == '1' else units}"


def _count(number: int, unit: str) -> str:
    return f"{number} {unit}{'' if number == 1 else 's'}"
