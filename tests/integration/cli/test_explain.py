"""`pull-responder explain` as a shell runs it, without credentials or a network."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(sys.executable).with_name("pull-responder")
EVENTS = Path(__file__).parents[2] / "events"
IMAGE = "111111111111.dkr.ecr.us-east-1.amazonaws.com/team/app:v1"
REFUSED = (
    f'Failed to pull image "{IMAGE}": rpc error: code = Unknown desc = failed to resolve reference "{IMAGE}": '
    "unexpected status from HEAD request to "
    "https://111111111111.dkr.ecr.us-east-1.amazonaws.com/v2/team/app/manifests/v1: 403 Forbidden"
)


def run(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([SCRIPT, "explain", *arguments], input=stdin, capture_output=True, check=False)  # noqa: S603 -- our own script


def lines(ended: subprocess.CompletedProcess[bytes]) -> list[dict[str, Any]]:
    assert (ended.returncode, ended.stderr) == (0, b"")
    return [json.loads(line) for line in ended.stdout.splitlines()]


def test_one_message_as_json() -> None:
    (answer,) = lines(run(REFUSED, "--format", "json"))
    assert (answer["symptom"], answer["stage"], answer["image"]) == ("access_denied", "manifest", IMAGE)
    assert answer["can_mean"][:2] == ["role_lacks_pull_permissions", "repository_policy_lacks_grant"]


def test_one_message_for_people() -> None:
    text = run(REFUSED).stdout.decode()
    assert text.splitlines() == [
        "Symptom     access_denied",
        "Stage       manifest",
        f"Image       {IMAGE}",
        "Can mean    role_lacks_pull_permissions: The role does not allow the pull",
        "            repository_policy_lacks_grant: The repository policy does not let the other account pull",
        "            repository_not_found: There is no such repository in this account and region",
        f"            and 11 more: {', '.join(OTHERS)}",
        "Run next    pull-responder diagnose --pod NAMESPACE/POD",
        f"            pull-responder diagnose --image {IMAGE} --cluster CLUSTER",
    ]


OTHERS = (
    "role_policy_denies_pull",
    "scp_blocks_pull",
    "permissions_boundary_blocks_pull",
    "session_policy_blocks_pull",
    "repository_policy_denies_pull",
    "registry_policy_denies_pull",
    "rcp_blocks_pull",
    "endpoint_policy_blocks_pull",
    "registry_token_expired",
    "repository_key_unusable",
    "pull_through_cache_failing",
)


def described(pod: str, *events: str) -> str:
    """What `kubectl describe pod` prints of a pod, shortened."""
    head = f"Name:             {pod}\nNamespace:        shop\nStatus:           Pending\nEvents:\n"
    columns = "  Type     Reason     Age                From               Message\n"
    return head + columns + "".join(f"  {event}\n" for event in events) + "\n\n"


TIMEOUT = (
    f'Failed to pull image "{IMAGE}": failed to do request: Head "https://111111111111.dkr.ecr.us-east-1.amazonaws.com/v2/'
    'team/app/manifests/v1": dial tcp 44.213.79.50:443: i/o timeout'
)
WAITS = f'Normal   BackOff    1s (x6 over 2m)    kubelet            Back-off pulling image "{IMAGE}"'
PULLING = f'Normal   Pulling    30s (x4 over 2m)   kubelet            Pulling image "{IMAGE}"'


def failed(message: str) -> str:
    return f"Warning  Failed     29s (x4 over 2m)   kubelet            {message}"


def test_each_failure_of_a_paste_is_told_once_with_its_pods() -> None:
    paste = (
        described("web-0", PULLING, failed(REFUSED), failed("Error: ErrImagePull"), WAITS)
        + described("web-1", PULLING, failed(REFUSED), WAITS)
        + described("api-0", failed(TIMEOUT))
        + described("job-0", "Normal   Scheduled  2m  default-scheduler  Successfully assigned shop/job-0 to node")
    )
    first, second = run("-", stdin=paste.encode()).stdout.decode().split("\n\n")
    assert first.splitlines()[:2] == ["Pods        shop/web-0, shop/web-1", "Symptom     access_denied"]
    assert "Run next    pull-responder diagnose --pod shop/web-0" in first.splitlines()
    assert second.splitlines()[:2] == ["Pod         shop/api-0", "Symptom     timeout"]
    assert "Can mean    no_route_to_ecr: No route leads from the node to the registry" in second.splitlines()
    assert "Run next    pull-responder diagnose --pod shop/api-0" in second.splitlines()


def test_the_events_of_all_namespaces_are_told() -> None:
    rows = [
        "NAMESPACE   LAST SEEN   TYPE      REASON    OBJECT      MESSAGE",
        f"shop        5m          Warning   Failed    pod/web-0   {REFUSED}",
        f'shop        4m          Normal    BackOff   pod/web-0   Back-off pulling image "{IMAGE}"',
        f"billing     5m          Warning   Failed    pod/api-0   {TIMEOUT}",
        "billing     5m          Warning   Failed    pod/api-0   Error: ErrImagePull",
    ]
    blocks = run("-", stdin="\n".join(rows).encode()).stdout.decode().split("\n\n")
    assert [block.splitlines()[:2] for block in blocks] == [
        ["Pod         shop/web-0", "Symptom     access_denied"],
        ["Pod         billing/api-0", "Symptom     timeout"],
    ]


WAITING = (
    "kubelet waits before it tries again, and does not say here why the pull failed. The reason stands in the pod's "
    "events."
)


@pytest.mark.parametrize("text", [f'Back-off pulling image "{IMAGE}"', described("web-0", WAITS)])
def test_a_back_off_alone_says_where_the_reason_stands(text: str) -> None:
    lines_ = run("-", stdin=text.encode()).stdout.decode().splitlines()
    pod, namespace = ("web-0", "shop") if "web-0" in text else ("POD", "NAMESPACE")
    assert lines_[-3:] == [
        f"Can mean    {WAITING}",
        f"Run next    pull-responder diagnose --pod {namespace}/{pod}",
        f"            kubectl describe pod {pod} --namespace {namespace}",
    ]


def test_a_back_off_with_its_reason_is_read() -> None:
    """kubelet since 1.32."""
    said = run(f'Back-off pulling image "{IMAGE}": ErrImagePull: {REFUSED}').stdout.decode()
    assert said.startswith("Symptom     access_denied\n")


def test_the_command_to_run_next_is_data_for_programs() -> None:
    (answer,) = lines(run(TIMEOUT, "--format", "json"))
    assert answer["run_next"] == [
        "pull-responder diagnose --pod NAMESPACE/POD",
        f"pull-responder diagnose --image {IMAGE} --cluster CLUSTER",
    ]
    for message in ("hello world", REFUSED.replace(IMAGE, "ghcr.io/team/app:v1"), "ErrImageNeverPull"):
        assert lines(run(message, "--format", "json"))[0]["run_next"] == []


def test_a_hostile_image_is_one_word_of_the_command() -> None:
    text = run(REFUSED.replace("team/app", "team/$(id)")).stdout.decode()
    for line in text.splitlines():
        command = line.removeprefix("Run next").strip()
        if command.startswith("pull-responder"):
            assert shlex.split(command)[:2] == ["pull-responder", "diagnose"]
            assert "$(id)" not in command.replace("'", "|").split("|")[0]


def test_people_read_what_is_spelt_wrong() -> None:
    text = run(
        f'Failed to apply default image tag "{IMAGE.replace("app", "App")}": invalid reference format'
    ).stdout.decode()
    assert "Spelt wrong the repository 'team/App' has upper case letters" in text
    assert "Can mean" not in text


NEVER = "says that the image is not on the node, and that no registry was asked: the imagePullPolicy is Never"
NOT_SAID = "does not say why a pull failed: take the message from the Events of `kubectl describe pod`"


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("ErrImageNeverPull", NEVER),
        (f'Container image "{IMAGE}" is not present with pull policy of Never', NEVER),
        ("NAME READY STATUS RESTARTS AGE\nweb-0 0/1 ImagePullBackOff 0 5m", NOT_SAID),
        ("403", NOT_SAID),
        ("hello world", "is not about a failed image pull"),
        ("", "is not about a failed image pull"),
    ],
)
def test_a_text_without_a_reason_says_what_to_take_in_place_of_it(message: str, said: str) -> None:
    assert f"Can mean    nothing: this text {said}" in run(message).stdout.decode().splitlines()
    (answer,) = lines(run("-", "--format", "json", stdin=json.dumps({"message": message}).encode()))
    assert (answer["can_mean"], answer["tells_of_pull"], answer["skipped"]) == ([], False, f"this text {said}")


def test_an_image_that_a_diagnosis_skips_is_told_in_the_same_words() -> None:
    wrong, elsewhere = IMAGE.replace("app", "App"), "ghcr.io/team/app:v1"
    inputs = [
        f'Failed to apply default image tag "{wrong}": invalid reference format',
        REFUSED.replace(IMAGE, elsewhere),
    ]
    stdin = b"\n".join(json.dumps({"message": each}).encode() for each in (*inputs, REFUSED))
    assert [each["skipped"] for each in lines(run("-", "--format", "json", stdin=stdin))] == [
        f"the image reference {wrong} is wrong: the repository 'team/App' has upper case letters",
        f"{elsewhere} is not in Amazon ECR but in ghcr.io",
        None,
    ]


def test_one_message_on_standard_input() -> None:
    assert b"Symptom     access_denied" in run("-", stdin=REFUSED.encode() + b"\n").stdout


def test_standard_input_is_read_where_no_message_is_given() -> None:
    assert b"Symptom     access_denied" in run(stdin=REFUSED.encode() + b"\n").stdout
    (answer,) = lines(run("--format", "json", stdin=json.dumps({"message": REFUSED}).encode()))
    assert answer["symptom"] == "access_denied"


def test_json_lines_are_answered_in_order() -> None:
    seen = [json.loads(line) for line in (EVENTS / "kubelet_messages.jsonl").read_text(encoding="utf-8").splitlines()]
    stdin = "".join(json.dumps({"message": each["message"]}) + "\n" for each in seen).encode()
    answers = lines(run("-", "--format", "json", stdin=stdin))
    assert [answer["symptom"] for answer in answers] == [each["symptom"] for each in seen]
    assert [(answer["stage"], answer["image"]) for answer in answers] == [
        (each["stage"], each["image"]) for each in seen
    ]


def test_a_line_is_answered_before_the_next_is_written() -> None:
    command = [str(SCRIPT), "explain", "-", "--format", "json"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:  # noqa: S603 -- our own script
        assert process.stdin
        assert process.stdout
        for symptom, message in (("access_denied", REFUSED), ("throttled", "toomanyrequests: Rate exceeded")):
            process.stdin.write(json.dumps({"message": message}).encode() + b"\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["symptom"] == symptom


@pytest.mark.parametrize(
    ("line", "error"),
    [
        (b"{", "line 2 is not JSON: Expecting property name enclosed in double quotes at column 2"),
        (b'"text"', 'line 2 has no key "message"'),
        (b"{}", 'line 2 has no key "message"'),
        (b'{"message": 1}', "line 2 has a message that is not text"),
        (b'{"message": "\xff"}', "line 2 is not UTF-8 at byte 13"),
        (b"[" * 100_000, "line 2 is not usable: its JSON is nested too deeply, or holds a number too long"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_bad_line_is_named_and_the_rest_goes_on(line: bytes, error: str) -> None:
    good = json.dumps({"message": REFUSED}).encode()
    first, bad, last = lines(run("-", "--format", "json", stdin=b"\n".join((good, line, good, b""))))
    assert bad == {"error": error, "line": 2}
    assert first == last
    assert first["symptom"] == "access_denied"


def test_escapes_and_markup_do_not_reach_the_terminal() -> None:
    ended = run(
        f"\x1b]0;title\x07[bold]denied: User: \x1b[31mx is not authorized to perform: ecr:BatchGetImage on {IMAGE}"
    )
    assert b"\x1b" not in ended.stdout
    assert ended.returncode == 0


def test_the_host_the_address_and_the_dns_server_are_told() -> None:
    host = "111111111111.dkr.ecr.us-east-1.amazonaws.com"
    asking = REFUSED.partition("unexpected status")[0] + f'failed to do request: Head "https://{host}/v2/": '
    (answer,) = lines(run(asking + "dial tcp 10.100.1.10:443: i/o timeout", "--format", "json"))
    assert (answer["symptom"], answer["host"], answer["address"]) == ("timeout", host, "10.100.1.10")
    text = run(asking + f"dial tcp: lookup {host} on 10.9.9.9:53: no such host").stdout.decode()
    assert f"Asked       {host}" in text
    assert "DNS server  10.9.9.9" in text
    assert "Asked" not in run(REFUSED).stdout.decode()


def test_a_layer_from_an_upstreams_storage_is_not_explained_by_s3() -> None:
    message = (
        f'Failed to pull image "{IMAGE}": failed to copy: httpReadSeeker: failed open: failed to do request: Get '
        '"https://production.cloudflare.docker.com/registry-v2/blobs/aa/data": dial tcp 104.16.100.207:443: i/o timeout'
    )
    (answer,) = lines(run(message, "--format", "json"))
    assert (answer["symptom"], answer["stage"]) == ("timeout", "layer")
    assert answer["can_mean"][0] == "no_route_to_ecr"
    assert "s3_endpoint_not_in_route_table" not in answer["can_mean"]
