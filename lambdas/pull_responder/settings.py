"""What the operator decides, from the environment that the stack sets (and that a terminal may set too)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

from pull_responder.model.verdict import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

MEMBER_ROLE: Final = "PullResponderReadOnly"

_ACCOUNT: Final = re.compile(r"[0-9]{12}")
_WHOLE_NUMBER: Final = re.compile(r"[0-9]{1,7}")
# The least that each whole number can be; they are read from the variable of the same name, in capitals.
_LEAST: Final = {
    "quiet_minutes": 1,
    "hold_down_minutes": 0,
    "reminder_hours": 0,
    "digest_above": 1,
    "unexplained_minutes": 1,
    "unexplained_repeats": 1,
    "stopped_minutes": 1,
    "recheck_minutes": 1,
    "keep_days": 1,
}


class SettingError(ValueError):
    """A setting that cannot be used; the message names it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings, checked.

    `known_principals` are ARNs, `*` allowed, of those who pull elsewhere than from EKS and may be refused there.
    `topic_arn` is None where nothing is to be notified. `forwarded_event_source` is the source of the Kubernetes events
    that a forwarder puts on a bus, None where none does. `organization_account` is an account that may read the
    organization's policies, such as that of a delegated administrator; None where none is named. `aws_registries` are
    accounts of registries that belong to AWS, beside those that are known.

    `table_name` is the table of findings, None where none is kept. A problem is diagnosed again after `quiet_minutes`
    at the earliest, a finding told to be resolved `hold_down_minutes` after its cause is gone (0: at once), and told of
    again every `reminder_hours` while it is open (0: never). More than `digest_above` new findings in a minute are told
    together. A pull that no cause explains is reported after `unexplained_minutes` or `unexplained_repeats`, whichever
    is first, and taken to have stopped when it has not failed for `stopped_minutes`. An open finding is looked at every
    `recheck_minutes`, and what is over is kept for `keep_days`.
    """

    member_role: str = MEMBER_ROLE
    organization_account: str | None = None
    aws_registries: tuple[str, ...] = ()
    known_principals: tuple[str, ...] = ()
    topic_arn: str | None = None
    notify_minimum_severity: Severity = Severity.LOW
    security_hub: bool = True
    forwarded_event_source: str | None = None
    table_name: str | None = None
    quiet_minutes: int = 15
    hold_down_minutes: int = 5
    reminder_hours: int = 24
    digest_above: int = 10
    unexplained_minutes: int = 30
    unexplained_repeats: int = 20
    stopped_minutes: int = 60
    recheck_minutes: int = 15
    keep_days: int = 90


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings in `environment`; SettingError names the first that cannot be used."""
    severity = environment.get("NOTIFY_MINIMUM_SEVERITY", Severity.LOW)
    if severity not in tuple(Severity):
        raise SettingError(f"NOTIFY_MINIMUM_SEVERITY is {severity!r}, not one of {', '.join(Severity)}")
    member_role = environment.get("PULL_RESPONDER_MEMBER_ROLE") or MEMBER_ROLE
    return Settings(
        member_role=member_role,
        organization_account=_account(environment, "PULL_RESPONDER_ORGANIZATION_ACCOUNT"),
        aws_registries=_accounts(environment, "PULL_RESPONDER_AWS_REGISTRIES"),
        # We read manifests ourselves: a refusal of that must not be told of as a stranger's.
        known_principals=(*_arns(environment.get("KNOWN_PRINCIPALS", "[]")), f"arn:*:iam::*:role/{member_role}"),
        topic_arn=environment.get("TOPIC_ARN"),
        notify_minimum_severity=Severity(severity),
        security_hub=environment.get("SECURITY_HUB_ENABLED", "true") == "true",
        forwarded_event_source=environment.get("FORWARDED_EVENT_SOURCE") or None,
        table_name=environment.get("TABLE_NAME") or None,
        **_whole_numbers(environment),
    )


def _whole_numbers(environment: Mapping[str, str]) -> dict[str, int]:
    """Return those of the whole numbers that `environment` sets."""
    numbers = {}
    for field in fields(Settings):
        name = field.name.upper()
        if field.name not in _LEAST or not (text := environment.get(name)):
            continue
        if _WHOLE_NUMBER.fullmatch(text) is None or int(text) < _LEAST[field.name]:
            raise SettingError(f"{name} is {text[:80]!r}, not a whole number from {_LEAST[field.name]}")
        numbers[field.name] = int(text)
    return numbers


def _account(environment: Mapping[str, str], name: str) -> str | None:
    account = environment.get(name) or None
    if account is not None and _ACCOUNT.fullmatch(account) is None:
        raise SettingError(f"{name} is {account[:80]!r}, not the 12 digits of an account's id")
    return account


def _accounts(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Return the accounts in a JSON list, none where there is none."""
    try:
        accounts = json.loads(environment.get(name) or "[]")
    except ValueError as error:
        raise SettingError(f"{name} is not JSON: {error}") from error
    if not isinstance(accounts, list):
        raise SettingError(f"{name} is not a JSON list of account ids")
    for account in accounts:
        if not (isinstance(account, str) and _ACCOUNT.fullmatch(account)):
            raise SettingError(f"{name} holds {str(account)[:80]!r}, not the 12 digits of an account's id in quotes")
    return tuple(accounts)


def _arns(text: str) -> tuple[str, ...]:
    try:
        arns = json.loads(text)
    except ValueError as error:
        raise SettingError(f"KNOWN_PRINCIPALS is not JSON: {error}") from error
    if not isinstance(arns, list) or not all(isinstance(arn, str) for arn in arns):
        raise SettingError("KNOWN_PRINCIPALS is not a JSON list of ARNs")
    return tuple(arns)
