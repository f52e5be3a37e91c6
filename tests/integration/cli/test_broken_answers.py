"""A service that answers 200 and breaks off, or says nothing, leaves a diagnosis open and ends no command."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final

import pytest

from tests.integration.cli.test_diagnose import event

if TYPE_CHECKING:
    from collections.abc import Iterator

MAIN: Final = "from pull_responder.cli.main import main; main()"
# The body, and how long the answer says that it is.
ANSWERS: Final = {
    "empty": (b"", 0),
    "garbage": (b"\x00\xff<<", 4),
    "cut off": (b'{"clusters": [', 14),
    "broken off": (b'{"clusters": [', 400),
    "another page": (b"<html><body>Sign in</body></html>", 33),
}


@pytest.fixture(params=list(ANSWERS.values()), ids=list(ANSWERS))
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a service that answers everything alike."""
    body, length = request.param

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(200)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(body)
            self.close_connection = True

        do_GET = do_POST  # noqa: N815 -- the base class's name

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_nothing_is_concluded_and_nothing_breaks(url: str) -> None:
    ended = subprocess.run(  # noqa: S603 -- our own command
        [sys.executable, "-c", MAIN, "diagnose", "--event", "-", "--format", "json"],
        # AWS gives no reason here, which would be one without any answer.
        input=event("i-0123456789abcdef0", "node"),
        env={
            **os.environ,
            "AWS_ENDPOINT_URL": url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
        },
        capture_output=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (3, b"")
    assert b'"findings": []' in ended.stdout
    assert b'"passed": []' in ended.stdout
    assert b"sts:GetCallerIdentity failed: " in ended.stdout
