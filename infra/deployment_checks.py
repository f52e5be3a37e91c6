"""The checks of the settings that say where the stack stands in an account: its table, key, VPC, tags, limits.

Each takes where the setting stands and its value, returns the value, and raises SettingsError.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from infra.permissions import PERMISSIONS_FILE
from infra.setting_checks import SettingsError, excerpt, texts, whole_number

# DynamoDB API reference, CreateTable.
_TABLE_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{3,255}")
# No alias: an IAM policy names a key by its id (KMS developer guide, "Specifying KMS keys in IAM policy statements").
# KMS developer guide, "Key identifiers (KeyId)": the id is a UUID, of a multi-Region key "mrk-" and 32 digits.
_KEY_ARN: Final = re.compile(
    r"arn:aws[a-z-]{0,20}:kms:[a-z0-9-]{1,30}:[0-9]{12}:key/"
    r"(?:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|mrk-[0-9a-f]{32})"
)
_POLICY_ARN: Final = re.compile(r"arn:aws[a-z-]{0,20}:iam::(?:[0-9]{12}|aws):policy/[\w+=,.@/-]{1,512}", re.ASCII)
# EC2 API reference: ids have 8 or 17 hexadecimal digits.
_DIGITS: Final = "-(?:[0-9a-f]{8}|[0-9a-f]{17})"
# What CDK writes for an id that is known only at deployment, as it may be in another app.
_LATER: Final = r"[$#]\{Token\[.{1,200}\]\}"
# Lambda API reference, VpcConfig.
_MOST_SUBNETS: Final = 16
_MOST_SECURITY_GROUPS: Final = 5
# What all services of the stack take: IAM API reference, Tag, is the strictest.
_TAG_KEY: Final = re.compile(r"(?!(?i:aws):)[\w .:/=+@-]{1,128}")
_TAG_VALUE: Final = re.compile(r"[\w .:/=+@-]{0,256}")
_MOST_TAGS: Final = 50
# SQS event sources run at least two at a time: Lambda API reference, ScalingConfig.
_LEAST_OF_QUEUES: Final = 2
_MOST_RUNS: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Vpc:
    """Where the functions' network interfaces are: in these subnets, of one VPC, with these security groups."""

    subnet_ids: tuple[str, ...]
    security_group_ids: tuple[str, ...]


_VPC_KEYS: Final = ("subnetIds", "securityGroupIds")


def table_name_or_none(key: str, value: object) -> str | None:
    """Return the name of a DynamoDB table, or None."""
    if value is not None and not (isinstance(value, str) and _TABLE_NAME.fullmatch(value)):
        what = "3 to 255 letters, digits, dots, hyphens or underscores, or null"
        raise SettingsError(f"{key} must be {what}, not {excerpt(value)}")
    return value


def key_arn_or_none(key: str, value: object) -> str | None:
    """Return the ARN of a KMS key, or None."""
    if value is not None and not (isinstance(value, str) and _KEY_ARN.fullmatch(value)):
        what = "the ARN of a KMS key (…:key/UUID or …:key/mrk-ID, not an alias) or null"
        raise SettingsError(f"{key} must be {what}, not {excerpt(value)}")
    return value


def policy_arn_or_none(key: str, value: object) -> str | None:
    """Return the ARN of a managed IAM policy, or None."""
    if value is not None and not (isinstance(value, str) and _POLICY_ARN.fullmatch(value)):
        raise SettingsError(f"{key} must be the ARN of a managed IAM policy or null, not {excerpt(value)}")
    return value


def reserved_concurrency(key: str, value: object) -> Mapping[str, int]:
    """Return runs by function. The functions are those that infra/permissions.json knows."""
    functions = json.loads(PERMISSIONS_FILE.read_text())
    if not isinstance(value, Mapping):
        raise SettingsError(f"{key} must be an object of whole numbers by function, not {excerpt(value)}")
    runs = {}
    for name, number in value.items():
        if name not in functions:
            raise SettingsError(
                f"{key} names {excerpt(name)}, which is no function; the functions are {', '.join(sorted(functions))}"
            )
        # Those that take events from a queue remember findings and publish them.
        least = _LEAST_OF_QUEUES if {"publish", "remember"} <= set(functions[name]) else 1
        runs[name] = whole_number(least, _MOST_RUNS)(f"{key}.{name}", number)
    return runs


def tags(key: str, value: object) -> Mapping[str, str]:
    """Return tags: texts by key, which IAM does not tell apart by capitals."""
    if not isinstance(value, Mapping):
        raise SettingsError(f"{key} must be an object of texts by key, not {excerpt(value)}")
    if len(value) > _MOST_TAGS:
        raise SettingsError(f"{key} must have at most {_MOST_TAGS} tags, not {len(value)}")
    seen: set[str] = set()
    for name, text in value.items():
        if not (isinstance(name, str) and _TAG_KEY.fullmatch(name)):
            what = "1 to 128 letters, digits, spaces or . : / = + @ - _, and do not begin with aws:"
            raise SettingsError(f"{key} has the key {excerpt(name)}; keys have {what}")
        if not (isinstance(text, str) and _TAG_VALUE.fullmatch(text)):
            what = "a text of at most 256 letters, digits, spaces or . : / = + @ - _"
            raise SettingsError(f"{key}.{name} must be {what}, not {excerpt(text)}")
        if name.lower() in seen:
            raise SettingsError(f"{key} has the key {excerpt(name)} twice: IAM does not tell capitals apart")
        seen.add(name.lower())
    return dict(value)


def vpc_or_none(key: str, value: object) -> Vpc | None:
    """Return where the functions are, or None. JSON has an object, another app has a Vpc."""
    if value is None:
        return None
    later = isinstance(value, Vpc)
    if isinstance(value, Vpc):
        value = {"subnetIds": value.subnet_ids, "securityGroupIds": value.security_group_ids}
    if not (isinstance(value, Mapping) and set(value) == set(_VPC_KEYS)):
        raise SettingsError(f"{key} must be an object with {' and '.join(_VPC_KEYS)}, or null, not {excerpt(value)}")
    subnets, groups = (
        _ids(f"{key}.{name}", value[name], kind, most, later=later)
        for name, kind, most in zip(_VPC_KEYS, ("subnet", "sg"), (_MOST_SUBNETS, _MOST_SECURITY_GROUPS), strict=True)
    )
    return Vpc(subnet_ids=subnets, security_group_ids=groups)


def _ids(key: str, value: object, kind: str, most: int, *, later: bool) -> tuple[str, ...]:
    """Return ids of a kind; with `later`, they may be known only at deployment."""
    pattern = re.compile(f"{kind}{_DIGITS}" + (f"|{_LATER}" if later else ""))
    ids = texts(key, value, pattern, f"ids such as {kind}-0123456789abcdef0")
    if not 1 <= len(set(ids)) == len(ids) <= most:
        raise SettingsError(f"{key} must hold 1 to {most} ids, each once, not {len(ids)}")
    return ids
