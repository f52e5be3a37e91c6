"""Words of Go, the runtimes, their libraries and AWS that no message seen so far had: what each of them means."""

from __future__ import annotations

import pytest

from pull_responder.events.kubelet_message import read_message
from pull_responder.events.no_reason import NoReason
from pull_responder.model.pull import Answer, Stage, Symptom
from tests.unit.events.messages import BUCKET, COPYING, DAEMON, IMAGE, PROVIDER, PULLING, RESOLVING

LINKS: dict[tuple[Symptom, Stage | None, Answer | None], tuple[str, ...]] = {
    (Symptom.CANCELED, None, None): (
        "operation was canceled",
        "request canceled",
    ),
    (Symptom.CERTIFICATE_UNTRUSTED, None, None): (
        "certificate has expired or is not yet valid",
        "first record does not look like a tls handshake",
    ),
    (Symptom.DISK_FULL, None, None): ("disk quota exceeded",),
    (Symptom.DOWNLOAD_CORRUPT, Stage.LAYER, None): (
        "archive/tar",
        "blob digest mismatch",
        "blob size mismatch",
        "digest mismatch",
        "failed size validation",
        "flate",
        "gzip",
        "invalid checksum",
        "layers from manifest don`t match image configuration",
        "magic number mismatch",
        "unexpected commit size x",
        "x failed size validation",
        "zlib",
    ),
    (Symptom.DOWNLOAD_CORRUPT, Stage.UNPACK, None): ("wrong diff id x calculated on extraction",),
    (Symptom.NOT_AUTHENTICATED, None, None): (
        "invalid_token",
        "no credentials server url",
        "no credentials username",
    ),
    (Symptom.NOT_FOUND, Stage.LAYER, None): (
        "blob_unknown",
        "failed to get stream processor for application/vnd.cncf.helm.config.v1+json",
        "name_unknown",
        "unexpected media type application/vnd.cncf.helm.chart.content.v1.tar+gzip",
        "unexpected media type application/vnd.cncf.helm.config.v1+json",
        "unsupported docker v2s2 image layer media type application/vnd.cncf.helm.chart.content.v1.tar+gzip",
        "unsupported docker v2s2 image layer media type application/vnd.cncf.helm.config.v1+json",
        "unsupported docker v2s2 image layer media type application/vnd.in-toto+json",
        "unsupported media type application/vnd.cncf.helm.chart.content.v1.tar+gzip",
        "unsupported media type application/vnd.cncf.helm.config.v1+json",
        "unsupported media type application/vnd.in-toto+json",
    ),
    (Symptom.PLATFORM_MISMATCH, None, None): (
        "failed to find a descriptor for platform",
        "image operating system x cannot be used on this platform",
    ),
    (Symptom.PROXY_FAILED, None, None): (
        "proxy authentication required",
        "socks connect x",
    ),
    (Symptom.TIMEOUT, Stage.LAYER, None): (
        "a socket operation was attempted to an unreachable host",
        "broken pipe",
        "connection timed out",
        "request canceled (client.timeout",
        "server closed idle connection",
        "stream error",
        "write tcp x",
    ),
    (Symptom.TOKEN_EXPIRED, None, None): ("the security token included in the request is expired",),
    (Symptom.UNKNOWN, Stage.LAYER, None): (
        "copying config",
        "copying layer",
        "failed commit on ref x",
        "reading config blob x",
    ),
    (Symptom.UNKNOWN, Stage.MANIFEST, Answer.FORMAT): (
        "conversion failed for schema 1 manifest",
        "unsupported manifest format",
    ),
    (Symptom.UNKNOWN, Stage.MANIFEST, None): (
        "error reading manifest x",
        "unsupported manifest",
    ),
    (Symptom.UNKNOWN, Stage.UNPACK, None): (
        "committing the finished image",
        "unable to prepare extraction snapshot",
    ),
    (Symptom.UNKNOWN, None, Answer.FORMAT): (
        "docker image format v1",
        "unexpected media type",
        "unimplemented manifest mime type x",
    ),
    (Symptom.UNKNOWN, None, Answer.RUNTIME): (
        "all subconns are in transientfailure",
        "connection closed before server preface received",
        "container runtime is down",
        "error loading registries configuration x",
        "error loading trust policy",
        "error reading server preface",
        "failed to load x509 key pair",
        "invalid plugin config",
        "layer not known",
        "loading registries configuration x",
        "missing parent x bucket",
        "namespace is required",
        "no unpack platforms defined",
        "snapshot x does not exist",
        "snapshotter not found",
        "snapshotter not loaded",
        "snapshotter x not found",
        "snapshotter x not loaded",
        "target snapshot x",
        "the connection is closing",
        "unable to initialize cert pool",
        "unable to load ca cert x",
        "unable to parse server x",
        "unable to read cert file x",
        "unknown service x",
        "unknown snapshotter x",
        "write unix x",
    ),
    (Symptom.UNKNOWN, None, Answer.TLS): ("malformed mime header",),
}


# Words that mostly follow others which mean the same: a message may be cut or have them alone.
INNERMOST: dict[tuple[Symptom, Stage | None, Answer | None], tuple[str, ...]] = {
    (Symptom.TIMEOUT, Stage.LAYER, None): (
        "connection refused",
        "connection reset by peer",
        "cannot assign requested address",
        "no route to host",
        "network is unreachable",
        "a connection attempt failed because the connected party did not properly respond",
        "no connection could be made because the target machine actively refused it",
        "an existing connection was forcibly closed by the remote host",
        "a socket operation was attempted to an unreachable network",
        "expected http 206 from byte range request",
    ),
    (Symptom.CERTIFICATE_UNTRUSTED, None, None): (
        "certificate signed by unknown authority",
        "certificate is valid for x",
    ),
    (Symptom.NAME_RESOLUTION_FAILED, None, None): ("no such host",),
    (Symptom.DOWNLOAD_CORRUPT, Stage.LAYER, None): (
        "unexpected eof",
        "short read",
        "failed to read expected number of bytes",
    ),
    (Symptom.DOWNLOAD_CORRUPT, Stage.UNPACK, None): (
        "wrong diff id calculated on extraction",
        "layer x (blob x does not match config's diffid",
        "layers from manifest don't match image configuration",
    ),
    (Symptom.THROTTLED, Stage.TOKEN, None): ("too many requests to registry",),
    (Symptom.ACCESS_DENIED, Stage.MANIFEST, None): ("pull access denied for x",),
    (Symptom.NOT_FOUND, Stage.MANIFEST, None): (
        "manifest for x not found",
        "repository x not found",
    ),
    (Symptom.NOT_AUTHENTICATED, Stage.TOKEN, None): (
        "error getting credentials",
        "nocredentialproviders",
        "operation error ec2imds",
    ),
    (Symptom.UNKNOWN, None, Answer.FORMAT): ("no processor for media-type",),
    (Symptom.UNKNOWN, None, Answer.HTTP): ("error unmarshalling content",),
    (Symptom.UNKNOWN, None, Answer.RUNTIME): (
        "read unix x",
        "snapshotter x was not found",
        "unable to initialize unpacker",
        "unable to read ca cert x",
    ),
}


@pytest.mark.parametrize(
    ("link", "symptom", "stage", "answer"),
    [(link, *meant) for table in (LINKS, INNERMOST) for meant, links in table.items() for link in links],
)
def test_what_the_words_of_a_runtime_mean(
    link: str, symptom: Symptom, stage: Stage | None, answer: Answer | None
) -> None:
    read = read_message(f"{PULLING}{link}")
    assert (read.symptom, read.stage, read.answer, str(read.image)) == (symptom, stage, answer, IMAGE)


@pytest.mark.parametrize(
    ("code", "symptom", "answer"),
    [
        ("AccessDenied", Symptom.ACCESS_DENIED, None),
        ("AccessDeniedException", Symptom.ACCESS_DENIED, None),
        ("ThrottlingException", Symptom.THROTTLED, None),
        ("UnrecognizedClientException", Symptom.TOKEN_EXPIRED, None),
        ("ExpiredToken", Symptom.TOKEN_EXPIRED, None),
        ("ExpiredTokenException", Symptom.TOKEN_EXPIRED, None),
        ("InvalidClientTokenId", Symptom.TOKEN_EXPIRED, None),
        ("SignatureDoesNotMatch", Symptom.TOKEN_EXPIRED, Answer.SIGNATURE),
        ("ImageNotFoundException", Symptom.NOT_FOUND, None),
        ("RepositoryNotFoundException", Symptom.NOT_FOUND, None),
        ("TooManyRequestsException", Symptom.THROTTLED, None),
    ],
)
def test_what_an_error_code_of_aws_means(code: str, symptom: Symptom, answer: Answer | None) -> None:
    read = read_message(f"{PULLING}api error {code}")
    assert (read.symptom, read.answer) == (symptom, answer)
    elsewhere = read_message(f"failed to pull image: api error {code}")
    assert elsewhere.symptom is Symptom.UNKNOWN


@pytest.mark.parametrize("place", ["unexpected head status code", "unexpected http status", "unsupported status code"])
def test_where_a_runtime_writes_a_status(place: str) -> None:
    assert read_message(f"{RESOLVING}{place}: 403 Forbidden").symptom is Symptom.ACCESS_DENIED
    assert read_message(f"{RESOLVING}{place} 429").symptom is Symptom.THROTTLED


@pytest.mark.parametrize(
    ("text", "symptom", "answer", "no_reason"),
    [
        # An answer that sends on is no failure by itself.
        ("multiple choices", Symptom.UNKNOWN, Answer.HTTP, NoReason.OTHER_MATTER),
        ("see other", Symptom.UNKNOWN, Answer.HTTP, NoReason.OTHER_MATTER),
        ("not modified", Symptom.UNKNOWN, Answer.HTTP, NoReason.OTHER_MATTER),
        ("permanent redirect", Symptom.UNKNOWN, Answer.HTTP, NoReason.OTHER_MATTER),
        ("moved permanently", Symptom.UNKNOWN, Answer.HTTP, NoReason.OTHER_MATTER),
        ("found", Symptom.UNKNOWN, Answer.HTTP, NoReason.OTHER_MATTER),
        ("temporary redirect", Symptom.UNKNOWN, Answer.HTTP, NoReason.OTHER_MATTER),
        ("bad request", Symptom.REGISTRY_ERROR, None, NoReason.NOT_SAID),
        ("forbidden", Symptom.ACCESS_DENIED, None, NoReason.NOT_SAID),
        ("method not allowed", Symptom.REGISTRY_ERROR, None, NoReason.NOT_SAID),
        ("not acceptable", Symptom.UNKNOWN, Answer.HTTP, NoReason.NOT_SAID),
        ("request timeout", Symptom.UNKNOWN, Answer.HTTP, NoReason.NOT_SAID),
        ("gone", Symptom.UNKNOWN, Answer.HTTP, NoReason.NOT_SAID),
        ("too many requests", Symptom.THROTTLED, None, NoReason.NOT_SAID),
        ("unavailable for legal reasons", Symptom.UNKNOWN, Answer.HTTP, NoReason.NOT_SAID),
        ("internal server error", Symptom.REGISTRY_ERROR, None, NoReason.NOT_SAID),
        ("service unavailable", Symptom.REGISTRY_ERROR, None, NoReason.NOT_SAID),
        ("gateway timeout", Symptom.REGISTRY_ERROR, None, NoReason.NOT_SAID),
        ("network authentication required", Symptom.PROXY_FAILED, None, NoReason.NOT_SAID),
        ("payment required", Symptom.UNKNOWN, Answer.HTTP, NoReason.NOT_SAID),
        ("conflict", Symptom.UNKNOWN, Answer.HTTP, NoReason.NOT_SAID),
        ("misdirected request", Symptom.UNKNOWN, Answer.HTTP, NoReason.NOT_SAID),
        ("upgrade required", Symptom.UNKNOWN, Answer.HTTP, NoReason.NOT_SAID),
        ("not implemented", Symptom.REGISTRY_ERROR, None, NoReason.NOT_SAID),
        ("bad gateway", Symptom.REGISTRY_ERROR, None, NoReason.NOT_SAID),
        ("http version not supported", Symptom.REGISTRY_ERROR, None, NoReason.NOT_SAID),
    ],
)
def test_the_words_of_a_status_without_its_number(
    text: str, symptom: Symptom, answer: Answer | None, no_reason: NoReason
) -> None:
    read = read_message(f"{DAEMON}error from registry: {text}")
    assert (read.symptom, read.answer) == (symptom, answer)
    assert read_message(text.title()).no_reason is no_reason


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("AuthorizationQueryParametersError", Answer.SIGNED_URL),
        ("ExpiredToken", Answer.SIGNED_URL),
        ("InvalidToken", Answer.SIGNED_URL),
        ("InternalError", None),
        ("ServiceUnavailable", None),
    ],
)
def test_what_an_error_code_of_s3_means(code: str, answer: Answer | None) -> None:
    status = f"{COPYING}unexpected status code https://{BUCKET}/x"
    for text in (f"{status}: 400 Bad Request: <Error><Code>{code}</Code></Error>", f"{status}: {code}"):
        read = read_message(text)
        assert (read.symptom, read.answer) == (Symptom.REGISTRY_ERROR, answer)


@pytest.mark.parametrize(
    ("words", "no_reason"),
    [
        ("failed to apply default image tag", NoReason.MISSPELT),
        ("invalid reference format", NoReason.MISSPELT),
        ("couldn't parse image reference", NoReason.MISSPELT),
        ("failed to parse image reference", NoReason.MISSPELT),
        ("failed to set up sandbox container", NoReason.OTHER_MATTER),
        ("unable to attach or mount volumes", NoReason.OTHER_MATTER),
        ("failed to create containerd task", NoReason.OTHER_MATTER),
        ("failed to create shim task", NoReason.OTHER_MATTER),
        ("failed to start container", NoReason.OTHER_MATTER),
        ("Readiness probe failed", NoReason.OTHER_MATTER),
        ('admission webhook "x" denied the request', NoReason.OTHER_MATTER),
        ("failed to setup network for sandbox", NoReason.OTHER_MATTER),
        ("error received from AddNetwork gRPC call", NoReason.OTHER_MATTER),
        ("MountVolume.SetUp failed", NoReason.OTHER_MATTER),
        ("Failed to generate manifest", NoReason.OTHER_MATTER),
        ("Failed to load target state", NoReason.OTHER_MATTER),
        ("manifest generation error", NoReason.OTHER_MATTER),
    ],
)
def test_words_of_what_is_no_pull(words: str, no_reason: NoReason) -> None:
    assert read_message(f"the image: {words} x: i/o timeout").no_reason is no_reason


@pytest.mark.parametrize(
    "why",
    [
        "no such device",
        "no such file or directory",
        "file exists",
        "permission denied",
        "operation not permitted",
        "invalid argument",
        "the system cannot find the file specified",
        "the system cannot find the path specified",
        "operation not supported",
        "device or resource busy",
        "not a directory",
        "is a directory",
        "directory not empty",
        "too many levels of symbolic links",
        "too many links",
        "file name too long",
        "bad file descriptor",
        "file already closed",
        "invalid cross-device link",
        "text file busy",
        "access is denied",
        "the process cannot access the file",
    ],
)
def test_why_the_nodes_own_kernel_failed_on_a_file(why: str) -> None:
    assert read_message(f"{PULLING}lstat /var/lib/x: {why}").answer is Answer.FILE
    # Of what is no file, or was no operation on it, the words may mean anything.
    assert read_message(f"{PULLING}lstat x: {why}").answer is None
    assert read_message(f"{PULLING}walk /var/lib/x: {why}").answer is None


@pytest.mark.parametrize(
    "operation",
    [
        *("open", "stat", "mkdir", "remove", "rename", "link", "lchown", "chown", "write", "read", "sync", "mount"),
        *("openat", "openat2", "lstat", "mkdirat", "unlink", "unlinkat", "symlink", "linkat", "readlink", "readdirent"),
        *("readdir", "chmod", "chtimes", "truncate", "fsync", "fdatasync", "mknod", "mkfifo", "lsetxattr", "setxattr"),
        *("flock", "fallocate", "copy_file_range", "CreateFile", "unmount"),
    ],
)
def test_at_which_operation_the_nodes_own_kernel_failed(operation: str) -> None:
    assert read_message(f"{PULLING}{operation} /var/lib/x: not a directory").answer is Answer.FILE
    assert read_message(f"{PULLING}{operation} C:\\ProgramData\\x: access is denied").answer is Answer.FILE
    assert read_message(f"{PULLING}{operation} \\\\server\\x: access is denied").answer is Answer.FILE


@pytest.mark.parametrize("why", ["stale NFS file handle", "stale file handle"])
def test_a_file_that_no_registry_can_spoil(why: str) -> None:
    assert read_message(f"{PULLING}x: {why}").answer is Answer.FILE


@pytest.mark.parametrize("pipe", ["//./pipe/containerd", "\\\\.\\pipe\\containerd"])
def test_a_pipe_of_the_runtime_that_does_not_open(pipe: str) -> None:
    assert read_message(f"{PULLING}open {pipe}: access is denied").answer is Answer.RUNTIME


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("unauthorized", "unauthorized"),
        ("denied", "denied"),
        ("name unknown", "name unknown"),
        ("NAME_UNKNOWN", "name unknown"),
        ("manifest unknown", "manifest unknown"),
        ("MANIFEST_UNKNOWN", "manifest unknown"),
        ("blob unknown", "blob unknown"),
        ("BLOB_UNKNOWN", "blob unknown"),
        ("unknown blob", "blob unknown"),
        ("toomanyrequests", "toomanyrequests"),
        ("api error RepositoryNotFoundException", "name unknown"),
        ("api error ImageNotFoundException", "manifest unknown"),
        ("unsupported media type application/vnd.in-toto+json", "no image"),
        ("unsupported media type application/vnd.cncf.helm.config.v1+json", "no image"),
        ("i/o timeout", None),
    ],
)
def test_the_error_code_of_a_registry_however_it_is_spelt(written: str, code: str | None) -> None:
    assert read_message(f"{RESOLVING}{written}").error_code == code


@pytest.mark.parametrize(
    ("status", "symptom"),
    [
        (401, Symptom.NOT_AUTHENTICATED),
        (429, Symptom.THROTTLED),
        (500, Symptom.REGISTRY_ERROR),
        (519, Symptom.REGISTRY_ERROR),
        (511, Symptom.PROXY_FAILED),
        (520, Symptom.PROXY_FAILED),
        (599, Symptom.PROXY_FAILED),
        (400, Symptom.UNKNOWN),
        (404, Symptom.UNKNOWN),
        (405, Symptom.UNKNOWN),
    ],
)
def test_what_a_status_of_ecrs_api_means(status: int, symptom: Symptom) -> None:
    read = read_message(f"{PROVIDER}https response error StatusCode: {status}, RequestID: x")
    assert (read.symptom, read.stage) == (symptom, Stage.TOKEN)


@pytest.mark.parametrize(
    "why",
    [
        *("no such file or directory", "file exists", "permission denied", "operation not permitted"),
        *("operation not supported", "device or resource busy", "no such device", "invalid argument"),
        *("not a directory", "is a directory", "directory not empty", "too many levels of symbolic links"),
        *("too many links", "file name too long", "bad file descriptor", "file already closed"),
        *(
            "invalid cross-device link",
            "text file busy",
            "access is denied",
            "the system cannot find the file specified",
        ),
        *("the system cannot find the path specified", "the process cannot access the file", "read-only file system"),
        *("input/output error", "structure needs cleaning", "cannot allocate memory", "too many open files"),
    ],
)
def test_why_the_nodes_own_kernel_failed(why: str) -> None:
    assert read_message(f"{PULLING}open /var/lib/x: {why}").answer is Answer.FILE


@pytest.mark.parametrize(
    "words",
    ["failed to get stream processor for application/x", "no processor for media-type x", "unsupported media type x"],
)
def test_a_layer_that_the_runtime_cannot_read(words: str) -> None:
    assert read_message(f"{PULLING}{words}").answer is Answer.FORMAT


def test_an_oauth_token_that_is_not_fetched() -> None:
    read = read_message(f"{PULLING}failed to fetch oauth token: i/o timeout")
    assert (read.symptom, read.stage) == (Symptom.TIMEOUT, Stage.TOKEN)
