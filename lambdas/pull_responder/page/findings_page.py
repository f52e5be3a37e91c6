"""The page of what was open in a deployment in a period, for people who ask later what broke, how long, and by whom.

It says what the table can know. A resolved finding is kept for so many days, and of one that came back the latest time
alone has its details (docs/adr/0187-what-a-report-of-a-period-knows.md).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from statistics import median
from typing import TYPE_CHECKING, Final

from pull_responder.checks import BY_ID
from pull_responder.findings.clock import began_at, minute, span
from pull_responder.page.document import document
from pull_responder.page.episode import episode, time_to_resolve
from pull_responder.page.markup import said, tag
from pull_responder.publish.text import number_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from xml.etree.ElementTree import Element

    from pull_responder.findings.life import Life

_DAY: Final = 86_400.0


def in_period(life: Life, since: float, until: float) -> bool:
    """Return whether a finding was open at some time of a period, in seconds since 1970."""
    return began_at(life.reach, life.opened_at) < until and (life.is_open or life.resolved_at >= since)


def findings_page(  # noqa: PLR0913 -- keyword-only but for the two that it is about
    lives: Sequence[Life],
    unread: Sequence[str],
    *,
    since: float,
    until: float,
    keep_days: int,
    now: float,
    made: str,
    by: str,
) -> str:
    """Return the page as HTML. Times are in seconds since 1970.

    - `lives`: the findings of the period.
    - `unread`: why each of those is not in it that could not be read.
    - `keep_days`: how long the table keeps a resolved finding.
    - `made`, `by`: as `document` takes them.
    """
    open_ones = [each for each in lives if each.is_open]
    open_ones.sort(key=lambda each: (-each.finding.severity.rank, each.opened_at, each.id))
    resolved = sorted((each for each in lives if not each.is_open), key=lambda each: -each.resolved_at)
    title = f"{number_of(len(lives), 'finding')} in the period: {len(open_ones)} open, {len(resolved)} resolved"
    contents = [
        tag("h1", title),
        tag("p", f"From {minute(since)} to {minute(until)}", class_="lead"),
        _summary(open_ones, resolved, now),
        tag("div", _by_cause(lives), _by_account(lives), class_="tables") if lives else None,
        *_known(since, keep_days, now),
        *_unread(unread),
        *_section("Open", open_ones, "open", now),
        *_section("Resolved", resolved, "resolved", now),
    ]
    return document(f"Findings: {title}", contents, made=made, by=by)


def _summary(open_ones: Sequence[Life], resolved: Sequence[Life], now: float) -> Element:
    times = [time_to_resolve(each) for each in resolved]
    failures = sum(each.reach.events for each in (*open_ones, *resolved))
    rows = [
        ("Open", str(len(open_ones))),
        ("Resolved", str(len(resolved))),
        ("Median time to resolve", span(median(times)) if times else "none resolved"),
        ("Longest time to resolve", span(max(times)) if times else "none resolved"),
        ("Open for longest", span(max(now - each.opened_at for each in open_ones)) if open_ones else "none open"),
        ("Failed pulls", f"{failures:,}"),
    ]
    return tag("dl", (tag("div", tag("dt", name), tag("dd", value)) for name, value in rows), class_="figures")


def _by_cause(lives: Sequence[Life]) -> Element:
    return _table("By cause", "Cause", lives, lambda life: _title(life.finding.cause))


def _title(cause: str) -> str:
    return BY_ID[cause].title if cause in BY_ID else cause


def _by_account(lives: Sequence[Life]) -> Element:
    return _table("By account at fault", "Account", lives, lambda life: life.finding.account or "not known")


def _table(caption: str, head: str, lives: Iterable[Life], key: Callable[[Life], str]) -> Element:
    """Return a table of how many findings are open and resolved for each key, and how long they took."""
    groups: defaultdict[str, list[Life]] = defaultdict(list)
    for life in lives:
        groups[key(life)].append(life)
    rows = []
    for name, members in sorted(groups.items(), key=lambda each: (-len(each[1]), each[0])):
        states = Counter(each.is_open for each in members)
        times = [time_to_resolve(each) for each in members if not each.is_open]
        cells = (str(states[True]), str(states[False]), span(median(times)) if times else "")
        whole = "whole" if name.isdecimal() else None
        rows.append(
            tag(
                "tr",
                tag("th", said(name), scope="row", class_=whole),
                (tag("td", each, class_="number") for each in cells),
            )
        )
    heads = ((head, None), ("Open", "number"), ("Resolved", "number"), ("Median time", "number"))
    return tag(
        "table",
        tag("caption", caption),
        tag("thead", tag("tr", (tag("th", words, scope="col", class_=class_) for words, class_ in heads))),
        tag("tbody", rows),
    )


def _known(since: float, keep_days: int, now: float) -> list[Element]:
    kept = number_of(keep_days, "day")
    words = [
        f"The table keeps a finding for {kept} after it was resolved, and an open one until it is.",
        "Of a finding that came back, it has the details of the latest time, and when it came back before.",
        f"Open and resolved are as of {minute(now)}, also in a period that ended before.",
        "A change of a resource is told as CloudTrail recorded it. That it began or ended the fault does not follow.",
    ]
    earliest = now - keep_days * _DAY
    if since < earliest:
        words.insert(1, f"What was resolved before {minute(earliest)} is not here, though the period begins earlier.")
    return [tag("h2", "What this page can know"), tag("ul", (tag("li", each) for each in words))]


def _unread(unread: Sequence[str]) -> list[Element]:
    if not unread:
        return []
    items = (tag("li", said(each)) for each in unread)
    return [tag("h2", f"Not read: {number_of(len(unread), 'item')} of the table"), tag("ul", items)]


def _section(words: str, lives: Sequence[Life], key: str, now: float) -> list[Element]:
    if not lives:
        return [tag("h2", f"{words}: none")]
    return [tag("h2", f"{words}: {len(lives)}"), *(episode(each, f"{key}-{n}", now) for n, each in enumerate(lives, 1))]
