"""The forms in which one message reaches people: quotes, line breaks, several attempts, and no failure at all."""

from __future__ import annotations

import pytest

from pull_responder.events.kubelet_message import read_message
from pull_responder.events.no_reason import NoReason
from pull_responder.model.pull import Answer, Stage, Symptom
from pull_responder.model.sighting import Sighting
from tests.unit.events.messages import (
    ASKING,
    BLOB,
    BUCKET,
    COPYING,
    DENIED,
    HOST,
    IMAGE,
    MANIFEST,
    NODE,
    PULLING,
    RESOLVING,
    SOURCE,
)

REFUSED = f"{DENIED} because no identity-based policy allows the ecr:BatchGetImage action"
FORBIDDEN = f"unexpected status from HEAD request to {MANIFEST}: 403 Forbidden"
OF_LAYER = f"failed to copy: httpReadSeeker: failed open: unexpected status from GET request to {BLOB}: 403 Forbidden"


@pytest.mark.parametrize(
    "quoted", ['"{}"', "\u201c{}\u201d", "\u201e{}\u201c", '\\"{}\\"', '\\\\\\"{}\\\\\\"'], ids=repr
)
def test_an_image_in_any_quotes_is_the_image(quoted: str) -> None:
    assert str(read_message(f"Failed to pull image {quoted.format(IMAGE)}: rpc error").image) == IMAGE


@pytest.mark.parametrize("quoted", ["'{}'", "\u2018{}\u2019", "\\'{}\\'"], ids=repr)
def test_a_url_in_any_quotes_is_the_url(quoted: str) -> None:
    read = read_message(f"Get {quoted.format(MANIFEST)}: no basic auth credentials")
    assert (read.symptom, read.stage, str(read.image)) == (Symptom.NOT_AUTHENTICATED, Stage.MANIFEST, IMAGE)
    assert read.sighting.host == HOST


@pytest.mark.parametrize("between", ["\n", "\r\n", "\\n", "\\r", "\\\\n"], ids=repr)
def test_an_error_begins_after_a_line_break_however_it_is_written(between: str) -> None:
    read = read_message(f"{RESOLVING}{FORBIDDEN}{between}denied: {REFUSED}")
    assert (read.symptom, read.error_code) == (Symptom.ACCESS_DENIED, "denied")
    assert read.denial is not None
    assert (read.denial.action, read.denial.quoted) == ("ecr:BatchGetImage", True)
    assert read.denial.message == REFUSED


def test_the_query_of_a_url_is_dropped_and_what_follows_is_read() -> None:
    url = f"https://{BUCKET}/layer?X-Amz-Signature=0abc&x=timeout"
    refused = read_message(f"{COPYING}unexpected status code {url}: 403 Forbidden")
    assert (refused.symptom, refused.stage, refused.answer) == (Symptom.ACCESS_DENIED, Stage.LAYER, Answer.STORAGE)
    slow = read_message(f'{COPYING}Get "{url}": dial tcp 3.5.1.1:443: i/o timeout')
    assert (slow.symptom, slow.stage, slow.answer) == (Symptom.TIMEOUT, Stage.LAYER, None)
    assert (slow.sighting.host, slow.sighting.address, slow.sighting.port) == (BUCKET, "3.5.1.1", 443)


@pytest.mark.parametrize(
    "begin",
    [
        "rpc error: code = Unknown desc = ",
        f'failed to pull and unpack image "{IMAGE}": ',
        "unable to pull image: ",
        f"initializing source docker://{IMAGE}: ",
        "Error response from daemon: ",
    ],
)
def test_of_two_attempts_with_equal_progress_the_last_counts_wherever_it_begins(begin: str) -> None:
    """kubelet's own credentials come last."""
    first, last = FORBIDDEN, f"failed to resolve reference: {MANIFEST}: no basic auth credentials"
    read = read_message(f"{RESOLVING}{first}, {begin}{last}")
    assert (read.symptom, read.stage, str(read.image)) == (Symptom.NOT_AUTHENTICATED, Stage.MANIFEST, IMAGE)
    swapped = read_message(f"{RESOLVING}{last}, {begin}{first}")
    assert swapped.symptom is Symptom.ACCESS_DENIED


@pytest.mark.parametrize("order", [1, -1], ids=["last", "first"])
def test_the_attempt_that_got_furthest_counts(order: int) -> None:
    attempts = [f"{FORBIDDEN}\ndenied: {REFUSED}", OF_LAYER][::order]
    read = read_message(f"{PULLING}{attempts[0]}, rpc error: code = Unknown desc = {attempts[1]}")
    assert (read.symptom, read.stage, read.denial) == (Symptom.ACCESS_DENIED, Stage.LAYER, None)
    dialled = f"{ASKING.removeprefix(PULLING)}dial tcp 54.1.2.3:443: i/o timeout, rpc error: code = Unknown desc = "
    both = read_message(f"{PULLING}{dialled}{OF_LAYER}")
    assert (both.symptom, both.sighting.address) == (Symptom.ACCESS_DENIED, "")


def test_the_second_attempt_to_read_an_image_as_an_artifact_says_nothing() -> None:
    own = f"{SOURCE}reading manifest v1 in {HOST}/team/app: manifest unknown"
    read = read_message(f"{own}; artifact err: provided artifact is not valid: received unexpected HTTP status: 503")
    assert (read.symptom, read.stage) == (Symptom.NOT_FOUND, Stage.MANIFEST)


def test_the_registry_counts_and_not_the_mirrors_before_it() -> None:
    mirrors = (
        "(Mirrors also failed: [mirror.example.com/team/app:v1: reading manifest v1 in mirror.example.com/team/app: "
        f"manifest unknown]): {IMAGE}: reading manifest v1 in {HOST}/team/app: received unexpected HTTP status: 500 "
        "Internal Server Error"
    )
    read = read_message(f"{SOURCE}{mirrors}")
    assert (read.symptom, read.stage) == (Symptom.REGISTRY_ERROR, Stage.MANIFEST)


@pytest.mark.parametrize("status", ["503 Service Unavailable", "405 Method Not Allowed", "404 Not Found"])
def test_the_answer_of_a_mirror_says_nothing_of_the_registry(status: str) -> None:
    url = "https://mirror.example.com/v2/team/app/manifests/v1?ns=x"
    read = read_message(f"{RESOLVING}unexpected status from HEAD request to {url}: {status}")
    assert (read.symptom, read.answer) == (Symptom.UNKNOWN, Answer.MIRROR)
    assert read.sighting == Sighting(host="mirror.example.com")
    own = read_message(f"{RESOLVING}unexpected status from HEAD request to {MANIFEST}: {status}")
    assert own.answer is not Answer.MIRROR
    assert own.sighting.host == HOST


def test_what_cri_o_puts_before_a_refused_login_hides_no_error() -> None:
    refused = "invalid username/password: denied: Your authorization token has expired."
    read = read_message(f"{SOURCE}unable to retrieve auth token: {refused}")
    assert (read.symptom, read.stage) == (Symptom.TOKEN_EXPIRED, Stage.TOKEN)


def test_a_pod_sandbox_is_another_matter_unless_its_image_is_named() -> None:
    failed = read_message("Failed to create Pod Sandbox: rpc error: code = Unknown desc = i/o timeout")
    assert (failed.symptom, failed.no_reason, failed.image) == (Symptom.UNKNOWN, NoReason.OTHER_MATTER, None)
    image = f'failed to get sandbox image "{IMAGE}": failed to pull image "{IMAGE}": i/o timeout'
    named = read_message(f"Failed to create pod sandbox: rpc error: {image}")
    assert (named.symptom, named.no_reason, str(named.image)) == (Symptom.TIMEOUT, None, IMAGE)


def test_a_pod_sandbox_is_another_matter_even_where_its_words_are_those_of_a_pull() -> None:
    failed = read_message("Failed to create Pod Sandbox: rpc error: code = Unknown desc = no credential: i/o timeout")
    assert (failed.symptom, failed.no_reason) == (Symptom.UNKNOWN, NoReason.OTHER_MATTER)


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (MANIFEST, Answer.TLS),
        (f"https://{HOST}:443/v2/team/app/manifests/v1", Answer.TLS),
        ("https://api.ecr.us-east-1.amazonaws.com:443/", Answer.TLS),
        (f"https://{BUCKET}/layer", Answer.TLS),
        ("https://mirror.example.com/v2/team/app/manifests/v1", None),
        ("http://169.254.169.254/latest/api/token", None),
    ],
)
def test_with_whom_tls_was_not_agreed_on(asked: str, answer: Answer | None) -> None:
    """Where a mirror was asked, or the node's own metadata service, nothing shows that the registry was reached."""
    read = read_message(f"{ASKING.replace(MANIFEST, asked)}remote error: tls: handshake failure")
    assert (read.symptom, read.answer, str(read.image)) == (Symptom.UNKNOWN, answer, IMAGE)


def test_a_message_is_read_beyond_what_one_event_holds() -> None:
    """A whole table of events may come before the failure."""
    read = read_message(f"{'Normal  Created  2s  kubelet  ' * 200}{RESOLVING}{MANIFEST}: no basic auth credentials")
    assert (read.symptom, read.stage) == (Symptom.NOT_AUTHENTICATED, Stage.MANIFEST)


def test_a_request_to_another_service_is_no_pull_unless_the_text_is_about_one() -> None:
    failed = 'Get "https://scanner.example/check": dial tcp 10.1.1.1:443: i/o timeout'
    assert read_message(f"the image webhook failed: {failed}").symptom is Symptom.UNKNOWN
    assert read_message(f"Failed to pull image: {failed}").symptom is Symptom.TIMEOUT


@pytest.mark.parametrize(
    ("status", "code", "symptom", "answer"),
    [
        ("403 Forbidden", "SignatureDoesNotMatch", Symptom.ACCESS_DENIED, Answer.SIGNED_URL),
        ("403 Forbidden", "Strange", Symptom.ACCESS_DENIED, Answer.STORAGE),
        ("404 Not Found", "NoSuchKey", Symptom.NOT_FOUND, Answer.OBJECT),
        ("418 x", "Strange", Symptom.UNKNOWN, Answer.HTTP),
    ],
)
def test_what_s3_says_beside_its_status(status: str, code: str, symptom: Symptom, answer: Answer) -> None:
    url = f"https://{BUCKET}/x"
    read = read_message(f"{COPYING}unexpected status code {url}: {status}: <Error><Code>{code}</Code></Error>")
    assert (read.symptom, read.stage, read.answer) == (symptom, Stage.LAYER, answer)


def test_of_a_chain_without_end_a_hundred_links_are_read() -> None:
    assert read_message(f"{PULLING}{'x: ' * 60}no basic auth credentials").symptom is Symptom.NOT_AUTHENTICATED
    assert read_message(f"{PULLING}{'x: ' * 120}no basic auth credentials").symptom is Symptom.UNKNOWN


@pytest.mark.parametrize(
    ("link", "symptom"),
    [
        ("`no basic auth credentials`", Symptom.NOT_AUTHENTICATED),
        ("[no basic auth credentials]", Symptom.NOT_AUTHENTICATED),
        ("could not fetch content descriptor sha256:x (text/html) from remote", Symptom.PROXY_FAILED),
        ("could not find content descriptor sha256:x (text/html) from remote", Symptom.UNKNOWN),
    ],
)
def test_what_a_link_says_in_brackets(link: str, symptom: Symptom) -> None:
    assert read_message(f"{RESOLVING}{link}").symptom is symptom


@pytest.mark.parametrize(
    ("phrase", "symptom"),
    [
        ("Blocked By Policy", Symptom.PROXY_FAILED),
        ("The security token included in the request is expired", Symptom.TOKEN_EXPIRED),
    ],
)
def test_words_of_aws_after_a_url_are_not_those_of_a_proxy(phrase: str, symptom: Symptom) -> None:
    read = read_message(f"{ASKING}{phrase}")
    assert (read.symptom, read.stage) == (symptom, Stage.MANIFEST)


def test_what_is_beyond_8192_characters_is_cut() -> None:
    failure = f"{RESOLVING}{MANIFEST}: no basic auth credentials"
    fitting = f"{' ' * (8192 - len(failure))}{failure}"
    assert read_message(fitting).symptom is Symptom.NOT_AUTHENTICATED
    assert read_message(f" {fitting}").symptom is Symptom.UNKNOWN


@pytest.mark.parametrize("before", ["Warning  Failed  ", "ErrImagePull  ", "BackOff  ", "Back-off  ", "FAILED "])
def test_the_event_before_a_pull_is_no_failure_unless_a_failure_stands_beside_it(before: str) -> None:
    event = f'Pulling image "{IMAGE}"'
    assert read_message(f"Normal  Pulling  2s  kubelet  {event}").no_reason is NoReason.OTHER_MATTER
    assert read_message(f"Normal  Pulling  2s  kubelet  {event}.").no_reason is NoReason.OTHER_MATTER
    assert read_message(before + event).no_reason is None
    assert read_message(f"{event} for the pod").no_reason is None
    assert read_message(event.replace("P", "p")).no_reason is None


@pytest.mark.parametrize(
    ("text", "no_reason"),
    [
        ("hello world", NoReason.OTHER_MATTER),
        ("pullman", NoReason.OTHER_MATTER),
        ("the pull was slow", None),
        ("It Pulled nothing", None),
        ("ErrImageNeverPull", NoReason.NEVER_PULLED),
        ("ImagePullBackOff", NoReason.NOT_SAID),
        (f'ImagePullBackOff: "{IMAGE}"', NoReason.NOT_SAID),
    ],
)
def test_a_text_without_a_pull_says_what_it_is_about(text: str, no_reason: NoReason | None) -> None:
    read = read_message(text)
    assert read.symptom is Symptom.UNKNOWN
    assert read.no_reason is no_reason
    assert read.tells_of_pull is (no_reason is None)


def test_a_refusal_of_something_else_before_that_of_ecr_is_not_it() -> None:
    first = f"User: {NODE} is not authorized to perform: sts:AssumeRole on resource: x"
    read = read_message(f"{first}: denied: {REFUSED}")
    assert read.symptom is Symptom.ACCESS_DENIED
    assert read.denial is not None
    assert (read.denial.action, read.denial.message) == ("ecr:BatchGetImage", REFUSED)
    other = read_message(f"User: {NODE} is not authorized to perform: s3:GetObject on resource: x")
    assert (other.symptom, other.denial) == (Symptom.UNKNOWN, None)


# Of a sentence, of JSON, of XML, and of words that somebody adds.
_ENDS = ["", ".", '"', '\\"', "'", "]", '"}', "):", " on", " on resource: *"]
_MORE_ENDS = ['","code":"AccessDeniedException"}', "</Message>", ";RequestID:1", "(x)", ","]


@pytest.mark.parametrize("after", [*_ENDS, *_MORE_ENDS], ids=repr)
def test_a_refusal_may_end_with_the_action(after: str) -> None:
    refused = f"User: {NODE} is not authorized to perform: ecr:BatchGetImage{after}"
    read = read_message(f"{RESOLVING}denied: {refused}")
    assert (read.symptom, read.stage) == (Symptom.ACCESS_DENIED, Stage.MANIFEST)
    assert read.denial is not None
    assert read.denial.action == "ecr:BatchGetImage"


@pytest.mark.parametrize("action", ["ecr:", "ecr:Batch<b>GetImage", "ecr:a:BatchGetImage", "ecrs:BatchGetImage", "ecr"])
def test_a_refusal_of_what_is_no_action_of_ecr_names_none(action: str) -> None:
    read = read_message(f"denied: User: {NODE} is not authorized to perform: {action} on resource: *")
    assert (read.stage, read.denial) == (None, None)


def test_an_action_that_nobody_refused_is_no_denial() -> None:
    assert read_message("ecr:BatchGetImage of the image: unexpected status: 403 Forbidden").denial is None


def test_a_refusal_before_another_failure_is_not_what_failed() -> None:
    """The innermost error counts: the action that was refused belongs to an attempt before it."""
    read = read_message(f"denied: {REFUSED}: no basic auth credentials")
    assert (read.symptom, read.denial) == (Symptom.NOT_AUTHENTICATED, None)


def test_a_refusal_by_ecr_public_tells_the_stage() -> None:
    refused = f"User: {NODE} is not authorized to perform: ecr-public:GetAuthorizationToken on resource: *"
    read = read_message(f"denied: {refused}")
    assert (read.symptom, read.stage) == (Symptom.ACCESS_DENIED, Stage.TOKEN)
    assert read.denial is not None
    assert read.denial.action == "ecr-public:GetAuthorizationToken"


@pytest.mark.parametrize(
    ("before", "symptom"),
    [
        (f'failed to resolve reference "{IMAGE}"', Symptom.NOT_FOUND),
        (f'Failed to resolve reference "{IMAGE}"', Symptom.NOT_FOUND),
        (f"failed to resolve image {IMAGE}", Symptom.NOT_FOUND),
        (IMAGE, Symptom.NOT_FOUND),
        (f'"{IMAGE}  "', Symptom.NOT_FOUND),
        (f"failed to find {IMAGE}", Symptom.UNKNOWN),
        (f"could not resolve {IMAGE}", Symptom.UNKNOWN),
        ("open a file", Symptom.UNKNOWN),
        ("team", Symptom.UNKNOWN),
    ],
)
def test_it_is_the_image_that_was_not_found(before: str, symptom: Symptom) -> None:
    assert read_message(f"{before}: not found").symptom is symptom


@pytest.mark.parametrize(
    ("words", "stage"),
    [
        ("applying layer: something new", Stage.UNPACK),
        ('mediaType in manifest should be "application/x" not "y"', Stage.MANIFEST),
    ],
)
def test_unknown_words_after_known_ones_still_tell_the_stage(words: str, stage: Stage) -> None:
    read = read_message(f"{PULLING}{words}")
    assert (read.symptom, read.stage) == (Symptom.UNKNOWN, stage)


def test_a_probe_that_failed_is_another_matter_whatever_it_names() -> None:
    assert read_message("Liveness probe failed: pull image").no_reason is NoReason.OTHER_MATTER
    assert read_message("the probe of an image pull").no_reason is None


def test_aws_may_name_a_vpc_endpoints_policy_without_more() -> None:
    read = read_message("The request was denied due to a VPC endpoint policy: pull of an image")
    assert read.symptom is Symptom.ACCESS_DENIED


@pytest.mark.parametrize(
    ("after", "symptom"),
    [
        ("dial tcp 10.0.0.1:443: i/o timeout", Symptom.TIMEOUT),
        ("toomanyrequests", Symptom.THROTTLED),
        ("no space left on device", Symptom.DISK_FULL),
    ],
)
def test_what_follows_a_refusal_of_something_else_counts(after: str, symptom: Symptom) -> None:
    refused = f"User: {NODE} is not authorized to perform: s3:GetObject on resource: x"
    assert read_message(f"{RESOLVING}{refused}: {after}").symptom is symptom


@pytest.mark.parametrize(
    "resource",
    [
        "arn:aws:ecr:us-east-1:111111111111:registry/team",
        "arn:aws:s3:::repository/team",
        "arn:aws-new:ecr:us-east-1:111111111111:repository/team",
    ],
)
def test_a_refused_resource_that_is_no_repository_names_no_image(resource: str) -> None:
    read = read_message(f"denied: User: {NODE} is not authorized to perform: ecr:BatchGetImage on resource: {resource}")
    assert read.image is None
