"""The page about notifications shows what is published today."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pull_responder.generate.error import GenerateError
from pull_responder.generate.notification_examples import update_page

PAGE = (Path(__file__).parents[3] / "docs" / "notifications.md").read_text(encoding="utf-8")


def test_the_examples_are_up_to_date() -> None:
    assert update_page(PAGE) == PAGE, "run `make generate`"


def test_each_format_is_shown() -> None:
    assert set(re.findall(r"<!-- example: ([a-z-]+) -->", PAGE)) >= {
        "alert-email",
        "causes-email",
        "resolved-email",
        "digest-email",
        "alert-document",
        "digest-document",
        "alert-chat",
        "alert-attributes",
        "digest-attributes",
    }


def test_an_example_that_has_changed_is_written_anew() -> None:
    stale = PAGE.replace("RESOLVED role/eks", "ENDED role/eks")

    assert stale != PAGE
    assert update_page(stale) == PAGE


def test_an_example_that_nobody_writes_is_an_error() -> None:
    with pytest.raises(GenerateError, match="nothing"):
        update_page("<!-- example: nothing -->\n<!-- end of example -->\n")
