"""The check of each setting's value: each takes where the setting stands and its value, and returns the value.

Each raises SettingsError where the value is not one that the setting can have.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

SEVERITIES: Final = ("INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL")
LOG_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")
# CloudWatch Logs API reference, PutRetentionPolicy: the values of retentionInDays.
_RETENTION_DAYS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096),
    *(1827, 2192, 2557, 2922, 3288, 3653),
)
_PAGE: Final = re.compile(r"https://[A-Za-z0-9.-]{1,100}(?::[0-9]{1,5})?/[A-Za-z0-9._~/%+#?=&{}-]{1,200}")
_EMAIL: Final = re.compile(r"[^\s@]{1,64}@[^\s@]{1,255}")
_ACCOUNT: Final = re.compile(r"[0-9]{12}")
# Organizations API reference, Organization.
_ORGANIZATION: Final = re.compile(r"o-[a-z0-9]{10,32}")
# "Regional endpoints" in AWS General Reference: us-east-1, us-gov-west-1, cn-north-1, us-isob-east-1.
_REGION: Final = re.compile(r"[a-z]{2,8}(?:-[a-z]{1,12}){1,3}-[0-9]{1,2}")
_ROLE_NAME: Final = re.compile(r"[\w+=,.@-]{1,64}", re.ASCII)
_PRINCIPAL_ARN: Final = re.compile(r"arn:[a-z*-]{1,20}:iam::[\d*]{1,12}:(?:role|user)/[\w+=,.@/*-]{1,512}", re.ASCII)
# What CDK writes for one text that is known only at deployment (aws-cdk-lib, core/lib/private/encoding.ts). What it
# writes for a list, `#{Token[…]}`, cannot be a part of a text.
_LATER: Final = r"\$\{Token\[[A-Za-z0-9:._-]{1,200}\]\}"
_ACCOUNT_OR_LATER: Final = re.compile(f"{_ACCOUNT.pattern}|{_LATER}")
_PRINCIPAL_ARN_OR_LATER: Final = re.compile(
    rf"{_LATER}|arn:(?:[a-z*-]{{1,20}}|{_LATER}):iam::(?:[\d*]{{1,12}}|{_LATER})"
    rf":(?:role|user)/(?:[\w+=,.@/*-]|{_LATER}){{1,512}}",
    re.ASCII,
)
# ARNs whose name says nothing: every role, or every user. Nodes' roles are among them.
_EVERYBODY: Final = re.compile(r"[^/]*(?:/[*/]*)\*[*/]*")
# Amazon EKS API reference, CreateCluster.
_CLUSTER_NAME: Final = re.compile(r"[0-9A-Za-z][A-Za-z0-9_-]{0,99}")
# EventBridge API reference, PutEventsRequestEntry. Only AWS may send events with a source that begins with "aws.".
_SOURCE: Final = re.compile(r"(?!aws\.|pull-responder)[A-Za-z0-9._/-]{1,256}")
# EventBridge user guide, "Setting a schedule pattern", rate expressions.
_RATE: Final = re.compile(r"rate\((?:1 (?:minute|hour|day)|(?:[2-9]|[1-9][0-9]{1,3}) (?:minutes|hours|days))\)")
# Characters of JSON. Lambda quotas: all environment variables of a function together hold 4 KB.
PRINCIPALS_ROOM: Final = 2_500
_ACCOUNTS_ROOM: Final = 500
_REGIONS_ROOM: Final = 700
_CHECKS: Final = Path(__file__).parent.parent / "lambdas" / "pull_responder" / "checks"


class SettingsError(Exception):
    """A setting is invalid. The message is one line that names the setting and where it stands."""


def excerpt(value: object) -> str:
    """Return at most 80 characters of a value for a message."""
    try:
        return repr(value)[:80]
    except (RecursionError, ValueError):
        return "a value that is nested too deeply, or has a number that is too long"


def whole_number(least: int, most: int) -> Callable[[str, object], int]:
    """Return the check for a whole number from `least` to `most`."""

    def check(key: str, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise SettingsError(f"{key} must be a whole number from {least} to {most}, not {excerpt(value)}")
        return value

    return check


def one_of(*choices: str) -> Callable[[str, object], str]:
    """Return the check for one of these texts."""

    def check(key: str, value: object) -> str:
        if value not in choices:
            raise SettingsError(f"{key} must be one of {', '.join(choices)}, not {excerpt(value)}")
        return str(value)

    return check


def retention(key: str, value: object) -> int:
    """Return a number of days that CloudWatch Logs knows."""
    if isinstance(value, bool) or not isinstance(value, int) or value not in _RETENTION_DAYS:
        days = ", ".join(map(str, _RETENTION_DAYS))
        raise SettingsError(f"{key} must be one of {days}, not {excerpt(value)}")
    return value


def true_or_false(key: str, value: object) -> bool:
    """Return true or false."""
    if not isinstance(value, bool):
        raise SettingsError(f"{key} must be true or false, not {excerpt(value)}")
    return value


def email_or_none(key: str, value: object) -> str | None:
    """Return an e-mail address, or None."""
    if value is not None and not (isinstance(value, str) and _EMAIL.fullmatch(value)):
        raise SettingsError(f"{key} must be an e-mail address or null, not {excerpt(value)}")
    return value


def page_or_none(key: str, value: object) -> str | None:
    """Return the address of a page with the place of a cause in it, or None."""
    if value is not None and not (isinstance(value, str) and _PAGE.fullmatch(value) and value.count("{cause}") == 1):
        what = "an https:// address with {cause} in it, or null"
        raise SettingsError(f"{key} must be {what}, not {excerpt(value)}")
    return value


def role_name(key: str, value: object) -> str:
    """Return the name of an IAM role."""
    if not (isinstance(value, str) and _ROLE_NAME.fullmatch(value)):
        raise SettingsError(f"{key} must be the name of an IAM role, without a path, not {excerpt(value)}")
    return value


def account_or_empty(key: str, value: object) -> str:
    """Return an account id, or ""."""
    if isinstance(value, str) and (not value or _ACCOUNT.fullmatch(value)):
        return value
    raise SettingsError(f"{key} must be an account's 12 digits or empty, not {excerpt(value)}")


def organization_or_none(key: str, value: object) -> str | None:
    """Return the id of an organization, or None."""
    if value is not None and not (isinstance(value, str) and _ORGANIZATION.fullmatch(value)):
        raise SettingsError(
            f"{key} must be the id of an organization, such as o-a1b2c3d4e5, or null, not {excerpt(value)}"
        )
    return value


def texts(key: str, value: object, pattern: re.Pattern[str], kind: str) -> tuple[str, ...]:
    """Return a list of texts that all match `pattern`. `kind` says in the error what the list must hold."""
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise SettingsError(f"{key} must be a list, not {excerpt(value)}")
    for text in value:
        if not (isinstance(text, str) and pattern.fullmatch(text)):
            raise SettingsError(f"{key} must hold {kind}, not {excerpt(text)}")
    return tuple(value)


def check_room(key: str, texts: Collection[str], room: int, advice: str = "") -> None:
    """Raise SettingsError when the list is longer than `room` characters of JSON."""
    if len(json.dumps(texts)) > room:
        raise SettingsError(f"{key} is longer than {room} characters{advice}")


def accounts(key: str, value: object, *, later: bool = False) -> tuple[str, ...]:
    """Return account ids; with `later`, they may be known only at deployment."""
    ids = texts(key, value, _ACCOUNT_OR_LATER if later else _ACCOUNT, "account ids, 12 digits in quotes")
    check_room(key, ids, _ACCOUNTS_ROOM)
    return ids


def regions(key: str, value: object) -> tuple[str, ...]:
    """Return names of regions."""
    names = texts(key, value, _REGION, "regions such as eu-west-1")
    check_room(key, names, _REGIONS_ROOM)
    return names


def principal_arns(key: str, value: object, *, later: bool = False) -> tuple[str, ...]:
    """Return ARNs of roles and users that may hold `*`, none of which matches every principal of an account.

    With `later`, an ARN, its partition or account, or a part of its name may be known only at deployment.
    """
    arns = texts(key, value, _PRINCIPAL_ARN_OR_LATER if later else _PRINCIPAL_ARN, "ARNs of IAM roles and users")
    for arn in arns:
        if _EVERYBODY.fullmatch(arn):
            raise SettingsError(
                f"{key} must name principals, not {excerpt(arn)}: it matches every role or user of an "
                "account, and no refused pull would be reported"
            )
    check_room(key, arns, PRINCIPALS_ROOM, "; use * in the ARNs")
    return arns


def severities(key: str, value: object) -> Mapping[str, str]:
    """Return severities by cause. The causes are the files of the checks."""
    if not isinstance(value, Mapping):
        raise SettingsError(f"{key} must be an object of severities by cause, not {excerpt(value)}")
    for cause, severity in value.items():
        if not (isinstance(cause, str) and cause.isidentifier() and (_CHECKS / f"{cause}.py").is_file()):
            raise SettingsError(f"{key} names {excerpt(cause)}, which is not a cause (docs/causes)")
        if severity not in SEVERITIES:
            raise SettingsError(f"{key}.{cause} must be one of {', '.join(SEVERITIES)}, not {excerpt(severity)}")
    return dict(value)


def causes_by_severity(severities: Mapping[str, str]) -> dict[str, list[str]]:
    """Return the causes of each severity that is set, as the functions read them: the shorter of the two forms."""
    causes: dict[str, list[str]] = {}
    for cause, severity in severities.items():
        causes.setdefault(severity, []).append(cause)
    return causes


def cluster_names(key: str, value: object) -> tuple[str, ...]:
    """Return the names of EKS clusters, each once."""
    names = texts(key, value, _CLUSTER_NAME, "names of EKS clusters")
    if len(set(names)) < len(names):
        raise SettingsError(f"{key} names a cluster twice")
    return names


def source_or_none(key: str, value: object) -> str | None:
    """Return the source of events that are not AWS's and not our own, or None."""
    if value is not None and not (isinstance(value, str) and _SOURCE.fullmatch(value)):
        raise SettingsError(f"{key} must be the source of custom events or null, not {excerpt(value)}")
    return value


def rate_or_none(key: str, value: object) -> str | None:
    """Return a rate, or None."""
    if value is not None and not (isinstance(value, str) and _RATE.fullmatch(value)):
        raise SettingsError(f"{key} must be a rate such as 'rate(1 hour)' or null, not {excerpt(value)}")
    return value


def rate(key: str, value: object) -> str:
    """Return a rate. null is invalid: the schedule also finishes what failed runs have left undone."""
    if not (isinstance(value, str) and _RATE.fullmatch(value)):
        raise SettingsError(f"{key} must be a rate such as 'rate(1 minute)', not {excerpt(value)}")
    return value
