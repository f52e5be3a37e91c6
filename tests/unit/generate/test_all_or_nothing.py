"""`make generate` writes everything, or nothing and one line that says what is missing where."""

from __future__ import annotations

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
        [sys.executable, *command], cwd=root, capture_output=True, text=True, check=False
    )


def test_what_is_written_has_its_place_in_the_repository(tmp_path: Path) -> None:
    assert generate(tmp_path, *SCOPES).stderr == ""
    written = {str(path.relative_to(tmp_path / "out")) for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert {"README.md", "docs/notifications.md", "docs/causes/README.md", "infra/permissions.json"} <= written
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
