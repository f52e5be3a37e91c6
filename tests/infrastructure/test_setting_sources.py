"""The settings come from cdk.json, a file beside it and the command line, and a fault says where it stands."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from infra.setting_checks import SettingsError
from infra.setting_sources import read_settings
from infra.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

TRACKED = {"pullResponder": {"memorySize": 256, "quietMinutes": 20, "keepDays": 30}}


def test_the_file_overrides_single_keys_and_the_command_line_those_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "pull-responder.json").write_text('{"quietMinutes": 21, "keepDays": 31}')
    given = {**TRACKED, "pullResponder.keepDays": "32"}
    assert read_settings(given, tmp_path) == Settings(memory_size=256, quiet_minutes=21, keep_days=32)


def test_an_object_on_the_command_line_stands_above_the_file_and_below_single_keys(tmp_path: Path) -> None:
    (tmp_path / "pull-responder.json").write_text('{"quietMinutes": 21, "keepDays": 31}')
    given = {"pullResponder": '{"quietMinutes": 22, "digestAbove": 5}', "pullResponder.digestAbove": "6"}
    assert read_settings(given, tmp_path) == Settings(quiet_minutes=22, keep_days=31, digest_above=6)


def test_another_file_can_be_named(tmp_path: Path) -> None:
    (tmp_path / "pull-responder.json").write_text('{"quietMinutes": 21}')
    # As an editor on Windows writes it.
    (tmp_path / "prod.json").write_bytes(b'\xef\xbb\xbf{"keepDays": 33}')
    assert read_settings({"settings": "prod.json"}, tmp_path) == Settings(keep_days=33)
    assert read_settings({"settings": str(tmp_path / "prod.json")}, tmp_path) == Settings(keep_days=33)


def test_without_any_of_them_all_are_defaults(tmp_path: Path) -> None:
    assert read_settings({}, tmp_path) == read_settings({"pullResponder": None}, tmp_path) == Settings()
    others = {"aws:cdk:enable-path-metadata": True, "@aws-cdk/core:x": True, "vpc": "vpc-01234567", "tags": {"a": "b"}}
    assert read_settings(others, tmp_path) == Settings()


@pytest.mark.parametrize(
    ("key", "text", "field", "value"),
    [
        ("memorySize", "1024", "memory_size", 1024),
        ("logLevel", "DEBUG", "log_level", "DEBUG"),
        ("alertEmail", "ops@example.com", "alert_email", "ops@example.com"),
        ("alertEmail", '"ops@example.com"', "alert_email", "ops@example.com"),
        ("healthCheckRate", "null", "health_check_rate", None),
        ("healthCheckRate", "rate(2 hours)", "health_check_rate", "rate(2 hours)"),
        ("securityHub", "false", "security_hub", False),
        # All digits, and a text all the same.
        ("organizationAccount", "012345678901", "organization_account", "012345678901"),
        ("organizationAccount", "912345678901", "organization_account", "912345678901"),
        ("notificationSchema", "1.0", "notification_schema", "1.0"),
        ("auditLogClusters", '["prod","test"]', "audit_log_clusters", ("prod", "test")),
        ("severities", '{"image_not_found":"HIGH"}', "severities", {"image_not_found": "HIGH"}),
    ],
)
def test_a_value_on_the_command_line_needs_no_quotes_of_json(
    key: str, text: str, field: str, value: object, tmp_path: Path
) -> None:
    read = getattr(read_settings({f"pullResponder.{key}": text}, tmp_path), field)
    assert (type(read), read) == (type(value), value)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (
            {"pullResponder.memorySize": "much"},
            "cdk -c: pullResponder.memorySize must be a whole number from 128 to 10240, not 'much'",
        ),
        (
            {"pullResponder.memorySize": "64"},
            "cdk -c: pullResponder.memorySize must be a whole number from 128 to 10240, not 64",
        ),
        (
            {"pullResponder.memorySize": '"1024"'},
            "cdk -c: pullResponder.memorySize must be a whole number from 128 to 10240, not '1024'",
        ),
        ({"pullResponder.keepdays": "30"}, "cdk -c: pullResponder.keepdays is not a setting; the nearest is keepDays"),
        (
            {"pullResponder.severities.image_not_found": "HIGH"},
            "cdk -c: pullResponder.severities.image_not_found is not a setting; the nearest is severities",
        ),
        ({"memorySize": "1024"}, "cdk -c: memorySize is to be written as pullResponder.memorySize"),
        (
            {"pullResponder.auditLogClusters": '["prod"'},
            "cdk -c: pullResponder.auditLogClusters: line 1, column 8: Expecting ',' delimiter",
        ),
        ({"pullResponder": "LOW"}, "cdk -c: pullResponder: line 1, column 1: Expecting value"),
        ({"pullResponder": '["LOW"]'}, "cdk -c: pullResponder must be an object of settings, not ['LOW']"),
        (
            {"pullResponder": '{"memorySize": 64}'},
            "cdk -c: pullResponder.memorySize must be a whole number from 128 to 10240, not 64",
        ),
        ({"settings": "prod.json"}, "prod.json: cannot be read: No such file or directory"),
        ({"settings": "."}, ".: cannot be read: Is a directory"),
    ],
)
def test_a_fault_of_the_command_line_says_so_in_one_line(given: dict[str, object], says: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as invalid:
        read_settings(given, tmp_path)
    assert str(invalid.value) == says


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"memorySize": 64}', "memorySize must be a whole number from 128 to 10240, not 64"),
        ('{"memory": 512}', "memory is not a setting; the nearest is memorySize"),
        ('{\n  "memorySize": 512\n  "keepDays": 30}', "line 3, column 3: Expecting ',' delimiter"),
        ('{\n  "memorySize" 512}', "line 2, column 16: Expecting ':' delimiter"),
        ("", "line 1, column 1: Expecting value"),
        ("[1]", "must be an object of settings, not [1]"),
        ('{"keepDays": 30, "keepDays": 60}', "'keepDays' stands there twice"),
        (
            '{"severities": {"image_not_found": "LOW", "image_not_found": "HIGH"}}',
            "'image_not_found' stands there twice",
        ),
        # A value that does not count, as the command line has another, is checked all the same.
        ('{"digestAbove": 0}', "digestAbove must be a whole number from 1 to 1000, not 0"),
        ("[" * 100_000, "has a number that is too long, or is nested too deeply"),
        ('{"aws_registries":' + "[" * 100_000, "has a number that is too long, or is nested too deeply"),
        ('{"keepDays": ' + "9" * 5_000 + "}", "has a number that is too long, or is nested too deeply"),
        ('{"batchingWindowSeconds": 0}', "batchingWindowSeconds to be at least 1"),
    ],
)
def test_a_fault_of_the_file_names_the_file_in_one_line(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "pull-responder.json").write_text(text)
    with pytest.raises(SettingsError) as invalid:
        read_settings({"pullResponder.digestAbove": "5"}, tmp_path)
    message = str(invalid.value)
    assert "pull-responder.json" in message
    assert says in message
    assert message.isprintable()


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "pull-responder.json").write_bytes(b'{"alertEmail": "\xff"}')
    with pytest.raises(SettingsError, match=r"^pull-responder.json: is not UTF-8 at byte 16$"):
        read_settings({}, tmp_path)


def test_another_app_learns_which_field_is_at_fault() -> None:
    with pytest.raises(
        SettingsError, match=r"^Settings: memory_size must be a whole number from 128 to 10240, not 64$"
    ):
        Settings(memory_size=64)
    with pytest.raises(
        SettingsError, match=r"^Settings: batch_size is 2000, but more than 10 need Settings: batching_w"
    ):
        Settings(batching_window_seconds=0)
    assert Settings(audit_log_clusters=["prod"]).audit_log_clusters == ("prod",)  # type: ignore[arg-type]


def test_the_file_is_not_tracked() -> None:
    from tests.infrastructure.test_settings import ROOT  # noqa: PLC0415 -- the only thing needed of it

    assert "/pull-responder.json" in (ROOT / ".gitignore").read_text().splitlines()
    assert json.loads((ROOT / "cdk.json").read_text())["context"]["pullResponder"]["alertEmail"] is None
