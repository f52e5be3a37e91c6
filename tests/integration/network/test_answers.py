"""A pull in a VPC without a way to ECR, whose message shows that something answered: the way is not its explanation."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pull_responder.cli.main import main
from tests.integration.network.estate import REGION, NetworkEstate, causes, opened
from tests.integration.network.hub import BUCKET, HOST, diagnosed, of_manifest, pod_event
from tests.next_step import faults_of
from tests.unit.events.test_answers import WAY

if TYPE_CHECKING:
    from pathlib import Path

    from pull_responder.diagnosis import Diagnosis


def answered(estate: NetworkEstate, status: str) -> str:
    return (
        f'failed to pull and unpack image "{estate.image}": failed to resolve reference "{estate.image}": unexpected '
        f"status from HEAD request to https://{HOST}/v2/{estate.name}/app/manifests/v1: {status}"
    )


def layer(estate: NetworkEstate, status: str) -> str:
    return (
        f'failed to pull and unpack image "{estate.image}": failed to copy: httpReadSeeker: failed open: unexpected '
        f"status from GET request to https://{BUCKET}/aa/bb?X-Amz-Signature=0123: {status}"
    )


ANSWERED = {
    "302": lambda estate: answered(estate, "302 Found"),
    "418": lambda estate: answered(estate, "418 I'm a teapot"),
    "451": lambda estate: answered(estate, "451 Unavailable For Legal Reasons"),
    "416 of S3": lambda estate: layer(estate, "416 Requested Range Not Satisfiable"),
    "S3, expired": lambda estate: layer(
        estate, "403 Forbidden\n<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"
    ),
    "S3, no key": lambda estate: layer(estate, "404 Not Found"),
    "403 of a mirror": lambda estate: answered(estate, "403 Forbidden").replace(
        f"https://{HOST}", "https://mirror.corp.example"
    ),
    "TLS": lambda estate: of_manifest(estate, "remote error: tls: handshake failure"),
    "the node's firewall": lambda estate: of_manifest(
        estate, "dial tcp 52.46.134.1:443: connect: operation not permitted"
    ),
    "schema 1": lambda estate: (
        f'failed to pull and unpack image "{estate.image}": media type "application/vnd.docker.distribution.manifest.v1'
        '+prettyjws" is no longer supported since containerd v2.1, please rebuild the image'
    ),
}
NEXT = {
    "302": "a proxy, mirror or filter answers in its place",
    "418": "a proxy, mirror or filter answers in its place",
    "451": "a proxy, mirror or filter answers in its place",
    "416 of S3": "a proxy, mirror or filter answers in its place",
    "S3, expired": "the node's clock",
    "S3, no key": "push the image again",
    "403 of a mirror": "mirror.corp.example answered in the registry's place",
    "TLS": f"openssl s_client -connect {HOST}:443",
    "the node's firewall": "the node itself refused to send",
    "schema 1": "build and push the image again",
}


def left(diagnosis: Diagnosis) -> str:
    (reason,) = [each.reason for each in diagnosis.inconclusive if each.cause == "pull_failing_unexplained"]
    return reason


@pytest.mark.parametrize("what", ANSWERED)
def test_no_way_is_neither_reported_nor_open(estate: NetworkEstate, what: str) -> None:
    estate.node()
    diagnosis = diagnosed(estate, ANSWERED[what](estate))
    assert causes(diagnosis) == []
    assert not WAY & {*opened(diagnosis), *diagnosis.passed}
    assert NEXT[what] in left(diagnosis)
    assert diagnosis.note == ""


@pytest.mark.parametrize("what", ANSWERED)
def test_reads_that_are_refused_open_no_way(estate: NetworkEstate, what: str) -> None:
    estate.node()
    diagnosis = diagnosed(
        estate, ANSWERED[what](estate), denied=["ec2:DescribeRouteTables", "ec2:DescribeVpcEndpoints"]
    )
    assert causes(diagnosis) == []
    assert not WAY & set(opened(diagnosis))
    assert diagnosis.inconclusive


def test_a_timeout_in_the_same_vpc_has_no_way(estate: NetworkEstate) -> None:
    estate.node()
    timeout = "dial tcp 52.46.134.1:443: i/o timeout"
    assert causes(diagnosed(estate, of_manifest(estate, timeout))) == ["no_route_to_ecr"]
    assert "no_route_to_ecr" in causes(diagnosed(estate, of_manifest(estate, "something nobody has said yet")))


STATUSES_OF_MIRROR = (
    *("401 Unauthorized", "403 Forbidden", "404 Not Found", "418 I'm a teapot", "429 Too Many Requests"),
    *("500 Internal Server Error", "503 Service Unavailable"),
)


@pytest.mark.parametrize("open_way", [True, False])
@pytest.mark.parametrize("status", STATUSES_OF_MIRROR)
def test_a_mirrors_answer_says_nothing_about_ecr(estate: NetworkEstate, status: str, *, open_way: bool) -> None:
    if open_way:
        estate.behind_nat()
    estate.node()
    message = answered(estate, status).replace(f"https://{HOST}", "https://mirror.corp.example")
    diagnosis = diagnosed(estate, message)
    assert causes(diagnosis) == []
    (undecided,) = diagnosis.inconclusive
    assert undecided.cause == "pull_failing_unexplained"
    assert undecided.reason.startswith("mirror.corp.example answered in the registry's place")
    assert undecided.next == (
        "Look at `/etc/containerd/certs.d/*/hosts.toml` on the node, and at what mirror.corp.example answers."
    )
    assert faults_of(undecided.next) == []


def test_the_same_status_of_ecr_is_its_own(estate: NetworkEstate) -> None:
    estate.node()
    assert causes(diagnosed(estate, answered(estate, "500 Internal Server Error"))) == ["registry_unavailable"]


def test_what_stops_the_next_pull_is_found_and_explains_no_answer(estate: NetworkEstate) -> None:
    estate.node()
    estate.client("iam").delete_role_policy(RoleName=f"{estate.name}-node", PolicyName="pull")
    diagnosis = diagnosed(estate, answered(estate, "418 I'm a teapot"))
    assert causes(diagnosis) == ["role_lacks_pull_permissions"]
    assert NEXT["418"] in left(diagnosis)


@pytest.mark.parametrize(
    ("words", "look"),
    [
        ("connect: network is unreachable", "look at `ip route` on the node"),
        ("connect: no route to host", "nothing has the address in its subnet"),
        ("i/o timeout", "the node's own firewall and proxy"),
    ],
)
def test_words_of_the_kernel_say_where_to_look_on_an_open_way(estate: NetworkEstate, words: str, look: str) -> None:
    estate.behind_nat()
    estate.node()
    diagnosis = diagnosed(estate, of_manifest(estate, f"dial tcp 52.46.134.1:443: {words}"))
    assert causes(diagnosis) == []
    assert look in diagnosis.look_next


def test_the_attempt_that_decides_tells_the_address(estate: NetworkEstate) -> None:
    estate.behind_nat()
    estate.node()
    further = layer(estate, "x").partition("unexpected status")[0]
    further += f'failed to do request: Get "https://{BUCKET}/aa/bb": dial tcp 52.217.13.8:443: i/o timeout'
    private = of_manifest(estate, "dial tcp 10.100.1.10:443: i/o timeout")
    both = f'Failed to pull image "{estate.image}": [{further}, rpc error: code = Unknown desc = {private}]'
    assert not WAY & {each.cause for each in diagnosed(estate, both).inconclusive}
    assert "10.100.1.10" in json.dumps(opened(diagnosed(estate, private)))


@pytest.mark.parametrize("what", ["418", "403 of a mirror", "TLS", "the node's firewall", "S3, expired"])
def test_the_terminal_says_that_it_is_open(
    estate: NetworkEstate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    what: str,
) -> None:
    for key, value in {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION}.items():
        monkeypatch.setenv(key, value)
    estate.node()
    file = tmp_path / "event.json"
    file.write_text(pod_event(estate, ANSWERED[what](estate)))
    monkeypatch.setattr(sys, "argv", ["pull-responder", "diagnose", "--event", str(file), "--format", "json"])
    with pytest.raises(SystemExit) as ended:
        main()
    line: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert ended.value.code == 3
    assert line["findings"] == []
    assert [each["cause"] for each in line["inconclusive"]] == ["pull_failing_unexplained"]
