"""The settings that the stack hands to its functions."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import pytest

from infra.settings import Settings as StackSettings
from pull_responder.model.verdict import Severity
from pull_responder.settings import _LEAST, SettingError, Settings, read_settings

_ROOT: Final = Path(__file__).parents[2]
NUMBERS = {
    "QUIET_MINUTES": "5",
    "HOLD_DOWN_MINUTES": "0",
    "REMINDER_HOURS": "0",
    "DIGEST_ABOVE": "3",
    "UNEXPLAINED_MINUTES": "20",
    "UNEXPLAINED_REPEATS": "9",
    "STOPPED_MINUTES": "30",
    "RECHECK_MINUTES": "7",
    "RECHECK_RATE_MINUTES": "5",
    "KEEP_DAYS": "30",
}


def test_what_is_set_is_taken() -> None:
    read = read_settings({**NUMBERS, "TABLE_NAME": "findings"})
    assert {name: getattr(read, name.lower()) for name in NUMBERS} == {name: int(NUMBERS[name]) for name in NUMBERS}
    assert read.table_name == "findings"


def test_without_an_environment_the_defaults_are_those_of_the_stack() -> None:
    read, stack = read_settings(dict.fromkeys((*NUMBERS, "TABLE_NAME"), "")), StackSettings()
    assert {name: getattr(read, name.lower()) for name in NUMBERS} == {
        name: getattr(stack, name.lower()) for name in NUMBERS
    }
    assert read.table_name is None


@pytest.mark.parametrize("name", [each.name for each in fields(Settings) if each.type == "int"])
def test_every_whole_number_can_be_set(name: str) -> None:
    assert name in _LEAST, f'lambdas/pull_responder/settings.py: add "{name}" to _LEAST, with the least that it can be'
    assert name.upper() in NUMBERS, f"tests/unit/test_settings.py: add {name.upper()} to NUMBERS"
    assert hasattr(StackSettings(), name), f"infra/settings.py: Settings lacks {name}, so nobody can set it"


@pytest.mark.parametrize(
    ("name", "value", "least"),
    [
        ("QUIET_MINUTES", "0", 1),
        ("HOLD_DOWN_MINUTES", "-1", 0),
        ("REMINDER_HOURS", "never", 0),
        ("DIGEST_ABOVE", "0", 1),
        ("UNEXPLAINED_MINUTES", "1.5", 1),
        ("UNEXPLAINED_REPEATS", " 9", 1),
        ("STOPPED_MINUTES", "\u0663\u0660", 1),
        ("RECHECK_MINUTES", "0", 1),
        ("RECHECK_RATE_MINUTES", "0", 1),
        ("KEEP_DAYS", "12345678", 1),
    ],
)
def test_junk_is_named(name: str, value: str, least: int) -> None:
    with pytest.raises(SettingError) as unusable:
        read_settings({name: value})
    assert str(unusable.value) == f"{name} is {value!r}, not a whole number from {least}"


def test_the_form_of_notifications_is_taken() -> None:
    page = "https://wiki.example.com/pulls/{cause}#fix"
    read = read_settings({"NOTIFICATION_SCHEMA": "1.0", "RUNBOOK_URL": page})
    assert (read.notification_schema, read.runbook_url) == ("1.0", page)
    read, stack = read_settings({}), StackSettings()
    assert (read.notification_schema, read.runbook_url) == (stack.notification_schema, stack.runbook_url)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NOTIFICATION_SCHEMA", "3.0"),
        ("RUNBOOK_URL", "https://wiki.example.com/pulls"),
        ("RUNBOOK_URL", "javascript:alert({cause})"),
        ("RUNBOOK_URL", "https://wiki.example.com/{cause}/{cause}"),
        ("RUNBOOK_URL", "https://wiki.example.com/{cause} <b>"),
    ],
)
def test_a_form_of_notifications_that_is_none_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingError, match=f"^{name} is "):
        read_settings({name: value})


REGISTRIES = "PULL_RESPONDER_AWS_REGISTRIES"


def test_registries_of_aws_are_a_list_of_accounts() -> None:
    assert read_settings({REGISTRIES: '["123456789012"]'}).aws_registries == ("123456789012",)
    assert read_settings({}).aws_registries == read_settings({REGISTRIES: ""}).aws_registries == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("602401143452,", f"{REGISTRIES} is not JSON: "),
        ('"602401143452"', f"{REGISTRIES} is not a JSON list of account ids"),
        ("[602401143452]", f"{REGISTRIES} holds '602401143452', not the 12 digits of an account's id in quotes"),
        ('["60240114345"]', f"{REGISTRIES} holds '60240114345', not the 12 digits of an account's id in quotes"),
    ],
)
def test_what_is_no_list_of_accounts_is_named(text: str, says: str) -> None:
    with pytest.raises(SettingError) as unusable:
        read_settings({REGISTRIES: text})
    assert str(unusable.value).startswith(says)


ROLES = "PULL_RESPONDER_ROLE_ARNS"


def test_the_functions_own_roles_are_known_and_no_role_of_another_account_is_for_its_name() -> None:
    own = "arn:aws:iam::123456789012:role/PullResponder-DiagnoseRole-1"
    build = "arn:aws:iam::123456789012:role/build"
    read = read_settings({"KNOWN_PRINCIPALS": f'["{build}"]', ROLES: f'["{own}"]'})
    assert read.known_principals == (build, own)
    assert read_settings({}).known_principals == ()


@pytest.mark.parametrize(
    ("text", "says"), [("arn", f"{ROLES} is not JSON: "), ('"arn"', f"{ROLES} is not a JSON list")]
)
def test_what_is_no_list_of_roles_is_named(text: str, says: str) -> None:
    with pytest.raises(SettingError) as unusable:
        read_settings({ROLES: text})
    assert str(unusable.value).startswith(says)


def test_severities_are_read_by_cause() -> None:
    read = read_settings(
        {"CAUSE_SEVERITIES": '{"LOW":["no_route_to_ecr","image_not_found"],"CRITICAL":["scp_blocks_pull"]}'}
    )
    assert dict(read.severities) == {
        "no_route_to_ecr": Severity.LOW,
        "image_not_found": Severity.LOW,
        "scp_blocks_pull": Severity.CRITICAL,
    }
    assert dict(read_settings({}).severities) == {}


@pytest.mark.parametrize("text", ["LOW", "[]", '{"low":["image_not_found"]}', '{"LOW":7}', '["image_not_found"]'])
def test_severities_that_are_none_are_named(text: str) -> None:
    with pytest.raises(SettingError, match=r"^CAUSE_SEVERITIES is not a JSON object of lists of causes by severity: "):
        read_settings({"CAUSE_SEVERITIES": text})


class _Watched(dict[str, str]):
    """An environment that notes what is asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 -- as dict has it
        self.asked.add(name)
        return super().get(name, default)


def test_the_table_of_variables_is_what_the_code_reads() -> None:
    environment = _Watched()
    read_settings(environment)
    sources = [path.read_text(encoding="utf-8") for path in (_ROOT / "lambdas/pull_responder/handlers").glob("*.py")]
    own = {name for source in sources for name in re.findall(r'os\.environ(?:\.get\(|\[)"(\w+)"', source)}
    page = (_ROOT / "docs/operations.md").read_text(encoding="utf-8")
    table = page.partition("### Environment variables")[2].partition("## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    # Powertools reads this one itself.
    assert {name for row in rows for name in re.findall(r"`(\w+)`", row)} == {
        *environment.asked,
        *own,
        "POWERTOOLS_LOG_LEVEL",
    }
    assert "QUEUE_URL" in own


def test_no_text_says_in_which_file_a_setting_stands() -> None:
    """It may also stand in pull-responder.json or on the command line, and another app has neither."""
    package = _ROOT / "lambdas/pull_responder"
    texts = [*package.rglob("*.py"), *(_ROOT / "docs/causes").rglob("*.md"), _ROOT / "infra/member-role.yaml"]
    naming = r"\b(?:cdk|pull-responder)\.json\b"
    assert [str(path) for path in texts if re.search(naming, path.read_text(encoding="utf-8"))] == []
