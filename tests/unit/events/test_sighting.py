"""What a message shows of the connection that failed: host, address, port and DNS server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pull_responder.events.kubelet_message import read_message
from pull_responder.events.pod_failure import clean
from pull_responder.events.registry_urls import is_of_ecr
from pull_responder.events.sighting import read_sighting
from pull_responder.meanings import can_mean
from pull_responder.model.pull import Stage, Symptom
from pull_responder.model.sighting import Sighting
from tests.unit.events.messages import ASKING, BUCKET, COPYING, HOST, IMAGE

CDN = "production.cloudflare.docker.com"
FROM_CDN = COPYING + f'failed to do request: Get "https://{CDN}/registry-v2/docker/registry/v2/blobs/sha256/aa/data": '
FROM_S3 = COPYING + f'failed to do request: Get "https://{BUCKET}/aa-bb/cc?X-Amz-Signature=abcdef0123456789": '
MIRRORS = (
    f'Failed to pull image "{IMAGE}": (Mirrors also failed: [mirror.example/team/app:v1: pinging container registry '
    'mirror.example: Get "https://mirror.example/v2/": dial tcp 10.9.9.9:443: i/o timeout]): '
    f'{IMAGE}: pinging container registry {HOST}: Get "https://{HOST}/v2/": dial tcp 10.100.1.10:443: i/o timeout'
)

SEEN = {
    ASKING + "dial tcp 10.100.1.10:443: i/o timeout": Sighting(HOST, "10.100.1.10", 443),
    ASKING + "dial tcp 10.100.1.10:443: connect: no route to host": Sighting(HOST, "10.100.1.10", 443),
    ASKING + "dial tcp4 10.100.1.10:443: i/o timeout": Sighting(HOST, "10.100.1.10", 443),
    ASKING + "dial tcp [2600:1f18::a]:443: connect: network is unreachable": Sighting(HOST, "2600:1f18::a", 443),
    ASKING + "dial tcp [2600:1F18:0:0::A]:443: i/o timeout": Sighting(HOST, "2600:1f18::a", 443),
    ASKING + "dial tcp [::ffff:10.1.2.3]:443: i/o timeout": Sighting(HOST, "10.1.2.3", 443),
    ASKING + "read tcp 10.0.1.5:54321->10.100.1.10:443: read: connection reset by peer": Sighting(
        HOST, "10.100.1.10", 443
    ),
    ASKING + "write tcp [fd00::5]:54321->[fd00:9::7]:443: write: broken pipe": Sighting(HOST, "fd00:9::7", 443),
    ASKING + f"dial tcp: lookup {HOST} on 10.0.0.2:53: no such host": Sighting(
        HOST, server="10.0.0.2", unresolved=True
    ),
    ASKING + f"dial tcp: lookup {HOST} on [fd00:ec2::253]:53: server misbehaving": Sighting(
        HOST, server="fd00:ec2::253", unresolved=True
    ),
    ASKING + f"dial tcp: lookup {HOST}: i/o timeout": Sighting(HOST, unresolved=True),
    # The DNS server's own address is not the registry's.
    ASKING + f"dial tcp: lookup {HOST} on 10.0.0.2:53: read udp 10.0.1.5:43210->10.0.0.2:53: i/o timeout": Sighting(
        HOST, server="10.0.0.2", unresolved=True
    ),
    ASKING + f"dial tcp: lookup {HOST} on 10.0.0.2:53: dial tcp 10.0.0.2:53: i/o timeout": Sighting(
        HOST, server="10.0.0.2", unresolved=True
    ),
    ASKING + "context deadline exceeded": Sighting(HOST, port=443),
    FROM_CDN + "dial tcp 104.16.100.207:443: i/o timeout": Sighting(CDN, "104.16.100.207", 443),
    FROM_S3 + "dial tcp 52.217.13.8:443: i/o timeout": Sighting(BUCKET, "52.217.13.8", 443),
    MIRRORS: Sighting(HOST, "10.100.1.10", 443),
    'Get "https://mirror.example:5000/v2/": dial tcp 10.9.9.9:5000: i/o timeout': Sighting(
        "mirror.example", "10.9.9.9", 5000
    ),
    'Get "https://mirror.example:5000/v2/": context deadline exceeded': Sighting("mirror.example", port=5000),
    # What is said to a proxy, or to the service that gives credentials, is not about the way to the registry.
    ASKING + "proxyconnect tcp: dial tcp 10.0.9.20:3128: connect: connection refused": Sighting(
        HOST, proxy="10.0.9.20:3128"
    ),
    ASKING + "proxyconnect tcp: dial tcp: lookup proxy.corp.example on 10.0.0.2:53: no such host": Sighting(
        HOST, proxy="proxy.corp.example"
    ),
    ASKING + "socks connect tcp 10.0.9.20:1080->x:443: dial tcp 10.0.9.20:1080: i/o timeout": Sighting(
        HOST, proxy="10.0.9.20:1080"
    ),
    'Get "http://169.254.169.254/latest/meta-data/": dial tcp 169.254.169.254:80: i/o timeout': Sighting(),
    ASKING + "proxyconnect tcp: dial tcp [fd00::7]:3128: connect: connection refused": Sighting(
        HOST, proxy="[fd00::7]:3128"
    ),
    'Get "https://mirror.example:123456/v2/": context deadline exceeded': Sighting("mirror.example", port=443),
    # No addresses and no hosts.
    ASKING + "dial tcp 999.1.2.3:443: i/o timeout": Sighting(HOST, port=443),
    ASKING + "dial tcp 10.0.0.1:99999999: i/o timeout": Sighting(HOST, port=443),
    ASKING + "dial tcp [fe80::1%eth0]:443: i/o timeout": Sighting(HOST, port=443),
    "dial unix /run/containerd/containerd.sock: connect: connection refused": Sighting(),
    'Get "https://-bad-/v2/": dial tcp 10.1.2.3:443: i/o timeout': Sighting("", "10.1.2.3", 443),
    "hello world": Sighting(),
    "": Sighting(),
}


@pytest.mark.parametrize(("message", "expected"), SEEN.items())
def test_what_a_message_shows(message: str, expected: Sighting) -> None:
    read = read_sighting(message)
    if not expected.address and not expected.host:
        assert read == expected
    assert (read.host, read.address, read.server, read.proxy, read.unresolved) == (
        expected.host,
        expected.address,
        expected.server,
        expected.proxy,
        expected.unresolved,
    )
    assert read.port == expected.port or expected.unresolved


@pytest.mark.parametrize("message", SEEN)
def test_the_queue_shows_the_same(message: str) -> None:
    assert read_sighting(clean(message)) == read_sighting(message)


@given(st.text(max_size=300))
def test_any_text_is_accepted(text: str) -> None:
    read = read_sighting(f'Get "https://{text}/v2/": dial tcp {text}:443: lookup {text} on {text}:53')
    assert len(read.host) <= 253
    assert len(read.address) <= 45


def test_a_layer_from_the_upstreams_storage_is_not_about_s3() -> None:
    read = read_message(FROM_CDN + "dial tcp 104.16.100.207:443: i/o timeout")
    assert (read.symptom, read.stage) == (Symptom.TIMEOUT, Stage.LAYER)
    causes = can_mean(read)
    assert causes[0] == "no_route_to_ecr"
    assert not {"s3_endpoint_not_in_route_table", "vpc_endpoint_missing", "vpc_endpoint_unavailable"} & set(causes)
    of_s3 = can_mean(read_message(FROM_S3 + "dial tcp 52.217.13.8:443: i/o timeout"))
    assert of_s3[0] == "s3_endpoint_not_in_route_table"


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        (HOST, True),
        (BUCKET, True),
        ("api.ecr.us-east-1.amazonaws.com", True),
        ("ecr.us-east-1.api.aws", True),
        ("ecr-fips.us-east-1.amazonaws.com", True),
        ("public.ecr.aws", True),
        (CDN, False),
        ("d1234.cloudfront.net", False),
        ("sts.us-east-1.amazonaws.com", False),
        ("mirror.corp.example", False),
    ],
)
def test_hosts_of_ecr(host: str, *, expected: bool) -> None:
    assert is_of_ecr(host) is expected


def test_address_of_a_mirror_is_not_the_registrys() -> None:
    text = MIRRORS.replace("dial tcp 10.100.1.10:443: i/o timeout", "net/http: TLS handshake timeout")
    assert read_sighting(text) == Sighting(HOST, port=443)


def test_address_of_an_earlier_credentials_attempt_at_the_same_host_counts() -> None:
    first = ASKING + "dial tcp 10.100.1.10:443: i/o timeout"
    second = f"failed to authorize: unexpected status from GET request to https://{HOST}/token/: 401 Unauthorized"
    assert read_sighting(f"[{first}, {second}]") == Sighting(HOST, "10.100.1.10", 443)


@pytest.mark.parametrize(("dialled", "port"), [(0, 443), (1, 1), (8443, 8443), (65_535, 65_535), (65_536, 443)])
def test_the_port_is_the_one_that_was_dialled_where_there_can_be_one(dialled: int, port: int) -> None:
    read = read_sighting(ASKING + f"dial tcp 10.100.1.10:{dialled}: i/o timeout")
    assert read == Sighting(HOST, "10.100.1.10", port)


@pytest.mark.parametrize(
    ("said", "proxy"),
    [
        ("EOF", ""),
        ("dial tcp 999.1.2.3:3128: connect: connection refused", ""),
        ("dial tcp 10.0.9.20:65535: connect: connection refused", "10.0.9.20:65535"),
        ("dial tcp 10.0.9.20:65536: connect: connection refused", "10.0.9.20"),
        # What an earlier attempt dialled is not what the last one did.
        ("dial tcp 10.0.9.20:3128: i/o timeout, proxyconnect tcp: EOF", ""),
    ],
)
def test_the_proxy_is_what_the_last_attempt_names(said: str, proxy: str) -> None:
    assert read_sighting(ASKING + f"proxyconnect tcp: {said}") == Sighting(HOST, proxy=proxy)


def test_what_is_beyond_8192_characters_is_not_read() -> None:
    said = "dial tcp 10.100.1.10:443"
    assert read_sighting(said.rjust(8192)).port == 443
    assert read_sighting(said.rjust(8193)).port == 44


def test_a_host_may_end_in_the_dot_of_the_root() -> None:
    read = read_sighting(ASKING + f"dial tcp: lookup {HOST}. on 10.0.0.2:53: no such host")
    assert read == Sighting(HOST, server="10.0.0.2", unresolved=True)
