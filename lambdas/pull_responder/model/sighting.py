"""What kubelet's message shows of the connection that failed: the host, the address, the DNS server."""

from __future__ import annotations

from dataclasses import dataclass

from pull_responder.model.pull import Stage


@dataclass(frozen=True, slots=True)
class Sighting:
    """The connection that a failed pull could not make or keep. A field that the message does not tell is empty.

    - `host`: the host of the request, in lower case, without port.
    - `address`: the IP address that the node dialled for this host, without port.
    - `port`: the port that it dialled, 0 if not told.
    - `server`: the IP address of the DNS server that it asked.
    - `proxy`: the address with port, or the name, of the HTTP proxy that did not answer. What the node says to a proxy
      is not about the way to a registry, so `address` is empty then.
    - `stage`: the stage of the pull that failed.
    - `unresolved`: whether the node got no address for the host.

    All of it is untrusted: an event may be forged.
    """

    host: str = ""
    address: str = ""
    port: int = 0
    server: str = ""
    proxy: str = ""
    stage: Stage | None = None
    unresolved: bool = False
