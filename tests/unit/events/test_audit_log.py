"""Audit records of kubelets: the pulls that they report; a bad record does not stop the others."""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pull_responder.events import audit_log
from pull_responder.events.audit_log import AuditBatch, Dropped, events_of_batch, is_batch, read_log_batch
from pull_responder.events.intake import Inspection, Origins, Skipped, UnusableEvent, read_body, read_text
from pull_responder.events.json_text import MOST_VALUES
from pull_responder.events.kubelet_message import KubeletMessage, read_message
from pull_responder.events.no_reason import NoReason
from pull_responder.events.pod_failure import MESSAGE_LIMIT
from pull_responder.model.pull import PullFailure, Stage, Symptom
from tests.unit.events.audit_records import IMAGE, RECORD, REGISTRY, container, delivered, document, packed, record

OURS = "111111111111"


def read(*records: dict[str, Any] | str, **changed: Any) -> AuditBatch:  # noqa: ANN401 -- JSON
    return read_log_batch(delivered(*records, **changed), account=OURS)


def through_the_queue(batch: AuditBatch) -> list[PullFailure | Inspection | Skipped]:
    return [read_body(each.body(region="eu-west-1"), origins=Origins(OURS)) for each in batch.failures]


def test_a_waiting_container_becomes_a_pull_with_pod_node_role_and_what_kubelet_said() -> None:
    batch = read(RECORD)
    assert (batch.records, batch.dropped) == (1, {})
    (pull,) = through_the_queue(batch)
    assert isinstance(pull, PullFailure)
    assert (pull.symptom, pull.stage) == (Symptom.ACCESS_DENIED, Stage.MANIFEST)
    assert pull.image == IMAGE
    assert (pull.cluster, pull.namespace, pull.pod) == ("prod", "shop", "web-7c9d8b5f6-x2x9k")
    assert pull.node == "ip-10-0-1-23.ec2.internal"
    assert pull.principal
    assert (pull.principal.account, pull.principal.name) == (OURS, "workers")
    assert pull.principal.instance_id == "i-0123456789abcdef0"
    assert pull.message
    assert pull.message.endswith("403 Forbidden")
    assert (pull.account, pull.observed_at, pull.event_id) == (OURS, "2026-03-01T12:00:00Z", RECORD["auditID"])


@pytest.mark.parametrize(
    "host", ["111111111111.dkr.ecr-fips.us-east-1.amazonaws.com", "111111111111.dkr-ecr.us-east-1.on.aws"]
)
def test_the_host_that_the_pod_names_is_kept(host: str) -> None:
    (pull,) = through_the_queue(read(record(container(f"{host}/shop/web:v1"))))
    assert isinstance(pull, PullFailure)
    assert (pull.registry_host, pull.image) == (host, f"{host}/shop/web:v1")


@pytest.mark.parametrize("listed", ["initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses"])
def test_containers_of_every_kind_are_seen(listed: str) -> None:
    status = {listed: [{"state": {"running": {}}}, container(f"{REGISTRY}/init:v1")]}
    (failure,) = read(record(requestObject={"status": status})).failures
    assert failure.image == f"{REGISTRY}/init:v1"


def test_the_account_is_the_functions_whoever_the_log_says_it_belongs_to() -> None:
    (failure,) = read(RECORD, owner="222222222222").failures
    assert failure.account == OURS


USER = RECORD["user"]
OBJECT = RECORD["objectRef"]


@pytest.mark.parametrize(
    ("what", "other"),
    [
        ("a read", record(verb="get")),
        ("a pod itself", record(objectRef={**OBJECT, "subresource": None})),
        ("a node's status", record(objectRef={**OBJECT, "resource": "nodes"})),
        ("a patch by a user who calls itself a node", record(user={**USER, "groups": ["system:authenticated"]})),
        ("a patch by a controller", record(user={**USER, "username": "system:serviceaccount:kube-system:x"})),
        ("a patch that was refused", record(responseStatus={"code": 403})),
        ("no request", record(requestObject=None)),
        ("containers that are no list", record(requestObject={"status": {"containerStatuses": {"a": 1}}})),
        ("a crash loop", record(container(reason="CrashLoopBackOff"))),
        ("a container that runs", record({"name": "web", "image": IMAGE, "state": {"running": {}}})),
    ],
)
def test_what_is_no_kubelets_report_of_a_waiting_container_is_counted(what: str, other: dict[str, Any]) -> None:
    batch = read(other, RECORD)
    assert len(batch.failures) == 1, what
    assert batch.dropped == {Dropped.OTHER_RECORD: 1}, what


def test_each_record_that_is_not_passed_on_is_counted() -> None:
    batch = read(
        *[record(verb="get")] * 3,
        *[record(container("nginx", message="Back-off"))] * 2,
        *[record(container(reason="ErrImageNeverPull"))] * 2,
        RECORD,
    )
    assert (batch.records, len(batch.failures)) == (8, 1)
    assert batch.dropped == {Dropped.OTHER_RECORD: 3, Dropped.NOT_IN_ECR: 2, Dropped.UNASKED: 2}
    assert [each.value for each in batch.dropped] == [
        "other record",
        "no image in ECR",
        "image that is not on its node, or that the node could not look for: no registry was asked",
    ]


@pytest.mark.parametrize(
    ("reason", "message"), [("SignatureValidationFailed", "SignatureValidationFailed"), ("ErrImagePull", "")]
)
def test_a_container_that_waits_without_words_has_those_of_its_reason_where_they_say_why(
    reason: str, message: str
) -> None:
    (failure,) = read(record(container(message="", reason=reason))).failures
    assert failure.message == message


@pytest.mark.parametrize("reason", ["ErrImageNeverPull", "ImageInspectError"])
def test_an_image_that_no_registry_was_asked_for_is_counted_by_itself(reason: str) -> None:
    batch = read(record(container(reason=reason)), RECORD)
    assert len(batch.failures) == 1
    assert batch.dropped == {Dropped.UNASKED: 1}


def test_a_pull_whose_message_says_that_no_registry_was_asked_is_skipped_with_a_word() -> None:
    batch = read(record(container(message=f'Container image "{IMAGE}" is not present with pull policy of Never')))
    (skipped,) = through_the_queue(batch)
    assert skipped == Skipped(f"a failing pod whose message {NoReason.NEVER_PULLED}")


@pytest.mark.parametrize(
    "image",
    ["nginx", "ghcr.io/shop/web:v1", f"{REGISTRY}.example.com/a:b", "not an image", ""],
)
def test_an_image_of_another_registry_is_dropped(image: str) -> None:
    batch = read(record(container(image, message="Back-off")))
    assert batch.failures == ()
    assert batch.dropped == {Dropped.NOT_IN_ECR: 1}


PUBLIC = "public.ecr.aws/nginx/nginx:1"


def test_an_image_of_ecr_public_is_passed_on() -> None:
    said = 'Head "https://public.ecr.aws/v2/nginx/nginx/manifests/1": dial tcp 75.2.101.78:443: i/o timeout'
    batch = read(record(container(PUBLIC, message=said)))
    (pull,) = through_the_queue(batch)
    assert isinstance(pull, PullFailure)
    assert (pull.symptom, pull.image, pull.from_ecr_public) == (Symptom.TIMEOUT, PUBLIC, True)
    # Its registry has no region: what counts is where the cluster is.
    assert (pull.region, pull.registry_account, pull.repository_arn) == ("eu-west-1", None, None)


def test_a_reference_that_is_spelt_wrong_is_passed_on_and_said() -> None:
    batch = read(record(container(f"{REGISTRY}/Shop/Web:v1", message="x: invalid", reason="InvalidImageName")))
    (skipped,) = through_the_queue(batch)
    assert isinstance(skipped, Skipped)
    assert skipped.reason.startswith(f"the image reference {REGISTRY}/Shop/Web:v1 is wrong: ")


def test_repeats_of_a_pull_in_a_batch_are_dropped_and_other_nodes_are_kept() -> None:
    other_node = record(user={**USER, "username": "system:node:ip-10-0-2-9.ec2.internal"})
    batch = read(RECORD, RECORD, other_node)
    assert [each.node for each in batch.failures] == ["ip-10-0-1-23.ec2.internal", "ip-10-0-2-9.ec2.internal"]
    assert batch.dropped == {Dropped.REPEAT: 1}


def test_fifty_replicas_on_one_node_are_fifty_pods() -> None:
    replicas = [record(objectRef={**OBJECT, "name": f"web-7c9d8b5f6-{number}"}) for number in range(50)]
    elsewhere = record(objectRef={**OBJECT, "namespace": "test", "name": "web-7c9d8b5f6-0"})
    batch = read(*replicas, *replicas, elsewhere)
    assert len({(each.namespace, each.pod) for each in batch.failures}) == len(batch.failures) == 51
    assert {each.node for each in batch.failures} == {"ip-10-0-1-23.ec2.internal"}
    assert batch.dropped == {Dropped.REPEAT: 50}


def test_a_back_off_is_taken_for_the_reason_it_gives_and_dropped_without() -> None:
    bare = record(container(message=f'Back-off pulling image "{IMAGE}"', reason="ImagePullBackOff"))
    telling = f'Back-off pulling image "{IMAGE}": ErrImagePull: failed to resolve reference: dial tcp: i/o timeout'
    batch = read(bare, record(container(message=telling, reason="ImagePullBackOff")))
    assert [each.message for each in batch.failures] == [telling]
    assert batch.dropped == {Dropped.BACK_OFF: 1}


def test_fifty_containers_of_one_pod() -> None:
    batch = read(record(*(container(f"{REGISTRY}/shop/{number}:v1") for number in range(50))))
    assert [each.image for each in batch.failures] == [f"{REGISTRY}/shop/{number}:v1" for number in range(50)]


def test_records_that_are_cut_are_counted_and_the_rest_goes_on() -> None:
    whole = json.dumps(RECORD)
    batch = read(whole[:700], whole, "", "[]", '"text"', "{" * 5000, "NaN")
    assert len(batch.failures) == 1
    assert (batch.records, batch.dropped) == (7, {Dropped.UNREADABLE: 6})


def test_a_batch_of_256_kilobytes() -> None:
    records = [record(container(f"{REGISTRY}/shop/web:v{number}")) for number in range(200)]
    assert len(json.dumps(document(*records))) > 256 * 1024
    assert len(read(*records).failures) == 200


SECRET = (
    "https://prod-us-east-1-starport-layer-bucket.s3.amazonaws.com/x?X-Amz-Signature=0123456789abcdef0123456789abcdef"
)


@pytest.mark.parametrize(
    "message",
    [
        "\x1b[31mred\x1b[0m \x00\x07 text",
        "line\r\nbreak\u2028separator",
        "<script>alert(1)</script>",
        "\u202eright to left \u200b",
        "не удалось загрузить образ: 拉取失败",
        f"failed: {SECRET}",
        "x" * 1_000_000,
        ": " * 100_000,
        '"' * 50_000,
    ],
)
def test_a_hostile_message_is_one_bounded_line_without_secrets(message: str) -> None:
    (failure,) = read(record(container(message=message))).failures
    assert len(failure.message) <= MESSAGE_LIMIT
    assert failure.message.isprintable()
    assert "0123456789abcdef0123" not in failure.message
    assert len(failure.body(region="us-east-1")) < 64 * 1024
    (pull,) = through_the_queue(read(record(container(message=message))))
    assert isinstance(pull, PullFailure)
    assert pull.symptom is Symptom.UNKNOWN


NAMES = ("namespace", "name")


@pytest.mark.parametrize("name", ["a b", "A", "x" * 254, "\x1b[31m", "-a", "<b>", 7, None, ["a"]])
def test_names_that_kubernetes_does_not_allow_are_left_out(name: object) -> None:
    (failure,) = read(record(objectRef={**OBJECT, "namespace": name, "name": name})).failures
    assert (failure.namespace, failure.pod) == (None, None)


@pytest.mark.parametrize(
    "arns", [None, [], [7], "no arn", ["arn:aws:s3:::bucket"], ["arn:aws:sts::1:x"], {"0": "x"}, [["x"]]]
)
def test_a_session_that_is_none_is_left_out(arns: object) -> None:
    (failure,) = read(record(user={**USER, "extra": {**USER["extra"], "arn": arns}})).failures
    assert failure.principal_arn is None


@pytest.mark.parametrize(
    "log_group", ["/aws/eks/../cluster", "/aws/eks//cluster", "/aws/lambda/x", "", "/aws/eks/a b/cluster"]
)
def test_a_log_group_of_no_cluster_names_none(log_group: str) -> None:
    (failure,) = read(RECORD, logGroup=log_group).failures
    assert failure.cluster is None


def test_a_control_message_holds_nothing() -> None:
    assert read(RECORD, messageType="CONTROL_MESSAGE") == AuditBatch((), 0, {})


WHOLE = gzip.compress(json.dumps(document(RECORD)).encode())


@pytest.mark.parametrize(
    ("event", "problem"),
    [
        (packed(WHOLE[:-20]), "awslogs.data is cut off"),
        (packed(b""), "awslogs.data is cut off"),
        (
            packed(b"no gzip"),
            "awslogs.data is not base64 of gzip: Error -3 while decompressing data: incorrect header check",
        ),
        ({"awslogs": {"data": "%%%"}}, "awslogs.data is not base64 of gzip: Only base64 data is allowed"),
        (
            {"awslogs": {"data": "\u00e9"}},
            "awslogs.data is not base64 of gzip: string argument should contain only ASCII characters",
        ),
        ({"awslogs": None}, "awslogs.data is cut off"),
        (
            packed(zlib.compress(b"{}")),
            "awslogs.data is not base64 of gzip: Error -3 while decompressing data: incorrect header check",
        ),
        (packed(gzip.compress(b"[]")), "awslogs.data is not a JSON object"),
        (packed(gzip.compress(b"[" * 100_000)), "awslogs.data is not usable: its JSON is nested too deeply"),
        (
            packed(gzip.compress(b"[" + b"[]," * 5_000_000 + b"[]]")),
            "awslogs.data is not usable: its JSON has more than 100000 values",
        ),
        (packed(gzip.compress(b'"\xff"')), "awslogs.data is not UTF-8 at byte 1"),
        (packed(gzip.compress(b" " * (17 * 1024 * 1024))), "awslogs.data has more than 16777216 bytes"),
    ],
)
def test_a_batch_that_cannot_be_read_is_unusable(event: dict[str, Any], problem: str) -> None:
    with pytest.raises(UnusableEvent) as raised:
        read_log_batch(event, account=OURS)
    assert str(raised.value) == problem


def test_a_delivery_in_a_file_is_read_too() -> None:
    pull, dropped = read_text(json.dumps(delivered(RECORD, RECORD)))
    assert isinstance(pull, PullFailure)
    assert (pull.account, pull.pod) == (OURS, "web-7c9d8b5f6-x2x9k")
    assert dropped == Skipped("1 in the batch: repeat")


def test_our_event_of_another_account_is_skipped() -> None:
    (failure,) = read(RECORD).failures
    foreign = replace(failure, account="222222222222").body(region="eu-west-1")
    assert read_body(foreign, origins=Origins(OURS)) == Skipped("an event of account 222222222222, not of our own")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["ErrImagePull", "patch", IMAGE]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["state", "waiting", "reason", "status", "image", "arn", "user"]), inner)
    ),
    max_leaves=12,
)


@given(st.sampled_from(sorted(RECORD)), JSON)
def test_any_field_may_hold_anything(field: str, value: object) -> None:
    batch = read(record(**{field: value}), RECORD)
    assert len(batch.failures) in {1, 2}
    assert all(isinstance(each, PullFailure | Skipped) for each in through_the_queue(batch))


def test_a_policy_that_logs_the_answer_too_changes_nothing() -> None:
    answered = record(level="RequestResponse", responseObject={"kind": "Pod", "status": {"phase": "Pending"}})
    assert read(answered).failures == read(RECORD).failures


def test_a_record_of_too_many_values_is_unreadable_and_the_next_is_read() -> None:
    batch = read('{"kind": [' + "[]," * MOST_VALUES + "[]]}", RECORD)
    assert batch.dropped == {Dropped.UNREADABLE: 1}
    assert len(batch.failures) == 1


def test_each_message_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def count(text: str) -> KubeletMessage:
        seen.append(text)
        return read_message(text)

    monkeypatch.setattr(audit_log, "read_message", count)
    (failure,) = read(record(container(message="a: " * 2_000))).failures
    assert seen == [failure.message]


@pytest.mark.parametrize(
    ("what", "other"),
    [
        ("an update", record(verb="update")),
        ("a record without its answer", record(responseStatus=None)),
        ("an answer without its code", record(responseStatus={"metadata": {}})),
    ],
)
def test_a_node_may_report_in_other_ways(what: str, other: dict[str, Any]) -> None:
    assert read(other).failures == read(RECORD).failures, what


def test_a_session_may_stand_without_a_list() -> None:
    arn = USER["extra"]["arn"][0]
    (failure,) = read(record(user={**USER, "extra": {"arn": arn}})).failures
    assert failure.principal_arn == arn


@pytest.mark.parametrize(
    ("log_group", "cluster"),
    [
        ("/aws/eks/prod/cluster", "prod"),
        ("/aws/eks/prod/other", None),
        ("/aws/other/prod/cluster", None),
        ("/aws/eks/cluster", None),
    ],
)
def test_the_cluster_is_named_by_the_whole_log_group(log_group: str, cluster: str | None) -> None:
    (failure,) = read(RECORD, logGroup=log_group).failures
    assert failure.cluster == cluster


def test_a_failure_has_all_that_the_record_says() -> None:
    (failure,) = read(RECORD).failures
    waiting = RECORD["requestObject"]["status"]["containerStatuses"][0]
    assert (failure.container, failure.pod, failure.namespace) == (waiting["name"], OBJECT["name"], "shop")
    assert (failure.time, failure.event_id) == ("2026-03-01T12:00:00Z", RECORD["auditID"])


def test_one_pods_other_images_and_other_failures_are_told_apart() -> None:
    timeout = f'failed to do request: Head "https://{REGISTRY}/v2/": dial tcp 10.0.0.9:443: i/o timeout'
    other = f"{REGISTRY}/shop/other:v1"
    batch = read(record(container()), record(container(message=timeout)), record(container(other)), record(container()))
    assert len(batch.failures) == 3
    assert batch.dropped == {Dropped.REPEAT: 1}


def test_what_is_dropped_does_not_keep_the_rest_of_its_record_back() -> None:
    batch = read(record(container("nginx", message="Back-off"), container()))
    assert [each.image for each in batch.failures] == [IMAGE]
    assert batch.dropped == {Dropped.NOT_IN_ECR: 1}


@pytest.mark.parametrize(
    ("message", "is_kept"),
    [
        (f'Back-off pulling image "{IMAGE}"', False),
        # One that says more than that it backs off, or nothing that is known.
        (f'Back-off pulling image "{IMAGE}": no one knows why', True),
        ("no one knows why", True),
    ],
)
def test_only_a_bare_back_off_is_dropped(message: str, *, is_kept: bool) -> None:
    batch = read(record(container(message=message)))
    assert (len(batch.failures), batch.dropped) == ((1, {}) if is_kept else (0, {Dropped.BACK_OFF: 1}))


def test_the_owner_of_the_log_is_the_account_where_none_is_given() -> None:
    (failure,) = read_log_batch(delivered(RECORD, owner="222222222222"), account=None).failures
    assert failure.account == "222222222222"
    (unknown,) = read_log_batch(delivered(RECORD, owner="me"), account=None).failures
    assert unknown.account is None


def test_a_dead_letter_is_known_and_becomes_the_events_that_it_would_have_been() -> None:
    body = json.dumps(delivered(RECORD))
    assert is_batch(body)
    assert is_batch(f" \n{body}")
    (failure,) = read(RECORD).failures
    (event,) = events_of_batch(body, account=OURS, region="eu-west-1")
    assert event == failure.body(region="eu-west-1")
    assert json.loads(event)["region"] == "eu-west-1"
    assert not is_batch(event)
    with pytest.raises(UnusableEvent, match=r"^body is not an event but a list$"):
        events_of_batch("[]", account=OURS, region="eu-west-1")
    with pytest.raises(UnusableEvent, match=r"^body is not JSON"):
        events_of_batch("{", account=OURS, region="eu-west-1")


def test_a_batch_of_sixteen_mebibytes_and_one_byte_is_too_long() -> None:
    with pytest.raises(UnusableEvent, match="has more than 16777216 bytes"):
        read_log_batch(packed(gzip.compress(b" " * (16 * 1024 * 1024 + 1))), account=OURS)


@pytest.mark.parametrize(
    "reason",
    ["ErrImagePull", "ImagePullBackOff", "InvalidImageName", "RegistryUnavailable", "SignatureValidationFailed"],
)
def test_the_reasons_of_a_container_that_waits_for_its_image(reason: str) -> None:
    assert len(read(record(container(reason=reason))).failures) == 1


def test_a_person_reads_why_a_batch_gives_nothing() -> None:
    records = ("{", record(verb="get"), record(container(message=f'Back-off pulling image "{IMAGE}"')), RECORD, RECORD)
    assert set(read_text(json.dumps(delivered(*records)))[1:]) == {
        Skipped("1 in the batch: unreadable"),
        Skipped("1 in the batch: other record"),
        Skipped("1 in the batch: back-off without a reason"),
        Skipped("1 in the batch: repeat"),
    }


@pytest.mark.parametrize(
    ("size", "problem"), [(50, "is not JSON: .*"), (101, "has more than 100 bytes"), (300, "has more than 100 bytes")]
)
def test_a_batch_beyond_the_limit_is_not_called_cut_off(
    monkeypatch: pytest.MonkeyPatch, size: int, problem: str
) -> None:
    assert audit_log.SIZE_LIMIT == 16_777_216
    monkeypatch.setattr(audit_log, "SIZE_LIMIT", 100)
    with pytest.raises(UnusableEvent, match=rf"^awslogs\.data {problem}$"):
        read_log_batch(packed(gzip.compress(b" " * size)), account=OURS)
