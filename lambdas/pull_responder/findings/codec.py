"""Convert findings and problems to items of the findings table, and back.

A person or an older version may have written an item. A missing attribute gets its default. A finding that cannot be
read at all raises UnusableItem, which says why.

The names of the dataclass fields of `Life` and of all that it holds are the keys of the stored JSON.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, TypeVar

import dacite

from pull_responder.findings.finding import Finding
from pull_responder.findings.life import Life
from pull_responder.findings.pages import Page
from pull_responder.findings.problem import MARK, NAME_MARK, Names, Problem
from pull_responder.model.pull import PullFailure

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef as Value

T = TypeVar("T")

# The index `due` covers these two attributes. An item has them only while it waits for a run.
QUEUE: Final = "queue"
LOOK_AT: Final = "look_at"
FINDINGS_DUE: Final = "finding"
NOTICES_DUE: Final = "notice"
PROBLEMS_DUE: Final = "problem"
UNREAD_PROBLEMS_DUE: Final = "problem/unread"

_SHAPE: Final = dacite.Config(cast=[StrEnum, tuple, float], check_types=True)
_REASON: Final = 300
# A person may have typed any number. A time later than this is not valid.
_END_OF_TIME: Final = datetime(9999, 1, 1).timestamp()  # noqa: DTZ001 -- far enough for every zone
# DynamoDB Developer Guide, "Service, account, and table quotas": an item holds 400 KB.
_MOST_BYTES: Final = 350_000
_SHORT_LINES: Final = 40
_SHORT_LINE: Final = 1_500
_SHORT_COMMANDS: Final = 100_000
_SHORT_TEXT: Final = 8_000


class UnusableItem(ValueError):  # noqa: N818 -- named as what it is about, like UnusableEvent
    """An item of the table cannot be read. The message is one line. `version` is what the item says, or None."""

    def __init__(self, item_id: str, problem: str, version: int | None) -> None:
        super().__init__(f"item {item_id} of the findings table: {problem}"[:_REASON])
        self.item_id = item_id
        self.version = version


def life_item(life: Life, *, expires_at: int | None) -> dict[str, Value]:
    """Return the item of a finding, as the next version.

    The function reads only the attribute `life` back. The other attributes are for people.
    """
    document = _dump(life)
    if len(document) > _MOST_BYTES:
        document = _dump(_shorten_life(life))
    item: dict[str, Value] = {
        "id": {"S": life.id},
        "version": {"N": str(life.version + 1)},
        "state": {"S": life.state.value},
        "cause": {"S": life.finding.cause},
        "resource": {"S": life.finding.resource.id},
        "events": {"N": str(life.reach.events)},
        "life": {"S": document},
    }
    due = life.due_at
    if due is not None:
        item |= {QUEUE: {"S": _queue(life)}, LOOK_AT: {"N": _number(due)}}
    if expires_at is not None:
        item["expires_at"] = {"N": str(expires_at)}
    return item


def _queue(life: Life) -> str:
    """Return the queue of a finding. Notices have their own: they are quick, and must not wait behind rechecks."""
    return NOTICES_DUE if life.pending or life.hub_due else FINDINGS_DUE


def read_life(item: Mapping[str, Value]) -> Life:
    """Return the finding in an item. Raises UnusableItem."""
    version = read_version(item)
    try:
        document = json.loads(item["life"]["S"])
        life = _load(Life, {**document, "version": version or 0})
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, dacite.DaciteError) as error:
        problem = f"its life cannot be read: {type(error).__name__}: {error}"
        raise UnusableItem(item["id"]["S"], " ".join(problem.split()), version) from error
    if life.id != item["id"]["S"]:
        raise UnusableItem(item["id"]["S"], f"it holds finding {life.id!r}", version)
    if not all(0 <= each <= _END_OF_TIME for each in _times(life)):
        raise UnusableItem(item["id"]["S"], "its life cannot be read: one of its times is not valid", version)
    return life


def problem_item(problem: Problem, *, expires_at: int) -> dict[str, Value]:
    """Return the item of a problem, as the next version."""
    item: dict[str, Value] = {
        "id": {"S": problem.id},
        "version": {"N": str(problem.version + 1)},
        "quiet_until": {"N": _number(problem.quiet_until)},
        "leased_until": {"N": _number(problem.leased_until)},
        "unexplained_since": {"N": _number(problem.unexplained_since)},
        "unexplained_count": {"N": str(problem.unexplained_count)},
        "tries": {"N": str(problem.tries)},
        "unread_tries": {"N": str(problem.unread_tries)},
        "expires_at": {"N": str(expires_at)},
    }
    item |= _seen(problem)
    if problem.findings:
        item["findings"] = {"S": "\n".join(problem.findings)}
    if problem.paged:
        item["paged"] = {"BOOL": True}
    if problem.cluster:
        item["cluster"] = {"S": problem.cluster}
    if problem.leased_by:
        item["leased_by"] = {"S": problem.leased_by}
    if problem.pull is not None:
        item["pull"] = {"S": _dump(problem.pull)}
    if problem.look_at:
        queue = UNREAD_PROBLEMS_DUE if problem.unread_tries else PROBLEMS_DUE
        item |= {QUEUE: {"S": queue}, LOOK_AT: {"N": _number(problem.look_at)}}
    return item


def read_problem(item: Mapping[str, Value]) -> Problem:
    """Return the problem in an item. An attribute that cannot be read gets its default."""
    return Problem(
        item["id"]["S"],
        version=read_version(item) or 0,
        **_read_seen(item),
        paged=_is_true(item, "paged"),
        quiet_until=_float(item, "quiet_until"),
        leased_until=_float(item, "leased_until"),
        leased_by=item.get("leased_by", {}).get("S", ""),
        pull=_pull(item),
        findings=_lines(item, "findings"),
        unexplained_since=_float(item, "unexplained_since"),
        unexplained_count=int(_float(item, "unexplained_count")),
        tries=int(_float(item, "tries")),
        unread_tries=int(_float(item, "unread_tries")),
        look_at=_float(item, LOOK_AT),
        cluster=item.get("cluster", {}).get("S"),
    )


def page_item(page: Page, *, expires_at: int) -> dict[str, Value]:
    """Return the item of a page, as the next version."""
    return {
        "id": {"S": page.id},
        "version": {"N": str(page.version + 1)},
        "expires_at": {"N": str(expires_at)},
        **_seen(page),
    }


def read_page(item: Mapping[str, Value]) -> Page:
    """Return the page in an item. An attribute that cannot be read gets its default."""
    return Page(item["id"]["S"], version=read_version(item) or 0, **_read_seen(item))


def _seen(seen: Problem | Page) -> dict[str, Value]:
    """Return the attributes that say what was seen, of a problem or one of its pages."""
    item: dict[str, Value] = {
        "count": {"N": str(seen.count)},
        "first_seen": {"N": _number(seen.first_seen)},
        "last_seen": {"N": _number(seen.last_seen)},
    }
    for name, data in (("marks", seen.marks), ("pod_marks", seen.pods.marks), ("node_marks", seen.nodes.marks)):
        if data:
            item[name] = {"B": data}
    for name, texts in (("pods", seen.pods.shown), ("nodes", seen.nodes.shown)):
        if texts:
            item[name] = {"S": "\n".join(texts)}
    if seen.forgotten:
        item["forgotten"] = {"N": _number(seen.forgotten)}
    for name, more in (("more", seen.more), ("more_pods", seen.pods.more), ("more_nodes", seen.nodes.more)):
        if more:
            item[name] = {"BOOL": True}
    return item


def _read_seen(item: Mapping[str, Value]) -> dict[str, Any]:
    return {
        "count": int(_float(item, "count")),
        "first_seen": _float(item, "first_seen"),
        "last_seen": _float(item, "last_seen"),
        "marks": _bytes(item, "marks", MARK),
        "pods": Names(_lines(item, "pods"), _bytes(item, "pod_marks", NAME_MARK), _is_true(item, "more_pods")),
        "nodes": Names(_lines(item, "nodes"), _bytes(item, "node_marks", NAME_MARK), _is_true(item, "more_nodes")),
        "forgotten": _float(item, "forgotten"),
        "more": _is_true(item, "more"),
    }


def read_version(item: Mapping[str, Value]) -> int | None:
    """Return how often an item was written; None if its `version` is absent or not a number."""
    try:
        return int(item["version"]["N"])
    except (KeyError, ValueError):
        return None


def _dump(value: Life | PullFailure) -> str:
    return json.dumps({k: v for k, v in asdict(value).items() if v is not None}, separators=(",", ":"))


def _shorten_life(life: Life) -> Life:
    """Return a life that is too long for an item, cut where only people read it. All limits are in bytes as stored."""
    pending = life.pending and replace(life.pending, because=_cut(life.pending.because, _SHORT_TEXT))
    return replace(life, finding=_shorten(life.finding), because=_cut(life.because, _SHORT_TEXT), pending=pending)


def _shorten(finding: Finding) -> Finding:
    """Return a finding with less evidence, shorter texts, and without overlong commands."""
    remediation, lines = finding.remediation, finding.evidence
    evidence = tuple(_cut(line, _SHORT_LINE) for line in lines[:_SHORT_LINES])
    if len(lines) > _SHORT_LINES:
        more = len(lines) - _SHORT_LINES
        evidence = (*evidence, f"{more} more lines of evidence were too many to store.")
    summary, commands, undo = _cut(remediation.summary, _SHORT_TEXT), remediation.commands, remediation.undo
    if sum(_stored(word) for command in commands for word in command) > _SHORT_COMMANDS:
        summary = f"{summary} (The commands are too long to store: pull-responder diagnose prints them.)"
        commands, undo = (), ()
    short = remediation.short if _stored(remediation.short) <= _SHORT_TEXT else ""
    many = remediation.for_many_short if _stored(remediation.for_many_short) <= _SHORT_TEXT else ""
    docs_url = _cut(remediation.docs_url, _SHORT_TEXT)
    return replace(
        finding,
        title=_cut(finding.title, _SHORT_TEXT),
        explanation=_cut(finding.explanation, _SHORT_TEXT),
        evidence=evidence,
        remediation=replace(
            remediation,
            summary=summary,
            commands=commands,
            docs_url=docs_url,
            undo=undo,
            short=short,
            for_many_short=many,
        ),
        related=tuple(each for each in finding.related[:_SHORT_LINES] if _stored(each.id) <= _SHORT_LINE),
    )


def _stored(text: str) -> int:
    """Return how many bytes a text takes in an item: up to twelve a character."""
    return len(json.dumps(text))


def _cut(text: str, most: int) -> str:
    if _stored(text) <= most:
        return text
    room = most - _stored("…")
    for at, character in enumerate(text):
        room -= _stored(character) - len('""')
        if room < 0:
            return f"{text[:at]}…"
    return text


def _times(life: Life) -> Iterator[float]:
    yield from (life.created_at, life.opened_at, life.resolved_at, life.looked_at, life.look_at, life.hub_at)
    yield from (life.listed_at, life.leased_until)
    yield from life.breaks
    if life.pending:
        yield from (life.pending.at, life.pending.due, life.pending.claimed_until, life.pending.waits_until)
    if life.told:
        yield life.told.at


def _load(kind: type[T], document: Any) -> T:  # noqa: ANN401 -- whatever JSON holds; dacite checks it
    return dacite.from_dict(kind, document, config=_SHAPE)


def _pull(item: Mapping[str, Value]) -> PullFailure | None:
    try:
        return _load(PullFailure, json.loads(item["pull"]["S"]))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError, dacite.DaciteError):
        return None


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _float(item: Mapping[str, Value], name: str) -> float:
    try:
        value = float(item[name]["N"])
    except (KeyError, ValueError):
        return 0
    return value if 0 <= value <= _END_OF_TIME else 0


def _is_true(item: Mapping[str, Value], name: str) -> bool:
    return item.get(name, {}).get("BOOL", False) is True


def _bytes(item: Mapping[str, Value], name: str, size: int) -> bytes:
    """Return an attribute of marks of `size` bytes each. Empty if its length is not a multiple of `size`."""
    value = item.get(name, {}).get("B", b"")
    return value if isinstance(value, bytes) and len(value) % size == 0 else b""


def _lines(item: Mapping[str, Value], name: str) -> tuple[str, ...]:
    return tuple(line for line in item.get(name, {}).get("S", "").split("\n") if line)
