"""Read any event that a deployed function accepts, from the queue or from a file at the terminal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pull_responder.events import fields, names, pod_failure, pull_through_cache_action, sender, trial
from pull_responder.events.audit_log import AuditBatch, read_log_batch
from pull_responder.events.cloudtrail import read_envelope, read_record
from pull_responder.events.eks_change import CLOCK_SOURCE, EKS_SOURCE, Inspection, read_eks_change, read_schedule
from pull_responder.events.eks_event import is_eks_event, read_eks_event
from pull_responder.events.json_text import read_json
from pull_responder.events.kubernetes_event import read_kubernetes_event
from pull_responder.events.log_stream import is_of_stream, read_stream_record
from pull_responder.events.outcome import Skipped, UnusableEvent
from pull_responder.model.pull import PrincipalKind, PullFailure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Inspection", "Origins", "Skipped", "UnusableEvent", "distinct", "read_body", "read_event", "read_text"]

ANY_SOURCE: Final = "*"


@dataclass(frozen=True, slots=True)
class Origins:
    """The accepted origins of events.

    - `account`: our own account. Kubernetes events of other accounts are skipped. None accepts any account.
    - `forwarded_source`: the source of forwarded Kubernetes events. None accepts none; ANY_SOURCE accepts any source.
    - `organization`: whether other accounts of our organization send events. Then Kubernetes events of other accounts
      count, about what is in the account that sent them, and an event that names another account than its sender's is
      refused.
    - `region`: our own region. None if it does not matter.
    """

    account: str | None = None
    forwarded_source: str | None = None
    organization: bool = False
    region: str | None = None


# A file at the terminal: its user vouches for it.
_FILE_ORIGINS: Final = Origins(forwarded_source=ANY_SOURCE)


def read_text(text: str) -> list[PullFailure | Inspection | Skipped]:
    """Read an event from JSON text; see read_event. Raises UnusableEvent, with line and column of malformed JSON."""
    return read_event(read_json(text, where="the input"))


def read_body(body: str, *, origins: Origins, where: str = "body") -> PullFailure | Inspection | Skipped:
    """Read the body of one SQS message: an event of EventBridge, or the event that our function `audit_log` makes
    of an audit record.

    An event that does not come from `origins` is skipped, or refused if it lies about who sent it. Raises
    UnusableEvent, which names the message as `where`.
    """
    return read_document(read_json(body, where=where), origins=origins, where=where)


def read_document(envelope: object, *, origins: Origins, where: str = "body") -> PullFailure | Inspection | Skipped:
    """Read the body of a message after its JSON was parsed; see read_body."""
    if not isinstance(envelope, dict):
        raise UnusableEvent(where, f"is not an event but {fields.kind(envelope)}")
    if "detail" not in envelope:
        raise UnusableEvent(where, "is not an EventBridge event: it has no detail")
    if origins.organization and (refused := sender.refusal(envelope)):
        return refused
    return _read_envelope(envelope, origins=origins, where=where)


def read_event(document: object) -> list[PullFailure | Inspection | Skipped]:
    """Read a document with one or more events, and return the results in order.

    It may be an EventBridge event, an SQS batch of them, a CloudTrail record or log file, a batch of a CloudWatch Logs
    subscription, or a batch of such batches from a Kinesis stream. Raises UnusableEvent if `document` is none of these,
    or if one of its records is malformed.
    """
    if not isinstance(document, dict):
        raise UnusableEvent("the input", f"is not an event but {fields.kind(document)}")
    if "Records" in document:
        records = document["Records"]
        if not isinstance(records, list) or not records:
            problem = "is empty" if records == [] else f"is not a list but {fields.kind(records)}"
            raise UnusableEvent("Records", problem)
        return [each for at, record in enumerate(records) for each in _read_batched(record, where=f"Records[{at}]")]
    if "detail" in document:
        return [_read_envelope(document, origins=_FILE_ORIGINS)]
    if "eventName" in document:
        return [read_record(document)]
    if "awslogs" in document:
        return _read_logs(document)
    raise UnusableEvent(
        "the input",
        "is not an event: it has neither Records (SQS, log file), detail (EventBridge), awslogs nor eventName",
    )


def _read_logs(document: Mapping[str, object]) -> list[PullFailure | Inspection | Skipped]:
    return _failures_of(read_log_batch(document, account=None))


def _failures_of(batch: AuditBatch, region: str | None = None) -> list[PullFailure | Inspection | Skipped]:
    dropped = [Skipped(f"{count} in the batch: {reason}") for reason, count in batch.dropped.items()]
    return [*(replace(failure, region=region).pull() for failure in batch.failures), *dropped]


def distinct(pulls: Iterable[PullFailure | Skipped]) -> list[PullFailure]:
    """Return one failure for each distinct pull, in order of first appearance.

    Two failures are the same pull if principal, registry, repository, image, node and symptom agree. The session of a
    role makes no difference. The latest failure is returned, because its denial is the most recent.
    """
    latest: dict[object, PullFailure] = {}
    for pull in pulls:
        if isinstance(pull, Skipped):
            continue
        key = _identity(pull)
        known = latest.get(key)
        if known is None or (pull.observed_at or "") >= (known.observed_at or ""):
            latest[key] = pull
    return list(latest.values())


def _identity(pull: PullFailure) -> object:
    who: object = None
    if principal := pull.principal:
        who = (principal.kind, principal.partition, principal.account, principal.name)
        if principal.kind is PrincipalKind.UNKNOWN:
            who = (*who, principal.arn)
    image = (pull.registry_account, pull.region, pull.registry_host, pull.repository, pull.tag, pull.digest)
    return (who, image, pull.node, pull.symptom)


def _read_envelope(
    envelope: Mapping[str, object], *, origins: Origins, where: str = ""
) -> PullFailure | Inspection | Skipped:
    source, detail_type = fields.text(envelope, "source"), fields.text(envelope, "detail-type")
    if source == pod_failure.SOURCE or _is_forwarded(envelope, source, origins):
        account = names.account(envelope.get("account"))
        if origins.account and account != origins.account and not origins.organization:
            return Skipped(f"an event of account {account or '(not named)'}, not of our own")
        is_ours = source == pod_failure.SOURCE
        read = (pod_failure.read_pod_failure if is_ours else read_kubernetes_event)(envelope, where=where)
        region = names.region(envelope.get("region"))
        is_elsewhere = origins.organization and (account, region) != (origins.account, origins.region)
        return _of_member(read, account, region) if is_elsewhere and isinstance(read, PullFailure) else read
    if source == EKS_SOURCE:
        return (read_eks_event if is_eks_event(detail_type) else read_eks_change)(envelope, where=where)
    if source == CLOCK_SOURCE:
        return read_schedule(envelope)
    if source == "aws.ecr" and detail_type == pull_through_cache_action.DETAIL_TYPE:
        return pull_through_cache_action.read_cache_action(envelope, where=where)
    return read_envelope(envelope, where=where)


def _of_member(pull: PullFailure, account: str | None, region: str | None) -> PullFailure:
    """Return a failure that a cluster in another account or region reported, with where the cluster is.

    Amazon EKS User Guide, "Create access entries": a node's role is in the cluster's account. So a member says nothing
    about a role of another account.
    """
    is_theirs = pull.principal is not None and pull.principal.account == account
    return replace(pull, cluster_region=region, principal=pull.principal if is_theirs else None)


def _is_forwarded(envelope: Mapping[str, object], source: str, origins: Origins) -> bool:
    if source == trial.SOURCE:
        return False
    if origins.forwarded_source == ANY_SOURCE:
        return bool(source) and not source.startswith("aws.") and "reason" in fields.mapping(envelope, "detail")
    return bool(source) and source == origins.forwarded_source


def _read_batched(record: object, *, where: str) -> list[PullFailure | Inspection | Skipped]:
    if not isinstance(record, dict):
        raise UnusableEvent(where, f"is not an object but {fields.kind(record)}")
    source = fields.text(record, "eventSource")
    if source == "aws:sqs":
        body = record.get("body")
        if not isinstance(body, str):
            raise UnusableEvent(f"{where}.body", f"is not a string but {fields.kind(body)}")
        document = read_json(body, where=f"{where}.body")
        if isinstance(document, dict) and "awslogs" in document:
            return _read_logs(document)  # a dead letter of the function that reads audit logs
        return [read_document(document, origins=_FILE_ORIGINS, where=f"{where}.body")]
    if is_of_stream(record):
        stream = read_stream_record(record)
        return _failures_of(stream.batch, stream.region)
    if source.startswith("aws:") or "eventName" not in record:
        raise UnusableEvent(where, "is neither a message of SQS, a record of Kinesis nor a CloudTrail record")
    return [read_record(record, where=where)]
