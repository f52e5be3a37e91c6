"""Messages of pulls that failed on the way: where names lead, and what stands between."""

from __future__ import annotations

from pull_responder.checks import CHECKS
from tests.integration.three_ways.row import HEAD, LAYER, RESOLVE, UNPACK, Row

ANSWERED = RESOLVE + "unexpected status from HEAD request to https://{host}/v2/{name}/manifests/v1: "
OF_THE_WAY = frozenset(check.id for check in CHECKS if check.is_of_way)
OF_THE_ROLE = frozenset(check.id for check in CHECKS if check.resource_type == "AwsIamRole" and check.explains)

ON_THE_WAY = [
    Row(
        "hub address",
        RESOLVE + HEAD + "dial tcp 10.100.1.10:443: i/o timeout",
        "timeout",
        "manifest",
        in_spoke=True,
        undecided="no_route_to_ecr",
        why="look next",
    ),
    Row(
        "hub address, sound VPC",
        RESOLVE + HEAD + "dial tcp 10.100.1.10:443: i/o timeout",
        "timeout",
        "manifest",
        undecided="no_route_to_ecr",
        why="leads elsewhere",
    ),
    Row(
        "no such host",
        RESOLVE + HEAD + "dial tcp: lookup {host} on 10.8.0.2:53: no such host",
        "name_resolution_failed",
        "manifest",
        undecided="vpc_dns_disabled",
        why="no address",
    ),
    Row(
        "upstream's layers",
        UNPACK
        + LAYER
        + 'failed to do request: Get "https://production.cloudflare.docker.com/registry-v2/blobs/aa/data": dial '
        "tcp 104.16.100.207:443: i/o timeout",
        "timeout",
        "layer",
        in_spoke=True,
        causes=("no_route_to_ecr",),
    ),
    Row(
        "proxy refuses connections",
        RESOLVE + HEAD + "proxyconnect tcp: dial tcp 10.0.9.20:3128: connect: connection refused",
        "proxy_failed",
        "manifest",
        causes=("proxy_blocks_pull",),
    ),
    Row(
        "proxy has no address",
        RESOLVE + HEAD + "proxyconnect tcp: dial tcp: lookup proxy.corp.example on 10.8.0.2:53: no such host",
        "proxy_failed",
        "manifest",
        causes=("proxy_blocks_pull",),
    ),
    Row(
        "proxy wants credentials",
        RESOLVE + HEAD + "Proxy Authentication Required",
        "proxy_failed",
        "manifest",
        causes=("proxy_blocks_pull",),
    ),
    Row("proxy forbids", RESOLVE + HEAD + "Forbidden", "proxy_failed", "manifest", causes=("proxy_blocks_pull",)),
    Row(
        "unknown authority",
        RESOLVE + HEAD + "tls: failed to verify certificate: x509: certificate signed by unknown authority",
        "certificate_untrusted",
        "manifest",
        causes=("registry_certificate_untrusted",),
    ),
    Row(
        "another name's certificate",
        RESOLVE + HEAD + "tls: failed to verify certificate: x509: certificate is valid for *.corp.example, not {host}",
        "certificate_untrusted",
        "manifest",
        causes=("registry_certificate_untrusted",),
    ),
    Row(
        "certificate expired",
        RESOLVE
        + HEAD
        + "tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time "
        "2026-03-01T12:00:00Z is after 2026-02-01T00:00:00Z",
        "certificate_untrusted",
        "manifest",
        causes=("registry_certificate_untrusted",),
    ),
    Row("EOF", RESOLVE + HEAD + "EOF", "timeout", "manifest"),
    Row(
        "reset",
        RESOLVE + HEAD + "read tcp 10.8.0.4:40000->44.213.79.50:443: read: connection reset by peer",
        "timeout",
        "manifest",
    ),
    Row(
        "cut short",
        UNPACK + "failed to copy: unexpected EOF",
        "download_corrupt",
        "layer",
        undecided="pull_failing_unexplained",
        why="journalctl",
    ),
    Row(
        "bytes missing",
        UNPACK + "failed to extract layer sha256:aa: failed to read expected number of bytes: unexpected EOF",
        "download_corrupt",
        "layer",
        undecided="pull_failing_unexplained",
        why="journalctl",
    ),
    *[
        Row(
            f"HTTP {code}",
            RESOLVE + "unexpected status from HEAD request to https://{host}/v2/{name}/manifests/v1: " + code,
            "registry_error",
            "manifest",
            causes=("registry_unavailable",),
        )
        for code in (
            "500 Internal Server Error",
            "502 Bad Gateway",
            "503 Service Unavailable",
            "504 Gateway Timeout",
            "400 Bad Request",
            "405 Method Not Allowed",
        )
    ],
    # Whatever is broken on the way, something answered by it; and a pull that came to unpack has passed the policies.
    Row(
        "HTTP 503 without a route",
        ANSWERED + "503 Service Unavailable",
        "registry_error",
        "manifest",
        shut_in=True,
        causes=("registry_unavailable",),
        ruled_out=OF_THE_WAY | OF_THE_ROLE,
    ),
    Row(
        "HTTP 404 without a route",
        ANSWERED + "404 Not Found",
        "not_found",
        "manifest",
        shut_in=True,
        pushed=False,
        causes=("image_not_found",),
        ruled_out=OF_THE_WAY | OF_THE_ROLE,
    ),
    Row(
        "HTTP 403 without a route",
        ANSWERED + "403 Forbidden",
        "access_denied",
        "manifest",
        shut_in=True,
        causes=("role_lacks_pull_permissions",),
        ruled_out=OF_THE_WAY,
    ),
    Row(
        "S3's slow down without a route",
        UNPACK
        + LAYER
        + "unexpected status from GET request to https://prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com"
        "/aa/bb: 503 Slow Down",
        "registry_error",
        "layer",
        shut_in=True,
        causes=("registry_unavailable",),
        ruled_out=OF_THE_WAY | OF_THE_ROLE,
    ),
    *[
        Row(
            name,
            said,
            "unknown",
            "unpack",
            shut_in=True,
            undecided="pull_failing_unexplained",
            why="AWS does not show why that failed: on the node, look at `journalctl",
            ruled_out=OF_THE_WAY | OF_THE_ROLE,
        )
        for name, said in (
            (
                "unpack, in words of its own",
                UNPACK + "failed to extract layer sha256:aa: mount callback failed on /tmp/m: no such device",
            ),
            ("dockerd's unpack, in words of its own", "failed to register layer: something that nobody has said yet"),
        )
    ],
]
