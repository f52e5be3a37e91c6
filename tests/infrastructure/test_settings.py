from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from infra.setting_checks import SettingsError
from infra.setting_sources import read_settings as settings_of
from infra.settings import Settings, camel_case
from pull_responder.settings import read_settings
from tests.infrastructure.conftest import KEPT_TABLE, NO_DEFAULTS

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
OPERATIONS = ROOT / "docs" / "operations.md"
ROLE = "arn:aws:iam::111111111111:role/ecs/*"


class Environment(dict[str, str]):
    """An empty environment that records which variables are read."""

    def __init__(self) -> None:
        super().__init__()
        self.read: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 -- as dict has it
        self.read.add(name)
        return default


def from_context(tracked: object) -> Settings:
    """The settings for what cdk.json has under pullResponder, without a file beside it."""
    return settings_of({"pullResponder": tracked}, ROOT / "no such folder")


def snake_case(key: str) -> str:
    return re.sub("[A-Z]", lambda capital: f"_{capital[0].lower()}", key)


def names_in(file: str) -> set[str]:
    """The attributes that a file of infra/ reads, and its texts."""
    nodes = list(ast.walk(ast.parse((ROOT / "infra" / file).read_text())))
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    return texts | {node.attr for node in nodes if isinstance(node, ast.Attribute)}


def test_a_setting_is_in_every_place_it_needs() -> None:
    """Each line of the failure names a file and what to write there."""
    settings = {field.name: field for field in fields(Settings)}
    defaults = asdict(Settings())
    keys = {camel_case(name): name for name in settings}
    context = json.loads((ROOT / "cdk.json").read_text())["context"]["pullResponder"]
    documented = set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| `.*$", OPERATIONS.read_text(), re.MULTILINE))))
    used = set().union(*(names_in(file.name) for file in (ROOT / "infra").glob("*.py") if file.name != "settings.py"))
    to_do = [
        f"infra/settings.py: write {snake_case(key)} = _setting({value!r}, CHECK) in Settings"
        for key, value in context.items()
        if key not in keys
    ]
    for key, name in keys.items():
        default = json.dumps(defaults[name])
        if json.dumps(context.get(key, "missing")) != default:
            to_do.append(f'cdk.json: write "{key}": {default} in context.pullResponder')
        if "check" not in settings[name].metadata:
            to_do.append(f"infra/settings.py: write {name} = _setting({defaults[name]!r}, CHECK) in Settings")
        if key not in documented:
            row = f"| `{key}` | {default} | what it does |"
            to_do.append(f"docs/operations.md: add to the table of settings the row {row}")
        if name not in used:
            to_do.append(
                f"infra/: use settings.{name} in a construct; if a function reads it, add to _environment in "
                f'infra/finding_function.py "{name.upper()}": str(settings.{name})'
            )
        if getattr(NO_DEFAULTS, name) == getattr(KEPT_TABLE, name) == defaults[name]:
            to_do.append(f"tests/infrastructure/conftest.py: give {name} another value than its default in NO_DEFAULTS")
    assert to_do == [], "\n" + "\n".join(to_do)
    assert from_context(context) == Settings()


def test_a_function_reads_every_variable_that_the_stack_sets() -> None:
    """Each line of the failure names a file and what to write there."""
    environment = Environment()
    defaults = read_settings(environment)
    variables = {name for name in names_in("finding_function.py") if re.fullmatch(r"[A-Z]+(_[A-Z]+)+", name)}
    to_do = [
        f"lambdas/pull_responder/settings.py: read {name} in read_settings; for a whole number, add a field "
        f"{name.lower()} to Settings, and to _LEAST its minimum"
        for name in sorted(variables - environment.read)
    ]
    to_do += [
        f'infra/finding_function.py: add to _environment "{name}": str(settings.{name.lower()})'
        for name in sorted(environment.read - variables)
    ]
    for name, value in asdict(Settings()).items():
        default = getattr(defaults, name, value)
        # The function adds a principal of its own to the known ones, and has None where the stack has "".
        if name != "known_principals" and (default or None) != (value or None):
            to_do.append(f"lambdas/pull_responder/settings.py: write the stack's default, {name} = {value}")
    assert to_do == [], "\n" + "\n".join(to_do)


def test_every_setting_is_read() -> None:
    for settings in (NO_DEFAULTS, KEPT_TABLE):
        context = {camel_case(name): value for name, value in json.loads(json.dumps(asdict(settings))).items()}
        context["vpc"] = {camel_case(name): value for name, value in context["vpc"].items()}
        assert from_context(context) == settings
    assert from_context(None) == Settings()


def test_a_small_batch_needs_no_window() -> None:
    settings = from_context({"batchSize": 10, "batchingWindowSeconds": 0})
    assert (settings.batch_size, settings.batching_window_seconds) == (10, 0)


@pytest.mark.parametrize(
    ("context", "says"),
    [
        (["LOW"], "pullResponder must be an object of settings, not ['LOW']"),
        ({"knownPrincipals": [ROLE] * 80}, "pullResponder.knownPrincipals is longer than 2500 characters"),
        ({"phone": "alerts"}, "pullResponder.phone is not a setting; the settings are alertEmail, "),
        ({"email": "a@example.com"}, "pullResponder.email is not a setting; the nearest is alertEmail"),
        ({"memory_size": 512}, "pullResponder.memory_size is not a setting; the nearest is memorySize"),
        ({"alert\nEmail": None}, "pullResponder.'alert\\nEmail' is not a setting; the nearest is alertEmail"),
        ({"alertEmail": "nobody"}, "pullResponder.alertEmail must be an e-mail address or null, not 'nobody'"),
        ({"alertEmail": "a@b c"}, "pullResponder.alertEmail must be an e-mail address"),
        ({"notifyMinimumSeverity": "low"}, "pullResponder.notifyMinimumSeverity must be one of INFORMATIONAL, LOW,"),
        ({"knownPrincipals": ROLE}, "pullResponder.knownPrincipals must be a list"),
        ({"knownPrincipals": [ROLE, "build"]}, "pullResponder.knownPrincipals must hold ARNs of IAM roles and users"),
        ({"severities": ["image_not_found"]}, "pullResponder.severities must be an object of severities by cause"),
        ({"severities": {"image_lost": "LOW"}}, "pullResponder.severities names 'image_lost', which is not a cause"),
        ({"severities": {"../checks/check": "LOW"}}, "pullResponder.severities names '../checks/check', which is not"),
        ({"severities": {"no_route_to_ecr": "low"}}, "pullResponder.severities.no_route_to_ecr must be one of INFORM"),
        ({"severities": {"no_route_to_ecr": []}}, "pullResponder.severities.no_route_to_ecr must be one of INFORM"),
        (
            {"severities": {"no_route_to_ecr": "LOW"}, "knownPrincipals": [ROLE] * 62},
            "pullResponder.severities together with cdk.json: pullResponder.knownPrincipals is longer than 2500",
        ),
        ({"lookUpChanges": 1}, "pullResponder.lookUpChanges must be true or false, not 1"),
        ({"securityHub": "true"}, "pullResponder.securityHub must be true or false, not 'true'"),
        ({"auditLogClusters": "prod"}, "pullResponder.auditLogClusters must be a list, not 'prod'"),
        ({"auditLogClusters": ["a/b"]}, "pullResponder.auditLogClusters must hold names of EKS clusters, not 'a/b'"),
        ({"auditLogClusters": [7]}, "pullResponder.auditLogClusters must hold names of EKS clusters, not 7"),
        ({"auditLogClusters": ["a", "a"]}, "pullResponder.auditLogClusters names a cluster twice"),
        ({"forwardedEventSource": "aws.ecr"}, "pullResponder.forwardedEventSource must be the source of custom events"),
        ({"forwardedEventSource": "pull-responder.audit-log"}, "pullResponder.forwardedEventSource must be the source"),
        ({"forwardedEventSource": "*"}, "pullResponder.forwardedEventSource must be the source of custom events"),
        ({"healthCheckRate": "hourly"}, "pullResponder.healthCheckRate must be a rate such as 'rate(1 hour)' or null"),
        ({"healthCheckRate": "rate(1 hours)"}, "pullResponder.healthCheckRate must be a rate such as 'rate(1 hour)'"),
        ({"readAccounts": "123456789012"}, "pullResponder.readAccounts must be a list, not '123456789012'"),
        ({"readAccounts": ["*"]}, "pullResponder.readAccounts must hold account ids, 12 digits in quotes, not '*'"),
        ({"awsRegistries": "123456789012"}, "pullResponder.awsRegistries must be a list, not '123456789012'"),
        ({"awsRegistries": [123456789012]}, "pullResponder.awsRegistries must hold account ids, 12 digits in quotes"),
        ({"awsRegistries": ["12345"]}, "pullResponder.awsRegistries must hold account ids, 12 digits in quotes, not"),
        ({"awsRegistries": [""]}, "pullResponder.awsRegistries must hold account ids, 12 digits in quotes, not ''"),
        ({"awsRegistries": ["123456789012"] * 40}, "pullResponder.awsRegistries is longer than 500 characters"),
        ({"organizationAccount": "12345"}, "pullResponder.organizationAccount must be an account's 12 digits or empty"),
        ({"organizationAccount": 123456789012}, "pullResponder.organizationAccount must be an account's 12 digits or"),
        (
            {"organizationAccount": None},
            "pullResponder.organizationAccount must be an account's 12 digits or empty, not",
        ),
        ({"memberRoleName": "path/Reader"}, "pullResponder.memberRoleName must be the name of an IAM role"),
        ({"notificationSchema": "3.0"}, "pullResponder.notificationSchema must be one of 2.0, 1.0, not '3.0'"),
        (
            {"runbookUrl": "http://wiki/{cause}"},
            "pullResponder.runbookUrl must be an https:// address with {cause} in it",
        ),
        ({"runbookUrl": "https://wiki.example.com/"}, "pullResponder.runbookUrl must be an https:// address with"),
        ({"quietMinutes": 0}, "pullResponder.quietMinutes must be a whole number from 1 to 1440, not 0"),
        ({"holdDownMinutes": -1}, "pullResponder.holdDownMinutes must be a whole number from 0 to 1440, not -1"),
        ({"reminderHours": None}, "pullResponder.reminderHours must be a whole number from 0 to 8760, not None"),
        ({"digestAbove": 0}, "pullResponder.digestAbove must be a whole number from 1 to 1000, not 0"),
        ({"unexplainedMinutes": 0}, "pullResponder.unexplainedMinutes must be a whole number from 1 to 10080, not 0"),
        ({"unexplainedRepeats": 1}, "pullResponder.unexplainedRepeats must be a whole number from 2 to 100000, not 1"),
        ({"stoppedMinutes": 9}, "pullResponder.stoppedMinutes must be a whole number from 10 to 10080, not 9"),
        ({"recheckMinutes": "15"}, "pullResponder.recheckMinutes must be a whole number from 1 to 1440, not '15'"),
        (
            {"recheckRate": "rate(60 seconds)"},
            "pullResponder.recheckRate must be a rate such as 'rate(1 minute)', not",
        ),
        ({"keepDays": 0}, "pullResponder.keepDays must be a whole number from 1 to 3650, not 0"),
        ({"memorySize": 127}, "pullResponder.memorySize must be a whole number from 128 to 10240, not 127"),
        ({"memorySize": True}, "pullResponder.memorySize must be a whole number"),
        ({"timeoutSeconds": 29}, "pullResponder.timeoutSeconds must be a whole number from 30 to 900, not 29"),
        ({"timeoutSeconds": 901}, "pullResponder.timeoutSeconds must be a whole number"),
        ({"batchSize": 10_001}, "pullResponder.batchSize must be a whole number"),
        ({"batchingWindowSeconds": 301}, "pullResponder.batchingWindowSeconds must be a whole number"),
        (
            {"batchingWindowSeconds": 0},
            "pullResponder.batchSize is 2000, but more than 10 need cdk.json: pullResponder.batchingWindowSeconds to",
        ),
        ({"maxReceiveCount": 0}, "pullResponder.maxReceiveCount must be a whole number"),
        ({"logLevel": "TRACE"}, "pullResponder.logLevel must be one of DEBUG, INFO, WARNING, ERROR, not 'TRACE'"),
        ({"logRetentionDays": 31}, "pullResponder.logRetentionDays must be one of 1, 3, 5,"),
        ({"logRetentionDays": True}, "pullResponder.logRetentionDays must be one of"),
        ({"logRetentionDays": []}, "pullResponder.logRetentionDays must be one of"),
    ],
)
def test_an_invalid_setting_is_named_in_one_line(context: object, says: str) -> None:
    with pytest.raises(SettingsError) as invalid:
        from_context(context)
    assert str(invalid.value).startswith(f"cdk.json: {says}")
    assert "\n" not in str(invalid.value)


def synth(context: Mapping[str, object], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the CDK app as `cdk synth` does."""
    environment = {**os.environ, "CDK_CONTEXT_JSON": json.dumps(context), "CDK_OUTDIR": str(folder)}
    return subprocess.run(  # noqa: S603 -- our own app
        [sys.executable, ROOT / "app.py"], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_the_app_stops_at_an_invalid_setting(tmp_path: Path) -> None:
    stopped = synth({"pullResponder": {"memorySize": "much"}}, tmp_path)
    assert stopped.returncode == 2
    assert stopped.stderr.splitlines()[-1] == (
        "cdk.json: pullResponder.memorySize must be a whole number from 128 to 10240, not 'much'"
    )
    assert "Traceback" not in stopped.stderr
    assert not (tmp_path / "manifest.json").exists()


@pytest.mark.parametrize("name", ["role/*", "user/*", "role/**", "role/*/*", "role/*/**"])
@pytest.mark.parametrize("account", ["*", "111111111111"])
def test_known_principals_that_are_everybody_are_refused(account: str, name: str) -> None:
    with pytest.raises(SettingsError, match=r"knownPrincipals must name principals, not 'arn:\*:iam::.*every role"):
        from_context({"knownPrincipals": [f"arn:*:iam::{account}:{name}"]})


@pytest.mark.parametrize(
    "arn",
    [
        "*",
        "arn:*",
        "arn:aws:iam::123456789012:*",
        "arn:aws:iam::123456789012:r*/*",
        "arn:aws:iam::*:*/*",
        "**",
        "arn:*:*:*",
    ],
)
def test_known_principals_without_a_kind_are_refused_in_one_line(arn: str) -> None:
    with pytest.raises(SettingsError, match=r"knownPrincipals must hold ARNs of IAM roles and users, not '[^\n]*'\Z"):
        from_context({"knownPrincipals": [arn]})


@pytest.mark.parametrize("name", ["role/build-*", "role/ci-*", "role/ecs/*", "role/*-build", "user/*/build"])
def test_known_principals_with_a_part_of_a_name_are_taken(name: str) -> None:
    arn = f"arn:*:iam::*:{name}"
    assert from_context({"knownPrincipals": [arn]}).known_principals == (arn,)


@pytest.mark.parametrize("value", [30.0, 30.5, True, "30", [30], None])
def test_retention_is_a_whole_number(value: object) -> None:
    with pytest.raises(SettingsError, match=r"logRetentionDays must be one of"):
        from_context({"logRetentionDays": value})
