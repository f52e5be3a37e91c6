"""What holds the tests of causes: that each shows what it is marked with, and the examples that pages show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration import seen
from tests.integration.example import EXAMPLES, rendered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pull_responder.diagnosis import Diagnosis
    from pull_responder.findings.finding import Finding


@pytest.fixture
def example(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Hold a cause's example against what it is today; with --write-examples, write it."""
    folder = request.config.getoption("--write-examples")

    def hold(given: str | dict[str, object], diagnosis: Diagnosis | None, finding: Finding, **names: str) -> None:
        text = rendered(given, diagnosis, finding, names)
        name = f"{finding.cause}.md"
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            Path(folder, name).write_text(text, encoding="utf-8")
            return
        kept = EXAMPLES / name
        assert kept.exists(), f"docs/causes/examples/{name} is missing: run `make examples`"
        assert text == kept.read_text(encoding="utf-8"), f"docs/causes/examples/{name} is stale: run `make examples`"

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
