"""`make generate` writes everything, or nothing and one line that says what is missing where."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra.permissions import SCOPES
from pull_responder.generate.error import GenerateError
from pull_responder.generate.texts import texts

ROOT = Path(__file__).parents[3]


def generate(folder: Path, *scopes: str, root: Path = ROOT) -> subprocess.CompletedProcess[str]:
    (folder / "scopes.txt").write_text("".join(f"{scope}\n" for scope in scopes))
    command = ["-m", "pull_responder.generate", "--scopes", str(folder / "scopes.txt"), str(folder / "out")]
    return subprocess.run(  # noqa: S603 -- what is tested
        [sys.executable, *command],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root / "lambdas")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_what_is_written_has_its_place_in_the_repository(tmp_path: Path) -> None:
    assert generate(tmp_path, *SCOPES).stderr == ""
    written = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert {
        "README.md",
        "docs/guided-tour.md",
        "docs/notifications.md",
        "docs/notification-examples.md",
        "docs/causes/README.md",
        "infra/permissions.json",
    } <= written
    assert [name for name in written if not (ROOT / name).is_file()] == []


def test_a_permission_without_a_scope_is_one_line_and_nothing_is_written(tmp_path: Path) -> None:
    failed = generate(tmp_path, *(action for action in SCOPES if action != "secretsmanager:DescribeSecret"))
    assert failed.returncode == 1
    assert failed.stderr == (
        "infra/permissions.py: SCOPES lacks secretsmanager:DescribeSecret, which checks/pull_through_cache_failing.py "
        'declares: add "secretsmanager:DescribeSecret": Scope(...) with the narrowest resource that AWS defines\n'
    )
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("action", ["ec2:DescribeVpcs", "sqs:SendMessage"])
def test_who_declares_it_is_named(action: str) -> None:
    declares = {
        "ec2:DescribeVpcs": r"which checks/endpoint_policy_blocks_pull\.py, .*\.py and \d+ more declare: add",
        "sqs:SendMessage": r"which publish/event_queue\.py declares",
    }
    with pytest.raises(GenerateError, match=declares[action]):
        texts(ROOT, scopes=frozenset(SCOPES) - {action})


def test_a_readme_without_a_place_for_the_causes_is_named(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# Pull Responder\n")
    with pytest.raises(GenerateError, match=r"README\.md: needs the lines <!-- causes -->"):
        texts(tmp_path, scopes=frozenset(SCOPES))


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("HIGH = Severity.HIHG", "node_disk_full.py, line 1: NameError: name 'Severity' is not defined"),
        (
            "from pull_responder.model.verdict import Severity; Severity.HIHG",
            "node_disk_full.py, line 1: AttributeError",
        ),
        ("CHECK = Check(", "node_disk_full.py, line 1: SyntaxError: '(' was never closed"),
    ],
)
def test_a_slip_in_a_check_is_one_line_with_its_place(tmp_path: Path, line: str, said: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(ROOT / "lambdas", copy / "lambdas", ignore=shutil.ignore_patterns("__pycache__"))
    check = copy / "lambdas/pull_responder/checks/node_disk_full.py"
    check.write_text(f"{line}\n")
    failed = generate(tmp_path, *SCOPES, root=copy)
    assert failed.returncode == 1
    assert failed.stderr.startswith(f"checks/{said}")
    assert failed.stderr.count("\n") == 1
    assert not (tmp_path / "out").exists()
