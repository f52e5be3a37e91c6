"""A slow reading of a firewall's policy, for random policies: each packet of one connection, in each world.

Nothing here uses the code under test. Where documentation leaves something open, there are two worlds, one for each
answer. What all worlds agree on has to be the answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HOST = "111111111111.dkr.ecr.eu-west-1.amazonaws.com"
CLIENT, SERVER = "10.0.0.5", "52.1.2.3"
Verdict = Literal["pass", "drop"]


@dataclass(frozen=True)
class Seen:
    """One packet: from the client or not, of which step, and how many of its direction came before it."""

    from_client: bool
    step: Literal["syn", "syn-ack", "ack", "hello", "reply"]

    @property
    def established(self) -> bool:
        return self.step in ("hello", "reply")


CONVERSATION = (
    Seen(from_client=True, step="syn"),
    Seen(from_client=False, step="syn-ack"),
    Seen(from_client=True, step="ack"),
    Seen(from_client=True, step="hello"),
    Seen(from_client=False, step="reply"),
)


@dataclass(frozen=True)
class Side:
    """An address or port as a rule writes it, with whether it is the client's and whether it is the server's."""

    text: str
    of_client: bool
    of_server: bool

    def is_of(self, *, client: bool) -> bool:
        return self.of_client if client else self.of_server


ADDRESSES = (
    Side("any", of_client=True, of_server=True),
    Side("$HOME_NET", of_client=True, of_server=False),
    Side("$EXTERNAL_NET", of_client=False, of_server=True),
    Side("10.0.0.0/8", of_client=True, of_server=False),
    Side("[192.0.2.0/24, 10.0.0.5]", of_client=True, of_server=False),
    Side("!10.0.0.0/8", of_client=False, of_server=True),
    Side("[52.0.0.0/8,!52.1.2.3]", of_client=False, of_server=False),
    Side("!$HOME_NET", of_client=False, of_server=True),
)
PORTS = (
    Side("any", of_client=True, of_server=True),
    Side("443", of_client=False, of_server=True),
    Side("!443", of_client=True, of_server=False),
    Side("[80,443]", of_client=False, of_server=True),
    Side("1024:", of_client=True, of_server=False),
    Side("80", of_client=False, of_server=False),
)


@dataclass(frozen=True)
class Asks:
    """Options of a rule, with the packets that they fit, and for what the rule's action holds."""

    text: str
    fits: Callable[[Seen], bool]
    scope: Literal["first", "packet", "flow"]
    unsure: bool = False


def _established_to_server(seen: Seen) -> bool:
    return seen.from_client and seen.established


OF_PACKETS = (
    Asks("", lambda seen: seen.step in ("syn", "syn-ack"), "first"),
    Asks("flow:to_server; ", lambda seen: seen.from_client, "packet"),
    Asks("flow:to_client; ", lambda seen: not seen.from_client, "packet"),
    Asks("flow:established, to_server; ", _established_to_server, "packet"),
    Asks("flow:not_established; ", lambda seen: not seen.established, "packet"),
    Asks("dsize:0; ", lambda seen: not seen.established, "packet"),
    Asks("tcp.flags:S; ", lambda seen: seen.step == "syn", "packet"),
    Asks("ttl:64; ", lambda _: True, "packet", unsure=True),
    Asks("ip_proto:!TCP; ", lambda _: False, "first"),
    Asks(f'tls.sni; content:"{HOST}"; ', lambda seen: seen.step == "hello", "flow"),
)
OF_TLS = (
    Asks("", lambda seen: seen.established, "flow"),
    Asks(f'tls.sni; content:"{HOST}"; startswith; endswith; ', lambda seen: seen.step == "hello", "flow"),
    Asks('tls.sni; dotprefix; content:".amazonaws.com"; endswith; ', lambda seen: seen.step == "hello", "flow"),
    Asks('tls.sni; content:"example"; nocase; ', lambda _: False, "flow"),
    Asks('tls.sni; content:!"example"; ', lambda seen: seen.step == "hello", "flow"),
    Asks('tls.sni; content:!"ecr"; ', lambda _: False, "flow"),
    Asks('tls.sni; pcre:"/x/"; ', lambda seen: seen.step == "hello", "flow", unsure=True),
    Asks("ssl_state:client_hello; ", lambda seen: seen.step == "hello", "flow"),
    Asks("ssl_version:tls1.0; ", lambda _: False, "flow"),
)


@dataclass(frozen=True)
class Written:
    """A rule."""

    action: str
    protocol: str
    source: Side
    source_port: Side
    arrow: str
    destination: Side
    destination_port: Side
    asks: Asks

    def text(self, sid: int) -> str:
        near, far = (
            f"{self.source.text} {self.source_port.text}",
            f"{self.destination.text} {self.destination_port.text}",
        )
        return f"{self.action} {self.protocol} {near} {self.arrow} {far} ({self.asks.text}sid:{sid};)"

    def fits(self, seen: Seen) -> bool:
        if self.protocol == "udp" or not self.asks.fits(seen):
            return False
        near, far = (self.source, self.source_port), (self.destination, self.destination_port)
        forward = _is_from(near, seen.from_client) and _is_from(far, not seen.from_client)
        backward = _is_from(far, seen.from_client) and _is_from(near, not seen.from_client)
        return forward or (self.arrow == "<>" and backward)


def _is_from(sides: tuple[Side, Side], client: bool) -> bool:  # noqa: FBT001 -- which side it is
    return all(each.is_of(client=client) for each in sides)


@dataclass(frozen=True)
class World:
    """Answers to what nobody documents: one for each rule that may match, and two for all rules alike."""

    matching: frozenset[int]
    acts_on_answers: bool
    single_pass_holds: bool


def worlds(rules: tuple[Written, ...]) -> Iterator[World]:
    unsure = [number for number, rule in enumerate(rules) if rule.asks.unsure]
    for answers in product((False, True), repeat=len(unsure)):
        matching = frozenset(number for number, answer in zip(unsure, answers, strict=True) if answer)
        for acts, holds in product((False, True), repeat=2):
            yield World(matching, acts, holds)


def becomes(rules: tuple[Written, ...], default: str, world: World) -> Verdict:
    """What becomes of the connection in a world. `default` is empty in action order."""
    ordered = list(enumerate(rules))
    if not default:
        ordered.sort(key=lambda each: ("pass", "drop", "reject", "alert").index(each[1].action))
    for seen in CONVERSATION:
        verdict, scope = _of_packet(ordered, seen, world)
        if verdict == "drop" or (not verdict and _drops(default, seen)):
            return "drop"
        if verdict and (scope != "packet" or (seen.established and world.single_pass_holds)):
            return "pass"
    return "pass"


def _of_packet(ordered: list[tuple[int, Written]], seen: Seen, world: World) -> tuple[str, str]:
    for number, rule in ordered:
        if rule.action == "alert" or not rule.fits(seen):
            continue
        if rule.asks.unsure and number not in world.matching:
            continue
        if rule.asks.scope == "first" and seen.step == "syn-ack" and not world.acts_on_answers:
            continue
        return ("pass" if rule.action == "pass" else "drop"), rule.asks.scope
    return "", ""


def _drops(default: str, seen: Seen) -> bool:
    match default:
        case "aws:drop_strict":
            return True
        case "aws:drop_established" | "aws:drop_established_app_layer_to_server":
            return seen.established and seen.from_client
        case "aws:drop_established_app_layer":
            return seen.established
        case _:
            return False
