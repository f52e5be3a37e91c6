"""moto, shared by the session; every test has its own VPC and cluster in it, a copy of those that were built first.

What runs in this process reaches moto without HTTP: botocore hands it the signed request and parses its answer.
Connections and threads took more processor time than moto itself. The AWS CLI runs in a process of its own, and reaches
the same moto over HTTP.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from moto.core import responses, utils
from moto.core.models import botocore_stubber
from moto.server import ThreadedMotoServer

from pull_responder.emulator import emulated_networks
from tests.integration.network.built import Built

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from botocore.awsrequest import AWSPreparedRequest

    from tests.integration.network.estate import NetworkEstate


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    emulated_networks.apply()
    # It lists the methods of a class for each request.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(responses, "method_names_from_class", cache(utils.method_names_from_class))
        patch.setattr(botocore_stubber, "process_request", _with_server_errors(botocore_stubber.process_request))
        yield from _serve()


def _with_server_errors(process: Callable[[AWSPreparedRequest], Any]) -> Callable[[AWSPreparedRequest], Any]:
    """What moto fails at is an answer 500, as over HTTP."""

    def answer(request: AWSPreparedRequest) -> Any:  # noqa: ANN401 -- moto's own type: status, headers and body
        try:
            return process(request)
        except Exception:  # noqa: BLE001 -- as moto's server does
            return 500, {}, "Internal Server Error"

    return answer


def _serve() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def built() -> Built:
    return Built()


@pytest.fixture
def estate(moto: str, built: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NetworkEstate:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(botocore_stubber, "enabled", True)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    folder = tmp_path / "empty"
    folder.mkdir()
    return built.copy(moto, folder)
