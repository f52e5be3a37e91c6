"""Find the connection that failed in a runtime's message: the host, the address that was dialled, the DNS server.

Sources: Go's net package. OpError prints "dial tcp ADDRESS: …", "read tcp LOCAL->REMOTE: …" (net.go, OpError.Error).
DNSError prints "lookup HOST on SERVER: …" (net.go, DNSError.Error). A net/http request prints 'Get "URL": …' (net/url,
Error).
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address, ip_address
from typing import Final

from pull_responder.events.registry_urls import find_urls
from pull_responder.model.sighting import Sighting

_ADDRESS: Final = r"(\[[0-9A-Fa-f:.]{2,45}\]|[0-9]{1,3}(?:\.[0-9]{1,3}){3}):([0-9]{1,5})(?![0-9])"
_DIALLED: Final = re.compile(rf"\b(?:dial|read|write) tcp[46]? (?:[0-9A-Fa-f:.\[\]]{{2,60}}->)?{_ADDRESS}")
_LOOKED_UP: Final = re.compile(rf"\blookup ([A-Za-z0-9._-]{{1,253}})(?: on {_ADDRESS})?")
_HOST: Final = re.compile(r"[a-z0-9_](?:[a-z0-9._-]{0,251}[a-z0-9])?")
# Requests to a proxy: what they dial and look up is the proxy.
_OF_PROXY: Final = ("proxyconnect tcp", "socks connect")
_NEXT_URL: Final = re.compile(r"(?=https?://)")
_MOST_TEXT: Final = 8192
_HTTPS_PORT: Final = 443
_MAX_PORT: Final = 65_535


def read_sighting(text: str) -> Sighting:
    """Return what `text` shows of the last connection in it. Any text is accepted; a field not told is empty.

    What a node says to its proxy, or to the service that gives it credentials, is not about the way to a registry. The
    result has no stage: the message's meaning has it.
    """
    text = text[:_MOST_TEXT]
    urls = find_urls(text)
    if urls and urls[-1].is_metadata:
        return Sighting()
    host, _, port = urls[-1].host.partition(":") if urls else ("", "", "")
    of_proxy = next((text.rpartition(words)[2] for words in _OF_PROXY if words in text), None)
    if of_proxy is not None:
        return Sighting(host=_host(host), proxy=_proxy(of_proxy))
    if urls:
        text = _about(urls[-1].host, text)
    looked_up = _last(_LOOKED_UP, text)
    if looked_up:
        return Sighting(host=_host(looked_up[1]), server=_ip(looked_up[2] or ""), unresolved=True)
    dialled = _last(_DIALLED, text)
    address, dialled_port = (_ip(dialled[1]), int(dialled[2])) if dialled else ("", 0)
    asked_port = int(port) if port.isdecimal() and len(port) < 6 else _HTTPS_PORT  # noqa: PLR2004 -- digits of a port
    return Sighting(
        host=_host(host),
        address=address,
        port=(dialled_port if dialled_port <= _MAX_PORT else 0) or (asked_port if host else 0),
    )


def _about(host: str, text: str) -> str:
    """Return `text` without what follows the URLs of other hosts: a mirror has its own address."""
    before, *parts = _NEXT_URL.split(text)
    return " ".join((before, *(part for part in parts if [each.host for each in find_urls(part)] == [host])))


def _proxy(text: str) -> str:
    """Return the proxy that a node could not reach: "10.0.9.20:3128", "proxy.corp.example"."""
    dialled, looked_up = _last(_DIALLED, text), _last(_LOOKED_UP, text)
    if looked_up:
        return _host(looked_up[1])
    address = _ip(dialled[1]) if dialled else ""
    if not dialled or not address or int(dialled[2]) > _MAX_PORT:
        return address
    return f"[{address}]:{dialled[2]}" if ":" in address else f"{address}:{dialled[2]}"


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    """Return the last match of a pattern in a text. The last attempt of a chain is the registry's own."""
    found = None
    for found in pattern.finditer(text):  # noqa: B007 -- the last one is wanted
        pass
    return found


def _host(written: str) -> str:
    host = written.lower().rstrip(".")
    return host if _HOST.fullmatch(host) else ""


def _ip(written: str) -> str:
    """Return an IP address in its usual form; empty for anything else. An IPv4 address may be written as IPv6."""
    try:
        address = ip_address(written.strip("[]"))
    except ValueError:
        return ""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(address)
