"""What the options of a Suricata rule ask of a TLS connection. With one that is not modelled, the rule may match.

Sources: Suricata User Guide, "Meta Keywords", "Flow Keywords", "Payload Keywords", "Transformations" and "SSL/TLS
Keywords"; AWS Network Firewall Developer Guide, "Examples of stateful rules".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache, reduce
from typing import TYPE_CHECKING, Final

from pull_responder.model.printable import clean_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Option = tuple[str, str]

# What a TLS connection over TCP is not, and does not show inside unless the firewall decrypts it.
OTHER_PROTOCOLS: Final = frozenset({
    *("bittorrent-dht", "dcerpc", "dhcp", "dnp3", "dns", "doh2", "enip", "ftp", "ftp-data", "http", "http1", "http2"),
    *("icmp", "icmpv4", "icmpv6", "igmp", "ike", "ikev2", "imap", "krb5", "ldap", "mdns", "modbus", "mqtt", "msn"),
    *("nfs", "ntp", "pgsql", "pop3", "quic", "rdp", "rfb", "sctp", "sip", "smb", "smtp", "snmp", "ssh", "telnet"),
    *("tftp", "udp", "websocket"),
})  # fmt: skip
# Keywords that change nothing about which traffic a rule matches.
_SILENT: Final = frozenset({
    *("sid", "rev", "msg", "gid", "classtype", "reference", "metadata", "priority", "noalert", "alert", "target"),
    *("requires", "fast_pattern"),
})  # fmt: skip
# Keywords of contents, which are read with the buffer that they are about.
_OF_CONTENT: Final = frozenset({"content", "nocase", "startswith", "endswith", "dotprefix"})
_SNI: Final = frozenset({"tls.sni", "tls_sni"})
_FLOW: Final = {
    "to_server": "to_server",
    "from_client": "to_server",
    "to_client": "to_client",
    "from_server": "to_client",
    "established": "established",
    "not_established": "not_established",
    "stateless": "stateless",
}
_OLD_VERSIONS: Final = frozenset({"sslv2", "sslv3", "tls1.0", "tls1.1"})
_TCP: Final = frozenset({"tcp", "6"})
_HEX: Final = re.compile(r"\|([0-9A-Fa-f \t]*)\|")
_ESCAPED: Final = re.compile(r"\\(.)")
_LONGEST_KEYWORD: Final = 40


@dataclass(frozen=True, slots=True)
class ServerName:
    """A test of the server's name: a `content` of the buffer tls.sni with its modifiers.

    `dotprefix` puts a dot before the name first. None where it stands behind the content, and may count or not.
    """

    text: str
    negated: bool = False
    nocase: bool = False
    startswith: bool = False
    endswith: bool = False
    dotprefix: bool | None = False

    def matches(self, host: str) -> bool | None:
        """Return whether a host passes the test."""
        dotted = (False, True) if self.dotprefix is None else (self.dotprefix,)
        found = {self._found("." + host if each else host) != self.negated for each in dotted}
        return found.pop() if len(found) == 1 else None

    def _found(self, name: str) -> bool:
        text, name = (self.text.lower(), name.lower()) if self.nocase else (self.text, name)
        if self.startswith and self.endswith:
            return name == text
        if self.startswith:
            return name.startswith(text)
        return name.endswith(text) if self.endswith else text in name


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a rule's options ask for.

    - `flow`: what its keyword `flow` names, with one word for each meaning.
    - `hello`: it matches a TLS hello with its server's name alone.
    - `names`: tests of the server's name.
    - `tcp_flags`: the value of the keyword `tcp.flags`.
    - `no_payload`: it matches packets without content (`dsize:0`).
    - `never`: it matches no TLS connection of a node to the registry.
    - `unknown`: the first keyword that is not modelled.
    """

    flow: frozenset[str] = frozenset()
    hello: bool = False
    names: tuple[ServerName, ...] = ()
    tcp_flags: str = ""
    no_payload: bool = False
    never: bool = False
    unknown: str = ""

    def __or__(self, other: Conditions) -> Conditions:
        """Return both together."""
        return Conditions(
            self.flow | other.flow,
            self.hello or other.hello,
            self.names + other.names,
            self.tcp_flags or other.tcp_flags,
            self.no_payload or other.no_payload,
            self.never or other.never,
            self.unknown or other.unknown,
        )


NONE: Final = Conditions()
_NEVER: Final = Conditions(never=True)
_AT_HELLO: Final = Conditions(hello=True)


def unknown(keyword: str) -> Conditions:
    """Return what makes a rule one that may match, because of a keyword that is not modelled."""
    return Conditions(unknown=clean_line(keyword)[:_LONGEST_KEYWORD])


def conditions(options: Iterable[Option]) -> Conditions:
    """Return what options ask for, in the order in which they are written."""
    listed = [(keyword, value) for keyword, value in options if keyword not in _SILENT]
    asked = [each for keyword, value in listed if (each := _of_option(keyword, value)) is not NONE]
    return reduce(Conditions.__or__, [*asked, _of_contents(listed)])


@lru_cache(maxsize=1024)
def _of_option(keyword: str, value: str) -> Conditions:
    if keyword in _OF_CONTENT:
        return NONE
    if keyword in _SNI:
        return _AT_HELLO
    read = _READERS.get(keyword)
    found = read(value.lower()) if read else None
    return unknown(keyword) if found is None else found


def _flow(value: str) -> Conditions | None:
    words = [each.strip() for each in value.split(",")]
    known = all(each in _FLOW for each in words)
    return Conditions(flow=frozenset(_FLOW[each] for each in words)) if known else None


def _ssl_state(value: str) -> Conditions | None:
    return _AT_HELLO if value == "client_hello" else None


def _ssl_version(value: str) -> Conditions | None:
    """ECR takes TLS 1.2 and later alone (Amazon ECR User Guide, "Infrastructure security in Amazon ECR")."""
    return _NEVER if all(each.strip() in _OLD_VERSIONS for each in value.split(",")) else None


def _ip_proto(value: str) -> Conditions | None:
    if value.startswith(("<", ">")):
        return None
    is_tcp = value.removeprefix("!").strip() in _TCP
    return NONE if is_tcp != value.startswith("!") else _NEVER


def _app_layer_protocol(value: str) -> Conditions | None:
    if value in OTHER_PROTOCOLS or value == "!tls":
        return _NEVER
    return _AT_HELLO if value == "tls" else None


def _dsize(value: str) -> Conditions | None:
    return Conditions(no_payload=True) if value == "0" else None


def _tcp_flags(value: str) -> Conditions | None:
    return Conditions(tcp_flags=value) if value else None


def _bits(value: str) -> Conditions | None:
    """What only sets something for other rules changes nothing about what this one matches."""
    return NONE if value.partition(",")[0].strip() in ("set", "unset", "toggle", "noalert") else None


_READERS: Final[Mapping[str, Callable[[str], Conditions | None]]] = {
    "app-layer-protocol": _app_layer_protocol,
    "dsize": _dsize,
    "flags": _tcp_flags,
    "flow": _flow,
    "flowbits": _bits,
    "hostbits": _bits,
    "ip_proto": _ip_proto,
    "ssl_state": _ssl_state,
    "ssl_version": _ssl_version,
    "tcp.flags": _tcp_flags,
    "xbits": _bits,
}


def _of_contents(options: list[Option]) -> Conditions:
    """Return the tests of the server's name. A content of anything else is not modelled."""
    names: list[ServerName] = []
    in_name, dotted, other = False, False, NONE
    for keyword, value in options:
        if keyword in _SNI:
            in_name, dotted = True, False
        elif keyword == "content" and in_name and (text := _text(value.removeprefix("!"))) is not None:
            names.append(ServerName(text, negated=value.startswith("!"), dotprefix=dotted))
        elif keyword == "content":
            other |= unknown("content")
        elif keyword == "dotprefix":
            names[-1:] = [replace(each, dotprefix=None) for each in names[-1:]]
            dotted = True
        elif keyword in _OF_CONTENT and in_name:
            names[-1:] = [replace(each, **{keyword: True}) for each in names[-1:]]  # type: ignore[arg-type]  # each is a bool
        elif keyword not in _READERS:
            in_name = False  # a buffer, or a modifier, that is not modelled
    return replace(other, names=tuple(names))


def _text(value: str) -> str | None:
    """Return the text of a `content`, None if it is not text."""
    value = value.strip()
    if len(value) < 2 or value[0] != '"' or value[-1] != '"':  # noqa: PLR2004 -- both quotes
        return None
    try:
        plain = _HEX.sub(lambda found: bytes.fromhex(found[1]).decode("ascii"), value[1:-1])
    except ValueError:
        return None
    return _ESCAPED.sub(r"\1", plain)
