"""A service that answers 200 and nothing else leaves the doctor's question open, and ends no command."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.doctor.conftest import Doctor

ANSWERS: Final = {"empty": b"", "no members": b"{}", "another page": b"<html><body>Sign in</body></html>"}
# All that is asked of the stack's parts, by the names that the SDK has for them.
SERVICES: Final = (
    *("CLOUDTRAIL", "CLOUDWATCH", "CLOUDWATCH_LOGS", "DYNAMODB", "EKS", "EVENTBRIDGE", "LAMBDA", "ORGANIZATIONS"),
    *("SECURITYHUB", "SNS", "SQS"),
)


@pytest.fixture(params=list(ANSWERS.values()), ids=list(ANSWERS))
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a service that answers everything alike."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            self.send_response(200)
            self.send_header("Content-Length", str(len(request.param)))
            self.end_headers()
            self.wfile.write(request.param)

        do_GET = do_POST  # noqa: N815 -- the base class's name

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_nothing_is_said_to_work_or_to_be_broken(doctor: Doctor, url: str) -> None:
    report = doctor(environment={f"AWS_ENDPOINT_URL_{service}": url for service in SERVICES})

    assert report.status == 3, report.err
    assert {each["check"] for each in report.results if each["state"] == "works"} == {
        "stack",
        "sdk",
        "forwarding",
        "members",
    }
    assert {each["state"] for each in report.results} == {"works", "unread"}


def test_a_stack_that_is_not_read_is_no_missing_one(doctor: Doctor, url: str) -> None:
    report = doctor(environment={"AWS_ENDPOINT_URL_CLOUDFORMATION": url})

    (result,) = report.results
    assert (report.status, result["check"], result["state"]) == (3, "stack", "unread")
