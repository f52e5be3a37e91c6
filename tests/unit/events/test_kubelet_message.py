"""Messages of kubelet and the runtimes: real ones, each family by its source, and names that look like errors."""

from __future__ import annotations

import importlib
import json
import re
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pull_responder.events import (
    kubelet_chain,
    kubelet_image,
    kubelet_link,
    kubelet_message,
    no_reason,
    registry_urls,
    s3_errors,
    sighting,
)
from pull_responder.events.kubelet_message import TEXT_LIMIT, plain_text, read_message
from pull_responder.model.pull import Answer, PolicyType, Stage, Symptom
from tests.unit.events.messages import (
    ARTICLE,
    ASKING,
    BLOB,
    BUCKET,
    CONTAINERD,
    COPYING,
    CRI_O,
    DENIED,
    DIGEST,
    DOCKER,
    HOST,
    IMAGE,
    KUBELET,
    MANIFEST,
    NO_PULL,
    NODE,
    PLUGIN,
    RESOLVING,
)

if TYPE_CHECKING:
    from types import FrameType

    from _typeshed import TraceFunction

SEEN = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "events/kubelet_messages.jsonl").read_text(encoding="utf-8").splitlines()
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


@pytest.mark.parametrize(("message", "symptom", "stage"), ARTICLE)
def test_the_messages_of_awss_article(message: str, symptom: str, stage: str | None) -> None:
    read = read_message(message)
    assert (read.symptom, read.stage) == (symptom, stage)


def test_layers_that_do_not_fit_the_configuration_are_a_corrupt_image() -> None:
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:v1"
    message = f'failed to pull and unpack image "{image}": mismatched image rootfs and manifest layers'
    reading = read_message(f'Failed to pull image "{image}": rpc error: code = Unknown desc = {message}')
    assert (reading.symptom, reading.stage) == (Symptom.DOWNLOAD_CORRUPT, Stage.UNPACK)


def test_a_plugin_that_had_no_answer_in_time() -> None:
    read = read_message(f'E0115 10:00:00 1 plugin.go:321] "Failed to get" err="{PLUGIN}context deadline exceeded"')
    assert (read.symptom, read.stage) == (Symptom.TIMEOUT, Stage.TOKEN)


def test_an_error_after_the_header_of_a_log_line_is_read() -> None:
    read = read_message(f"E0115 10:00:00.000001    4321 provider.go:86] {PLUGIN}exit status 1")
    assert (read.symptom, read.stage) == (Symptom.NOT_AUTHENTICATED, Stage.TOKEN)


def test_a_bare_status_is_one_and_with_a_word_of_something_else_it_is_not() -> None:
    assert read_message("unexpected status: 403 Forbidden").symptom is Symptom.ACCESS_DENIED
    assert read_message("The webhook failed: unexpected status: 403 Forbidden").symptom is Symptom.UNKNOWN


def test_a_whole_table_of_events_reads_as_the_failure_in_it() -> None:
    read = read_message("\n".join(message for message, *_ in ARTICLE[1:5]))
    assert (read.symptom, read.stage) == (Symptom.NOT_AUTHENTICATED, Stage.MANIFEST)


@pytest.mark.parametrize("message", NO_PULL)
def test_what_is_no_pull_has_no_symptom(message: str) -> None:
    assert read_message(message).symptom is Symptom.UNKNOWN


@pytest.mark.parametrize(
    ("message", "image"),
    [
        (ASKING, IMAGE),
        (f"image pull failed for {IMAGE} because the registry is unavailable.", IMAGE),
        (f"initializing source docker://{IMAGE}: x", IMAGE),
        (f"initializing source docker://{HOST}/team/app:vX: x", f"{HOST}/team/app:vX"),
        (f"failed to solve: {IMAGE}: not found", IMAGE),
        ('image "ecr.aws/arn:aws:ecr:us-east-1:111111111111:repository/team/app:v1": x', IMAGE),
        # What is quoted may be a part of an image, or AWS's name of the repository.
        *((f'failed commit on ref "{part}-{DIGEST}": x', None) for part in ("manifest", "index", "layer", "config")),
        (f"pull access denied for arn:aws:ecr:us-east-1:111111111111:repository/x: {DENIED}", f"{HOST}/team/app"),
        (f"pull access denied for arn:aws:ecr:us-east-1:111111111111:repository/x: {NODE}", None),
        (f"reading manifest v1 in {HOST}/team/app: manifest unknown", IMAGE),
        (f"reading manifest v1 in {HOST}/team/appX: manifest unknown", f"{HOST}/team/appX:v1"),
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


SESSION = "arn:aws:sts::111111111111:assumed-role/node/i-0fedcba9876543210"
BY_PROVIDER = "error execing credential provider plugin ecr-credential-provider for image {image}: exit status 1: "


@pytest.mark.parametrize(
    ("before", "action", "stage"),
    [
        ("AccessDeniedException:User: ", "ecr:BatchGetImage", "manifest"),
        ("AccessDeniedException:User:", "ecr:BatchGetImage", "manifest"),
        ("denied: User:", "ecr:GetDownloadUrlForLayer", "layer"),
        (BY_PROVIDER + "AccessDeniedException:User: ", "ecr:GetAuthorizationToken", "token"),
    ],
)
def test_the_words_of_aws_are_read_without_their_blanks(before: str, action: str, stage: str) -> None:
    image = "111111111111.dkr.ecr.us-east-1.amazonaws.com/team/app:v1"
    refused = f"{SESSION} is not authorized to perform: {action} on resource: * because no identity-based policy allows"
    read = read_message(f'Failed to pull image "{image}": {before}{refused} the {action} action'.format(image=image))
    assert (read.symptom, read.stage, str(read.image)) == ("access_denied", stage, image)
    assert read.denial is not None
    assert (read.denial.action, read.denial.policy_type) == (action, PolicyType.IDENTITY)
    assert read.denial.message == f"User: {refused} the {action} action"


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


def test_a_refusal_of_the_layer_bucket_is_distinguished_from_one_of_the_registry() -> None:
    by_bucket = read_message(COPYING + f"unexpected status code https://{BUCKET}/a?X-Amz-Signature=0abc: 403 Forbidden")
    by_registry = read_message(COPYING + f"unexpected status from GET request to {BLOB}: 403 Forbidden")
    assert (by_bucket.answer, by_registry.answer) == (Answer.STORAGE, None)
    assert "0abc" not in repr(by_bucket)


def test_a_message_cut_anywhere_says_nothing_wrong() -> None:
    # Most messages begin alike, so two thirds of what is left of them is the same text.
    read = cache(read_message)
    for whole, symptom, _ in (*CONTAINERD, *CRI_O, *KUBELET):
        if "[rpc error" in whole or "Mirrors also" in whole or symptom in ("unknown", "token_expired"):
            continue  # of several failures a cut may leave another; AWS may say more after a bare 403
        for length in range(len(whole)):
            assert read(whole[:length]).symptom in (Symptom.UNKNOWN, symptom), whole[:length]


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
    assert read_message(message).symptom is Symptom.REGISTRY_ERROR


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

    read_message.cache_clear()
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
    modules = (
        kubelet_message,
        kubelet_chain,
        kubelet_link,
        kubelet_image,
        no_reason,
        registry_urls,
        s3_errors,
        sighting,
    )
    patterns = [value for module in modules for value in vars(module).values() if isinstance(value, re.Pattern)]
    assert patterns
    for pattern in patterns:
        parsed = importlib.import_module("re._parser").parse(pattern.pattern, pattern.flags)
        assert not re.search(r"(MAX|MIN)_REPEAT, \(\d+, MAXREPEAT", repr(parsed)), pattern.pattern


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ('Get "https://a.example/v2/?x=1": said', 'Get "https://a.example/v2/": said'),
        ("from https://a.example/v2/?x=1: said", "from https://a.example/v2/: said"),
        ("from https://a.example/v2/?x=1 said", "from https://a.example/v2/ said"),
        ("one\ntwo\\nthree", "one: two: three"),
    ],
)
def test_what_is_kept_of_a_text(text: str, plain: str) -> None:
    assert plain_text(text) == plain


def test_text_beyond_the_limit_is_not_examined() -> None:
    assert read_message("x " * TEXT_LIMIT + "denied: Your authorization token has expired.").symptom is Symptom.UNKNOWN


@pytest.mark.parametrize(
    "text",
    [
        'Successfully pulled image "{image}" in 2.1s (2.1s including waiting). Image size: 1 bytes.',
        'Container image "{image}" already present on machine',
        "Unable to retrieve some image pull secrets (regcred); attempting to pull the image may not succeed.",
    ],
)
def test_a_pull_that_has_not_failed_is_no_failure(text: str) -> None:
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/team/app:v1"
    assert not read_message(text.format(image=image)).tells_of_pull
    failed = f'{text.format(image=image)}\nFailed to pull image "{image}": rpc error: code = Unknown desc = i/o timeout'
    assert read_message(failed).symptom is Symptom.TIMEOUT
    assert read_message(failed).tells_of_pull
    assert read_message(f'Back-off pulling image "{image}"').tells_of_pull
