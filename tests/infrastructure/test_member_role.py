from __future__ import annotations

from pathlib import Path

from infra.member_role import template

COMMITTED = Path(__file__).parents[2] / "infra" / "member-role.yaml"


def test_the_template_is_up_to_date() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == template(), "run `make generate`"
