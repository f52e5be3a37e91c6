"""Puts TLS in front of an emulated AWS: what a function's connections cost on Lambda, they cost here too."""

from __future__ import annotations

import asyncio
import ssl
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pull_responder.emulator.certificate import certify

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_CHUNK = 65_536


@contextmanager
def behind_tls(environment: Mapping[str, str], authorities: Path) -> Iterator[dict[str, str]]:
    """Yield `environment` with each endpoint of AWS in it behind TLS.

    The bundle that it names has the certificates of the file `authorities` and the server's own. So the SDK loads as
    many as on Lambda. The servers run in a thread of this process.
    """
    with tempfile.TemporaryDirectory() as folder:
        certificate = certify(Path(folder), "emulated-aws")
        bundle = Path(folder) / "bundle.pem"
        bundle.write_text(authorities.read_text() + certificate.read_text())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, certificate.with_suffix(".key"))
        urls = sorted({value for name, value in environment.items() if name.startswith("AWS_ENDPOINT_URL")})
        loop = asyncio.new_event_loop()
        servers = {url: loop.run_until_complete(_start(url, context)) for url in urls}
        thread = Thread(target=loop.run_forever)
        thread.start()
        try:
            ports = {url: server.sockets[0].getsockname()[1] for url, server in servers.items()}
            secured = {
                name: f"https://localhost:{ports[value]}" if value in ports else value
                for name, value in environment.items()
            }
            yield {**secured, "AWS_CA_BUNDLE": str(bundle)}
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            for server in servers.values():
                server.close()
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()


async def _start(url: str, context: ssl.SSLContext) -> asyncio.Server:
    """Start a server that passes on to `url` what it decrypts."""
    place = urlsplit(url)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, requests = await asyncio.open_connection(place.hostname, place.port)
        await asyncio.gather(_copy(reader, requests), _copy(answers, writer))

    return await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    # Either side may close at any time.
    with suppress(OSError):
        while chunk := await source.read(_CHUNK):
            sink.write(chunk)
            await sink.drain()
    sink.close()
