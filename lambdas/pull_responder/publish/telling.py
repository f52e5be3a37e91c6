"""What an alert tells people, in the order in which they need it, for mail and chat alike.

First what is broken and for whom, then what to do. Each function takes `say`, which makes text that anybody may have
written safe for its format, at most so many characters of it. All other words are ours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.checks import BY_ID
from pull_responder.checks.check import Kind
from pull_responder.findings.clock import span
from pull_responder.findings.notice import Edge
from pull_responder.findings.problem import seconds_of
from pull_responder.findings.reach import count_words
from pull_responder.publish.attributes import UNKNOWN
from pull_responder.publish.changes import flaps, grown, how_it_ended, time_words
from pull_responder.publish.faults import NAMED, all_faults, fault
from pull_responder.publish.hit import by_namespace, workload_lists
from pull_responder.publish.text import number_of, resource_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pull_responder.findings.alert import Alert
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
NOTHING_LEFT: Final = "No other cause of these failures is known."
UNSEEN: Final = "Pods may fail to pull, and nobody is told."
NOTHING_TO_RUN: Final = "There is nothing to run."
_READ: Final = "No pull was seen to succeed yet; the configuration says that pulls can."
NOT_SEEN: Final = f"There is nothing to run: pods try again within 5 minutes. {_READ}"
"""What is known of a resolution that a read showed.

The delay between two pulls grows "until it reaches a compiled-in limit, which is 300 seconds (5 minutes)": Kubernetes
documentation, "Images", ImagePullBackOff.
"""
STILL_BROKEN: Final = "STILL BROKEN"
"""The word for what is resolved while another cause stops the pulls."""
NOT_READ: Final = "Whether something else stops these pulls could not be read."

_NAME: Final = 100
_FIELD: Final = 600
_SUMMARY: Final = 400
_SENTENCE: Final = 1_500
_NAMES: Final = 3
_SHORT: Final = 2


def headline(alert: Alert, say: Say) -> str:
    """Return line 1 of an alert that asks for something: what is broken, for whom, and how much worse it is."""
    return " ".join([f"{opening(alert)}: {broken(alert, say)}. {whom(alert, say)}", *grown(alert, say)])


def opening(alert: Alert) -> str:
    """Return the first words of a message: what has changed, and how bad it is. What is over is not bad any more."""
    if alert.is_in_part:
        return f"{word(alert)}, {alert.to_mend[0].severity.value}"
    if alert.edge is Edge.RESOLVED:
        return word(alert)
    since, now = seconds_of(alert.since), seconds_of(alert.at)
    if alert.edge is Edge.REMINDER and since is not None and now is not None and now > since:
        return f"{word(alert)} for {span(now - since)}, {alert.severity.value}"
    return f"{word(alert)} {alert.severity.value}"


def broken(alert: Alert, say: Say, *, most: int = NAMED) -> str:
    """Return what is broken, or was: the first `most` faults and resources, and how many other causes there are.

    Of what is resolved in part it is what still stops the pulls.
    """
    findings = alert.to_mend or [each.finding for each in alert.notices]
    return all_faults(findings, say, unnamed=alert.unnamed if alert.is_in_part else 0, most=most)


def whom(alert: Alert, say: Say, *, brief: bool = False) -> str:
    """Return for whom it is broken, as a sentence; with `brief`, without the names of pods."""
    finding, reach = alert.worst.finding, alert.reach
    in_clusters = where(alert, say)
    what = _what(alert, say)
    is_over = alert.edge is Edge.RESOLVED and not alert.others
    if is_of_responder(finding):
        return "What failed meanwhile was not seen, unless it fails again." if is_over else UNSEEN
    if is_behavior(finding):
        who = finding.pull.principal
        name = who and (who.name or who.arn)
        return f"{say(name, _NAME) if name else 'Somebody'} was refused {what}{in_clusters}."
    if not reach.events:
        return f"No pull has failed yet{in_clusters}."
    several = reach.principal_count > 1 or "principals" in reach.more
    accounts = f" of {reach.account_count} accounts" if reach.account_count > 1 else ""
    principals = f"{reach.words('principals')} roles or users{accounts}"
    if reach.pod_count:
        named = "" if brief else _workloads(reach.pods, reach.pod_count, say)
        who_fails = f"{counted(reach, 'pods')}{named}{f' of {principals}' if several else ''}"
    elif reach.node_count:
        who_fails = f"{counted(reach, 'nodes')}{f' of {principals}' if several else ''}"
    elif several:
        who_fails = principals
    else:
        return f"Pulls of {what}{in_clusters} {'failed' if is_over else 'fail'}."
    return f"{who_fails}{in_clusters} {'could not' if is_over else 'cannot'} pull {what}."


def word(alert: Alert) -> str:
    """Return the word for what has changed.

    What is resolved while another cause stops the pulls is still broken. Of what flaps, it says so: who mends it once
    will see it again.
    """
    if alert.is_in_part:
        return STILL_BROKEN
    return f"{WORDS[alert.edge]} (flapping)" if flaps(alert) else WORDS[alert.edge]


def ended(alert: Alert, say: Say) -> Iterator[str]:
    """Yield how each finding of a resolved alert ended, a sentence each. Who changed what is told by `fixed_by`."""
    for each in alert.notices:
        name = say(resource_name(each.finding.resource.id), _NAME)
        yield f"{name}: {say(how_it_ended(each), _SENTENCE) or say(each.finding.title, _FIELD)}"


def how_known(notices: Sequence[Notice], *, known: bool = True) -> list[str]:
    """Return that there is nothing to run; that no pull was seen yet, if one of `notices` says what works again.

    Empty if something else stops the pulls. If that is not `known`, there may be something to run.
    """
    if any(each.is_in_part or is_of_responder(each.finding) for each in notices):
        return []
    checks = ((each, BY_ID.get(each.finding.cause)) for each in notices)
    is_read = any(check and each.because.startswith(check.again) for each, check in checks)
    if not known:
        return [_READ] if is_read else []
    return [NOT_SEEN if is_read else NOTHING_TO_RUN]


def what_is_left(alert: Alert, say: Say) -> list[str]:
    """Return what else is known to stop the pulls of an alert: a heading with a line for each, or one sentence.

    Of a new alert it is empty if nothing else is known. What is resolved in part begins with what is left.
    """
    if not alert.others_known:
        return [NOT_READ]
    if not alert.others:
        over = alert.edge is Edge.RESOLVED and not is_of_responder(alert.worst.finding)
        return [NOTHING_LEFT] if over else []
    stops = f"Also stop{'s' if len(alert.others) == 1 else ''} these pulls:"
    more = [f"And {number_of(alert.unnamed, 'more cause')}"] if alert.unnamed else []
    return [stops, *(f"- {each}" for each in _also_stops(alert, say)), *more]


def _also_stops(alert: Alert, say: Say) -> Iterator[str]:
    """Yield the other causes that are open and the fix of each, a line each."""
    for each in alert.others:
        yield f"{each.severity.value}: {fault(each, say)}. Do this: {say(each.remediation.summary, _SUMMARY)}"


def hit(alert: Alert, say: Say, *, brief: bool = False) -> Iterator[str]:
    """Yield who is hit, since when and how often, a short line each. There is one "since".

    With `brief`, a single cluster is left out, which `whom` names, and a pulling role that is at fault.
    """
    reach, pull = alert.reach, alert.worst.finding.pull
    if reach.pod_count or reach.node_count:
        counts = [(reach.pod_count, "pods"), (reach.node_count, "nodes")]
        yield " on ".join(counted(reach, units) for number, units in counts if number)
    yield _since(alert, say)
    lists, told = workload_lists(reach.pods)
    # The number stands above. Of the others, nobody knows the name.
    label = "Among them," if reach.pod_count > told else "Pods"
    for namespace, workloads in lists:
        yield f"{label} in {say(namespace, _NAME) or UNKNOWN}: {say(workloads, _FIELD) or UNKNOWN}"
    if not reach.pods and pull.pod:
        yield f"Pod: {say('/'.join(filter(None, [pull.namespace, pull.pod])), _FIELD)}"
    # One node of an event says little of the many that a policy stops.
    one = _node(alert) if max(reach.principal_count, reach.cluster_count) <= 1 else None
    if nodes := _list(reach.nodes, reach, "nodes") or one:
        yield f"{'Node' if reach.node_count <= 1 else 'Nodes'}: {say(nodes, _FIELD)}"
    clusters = _clusters(reach) or alert.worst.finding.cluster
    if clusters and not (brief and where(alert, say).startswith(" in cluster ")):
        worst_first = ", worst first" if reach.cluster_events else ""
        yield f"{'Cluster' if reach.cluster_count <= 1 else f'Clusters{worst_first}'}: {say(clusters, _FIELD)}"
    if image := pull.image or pull.repository_arn or pull.repository:
        yield f"Image: {say(image, _FIELD)}{_of_several(reach, 'repositories')}"
    principal = pull.principal
    puller = (principal.role_arn or principal.arn or principal.name) if principal else None
    if puller and not (brief and reach.principal_count <= 1 and puller == alert.worst.finding.resource.id):
        yield f"Pulled by: {say(puller, _FIELD)}{_of_several(reach, 'principals')}"


def _since(alert: Alert, say: Say) -> str:
    """Return since when pulls fail and how often they did; of what is over, from when to when they were seen to."""
    reach = alert.reach
    since = time_words(alert.since, say)
    if not reach.events:
        return f"Since {since}"
    times = f"{reach.words('events')} failure{'' if reach.events == 1 else 's'}"
    first, last = reach.first_seen_at or alert.since, reach.last_seen_at or ""
    in_all = " in all" if first < alert.since else ""
    end = time_words(last, say) if last else ""
    if alert.edge is Edge.RESOLVED and not alert.others and end >= since:
        return f"At {since}, {times}{in_all}" if end == since else f"From {since} to {end}, {times}{in_all}"
    if alert.edge is Edge.BACK and first < alert.since:
        return f"Seen again since {since}; {times} since {time_words(first, say)}"
    latest = f", the last at {end}" if alert.edge is Edge.REMINDER and last else ""
    return f"Since {since}, {times}{in_all}{latest}"


def where(alert: Alert, say: Say) -> str:
    """Return in which cluster or in how many, with a blank before it; empty if no cluster is known."""
    reach = alert.reach
    clusters = reach.clusters or tuple(filter(None, [alert.worst.finding.cluster]))
    if not clusters:
        return ""
    number = max(reach.cluster_count, len(clusters))
    if number > 1 or "clusters" in reach.more:
        return f" in {count_words(number, more='clusters' in reach.more)} clusters"
    return f" in cluster {say(clusters[0], _NAME)}"


def _what(alert: Alert, say: Say) -> str:
    repository = alert.worst.finding.pull.repository
    if alert.reach.repository_count > 1:
        return f"images of {alert.reach.words('repositories')} repositories"
    if not repository:
        return "from ECR"
    # A workload often has the name of its image.
    return f"the image {say(repository, _NAME)}"


def _workloads(pods: Sequence[str], count: int, say: Say) -> str:
    known = [f"{namespace}/{name}" for namespace, names in by_namespace(pods).items() for name in names]
    if not known:
        return ""
    are_more = len(known) > _SHORT or count > len(pods)
    return f" ({say(', '.join(known[:_SHORT]), _FIELD)}{' and more' if are_more else ''})"


def _node(alert: Alert) -> str | None:
    pull = alert.worst.finding.pull
    return pull.node or (pull.principal.instance_id if pull.principal else None)


def _list(known: Sequence[str], reach: Reach, units: str) -> str:
    """Return the first few of `known`, and how many more `reach` counts."""
    shown = known[:_NAMES]
    more = max(reach.count(units), len(known)) - len(shown)
    at_least = "at least " if units in reach.more else ""
    return ", ".join(shown) + (f" and {at_least}{more} more" if more else "")


def _clusters(reach: Reach) -> str:
    """Return the first few clusters, those that fail most first, with their failures where these are known."""
    if reach.cluster_count <= 1 or not reach.clusters or len(reach.cluster_events) != len(reach.clusters):
        return _list(reach.clusters, reach, "clusters")
    known = [f"{name} ({number:,})" for name, number in zip(reach.clusters, reach.cluster_events, strict=True)]
    known[0] = f"{known[0].removesuffix(')')} {'failure' if reach.cluster_events[0] == 1 else 'failures'})"
    return _list(known, reach, "clusters")


def _of_several(reach: Reach, units: str) -> str:
    words = reach.words(units)
    what = "roles or users" if units == "principals" else units
    return f", one of {words} {what}" if words not in ("0", "1") else ""


def is_of_responder(finding: Finding) -> bool:
    """Return whether the finding is about Pull Responder itself, and about no pull."""
    check = BY_ID.get(finding.cause)
    return check is not None and check.of_responder


def is_behavior(finding: Finding) -> bool:
    """Return whether the finding is about somebody who was refused and pulls for no cluster."""
    check = BY_ID.get(finding.cause)
    return check is not None and check.kind is Kind.BEHAVIOR


def counted(reach: Reach, units: str) -> str:
    """Return a count of `reach` with its unit: "1 pod", "312 pods", "more than 10,000 pods"."""
    words = reach.words(units)
    return f"{words} {units.removesuffix('s') if words == '1' else units}"
