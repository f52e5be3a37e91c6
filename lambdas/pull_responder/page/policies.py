"""A policy as it stands in AWS, with the statements that decide highlighted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pull_responder.model.printable import escape_json
from pull_responder.model.quoting import quote
from pull_responder.page.markup import json_lines, said, tag

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from xml.etree.ElementTree import Element

    from pull_responder.model.verdict import DecidingPolicy


def policies(found: Sequence[DecidingPolicy]) -> list[Element]:
    """Return the policies, each below its name; those in which no statement decides are folded."""
    shown = []
    for each in found:
        name = said(each.name)
        name = name[:1].upper() + name[1:]
        if each.statements:
            shown.append(
                tag(
                    "div",
                    tag("p", f"{name}: ", _which(each), class_="name"),
                    _document(each),
                    class_="policy-of",
                )
            )
        else:
            shown.append(tag("details", tag("summary", f"{name}: no statement is about it"), _document(each)))
    return shown


def _which(policy: DecidingPolicy) -> str:
    """Return which statements decide and how: an Allow only comes near, as the pull is stopped."""
    listed = _statements(policy)
    words = []
    for index in policy.statements:
        statement = listed[index] if index < len(listed) else None
        found = statement if isinstance(statement, Mapping) else {}
        sid = found.get("Sid")
        place = f"statement {quote(str(sid))}" if sid else f"statement {index}, counted from 0,"
        does = "denies the pull" if found.get("Effect") == "Deny" else "comes nearest to allowing it"
        words.append(f"{place} {does}")
    return "; ".join(words)


def _statements(policy: DecidingPolicy) -> Sequence[object]:
    statements = policy.document.get("Statement")
    return statements if isinstance(statements, list) else [statements]


def _document(policy: DecidingPolicy) -> Element:
    return tag("pre", tag("code", _lines(policy)), class_="policy", tabindex="0", aria_label=said(policy.name))


def _lines(policy: DecidingPolicy) -> Iterator[Element | str]:
    """Yield the policy as JSON; each statement that decides is an element of its own."""
    listed = _statements(policy)
    yield "{\n"
    for key, value in policy.document.items():
        if key != "Statement":
            first, *rest = json_lines(value)
            yield "\n".join([f"  {escape_json(_quoted(key))}: {first}", *(f"  {line}" for line in rest)]) + ",\n"
    yield '  "Statement": [\n'
    for index, statement in enumerate(listed):
        comma = "," if index < len(listed) - 1 else ""
        text = "\n".join(f"    {line}" for line in json_lines(statement)) + comma
        yield tag("mark", text, class_="decides") if index in policy.statements else f"{text}\n"
    yield "  ]\n}"


def _quoted(key: str) -> str:
    return json_lines(key)[0]
