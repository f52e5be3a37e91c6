"""Rules of Suricata as AWS Network Firewall takes them: those that may pass or drop a TLS connection.

Sources: Suricata User Guide, "Rules Format" and "Rule Types and Categorization"; AWS Network Firewall Developer Guide,
"Limitations and caveats for stateful rules".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from pull_responder.model.printable import clean_line
from pull_responder.network.suricata_options import (
    NONE,
    OTHER_PROTOCOLS,
    Conditions,
    Option,
    conditions,
    unknown,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ACTIONS: Final = {
    "pass": "PASS",
    "drop": "DROP",
    "reject": "REJECT",
    "rejectsrc": "REJECT",
    "rejectdst": "REJECT",
    "rejectboth": "REJECT",
    "alert": "ALERT",
}
_OF_TLS: Final = frozenset({"TLS", "SSL"})
_OF_PACKETS: Final = frozenset({"TCP", "IP"})
# Possessive, so that a long line that is no rule takes no longer than any other.
_OPTION: Final = re.compile(r'((?:[^;"\\]|\\.|"(?:[^"\\]|\\.)*+")++)(?:;|$)')
# The most that a rule group may hold (Developer Guide, "Quotas": 2 MB, and 30,000 rules, which may be raised).
_MOST_CHARACTERS: Final = 2_000_000
_MOST_LINES: Final = 120_000
# Suricata's own limit (detect.h, DETECT_MAX_RULE_SIZE).
_LONGEST_RULE: Final = 8_192


@dataclass(frozen=True, slots=True)
class StatefulRule:
    """A rule: its `id` is its sid. Action and protocol are in capitals, addresses and ports as they are written.

    `both_ways` is the direction `<>`. An `action` that is empty is not known: then the rule may do anything.
    """

    id: str
    action: str
    protocol: str
    source: str = "any"
    destination: str = "any"
    destination_port: str = "any"
    source_port: str = "any"
    both_ways: bool = False
    conditions: Conditions = field(default_factory=Conditions)

    @property
    def sees_first_packet_alone(self) -> bool:
        """Whether it is an IP-only rule: evaluated for the first packet of each direction, for the whole flow."""
        return self.protocol in _OF_PACKETS and self.conditions == NONE

    @property
    def is_of_tls(self) -> bool:
        """Whether it is about the protocol TLS, which the firewall knows from the hello on."""
        return self.protocol in _OF_TLS or self.conditions.hello

    @property
    def holds_for_flow(self) -> bool:
        """Whether what it does holds for all that follows in the connection, and not for one packet alone."""
        asks = self.conditions
        by_protocol = self.protocol in _OF_TLS and "established" not in asks.flow
        return self.sees_first_packet_alone or asks.hello or by_protocol

    def __str__(self) -> str:
        arrow = "<>" if self.both_ways else "->"
        words = (self.action, self.protocol, self.source, arrow, self.destination, self.destination_port)
        return clean_line(" ".join(words))[:200]


def rule_of(
    action: str, header: tuple[str, str, str, str, str], options: Iterable[Option], *, both_ways: bool
) -> StatefulRule:
    """Return a rule. `header` is its protocol, source, source port, destination and destination port."""
    protocol, source, source_port, destination, destination_port = (each.strip() for each in header)
    listed = list(options)
    sid = next((value for keyword, value in listed if keyword == "sid"), "")
    return StatefulRule(
        id=clean_line(sid)[:20],
        action=action.upper(),
        protocol=protocol.upper(),
        source=source,
        destination=destination,
        destination_port=destination_port,
        source_port=source_port,
        both_ways=both_ways,
        conditions=_of_protocol(protocol) | conditions(listed),
    )


def _of_protocol(protocol: str) -> Conditions:
    if protocol.lower() in OTHER_PROTOCOLS:
        return Conditions(never=True)
    return NONE if protocol.upper() in _OF_PACKETS | _OF_TLS else unknown(protocol)


def parse_rules(text: str) -> tuple[StatefulRule, ...]:
    """Return those rules of a text that may pass or drop a TLS connection, in order.

    A line that is not understood is a rule that may do anything. So is the rest of a text that is longer than may be.
    """
    lines = text[:_MOST_CHARACTERS].splitlines()
    rules = relevant(_rule(line) for line in _whole(lines[:_MOST_LINES]) if line)
    if len(text) > _MOST_CHARACTERS or len(lines) > _MOST_LINES:
        return (*rules, _opaque("", "more rules than are read"))
    return rules


def relevant(rules: Iterable[StatefulRule]) -> tuple[StatefulRule, ...]:
    """Return those of some rules that may pass or drop a TLS connection, in order."""
    return tuple(rule for rule in rules if rule.action != "ALERT" and not rule.conditions.never)


def _opaque(action: str, why: str) -> StatefulRule:
    return StatefulRule("", action, "IP", conditions=unknown(why))


def _whole(lines: Iterable[str]) -> Iterator[str]:
    """Return the lines that are rules, each with those that continue it. A comment is never continued.

    Source: Suricata, detect-engine-loader.c, DetectLoadSigFile.
    """
    parts: list[str] = []
    for line in (each.strip() for each in lines):
        if not parts and line.startswith("#"):
            continue
        parts.append(line.removesuffix("\\"))
        if not line.endswith("\\"):
            yield " ".join(parts).strip()
            parts = []
    yield " ".join(parts).strip()


def _rule(line: str) -> StatefulRule:
    action, *others = line.split(maxsplit=1)
    known = _ACTIONS.get(action.lower(), "")
    if len(line) > _LONGEST_RULE:
        return _opaque(known, "a line that is too long")
    rest = "".join(others)
    header, _, options = rest.partition("(")
    arrow = "<>" if "<>" in header else "->"
    near, _, far = header.partition(arrow)
    left, right = _fields(near), _fields(far)
    listed = _options(options.rstrip())
    if listed is None or not known or (len(left), len(right)) != (3, 2):
        return _opaque(known, "a line that is not understood")
    protocol, source, source_port = left
    return rule_of(known, (protocol, source, source_port, right[0], right[1]), listed, both_ways=arrow == "<>")


def _fields(text: str) -> list[str]:
    """Return the fields of a part of a header. Lists in brackets may have spaces in them."""
    fields: list[str] = []
    depth = 0
    for word in text.split():
        if depth:
            fields[-1] += word
        else:
            fields.append(word)
        depth = max(depth + word.count("[") - word.count("]"), 0)
    return fields


def _options(text: str) -> list[Option] | None:
    """Return a rule's options from behind the first bracket to the last, None if they are not understood."""
    if not text.endswith(")"):
        return None
    text = text.removesuffix(")").strip()
    found: list[Option] = []
    at = 0
    while at < len(text):
        match = _OPTION.match(text, at)
        if match is None:
            return None
        keyword, _, value = match[1].partition(":")
        found.append((keyword.strip().lower(), value.strip()))
        at = match.end()
    return [option for option in found if option[0]]
