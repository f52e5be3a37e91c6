"""Read the events that start a recheck of findings: a change that may have fixed something, or the schedule.

Sources: CloudTrail User Guide, "CloudTrail record contents"; Amazon ECR User Guide, "Amazon ECR events and
EventBridge"; EventBridge User Guide, "Events from schedules". An event only says which findings to recheck. What can be
read from AWS decides whether they are fixed. So a forged event does no harm.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.events import fields, names, pull_through_cache_action, sender
from pull_responder.events.cloudtrail import DETAIL_TYPE
from pull_responder.events.eks_change import CLOCK_SOURCE, EKS_SOURCE, SCHEDULED
from pull_responder.events.eks_event import ADDON_RESTORED, read_addon
from pull_responder.events.json_text import read_json
from pull_responder.events.look_again import CUSTOM_ACTION, HUB_SOURCE, LookAgain, read_look_again
from pull_responder.events.outcome import Skipped, UnusableEvent
from pull_responder.events.redaction import redact
from pull_responder.model.arn import DNS_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SERVICES: Final = frozenset(
    {
        "ec2",
        "ecr",
        "eks",
        "iam",
        "kms",
        "network-firewall",
        "organizations",
        "route53resolver",
        "secretsmanager",
    }
)
"""The services whose changes can fix a pull, by their prefix in IAM actions and event sources."""

IMAGE_ACTION: Final = "ECR Image Action"
CACHE_ACTION: Final = pull_through_cache_action.DETAIL_TYPE

# The characters of names, ids and ARNs. Text that is longer or has other characters is no name (a policy, a manifest).
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+=,.@:/-]{0,511}")
_CALL: Final = re.compile(r"[A-Z][A-Za-z0-9]{1,79}")
# An inline policy's name, or the last part of a managed policy's ARN (IAM API Reference, PutRolePolicy, CreatePolicy).
_POLICY_NAME: Final = re.compile(r"[\w+=,.@-]{1,128}", re.ASCII)
_ROLE_NAME: Final = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
# A session's ARN: a role's name has up to 64 characters, a session's too, and STS leaves out the role's path. A user's
# ARN has its path, of up to 512.
_CALLER: Final = re.compile(r"arn:[A-Za-z0-9_+=,.@:/-]{1,700}")
_SERVICE: Final = re.compile(r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,6}")
# TerminateInstances takes 1,000 ids; SQS limits an event to 1 MiB.
_MOST_TEXTS: Final = 2_000
_SUFFIXES: Final = frozenset(DNS_SUFFIXES.values())


@dataclass(frozen=True, slots=True)
class Change:
    """An API call that changed something, or an event that ECR or EKS sends. Nothing in it can be trusted.

    - `service`: one of SERVICES.
    - `name`: the name of the call or the event.
    - `account`, `region`: where it happened.
    - `at`: when it happened. ISO 8601 in UTC.
    - `role`, `repository`: the role or repository, if the change concerns only that; else None.
    - `words`: all names, ids and ARNs in the parameters of the call. Of an ARN also the part after its first slash.
      Empty if there are too many.
    - `by`: the ARN of who made the call, or the name of the AWS service that did; None if the event does not say.
    - `event_id`: CloudTrail's id of the event.
    - `policy`: the name of the policy that a call of IAM attaches, detaches, writes or deletes; None for other calls.
    """

    service: str
    name: str
    account: str
    region: str
    at: str | None = None
    role: str | None = None
    repository: str | None = None
    words: frozenset[str] = frozenset()
    by: str | None = None
    event_id: str | None = None
    policy: str | None = None


@dataclass(frozen=True, slots=True)
class Wakeup:
    """The schedule: recheck the findings that are due. `at` is ISO 8601 in UTC."""

    at: str | None = None


def read_change(body: str, *, account: str | None, organization: bool = False) -> Change | Wakeup | LookAgain | Skipped:
    """Read the body of one SQS message: an event as EventBridge delivers it to a queue.

    - `account` is our own: only its schedule and its Security Hub count. With None, any do. Other accounts may forward
      changes.
    - `organization` says that accounts of our organization do: then an event that names another account than its
      sender's is Refused, and Security Hub of another account may ask for findings about that account.

    Raises UnusableEvent if the body is not an event, or claims to carry a CloudTrail record and does not.
    """
    envelope = read_json(body, where="body")
    if not isinstance(envelope, dict):
        raise UnusableEvent("body", f"is not an event but {fields.kind(envelope)}")
    detail = envelope.get("detail")
    if not isinstance(detail, dict):
        raise UnusableEvent("body.detail", f"is not an object but {fields.kind(detail)}")
    if organization and (refused := sender.refusal(envelope)):
        return refused
    source, detail_type = fields.text(envelope, "source"), fields.text(envelope, "detail-type")
    if source == CLOCK_SOURCE:
        return _wakeup(envelope, detail_type, account)
    if source == HUB_SOURCE and detail_type == CUSTOM_ACTION:
        return read_look_again(envelope, detail, account=account, organization=organization)
    return _change(envelope, detail, source, detail_type)


def _change(
    envelope: Mapping[str, object], detail: Mapping[str, object], source: str, detail_type: str
) -> Change | Skipped:
    if source == "aws.ecr" and detail_type in (IMAGE_ACTION, CACHE_ACTION):
        return _ecr_event(envelope, detail, detail_type)
    if source == EKS_SOURCE and detail_type == ADDON_RESTORED:
        return _restored(envelope)
    service = source.removeprefix("aws.")
    if source != f"aws.{service}" or service not in SERVICES or detail_type != DETAIL_TYPE:
        return Skipped(f"an event of {_clean(source) or 'an unnamed source'}, whose changes do not affect pulls")
    return _call(envelope, detail, service)


def read_record(text: str, *, where: str) -> Change | Skipped:
    """Read one record of CloudTrail by itself, as LookupEvents returns it: JSON without an envelope.

    Raises UnusableEvent, which names `where`. What only reads, or has failed, is Skipped.
    """
    record = read_json(text, where=where)
    if not isinstance(record, dict):
        raise UnusableEvent(where, f"is not a record but {fields.kind(record)}")
    service = fields.text(record, "eventSource").partition(".")[0]
    if service not in SERVICES:
        return Skipped(f"a call to {_clean(service) or 'an unnamed service'}, whose changes do not affect pulls")
    if record.get("readOnly") is not False:
        return Skipped("a call that is not said to change anything")
    return _call({}, record, service)


def _wakeup(envelope: Mapping[str, object], detail_type: str, account: str | None) -> Wakeup | Skipped:
    if detail_type != SCHEDULED or (account and envelope.get("account") != account):
        return Skipped("an event of EventBridge that is not from our schedule")
    return Wakeup(names.time(envelope.get("time")))


def _ecr_event(envelope: Mapping[str, object], detail: Mapping[str, object], detail_type: str) -> Change | Skipped:
    outcome = fields.text(detail, "result" if detail_type == IMAGE_ACTION else "sync-status")
    brings_image = detail_type == CACHE_ACTION or fields.text(detail, "action-type") == "PUSH"
    if outcome != "SUCCESS" or not brings_image:
        return Skipped(f"an {detail_type} that added no image")
    account, region = names.account(envelope.get("account")), names.region(envelope.get("region"))
    if account is None or region is None:
        return Skipped(f"an {detail_type} without account or region")
    repository = names.repository(detail.get("repository-name"))
    words = frozenset({repository}) if repository else frozenset()
    at = names.time(envelope.get("time"))
    return Change("ecr", detail_type, account, region, at=at, repository=repository, words=words)


def _restored(envelope: Mapping[str, object]) -> Change | Skipped:
    addon = read_addon(envelope, where="body")
    if isinstance(addon, Skipped):
        return addon
    account, region, cluster, _ = addon
    at = names.time(envelope.get("time"))
    return Change("eks", ADDON_RESTORED, account, region, at=at, words=frozenset({cluster}))


def _call(envelope: Mapping[str, object], detail: Mapping[str, object], service: str) -> Change | Skipped:
    name = fields.text(detail, "eventName")
    if not _CALL.fullmatch(name):
        raise UnusableEvent("body.detail.eventName", "is not the name of a call")
    of, _, suffix = fields.text(detail, "eventSource").partition(".")
    if of != service or suffix not in _SUFFIXES:
        called = _clean(fields.text(detail, "eventSource")) or "an unnamed service"
        return Skipped(f"a call to {called}, not to {service}")
    if error := fields.text(detail, "errorCode"):
        return Skipped(f"{name} failed with {_clean(error)}, so nothing has changed")
    account = names.account(envelope.get("account")) or names.account(detail.get("recipientAccountId"))
    region = names.region(detail.get("awsRegion")) or names.region(envelope.get("region"))
    if account is None or region is None:
        return Skipped(f"{name} without account or region")
    parameters = fields.mapping(detail, "requestParameters")
    return Change(
        service=service,
        name=name,
        account=account,
        region=region,
        at=names.time(detail.get("eventTime")) or names.time(envelope.get("time")),
        role=_role(parameters) if service == "iam" else None,
        repository=_repository(parameters) if service == "ecr" else None,
        words=_words([parameters, *(fields.text(each, "ARN") for each in fields.items(detail, "resources"))]),
        by=_caller(fields.mapping(detail, "userIdentity")),
        event_id=names.event_id(detail.get("eventID")),
        policy=_policy(parameters) if service == "iam" else None,
    )


def _caller(identity: Mapping[str, object]) -> str | None:
    """Return who made a call (CloudTrail User Guide, "userIdentity element"). An AWS service has no ARN."""
    arn = fields.text(identity, "arn")
    if _CALLER.fullmatch(arn) and names.arn(arn):
        return arn
    service = fields.text(identity, "invokedBy")
    return service if _SERVICE.fullmatch(service) else None


def _role(parameters: Mapping[str, object]) -> str | None:
    # A change of an instance profile concerns more than the role: its instances get another one.
    if "instanceProfileName" in parameters:
        return None
    name = fields.text(parameters, "roleName")
    return name if _ROLE_NAME.fullmatch(name) else None


def _policy(parameters: Mapping[str, object]) -> str | None:
    """Return the name of the policy of a call (IAM API Reference, DetachRolePolicy, PutRolePolicy)."""
    arn = names.arn(parameters.get("policyArn"))
    name = arn.resource.rpartition("/")[2] if arn else fields.text(parameters, "policyName")
    return name if _POLICY_NAME.fullmatch(name) else None


def _repository(parameters: Mapping[str, object]) -> str | None:
    arn = names.arn(parameters.get("resourceArn"))
    of_arn = arn.resource.partition("/")[2] if arn and arn.service == "ecr" else None
    return names.repository(parameters.get("repositoryName")) or names.repository(of_arn)


def _words(parameters: list[object]) -> frozenset[str]:
    found: set[str] = set()
    for seen, text in enumerate(_texts(parameters)):
        if seen >= _MOST_TEXTS:
            return frozenset()
        if _WORD.fullmatch(text):
            found.add(text)
            if arn := names.arn(text):
                found.add(arn.resource.partition("/")[2] or arn.resource)
    return frozenset(found)


def _texts(values: list[object]) -> Iterator[str]:
    """Yield every string in nested values."""
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def _clean(text: str) -> str:
    return redact(text, limit=80)
