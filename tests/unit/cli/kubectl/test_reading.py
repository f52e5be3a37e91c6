"""Whatever form kubectl prints a pod in, the same failed pull is read from it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pull_responder.cli.kubectl.seen import PodPull, Seen
from pull_responder.cli.reading import MOST_VALUES, read_bytes
from pull_responder.events.outcome import Skipped, UnusableEvent
from pull_responder.events.pod_failure import PodFailure
from pull_responder.model.pull import PullFailure, Stage, Symptom
from tests.unit.cli.kubectl.printed import (
    BARE,
    DENIED,
    IMAGE,
    NODE,
    POD,
    WITH_REASON,
    as_json,
    described,
    described_job,
    event,
    events_table,
    listed,
    newer_event,
    pod,
    pods_table,
    running,
)

if TYPE_CHECKING:
    from collections.abc import Callable


def seen(data: bytes | str) -> Seen:
    found = read_bytes(data if isinstance(data, bytes) else data.encode()).seen
    assert found is not None
    return found


def pull_of(data: bytes | str) -> PodPull:
    (pull,) = seen(data).pulls
    return pull


def said(data: bytes | str) -> list[str]:
    return [each.reason for each in seen(data).skipped]


POD_JSON = as_json(pod())
LOG = (
    f'Mar 01 12:00:00 {NODE} kubelet[4711]: E0301 12:00:00.123456    4711 pod_workers.go:1301] "Error syncing pod, '
    f'skipping" err="failed to \\"StartContainer\\" for \\"web\\" with ErrImagePull: \\"'
    + DENIED.replace('"', '\\\\\\"')
    + f'\\"" pod="shop/{POD}" podUID="6b4f6b4e"\n'
)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(POD_JSON, id="pod"),
        pytest.param(as_json(listed(pod())), id="list"),
        pytest.param(
            as_json({"apiVersion": "v1", "kind": "PodList", "items": [{**pod(), "kind": None}]}), id="PodList"
        ),
        pytest.param(as_json([pod()]), id="array"),
        pytest.param(as_json(pod()) + b"\n" + as_json(running("web-b")), id="one after the other"),
        pytest.param(b"\xef\xbb\xbf" + POD_JSON, id="UTF-8 with a mark"),
        pytest.param(POD_JSON.replace(b"\n", b"\r\n"), id="CRLF"),
        pytest.param(POD_JSON.decode().encode("utf-16"), id="UTF-16 with a mark"),
        pytest.param(POD_JSON.decode().encode("utf-16-le"), id="UTF-16 without"),
        pytest.param(yaml.safe_dump(pod()).encode(), id="YAML"),
        pytest.param(yaml.safe_dump(listed(pod())).encode(), id="list as YAML"),
        pytest.param(
            yaml.safe_dump_all([running("web-b"), pod()], explicit_start=True).encode(), id="documents of YAML"
        ),
        pytest.param(as_json(listed(pod(message=BARE), event())), id="pod with the reason in its event"),
        pytest.param(described().encode(), id="describe"),
        pytest.param(described().replace("\n", "\r\n").encode(), id="describe, CRLF"),
        pytest.param(described(source=f"kubelet, {NODE}").encode(), id="describe, kubectl 1.18"),
    ],
)
def test_every_form_of_a_pod_tells_its_pull(data: bytes) -> None:
    found = pull_of(data)
    pull = found.pull
    assert (pull.image, pull.symptom, pull.stage) == (IMAGE, Symptom.ACCESS_DENIED, Stage.MANIFEST)
    assert (pull.namespace, pull.pod, pull.node) == ("shop", POD, NODE)
    assert pull.pod_labels == ("app=web", "pod-template-hash=7c9d8b5f6")
    assert (found.workload, found.service_account) == ("Deployment web", "web")
    assert "403 Forbidden" in (pull.message or "")


@pytest.mark.parametrize(
    ("data", "node"),
    [
        pytest.param(as_json(event()), NODE, id="event"),
        pytest.param(as_json(newer_event()), NODE, id="event of events.k8s.io"),
        pytest.param(
            as_json(listed(event(), event("Error: ErrImagePull"), event(BARE, reason="BackOff"))), NODE, id="list"
        ),
        pytest.param(
            as_json({k: v for k, v in event().items() if k not in {"kind", "apiVersion"}}), NODE, id="no kind"
        ),
        pytest.param(yaml.safe_dump(event()).encode(), NODE, id="YAML"),
        pytest.param(events_table(all_namespaces=True).encode(), None, id="table"),
        pytest.param(events_table(all_namespaces=True, header=False).encode(), None, id="table without header"),
        pytest.param(events_table(all_namespaces=True, wide=True).encode(), NODE, id="wide table"),
        pytest.param(LOG.encode(), NODE, id="kubelet's log"),
    ],
)
def test_every_form_of_an_event_tells_its_pull(data: bytes, node: str | None) -> None:
    pull = pull_of(data).pull
    assert (pull.image, pull.symptom, pull.stage) == (IMAGE, Symptom.ACCESS_DENIED, Stage.MANIFEST)
    assert (pull.namespace, pull.pod, pull.node) == ("shop", POD, node)


def test_a_table_of_one_namespace_does_not_name_it() -> None:
    pull = pull_of(events_table()).pull
    assert (pull.namespace, pull.pod, pull.image) == (None, POD, IMAGE)
    told = read_bytes(events_table().encode(), "shop").seen
    assert told is not None
    assert [each.pod for each in told.pulls] == [f"shop/{POD}"]


def test_several_pods_are_described_one_after_the_other() -> None:
    found = seen("\n\n\n".join([described("web-a"), described("web-b")])).pulls
    assert [each.pod for each in found] == ["shop/web-a", "shop/web-b"]


def test_a_message_with_line_breaks_goes_on_below_its_row() -> None:
    message = f"{DENIED}\nfollowed by: dial tcp 10.0.0.7:443: i/o timeout"
    (pull,) = seen(described(message=message)).pulls
    assert "i/o timeout" in (pull.pull.message or "")


NOT_FOUND = 'Error from server (NotFound): pods "web-b" not found'
CLIENT_LOG = "E0301 12:00:00.000000    4711 memcache.go:265] couldn't get current server API group list"


def coloured(text: str) -> str:
    """A text as kubecolor prints it."""
    return "\n".join(f"\x1b[33m{line[:9]}\x1b[0;36m{line[9:]}\x1b[0m" for line in text.split("\n"))


@pytest.mark.parametrize("printed", [POD_JSON.decode(), yaml.safe_dump(pod()), described(), events_table(wide=True)])
@pytest.mark.parametrize(
    "copied",
    [
        pytest.param(coloured, id="coloured"),
        pytest.param(lambda text: "Warning: v1 is deprecated\n" + text, id="after a warning"),
        pytest.param(lambda text: f"{CLIENT_LOG}\n{text}", id="after a log line of kubectl's"),
        pytest.param(lambda text: f"```text\n{text.rstrip()}\n```\n", id="in a fence"),
        pytest.param(lambda text: f"me@host:~$ kubectl get pod -n shop\r\n{text}", id="with its command"),
        pytest.param(lambda text: "".join(f"    {line}\n" for line in text.split("\n")), id="indented"),
    ],
)
def test_what_a_terminal_or_a_paste_adds_is_taken_off(printed: str, copied: Callable[[str], str]) -> None:
    (pull,) = seen(copied(printed)).pulls
    assert (pull.pull.pod, pull.pull.symptom, pull.pull.tag) == (POD, Symptom.ACCESS_DENIED, "v1.4.2")


@pytest.mark.parametrize("printed", [POD_JSON.decode(), yaml.safe_dump(pod()), described(), events_table()])
@pytest.mark.parametrize("joined", ["{said}\n{printed}", "{printed}\n{said}\n"])
def test_an_error_beside_pods_is_said_and_the_pods_are_read(printed: str, joined: str) -> None:
    told = seen(joined.format(said=NOT_FOUND, printed=printed.rstrip()))
    assert [each.pull.pod for each in told.pulls] == [POD]
    assert told.unread == (f"kubectl: {NOT_FOUND}",)


def test_a_log_of_kubelets_is_no_log_of_kubectls() -> None:
    line = LOG[LOG.index("E0301") :]
    told = seen(line + "hello\n" + line.replace(f"shop/{POD}", "shop/web-b"))
    assert [each.pod for each in told.pulls] == [f"shop/{POD}", "shop/web-b"]


def test_a_line_that_begins_an_object_is_no_command() -> None:
    told = json.dumps({"a": "$ kubectl get pod", **pod()})
    assert [each.pod for each in seen(f"{told}\n{told.replace(POD, 'web-b')}").pulls] == [f"shop/{POD}", "shop/web-b"]


def test_lines_keep_their_numbers_where_something_stands_before_them() -> None:
    with pytest.raises(UnusableEvent, match="line 4"):
        read_bytes(b"Warning: x\n\nkind: Pod\nmetadata: *a\n")


def test_a_table_of_events_below_a_description_is_read() -> None:
    told = seen(f"{described('web-b')}\n\n{events_table()}")
    assert [each.pod for each in told.pulls] == ["shop/web-b", f"shop/{POD}"]


def test_a_table_with_its_spaces_squeezed_is_read() -> None:
    squeezed = "\n".join(" ".join(line.split()) for line in events_table().split("\n"))
    assert pull_of(squeezed).pull.symptom is Symptom.ACCESS_DENIED


@pytest.mark.parametrize("as_change", [False, True])
def test_of_a_pod_that_is_watched_the_last_state_counts(*, as_change: bool) -> None:
    def printed(*states: dict[str, Any]) -> str:
        changes = [{"type": "MODIFIED", "object": each} if as_change else each for each in states]
        bookmark = {"type": "BOOKMARK", "object": {"kind": "Pod", "apiVersion": "v1", "metadata": {}}}
        return "\n".join(json.dumps(each) for each in [*changes, *([bookmark] if as_change else [])])

    assert said(printed(pod(), running())) == [f"pod shop/{POD} runs: all its images are pulled"]
    assert not seen(printed(pod(), running())).pulls
    assert pull_of(printed(running(), pod())).pod == f"shop/{POD}"
    assert not said(printed(running(), pod()))


def test_a_pod_that_was_cut_off_is_not_said_to_run() -> None:
    whole = yaml.safe_dump(pod(), sort_keys=False)
    told = seen(whole[: whole.index("    state:")])
    assert (told.pulls, told.skipped) == ((), ())
    assert told.unread == (f"shop/{POD}: not said whether all containers run. Was the input cut off?",)


def test_a_described_pod_without_a_node_is_not_said_to_run() -> None:
    text = described().replace(f"{NODE}/10.0.1.23", "<none>")
    start, end = text.index("    State:"), text.index("    Environment:")
    (why,) = said(text[:start] + text[end : text.index("Events:")])
    assert why == f"pod shop/{POD} is on no node yet, so nothing was pulled"


@pytest.mark.parametrize("where", ["initContainerStatuses", "ephemeralContainerStatuses"])
def test_every_kind_of_container_counts(where: str) -> None:
    made = pod()
    specs = where.replace("ContainerStatuses", "Containers")
    made["spec"][specs] = [{**made["spec"]["containers"][0], "name": "other"}]
    made["status"][where] = [{**made["status"].pop("containerStatuses")[0], "name": "other"}]
    assert pull_of(as_json(made)).pull.image == IMAGE


def test_the_image_of_a_volume_is_told_by_the_message() -> None:
    volume = IMAGE.replace("shop/web", "shop/model")
    made = pod(message=f'Back-off pulling image "{volume}": ErrImagePull: {DENIED.replace(IMAGE, volume)}')
    assert pull_of(as_json(made)).pull.image == volume


def test_a_back_off_without_a_reason_says_where_the_reason_stands() -> None:
    found = seen(as_json(pod(message=BARE)))
    assert found.pulls[0].pull.symptom is Symptom.UNKNOWN
    (where,) = found.unread
    assert where.startswith(f"pod shop/{POD} says only that it waits before it pulls {IMAGE} again")
    assert where.endswith(f"kubectl describe pod -n shop {POD} | pull-responder diagnose -")


def test_a_back_off_of_a_pod_without_a_name_names_none() -> None:
    made = pod(message=BARE)
    del made["metadata"]["name"]
    (where,) = seen(as_json(made)).unread
    assert where.startswith("pod (without a name) says only that it waits")
    assert where.endswith("kubectl describe pod -n shop NAME | pull-responder diagnose -")


def test_the_last_failure_of_an_image_counts() -> None:
    timeout = (
        f'Failed to pull image "{IMAGE}": failed to do request: Head "https://x": dial tcp 10.0.0.7:443: i/o timeout'
    )
    older, newer = event(timeout, last="2026-03-01T12:00:00Z"), event(last="2026-03-01T12:05:00Z")
    assert pull_of(as_json(listed(newer, older))).pull.symptom is Symptom.ACCESS_DENIED


def test_a_pull_that_has_succeeded_since_is_no_failure() -> None:
    since = event(f'Successfully pulled image "{IMAGE}" in 2.1s', reason="Pulled", last="2026-03-01T12:01:00Z")
    data = as_json(listed(event(), since))
    assert seen(data).pulls == ()
    assert f"pod shop/{POD} has pulled {IMAGE} since, at 2026-03-01T12:01:00Z" in said(data)


def test_events_of_a_pod_that_runs_are_over() -> None:
    data = as_json(listed(running(), event()))
    assert seen(data).pulls == ()
    assert said(data) == [f"pod shop/{POD} runs: all its images are pulled"]


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (running(), "runs: all its images are pulled"),
        (pod(reason="CrashLoopBackOff"), "waits for CrashLoopBackOff, not for an image"),
        (pod(reason="CreateContainerConfigError"), "waits for CreateContainerConfigError, not for an image"),
        (pod(reason="ContainerCreating"), "is being started, and no pull of its images has failed"),
        ({**pod(), "status": {"phase": "Succeeded"}}, "has ended, so it waits for no image"),
        ({**pod(), "spec": {}, "status": {"phase": "Pending"}}, "is on no node yet, so nothing was pulled"),
        (pod(reason="ErrImageNeverPull", message="Container image is not present with pull policy of Never"), "Never"),
        (pod(image="nginx:1", message='Back-off pulling image "nginx:1"'), "is not in Amazon ECR but in docker.io"),
    ],
)
def test_a_pod_without_a_failed_pull_is_skipped_with_a_word(made: dict[str, Any], words: str) -> None:
    (why,) = said(as_json(made))
    assert why.startswith(f"pod shop/{POD}")
    assert words in why


def test_many_pods_that_run_are_one_line() -> None:
    (why,) = said(as_json(listed(*(running(f"web-{at}") for at in range(2000)))))
    assert why == "2,000 pods run: all their images are pulled: shop/web-0, shop/web-1, shop/web-2 and 1,997 more"


@pytest.mark.parametrize(
    ("data", "why"),
    [
        pytest.param(b"", "the input is empty", id="nothing"),
        pytest.param(b" \n", "the input is empty", id="white space"),
        pytest.param(b"hello", "the input is no pod and no event: give what `kubectl get pod NAME -o json`", id="text"),
        pytest.param(b"kind: nothing", "neither Records (SQS, log file), detail", id="YAML of nothing"),
        pytest.param(
            b'{"kind": "Deployment", "apiVersion": "apps/v1"}', "the input is a Deployment, which does", id="x"
        ),
        pytest.param(
            as_json({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}}),
            "kubectl get pods -n shop -o json`, or ask about its images with --manifests",
            id="workload",
        ),
        pytest.param(b'{"kind": "Service", "apiVersion": "v1"}', "no pod and no event but Service", id="service"),
        pytest.param(
            b'{"kind": "Status", "apiVersion": "v1", "message": "pods is forbidden"}',
            "the input is the API server's error: pods is forbidden",
            id="status",
        ),
        pytest.param(
            pods_table("Running", "ImagePullBackOff", "Init:ErrImagePull").encode(),
            "is a table of pods, which does not say why shop/web-1, shop/web-2 cannot pull: "
            "kubectl get pods -n shop -o json | pull-responder diagnose -",
            id="table of pods",
        ),
        pytest.param(
            b'Error from server (NotFound): pods "web" not found',
            "an error of kubectl's: Error from server",
            id="error",
        ),
        pytest.param(
            f'Failed to pull image "{IMAGE}": {DENIED}'.encode(), "`pull-responder explain` says", id="message"
        ),
        pytest.param(described_job().encode(), "the input describes something other than pods: give what", id="job"),
        pytest.param(b'{"items": [1], "kind": "List"}', "holds an item that is not an object but a number", id="item"),
        pytest.param(b'{"kind": "Pod"', "the input is not JSON: ", id="cut off"),
        pytest.param(b"[" * 200_000, "nested too deeply", id="deep"),
        pytest.param(b"[" + b"0," * MOST_VALUES + b"0]", f"more than {MOST_VALUES} values", id="values"),
        pytest.param(b"kind: Pod\na: *b", "not usable as YAML", id="alias of nothing"),
        pytest.param(
            b"kind: Pod\na0: &a0 [x,x,x,x,x,x,x,x,x]\n"
            + b"".join(b"a%d: &a%d [%s]\n" % (n, n, b",".join([b"*a%d" % (n - 1)] * 9)) for n in range(1, 12)),
            "not usable as YAML",
            id="billion laughs",
        ),
        pytest.param(b"kind: Pod\na: " + b"[" * 5000, "not usable as YAML", id="deep YAML"),
    ],
)
def test_what_cannot_be_used_is_one_line_that_says_what_to_give(data: bytes, why: str) -> None:
    with pytest.raises(UnusableEvent) as raised:
        read_bytes(data)
    assert why in str(raised.value)
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 600


def test_a_table_of_pods_that_all_have_their_images_is_skipped() -> None:
    assert said(pods_table("Running", "Completed")) == ["a table of pods, none of which waits for its image"]


def test_an_empty_list_is_skipped() -> None:
    assert said(as_json(listed())) == ["there is no pod and no event in it"]


def test_five_thousand_pods_are_read_with_their_messages_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    told = f'Back-off pulling image "{IMAGE}": ErrImagePull: read tcp 10.0.%d.%d:%d->10.0.0.1:443: i/o timeout'
    pods = [pod(f"web-{at}", message=told % (at // 250, at % 250, 1024 + at)) for at in range(5000)]
    reads: list[PodFailure] = []
    real = PodFailure.pull

    def count(of_pod: PodFailure) -> PullFailure | Skipped:
        reads.append(of_pod)
        return real(of_pod)

    monkeypatch.setattr(PodFailure, "pull", count)
    found = seen(json.dumps(listed(*pods)).encode()).pulls
    assert len(found) == 5000
    assert len(reads) < 10
    assert {each.pull.symptom for each in found} == {Symptom.TIMEOUT}


KEYS = (
    *("metadata", "spec", "status", "items", "kind", "name", "namespace", "containers", "containerStatuses", "state"),
    *("waiting", "reason", "message", "image", "involvedObject", "regarding", "note", "source", "labels", "x"),
)
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=30)
    | st.sampled_from([BARE, DENIED, IMAGE, "Pod", "Event"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=6,
        )
    ),
    max_leaves=25,
)


def refusal(data: bytes) -> str:
    """Why an input is refused; empty where it is read. Nothing else is raised."""
    try:
        read_bytes(data)
    except UnusableEvent as error:
        return str(error)
    return ""


@given(JSON, st.sampled_from(["Pod", "List", "PodList", "Event", "EventList", "Node", "ServiceAccount", "Deployment"]))
def test_any_object_is_read_or_refused_with_one_line(document: object, kind: str) -> None:
    made = (
        {"apiVersion": "v1", "kind": kind, **document}
        if isinstance(document, dict)
        else {"kind": kind, "items": document}
    )
    for data in (json.dumps(made).encode(), yaml.safe_dump(made, allow_unicode=True).encode()):
        assert refusal(data).isprintable()


@given(
    st.lists(st.sampled_from(described().split("\n") + events_table(wide=True).split("\n") + ["\x1b]0;x\x07", "Name:"]))
)
def test_any_lines_are_read_or_refused_with_one_line(lines: list[str]) -> None:
    assert refusal("\n".join(lines).encode()).isprintable()


def test_messages_that_would_take_too_long_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pull_responder.cli.kubectl.pod.MOST_CHARACTERS", 1000)
    pods = [pod(f"web-{at}", message=f"{WITH_REASON} {at}") for at in range(9)]
    found = seen(as_json(listed(*pods, event(f"Failed: {DENIED} of another"))))
    assert len(found.pulls) < 9
    assert found.unread == (
        f"{10 - len(found.pulls)} more messages were not read, as there are too many: give fewer pods",
    )
