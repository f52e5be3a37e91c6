"""An emulated Security Hub, and time that passes only where a test says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from moto import mock_aws

from pull_responder.emulator import security_hub

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_securityhub import SecurityHubClient


class Clock:
    """The seconds left, and the waits that were made."""

    def __init__(self, left: float = 60.0) -> None:
        self.left = left
        self.waited: list[float] = []

    def remaining(self) -> float:
        return self.left

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.left -= seconds

    @staticmethod
    def refuse(hub: SecurityHubClient, operation: str, *refusals: tuple[str, int]) -> None:
        """Have the next calls refused with these codes and statuses; the emulated Security Hub is never busy."""
        left = list(refusals)

        def answer(**_: object) -> tuple[AWSResponse, dict[str, Any]] | None:
            if not left:
                return None
            code, status = left.pop(0)
            error = {"Error": {"Code": code, "Message": "not now"}, "ResponseMetadata": {"HTTPStatusCode": status}}
            return AWSResponse(hub.meta.endpoint_url, status, HTTPHeaders(), None), error

        hub.meta.events.register(f"before-call.securityhub.{operation}", answer)  # type: ignore[arg-type]  # the stubs know no handler that answers


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[SecurityHubClient]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    security_hub.apply()
    with mock_aws():
        client = boto3.client("securityhub", region_name="eu-west-1")
        client.enable_security_hub(EnableDefaultStandards=False)
        yield client
