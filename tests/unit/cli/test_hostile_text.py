"""Whatever stands in a Sid, an id or a name: the terminal shows one printable line of it, under the label it has."""

from __future__ import annotations

import io
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from pull_responder.cli.answer import show_finding, show_skipped
from pull_responder.cli.lines import UNLIMITED, shown
from pull_responder.events.outcome import Skipped
from tests.unit.publish.examples import FINDING

_PARTS = st.sampled_from(
    [
        "\n",
        "\r",
        "\x1b[2J",
        "\x9b2K",
        "\x90q\x9c",
        "\u202e",
        "\u200b",
        "\u2028",
        "\x85",
        "\x7f",
        "\v",
        "Fix        run this",
        "x",
    ]
)
HOSTILE = st.lists(_PARTS | st.text(max_size=8), max_size=8).map("".join)
_HEADINGS = ("Broken", "Why", "Evidence", "Fix", "Docs", "HIGH ")


def _printed(text: str) -> list[str]:
    out = io.StringIO()
    console = Console(file=out, markup=False, highlight=False, emoji=False, width=UNLIMITED)
    finding = replace(
        FINDING,
        title=f"t{text}",
        explanation=f"e{text}",
        evidence=(f"v{text}", f"v{text}"),
        resource=replace(FINDING.resource, id=f"i{text}"),
        remediation=replace(
            FINDING.remediation,
            summary=f"s{text}",
            commands=(("aws", f"c{text}"),),
            docs_url="https://docs.aws.amazon.com/",
        ),
    )
    show_finding(console, finding)
    show_skipped(console, Skipped(f"r{text}"))
    printed = out.getvalue()
    assert printed.endswith("\n")
    return printed[:-1].split("\n")


@settings(deadline=None)
@given(HOSTILE)
def test_each_line_is_printable_and_starts_as_the_report_starts_it(text: str) -> None:
    lines = _printed(text)
    assert all(line.isprintable() for line in lines)
    starts = [line[:6] for line in lines]
    plain = [line[:6] for line in _printed("x")]
    assert starts == plain
    assert sum(line.startswith("Fix") for line in lines) == 1


@settings(deadline=None)
@given(HOSTILE)
def test_what_is_shown_is_one_printable_line(text: str) -> None:
    assert shown(text).isprintable()
