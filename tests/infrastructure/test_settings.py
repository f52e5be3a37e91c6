from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra import settings
from infra.settings import Settings, SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]
ROLE = "arn:aws:iam::111111111111:role/ecs/*"


def test_cdk_json_shows_every_setting_with_its_default() -> None:
    context = json.loads((ROOT / "cdk.json").read_text())["context"]["pullResponder"]
    assert Settings.from_context(context) == Settings() == Settings.from_context(None)


@pytest.mark.parametrize("field", [field.name for field in fields(Settings)])
def test_a_setting_has_its_four_places(field: str) -> None:
    """A setting that is written down in one place only is none; this says which line lacks where."""
    default = json.dumps(asdict(Settings())[field])
    key = settings._camel_case(field)
    context = json.loads((ROOT / "cdk.json").read_text())["context"]["pullResponder"]
    assert key in context, f'cdk.json: add "{key}": {default} under context.pullResponder'
    assert key in settings._CHECKS, f'infra/settings.py: add "{key}" to _CHECKS, with what its values can be'
    operations = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert f"`{key}`" in operations, f"docs/operations.md: add a row | `{key}` | {default} | what it decides |"


def test_every_setting_is_taken() -> None:
    assert Settings.from_context(
        {
            "alertEmail": "ops@example.com",
            "notifyMinimumSeverity": "HIGH",
            "knownPrincipals": [ROLE],
            "securityHub": False,
            "auditLogClusters": ["prod", "test_1"],
            "forwardedEventSource": "kubernetes.events",
            "healthCheckRate": "rate(15 minutes)",
            "memberRoleName": "Reader",
            "organizationAccount": "012345678901",
            "awsRegistries": ["123456789012", "210987654321"],
            "quietMinutes": 5,
            "holdDownMinutes": 0,
            "reminderHours": 0,
            "digestAbove": 3,
            "unexplainedMinutes": 20,
            "unexplainedRepeats": 9,
            "stoppedMinutes": 30,
            "recheckMinutes": 7,
            "recheckRate": "rate(5 minutes)",
            "keepDays": 30,
            "memorySize": 1024,
            "timeoutSeconds": 30,
            "batchSize": 10,
            "batchingWindowSeconds": 0,
            "maxReceiveCount": 2,
            "logLevel": "DEBUG",
            "logRetentionDays": 365,
        }
    ) == Settings(
        alert_email="ops@example.com",
        notify_minimum_severity="HIGH",
        known_principals=(ROLE,),
        security_hub=False,
        audit_log_clusters=("prod", "test_1"),
        forwarded_event_source="kubernetes.events",
        health_check_rate="rate(15 minutes)",
        member_role_name="Reader",
        organization_account="012345678901",
        aws_registries=("123456789012", "210987654321"),
        quiet_minutes=5,
        hold_down_minutes=0,
        reminder_hours=0,
        digest_above=3,
        unexplained_minutes=20,
        unexplained_repeats=9,
        stopped_minutes=30,
        recheck_minutes=7,
        recheck_rate="rate(5 minutes)",
        keep_days=30,
        memory_size=1024,
        timeout_seconds=30,
        batch_size=10,
        batching_window_seconds=0,
        max_receive_count=2,
        log_level="DEBUG",
        log_retention_days=365,
    )


@pytest.mark.parametrize(
    ("context", "says"),
    [
        ("LOW", "pullResponder must be an object, not 'LOW'"),
        ('{"memorySize": 64}', "pullResponder.memorySize must be a whole number from 128 to 10240, not 64"),
        ({"knownPrincipals": [ROLE] * 80}, "pullResponder.knownPrincipals is longer than 2500 characters"),
        ({"email": "a@example.com"}, "pullResponder.email is no setting; the settings are alertEmail, "),
        ({"alertEmail": "nobody"}, "pullResponder.alertEmail must be an e-mail address or null, not 'nobody'"),
        ({"alertEmail": "a@b c"}, "pullResponder.alertEmail must be an e-mail address"),
        ({"notifyMinimumSeverity": "low"}, "pullResponder.notifyMinimumSeverity must be one of INFORMATIONAL, LOW,"),
        ({"knownPrincipals": ROLE}, "pullResponder.knownPrincipals must be a list"),
        ({"knownPrincipals": [ROLE, "build"]}, "pullResponder.knownPrincipals must hold ARNs of IAM roles and users"),
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
        ({"batchingWindowSeconds": 0}, "pullResponder.batchSize is 2000, but more than 10 need a"),
        ({"maxReceiveCount": 0}, "pullResponder.maxReceiveCount must be a whole number"),
        ({"logLevel": "TRACE"}, "pullResponder.logLevel must be one of DEBUG, INFO, WARNING, ERROR, not 'TRACE'"),
        ({"logRetentionDays": 31}, "pullResponder.logRetentionDays must be one of 1, 3, 5,"),
        ({"logRetentionDays": True}, "pullResponder.logRetentionDays must be one of"),
        ({"logRetentionDays": []}, "pullResponder.logRetentionDays must be one of"),
    ],
)
def test_what_cannot_be_used_is_named_in_one_line(context: object, says: str) -> None:
    with pytest.raises(SettingsError) as unusable:
        Settings.from_context(context)
    assert str(unusable.value).startswith(f"cdk.json: {says}")
    assert "\n" not in str(unusable.value)


def synth(context: Mapping[str, object], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the CDK app as `cdk synth` does."""
    environment = {**os.environ, "CDK_CONTEXT_JSON": json.dumps(context), "CDK_OUTDIR": str(folder)}
    return subprocess.run(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def test_the_app_stops_at_an_unusable_setting(tmp_path: Path) -> None:
    stopped = synth({"pullResponder": {"memorySize": "much"}}, tmp_path)
    assert stopped.returncode == 2
    assert stopped.stderr.splitlines()[-1] == (
        "cdk.json: pullResponder.memorySize must be a whole number from 128 to 10240, not 'much'"
    )
    assert "Traceback" not in stopped.stderr
    assert not (tmp_path / "manifest.json").exists()
