"""A node behind VPC Block Public Access, as DescribeSubnets shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.integration.network.estate import REGION, NetworkEstate, causes, opened

if TYPE_CHECKING:
    import pytest

    from pull_responder.facts.aws import Aws


def show_mode(estate: NetworkEstate, mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have EC2 show that mode for every subnet, which the emulator cannot."""
    connect = estate.aws

    def aws(*denied: str, code: str = "UnauthorizedOperation") -> Aws:
        connected = connect(*denied, code=code)
        client: Any = connected.client("ec2", account=None, region=REGION)
        client.meta.events.register("after-call.ec2.DescribeSubnets", add)
        return connected

    def add(parsed: dict[str, Any], **_: object) -> None:
        for subnet in parsed.get("Subnets", []):
            subnet["BlockPublicAccessStates"] = {"InternetGatewayBlockMode": mode}

    monkeypatch.setattr(NetworkEstate, "aws", lambda _estate, *denied, **more: aws(*denied, **more))


def test_what_it_stops_is_not_passed(estate: NetworkEstate, monkeypatch: pytest.MonkeyPatch) -> None:
    estate.behind_nat()
    estate.node()
    assert "no_route_to_ecr" in estate.ask().diagnosis.passed
    show_mode(estate, "block-bidirectional", monkeypatch)
    diagnosis = estate.ask().diagnosis
    assert causes(diagnosis) == []
    assert f'in mode "block-bidirectional" for {estate.public}' in opened(diagnosis)["no_route_to_ecr"]
    assert "no_route_to_ecr" not in diagnosis.passed
