"""The page about notifications shows what is published today."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pull_responder.findings.notice import Edge
from pull_responder.generate.error import GenerateError
from pull_responder.generate.notification_examples import PAGES, update_page

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / PAGES[0]).read_text(encoding="utf-8")
EXAMPLES = (ROOT / PAGES[1]).read_text(encoding="utf-8")
SHOWN = re.compile(r"<!-- example: ([a-z-]+) -->")


@pytest.mark.parametrize("page", [PAGE, EXAMPLES])
def test_the_examples_are_up_to_date(page: str) -> None:
    assert update_page(page) == page, "run `make generate`"


@pytest.mark.parametrize("form", ["email", "sms", "chat", "document"])
def test_each_kind_of_message_is_shown_in_each_format(form: str) -> None:
    kinds = (
        *("alert", "causes", "policy", "worse", "back", "flapping", "reminder", "resolved", "ended", "digest"),
        *("over", "test"),
    )

    assert [name for name in SHOWN.findall(EXAMPLES) if name.endswith(f"-{form}")] == [
        f"{each}-{form}" for each in kinds
    ]


def test_each_edge_is_shown() -> None:
    assert set(re.findall(r'^  "edge": "([a-z]+)"', EXAMPLES, re.MULTILINE)) == {*Edge, "digest", "test"}


def test_each_format_is_shown() -> None:
    assert set(SHOWN.findall(PAGE)) >= {
        "alert-email",
        "causes-email",
        "resolved-email",
        "digest-email",
        "alert-document",
        "digest-document",
        "alert-chat",
        "alert-sms",
        "alert-attributes",
        "digest-attributes",
    }


def test_an_example_that_has_changed_is_written_anew() -> None:
    stale = PAGE.replace("STILL BROKEN, HIGH", "ENDED in part")

    assert stale != PAGE
    assert update_page(stale) == PAGE


def test_an_example_that_nobody_writes_is_an_error() -> None:
    with pytest.raises(GenerateError, match="nothing"):
        update_page("<!-- example: nothing -->\n<!-- end of example -->\n")
