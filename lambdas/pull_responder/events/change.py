"""What asks for another look at what was found: a change that may have mended something, or the clock.

Sources: CloudTrail User Guide, "CloudTrail record contents"; Amazon ECR User Guide, "Amazon ECR events and
EventBridge"; EventBridge User Guide, "Events from schedules". An event only says where to look. Whether something is
mended is read from AWS, so that nothing is lost by believing one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.events import fields, names, pull_through_cache_action
from pull_responder.events.cloudtrail import DETAIL_TYPE
from pull_responder.events.eks_change import CLOCK_SOURCE, SCHEDULED
from pull_responder.events.json_text import read_json
from pull_responder.events.outcome import Skipped, UnusableEvent
from pull_responder.events.redaction import redact
from pull_responder.model.arn import DNS_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SERVICES: Final = frozenset({"ec2", "ecr", "eks", "iam", "kms", "organizations", "secretsmanager"})
"""The services whose changes can mend a pull, as IAM actions and the sources of events begin."""

IMAGE_ACTION: Final = "ECR Image Action"
CACHE_ACTION: Final = pull_through_cache_action.DETAIL_TYPE

# The characters of names, ids and ARNs. What is longer, or holds anything else (a policy, a manifest), names nothing.
_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+=,.@:/-]{0,511}")
_CALL: Final = re.compile(r"[A-Z][A-Za-z0-9]{1,79}")
_ROLE_NAME: Final = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
# TerminateInstances takes 1,000 ids; SQS limits an event to 1 MiB.
_MOST_TEXTS: Final = 2_000
_SUFFIXES: Final = frozenset(DNS_SUFFIXES.values())


@dataclass(frozen=True, slots=True)
class Change:
    """A call that changed something, or an event of ECR's own that tells of one. Nothing in it can be trusted.

    `service` is one of SERVICES, `name` the call's or the event's. `account` and `region` are where it happened, `at`
    when (ISO 8601 in UTC). `role` and `repository` are the names of what the call is about and nothing else is, None
    where it is about something else or does not say. `words` are all names, ids and ARNs that the call was given; of an
    ARN also what stands behind its first slash. Where there are too many to be told, there are none.
    """

    service: str
    name: str
    account: str
    region: str
    at: str | None = None
    role: str | None = None
    repository: str | None = None
    words: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Wakeup:
    """The clock: it is time to look at those whose turn it is. `at` is ISO 8601 in UTC."""

    at: str | None = None


def read_change(body: str, *, account: str | None) -> Change | Wakeup | Skipped:
    """Read the body of one SQS message: an event as EventBridge delivers it to a queue.

    `account` is our own, whose clock counts, None where that is not to be looked at; changes may have been forwarded
    from other accounts. Raises UnusableEvent when it is no event, or claims to carry a CloudTrail record and does not.
    """
    envelope = read_json(body, where="body")
    if not isinstance(envelope, dict):
        raise UnusableEvent("body", f"is not an event but {fields.kind(envelope)}")
    detail = envelope.get("detail")
    if not isinstance(detail, dict):
        raise UnusableEvent("body.detail", f"is not an object but {fields.kind(detail)}")
    source, detail_type = fields.text(envelope, "source"), fields.text(envelope, "detail-type")
    if source == CLOCK_SOURCE:
        return _wakeup(envelope, detail_type, account)
    if source == "aws.ecr" and detail_type in (IMAGE_ACTION, CACHE_ACTION):
        return _ecr_event(envelope, detail, detail_type)
    service = source.removeprefix("aws.")
    if source != f"aws.{service}" or service not in SERVICES or detail_type != DETAIL_TYPE:
        return Skipped(f"an event of {_clean(source) or 'nobody'}, which changes nothing that a pull needs")
    return _call(envelope, detail, service)


def _wakeup(envelope: Mapping[str, object], detail_type: str, account: str | None) -> Wakeup | Skipped:
    if detail_type != SCHEDULED or (account and envelope.get("account") != account):
        return Skipped("an event of EventBridge that is not our schedule's")
    return Wakeup(names.time(envelope.get("time")))


def _ecr_event(envelope: Mapping[str, object], detail: Mapping[str, object], detail_type: str) -> Change | Skipped:
    outcome = fields.text(detail, "result" if detail_type == IMAGE_ACTION else "sync-status")
    pushed = detail_type == CACHE_ACTION or fields.text(detail, "action-type") == "PUSH"
    if outcome != "SUCCESS" or not pushed:
        return Skipped(f"an {detail_type} that brought no image")
    account, region = names.account(envelope.get("account")), names.region(envelope.get("region"))
    if account is None or region is None:
        return Skipped(f"an {detail_type} that does not say where")
    repository = names.repository(detail.get("repository-name"))
    words = frozenset({repository}) if repository else frozenset()
    at = names.time(envelope.get("time"))
    return Change("ecr", detail_type, account, region, at=at, repository=repository, words=words)


def _call(envelope: Mapping[str, object], detail: Mapping[str, object], service: str) -> Change | Skipped:
    name = fields.text(detail, "eventName")
    if not _CALL.fullmatch(name):
        raise UnusableEvent("body.detail.eventName", "is not the name of a call")
    of, _, suffix = fields.text(detail, "eventSource").partition(".")
    if of != service or suffix not in _SUFFIXES:
        return Skipped(f"a call to {_clean(fields.text(detail, 'eventSource')) or 'no service'}, not to {service}")
    if error := fields.text(detail, "errorCode"):
        return Skipped(f"{name} failed with {_clean(error)}, so nothing has changed")
    account = names.account(envelope.get("account")) or names.account(detail.get("recipientAccountId"))
    region = names.region(detail.get("awsRegion")) or names.region(envelope.get("region"))
    if account is None or region is None:
        return Skipped(f"{name} that does not say where")
    asked = fields.mapping(detail, "requestParameters")
    return Change(
        service=service,
        name=name,
        account=account,
        region=region,
        at=names.time(detail.get("eventTime")) or names.time(envelope.get("time")),
        role=_role(asked) if service == "iam" else None,
        repository=_repository(asked) if service == "ecr" else None,
        words=_words([asked, *(fields.text(each, "ARN") for each in fields.items(detail, "resources"))]),
    )


def _role(asked: Mapping[str, object]) -> str | None:
    # Who gets another role by an instance profile is not only the role's own matter.
    if "instanceProfileName" in asked:
        return None
    name = fields.text(asked, "roleName")
    return name if _ROLE_NAME.fullmatch(name) else None


def _repository(asked: Mapping[str, object]) -> str | None:
    arn = names.arn(asked.get("resourceArn"))
    of_arn = arn.resource.partition("/")[2] if arn and arn.service == "ecr" else None
    return names.repository(asked.get("repositoryName")) or names.repository(of_arn)


def _words(asked: list[object]) -> frozenset[str]:
    found: set[str] = set()
    for seen, text in enumerate(_texts(asked)):
        if seen >= _MOST_TEXTS:
            return frozenset()
        if _WORD.fullmatch(text):
            found.add(text)
            if arn := names.arn(text):
                found.add(arn.resource.partition("/")[2] or arn.resource)
    return frozenset(found)


def _texts(values: list[object]) -> Iterator[str]:
    """Every string in nested values."""
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
