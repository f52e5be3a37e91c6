"""Whether a stateful rule of Network Firewall matches the packets of a TLS connection, one after the other.

Sources: AWS Network Firewall Developer Guide, "Limitations and caveats for stateful rules" (rules of layer 3 or 4
without a flow state are IP-only: evaluated for the first packet of each direction) and "Managing evaluation order"
(a TCP rule may match before the firewall knows the protocol); Suricata User Guide, "Rule Types and Categorization"
(for what a rule's action holds) and "Flow Keywords".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.network.addresses import Coverage, coverage
from pull_responder.network.written_sets import PortSet, Variables

if TYPE_CHECKING:
    from pull_responder.network.addresses import AddressSet
    from pull_responder.network.firewall_rules import Connection
    from pull_responder.network.suricata import StatefulRule
    from pull_responder.network.suricata_options import Conditions

HTTPS: Final = PortSet.of(443, 443)
# From which ports of its own a node connects is up to its operating system.
CLIENT_PORTS: Final = PortSet.of(1024, 65_535)


@dataclass(frozen=True, slots=True)
class Packet:
    """A packet of the connection.

    - `first`: the first of its direction.
    - `established`: both sides have been heard before it.
    - `hello`: it ends the TLS hello, so that the server's name is known. None if TLS is only just to be seen.
    - `payload`: it has content.
    - `flags`: the TCP flags that it may have, each as a set of letters.
    """

    name: str
    to_server: bool
    flags: tuple[str, ...]
    first: bool = False
    established: bool = False
    hello: bool | None = False
    payload: bool = False


FIRST: Final = Packet("its first packet", to_server=True, flags=("S",), first=True)
ANSWER: Final = Packet("the answer to its first packet", to_server=False, flags=("SA",), first=True)
LAST_OF_HANDSHAKE: Final = Packet("the last packet of its handshake", to_server=True, flags=("A",))
HELLO: Final = Packet("its TLS hello", to_server=True, flags=("A", "PA"), established=True, hello=True, payload=True)
REST: Final = Packet("the server's answers", to_server=False, flags=("A", "PA"), established=True, payload=True)
PACKETS: Final = (FIRST, ANSWER, LAST_OF_HANDSHAKE, HELLO, REST)
# What only some connections have: a hello with post-quantum keys is longer than one packet.
PART_OF_HELLO: Final = Packet(
    "the first part of a TLS hello that needs several packets",
    to_server=True,
    flags=("A", "PA"),
    established=True,
    hello=None,
    payload=True,
)
WINDOW_UPDATE: Final = Packet(
    "a window update of the server before the TLS hello", to_server=False, flags=("A",), established=True
)


@dataclass(frozen=True, slots=True)
class Ways:
    """Whether a rule's addresses and ports are those of packets to the server, and of those to the client.

    None if only in part, or if that is not known.
    """

    to_server: bool | None
    to_client: bool | None


@dataclass(slots=True)
class Headers:
    """The headers of a rule group's rules against a connection. What was compared once is not compared again."""

    connection: Connection
    variables: Variables
    _sides: dict[tuple[str, bool], bool | None]
    _ports: dict[tuple[str, bool], bool | None]

    @classmethod
    def of(cls, connection: Connection, variables: Variables) -> Headers:
        """Return those of a connection, with nothing compared yet."""
        return cls(connection, variables, {}, {})

    def ways(self, rule: StatefulRule) -> Ways:
        """Return which direction's packets have a rule's addresses and ports."""
        forward = (rule.source, rule.source_port, rule.destination, rule.destination_port)
        backward = (rule.destination, rule.destination_port, rule.source, rule.source_port)
        found = Ways(self._way(forward, from_client=True), self._way(forward, from_client=False))
        if not rule.both_ways:
            return found
        return Ways(
            either(found.to_server, self._way(backward, from_client=True)),
            either(found.to_client, self._way(backward, from_client=False)),
        )

    def _way(self, header: tuple[str, str, str, str], *, from_client: bool) -> bool | None:
        source, source_port, destination, destination_port = header
        found: bool | None = True
        for read, written, client in (
            (self._port, source_port, from_client),
            (self._port, destination_port, not from_client),
            (self._side, source, from_client),
            (self._side, destination, not from_client),
        ):
            found = both(found, read(written, client=client))
            if found is False:
                break  # a group may have thousands of addresses, which are not read in vain
        return found

    def _side(self, written: str, *, client: bool) -> bool | None:
        key = (written, client)
        if key not in self._sides:
            peer = self.connection.source if client else self.connection.server
            self._sides[key] = covers(self.variables.addresses(written), peer.addresses)
        return self._sides[key]

    def _port(self, written: str, *, client: bool) -> bool | None:
        key = (written, client)
        if key not in self._ports:
            self._ports[key] = covers_ports(self.variables.ports(written), CLIENT_PORTS if client else HTTPS)
        return self._ports[key]


def covers(written: AddressSet | None, addresses: AddressSet) -> bool | None:
    """Return whether addresses in a rule are those of a peer. None if only in part, or if they are not known."""
    if written is None:
        return None
    return {Coverage.ALL: True, Coverage.SOME: None, Coverage.NONE: False}[coverage(written, addresses)]


def covers_ports(written: PortSet | None, ports: PortSet) -> bool | None:
    """Return whether ports in a rule are those of a packet. None if only in part, or if they are not known."""
    if written is None:
        return None
    if not written & ports:
        return False
    return None if ports - written else True


def both(*answers: bool | None) -> bool | None:
    """Return whether all answers are yes. No if one is no, else None if one is not known."""
    if False in answers:
        return False
    return None if None in answers else True


def either(*answers: bool | None) -> bool | None:
    """Return whether one of the answers is yes. None if none is and one is not known."""
    if True in answers:
        return True
    return None if None in answers else False


def matches(rule: StatefulRule, ways: Ways, packet: Packet, host: str) -> bool | None:
    """Return whether a rule matches a packet, None if it may. `ways` are those of its header."""
    asks = rule.conditions
    header = ways.to_server if packet.to_server else ways.to_client
    if header is False or asks.never or not _flows(asks, packet):
        return False
    if rule.sees_first_packet_alone and not packet.first:
        return False
    answers = [header, *(each.matches(host) for each in asks.names)]
    if rule.sees_first_packet_alone and not packet.to_server:
        # The guide says that these rules see the first packet of each direction. Whether they act on the second one
        # after the connection was let out, nothing says.
        answers.append(None)
    if rule.is_of_tls:
        answers.append(_shows_tls(asks, packet))
    if asks.no_payload and packet.payload:
        return False
    if asks.tcp_flags:
        answers.append(_has_flags(asks.tcp_flags, packet))
    if asks.unknown:
        answers.append(None)
    return both(*answers)


def _flows(asks: Conditions, packet: Packet) -> bool:
    """Return whether a packet has the direction and state that the keyword `flow` names."""
    if "to_server" in asks.flow and not packet.to_server:
        return False
    if "to_client" in asks.flow and packet.to_server:
        return False
    if "established" in asks.flow and not packet.established:
        return False
    return not ("not_established" in asks.flow and packet.established)


def _shows_tls(asks: Conditions, packet: Packet) -> bool | None:
    """Return whether a packet shows the firewall that this is TLS, and if the rule asks for it the server's name."""
    if asks.hello:
        return packet.hello is True
    if not packet.payload:
        return False
    return None if packet.hello is None else True


def _has_flags(written: str, packet: Packet) -> bool | None:
    """Return whether a packet has the flags of `tcp.flags`: `S`, `SA`, `+A`, `*SA`, `!S`. None for anything else."""
    asked = written.partition(",")[0].strip().upper()
    modifier = asked[:1] if asked[:1] in "+*!" and asked[:1] else ""
    letters = frozenset(asked.removeprefix(modifier))
    if not letters or letters - frozenset("FSRPAU"):
        return None
    found = set()
    for flags in map(frozenset, packet.flags):
        match modifier:
            case "+":
                found.add(letters <= flags)
            case "*":
                found.add(bool(letters & flags))
            case "!":
                found.add(not letters & flags)
            case _:
                found.add(flags == letters)
    return found.pop() if len(found) == 1 else None
