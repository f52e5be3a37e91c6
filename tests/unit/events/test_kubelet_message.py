"""Messages of kubelet and the runtimes: real ones, each family by its source, and names that look like errors."""

from __future__ import annotations

import importlib
import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pull_responder.events import kubelet_image, kubelet_message, registry_urls
from pull_responder.events.kubelet_message import TEXT_LIMIT, read_message
from pull_responder.model.pull import PolicyType, Stage, Symptom

if TYPE_CHECKING:
    from types import FrameType

    from _typeshed import TraceFunction

SEEN = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "events/kubelet_messages.jsonl").read_text(encoding="utf-8").splitlines()
]

HOST: Final = "111111111111.dkr.ecr.us-east-1.amazonaws.com"
IMAGE: Final = f"{HOST}/team/app:v1"
DIGEST: Final = "sha256:" + "0f" * 32
BUCKET: Final = "prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com"
MANIFEST: Final = f"https://{HOST}/v2/team/app/manifests/v1"
BLOB: Final = f"https://{HOST}/v2/team/app/blobs/{DIGEST}"
NODE: Final = "arn:aws:sts::111111111111:assumed-role/node/i-0123456789abcdef0"
DENIED: Final = (
    f"User: {NODE} is not authorized to perform: ecr:BatchGetImage on resource: "
    "arn:aws:ecr:us-east-1:111111111111:repository/team/app"
)

PULLING: Final = (
    f'Failed to pull image "{IMAGE}": rpc error: code = Unknown desc = failed to pull and unpack image "{IMAGE}": '
)
RESOLVING: Final = PULLING + f'failed to resolve reference "{IMAGE}": '
ASKING: Final = RESOLVING + f'failed to do request: Head "{MANIFEST}": '
COPYING: Final = PULLING + "failed to copy: httpReadSeeker: failed open: "
SOURCE: Final = f'Failed to pull image "{IMAGE}": initializing source docker://{IMAGE}: '
READING: Final = SOURCE + f"reading manifest v1 in {HOST}/team/app: "
DAEMON: Final = f'Failed to pull image "{IMAGE}": rpc error: code = Unknown desc = Error response from daemon: '
PROVIDER: Final = "Error running credential provider plugin: operation error ECR: GetAuthorizationToken, "

# containerd: core/remotes/docker/{resolver,fetcher,authorizer,httpreadseeker}.go, core/remotes/errors, core/content,
# core/images, core/unpack; remotes/docker of releases 1.4 to 1.7 for the older spellings.
CONTAINERD = [
    (RESOLVING + f"{IMAGE}: not found", "not_found", "manifest"),
    (RESOLVING + f"unexpected status from HEAD request to {MANIFEST}: 403 Forbidden", "access_denied", "manifest"),
    (
        RESOLVING + f"unexpected status from HEAD request to {MANIFEST}: 401 Unauthorized",
        "not_authenticated",
        "manifest",
    ),
    (RESOLVING + f"unexpected status from HEAD request to {MANIFEST}: 429 Too Many Requests", "throttled", "manifest"),
    (
        RESOLVING + f"unexpected status from HEAD request to {MANIFEST}: 500 Internal Server Error",
        "unknown",
        "manifest",
    ),
    (RESOLVING + f"unexpected status from HEAD request to {BLOB}: 403 Forbidden", "access_denied", "manifest"),
    (RESOLVING + "unexpected status code [manifests v1]: 401 Unauthorized", "not_authenticated", "manifest"),
    (
        RESOLVING + f"pulling from host {HOST} failed with status code [manifests v1]: 401 Unauthorized",
        "not_authenticated",
        "manifest",
    ),
    (
        RESOLVING + f"pulling from host {HOST} failed with unexpected status code [manifests v1]: 403 Forbidden",
        "access_denied",
        "manifest",
    ),
    (
        RESOLVING + f"unexpected status from HEAD request to {MANIFEST}: 403 Forbidden\n"
        "denied: Your authorization token has expired. Reauthenticate and try again.",
        "token_expired",
        "manifest",
    ),
    (
        RESOLVING + "pull access denied, repository does not exist or may require authorization: "
        "authorization failed: no basic auth credentials",
        "not_authenticated",
        "manifest",
    ),
    (
        RESOLVING + "pull access denied, repository does not exist or may require authorization: "
        "server message: insufficient_scope: authorization failed",
        "access_denied",
        "manifest",
    ),
    (
        RESOLVING + "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to "
        "https://public.ecr.aws/token/?scope=a: 403 Forbidden",
        "access_denied",
        "token",
    ),
    (
        RESOLVING + "failed to authorize: failed to fetch oauth token: unexpected status: 404 Not Found",
        "unknown",
        "token",
    ),
    (ASKING + "dial tcp 10.0.0.1:443: i/o timeout", "timeout", "manifest"),
    (ASKING + "dial tcp 10.0.0.1:443: connect: connection refused", "timeout", "manifest"),
    (ASKING + "dial tcp 10.0.0.1:443: connect: no route to host", "timeout", "manifest"),
    (ASKING + "dial tcp: lookup x on 10.0.0.2:53: no such host", "name_resolution_failed", "manifest"),
    (ASKING + "dial tcp: lookup x on 10.0.0.2:53: server misbehaving", "name_resolution_failed", "manifest"),
    (
        ASKING + "dial tcp: lookup x on 10.0.0.2:53: read udp 10.0.0.9:41->10.0.0.2:53: i/o timeout",
        "name_resolution_failed",
        "manifest",
    ),
    (
        ASKING + "tls: failed to verify certificate: x509: certificate signed by unknown authority",
        "unknown",
        "manifest",
    ),
    (ASKING + "Forbidden", "unknown", "manifest"),  # Go's word for a proxy that refuses to connect
    (ASKING + "EOF", "unknown", "manifest"),
    (
        COPYING + f'failed to do request: Get "https://{BUCKET}/a-b": dial tcp 52.0.0.1:443: i/o timeout',
        "timeout",
        "layer",
    ),
    (
        COPYING + f"unexpected status code https://{BUCKET}/a-b?X-Amz-Signature=abc: 403 Forbidden",
        "access_denied",
        "layer",
    ),
    (COPYING + f"unexpected status from GET request to {BLOB}: 403 Forbidden", "access_denied", "layer"),
    (
        COPYING
        + f"could not fetch content descriptor {DIGEST} (application/vnd.oci.image.config.v1+json) from remote: "
        "not found",
        "not_found",
        "layer",
    ),
    (PULLING + "failed to copy: read tcp 10.0.0.1:4->52.0.0.1:443: read: connection reset by peer", "timeout", "layer"),
    (PULLING + "failed to copy: write /var/lib/containerd/ingest/data: no space left on device", "disk_full", "layer"),
    (
        PULLING
        + f'failed to extract layer (application/vnd.oci.image.layer.v1.tar+gzip {DIGEST}) to overlayfs as "x": '
        "write /var/lib/containerd/403 Forbidden: no space left on device",
        "disk_full",
        "unpack",
    ),
    (
        PULLING + f'failed commit on ref "layer-{DIGEST}": unexpected commit digest {DIGEST}, expected {DIGEST}: '
        "failed precondition",
        "download_corrupt",
        "layer",
    ),
    (PULLING + f"no match for platform in manifest {DIGEST}: not found", "platform_mismatch", "manifest"),
    (PULLING.replace("Unknown", "Canceled") + "failed to copy: context canceled", "canceled", "layer"),
    ("rpc error: code = DeadlineExceeded desc = context deadline exceeded", "timeout", None),
]

# CRI-O: server/image_pull.go, internal/storage/image.go; containers/image: docker, copy, internal/manifest, storage.
CRI_O = [
    (READING + "manifest unknown: Requested image not found", "not_found", "manifest"),
    (READING + "name unknown: The repository with name 'team/app' does not exist", "not_found", "manifest"),
    (READING + "unauthorized: authentication required", "not_authenticated", "manifest"),
    (READING + "authentication required", "not_authenticated", "manifest"),
    (READING + "requested access to the resource is denied", "access_denied", "manifest"),
    (READING + f"denied: {DENIED}", "access_denied", "manifest"),
    (READING + 'StatusCode: 403, "<html>401 Unauthorized..."', "access_denied", "manifest"),
    (READING + "received unexpected HTTP status: 503 Service Unavailable", "unknown", "manifest"),
    (READING + "toomanyrequests: Rate exceeded", "throttled", "manifest"),
    (
        SOURCE + "unable to retrieve auth token: invalid username/password: unauthorized: x",
        "not_authenticated",
        "token",
    ),
    (
        SOURCE + f'pinging container registry {HOST}: Get "https://{HOST}/v2/": dial tcp 10.0.0.1:443: i/o timeout',
        "timeout",
        "manifest",
    ),
    (
        (
            f"choosing an image from manifest list docker://{IMAGE}: no image found in manifest list for "
            'architecture "arm64", variant "v8", OS "linux"'
        ),
        "platform_mismatch",
        "manifest",
    ),
    (
        'writing blob: storing blob to file "/var/tmp/storage1/1": write /var/tmp/storage1/1: no space left on device',
        "disk_full",
        "layer",
    ),
    (
        (
            f'writing blob: adding layer with blob "{DIGEST}": Error processing tar file(exit status 1): write /a: '
            "no space left on device"
        ),
        "disk_full",
        "unpack",
    ),
    ("writing blob: Digest did not match, expected sha256:0f, got sha256:0e", "download_corrupt", "layer"),
    # The registry that the pod names comes last, after its mirrors.
    (
        SOURCE + f"(Mirrors also failed: [mirror:5000/app:v1: pinging container registry mirror:5000: "
        f'Get "https://mirror:5000/v2/": dial tcp: lookup mirror: no such host]): {IMAGE}: '
        f"reading manifest v1 in {HOST}/team/app: requested access to the resource is denied",
        "access_denied",
        "manifest",
    ),
    (
        (
            f"unable to pull image or OCI artifact: pull image err: {READING}requested access to the resource is "
            f"denied; artifact err: get manifest: reading manifest v1 in {HOST}/team/app: manifest unknown"
        ),
        "access_denied",
        "manifest",
    ),
    (
        (
            f"image pull failed for {IMAGE} because the registry is unavailable: pinging container registry {HOST}: "
            f'Get "https://{HOST}/v2/": dial tcp 10.0.0.1:443: connect: connection refused'
        ),
        "timeout",
        "manifest",
    ),
    (
        (
            f"image pull failed for {IMAGE} because the signature validation failed: Source image rejected: reading "
            "signature from https://signatures.example/a: received unexpected HTTP status: 403 Forbidden"
        ),
        "unknown",
        None,
    ),
]

# Docker: moby's daemon/internal/distribution/{errors,pull_v2}.go, docker/distribution's registry/client/errors.go.
DOCKER = [
    (DAEMON + f'Get "{MANIFEST}": no basic auth credentials', "not_authenticated", "manifest"),
    (DAEMON + f"manifest for {IMAGE} not found: manifest unknown: Requested image not found", "not_found", "manifest"),
    (
        DAEMON + f"repository {HOST}/team/app not found: name unknown: The repository does not exist",
        "not_found",
        "manifest",
    ),
    (
        DAEMON + f"pull access denied for {HOST}/team/app, repository does not exist or may require 'docker login': "
        f"denied: {DENIED}",
        "access_denied",
        "manifest",
    ),
    (
        DAEMON + f"pull access denied for {HOST}/team/app, repository does not exist or may require 'docker login': "
        "denied: Your authorization token has expired. Reauthenticate and try again.",
        "token_expired",
        "manifest",
    ),
    (DAEMON + "toomanyrequests: Rate exceeded", "throttled", None),
    (DAEMON + "error parsing HTTP 429 response body: invalid character 'T': \"Too Many\"", "throttled", None),
    (DAEMON + "no matching manifest for linux/arm64/v8 in the manifest list entries", "platform_mismatch", "manifest"),
    (
        DAEMON
        + f'Get "https://{HOST}/v2/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
        "timeout",
        "manifest",
    ),
    (DAEMON + f"filesystem layer verification failed for digest {DIGEST}", "download_corrupt", "layer"),
    (DAEMON.removesuffix("Error response from daemon: ") + "context canceled", "canceled", None),
]

# kubelet: pkg/kubelet/images, pkg/kubelet/kuberuntime; the ECR credential provider with the AWS SDK for Go.
KUBELET = [
    (f'Back-off pulling image "{IMAGE}"', "unknown", None),
    (
        (
            f'Back-off pulling image "{IMAGE}": ErrImagePull: failed to pull and unpack image "{IMAGE}": failed to '
            f'resolve reference "{IMAGE}": unexpected status from HEAD request to {MANIFEST}: 403 Forbidden'
        ),
        "access_denied",
        "manifest",
    ),
    (f'Failed to pull image "{IMAGE}": pull QPS exceeded', "kubelet_throttled", None),
    (f'Container image "{IMAGE}" is not present with pull policy of Never', "unknown", None),
    (
        (
            f'Failed to apply default image tag "{HOST}/App:v1": couldn\'t parse image name "{HOST}/App:v1": invalid '
            "reference format: repository name (App) must be lowercase"
        ),
        "unknown",
        None,
    ),
    (
        (
            f'Failed to pull image "{IMAGE}": [rpc error: code = Unknown desc = {DAEMON}denied: '
            f"Your authorization token "
            "has expired., rpc error: code = Unknown desc = context deadline exceeded]"
        ),
        "timeout",
        None,
    ),
    (
        (
            'E0101 1 pod_workers.go:190] "Error syncing pod, skipping" err="failed to \\"StartContainer\\" for '
            f'\\"timeout\\" with ErrImagePull: \\"rpc error: code = Unknown desc = failed to resolve '
            f'reference \\\\\\"{IMAGE}\\\\\\": unexpected status from HEAD request to {MANIFEST}: '
            f'403 Forbidden\\"" pod="ns/timeout"'
        ),
        "access_denied",
        "manifest",
    ),
    (
        PROVIDER + "https response error StatusCode: 0, RequestID: , request send failed, "
        'Post "https://api.ecr.us-east-1.amazonaws.com/": dial tcp 10.0.0.1:443: i/o timeout',
        "timeout",
        "token",
    ),
    (
        PROVIDER + "https response error StatusCode: 400, RequestID: 1-2, api error AccessDeniedException: "
        f"User: {NODE} is not authorized to perform: ecr:GetAuthorizationToken on resource: *",
        "access_denied",
        "token",
    ),
    (
        PROVIDER + "https response error StatusCode: 400, RequestID: 1-2, api error UnrecognizedClientException: "
        "The security token included in the request is invalid.",
        "token_expired",
        "token",
    ),
    (
        PROVIDER + "get identity: get credentials: failed to refresh cached credentials, no EC2 IMDS role found, "
        "operation error ec2imds: GetMetadata, http response error StatusCode: 404, request to EC2 IMDS failed",
        "not_authenticated",
        "token",
    ),
]

# What is no pull, though it speaks of timeouts and refusals.
NO_PULL = [
    'Readiness probe failed: Get "http://10.0.0.1:8080/health": dial tcp 10.0.0.1:8080: connect: connection refused',
    "Readiness probe failed: HTTP probe failed with statuscode: 401",
    'Get "http://10.0.0.1:8080/health": context deadline exceeded',
    (
        'Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox "a": '
        'plugin type="aws-cni" failed (add): add cmd: Error received from AddNetwork gRPC call: rpc '
        "error: code = Unavailable "
        'desc = connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:50051: connect: refused"'
    ),
    (
        "rpc error: code = Unavailable desc = connection error: desc = "
        '"transport: Error while dialing dial unix /run/containerd/containerd.sock: connect: connection refused"'
    ),
    (
        "MountVolume.SetUp failed for volume x: AccessDeniedException: "
        f"User: {NODE} is not authorized to perform: secretsmanager:GetSecretValue on resource: x"
    ),
    f"AccessDeniedException: User: {NODE} is not authorized to perform: kms:Decrypt on resource: x",
    "the timeout of 403 seconds was denied; 401 Unauthorized, 404 Not Found, toomanyrequests of us",
    "Pods on this node: 429 Too Many Requests",
    "rpc error: code = NotFound desc = an error occurred when try to find container: not found",
    'there is a container already: "denied": another name is needed',
    "",
]


@pytest.mark.parametrize("seen", SEEN, ids=lambda seen: seen["message"][:60])
def test_messages_that_were_seen(seen: dict[str, str | None]) -> None:
    read = read_message(str(seen["message"]))
    assert (read.symptom, read.stage) == (seen["symptom"], seen["stage"])
    assert (str(read.image) if read.image else None) == seen["image"]


@pytest.mark.parametrize(("message", "symptom", "stage"), [*CONTAINERD, *CRI_O, *DOCKER, *KUBELET])
def test_every_family(message: str, symptom: str, stage: str | None) -> None:
    read = read_message(message)
    assert (read.symptom, read.stage) == (symptom, stage)


@pytest.mark.parametrize("message", NO_PULL)
def test_what_is_no_pull_has_no_symptom(message: str) -> None:
    assert read_message(message).symptom is Symptom.UNKNOWN


@pytest.mark.parametrize(
    ("message", "image"),
    [
        (ASKING, IMAGE),
        (f"image pull failed for {IMAGE} because the registry is unavailable.", IMAGE),
        (f"initializing source docker://{IMAGE}: x", IMAGE),
        (f"reading manifest v1 in {HOST}/team/app: manifest unknown", IMAGE),
        (f"reading manifest {DIGEST} in {HOST}/team/app: manifest unknown", f"{HOST}/team/app@{DIGEST}"),
        (f"Error response from daemon: manifest for {IMAGE} not found: manifest unknown", IMAGE),
        (f"Get {MANIFEST}: no basic auth credentials", IMAGE),
        (f"denied: {DENIED} because no session policy allows it", f"{HOST}/team/app"),
        (f'Failed to pull image "{IMAGE}  ": rpc error', IMAGE),
        (f'Failed to pull image \\\\\\"{IMAGE}\\\\\\": rpc error', IMAGE),
        (f"Failed to pull image \u201c{IMAGE}\u201d: rpc error", IMAGE),
        ('Failed to pull image "111111111111.dkr.ecr.us-ea', None),
        ("denied: Your authorization token has expired.", None),
    ],
)
def test_which_image(message: str, image: str | None) -> None:
    read = read_message(message)
    assert (str(read.image) if read.image else None) == image


def test_an_image_that_is_spelt_wrong_says_so() -> None:
    read = read_message(f'Failed to apply default image tag "{HOST}/App:v1": invalid reference format')
    assert read.image is not None
    assert read.image.problem == "the repository 'App' has upper case letters"


def test_the_words_of_aws_are_passed_on() -> None:
    reason = "because no identity-based policy allows the ecr:BatchGetImage action"
    read = read_message(
        RESOLVING + f"unexpected status from HEAD request to {MANIFEST}: 403 Forbidden\ndenied: {DENIED} {reason}"
    )
    assert (read.symptom, read.stage, read.error_code) == (Symptom.ACCESS_DENIED, Stage.MANIFEST, "denied")
    assert read.denial is not None
    assert read.denial.action == "ecr:BatchGetImage"
    assert read.denial.resource == "arn:aws:ecr:us-east-1:111111111111:repository/team/app"
    assert (read.denial.policy_type, read.denial.explicit) == (PolicyType.IDENTITY, False)


def test_a_refused_action_tells_the_stage() -> None:
    read = read_message(f"denied: User: {NODE} is not authorized to perform: ecr:GetDownloadUrlForLayer on resource: *")
    assert read.stage is Stage.LAYER


def test_a_refusal_of_the_layer_bucket_is_told_from_one_of_the_registry() -> None:
    by_bucket = read_message(COPYING + f"unexpected status code https://{BUCKET}/a?X-Amz-Signature=0abc: 403 Forbidden")
    by_registry = read_message(COPYING + f"unexpected status from GET request to {BLOB}: 403 Forbidden")
    assert (by_bucket.from_layer_bucket, by_registry.from_layer_bucket) == (True, False)
    assert "0abc" not in repr(by_bucket)


def test_a_message_cut_anywhere_says_nothing_wrong() -> None:
    for whole, symptom, _ in (*CONTAINERD, *CRI_O, *KUBELET):
        if "[rpc error" in whole or "Mirrors also" in whole or symptom in ("unknown", "token_expired"):
            continue  # of several failures a cut may leave another; AWS may say more after a bare 403
        for length in range(len(whole)):
            assert read_message(whole[:length]).symptom in (Symptom.UNKNOWN, symptom), whole[:length]


TRAPS = ["timeout", "denied", "403", "401", "not-found", "no-such-host", "canceled", "unauthorized", "toomanyrequests"]


@pytest.mark.parametrize("trap", TRAPS)
def test_names_that_look_like_errors_are_names(trap: str) -> None:
    image = f"{HOST}/{trap}/{trap}:{trap}"
    for message, symptom, stage in (*CONTAINERD, *CRI_O, *DOCKER, *KUBELET):
        renamed = message.replace("team/app:v1", f"{trap}/{trap}:{trap}").replace("team/app", f"{trap}/{trap}")
        renamed = renamed.replace("manifests/v1", f"manifests/{trap}").replace("[manifests v1]", f"[manifests {trap}]")
        renamed = renamed.replace("reading manifest v1", f"reading manifest {trap}")
        read = read_message(renamed)
        assert (read.symptom, read.stage) == (symptom, stage), renamed
        if f'"{image}"' in renamed:
            assert str(read.image) == image


@pytest.mark.parametrize("name", ["AccessDenied", "ThrottlingException", "ExpiredToken", "ImageNotFoundException"])
def test_tags_that_look_like_error_codes_are_tags(name: str) -> None:
    message = (
        f'Failed to pull image "{HOST}/app:{name}": initializing source docker://{HOST}/app:{name}: reading manifest '
        f"{name} in {HOST}/app: received unexpected HTTP status: 500 Internal Server Error"
    )
    assert read_message(message).symptom is Symptom.UNKNOWN


HARMLESS = st.sampled_from(
    ["Warning  Failed  14s (x2 over 28s)  kubelet  ", "Error: ", "2026-01-01T00:00:00Z ", "\x1b[31m", "[", "", "pod: "]
)


@given(
    st.sampled_from([*CONTAINERD, *CRI_O, *DOCKER, *KUBELET]),
    HARMLESS,
    st.sampled_from(["", "\x1b[0m", '"', "\n", " "]),
)
def test_harmless_text_around_changes_nothing(family: tuple[str, str, str | None], before: str, after: str) -> None:
    message, symptom, _ = family
    assert read_message(before + message + after).symptom == symptom


WORDS = st.sampled_from(
    [
        *" ".join(message for message, *_ in (*CONTAINERD, *CRI_O, *DOCKER, *KUBELET)).split(),
        ":",
        '"',
        "\n",
        "\\n",
        '\\"',
    ]
)


@given(st.one_of(st.text(), st.lists(WORDS, max_size=60).map(" ".join)))
def test_any_text_is_accepted(message: str) -> None:
    read = read_message(message)
    assert read.symptom in Symptom
    assert read.denial is None or read.symptom is Symptom.ACCESS_DENIED


# Letters beyond ASCII: Hypothesis would draw our own phrases otherwise, which it finds in the code.
@given(st.text(alphabet=st.one_of(st.just(" "), st.characters(min_codepoint=0xC0, max_codepoint=0x24F)), max_size=200))
def test_prose_has_no_symptom(text: str) -> None:
    assert read_message(text).symptom is Symptom.UNKNOWN


def steps(message: str) -> int:
    """How many bytecodes Python executes to read `message`."""
    count = 0

    def trace(frame: FrameType, event: str, _argument: object) -> TraceFunction:
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        read_message(message)
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize(
    "piece", ["a: ", '"x" ', "https://a/v2/b/manifests/c: ", "not found: ", "User: is not ", "\\\\"]
)
def test_work_grows_no_faster_than_the_message(piece: str) -> None:
    def message(size: int) -> str:
        return piece * (size // len(piece))

    fixed = steps("")
    assert steps(message(1800)) - fixed <= 2.2 * (steps(message(900)) - fixed)
    assert steps(message(3600)) - fixed <= 2.2 * (steps(message(1800)) - fixed)
    assert steps(message(500_000)) <= 1.01 * steps(message(250_000))


def test_no_pattern_can_backtrack_without_bound() -> None:
    """Time cannot be asserted, but its cause can: an unbounded repetition that gives characters back."""
    modules = (kubelet_message, kubelet_image, registry_urls)
    patterns = [value for module in modules for value in vars(module).values() if isinstance(value, re.Pattern)]
    assert patterns
    for pattern in patterns:
        parsed = importlib.import_module("re._parser").parse(pattern.pattern, pattern.flags)
        assert not re.search(r"(MAX|MIN)_REPEAT, \(\d+, MAXREPEAT", repr(parsed)), pattern.pattern


def test_text_beyond_the_limit_is_not_looked_at() -> None:
    assert read_message("x " * TEXT_LIMIT + "denied: Your authorization token has expired.").symptom is Symptom.UNKNOWN
