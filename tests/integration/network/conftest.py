"""moto in a thread of its own, shared by the session; every test has its own VPC and cluster in it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import pytest
from moto.backends import get_backend
from moto.core import responses, utils
from moto.server import ThreadedMotoServer

from pull_responder.emulator import access_entries, cache_rules, route53_profiles, vpc_endpoints
from tests.integration.network.estate import ACCOUNT, REGION, Estate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    vpc_endpoints.apply()
    access_entries.apply()
    cache_rules.apply()
    route53_profiles.apply_to_moto()
    # It lists the methods of a class for each request.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(responses, "method_names_from_class", cache(utils.method_names_from_class))
        yield from _serve()


def _serve() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def estate(moto: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Estate]:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    folder = tmp_path / "empty"
    folder.mkdir()
    yield Estate(moto, folder).build()
    # A diagnosis looks through all clusters of the account. Those that earlier tests left would be read by each later.
    get_backend("eks")[ACCOUNT][REGION].reset()
    # An account has few Resolver endpoints.
    get_backend("route53resolver")[ACCOUNT][REGION].reset()
