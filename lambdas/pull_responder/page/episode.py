"""One finding of a period: what was broken, from when to when, whom it stopped, who broke it and who mended it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.findings.clock import began_at, minute, span
from pull_responder.page.causes import badge, fix, resource
from pull_responder.page.markup import Child, facts, name_of, prose, said, short, tag
from pull_responder.publish.changes import time_words, without_ids
from pull_responder.publish.hit import reach_words
from pull_responder.publish.text import number_of, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence
    from xml.etree.ElementTree import Element

    from pull_responder.findings.deed import Deed
    from pull_responder.findings.life import Life


def time_to_resolve(life: Life) -> float:
    """Return the seconds from the first failure to the end of a resolved finding."""
    return max(life.resolved_at - began_at(life.reach, life.opened_at), 0)


def episode(life: Life, key: str, now: float) -> Element:
    """Return one finding. `key` is the id of its heading; `now` is in seconds since 1970."""
    finding = life.finding
    state = "is-resolved" if not life.is_open else f"is-{finding.severity.value}"
    return tag(
        "div",
        tag("h3", badge(finding.severity.value), " ", short(finding.title), id=key),
        tag("p", resource(finding.resource)),
        tag("p", prose(finding.explanation)),
        facts(_rows(life, now)),
        tag(
            "details",
            tag("summary", "The fix" if life.is_open else "The fix that was asked for"),
            fix(finding.remediation, key=f"{key}-fix", level=4, elsewhere=finding.is_mended_elsewhere),
        ),
        tag("details", tag("summary", "The proof"), tag("ul", (tag("li", prose(each)) for each in finding.evidence)))
        if finding.evidence
        else None,
        class_=f"cause {state}",
    )


def _rows(life: Life, now: float) -> list[tuple[str, Child]]:
    finding, began = life.finding, began_at(life.reach, life.opened_at)
    clusters = sorted({*life.reach.clusters, *filter(None, [finding.cluster])})
    rows: list[tuple[str, Child]] = [
        ("Cause", tag("code", said(finding.cause))),
        ("Account", said(f"{finding.account}, region {finding.region}")),
        ("Cluster", name_of(", ".join(clusters)) if clusters else None),
        ("Failing since", minute(began)),
    ]
    if life.is_open:
        rows.append(("Open for", span(now - began)))
    else:
        rows += [("Resolved", minute(life.resolved_at)), ("Time to resolve", span(time_to_resolve(life)))]
    rows += [
        ("Stopped", f"{reach_words(life.reach)}{_last(life)}"),
        ("Who broke it", _broke(life)),
        ("Who fixed it", None if life.is_open else _listed(_fixing(life)) or "no change was seen that ended it"),
        (
            "Changed since" if life.is_open else "Changed, too",
            _listed(_others(life)),
        ),
        ("How it ended", said(without_ids(life.because)) if life.because and not life.is_open else None),
        ("Came back", _came_back(life)),
        ("Known as", tag("code", prose(life.id))),
    ]
    return rows


def _last(life: Life) -> str:
    last = life.reach.last_seen_at
    return f", last {time_words(last, one_line)}" if last else ""


def _broke(life: Life) -> Child:
    if life.broken_by:
        return _deed(life.broken_by)
    return said(f"not known: {life.changes_unread}") if life.changes_unread else "no change was seen before it"


def _fixing(life: Life) -> list[Deed]:
    """Return the changes that the sentence about the end tells of. Others have nothing to do with it."""
    return [] if life.is_open else [each for each in life.deeds if each.words in life.because]


def _others(life: Life) -> list[Deed]:
    fixing = _fixing(life)
    return [each for each in life.deeds if each not in fixing]


def _listed(deeds: Sequence[Deed]) -> Element | None:
    latest_first = sorted(deeds, key=lambda each: each.at, reverse=True)
    return tag("ul", (tag("li", _deed(each)) for each in latest_first)) if deeds else None


def _deed(deed: Deed) -> Element:
    event: list[Child] = [", CloudTrail event ", tag("code", said(deed.event_id))] if deed.event_id else []
    return tag("span", name_of(deed.by), f": {said(deed.what)}, {time_words(deed.at, one_line)}", event)


def _came_back(life: Life) -> str | None:
    if not life.breaks:
        return None
    return f"{number_of(len(life.breaks), 'time')}, at {', '.join(minute(each) for each in life.breaks)}"
