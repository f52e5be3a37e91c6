"""Notices as text for people: the subject and the body of an e-mail, and the line of a text message.

Events carry text that anybody may have written. Each such text is put on one line, and its URLs are broken up, so that
a mail program does not link them.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from pull_responder.findings.notice import Edge
from pull_responder.model.verdict import Severity
from pull_responder.publish.attributes import UNKNOWN, sort_by_severity
from pull_responder.publish.console import console_url
from pull_responder.publish.text import break_urls, command_line, cut, last_name, limit_lines, one_line, resource_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pull_responder.findings.finding import Finding
    from pull_responder.findings.notice import Notice

# SNS takes subjects of fewer than 100 printable ASCII characters (SNS API Reference, Publish).
_SUBJECT: Final = 99
_FIELD: Final = 600
_PARAGRAPH: Final = 4_000
_EVIDENCE: Final = 2_000
_SUMMARY: Final = 300
_NAMES: Final = 3
_CAUSE: Final = 38
_SHORTEST_NAME: Final = 12
_DOCS: Final = ("https://docs.aws.amazon.com/", "https://docs.amazonaws.cn/")

WORDS: Final = {
    Edge.NEW: "NEW",
    Edge.WORSE: "WORSE",
    Edge.BACK: "BACK",
    Edge.REMINDER: "STILL OPEN",
    Edge.RESOLVED: "RESOLVED",
}
# Room for the longest word in brackets. So the rest of the subject is cut alike for every word.
_TAG: Final = max(len(f"[{word}] ") for word in WORDS.values())


def subject(notice: Notice) -> str:
    """Return one line of printable ASCII, at most 99 characters: the change, severity, cause, image and place.

    Mail programs sort and thread by the base subject, without the word in brackets (RFC 5256, section 2.1). The base
    subject stays the same as long as the severity does. The cause comes early, because mail readers cut off the end.
    Names are shortened by whole parts. The subject contains no ARN.
    """
    return f"[{WORDS[notice.edge]}] {_base_subject(notice.finding)}"


def body(notice: Notice, *, room: int) -> str:
    """Return the text of an e-mail. Evidence and commands take at most `room` bytes each.

    Notices of resolved findings and reminders are shorter than other notices.
    """
    finding = notice.finding
    failed = [*_what_failed(finding), *_reach(notice)]
    paragraph = min(_PARAGRAPH, room)
    why = f"  {_prose(finding.explanation, paragraph)}"
    if notice.edge is Edge.RESOLVED:
        sections = [
            ["What was failing", *_table(failed)],
            ["What was wrong", why],
            ["Recommended fix", f"  {_prose(finding.remediation.summary, paragraph)}"],
        ]
    elif notice.edge is Edge.REMINDER:
        sections = [["What is failing", *_table(failed)], ["Why", why], ["How to fix it", *_fix(finding, room)]]
    else:
        sections = [
            ["What failed", *_table(failed)],
            ["Why", why, *_evidence(finding, room)],
            ["How to fix it", *_fix(finding, room)],
        ]
    sections = [_head(notice, paragraph), *sections, ["Where to look", *_places(finding)]]
    return "\n\n".join("\n".join(section) for section in sections) + "\n"


def digest_subject(notices: Sequence[Notice]) -> str:
    """Return one line of printable ASCII, at most 99 characters: how many findings, how severe, in which clusters."""
    number = Counter(notice.finding.severity for notice in notices)
    severities = ", ".join(f"{number[each]} {each}" for each in reversed(Severity) if number[each])
    clusters = list(dict.fromkeys(_ascii(each.finding.cluster or "", 40) for each in notices if each.finding.cluster))
    where = f"cluster {clusters[0]}" if len(clusters) == 1 else f"{len(clusters)} clusters"
    head = f"[DIGEST] {len(notices)} {_kind(notices)}"
    whole = f"{head}: {severities} ({where})" if clusters else f"{head}: {severities}"
    return whole if len(whole) <= _SUBJECT else cut(f"{head}: {severities}", _SUBJECT, "...")


def digest_body(notices: Sequence[Notice], *, room: int) -> str:
    """Return the text of an e-mail about many findings, the most severe first, in about twice `room` bytes."""
    worst = sort_by_severity(notices)
    rows = [_digest_row(notice) for notice in worst]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (
        f"  {'  '.join(f'{cell:{width}}' for cell, width in zip(row, widths, strict=True)).rstrip()}"
        f"\n    Fix: {_prose(notice.finding.remediation.summary, _SUMMARY)}"
        for row, notice in zip(rows, worst, strict=True)
    )
    head = f"{len(notices)} {_kind(notices)} at once, the most severe first"
    sections = (
        [head, "They share one message. Each gets its own message when it gets worse or is resolved."],
        [
            "Severity, cause, resource, cluster, account, region, finding",
            *limit_lines(lines, size=2 * room, what="findings"),
        ],
    )
    return "\n\n".join("\n".join(section) for section in sections) + "\n"


def names(known: Sequence[str], count: int) -> str:
    """Return the first three of `known`, and how many more there are of `count` in all."""
    shown = known[:_NAMES]
    more = count - len(shown)
    if not shown:
        return str(count)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _base_subject(finding: Finding) -> str:
    severity = finding.severity.value
    why = _ascii(finding.cause.replace("_", " "), _CAUSE) or UNKNOWN
    where = f"{_ascii(finding.account, 12) or UNKNOWN} {_ascii(finding.region, 16) or UNKNOWN}"
    what = _ascii(finding.pull.repository or resource_name(finding.resource.id), _FIELD) or UNKNOWN
    short = last_name(what)
    cluster = f", cluster {name}" if (name := _ascii(finding.cluster or "", _FIELD)) else ""
    candidates = (
        f"{severity} pull failure: {why} ({what}{cluster}, {where})",
        f"{severity}: {why} ({what}{cluster}, {where})",
        f"{severity}: {why} ({short}{cluster}, {where})",
        f"{severity}: {why} ({what}, {where})",
        f"{severity}: {why} ({short}, {where})",
    )
    room = _SUBJECT - _TAG
    for candidate in candidates:
        if len(candidate) <= room:
            return candidate
    named = room - len(f"{severity}: {why} (, {where})")
    if named >= _SHORTEST_NAME:
        return f"{severity}: {why} ({cut(short, named, '...')}, {where})"
    return f"{severity}: {why} ({where})"


def _kind(notices: Sequence[Notice]) -> str:
    if all(notice.edge is Edge.NEW for notice in notices):
        return "new pull failure" if len(notices) == 1 else "new pull failures"
    return "pull failures"


def _head(notice: Notice, paragraph: int) -> list[str]:
    title = _prose(notice.finding.title, _FIELD) or _prose(notice.finding.cause, _FIELD)
    because = _prose(notice.because, paragraph)
    return [f"{WORDS[notice.edge]}: {title}", *([f"  {because}"] if because else [])]


def _what_failed(finding: Finding) -> Iterable[tuple[str, str | None]]:
    pull, principal = finding.pull, finding.pull.principal
    yield "Image", pull.image or pull.repository_arn or pull.repository
    yield "Pulled by", (principal.role_arn or principal.arn or principal.name) if principal else None
    yield "Cluster", finding.cluster
    instance = principal.instance_id if principal else None
    differs = pull.node and instance and pull.node != instance
    yield "Node", f"{pull.node} ({instance})" if differs else pull.node or instance
    yield "Pod", f"{pull.namespace or UNKNOWN}/{pull.pod}" if pull.pod else None
    yield "At fault", f"{finding.resource.id} ({finding.resource.type})"
    yield "Account", finding.account
    yield "Region", finding.region
    yield "Severity", finding.severity.value


def _reach(notice: Notice) -> Iterable[tuple[str, str | None]]:
    reach = notice.reach
    yield "Open since", notice.opened_at
    yield "Resolved", notice.at if notice.edge is Edge.RESOLVED else None
    yield "Last seen", reach.last_seen_at
    yield "Events", f"{reach.events} since {reach.first_seen_at}" if reach.events and reach.first_seen_at else None
    yield "Pods hit", f"{reach.pod_count}: {names(reach.pods, reach.pod_count)}" if reach.pods else None
    yield "Nodes hit", f"{reach.node_count}: {names(reach.nodes, reach.node_count)}" if reach.nodes else None


def _evidence(finding: Finding, room: int) -> list[str]:
    evidence = (f"  - {text}" for each in finding.evidence if (text := _prose(each, _EVIDENCE)))
    return limit_lines(evidence, size=room, what="evidence")


def _fix(finding: Finding, room: int) -> list[str]:
    fix = finding.remediation
    lines = [f"  {_prose(fix.summary, min(_PARAGRAPH, room))}"]
    if fix.commands:
        lines += [f"  Run with credentials of account {_field(fix.account)}, region {_field(fix.region)}:"]
        commands = (
            command_line(each) or "(a command with unprintable characters is left out)" for each in fix.commands
        )
        lines += limit_lines((f"    {each}" for each in commands), size=room, what="commands")
    return lines


def _places(finding: Finding) -> list[str]:
    """The only lines with links. They are safe: console URLs quote their parts, and docs URLs are AWS's own."""
    places = [("Console", console_url(finding.resource)), ("Docs", docs_url(finding)), ("Finding", _field(finding.id))]
    return [f"  {label:7}  {value}" for label, value in places if value]


def docs_url(finding: Finding) -> str | None:
    """Return the URL of the fix's documentation, None if it is not on an AWS documentation host."""
    url = one_line(finding.remediation.docs_url, _FIELD)
    return url if url.startswith(_DOCS) and " " not in url else None


def _digest_row(notice: Notice) -> tuple[str, ...]:
    finding = notice.finding
    return (
        finding.severity.value if notice.edge is Edge.NEW else f"{finding.severity.value} ({WORDS[notice.edge]})",
        _field(finding.cause, 60),
        _field(resource_name(finding.resource.id), 80),
        _field(finding.cluster or UNKNOWN, 60),
        _field(finding.account, 12),
        _field(finding.region, 24),
        _field(finding.id, 200),
    )


def _table(rows: Iterable[tuple[str, str | None]]) -> list[str]:
    cleaned = [(label, _field(value)) for label, value in rows if value]
    width = max((len(label) for label, _ in cleaned), default=0)
    return [f"  {label:{width}}  {value}" for label, value in cleaned]


def _field(value: str, limit: int = _FIELD) -> str:
    return _prose(value, limit) or UNKNOWN


def _prose(text: str, limit: int) -> str:
    return break_urls(one_line(text, limit))


def _ascii(text: str, limit: int) -> str:
    return cut(one_line(text, 10 * limit).encode("ascii", "replace").decode(), limit, "...")
