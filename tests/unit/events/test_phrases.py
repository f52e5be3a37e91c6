"""Words of Go, the runtimes, their libraries and AWS that no message seen so far had: what each of them means."""

from __future__ import annotations

import pytest

from pull_responder.events.kubelet_message import read_message
from pull_responder.model.pull import Answer, Stage, Symptom
from tests.unit.events.messages import IMAGE, PULLING, RESOLVING

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


@pytest.mark.parametrize(
    ("link", "symptom", "stage", "answer"),
    [(link, *meant) for meant, links in LINKS.items() for link in links],
)
def test_what_the_words_of_a_runtime_mean(
    link: str, symptom: Symptom, stage: Stage | None, answer: Answer | None
) -> None:
    read = read_message(f"{PULLING}{link}")
    assert (read.symptom, read.stage, read.answer, str(read.image)) == (symptom, stage, answer, IMAGE)


@pytest.mark.parametrize(
    ("code", "symptom", "answer"),
    [
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
