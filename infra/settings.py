"""The settings in cdk.json, checked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final

_KEY: Final = "pullResponder"
_SEVERITIES: Final = ("INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL")
_LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")
# CloudWatch Logs API, PutRetentionPolicy: the values that retentionInDays can have.
_RETENTION_DAYS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096),
    *(1827, 2192, 2557, 2922, 3288, 3653),
)
_EMAIL: Final = re.compile(r"[^\s@]{1,64}@[^\s@]{1,255}")
_ACCOUNT: Final = re.compile(r"(?:[0-9]{12})?")
_ROLE_NAME: Final = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_PRINCIPAL_ARN: Final = re.compile(r"arn:[a-z*-]{1,20}:iam::[\d*]{1,12}:(?:role|user)/[\w+=,.@/*-]{1,512}", re.ASCII)
# Amazon EKS API reference, CreateCluster.
_CLUSTER_NAME: Final = re.compile(r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}")
# EventBridge API reference, PutEventsRequestEntry; "aws." is AWS's own.
_SOURCE: Final = re.compile(r"(?!aws\.|pull-responder)[A-Za-z0-9._/-]{1,256}")
# EventBridge user guide, "Setting a schedule pattern": rate expressions.
_RATE: Final = re.compile(r"rate\((?:1 (?:minute|hour|day)|(?:[2-9]|[1-9][0-9]{1,3}) (?:minutes|hours|days))\)")
# Lambda quotas: a function's environment holds 4 KB in all.
_ENVIRONMENT_ROOM: Final = 2_500
_ACCOUNTS_ROOM: Final = 500
# SQS: without a batching window a batch holds ten messages at most.
_UNWINDOWED_BATCH: Final = 10


class SettingsError(Exception):
    """A setting in cdk.json cannot be used; the message is one line that names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What whoever deploys can choose; the defaults are those of cdk.json.

    `known_principals` are ARNs of roles and users that pull for something other than EKS; `*` stands for any text.
    `audit_log_clusters` are the clusters whose audit logs are subscribed to, `forwarded_event_source` is the source
    under which a forwarder puts Kubernetes events on the default bus, `health_check_rate` how often node groups and
    Fargate profiles are looked at (None: never). `organization_account` is asked first for the policies of the
    organization ("": none is named). `aws_registries` are accounts of registries that belong to AWS, beside those that
    are known: nobody else can read what is in them.

    A problem is diagnosed again after `quiet_minutes` at the earliest, a finding told to be resolved
    `hold_down_minutes` after its cause is gone (0: at once), and told of again every `reminder_hours` while it is open
    (0: never). More than `digest_above` new findings in a minute are told together. A pull that no cause explains is
    reported after `unexplained_minutes` or `unexplained_repeats`, whichever is first, and taken to have stopped when it
    has not failed for `stopped_minutes`. An open finding is looked at every `recheck_minutes`, by a function that wakes
    at `recheck_rate`. What is over is kept for `keep_days`.
    """

    alert_email: str | None = None
    notify_minimum_severity: str = "LOW"
    known_principals: tuple[str, ...] = ()
    security_hub: bool = True
    audit_log_clusters: tuple[str, ...] = ()
    forwarded_event_source: str | None = None
    health_check_rate: str | None = "rate(1 hour)"
    member_role_name: str = "PullResponderReadOnly"
    organization_account: str = ""
    aws_registries: tuple[str, ...] = ()
    quiet_minutes: int = 15
    hold_down_minutes: int = 5
    reminder_hours: int = 24
    digest_above: int = 10
    unexplained_minutes: int = 30
    unexplained_repeats: int = 20
    stopped_minutes: int = 60
    recheck_minutes: int = 15
    recheck_rate: str = "rate(1 minute)"
    keep_days: int = 90
    memory_size: int = 512
    timeout_seconds: int = 120
    batch_size: int = 2000
    batching_window_seconds: int = 5
    max_receive_count: int = 5
    log_level: str = "INFO"
    log_retention_days: int = 30

    @classmethod
    def from_context(cls, context: object) -> Settings:
        """Return the settings that cdk.json's context holds under "pullResponder"; None there means all defaults.

        Raises SettingsError for a key that is no setting and for a value that cannot be used.
        """
        if context is None:
            return cls()
        if isinstance(context, str):  # as `cdk -c pullResponder='{…}'` hands it over
            try:
                context = json.loads(context)
            except ValueError:
                raise SettingsError(f"cdk.json: {_KEY} must be an object, not {_shown(context)}") from None
        if not isinstance(context, Mapping):
            raise SettingsError(f"cdk.json: {_KEY} must be an object, not {_shown(context)}")
        names = {_camel_case(field.name): field.name for field in fields(cls)}
        for key in context:
            if key not in names:
                raise SettingsError(f"cdk.json: {_KEY}.{key} is no setting; the settings are {', '.join(names)}")
        settings = cls(**{names[key]: _CHECKS[key](f"{_KEY}.{key}", value) for key, value in context.items()})
        if settings.batch_size > _UNWINDOWED_BATCH and settings.batching_window_seconds == 0:
            raise SettingsError(
                f"cdk.json: {_KEY}.batchSize is {settings.batch_size}, but more than {_UNWINDOWED_BATCH} "
                f"need a {_KEY}.batchingWindowSeconds of at least 1"
            )
        return settings


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _shown(value: object) -> str:
    return repr(value)[:80]


def _whole_number(least: int, most: int) -> Callable[[str, object], int]:
    def check(key: str, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise SettingsError(f"cdk.json: {key} must be a whole number from {least} to {most}, not {_shown(value)}")
        return value

    return check


def _one_of(*choices: str) -> Callable[[str, object], str]:
    def check(key: str, value: object) -> str:
        if value not in choices:
            raise SettingsError(f"cdk.json: {key} must be one of {', '.join(choices)}, not {_shown(value)}")
        return str(value)

    return check


def _retention(key: str, value: object) -> int:
    if isinstance(value, bool) or value not in _RETENTION_DAYS:
        days = ", ".join(map(str, _RETENTION_DAYS))
        raise SettingsError(f"cdk.json: {key} must be one of {days}, not {_shown(value)}")
    return int(str(value))


def _true_or_false(key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise SettingsError(f"cdk.json: {key} must be true or false, not {_shown(value)}")
    return value


def _email_or_none(key: str, value: object) -> str | None:
    if value is not None and not (isinstance(value, str) and _EMAIL.fullmatch(value)):
        raise SettingsError(f"cdk.json: {key} must be an e-mail address or null, not {_shown(value)}")
    return value


def _role_name(key: str, value: object) -> str:
    if not (isinstance(value, str) and _ROLE_NAME.fullmatch(value)):
        raise SettingsError(f"cdk.json: {key} must be the name of an IAM role, without a path, not {_shown(value)}")
    return value


def _account_or_empty(key: str, value: object) -> str:
    if not (isinstance(value, str) and _ACCOUNT.fullmatch(value)):
        raise SettingsError(f"cdk.json: {key} must be an account's 12 digits or empty, not {_shown(value)}")
    return value


def _accounts(key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise SettingsError(f"cdk.json: {key} must be a list, not {_shown(value)}")
    for account in value:
        if not (isinstance(account, str) and account and _ACCOUNT.fullmatch(account)):
            raise SettingsError(f"cdk.json: {key} must hold account ids, 12 digits in quotes, not {_shown(account)}")
    if len(json.dumps(value)) > _ACCOUNTS_ROOM:
        raise SettingsError(f"cdk.json: {key} is longer than {_ACCOUNTS_ROOM} characters")
    return tuple(value)


def _principal_arns(key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise SettingsError(f"cdk.json: {key} must be a list, not {_shown(value)}")
    for arn in value:
        if not (isinstance(arn, str) and _PRINCIPAL_ARN.fullmatch(arn)):
            raise SettingsError(f"cdk.json: {key} must hold ARNs of IAM roles and users, not {_shown(arn)}")
    if len(json.dumps(value)) > _ENVIRONMENT_ROOM:
        raise SettingsError(f"cdk.json: {key} is longer than {_ENVIRONMENT_ROOM} characters; use * in the ARNs")
    return tuple(value)


def _cluster_names(key: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise SettingsError(f"cdk.json: {key} must be a list, not {_shown(value)}")
    for name in value:
        if not (isinstance(name, str) and _CLUSTER_NAME.fullmatch(name)):
            raise SettingsError(f"cdk.json: {key} must hold names of EKS clusters, not {_shown(name)}")
    if len(set(value)) < len(value):
        raise SettingsError(f"cdk.json: {key} names a cluster twice")
    return tuple(value)


def _source_or_none(key: str, value: object) -> str | None:
    if value is not None and not (isinstance(value, str) and _SOURCE.fullmatch(value)):
        raise SettingsError(f"cdk.json: {key} must be the source of custom events or null, not {_shown(value)}")
    return value


def _rate_or_none(key: str, value: object) -> str | None:
    if value is not None and not (isinstance(value, str) and _RATE.fullmatch(value)):
        raise SettingsError(f"cdk.json: {key} must be a rate such as 'rate(1 hour)' or null, not {_shown(value)}")
    return value


def _rate(key: str, value: object) -> str:
    """What other runs leave undone is found by looking, so that cannot be switched off."""
    if not (isinstance(value, str) and _RATE.fullmatch(value)):
        raise SettingsError(f"cdk.json: {key} must be a rate such as 'rate(1 minute)', not {_shown(value)}")
    return value


# The limits are AWS's: Lambda quotas (memory, timeout), CreateEventSourceMapping (batch, window), SQS (receives).
# The shortest timeout is ours: a diagnosis that has less can read next to nothing. So are the minutes, hours and days:
# none can be so short that it does the opposite (kubelet tries a failing image every five minutes once it backs off).
_CHECKS: Final[Mapping[str, Callable[[str, object], Any]]] = {
    "alertEmail": _email_or_none,
    "notifyMinimumSeverity": _one_of(*_SEVERITIES),
    "knownPrincipals": _principal_arns,
    "securityHub": _true_or_false,
    "auditLogClusters": _cluster_names,
    "forwardedEventSource": _source_or_none,
    "healthCheckRate": _rate_or_none,
    "memberRoleName": _role_name,
    "organizationAccount": _account_or_empty,
    "awsRegistries": _accounts,
    "quietMinutes": _whole_number(1, 1_440),
    "holdDownMinutes": _whole_number(0, 1_440),
    "reminderHours": _whole_number(0, 8_760),
    "digestAbove": _whole_number(1, 1_000),
    "unexplainedMinutes": _whole_number(1, 10_080),
    "unexplainedRepeats": _whole_number(2, 100_000),
    "stoppedMinutes": _whole_number(10, 10_080),
    "recheckMinutes": _whole_number(1, 1_440),
    "recheckRate": _rate,
    "keepDays": _whole_number(1, 3_650),
    "memorySize": _whole_number(128, 10_240),
    "timeoutSeconds": _whole_number(30, 900),
    "batchSize": _whole_number(1, 10_000),
    "batchingWindowSeconds": _whole_number(0, 300),
    "maxReceiveCount": _whole_number(1, 1000),
    "logLevel": _one_of(*_LOG_LEVELS),
    "logRetentionDays": _retention,
}
