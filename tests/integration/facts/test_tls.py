"""How clients trust whom they are connected with, over TLS as to AWS. The emulated AWS has none."""

from __future__ import annotations

import inspect
import json
import ssl
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest

from pull_responder.emulator.certificate import certify
from pull_responder.facts import tls
from pull_responder.facts.aws import Aws
from pull_responder.facts.reader import Reader
from pull_responder.model.arn import Arn
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REGION: Final = "us-east-1"
OWN: Final = Arn("aws", "sts", "", "123456789012", "assumed-role/responder/diagnose")


@pytest.fixture(autouse=True)
def new_contexts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the SDK make each context anew. For other tests it keeps one (tests/kept_clients.py)."""
    monkeypatch.setattr(tls, "create_urllib3_context", inspect.unwrap(vars(tls)["create_urllib3_context"]))


class _Registry(BaseHTTPRequestHandler):
    """An ECR without repositories. It closes each connection, so each call needs a new one."""

    def do_POST(self) -> None:
        body = json.dumps({"repositories": []}).encode()
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name in the base class
        """Print nothing."""


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return certify(tmp_path, "registry")


def serve(certificate: Path) -> ThreadingHTTPServer:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Registry)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return server


@pytest.fixture
def registry(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of an ECR with the certificate."""
    server = serve(certificate)
    thread = Thread(target=server.serve_forever)
    thread.start()
    url = f"https://localhost:{server.server_port}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    yield url
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files of certificates that contexts have loaded."""
    loaded: list[str] = []
    load = ssl.SSLContext.load_verify_locations

    def noted(context: ssl.SSLContext, cafile: Any = None, capath: Any = None, cadata: Any = None) -> None:  # noqa: ANN401 -- as ssl has it
        loaded.append(str(cafile))
        load(context, cafile, capath, cadata)

    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", noted)
    return loaded


def reader(authorities: Path, monkeypatch: pytest.MonkeyPatch) -> Reader:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authorities))
    session = boto3.session.Session("test", "test", region_name=REGION)
    return Reader(Aws(session, member_role="PullResponderReadOnly", identity=OWN))


def repositories(reader: Reader, region: str = REGION) -> Any:  # noqa: ANN401 -- what AWS answers
    """Read the repositories of a region. Each region has a client of its own."""

    def request(client: Any) -> Any:  # noqa: ANN401 -- one of boto3's clients
        return client.describe_repositories()["repositories"]

    return reader.call("ecr:DescribeRepositories", account=None, region=region, request=request)


def why_unread(answer: object) -> str:
    assert isinstance(answer, Unread)
    return answer.reason


@pytest.mark.usefixtures("registry")
def test_all_connections_of_all_clients_load_the_authorities_once(
    certificate: Path, loads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asking = reader(certificate, monkeypatch)
    answers = [repositories(asking, region) for region in (REGION, "eu-west-1", REGION, "eu-west-1")]
    assert answers == [[], [], [], []]
    assert repositories(reader(certificate, monkeypatch)) == []
    assert loads == [str(certificate)]


@pytest.mark.usefixtures("registry")
def test_a_server_of_an_authority_that_is_not_trusted_is_refused(
    tmp_path: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A context that trusts it is there already, and has been used.
    assert repositories(reader(certificate, monkeypatch)) == []
    other = certify(tmp_path, "other")
    assert "CERTIFICATE_VERIFY_FAILED" in why_unread(repositories(reader(other, monkeypatch)))
    assert repositories(reader(certificate, monkeypatch)) == []


def test_a_server_of_another_name_is_refused(certificate: Path, registry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert repositories(reader(certificate, monkeypatch)) == []
    monkeypatch.setenv("AWS_ENDPOINT_URL", registry.replace("localhost", "127.0.0.1"))
    assert "hostname '127.0.0.1' doesn't match 'localhost'" in why_unread(
        repositories(reader(certificate, monkeypatch))
    )


@pytest.mark.usefixtures("registry")
def test_authorities_that_cannot_be_read_leave_the_answer_unread(
    tmp_path: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = tmp_path / "missing.pem"
    assert "No such file" in why_unread(repositories(reader(missing, monkeypatch)))
    # They may come to be there while the process runs.
    missing.write_bytes(certificate.read_bytes())
    assert repositories(reader(missing, monkeypatch)) == []


def test_a_client_of_another_sdk_is_left_as_it_is() -> None:
    class Session:
        """It has none of the attributes of botocore's."""

    client: Any = boto3.client("ecr", region_name="us-east-1")
    client._endpoint.http_session = Session()
    tls.share_tls(client)
    assert vars(client._endpoint.http_session) == {}
