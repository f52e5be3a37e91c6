"""Read ECR's event about a pull through cache that could not fetch an image from its upstream registry.

Source: Amazon ECR User Guide, "Amazon ECR events and EventBridge", "Event for a pull through cache action". It shows
the event of a success. EventBridge's schema of the event has `failure-code` and `failure-reason`, both optional.
Inference: the status of a failure begins with "FAIL". Any other status may be an import in progress.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.events import fields, names
from pull_responder.events.outcome import Skipped, UnusableEvent
from pull_responder.events.redaction import redact
from pull_responder.model.arn import Arn
from pull_responder.model.pull import PullFailure, Stage, Symptom

if TYPE_CHECKING:
    from collections.abc import Mapping

DETAIL_TYPE: Final = "ECR Pull Through Cache Action"

_REASON_LIMIT: Final = 1024


def read_cache_action(envelope: Mapping[str, object], *, where: str = "") -> PullFailure | Skipped:
    """Read the event. Raises UnusableEvent if its detail is not an object.

    ECR fetches the image for the registry, not for a node. So the event names no role, and the symptom is `unknown`.
    """
    detail = envelope.get("detail")
    if not isinstance(detail, dict):
        raise UnusableEvent(f"{where}.detail" if where else "detail", f"is not an object but {fields.kind(detail)}")
    status = fields.text(detail, "sync-status")
    code, reason = fields.text(detail, "failure-code"), fields.text(detail, "failure-reason")
    if not (code or reason or status.upper().startswith("FAIL")):
        return Skipped(f"a pull through cache action that ended in {redact(status, limit=80) or '(no status)'}")
    repository = names.repository(detail.get("repository-name"))
    arn = _repository_arn(envelope)
    account = (arn.account if arn else None) or names.account(envelope.get("account"))
    region = names.region(arn.region if arn else None) or names.region(envelope.get("region"))
    if repository is None or account is None or region is None:
        return Skipped("a failed pull through cache action that does not name its repository")
    failure = redact(": ".join(filter(None, (code, reason))) or f"sync-status {status}", limit=_REASON_LIMIT)
    return PullFailure(
        symptom=Symptom.UNKNOWN,
        stage=Stage.MANIFEST,
        region=region,
        account=names.account(envelope.get("account")),
        registry_account=account,
        repository=repository,
        tag=names.tag(detail.get("image-tag")),
        digest=names.digest(detail.get("image-digest")),
        observed_at=names.time(envelope.get("time")),
        event_id=names.event_id(envelope.get("id")),
        upstream_failure=failure,
    )


def _repository_arn(envelope: Mapping[str, object]) -> Arn | None:
    arns = (names.arn(each) for each in fields.items(envelope, "resources"))
    return next((arn for arn in arns if arn and arn.service == "ecr" and names.account(arn.account)), None)
