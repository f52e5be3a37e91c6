"""The sample pages are those that the code writes."""

from __future__ import annotations

from tests.unit.docs.samples import FOLDER, samples


def test_the_sample_pages_are_up_to_date() -> None:
    stored = {each.name: each.read_text(encoding="utf-8") for each in FOLDER.iterdir()}
    assert stored == samples(), "run: .venv/bin/python -m tests.unit.docs.samples"
