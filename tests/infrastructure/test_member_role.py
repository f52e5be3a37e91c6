from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from infra.member_role import template

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "infra" / "member-role.yaml"


def test_the_template_is_up_to_date() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == template(), "infra/member-role.yaml is stale: run `make generate`"


@pytest.mark.parametrize("module", ["member_role", "member_template"])
def test_an_action_without_a_scope_is_one_line(module: str, tmp_path: Path) -> None:
    declared = tmp_path / "permissions.json"
    nothing = {"read": ["ecr:DescribeRepositories", "ecr:DescribeNothing"]}
    declared.write_text(json.dumps({"diagnose": nothing, "recheck": nothing}))
    failed = subprocess.run(  # noqa: S603 -- what is tested
        [sys.executable, "-m", f"infra.{module}", str(declared)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (failed.returncode, failed.stdout) == (1, "")
    (line,) = failed.stderr.splitlines()
    assert line.startswith("infra/permissions.py: SCOPES lacks ecr:DescribeNothing, which ")


def test_the_role_trusts_every_role_of_a_list() -> None:
    """Several stacks, and terminals, can read one account: an account has one role of the name."""
    written = template()
    parameter = written.partition("  ResponderRoleArns:\n")[2].partition("  RoleName:\n")[0]
    assert "Type: CommaDelimitedList" in parameter
    assert "joined by commas" in parameter
    assert "            Principal:\n              AWS: !Ref ResponderRoleArns\n" in written
