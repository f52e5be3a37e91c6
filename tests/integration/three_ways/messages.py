"""What kubelet said of pulls that failed, each with what it must mean where everything readable is sound."""

from __future__ import annotations

from dataclasses import dataclass

from tests.integration.handlers.test_signals import REGISTRY

DIGEST = f"sha256:{'a' * 64}"
HEAD = 'failed to do request: Head "https://{host}/v2/{name}/manifests/v1": '
LAYER = "failed to copy: httpReadSeeker: failed open: "


@dataclass(frozen=True, slots=True)
class Row:
    """A message of kubelet, and what all ways say of it.

    - `error` is what follows "Failed to pull image …: "; {host}, {name} and {image} stand for the image's.
    - `causes` are those found. Without any, `undecided` is one that is left, and its reason holds `why`.
    - `pushed`: the repository has the image.
    - `whole`: `error` is the whole message.
    - `in_spoke`: the node is in a spoke of a hub; else nothing about it is broken.
    """

    name: str
    error: str
    symptom: str
    stage: str | None = None
    causes: tuple[str, ...] = ()
    undecided: str = ""
    why: str = ""
    in_spoke: bool = False
    reason: str = "Failed"
    whole: bool = False
    pushed: bool = True

    def text(self, name: str) -> str:
        image = f"{REGISTRY}/{name}:v1"
        prefix = "" if self.whole else 'Failed to pull image "{image}": '
        said = (prefix + self.error).replace("{image}", image)
        return said.replace("{host}", REGISTRY).replace("{name}", name)


RESOLVE = 'failed to pull and unpack image "{image}": failed to resolve reference "{image}": '
UNPACK = 'failed to pull and unpack image "{image}": '

MESSAGES = [
    # B. Where names lead
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
        causes=("no_route_to_ecr",),
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
    # C. What stands between
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
    # D. Credentials that are never shown
    Row(
        "provider binary missing",
        "error execing credential provider plugin ecr-credential-provider for image {image}: fork/exec "
        "/etc/eks/image-credential-provider/ecr-credential-provider: no such file or directory",
        "not_authenticated",
        "token",
        causes=("credential_provider_failing",),
    ),
    Row(
        "no credentials shown",
        RESOLVE
        + "pull access denied, repository does not exist or may require authorization: authorization failed: no "
        "basic auth credentials",
        "not_authenticated",
        "manifest",
        undecided="credential_provider_failing",
        why="credential provider works",
    ),
    Row(
        "metadata of the node fails",
        'failed to get credentials: Get "http://169.254.169.254/latest/meta-data/iam/security-credentials/": '
        "dial tcp 169.254.169.254:80: i/o timeout",
        "not_authenticated",
        "token",
        undecided="credential_provider_failing",
        why="credential provider works",
    ),
    # G. Reading messages
    Row(
        "CRI-O's stale login",
        "initializing source docker://{image}: Requesting bearer token: invalid username/password: denied: Your "
        "authorization token has expired. Reauthenticate and try again.",
        "token_expired",
        "token",
        causes=("registry_token_expired",),
    ),
    Row(
        "platform first",
        '[failed to pull and unpack image "{image}": no match for platform in manifest: not found, rpc error: '
        "code = Unknown desc = "
        + RESOLVE
        + "unexpected status from HEAD request to https://{host}/v2/{name}/manifests/v1: 401 Unauthorized]",
        "platform_mismatch",
        "manifest",
        causes=("image_platform_mismatch",),
    ),
    Row(
        "platform last",
        "["
        + RESOLVE
        + "unexpected status from HEAD request to https://{host}/v2/{name}/manifests/v1: 401 Unauthorized, "
        'failed to pull and unpack image "{image}": no match for platform in manifest: not found]',
        "platform_mismatch",
        "manifest",
        causes=("image_platform_mismatch",),
    ),
    Row(
        "signature",
        "SignatureValidationFailed: image pull failed for {image} because the signature validation failed",
        "signature_rejected",
        undecided="pull_failing_unexplained",
        why="journalctl",
    ),
    Row(
        "signature's back-off",
        'Back-off pulling image "{image}": SignatureValidationFailed: image pull failed for {image} because the '
        "signature validation failed: Source image rejected: no signature",
        "signature_rejected",
        whole=True,
        reason="BackOff",
        undecided="pull_failing_unexplained",
        why="journalctl",
    ),
    Row(
        "descriptor",
        UNPACK + "failed to find a descriptor for platform linux/amd64",
        "platform_mismatch",
        causes=("image_platform_mismatch",),
    ),
    Row(
        "configuration unknown",
        "error pulling image configuration: unknown blob",
        "not_found",
        "layer",
        undecided="pull_failing_unexplained",
        why="push the image again",
    ),
    Row(
        "401 with status",
        RESOLVE + "unexpected status code 401 Unauthorized",
        "not_authenticated",
        "manifest",
        undecided="credential_provider_failing",
        why="credential provider works",
    ),
    Row(
        "401 with body",
        RESOLVE + "unsupported status code 401; body: Not Authorized",
        "not_authenticated",
        "manifest",
        undecided="credential_provider_failing",
        why="credential provider works",
    ),
    Row(
        "insufficient_scope",
        RESOLVE + "pull access denied, repository does not exist or may require authorization: server message: "
        "insufficient_scope: authorization failed",
        "access_denied",
        "manifest",
        undecided="pull_failing_unexplained",
        why="imagePullSecrets",
    ),
    Row(
        "CRI-O's manifest",
        "initializing source docker://{image}: reading manifest v1 in {host}/{name}: manifest unknown",
        "not_found",
        "manifest",
        causes=("image_not_found",),
        pushed=False,
    ),
    Row(
        "CRI-O's manifest in capitals",
        "Error reading manifest v1 in {host}/{name}: manifest unknown",
        "not_found",
        "manifest",
        causes=("image_not_found",),
        pushed=False,
    ),
    Row(
        "attestation",
        UNPACK + "failed to extract layer sha256:aa: failed to get stream processor for application/vnd.in-toto+json: "
        "no processor for media-type: unknown",
        "not_found",
        "unpack",
        causes=("image_not_found",),
    ),
    Row(
        "wrong diff id",
        UNPACK + 'failed to extract layer sha256:aa: wrong diff id calculated on extraction "sha256:bb"',
        "download_corrupt",
        "unpack",
        undecided="pull_failing_unexplained",
        why="journalctl",
    ),
    Row(
        "flate",
        UNPACK + "failed to extract layer sha256:aa: flate: corrupt input before offset 12",
        "download_corrupt",
        "unpack",
        undecided="pull_failing_unexplained",
        why="journalctl",
    ),
    Row(
        "artifact",
        "unable to pull image or OCI artifact: pull image err: initializing source docker://{image}: reading "
        "manifest v1 in {host}/{name}: unauthorized: authentication required; artifact err: provided artifact "
        "is a container image",
        "not_authenticated",
        "manifest",
        undecided="credential_provider_failing",
        why="credential provider works",
    ),
    Row(
        "blob unknown",
        "copying system image from manifest list: fetching blob: blob unknown to registry",
        "not_found",
        "layer",
        undecided="pull_failing_unexplained",
        why="push the image again",
    ),
    Row(
        "captive portal",
        UNPACK + "could not fetch content descriptor sha256:aa (text/html) from remote: not found",
        "proxy_failed",
        "layer",
        causes=("proxy_blocks_pull",),
    ),
    Row(
        "rate exceeded",
        RESOLVE + "error from registry: Rate exceeded",
        "throttled",
        "manifest",
        causes=("registry_throttled",),
    ),
    Row(
        "stalled",
        UNPACK + "failed to copy: context canceled: cancel pulling image {image} because of no progress in 5m0s",
        "canceled",
        "layer",
    ),
]
