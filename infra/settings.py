"""The settings in cdk.json, and the check of each value."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final

_KEY: Final = "pullResponder"
_SEVERITIES: Final = ("INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL")
_LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")
# CloudWatch Logs API reference, PutRetentionPolicy: the values of retentionInDays.
_RETENTION_DAYS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096),
    *(1827, 2192, 2557, 2922, 3288, 3653),
)
# Lambda takes 4 KB of environment variables in all.
_PAGE: Final = re.compile(r"https://[A-Za-z0-9.-]{1,100}(?::[0-9]{1,5})?/[A-Za-z0-9._~/%+#?=&{}-]{1,200}")
_EMAIL: Final = re.compile(r"[^\s@]{1,64}@[^\s@]{1,255}")
_ACCOUNT: Final = re.compile(r"[0-9]{12}")
_ROLE_NAME: Final = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_PRINCIPAL_ARN: Final = re.compile(r"arn:[a-z*-]{1,20}:iam::[\d*]{1,12}:(?:role|user)/[\w+=,.@/*-]{1,512}", re.ASCII)
# ARNs whose name says nothing: every role, or every user. Nodes' roles are among them.
_EVERYBODY: Final = re.compile(r"[^/]*(?:/[*/]*)\*[*/]*")
# Amazon EKS API reference, CreateCluster.
_CLUSTER_NAME: Final = re.compile(r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}")
# EventBridge API reference, PutEventsRequestEntry. Only AWS may send events with a source that begins with "aws.".
_SOURCE: Final = re.compile(r"(?!aws\.|pull-responder)[A-Za-z0-9._/-]{1,256}")
# EventBridge user guide, "Setting a schedule pattern", rate expressions.
_MINUTES_OF: Final = {"minute": 1, "hour": 60, "day": 1_440}
_RATE: Final = re.compile(r"rate\((?:1 (?:minute|hour|day)|(?:[2-9]|[1-9][0-9]{1,3}) (?:minutes|hours|days))\)")
# Characters of JSON. Lambda quotas: all environment variables of a function together hold 4 KB.
_PRINCIPALS_ROOM: Final = 2_500
_ACCOUNTS_ROOM: Final = 500
_CHECKS: Final = Path(__file__).parent.parent / "lambdas" / "pull_responder" / "checks"
# Lambda developer guide, "Using Lambda with Amazon SQS": without a batching window, a batch has at most 10 messages.
_UNWINDOWED_BATCH: Final = 10


class SettingsError(Exception):
    """A setting in cdk.json is invalid. The message is one line that names the setting."""


def _excerpt(value: object) -> str:
    """Return at most 80 characters of a value for a message."""
    try:
        return repr(value)[:80]
    except RecursionError:
        return "a value that is nested too deeply"


def _whole_number(least: int, most: int) -> Callable[[str, object], int]:
    def check(key: str, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise SettingsError(f"cdk.json: {key} must be a whole number from {least} to {most}, not {_excerpt(value)}")
        return value

    return check


def _one_of(*choices: str) -> Callable[[str, object], str]:
    def check(key: str, value: object) -> str:
        if value not in choices:
            raise SettingsError(f"cdk.json: {key} must be one of {', '.join(choices)}, not {_excerpt(value)}")
        return str(value)

    return check


def _retention(key: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value not in _RETENTION_DAYS:
        days = ", ".join(map(str, _RETENTION_DAYS))
        raise SettingsError(f"cdk.json: {key} must be one of {days}, not {_excerpt(value)}")
    return value


def _true_or_false(key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise SettingsError(f"cdk.json: {key} must be true or false, not {_excerpt(value)}")
    return value


def _email_or_none(key: str, value: object) -> str | None:
    if value is not None and not (isinstance(value, str) and _EMAIL.fullmatch(value)):
        raise SettingsError(f"cdk.json: {key} must be an e-mail address or null, not {_excerpt(value)}")
    return value


def _page_or_none(key: str, value: object) -> str | None:
    if value is not None and not (isinstance(value, str) and _PAGE.fullmatch(value) and value.count("{cause}") == 1):
        what = "an https:// address with {cause} in it, or null"
        raise SettingsError(f"cdk.json: {key} must be {what}, not {_excerpt(value)}")
    return value


def _role_name(key: str, value: object) -> str:
    if not (isinstance(value, str) and _ROLE_NAME.fullmatch(value)):
        raise SettingsError(f"cdk.json: {key} must be the name of an IAM role, without a path, not {_excerpt(value)}")
    return value


def _account_or_empty(key: str, value: object) -> str:
    if isinstance(value, str) and (not value or _ACCOUNT.fullmatch(value)):
        return value
    raise SettingsError(f"cdk.json: {key} must be an account's 12 digits or empty, not {_excerpt(value)}")


def _texts(key: str, value: object, pattern: re.Pattern[str], kind: str) -> tuple[str, ...]:
    """Return a list of texts that all match `pattern`. `kind` says in the error what the list must hold."""
    if not isinstance(value, list):
        raise SettingsError(f"cdk.json: {key} must be a list, not {_excerpt(value)}")
    for text in value:
        if not (isinstance(text, str) and pattern.fullmatch(text)):
            raise SettingsError(f"cdk.json: {key} must hold {kind}, not {_excerpt(text)}")
    return tuple(value)


def _check_room(key: str, texts: Collection[str], room: int, advice: str = "") -> None:
    """Raise SettingsError when the list is longer than `room` characters of JSON."""
    if len(json.dumps(texts)) > room:
        raise SettingsError(f"cdk.json: {key} is longer than {room} characters{advice}")


def _accounts(key: str, value: object) -> tuple[str, ...]:
    accounts = _texts(key, value, _ACCOUNT, "account ids, 12 digits in quotes")
    _check_room(key, accounts, _ACCOUNTS_ROOM)
    return accounts


def _principal_arns(key: str, value: object) -> tuple[str, ...]:
    arns = _texts(key, value, _PRINCIPAL_ARN, "ARNs of IAM roles and users")
    for arn in arns:
        if _EVERYBODY.fullmatch(arn):
            raise SettingsError(
                f"cdk.json: {key} must name principals, not {_excerpt(arn)}: it matches every role or user of an "
                "account, and no refused pull would be reported"
            )
    _check_room(key, arns, _PRINCIPALS_ROOM, "; use * in the ARNs")
    return arns


def _severities(key: str, value: object) -> Mapping[str, str]:
    """Return severities by cause. The causes are the files of the checks."""
    if not isinstance(value, Mapping):
        raise SettingsError(f"cdk.json: {key} must be an object of severities by cause, not {_excerpt(value)}")
    for cause, severity in value.items():
        if not (isinstance(cause, str) and cause.isidentifier() and (_CHECKS / f"{cause}.py").is_file()):
            raise SettingsError(f"cdk.json: {key} names {_excerpt(cause)}, which is not a cause (docs/causes)")
        if severity not in _SEVERITIES:
            raise SettingsError(
                f"cdk.json: {key}.{cause} must be one of {', '.join(_SEVERITIES)}, not {_excerpt(severity)}"
            )
    return dict(value)


def causes_by_severity(severities: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the causes of each severity that is set, as the functions read them: the shorter of the two forms."""
    causes: dict[str, list[str]] = {}
    for cause, severity in severities.items():
        causes.setdefault(severity, []).append(cause)
    return causes


def _cluster_names(key: str, value: object) -> tuple[str, ...]:
    names = _texts(key, value, _CLUSTER_NAME, "names of EKS clusters")
    if len(set(names)) < len(names):
        raise SettingsError(f"cdk.json: {key} names a cluster twice")
    return names


def _source_or_none(key: str, value: object) -> str | None:
    if value is not None and not (isinstance(value, str) and _SOURCE.fullmatch(value)):
        raise SettingsError(f"cdk.json: {key} must be the source of custom events or null, not {_excerpt(value)}")
    return value


def _rate_or_none(key: str, value: object) -> str | None:
    if value is not None and not (isinstance(value, str) and _RATE.fullmatch(value)):
        raise SettingsError(f"cdk.json: {key} must be a rate such as 'rate(1 hour)' or null, not {_excerpt(value)}")
    return value


def _rate(key: str, value: object) -> str:
    """Return a rate. null is invalid: the schedule also finishes what failed runs have left undone."""
    if not (isinstance(value, str) and _RATE.fullmatch(value)):
        raise SettingsError(f"cdk.json: {key} must be a rate such as 'rate(1 minute)', not {_excerpt(value)}")
    return value


def _setting(default: object, check: Callable[[str, object], object]) -> Any:  # noqa: ANN401 -- a dataclass field
    """Return a dataclass field. `check` takes the setting's key and its value in cdk.json, and returns the value.

    `check` raises SettingsError when the value is invalid.
    """
    return field(default=default, metadata={"check": check})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a deployment. The defaults are those in cdk.json; docs/operations.md describes each setting.

    - `alert_email`: an address to subscribe to the topic, or None
    - `filter_topics`: whether there are more topics, for subscribers with filter policies
    - `notify_minimum_severity`: findings below this severity are not notified
    - `severities`: causes with the severity that their findings have instead of that in docs/severity.md
    - `known_principals`: ARNs of roles and users that pull for something other than EKS; `*` stands for any text
    - `notification_schema`: the version of the JSON document that queues and functions get
    - `runbook_url`: the address of a cause's page, with "{cause}" where its name belongs, or None
    - `security_hub`: whether findings go to Security Hub
    - `security_hub_insights`: whether the stack has insights, where it has `security_hub`
    - `look_up_changes`: whether CloudTrail is asked who changed a resource before its first failure
    - `audit_log_clusters`: the clusters whose audit logs the stack subscribes to
    - `forwarded_event_source`: the source of the Kubernetes events that a forwarder puts on the default bus, or None
    - `health_check_rate`: how often to read the health of node groups and Fargate profiles; None: never
    - `member_role_name`: the role to assume in other accounts
    - `organization_account`: the account to ask first for the organization's policies; "": none
    - `read_accounts`: accounts outside our organization in which the member role may be assumed as well
    - `aws_registries`: more accounts whose registries AWS owns, in addition to those that the code lists; customers
      cannot read these registries
    - `quiet_minutes`: the shortest time between two diagnoses of one problem
    - `hold_down_minutes`: how long a cause must be gone before the finding is resolved; 0: resolved at once
    - `reminder_hours`: how often to notify an open finding again; 0: never
    - `digest_above`: when more notices than this come within a few minutes, they share one notification
    - `unexplained_minutes`, `unexplained_repeats`: a pull that no cause explains is reported after this time or after
      this number of failures, whichever comes first
    - `stopped_minutes`: a pull that no cause explains counts as stopped when it has not failed for this long
    - `recheck_minutes`: how often to look at an open finding again
    - `recheck_rate`: how often the function that does so runs
    - `keep_days`: how long the table keeps resolved findings and idle problems
    - `memory_size`, `timeout_seconds`: of the functions, in MB and in seconds
    - `batch_size`, `batching_window_seconds`: how many failures one run takes, and how long Lambda gathers them
    - `max_receive_count`: how often a message is received before it goes to the dead-letter queue
    - `log_level`, `log_retention_days`: of the functions' logs

    The limits are AWS's: Lambda quotas (memory, timeout), CreateEventSourceMapping (batch, window), SQS (receives). The
    shortest timeout is our choice, because a diagnosis with less time can read almost nothing. So are the limits of
    minutes, hours and days. A value below them would have the opposite effect: after a back-off, kubelet retries a
    failing image only every five minutes.
    """

    alert_email: str | None = _setting(None, _email_or_none)
    filter_topics: bool = _setting(False, _true_or_false)  # noqa: FBT003 -- a default
    notify_minimum_severity: str = _setting("LOW", _one_of(*_SEVERITIES))
    severities: Mapping[str, str] = field(default_factory=dict, metadata={"check": _severities})
    known_principals: tuple[str, ...] = _setting((), _principal_arns)
    notification_schema: str = _setting("2.0", _one_of("2.0", "1.0"))
    runbook_url: str | None = _setting(None, _page_or_none)
    security_hub: bool = _setting(True, _true_or_false)  # noqa: FBT003 -- a default
    security_hub_insights: bool = _setting(True, _true_or_false)  # noqa: FBT003 -- a default
    look_up_changes: bool = _setting(True, _true_or_false)  # noqa: FBT003 -- a default
    audit_log_clusters: tuple[str, ...] = _setting((), _cluster_names)
    forwarded_event_source: str | None = _setting(None, _source_or_none)
    health_check_rate: str | None = _setting("rate(1 hour)", _rate_or_none)
    member_role_name: str = _setting("PullResponderReadOnly", _role_name)
    organization_account: str = _setting("", _account_or_empty)
    read_accounts: tuple[str, ...] = _setting((), _accounts)
    aws_registries: tuple[str, ...] = _setting((), _accounts)
    quiet_minutes: int = _setting(15, _whole_number(1, 1_440))
    hold_down_minutes: int = _setting(5, _whole_number(0, 1_440))
    reminder_hours: int = _setting(24, _whole_number(0, 8_760))
    digest_above: int = _setting(10, _whole_number(1, 1_000))
    unexplained_minutes: int = _setting(30, _whole_number(1, 10_080))
    unexplained_repeats: int = _setting(20, _whole_number(2, 100_000))
    stopped_minutes: int = _setting(60, _whole_number(10, 10_080))
    recheck_minutes: int = _setting(15, _whole_number(1, 1_440))
    recheck_rate: str = _setting("rate(1 minute)", _rate)
    keep_days: int = _setting(90, _whole_number(1, 3_650))
    memory_size: int = _setting(512, _whole_number(128, 10_240))
    timeout_seconds: int = _setting(120, _whole_number(30, 900))
    batch_size: int = _setting(2000, _whole_number(1, 10_000))
    batching_window_seconds: int = _setting(5, _whole_number(0, 300))
    max_receive_count: int = _setting(5, _whole_number(1, 1000))
    log_level: str = _setting("INFO", _one_of(*_LOG_LEVELS))
    log_retention_days: int = _setting(30, _retention)

    @property
    def recheck_rate_minutes(self) -> int:
        """How many minutes are between two runs on the schedule of rechecks."""
        number, unit = self.recheck_rate.removeprefix("rate(").rstrip("s)").split()
        return int(number) * _MINUTES_OF[unit]

    @classmethod
    def from_context(cls, context: object) -> Settings:
        """Return the settings that cdk.json's context has under "pullResponder". None stands for all defaults.

        Raises SettingsError when a key is not a setting, and when a value is invalid.
        """
        if context is None:
            return cls()
        if isinstance(context, str):  # `cdk -c pullResponder='{…}'` passes text
            try:
                context = json.loads(context)
            except (ValueError, RecursionError):  # the latter: nested too deeply
                raise SettingsError(f"cdk.json: {_KEY} must be an object, not {_excerpt(context)}") from None
        if not isinstance(context, Mapping):
            raise SettingsError(f"cdk.json: {_KEY} must be an object, not {_excerpt(context)}")
        known = {camel_case(each.name): each for each in fields(cls)}
        values: dict[str, Any] = {}
        for key, value in context.items():
            if key not in known:
                raise SettingsError(f"cdk.json: {_KEY}.{key} is not a setting; the settings are {', '.join(known)}")
            values[known[key].name] = known[key].metadata["check"](f"{_KEY}.{key}", value)
        settings = cls(**values)
        if settings.batch_size > _UNWINDOWED_BATCH and settings.batching_window_seconds == 0:
            raise SettingsError(
                f"cdk.json: {_KEY}.batchSize is {settings.batch_size}, but more than {_UNWINDOWED_BATCH} "
                f"need a {_KEY}.batchingWindowSeconds of at least 1"
            )
        if settings.severities:
            texts = [*settings.known_principals, json.dumps(causes_by_severity(settings.severities))]
            _check_room(f"{_KEY}.severities together with {_KEY}.knownPrincipals", texts, _PRINCIPALS_ROOM)
        return settings


def camel_case(name: str) -> str:
    """Return the key in cdk.json of a field of Settings: "quietMinutes" for "quiet_minutes"."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
