"""What clients say where something answered, and messages that are cut, wrapped, escaped or of two attempts.

Every message gives the same on the terminal and on the way that is deployed. Those with a `source` were seen there,
with other names; the others follow the words of the client's own source.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from pull_responder.checks import CHECKS
from pull_responder.cli.explain import explain
from pull_responder.events.kubelet_message import KubeletMessage, read_message
from pull_responder.events.pod_failure import MESSAGE_LIMIT, PodFailure, clean, read_pod_failure
from pull_responder.meanings import can_mean
from pull_responder.model.pull import Answer, Denial, PullFailure, Stage, Symptom
from pull_responder.model.sighting import Sighting
from pull_responder.pulls.kubelet_words import read_words
from tests.unit.events.messages import ASKING, HOST, IMAGE, RESOLVING

if TYPE_CHECKING:
    from collections.abc import Iterable

FILE: Final = Path(__file__).parents[2] / "events" / "answers.jsonl"
SEEN: Final = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]
WAY: Final = {
    *("no_route_to_ecr", "nat_gateway_unavailable", "public_ip_missing", "security_group_blocks_egress"),
    *("network_acl_blocks_traffic", "vpc_endpoint_missing", "vpc_endpoint_unavailable", "vpc_dns_disabled"),
    *("endpoint_private_dns_disabled", "endpoint_security_group_blocks_ingress", "s3_endpoint_not_in_route_table"),
    *("peering_cannot_carry_traffic", "transit_gateway_blocks_traffic"),
    *("dns_firewall_blocks_registry", "network_firewall_blocks_registry"),
}
MISSING: Final = {"image_not_found", "repository_not_found"}


def named(seen: dict[str, Any]) -> str:
    return f"{seen['client']}: {seen['fault']}"


def check(seen: dict[str, Any], read: KubeletMessage) -> None:
    assert (read.symptom, read.stage, read.answer) == (seen["symptom"], seen["stage"], seen.get("answer"))
    assert (str(read.image) if read.image else None) == seen["image"]
    assert read.tells_of_pull == seen.get("tells_of_pull", True)
    for key in ("host", "address", "proxy"):
        assert key not in seen or getattr(read.sighting, key) == seen[key]
    causes = can_mean(read)
    assert "can_mean" not in seen or list(causes) == seen["can_mean"]
    assert not set(causes) & set(seen.get("cannot_mean", ()))
    if read.answer:
        assert not set(causes) & WAY


@pytest.mark.parametrize("seen", SEEN, ids=named)
def test_the_terminal_reads_it(seen: dict[str, Any]) -> None:
    check(seen, read_message(seen["message"]))


@pytest.mark.parametrize("seen", SEEN, ids=named)
def test_the_queue_carries_the_same(seen: dict[str, Any]) -> None:
    carried = clean(seen["message"])
    assert len(carried) <= MESSAGE_LIMIT
    assert "\n" not in carried
    assert "Signature=" not in carried
    check(seen, read_message(carried))


@pytest.mark.parametrize("seen", [each for each in SEEN if each.get("image")], ids=named)
def test_the_deployed_way_reads_the_same(seen: dict[str, Any]) -> None:
    raw = read_message(seen["message"])
    failure = PodFailure(account="111111111111", message=seen["message"])
    pull = read_pod_failure(json.loads(failure.body(region="us-east-1")))
    assert isinstance(pull, PullFailure)
    assert (pull.symptom, pull.stage) == (seen["symptom"], seen["stage"])
    assert read_words(pull).answer == seen.get("answer")
    assert read_words(pull).sighting == raw.sighting


def test_explain_tells_host_address_and_proxy() -> None:
    from click.testing import CliRunner  # noqa: PLC0415

    def told(message: str) -> dict[str, Any]:
        answer: dict[str, Any] = json.loads(CliRunner().invoke(explain, [message, "--format", "json"]).output)
        return {key: answer[key] for key in ("host", "address", "proxy", "answer")}

    refused = "proxyconnect tcp: dial tcp 10.0.9.20:3128: connect: connection refused"
    assert told(ASKING + refused) == {"host": HOST, "address": None, "proxy": "10.0.9.20:3128", "answer": None}
    alert = "remote error: tls: handshake failure"
    assert told(ASKING + alert) == {"host": HOST, "address": None, "proxy": None, "answer": "tls"}
    text = CliRunner().invoke(explain, [ASKING + refused]).output
    assert "Proxy       10.0.9.20:3128" in text
    assert f"Asked       {HOST}" in text


@pytest.mark.parametrize(
    ("error", "look"),
    [
        ("database not open", "journalctl -u containerd"),
        ("failed to extract layer sha256:aa: no one knows why", "journalctl -u kubelet"),
        ("failed to copy: rename /var/lib/a /var/lib/b: file exists", "crictl rmi"),
    ],
)
def test_explain_says_where_to_look_on_the_node(error: str, look: str) -> None:
    from click.testing import CliRunner  # noqa: PLC0415

    message = f'Failed to pull image "{IMAGE}": failed to pull and unpack image "{IMAGE}": {error}'
    text = CliRunner().invoke(explain, [message]).output
    assert look in text.partition("Look next")[2]
    answer = json.loads(CliRunner().invoke(explain, [message, "--format", "json"]).output)
    assert look in answer["next"]
    assert not {*WAY, "role_lacks_pull_permissions"} & set(answer["can_mean"])


def test_explain_does_not_look_next_where_causes_are_left() -> None:
    from click.testing import CliRunner  # noqa: PLC0415

    answer = json.loads(CliRunner().invoke(explain, [ASKING + "i/o timeout", "--format", "json"]).output)
    assert answer["next"] is None


@pytest.mark.parametrize("status", range(100, 600))
def test_no_status_of_http_means_the_way(status: int) -> None:
    read = read_message(
        RESOLVING + f"unexpected status from HEAD request to https://{HOST}/v2/team/app/manifests/v1: "
        f"{status} Some Text"
    )
    assert read.stage is Stage.MANIFEST
    # A missing token may be one that could not be fetched: 401 is the only status that leaves the way open.
    assert status == 401 or not set(can_mean(read)) & WAY
    assert read.symptom is not Symptom.TIMEOUT


@pytest.mark.parametrize(
    "error",
    [
        "remote error: tls: bad certificate",
        "remote error: tls: unknown certificate authority",
        "remote error: tls: no application protocol",
        "tls: no supported versions satisfy MinVersion and MaxVersion",
        "tls: received unexpected handshake message of type *tls.serverHelloMsg when waiting for *tls.finishedMsg",
    ],
)
def test_any_end_of_tls_was_an_answer(error: str) -> None:
    read = read_message(ASKING + error)
    assert (read.symptom, read.answer) == (Symptom.UNKNOWN, Answer.TLS)


@pytest.mark.parametrize(
    "error",
    [
        # Go's own errors, which no proxy says.
        "context deadline exceeded",
        "EOF",
        "no basic auth credentials",
        "http: server gave HTTP response to HTTPS client",
        "stopped after 10 redirects",
        "unsupported protocol scheme",
        "oauth2: cannot fetch token",
        "denied: requested access to the resource is denied",
        "unauthorized: authentication required",
        "toomanyrequests: Rate exceeded",
        "Eo",  # cut
    ],
)
def test_what_go_says_after_a_url_is_no_proxys(error: str) -> None:
    assert read_message(ASKING + error).symptom is not Symptom.PROXY_FAILED


def test_a_proxy_is_asked_to_connect_for_https_alone() -> None:
    read = read_message('Failed to pull image: Get "http://10.0.0.1:5000/v2/": Blocked by policy')
    assert read.symptom is Symptom.UNKNOWN


@pytest.mark.parametrize("code", ["NoSuchKey", "NoSuchBucket", "NoSuchVersion"])
def test_what_s3_lacks_is_no_missing_image(code: str) -> None:
    read = read_message(
        f'Failed to pull image "{IMAGE}": error pulling image configuration: error parsing HTTP 404 response body: '
        f"invalid character '<' looking for beginning of value: \"<Error><Code>{code}</Code>\""
    )
    assert (read.symptom, read.stage, read.answer) == (Symptom.NOT_FOUND, Stage.LAYER, Answer.OBJECT)
    assert not set(can_mean(read)) & MISSING


def test_a_missing_manifest_is_still_a_missing_image() -> None:
    read = read_message(RESOLVING + f"{IMAGE}: not found")
    assert read.answer is None
    assert set(can_mean(read)) >= MISSING


def test_an_unknown_code_of_s3_says_no_more_than_its_status() -> None:
    read = read_message(
        f'Failed to pull image "{IMAGE}": error pulling image configuration: denied: <Error><Code>AllAccessDisabled'
        "</Code><Message>All access to this object has been disabled</Message></Error>"
    )
    assert (read.symptom, read.answer) == (Symptom.ACCESS_DENIED, Answer.STORAGE)
    assert can_mean(read) == ("s3_endpoint_policy_blocks_layers",)


def test_a_cut_anywhere_makes_no_other_symptom() -> None:
    """Kubernetes cuts messages of events. What is left of the words is read as less, never as something else."""
    for seen in SEEN:
        whole = seen["message"]
        start = max(0, len(whole) - 60)
        symptoms = {read_message(whole[:end]).symptom for end in range(start, len(whole))}
        assert symptoms <= {seen["symptom"], Symptom.UNKNOWN, *_also(whole, seen["symptom"])}, named(seen)


def _also(message: str, symptom: str) -> Iterable[Symptom]:
    """What the part before the last words says by itself."""
    if "dial tcp" in message or "context deadline exceeded" in message:
        yield Symptom.TIMEOUT
    if symptom != Symptom.ACCESS_DENIED and ("403" in message or "denied" in message.lower()):
        yield Symptom.ACCESS_DENIED
    if symptom == Symptom.PROXY_FAILED:  # a status, before the page that tells whose it is
        statuses = {"401": Symptom.NOT_AUTHENTICATED, "404": Symptom.NOT_FOUND, "503": Symptom.REGISTRY_ERROR}
        yield from (said for status, said in statuses.items() if status in message)
    if "credential provider plugin" in message or "error getting credentials" in message:
        yield Symptom.NOT_AUTHENTICATED


def test_an_event_of_another_symptom_takes_no_answer_from_kubelets_words() -> None:
    message = RESOLVING + f"unexpected status from HEAD request to https://{HOST}/v2/team/app/manifests/v1: 418 Teapot"
    pull = PullFailure(symptom=Symptom.UNKNOWN, stage=Stage.MANIFEST, region="us-east-1", message=clean(message))
    assert read_words(pull).answer is Answer.HTTP
    joined = PullFailure(
        symptom=Symptom.ACCESS_DENIED, stage=Stage.MANIFEST, region="us-east-1", message=clean(message)
    )
    assert read_words(joined).answer is None
    denied = replace(pull, denial=Denial("ecr:BatchGetImage", "*", "User: … is not authorized"))
    assert read_words(denied).answer is None
    assert read_words(PullFailure(symptom=Symptom.UNKNOWN, stage=None, region="us-east-1")).sighting == Sighting()


def test_the_causes_of_the_way_are_known_as_such() -> None:
    assert {check.id for check in CHECKS if check.is_of_way} == WAY
