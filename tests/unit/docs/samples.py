"""Writes the sample pages of the site, docs/samples: `make generate`, or `python -m tests.unit.docs.samples`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from pull_responder.model.verdict import Severity
from tests.browser.lives import open_life, page_of, resolved_life
from tests.browser.pages import denied, page, unreachable
from tests.unit.publish.examples import FINDING

FOLDER: Final = Path(__file__).parents[3] / "docs" / "samples"
_USED: Final = (
    "Deployment payments/api, container api (deploy/api.yaml:19)",
    "CronJob payments/report, container report (deploy/report.yaml:24)",
)
_NO_IMAGE: Final = replace(
    FINDING, id="image", cause="image_not_found", title="The repository has no such image", severity=Severity.LOW
)


def samples() -> dict[str, str]:
    """Return the pages of `diagnose --report` and of `report` by the names of their files. All in them is made up."""
    return {
        "diagnose.html": page(denied(), replace(unreachable(), used_by=_USED)),
        "report.html": page_of(open_life(), resolved_life(), resolved_life(_NO_IMAGE, number=2, broken_by=None)),
    }


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in samples().items():
        (FOLDER / name).write_text(text, encoding="utf-8")
