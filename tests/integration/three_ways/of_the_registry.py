"""Messages about what the registry and its storage of layers answered."""

from __future__ import annotations

from tests.integration.three_ways.row import LAYER, RESOLVE, UNPACK, Row

BUCKET = (
    "https://prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com/1a2b-3c/layer?X-Amz-Security-Token=secret"
    "&X-Amz-Signature=0123"
)


def _of_s3(status: str, code: str, said: str) -> str:
    """What containerd says of an answer of S3."""
    xml = f'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{code}</Code><Message>{said}</Message></Error>'
    return UNPACK + LAYER + f"unexpected status from GET request to {BUCKET}: {status}: {xml}"


OF_THE_REGISTRY = [
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
        "kubelet's structured log",
        'E0301 12:00:00.000000    1 remote_image.go:180] "PullImage from image service failed" err="rpc error: code = '
        'NotFound desc = manifest unknown" image="{image}"',
        "not_found",
        "manifest",
        whole=True,
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
    Row(
        "size validation",
        '"layer-sha256:aa" failed size validation: 1 != 2: failed precondition',
        "download_corrupt",
        "layer",
        undecided="pull_failing_unexplained",
        why="journalctl",
    ),
    Row(
        "size validation, in its chain",
        UNPACK + 'failed commit on ref "layer-sha256:aa": "layer-sha256:aa" failed size validation: 1 != 2: failed '
        "precondition",
        "download_corrupt",
        "layer",
        undecided="pull_failing_unexplained",
        why="journalctl",
    ),
    Row(
        "signed URL refused",
        UNPACK + LAYER + f"unexpected status from GET request to {BUCKET}: 403 Forbidden",
        "access_denied",
        "layer",
        undecided="pull_failing_unexplained",
        why="S3 endpoints on the way",
    ),
    Row(
        "signed URL refused, over two lines",
        UNPACK + LAYER + f"\n  unexpected status from GET request to {BUCKET}: 403 Forbidden",
        "access_denied",
        "layer",
        undecided="pull_failing_unexplained",
        why="S3 endpoints on the way",
    ),
    Row(
        "S3 denies access",
        _of_s3("403 Forbidden", "AccessDenied", "Access Denied"),
        "access_denied",
        "layer",
        undecided="pull_failing_unexplained",
        why="S3 endpoints on the way",
    ),
    Row(
        "S3 says that the URL expired",
        _of_s3("403 Forbidden", "AccessDenied", "Request has expired"),
        "access_denied",
        "layer",
        undecided="pull_failing_unexplained",
        why="chronyc tracking",
    ),
    Row(
        "S3 asks to slow down",
        _of_s3("503 Slow Down", "SlowDown", "Please reduce your request rate."),
        "registry_error",
        "layer",
        causes=("registry_unavailable",),
    ),
    Row(
        "the key is disabled",
        _of_s3("400 Bad Request", "KMS.DisabledException", "arn:aws:kms:us-east-1:1:key/a is disabled."),
        "access_denied",
        "layer",
        undecided="pull_failing_unexplained",
        why="aws kms describe-key",
    ),
    Row(
        "there before",
        RESOLVE + "{image}: manifest unknown: Requested image not found",
        "not_found",
        "manifest",
        undecided="pull_failing_unexplained",
        why="before the pull failed",
    ),
    Row(
        "there before, by its status",
        RESOLVE + "{image}: not found",
        "not_found",
        "manifest",
        undecided="pull_failing_unexplained",
        why="mirror, cache or proxy",
    ),
]
