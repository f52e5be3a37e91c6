"""An estate of its own for every test, in the emulated AWS that the session shares."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final

import boto3
import pytest
from moto import mock_aws

from pull_responder.emulator import dns_firewall
from tests.integration.checks.estate import REGION, Estate
from tests.integration.checks.organization import Organization

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pull_responder.emulator.emulated_aws import EmulatedAws

# A registry policy and a list of clusters are an account's: no two tests share one.
_ACCOUNTS: Final = count(300_000_000_001)


@pytest.fixture(scope="session")
def administrator() -> boto3.session.Session:
    """One session for the administrators of all accounts: a session costs more than all its calls in a test."""
    return boto3.session.Session(region_name=REGION)


@pytest.fixture
def estate(
    aws: EmulatedAws, administrator: boto3.session.Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Estate:
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_ENDPOINT_URL"):
        monkeypatch.setenv(name, aws.environment[name])
    folder = tmp_path / "empty"
    folder.mkdir()
    return Estate(aws, folder, str(next(_ACCOUNTS)), str(next(_ACCOUNTS)), administrator)


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """moto in this process, for what the emulated AWS lacks."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    dns_firewall.apply()
    with mock_aws():
        yield


@pytest.fixture
def organization(moto: None) -> Organization:  # noqa: ARG001 -- what it is created on
    """An organization that is managed from our account, with service control policies."""
    organization = Organization.create()
    organization.enable("SERVICE_CONTROL_POLICY")
    return organization
