"""Read CloudTrail records of ECR calls. A denied pull becomes a PullFailure; other records are skipped with a reason.

Source: CloudTrail User Guide, "CloudTrail record contents"; ECR User Guide, "Logging Amazon ECR actions with
AWS CloudTrail". A pull that the registry proxies leaves a record with only eventName, errorCode, errorMessage and
userIdentity. So every other field may be absent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.events import fields, names
from pull_responder.events.denial import MESSAGE_LIMIT, parse_denial
from pull_responder.events.outcome import Skipped, UnusableEvent
from pull_responder.events.principal import read_principal
from pull_responder.events.redaction import redact
from pull_responder.model.arn import DNS_SUFFIXES, Arn, partition_of
from pull_responder.model.pull import Denial, Principal, PullFailure, Stage, Symptom

if TYPE_CHECKING:
    from collections.abc import Mapping

DETAIL_TYPE: Final = "AWS API Call via CloudTrail"
DETAIL_TYPES: Final = (DETAIL_TYPE, "AWS Network Activity Event via CloudTrail")
"""API calls, and what the policy of a VPC endpoint refused. A trail with network activity events logs the second kind
(Amazon EventBridge User Guide, "AWS service events delivered via AWS CloudTrail")."""

PULL_STAGES: Final = {
    "GetAuthorizationToken": Stage.TOKEN,
    "BatchGetImage": Stage.MANIFEST,
    "GetDownloadUrlForLayer": Stage.LAYER,
}
"""The API calls of a pull, and the stage of each."""

_EVENT_SOURCES: Final = frozenset(f"ecr.{suffix}" for suffix in DNS_SUFFIXES.values())


@dataclass(frozen=True, slots=True)
class _NamedImage:
    registry_account: str | None
    repository: str | None
    tag: str | None = None
    digest: str | None = None


def read_envelope(envelope: Mapping[str, object], *, where: str = "") -> PullFailure | Skipped:
    """Read an event in EventBridge's envelope. `where` names its place in a batch, for errors.

    Raises UnusableEvent if the event claims to carry a CloudTrail record and does not.
    """
    source, detail_type = fields.text(envelope, "source"), fields.text(envelope, "detail-type")
    if source and source != "aws.ecr":
        return Skipped(f"an event of {_clean(source)}, not of Amazon ECR")
    if detail_type and detail_type not in DETAIL_TYPES:
        return Skipped(f"an event of type {_clean(detail_type)}, not an API call")
    detail = envelope.get("detail")
    if not isinstance(detail, dict):
        raise UnusableEvent(_at(where, "detail"), f"is not an object but {fields.kind(detail)}")
    return read_record(detail, envelope=envelope, where=_at(where, "detail"))


_ALWAYS: Final = ("eventTime", "eventID", "userIdentity")
"""Fields that every record of an API call has."""


def read_record(
    record: Mapping[str, object], *, envelope: Mapping[str, object] | None = None, where: str = ""
) -> PullFailure | Skipped:
    """Read one CloudTrail record. `envelope` is the event that carried it; its fields replace absent ones.

    Raises UnusableEvent if eventName or errorCode has a type that CloudTrail does not write, and if the record has no
    errorCode and is incomplete.
    """
    envelope = envelope or {}
    event_name = record.get("eventName")
    if not isinstance(event_name, str) or not event_name:
        raise UnusableEvent(_at(where, "eventName"), f"is not a string but {fields.kind(event_name)}")
    error_code = record.get("errorCode")
    if not isinstance(error_code, str | None):
        raise UnusableEvent(_at(where, "errorCode"), f"is not a string but {fields.kind(error_code)}")
    reason = _not_ecr(record, envelope) or _no_pull(event_name) or _no_denial(event_name, error_code or "")
    if reason:
        if not error_code and _not_ecr(record, envelope) is None and event_name in PULL_STAGES:
            _refuse_incomplete(record, event_name, where or "the record")
        return Skipped(reason)
    denied, denial = parse_denial(fields.text(record, "errorMessage"), action=f"ecr:{event_name}")
    resources = _ecr_resources(record, denial)
    region = _region(resources, record, envelope)
    if region is None:
        return Skipped(f"a denied {event_name} without a region")
    partition = resources[0].partition if resources else partition_of(region)
    principal = read_principal(denied, record.get("userIdentity"), partition=partition)
    image = _image(record, denial, resources, principal)
    return PullFailure(
        symptom=Symptom.ACCESS_DENIED,
        stage=PULL_STAGES[event_name],
        region=region,
        account=names.account(record.get("recipientAccountId")) or names.account(envelope.get("account")),
        principal=principal,
        denial=denial,
        registry_account=image.registry_account,
        repository=image.repository,
        tag=image.tag,
        digest=image.digest,
        node=principal.instance_id if principal else None,
        observed_at=names.time(record.get("eventTime")) or names.time(envelope.get("time")),
        event_id=names.event_id(record.get("eventID")) or names.event_id(envelope.get("id")),
    )


def _refuse_incomplete(record: Mapping[str, object], event_name: str, where: str) -> None:
    """Raise UnusableEvent for a record that has no errorCode, and from which something else has been cut, too.

    CloudTrail User Guide, "CloudTrail record contents": a call that succeeded has no errorCode, but has these fields.
    """
    unknown = f"so it does not show whether {event_name} failed"
    if fields.text(record, "errorMessage"):
        raise UnusableEvent(where, f"is incomplete: it has an errorMessage and no errorCode, {unknown}")
    if missing := [key for key in _ALWAYS if not record.get(key)]:
        raise UnusableEvent(where, f"is incomplete: it has no errorCode and no {missing[0]}, {unknown}")


def _not_ecr(record: Mapping[str, object], envelope: Mapping[str, object]) -> str | None:
    source = fields.text(record, "eventSource")
    if source:
        return None if source in _EVENT_SOURCES else f"a call to {_clean(source)}, not to Amazon ECR"
    # ECR Public and CodeArtifact have a GetAuthorizationToken, too. So the name of the call is not enough.
    if envelope.get("source") == "aws.ecr" or " ecr:" in fields.text(record, "errorMessage")[:MESSAGE_LIMIT]:
        return None
    return "a call that does not name its service"


def _no_pull(event_name: str) -> str | None:
    return None if event_name in PULL_STAGES else f"{_clean(event_name)} is not part of a pull"


def _no_denial(event_name: str, error_code: str) -> str | None:
    if not error_code:
        return f"{event_name} succeeded"
    if error_code.startswith("AccessDenied") or error_code == "VpceAccessDenied":
        return None
    return f"{event_name} failed with {_clean(error_code)}, which is not a denial"


def _ecr_resources(record: Mapping[str, object], denial: Denial) -> list[Arn]:
    """The ECR resources of the denied call: first the one in the error message, then those of the record."""
    written = [denial.resource, *(fields.text(resource, "ARN") for resource in fields.items(record, "resources"))]
    return [arn for arn in map(names.arn, written) if arn and arn.service == "ecr"]


def _region(resources: list[Arn], record: Mapping[str, object], envelope: Mapping[str, object]) -> str | None:
    candidates = (*(arn.region for arn in resources), record.get("awsRegion"), envelope.get("region"))
    return next((region for region in map(names.region, candidates) if region), None)


def _image(
    record: Mapping[str, object], denial: Denial, resources: list[Arn], principal: Principal | None
) -> _NamedImage:
    """The image, from the denied resource or else from the request. A denied token has no image."""
    request = fields.mapping(record, "requestParameters")
    requested = names.repository(request.get("repositoryName"))
    account, repository = next(filter(None, map(_repository_of, resources)), (None, None))
    if requested and (repository is None or _is_cut(repository, requested, denial)):
        # A request without registryId means the caller's own registry (ECR API reference, BatchGetImage).
        caller = principal.account if principal else None
        account, repository = account or names.account(request.get("registryId")) or caller, requested
    if requested is None or requested != repository:
        return _NamedImage(account, repository)
    first = next(iter(fields.items(request, "imageIds")), None)
    tag, digest = names.tag(fields.text(first, "imageTag")), names.digest(fields.text(first, "imageDigest"))
    return _NamedImage(account, repository, tag, digest)


def _repository_of(resource: Arn) -> tuple[str, str] | None:
    kind, _, name = resource.resource.partition("/")
    account, repository = names.account(resource.account), names.repository(name)
    return (account, repository) if kind == "repository" and account and repository else None


def _is_cut(repository: str, requested: str, denial: Denial) -> bool:
    """Whether the message is cut off inside the repository's name. The request has the complete name."""
    return requested != repository and requested.startswith(repository) and denial.message.endswith(repository)


def _clean(text: str) -> str:
    return redact(text, limit=80)


def _at(where: str, field: str) -> str:
    return f"{where}.{field}" if where else field
