"""Examples as the causes' pages show them: alike in every run, whatever ids the emulated AWS draws."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console

from pull_responder.checks import BY_ID
from pull_responder.checks.check import Kind
from pull_responder.cli.answer import show_diagnosis, show_finding
from pull_responder.cli.lines import UNLIMITED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pull_responder.diagnosis import Diagnosis
    from pull_responder.findings.finding import Finding

ROOT: Final = Path(__file__).parents[2]
EXAMPLES: Final = ROOT / "docs" / "causes" / "examples"
# Those of docs/guided-tour.md that are no cause's own.
TOUR: Final = ROOT / "docs" / "site" / "tour"

_KEPT: Final = (
    "eventSource", "eventName", "awsRegion", "eventTime", "errorCode", "errorMessage", "userIdentity", "detail-type",
)  # fmt: skip
# What an emulated AWS draws anew each time, and what the first, second, ... of it is called instead.
_DRAWN: Final[tuple[tuple[re.Pattern[str], Callable[[int, re.Match[str]], str]], ...]] = (
    (
        re.compile(
            r"\b(i|subnet|vpc|rtb|nat|sg|acl|igw|vpce|eni|pl|lt|pcx|tgw(?:-rtb|-attach)?|rslvr-frg|rslvr-fdl)-[0-9a-f]{8,17}\b"
        ),
        lambda number, found: f"{found[1]}-0a1b2c3d4e5f6{number:04x}",
    ),
    (
        re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"),
        lambda number, _: f"{number:08x}-aaaa-bbbb-cccc-ddddeeeeffff",
    ),
    (re.compile(r"(?<=\()20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"), lambda *_: "2026-03-01T11:00:00Z"),
    (re.compile(r"(?<![\w-])\d{12}(?!\d)"), lambda number, _: str(number) * 12),
)


def rendered(
    given: str | Mapping[str, object], diagnosis: Diagnosis | None, finding: Finding, names: Mapping[str, str]
) -> str:
    """A message or a record, and the finding that it gives. `names` are what to call what a test made up.

    Without a diagnosis, the finding is about no pull: `given` is a command.
    """
    page = StringIO()
    console = Console(file=page, markup=False, highlight=False, emoji=False, width=UNLIMITED)
    if diagnosis is None:
        show_finding(console, finding)
        block, found = f"```sh\n{given}\n```", page.getvalue().strip("\n")
        said = "\n".join(line.rstrip() for line in found.splitlines())
        who = "Within the day, the deployed responder reports:"
        return _steady(f"Somebody runs:\n\n{block}\n\n{who}\n\n```text\n{said}\n```\n", names)
    alone = replace(diagnosis, findings=(finding,), inconclusive=(), unchecked=(), passed=())
    show_diagnosis(console, alone)
    if isinstance(given, str):
        head, block = "A node's kubelet says:", f"```text\n{given}\n```"
    else:
        record = {key: value for key, value in given.items() if key in _KEPT}
        head, block = "CloudTrail records (shortened):", f"```json\n{json.dumps(record, indent=2)}\n```"
    who = "`pull-responder diagnose` answers:"
    if BY_ID[finding.cause].kind is Kind.UNEXPLAINED:
        who = "After it has failed for long enough, the deployed responder reports:"
    lines = "\n".join(line.rstrip() for line in page.getvalue().strip("\n").splitlines())
    return _steady(f"{head}\n\n{block}\n\n{who}\n\n```text\n{lines}\n```\n", names)


def _steady(text: str, names: Mapping[str, str]) -> str:
    for shown, made_up in names.items():
        text = re.sub(rf"\b{re.escape(made_up)}\b", shown, text)
    for pattern, called in _DRAWN:
        drawn: dict[str, str] = {}
        for found in pattern.finditer(text):
            drawn.setdefault(found[0], called(len(drawn) + 1, found))
        text = pattern.sub(lambda found, drawn=drawn: drawn[found[0]], text)  # type: ignore[misc]  # the default binds it
    return text
