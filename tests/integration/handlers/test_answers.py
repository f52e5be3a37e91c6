"""The deployed function blames no way for a pull whose message shows that something answered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from pull_responder.handlers import diagnose
from tests.integration.handlers.test_diagnose import Context, Inbox, batch, failed, inbox, metrics
from tests.integration.handlers.test_names import Spoke, spoke, timed_out
from tests.integration.handlers.test_signals import REGISTRY, forwarded, forwarder, image

if TYPE_CHECKING:
    from typing import Any

__all__ = ["forwarder", "image", "inbox", "spoke"]

BUCKET = "prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com"


def answered(spoke: Spoke, image: str, url: str, status: str) -> dict[str, Any]:
    event = forwarded(image, spoke.node)
    event["detail"]["message"] = (
        f'Failed to pull image "{image}": rpc error: code = Unknown desc = failed to pull and unpack image "{image}": '
        f"unexpected status from GET request to {url}: {status}"
    )
    return event


@pytest.fixture
def cut_off(spoke: Spoke, image: str) -> Spoke:
    """A VPC that nothing leads out of. The image is there."""
    manifest = json.dumps({"schemaVersion": 2, "config": {"size": 1}})
    spoke.aws.client("ecr").put_image(
        repositoryName=image.partition("/")[2].partition(":")[0],
        imageTag="v1",
        imageManifest=manifest,
        imageManifestMediaType="application/vnd.oci.image.manifest.v1+json",
    )
    spoke.aws.client("ec2").delete_route(RouteTableId=spoke.table, DestinationCidrBlock="10.0.0.0/8")
    return spoke


@pytest.mark.usefixtures("forwarder", "inbox")
@pytest.mark.parametrize("status", ["302 Found", "416 Requested Range Not Satisfiable", "418 I'm a teapot", "451 Gone"])
@pytest.mark.parametrize("host", [REGISTRY, BUCKET])
def test_an_answer_by_http_rules_the_way_out(
    status: str, host: str, cut_off: Spoke, image: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = "v2/app/manifests/v1" if host == REGISTRY else "aa/bb?X-Amz-Signature=0123"
    event = answered(cut_off, image, f"https://{host}/{path}", status)
    assert failed(diagnose.handler(batch(event), Context())) == []
    assert cut_off.causes() == []
    assert metrics(capsys.readouterr().out)["PullsInconclusive"] == 1


@pytest.mark.usefixtures("forwarder", "inbox")
@pytest.mark.parametrize(
    "error",
    [
        "remote error: tls: handshake failure",
        "remote error: tls: unrecognized name",
        "dial tcp 52.46.134.1:443: connect: operation not permitted",
        "open /var/lib/containerd/io.containerd.content.v1.content/ingest/1/ref: too many open files",
        "invalid character '<' looking for beginning of value",
    ],
)
def test_neither_is_it_blamed_for_an_alert_of_tls_or_the_nodes_own_firewall(
    error: str, cut_off: Spoke, image: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failed(diagnose.handler(batch(timed_out(cut_off, image, error)), Context())) == []
    assert cut_off.causes() == []
    assert metrics(capsys.readouterr().out)["PullsInconclusive"] == 1


@pytest.mark.usefixtures("forwarder")
def test_a_proxys_own_words_are_its_finding(cut_off: Spoke, image: str, inbox: Inbox) -> None:
    assert failed(diagnose.handler(batch(timed_out(cut_off, image, "Blocked by policy")), Context())) == []
    assert cut_off.causes() == []
    (told,) = [each["Message"] for each in inbox.messages() if "proxy_blocks_pull" in each["Message"]]
    assert "Blocked by policy" in told


@pytest.mark.usefixtures("forwarder", "inbox")
def test_a_timeout_in_the_same_place_is_the_ways(cut_off: Spoke, image: str) -> None:
    assert failed(diagnose.handler(batch(timed_out(cut_off, image)), Context())) == []
    assert cut_off.causes() == ["no_route_to_ecr"]
