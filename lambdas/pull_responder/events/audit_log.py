"""Read Kubernetes audit records from a CloudWatch Logs subscription. Find the containers that wait for an image.

A kubelet patches `pods/status` to report why a container waits. The audit policy of Amazon EKS logs these patches with
the request (EKS Best Practices Guides, "Detective controls": level Request for `pods/status` by system:nodes). A patch
contains the complete lists of container statuses, because PodStatus has no merge key for them (kubernetes/api, core/v1
types.go: "+listType=atomic").
A public EKS record about a killed container (README of https://github.com/overdrive3000/go-lambda-eks-logs) has the
level Request and the statuses in `requestObject`. Inference: a record about a waiting container has the same form.

The payload: CloudWatch Logs User Guide, "Subscription filters with AWS Lambda". The reasons: kubernetes
pkg/kubelet/images/types.go.
"""

from __future__ import annotations

import base64
import re
import zlib
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pull_responder.events import fields, kubernetes_names, names
from pull_responder.events.image_reference import RegistryKind
from pull_responder.events.json_text import read_json
from pull_responder.events.kubelet_message import read_message
from pull_responder.events.outcome import UnusableEvent
from pull_responder.events.pod_failure import PodFailure, clean, image_text, principal_arn
from pull_responder.model.pull import Symptom

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SIGNATURE: Final = "SignatureValidationFailed"
REASONS: Final = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "RegistryUnavailable", SIGNATURE})
"""The reasons of a waiting container whose image could not be pulled."""

UNASKED_REASONS: Final = frozenset({"ErrImageNeverPull", "ImageInspectError"})
"""The reasons of a waiting container for whose image kubelet asked no registry."""

SIZE_LIMIT: Final = 16 * 1024 * 1024
"""The largest batch that is read, in bytes after decompression. CloudWatch Logs sends at most a megabyte."""

_STATUS_LISTS: Final = ("initContainerStatuses", "containerStatuses", "ephemeralContainerStatuses")
_NODE_PREFIX: Final = "system:node:"
_NODES: Final = "system:nodes"
_PREFIX, _SUFFIX = "/aws/eks/", "/cluster"
_GZIP: Final = 16 + zlib.MAX_WBITS
_DELIVERED: Final = re.compile(r'\s*+\{\s*+"awslogs"')


class Dropped(StrEnum):
    """Why something in a batch is not passed on."""

    UNREADABLE = "unreadable"  # records that are cut off or not JSON
    UNASKED = "image that is not on its node, or that the node could not look for: no registry was asked"
    OTHER_RECORD = "other record"  # records that match the filter but report no waiting container
    NOT_IN_ECR = "no image in ECR"
    BACK_OFF = "back-off without a reason"
    REPEAT = "repeat"


@dataclass(frozen=True, slots=True)
class AuditBatch:
    """The result of one batch.

    - `failures`: each failed pull of each pod once.
    - `records`: the number of records in the batch.
    - `dropped`: how many records or containers were dropped, by reason.
    - `cluster`: the cluster by the name of the log group; None if that is not a cluster's.
    """

    failures: tuple[PodFailure, ...]
    records: int
    dropped: Mapping[Dropped, int]
    cluster: str | None = None


def read_log_batch(event: Mapping[str, object], *, account: str | None) -> AuditBatch:
    """Read a batch that a subscription delivers.

    `account` is the function's own. None, as in the terminal, means the owner that the batch names. Raises
    UnusableEvent if the batch cannot be read. Single records that cannot be read are only counted.
    """
    document = unpack(fields.text(event, "awslogs", "data"), where="awslogs.data")
    if is_control_message(document):
        return AuditBatch((), 0, {})
    return read_log_document(document, account=account or names.account(document.get("owner")))


def is_control_message(document: Mapping[str, object]) -> bool:
    """Return whether a batch only tests that its receiver can be reached."""
    return fields.text(document, "messageType") == "CONTROL_MESSAGE"


def read_log_document(document: Mapping[str, object], *, account: str | None) -> AuditBatch:
    """Read an unpacked batch. `account` is the cluster's. Single records that cannot be read are only counted."""
    cluster = _cluster(fields.text(document, "logGroup"))
    dropped: Counter[Dropped] = Counter()
    failures: dict[object, PodFailure] = {}
    records = fields.items(document, "logEvents")
    for each in records:
        record = _record(fields.text(each, "message"))
        if record is None:
            dropped[Dropped.UNREADABLE] += 1
            continue
        waiting = list(_waiting_containers(record, account=account, cluster=cluster))
        if not waiting:
            reasons = {fields.text(each, "state", "waiting", "reason") for each in _containers(record)}
            dropped[Dropped.UNASKED if reasons & UNASKED_REASONS else Dropped.OTHER_RECORD] += 1
        for failure in waiting:
            # Read once: a message of thousands of links takes a tenth of a second.
            parsed = read_message(failure.message)
            if reason := _drop_reason(failure, parsed.symptom):
                dropped[reason] += 1
                continue
            # Each pod is told, as they are counted: fifty replicas on one node are fifty pods.
            pod = (failure.cluster, failure.node, failure.namespace, failure.pod)
            key = (*pod, failure.image, parsed.symptom, parsed.stage)
            dropped[Dropped.REPEAT] += key in failures
            failures.setdefault(key, failure)
    counted = {why: count for why, count in dropped.items() if count}
    return AuditBatch(tuple(failures.values()), len(records), counted, cluster)


def is_batch(body: str) -> bool:
    """Return whether a message of the queue is a whole batch: a dead letter of the function `audit_log`."""
    return _DELIVERED.match(body) is not None


def events_of_batch(body: str, *, account: str | None, region: str) -> list[str]:
    """Return the bodies of the events in a batch, as CloudWatch Logs delivered it.

    `account` and `region` are the function's. Raises UnusableEvent if the batch cannot be read.
    """
    document = read_json(body, where="body")
    if not isinstance(document, dict):
        raise UnusableEvent("body", f"is not an event but {fields.kind(document)}")
    return [failure.body(region=region) for failure in read_log_batch(document, account=account).failures]


def unpack(data: str, *, where: str) -> Mapping[str, object]:
    """Return the document in base64 of gzip. Raises UnusableEvent, which names `where`, also if it is too long."""
    unpacking = zlib.decompressobj(_GZIP)
    try:
        text = unpacking.decompress(base64.b64decode(data, validate=True), SIZE_LIMIT)
    except (ValueError, zlib.error) as error:  # binascii.Error is a ValueError, and so is the error for non-ASCII text
        raise UnusableEvent(where, f"is not base64 of gzip: {error}") from None
    if not unpacking.eof:
        problem = "is cut off" if len(text) < SIZE_LIMIT else f"has more than {SIZE_LIMIT} bytes"
        raise UnusableEvent(where, problem)
    document = read_json(_utf8(text, where), where=where)
    if not isinstance(document, dict):
        raise UnusableEvent(where, "is not a JSON object")
    return document


def _utf8(text: bytes, where: str) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError as error:
        raise UnusableEvent(where, f"is not UTF-8 at byte {error.start}") from None


def _record(text: str) -> Mapping[str, object] | None:
    try:
        record = read_json(text, where="message")
    except UnusableEvent:
        return None
    return record if isinstance(record, dict) else None


def _cluster(log_group: str) -> str | None:
    if log_group.startswith(_PREFIX) and log_group.endswith(_SUFFIX):
        return kubernetes_names.cluster(log_group[len(_PREFIX) : -len(_SUFFIX)])
    return None


def _waiting_containers(
    record: Mapping[str, object], *, account: str | None, cluster: str | None
) -> Iterator[PodFailure]:
    """Yield the containers that wait for their images, if the record is a kubelet's accepted patch of a pod status."""
    user = fields.mapping(record, "user")
    for container in _containers(record):
        waiting = fields.mapping(container, "state", "waiting")
        reason, said = fields.text(waiting, "reason"), fields.text(waiting, "message")
        if reason not in REASONS:
            continue
        yield PodFailure(
            account=account,
            message=clean(said or (reason if reason == SIGNATURE else "")),
            image=image_text(fields.text(container, "image")),
            cluster=cluster,
            namespace=kubernetes_names.object_name(fields.text(record, "objectRef", "namespace")),
            pod=kubernetes_names.object_name(fields.text(record, "objectRef", "name")),
            container=kubernetes_names.object_name(fields.text(container, "name")),
            node=kubernetes_names.object_name(fields.text(user, "username").removeprefix(_NODE_PREFIX)),
            principal_arn=_session(fields.mapping(user, "extra")),
            time=names.time(record.get("requestReceivedTimestamp")),
            event_id=names.event_id(record.get("auditID")),
        )


def _containers(record: Mapping[str, object]) -> Iterator[object]:
    """Yield the statuses of a pod's containers, if the record is a kubelet's accepted patch of a pod status."""
    if _is_status_patch(record):
        status = fields.mapping(record, "requestObject", "status")
        for name in _STATUS_LISTS:
            yield from fields.items(status, name)


def _is_status_patch(record: Mapping[str, object]) -> bool:
    """Whether a node sent the patch and the API server accepted it. Anybody can send a patch that is refused."""
    target, user = fields.mapping(record, "objectRef"), fields.mapping(record, "user")
    code = fields.mapping(record, "responseStatus").get("code")
    return (
        (target.get("resource"), target.get("subresource")) == ("pods", "status")
        and fields.text(record, "verb") in {"patch", "update"}
        and fields.text(user, "username").startswith(_NODE_PREFIX)
        and _NODES in fields.items(user, "groups")
        and code in (None, 200)
    )


def _session(extra: Mapping[str, object]) -> str | None:
    """The node's session ARN, which the API server's authenticator records with the user, in a list of one."""
    arns = extra.get("arn")
    return principal_arn(arns[0] if isinstance(arns, list) and arns else arns)


def _drop_reason(failure: PodFailure, symptom: Symptom) -> Dropped | None:
    image = failure.reference()
    if image is None or image.kind is RegistryKind.OTHER:
        return Dropped.NOT_IN_ECR
    # A back-off without a reason only says that an attempt failed. The record of that attempt has the reason.
    is_bare = symptom is Symptom.UNKNOWN and ": " not in failure.message
    return Dropped.BACK_OFF if is_bare and failure.message.startswith("Back-off pulling image") else None
