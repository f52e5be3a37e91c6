"""What the operator decides, from the environment that the stack sets (and that a terminal may set too)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.model.verdict import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

MEMBER_ROLE: Final = "PullResponderReadOnly"


class SettingError(ValueError):
    """A setting that cannot be used; the message names it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings, checked.

    `known_principals` are ARNs, `*` allowed, of those who pull elsewhere than from EKS and may be refused there.
    `topic_arn` is None where nothing is to be notified. `forwarded_event_source` is the source of the Kubernetes events
    that a forwarder puts on a bus, None where none does.
    """

    member_role: str = MEMBER_ROLE
    known_principals: tuple[str, ...] = ()
    topic_arn: str | None = None
    notify_minimum_severity: Severity = Severity.LOW
    security_hub: bool = True
    forwarded_event_source: str | None = None


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings in `environment`; SettingError names the first that cannot be used."""
    severity = environment.get("NOTIFY_MINIMUM_SEVERITY", Severity.LOW)
    if severity not in tuple(Severity):
        raise SettingError(f"NOTIFY_MINIMUM_SEVERITY is {severity!r}, not one of {', '.join(Severity)}")
    member_role = environment.get("PULL_RESPONDER_MEMBER_ROLE") or MEMBER_ROLE
    return Settings(
        member_role=member_role,
        # We read manifests ourselves: a refusal of that must not be told of as a stranger's.
        known_principals=(*_arns(environment.get("KNOWN_PRINCIPALS", "[]")), f"arn:*:iam::*:role/{member_role}"),
        topic_arn=environment.get("TOPIC_ARN"),
        notify_minimum_severity=Severity(severity),
        security_hub=environment.get("SECURITY_HUB_ENABLED", "true") == "true",
        forwarded_event_source=environment.get("FORWARDED_EVENT_SOURCE") or None,
    )


def _arns(text: str) -> tuple[str, ...]:
    try:
        arns = json.loads(text)
    except ValueError as error:
        raise SettingError(f"KNOWN_PRINCIPALS is not JSON: {error}") from error
    if not isinstance(arns, list) or not all(isinstance(arn, str) for arn in arns):
        raise SettingError("KNOWN_PRINCIPALS is not a JSON list of ARNs")
    return tuple(arns)
