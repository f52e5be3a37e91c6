"""One TLS context for all clients, into which the certificates of the authorities are loaded once.

For each connection that it opens, the SDK loads them anew into the context of its client, all hundred and more. With
OpenSSL 3 that takes about 14 ms of processor time, and a diagnosis opens some thirty connections
(https://github.com/urllib3/urllib3/issues/3623, https://github.com/python/cpython/issues/95031). Which certificates are
trusted, and how a server's is verified, stays the SDK's to decide: nothing is skipped but the same load into the same
context.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from botocore.httpsession import create_urllib3_context, get_cert_path

if TYPE_CHECKING:
    import ssl

_CONTEXTS: Final[dict[str, ssl.SSLContext]] = {}
_LOCK: Final = threading.Lock()


def share_tls(client: Any) -> None:  # noqa: ANN401 -- one of boto3's generated clients
    """Have a new client open its connections with the context that all clients with the same authorities share.

    A connection through a proxy has a context of its own, which it had before. The SDK has no way to give it a context:
    this depends on the names of botocore's own attributes, of the version that lambdas/requirements.txt pins. With a
    version that has others, each client keeps its own.
    """
    try:
        http = client._endpoint.http_session  # noqa: SLF001 -- as above
        verify, pools = http._verify, http._manager.connection_pool_kw  # noqa: SLF001 -- as above
    except AttributeError:
        return
    if not client.meta.endpoint_url.startswith("https:") or not verify:
        return
    authorities = str(get_cert_path(verify))
    with _LOCK:
        if authorities not in _CONTEXTS:
            _CONTEXTS[authorities] = _context(authorities)
    pools["ssl_context"] = _CONTEXTS[authorities]


def _context(authorities: str) -> ssl.SSLContext:
    """Return a context as the SDK makes it, with the certificates of a file. It loads no file twice."""
    context: ssl.SSLContext = create_urllib3_context()
    load = cache(context.load_verify_locations)
    context.load_verify_locations = load  # type: ignore[assignment]  # urllib3 calls it for each connection
    # A file that cannot be read is the connection's to report, as it was.
    with suppress(OSError):
        # With the arguments that urllib3 gives.
        load(authorities, None, None)
    return context
