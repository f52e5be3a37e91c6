"""What the first three lines of an answer have to be, and that no line of it breaks what people copy."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any, Final

from rich.cells import cell_len
from rich.console import Console

from pull_responder.checks import BY_ID
from pull_responder.cli.answer import show_diagnosis
from pull_responder.cli.lines import UNLIMITED, shown
from pull_responder.cli.order import worst_first
from pull_responder.publish.text import command_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pull_responder.diagnosis import Diagnosis
    from pull_responder.findings.finding import Finding

_COLUMNS: Final = 80
# ARNs, URLs, ids and hosts, as they stand in sentences.
_COPIED: Final = re.compile(
    r"arn:[a-z-]+:[^\s,;()]+|https?://[^\s,;()]+|\b(?:acl|eni|i|igw|lt|nat|rtb|sg|subnet|vpc|vpce)-[0-9a-f]{8,17}\b|"
    r"\b[\w-]+(?:\.[\w-]+){2,}\b|sha256:[0-9a-f]{64}|`[^`]+`"
)


def printed(diagnosis: Diagnosis, width: int = UNLIMITED, **about: Any) -> list[str]:  # noqa: ANN401 -- as show_diagnosis
    """The lines of an answer in a terminal of that width."""
    page = io.StringIO()
    console = Console(file=page, markup=False, highlight=False, emoji=False, width=width)
    show_diagnosis(console, diagnosis, **about)
    return page.getvalue().split("\n")[:-1]


def faults_of_answer(diagnosis: Diagnosis) -> list[str]:
    """What is wrong with the text of a diagnosis, nothing where it is right."""
    lines = printed(diagnosis)
    if not diagnosis.findings and not diagnosis.inconclusive:
        right = len(lines) == 1 and lines[0].startswith("No fault found: ")
        return [] if right else [f"a healthy answer is one line: {lines}"]
    first, second, third = lines[:3]
    found = {
        "line 1 is too long": cell_len(first) > _COLUMNS,
        "line 3 is too long": cell_len(third) > _COLUMNS,
        "line 3 names no image": "mage " not in third,
        "line 4 has no blank": bool(lines[3]) and not lines[3].startswith("Then "),
    }
    if diagnosis.findings:
        found |= _of_cause(diagnosis, first, second)
    else:
        found["line 1 does not say that nothing is decided"] = not first.startswith("Not decided: ")
        found["line 2 says nothing to do"] = not second.startswith(("Needs: ", "Next: ")) or len(second) < 12
        found["line 2 is too long, and not for a command"] = cell_len(second) > _COLUMNS and "`" not in second
    wrong = [f"{what}: {first!r} {second!r} {third!r}" for what, is_so in found.items() if is_so]
    return [*wrong, *broken(diagnosis, 40), *broken(diagnosis, _COLUMNS)]


def _of_cause(diagnosis: Diagnosis, first: str, second: str) -> dict[str, bool]:
    worst = worst_first(diagnosis)[0]
    more = len(diagnosis.findings) - 1
    fix = worst.remediation
    found = {
        "line 1 names no severity": not first.startswith(f"{max(diagnosis.findings, key=_rank).severity}: "),
        "line 1 does not say what is wrong": not any(said in first for said in _words(worst)),
        "line 1 names nothing broken": re.search(r"\([^()]{3,}.*\)", first) is None,
        "line 1 does not count the others": str(more or "") not in first.rpartition(")")[2],
    }
    if fix.commands:
        command = command_line(fix.commands[0])
        found["line 2 has not the whole command"] = command is not None and not second.endswith(f": {command}")
        found["line 2 says not where"] = f"account {fix.account}, {fix.region}: " not in second
    else:
        found["line 2 is too long, and has no command"] = cell_len(second) > _COLUMNS
        whole = second in map(shown, (fix.summary, fix.short))
        found["line 2 says nothing to do"] = not (whole or second.startswith("By hand")) or len(second) < 20
    return found


def _words(finding: Finding) -> Iterator[str]:
    """The plain words of a fault; the id of one that has none of ours."""
    check = BY_ID.get(finding.cause)
    yield shown(finding.title)
    yield (check.short or check.title) if check else finding.cause


def _rank(finding: Finding) -> int:
    return finding.severity.rank


def broken(diagnosis: Diagnosis, width: int) -> list[str]:
    """What of all that people copy is not whole on a line of this width, and commands that are not."""
    text = "\n".join(printed(diagnosis, width))
    return [f"broken at {width}: {each}" for each in _copied(diagnosis) if each not in text]


def _copied(diagnosis: Diagnosis) -> Iterator[str]:
    for finding in diagnosis.findings:
        remedy = finding.remediation
        for said in (finding.resource.id, finding.explanation, *finding.evidence, remedy.summary, remedy.docs_url):
            yield from (found[0].rstrip(".:") for found in _COPIED.finditer(shown(said)))
        yield from filter(None, map(command_line, remedy.commands))
    if diagnosis.findings or diagnosis.inconclusive:
        yield from filter(None, map(shown, (diagnosis.pull.image or "", diagnosis.role_arn or "")))
