"""Messages with one known word, as a cut leaves them or another client writes them: it decides by itself."""

from __future__ import annotations

from typing import Final

import pytest

from pull_responder.events.kubelet_message import read_message
from pull_responder.events.no_reason import NoReason
from pull_responder.model.pull import Answer, Stage, Symptom
from tests.unit.events.messages import (
    ASKING,
    BLOB,
    BUCKET,
    COPYING,
    DAEMON,
    DIGEST,
    HOST,
    IMAGE,
    MANIFEST,
    PROVIDER,
    PULLING,
    RESOLVING,
    SOURCE,
)

# kubelet 1.30 and later, and ctr, leave out "rpc error: code = Unknown desc = ".
PLAIN: Final = f'Failed to pull image "{IMAGE}": failed to pull and unpack image "{IMAGE}": '
SIGNED: Final = f"{COPYING}unexpected status code https://{BUCKET}/x: "
NO_JSON: Final = "invalid character '<' looking for beginning of value"
S3_KEY: Final = "<Error><Code>KMS.DisabledException</Code><Message>x</Message></Error>"
ELSEWHERE: Final = 'Failed to pull image "quay.io/team/app:v1": failed to copy: httpReadSeeker: failed open: '
ATTEMPT: Final = f'rpc error: code = Unknown desc = failed to pull and unpack image "{IMAGE}": '
NO_PLATFORM: Final = f"{ATTEMPT}no match for platform in manifest: not found"
NO_TOKEN: Final = f'{ATTEMPT}failed to resolve reference "{IMAGE}": unexpected status code [manifests v1]: 401 x'


@pytest.mark.parametrize(
    ("message", "symptom", "stage"),
    [
        # Cut by Kubernetes before the words that say the same.
        (f"{ASKING}read tcp 10.0.0.1:5->10.0.0.2:443: read: connec", Symptom.TIMEOUT, Stage.MANIFEST),
        (f"{ASKING}tls: failed to verify certificate", Symptom.CERTIFICATE_UNTRUSTED, Stage.MANIFEST),
        (f"{PULLING}unable to retrieve auth token", Symptom.NOT_AUTHENTICATED, Stage.TOKEN),
        (f"{PROVIDER}get identity: no EC2 IMDS role found", Symptom.NOT_AUTHENTICATED, Stage.TOKEN),
        (f"{RESOLVING}failed to authorize: something new", Symptom.UNKNOWN, Stage.TOKEN),
        (f"{RESOLVING}failed to fetch anonymous token: something new", Symptom.UNKNOWN, Stage.TOKEN),
        (f"failed to pull: failed to resolve ref {IMAGE}: something new", Symptom.UNKNOWN, Stage.MANIFEST),
        (f"{PULLING}choosing an image from manifest list docker://{IMAGE}: x", Symptom.UNKNOWN, Stage.MANIFEST),
        (f"{PULLING}reading blob {DIGEST}: x", Symptom.UNKNOWN, Stage.LAYER),
        (f"{PULLING}fetching blob: x", Symptom.UNKNOWN, Stage.LAYER),
        (f"{PULLING}parsing image configuration: x", Symptom.UNKNOWN, Stage.LAYER),
        (f'{PULLING}storing blob to file "/var/tmp/x": happened during read: x', Symptom.UNKNOWN, Stage.LAYER),
        (f"{PULLING}httpReadSeeker: failed open: x", Symptom.UNKNOWN, Stage.LAYER),
        # Two words of ECR without the status, as some clients pass them on.
        (f"{RESOLVING}Rate exceeded", Symptom.THROTTLED, Stage.MANIFEST),
        (f"{RESOLVING}Not Authorized", Symptom.NOT_AUTHENTICATED, Stage.MANIFEST),
        (f"{DAEMON}error from registry for team/app: forbidden", Symptom.ACCESS_DENIED, Stage.MANIFEST),
        # The stage by the words, where no operation around them names it.
        (f"{PLAIN}pulling from host {HOST} failed with status code 401", Symptom.NOT_AUTHENTICATED, Stage.MANIFEST),
        (f"{PLAIN}unexpected status code [manifests v1]: 401 x", Symptom.NOT_AUTHENTICATED, Stage.MANIFEST),
        (f"{PLAIN}name unknown: The repository does not exist", Symptom.NOT_FOUND, Stage.MANIFEST),
        (f"{PLAIN}failed to read expected number of bytes: unexpected EOF", Symptom.DOWNLOAD_CORRUPT, Stage.LAYER),
        (f"{PLAIN}expected HTTP 206 from byte range request", Symptom.TIMEOUT, Stage.LAYER),
        (f"{PLAIN}ApplyLayer exit status 1 stdout:  stderr: unexpected EOF", Symptom.DOWNLOAD_CORRUPT, Stage.UNPACK),
        (f'{PLAIN}failed commit on ref "index-{DIGEST}": unexpected EOF', Symptom.DOWNLOAD_CORRUPT, Stage.MANIFEST),
        (f'{PLAIN}failed commit on ref "config-{DIGEST}": unexpected EOF', Symptom.DOWNLOAD_CORRUPT, Stage.LAYER),
        # A digest may be resolved as a blob, also by a client that says nothing of a pull.
        (
            f'failed to resolve reference "{IMAGE}": unexpected status from HEAD request to {BLOB}: 403 Forbidden',
            Symptom.ACCESS_DENIED,
            Stage.MANIFEST,
        ),
        (
            f"failed to resolve image {IMAGE}: unexpected status from HEAD request to {BLOB}: 403 Forbidden",
            Symptom.ACCESS_DENIED,
            Stage.MANIFEST,
        ),
        # Only the words of the runtime's server around it say that this is no error of something else.
        ("kubelet: rpc error: code = Unknown desc = i/o timeout", Symptom.TIMEOUT, Stage.LAYER),
        ("kubelet: i/o timeout", Symptom.UNKNOWN, None),
        # Of two attempts, the one that has read the manifest got further, whichever came first.
        (f'Failed to pull image "{IMAGE}": [{NO_PLATFORM}, {NO_TOKEN}]', Symptom.PLATFORM_MISMATCH, Stage.MANIFEST),
        (f'Failed to pull image "{IMAGE}": [{NO_TOKEN}, {NO_PLATFORM}]', Symptom.PLATFORM_MISMATCH, Stage.MANIFEST),
        # A status is one only where the runtime writes it.
        ("Failed to pull: pulling from host 403 failed with status code 401", Symptom.NOT_AUTHENTICATED, "manifest"),
        (f"{RESOLVING}unexpected status: layer 403 is new", Symptom.UNKNOWN, Stage.MANIFEST),
        # The API's answer without its status.
        (f"{PROVIDER}https response error StatusCode: , RequestID: x", Symptom.UNKNOWN, Stage.TOKEN),
        (f'{PLAIN}api error ThrottlingException".', Symptom.THROTTLED, None),
        # Registries other than ECR may refuse with a page, and from their own storage.
        (
            'Failed to pull image "quay.io/app:v1": reading manifest v1 in quay.io/app: StatusCode: 403, "<p>x"',
            Symptom.ACCESS_DENIED,
            Stage.MANIFEST,
        ),
        (f"{ELSEWHERE}unexpected status code https://cdn.example.com/x: 403 Forbidden", Symptom.ACCESS_DENIED, "layer"),
        (
            "failed to pull: httpReadSeeker: unexpected status code https://cdn.example.com/x: 403 Forbidden",
            Symptom.ACCESS_DENIED,
            Stage.LAYER,
        ),
        # Storage answers in XML, of which dockerd shows the first character: that is no page of a proxy.
        (
            f'Failed to pull image "{IMAGE}": error parsing HTTP 403 response body: {NO_JSON}',
            Symptom.ACCESS_DENIED,
            None,
        ),
        # A code is one alone. In a sentence it is a common word.
        (f"{PULLING}denied access", Symptom.UNKNOWN, None),
        (f"{PULLING}unauthorized user", Symptom.UNKNOWN, None),
        # It is the image that has to be missing, not what a word before it names.
        (f"{RESOLVING}{IMAGE}: not found in the registry", Symptom.NOT_FOUND, Stage.MANIFEST),
        (f"{PULLING}snapshot: not found", Symptom.UNKNOWN, None),
        (f"{PULLING}path a/b of it: not found", Symptom.UNKNOWN, None),
        # A quoted name is no phrase.
        (f'{PULLING}reason: "denied": something new', Symptom.UNKNOWN, None),
    ],
)
def test_what_one_word_means_by_itself(message: str, symptom: Symptom, stage: Stage | None) -> None:
    read = read_message(message)
    assert (read.symptom, read.stage) == (symptom, stage)


@pytest.mark.parametrize(
    ("message", "symptom", "stage", "answer"),
    [
        # S3's own words, without a status or a URL before them.
        (f"{PULLING}<Error><Code>ExpiredToken</Code>", Symptom.REGISTRY_ERROR, Stage.LAYER, Answer.SIGNED_URL),
        (f"{PLAIN}<Error><Code>NoSuchKey</Code>", Symptom.NOT_FOUND, Stage.LAYER, Answer.OBJECT),
        (f"{RESOLVING}<Error><Code>NoSuchKey</Code>", Symptom.NOT_FOUND, Stage.MANIFEST, Answer.OBJECT),
        (f"{PLAIN}<Error><Code>Strange</Code>", Symptom.UNKNOWN, Stage.LAYER, Answer.HTTP),
        # What it says about a key decides, whatever its status was.
        (f"{SIGNED}400 Bad Request: {S3_KEY}", Symptom.ACCESS_DENIED, Stage.LAYER, Answer.KEY),
        (f"{SIGNED}429 Too Many Requests: {S3_KEY}", Symptom.ACCESS_DENIED, Stage.LAYER, Answer.KEY),
        # Another code leaves a status of another kind as it is.
        (f"{SIGNED}500 x: <Error><Code>NoSuchKey</Code>", Symptom.REGISTRY_ERROR, Stage.LAYER, Answer.OBJECT),
        (f"{SIGNED}403 Forbidden: Request has expired: AccessDenied", "access_denied", Stage.LAYER, Answer.SIGNED_URL),
    ],
)
def test_what_s3_says_by_itself(message: str, symptom: Symptom, stage: Stage | None, answer: Answer | None) -> None:
    read = read_message(message)
    assert (read.symptom, read.stage, read.answer) == (symptom, stage, answer)


@pytest.mark.parametrize(
    "why",
    ["no such file or directory", "permission denied", "exec format error", "executable file not found in $PATH"],
)
def test_a_credential_helper_that_does_not_start(why: str) -> None:
    """The node has no credentials then, whatever its file system says."""
    read = read_message(f"{PULLING}fork/exec /usr/bin/docker-credential-ecr-login: {why}")
    assert (read.symptom, read.answer) == (Symptom.NOT_AUTHENTICATED, None)
    other = read_message(f"{PULLING}fork/exec /usr/bin/unpigz: {why}")
    assert other.symptom is Symptom.UNKNOWN


@pytest.mark.parametrize("method", ["Get", "Head", "Post", "Put"])
@pytest.mark.parametrize(
    "phrase",
    ["Blocked By Policy", 'Blocked By Policy".', '"Blocked By Policy"', "Blocked.]", "X-Filter Blocked", "Via X"],
)
def test_a_phrase_of_a_proxys_own_after_any_request(method: str, phrase: str) -> None:
    assert read_message(f'{RESOLVING}{method} "{MANIFEST}": {phrase}').symptom is Symptom.PROXY_FAILED


@pytest.mark.parametrize(
    ("words", "symptom"),
    [
        ("unknown status code", Symptom.PROXY_FAILED),
        ("Proxy Authentication Required", Symptom.PROXY_FAILED),
        ("unknown status", Symptom.UNKNOWN),
        ("unknown host code", Symptom.UNKNOWN),
    ],
)
def test_go_has_words_for_a_proxys_answer_without_any(words: str, symptom: Symptom) -> None:
    assert read_message(f"{ASKING}{words}").symptom is symptom


@pytest.mark.parametrize(
    "words", ["SignatureValidationFailed", "image signature validation failed", "Source image rejected"]
)
def test_an_image_that_is_not_signed_as_the_node_wants(words: str) -> None:
    read = read_message(f"{SOURCE}{words}: something new")
    assert (read.symptom, read.stage, str(read.image)) == (Symptom.SIGNATURE_REJECTED, None, IMAGE)
    assert (read.denial, read.error_code, read.answer, read.tells_of_pull) == (None, None, None, True)


@pytest.mark.parametrize(("links", "symptom"), [(100, Symptom.NOT_AUTHENTICATED), (101, Symptom.UNKNOWN)])
def test_what_follows_a_hundred_links_is_one(links: int, symptom: Symptom) -> None:
    assert read_message(f"{'x: ' * links}no basic auth credentials").symptom is symptom


@pytest.mark.parametrize("text", ["403X", "X403", "404 not found in here"])
def test_a_status_with_something_beside_it_is_none(text: str) -> None:
    assert read_message(text).no_reason is NoReason.OTHER_MATTER
