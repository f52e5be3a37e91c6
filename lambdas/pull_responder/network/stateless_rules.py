"""What the stateless engine of a firewall of Network Firewall does to the packets of a TLS connection.

Sources: AWS Network Firewall Developer Guide, "How AWS Network Firewall filters network traffic" (each packet for
itself, both directions alike; groups and rules in the order of their priority, the first that matches decides, else the
default action); API reference, MatchAttributes, TCPFlagField, and AnalysisResult (what is forwarded to the stateful
rules in one direction alone is not processed properly).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.model.unread import Unread
from pull_responder.network.addresses import AddressSet
from pull_responder.network.firewall_rules import By, Does, Effect, name_of
from pull_responder.network.rule_match import CLIENT_PORTS, HTTPS, PACKETS, Ways, both, covers, covers_ports, either
from pull_responder.network.written_sets import PortSet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pull_responder.network.addresses import Peer
    from pull_responder.network.firewall_rules import Connection, FirewallPolicy, StatelessRule, TcpFlags
    from pull_responder.network.rule_match import Packet

PASS: Final = "aws:pass"  # noqa: S105 -- an action
DROP: Final = "aws:drop"
FORWARD: Final = "aws:forward_to_sfe"
_STANDARD: Final = (PASS, DROP, FORWARD)
_TCP: Final = 6
_ALL_FLAGS: Final = frozenset({"FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"})
_NAMES: Final = {"S": "SYN", "A": "ACK", "P": "PSH"}

# A rule, what it does if it matches, and for which direction it has the connection's addresses and ports. No rule
# stands for a group that could not be read.
_Relevant = tuple["StatelessRule | None", Effect, Ways]


def standard_action(actions: tuple[str, ...]) -> str:
    """Return the standard action among a rule's or policy's actions, empty if there is none."""
    return next((each for each in actions if each in _STANDARD), "")


def judge_stateless(policy: FirewallPolicy, connection: Connection) -> Effect | None:
    """Return what the stateless rules do to a connection, None if they forward all of it to the stateful rules."""
    rules = tuple(_relevant(policy, connection))
    outcomes = [(packet, _outcomes(policy, rules, packet, flags)) for packet in PACKETS for flags in packet.flags]
    for packet, found in outcomes:
        if {action for action, _ in found} == {DROP}:
            sure = found[-1][1]
            return _with(sure, Does.BLOCK, f"{sure.proof} drops {packet.name}")
    for packet, found in outcomes:
        if len({action for action, _ in found}) > 1 or not found[0][0]:
            first = found[0][1]
            return _with(first, Does.OPEN, f"{first.proof} may apply to {packet.name}")
    actions = {found[0][0] for _, found in outcomes}
    if actions == {FORWARD}:
        return None
    passes = next(found[0][1] for _, found in outcomes if found[0][0] == PASS)
    if actions == {PASS}:
        return _with(passes, Does.PASS, f"{passes.proof} passes it before any stateful rule")
    return _with(
        passes, Does.OPEN, f"{passes.proof} passes a part of the packets, so the stateful rules do not see them all"
    )


def _with(effect: Effect, does: Does, proof: str) -> Effect:
    return replace(effect, does=does, proof=proof, at_start=True)


def _relevant(policy: FirewallPolicy, connection: Connection) -> Iterator[_Relevant]:
    """Return the rules whose addresses and ports are, or may be, those of the connection."""
    for group in policy.stateless_groups:
        if isinstance(group, Unread):
            proof = f"a stateless rule group that is not known ({group.reason})"
            yield None, Effect(Does.OPEN, policy.arn, proof, unread=group.reason), Ways(None, None)
            continue
        for rule in group.rules:
            ways = _ways(rule, connection)
            if ways != Ways(to_server=False, to_client=False):
                proof = f"rule {rule.priority} of stateless rule group {name_of(group.arn)} ({rule.action})"
                yield rule, Effect(Does.OPEN, group.arn, proof, By.STATELESS_RULE, str(rule.priority)), ways


def _outcomes(
    policy: FirewallPolicy, rules: tuple[_Relevant, ...], packet: Packet, flags: str
) -> list[tuple[str, Effect]]:
    """Return the actions that may be taken on a packet, each with what takes it. The last is taken if no other is."""
    found: list[tuple[str, Effect]] = []
    for rule, effect, ways in rules:
        if rule is None:
            found.append(("", effect))
            continue
        match = both(ways.to_server if packet.to_server else ways.to_client, _has_flags(rule.tcp_flags, flags))
        if match is not False:
            found.append((rule.action, effect))
        if match:
            return found
    action = standard_action(policy.stateless)
    proof = f"the stateless default action {', '.join(policy.stateless)}"
    return [*found, (action, Effect(Does.OPEN, policy.arn, proof, By.STATELESS_DEFAULT, action))]


def _ways(rule: StatelessRule, connection: Connection) -> Ways:
    if rule.protocols and _TCP not in rule.protocols:
        return Ways(to_server=False, to_client=False)
    near, far = connection.source, connection.server
    return Ways(
        to_server=both(
            _ports(rule.source_ports, CLIENT_PORTS),
            _ports(rule.destination_ports, HTTPS),
            _addresses(rule.sources, near),
            _addresses(rule.destinations, far),
        ),
        to_client=both(
            _ports(rule.source_ports, HTTPS),
            _ports(rule.destination_ports, CLIENT_PORTS),
            _addresses(rule.sources, far),
            _addresses(rule.destinations, near),
        ),
    )


def _addresses(written: tuple[str, ...], peer: Peer) -> bool | None:
    if not written:
        return True
    try:
        return covers(AddressSet.of(*written), peer.addresses)
    except ValueError:
        return None


def _ports(written: tuple[tuple[int, int], ...], ports: PortSet) -> bool | None:
    if not written:
        return True
    known = PortSet()
    try:
        for first, last in written:
            known |= PortSet.of(first, last)
    except ValueError:
        return None
    return covers_ports(known, ports)


def _has_flags(asked: tuple[TcpFlags, ...], flags: str) -> bool | None:
    """Return whether a packet has one of the settings of flags: those in `masks` as in `flags`, the others anyhow."""
    names = frozenset(_NAMES[each] for each in flags)
    return either(*(names & (each.masks or _ALL_FLAGS) == each.flags for each in asked)) if asked else True
