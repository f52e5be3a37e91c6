"""docs/security.md: every actor has a row, and every test that it names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_PAGE = (_ROOT / "docs" / "security.md").read_text(encoding="utf-8")
_NAMED = sorted(set(re.findall(r"`(tests/[^`]*)`", _PAGE)))


@pytest.mark.parametrize("named", _NAMED)
def test_a_named_test_exists(named: str) -> None:
    path, name = named.split("::")
    assert re.search(rf"^def {name}\(", (_ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize(
    "actor",
    [
        "A pod's author",
        "A creator of Kubernetes Events",
        "A node",
        "`events:PutEvents`",
        "A foreign account",
        "An operator of Security Hub",
        "`sqs:SendMessage`",
        "`logs:PutLogEvents`",
    ],
)
def test_an_actor_has_a_row_with_a_test(actor: str) -> None:
    (row,) = [line for line in _PAGE.splitlines() if line.startswith(f"| {actor} |")]
    assert "`tests/" in row
