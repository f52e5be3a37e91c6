"""Which names of a registry are offered in place of one that it does not have."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from pull_responder.checks.repository_not_found import _similar

if TYPE_CHECKING:
    import pytest


def test_few_of_a_registrys_names_are_compared_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []
    matches = difflib.get_close_matches

    def count(word: str, names: list[str], most: int) -> list[str]:
        compared.append(len(names))
        return matches(word, names, most)

    monkeypatch.setattr(difflib, "get_close_matches", count)
    names = (*(f"team-{number}/payments-api" for number in range(10_000)), "paymnts/api", "payments/apu")
    assert {"paymnts/api", "payments/apu"} < set(_similar("payments/api", names))
    assert max(compared) <= 50


def test_a_slip_at_either_end_or_within_is_found() -> None:
    names = tuple(f"service-{number}" for number in range(1_000))
    for slip in ("xservice-77", "service-7x7", "servce-77", "service-77x"):
        assert "service-77" in _similar(slip, names), slip
