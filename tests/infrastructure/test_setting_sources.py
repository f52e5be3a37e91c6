"""The settings come from cdk.json, a file beside it and the command line, and a fault says where it stands."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.setting_checks import SettingsError
from infra.setting_sources import read_settings
from infra.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
        ("memorySize", "2048", "memory_size", 2048),
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
        ({"settings": "prod.json"}, "cdk -c: settings=prod.json: there is no such file"),
        ({"settings": "false"}, "cdk -c: settings=false: there is no such file"),
        ({"settings": "."}, "cdk -c: settings=.: cannot be read: Is a directory"),
        ({"settings": "/dev/null"}, "cdk -c: settings=/dev/null: cannot be read: Is a pipe or a device"),
        ({"settings": ""}, "cdk -c: settings must be the name of a file, not ''"),
        ({"settings": False}, "cdk -c: settings must be the name of a file, not False"),
        ({"settings": {"a": 1}}, "cdk -c: settings must be the name of a file, not {'a': 1}"),
        ({"settings": "a\0b"}, "cdk -c: settings='a\\x00b': no file can have this name"),
        ({"settings": "a\ud800b"}, "cdk -c: settings='a\\ud800b': no file can have this name"),
        ({"settings": "a\nb"}, "cdk -c: settings='a\\nb': there is no such file"),
        (
            {"settings": "a" * 5_000},
            f"cdk -c: settings='{'a' * 79}: cannot be read: File name too long",
        ),
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
        ("", "pull-responder.json: is empty; without any setting it has to be {}"),
        ("\ufeff \n", "pull-responder.json: is empty; without any setting it has to be {}"),
        ("\ufeff\ufeff{}", "line 1, column 1: Unexpected UTF-8 BOM"),
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


@pytest.mark.parametrize(
    ("content", "byte"),
    [
        (b'{"alertEmail": "\xff"}', 16),
        # As PowerShell redirects.
        ('{"keepDays": 30}'.encode("utf-16"), 0),
    ],
)
def test_a_file_that_is_no_text_is_named(content: bytes, byte: int, tmp_path: Path) -> None:
    (tmp_path / "pull-responder.json").write_bytes(content)
    with pytest.raises(SettingsError, match=rf"^pull-responder.json: is not UTF-8 at byte {byte}$"):
        read_settings({}, tmp_path)


def make_loop(path: Path) -> None:
    path.symlink_to(path.name)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: path.symlink_to("gone.json"), "is a symbolic link to a file that is not there"),
        (make_loop, "cannot be read: Too many levels of symbolic links"),
        (Path.mkdir, "cannot be read: Is a directory"),
        (os.mkfifo, "cannot be read: Is a pipe or a device"),
    ],
)
def test_what_has_the_files_name_and_is_no_file_is_not_passed_over(
    make: Callable[[Path], object], says: str, tmp_path: Path
) -> None:
    make(tmp_path / "pull-responder.json")
    with pytest.raises(SettingsError) as invalid:
        read_settings({}, tmp_path)
    assert str(invalid.value) == f"pull-responder.json: {says}"
    with pytest.raises(SettingsError) as invalid:
        read_settings({"settings": "pull-responder.json"}, tmp_path)
    assert str(invalid.value) == f"cdk -c: settings=pull-responder.json: {says}"


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Who runs the tests as root may read every file."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65_534)
    yield
    os.seteuid(user)


@pytest.mark.parametrize("closed", ["pull-responder.json", "."])
def test_a_file_that_may_not_be_read_is_not_passed_over(
    closed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    (tmp_path / "pull-responder.json").write_text('{"keepDays": 30}')
    tmp_path.chmod(0o755)
    # The folders above are closed to others.
    monkeypatch.chdir(tmp_path)
    mode = (tmp_path / closed).stat().st_mode
    (tmp_path / closed).chmod(0)
    request.addfinalizer(lambda: (tmp_path / closed).chmod(mode))
    request.getfixturevalue("unprivileged")
    with pytest.raises(SettingsError, match=r"^pull-responder.json: cannot be read: Permission denied$"):
        read_settings({}, Path())


def test_a_link_to_a_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "prod.json").write_text('{"keepDays": 33}')
    (tmp_path / "pull-responder.json").symlink_to("prod.json")
    assert read_settings({}, tmp_path) == Settings(keep_days=33)


def test_a_file_with_a_strange_name_is_named_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "a\nb").write_text('{"keepDays": 0}')
    with pytest.raises(SettingsError, match=r"^'a\\nb': keepDays must be a whole number from 1 to 3650, not 0$"):
        read_settings({"settings": "a\nb"}, tmp_path)
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    (deep / "prod.json").write_text("[]")
    with pytest.raises(SettingsError, match=rf"^{deep}/prod.json must be an object of settings, not \[\]$"):
        read_settings({"settings": str(deep / "prod.json")}, tmp_path)


def test_another_app_learns_which_field_is_at_fault() -> None:
    with pytest.raises(
        SettingsError, match=r"^Settings: memory_size must be a whole number from 128 to 10240, not 64$"
    ):
        Settings(memory_size=64)
    with pytest.raises(
        SettingsError, match=r"^Settings: batch_size is 2000, but more than 10 need Settings: batching_w"
    ):
        Settings(batching_window_seconds=0)
    with pytest.raises(SettingsError, match=r"^Settings: memory_size must be a whole number .* that is too long$"):
        Settings(memory_size=10**5_000)
    assert Settings(audit_log_clusters=["prod"]).audit_log_clusters == ("prod",)  # type: ignore[arg-type]


def test_another_app_may_give_what_only_the_deployment_knows_where_the_synthesis_need_not() -> None:
    later = "${Token[TOKEN.1]}"
    assert Settings(alert_email=later, member_role_name=later).member_role_name == later
    with pytest.raises(SettingsError, match=r"^Settings: recheck_rate must be a rate such as .*, not '\$\{Token"):
        Settings(recheck_rate=later)
    with pytest.raises(SettingsError, match=r"^Settings: log_level must be one of DEBUG, .*, not '\$\{Token"):
        Settings(log_level=later)


LATER = "${Token[Build.Arn.12]}"


@pytest.mark.parametrize(
    "arn",
    [
        LATER,
        "arn:${Token[AWS.Partition.3]}:iam::${Token[AWS.AccountId.4]}:role/ci-*",
        "arn:aws:iam::111111111111:role/ci/${Token[TOKEN.5]}-*",
    ],
)
def test_another_app_may_know_a_principal_only_at_deployment(arn: str) -> None:
    assert Settings(known_principals=(arn,)).known_principals == (arn,)


@pytest.mark.parametrize("arn", ["arn:*:iam::*:role/*", "arn:${Token[P.3]}:iam::${Token[A.4]}:role/*/*"])
def test_everybody_is_no_known_principal_of_another_app(arn: str) -> None:
    with pytest.raises(SettingsError, match=r"^Settings: known_principals must name principals, not 'arn:"):
        Settings(known_principals=(LATER, arn))


def test_another_app_may_know_accounts_only_at_deployment() -> None:
    settings = Settings(read_accounts=("111111111111", LATER), aws_registries=(LATER,))
    assert (settings.read_accounts, settings.aws_registries) == (("111111111111", LATER), (LATER,))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("known_principals", ("${Token[TOKEN.1]}*",)),
        ("known_principals", ("arn:aws:iam::111111111111:${Token[TOKEN.1]}",)),
        # A list.
        ("known_principals", ("#{Token[TOKEN.1]}",)),
        ("read_accounts", ("#{Token[TOKEN.1]}",)),
        ("read_accounts", ("${Token[TOKEN.1]}${Token[TOKEN.2]}",)),
        ("audit_log_clusters", (LATER,)),
        ("tags", {"team": LATER}),
        ("tags", {LATER: "team"}),
        ("severities", {"image_not_found": LATER}),
        ("reserved_concurrency", {"diagnose": LATER}),
        ("log_level", LATER),
    ],
)
def test_what_the_synthesis_has_to_know_is_refused_as_such(field: str, value: object) -> None:
    with pytest.raises(SettingsError) as invalid:
        Settings(**{field: value})  # type: ignore[arg-type]
    message = str(invalid.value)
    assert message.startswith(f"Settings: {field}")
    assert message.endswith("; what is known only at deployment cannot stand there")


@pytest.mark.parametrize(("key", "value"), [("knownPrincipals", LATER), ("readAccounts", LATER)])
def test_a_file_knows_nothing_of_the_deployment(key: str, value: str, tmp_path: Path) -> None:
    (tmp_path / "pull-responder.json").write_text(json.dumps({key: [value]}))
    with pytest.raises(SettingsError, match=rf"^pull-responder.json: {key} must hold .*, not '\$\{{Token\[Build"):
        read_settings({}, tmp_path)


@pytest.mark.parametrize(("rate", "minutes"), [("rate(1 minute)", 1), ("rate(2 hours)", 120), ("rate(1 day)", 1_440)])
def test_the_rate_in_minutes(rate: str, minutes: int) -> None:
    assert Settings(recheck_rate=rate).recheck_rate_minutes == minutes


def test_the_file_is_not_tracked() -> None:
    from tests.infrastructure.test_settings import ROOT  # noqa: PLC0415 -- the only thing needed of it

    assert "/pull-responder.json" in (ROOT / ".gitignore").read_text().splitlines()
    assert json.loads((ROOT / "cdk.json").read_text())["context"]["pullResponder"]["alertEmail"] is None
