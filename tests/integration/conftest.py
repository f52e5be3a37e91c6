"""What holds the tests of causes: that each shows what it is marked with, and the examples that pages show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration import seen
from tests.integration.example import EXAMPLES, ROOT, TOUR, rendered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pull_responder.diagnosis import Diagnosis
    from pull_responder.findings.finding import Finding


@pytest.fixture
def example(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Hold a cause's example against what it is today; with --write-examples, write it.

    With `tour`, it is an example of that name of the guided tour, beside the cause's own.
    """
    folder = request.config.getoption("--write-examples")

    def hold(
        given: str | dict[str, object], diagnosis: Diagnosis | None, finding: Finding, *, tour: str = "", **names: str
    ) -> None:
        text = rendered(given, diagnosis, finding, names)
        name = f"{tour or finding.cause}.md"
        if folder:
            written = Path(folder, "tour" if tour else "", name)
            written.parent.mkdir(parents=True, exist_ok=True)
            written.write_text(text, encoding="utf-8")
            return
        kept = (TOUR if tour else EXAMPLES) / name
        shown = kept.relative_to(ROOT)
        assert kept.exists(), f"{shown} is missing: run `make examples`"
        assert text == kept.read_text(encoding="utf-8"), f"{shown} is stale: run `make examples`"

    return hold


@pytest.fixture(autouse=True)
def shows_what_it_is_marked_with(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test marked `cause("x", "passes")` in which x does not pass would be no test of it."""
    seen.DIAGNOSES.clear()
    yield
    for marker in request.node.iter_markers("cause"):
        cause, what = marker.args
        assert not seen.DIAGNOSES or any(seen.shows(each, cause, what) for each in seen.DIAGNOSES), (
            f"marked cause({cause!r}, {what!r}), but no diagnosis in it shows that"
        )
