"""Diagnoses as text for people in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.text import Text

from pull_responder.model.printable import clean_line
from pull_responder.model.verdict import Severity
from pull_responder.network import HopVerdict
from pull_responder.next_steps import merge_steps
from pull_responder.publish.text import command_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pull_responder.cli.answered import Reach
    from pull_responder.diagnosis import Diagnosis, Undecided
    from pull_responder.events.outcome import Skipped
    from pull_responder.findings.finding import Finding
    from pull_responder.pulls.path import PullPath

_LABEL: Final = 10
_WORDS: Final = {
    HopVerdict.OK: "works",
    HopVerdict.FAILED: "does not work",
    HopVerdict.UNDECIDED: "may or may not work",
}
_COLOURS: Final = {
    Severity.INFORMATIONAL: "blue",
    Severity.LOW: "cyan",
    Severity.MEDIUM: "yellow",
    Severity.HIGH: "red",
    Severity.CRITICAL: "bold red",
}


def shown(text: str) -> str:
    """Return untrusted text as one line of printable characters, of any length."""
    return clean_line(text)


def terminal() -> Console:
    """Return the console on standard output. Text is not read as markup, and nothing is highlighted."""
    return Console(markup=False, highlight=False, emoji=False, soft_wrap=False)


def show_skipped(console: Console, skipped: Skipped) -> None:
    """Say why an event is not about a pull from ECR."""
    console.print(f"Skipped: {shown(skipped.reason)}", soft_wrap=True)


def show_diagnosis(
    console: Console,
    diagnosis: Diagnosis,
    *,
    path: PullPath | None = None,
    asked: str | None = None,
    nodes: str | None = None,
) -> None:
    """Show one pull: what failed, each cause with its evidence and fix, and the undecided causes.

    - `asked` is the image of a question about a pull that has not failed.
    - `nodes` are the nodes that the question is about.
    - `path` is the path to the registry.
    """
    _show_pull(console, diagnosis, nodes, asked)
    if path is not None:
        show_path(console, path)
    for finding in diagnosis.findings:
        console.print()
        show_finding(console, finding)
    if not diagnosis.findings:
        console.print()
        _row(console, "Result", _result(diagnosis))
    for title, opened in (
        ("Not decided, and may explain it:", diagnosis.inconclusive),
        ("Not decided, but not needed to explain it:", diagnosis.unchecked),
    ):
        if opened:
            console.print()
            console.print(title)
            _show_undecided(console, opened)
    for number, step in enumerate(merge_steps((each.reason, each.next) for each in diagnosis.inconclusive)):
        if number == 0:
            console.print()
        _row(console, "" if number else "Next", step)
    if diagnosis.passed:
        console.print()
        _row(console, "Ruled out", ", ".join(diagnosis.passed))
    console.print()


def _result(diagnosis: Diagnosis) -> str:
    if diagnosis.note or diagnosis.inconclusive:
        return diagnosis.note or "Not decided."
    return f"No fault found: {diagnosis.look_next}." if diagnosis.look_next else "No fault found."


def _show_pull(console: Console, diagnosis: Diagnosis, nodes: str | None, asked: str | None) -> None:
    pull = diagnosis.pull
    image = asked or pull.image or pull.repository_arn or "not known (a refused registry token names no image)"
    _row(console, "Pull", image, style="bold")
    if asked is None:
        when = pull.observed_at or "not known"
        _row(console, "Failed", f"{pull.symptom}, stage {pull.stage or 'not known'}, at {when}")
    elif nodes is not None:
        _row(console, "By", nodes)
    if pull.principal:
        _row(console, "Role" if diagnosis.role_arn else "Principal", diagnosis.role_arn or pull.principal.arn)
    places = (("cluster", diagnosis.cluster), ("node", pull.node), ("pod", pull.pod))
    if where := ", ".join(f"{what} {name}" for what, name in places if name):
        _row(console, "Where", where)
    if pull.denial:
        _row(console, "AWS said", pull.denial.message)


def show_reach(console: Console, reach: Reach | None) -> None:
    """Show which pods wait for a pull, where that is more than one."""
    if reach and reach.count > 1:
        _row(console, "Pods", reach.in_words())
        console.print()


def show_path(console: Console, path: PullPath) -> None:
    """Show the path to the registry, hop by hop, and the subnets of the nodes where it differs."""
    for place, way in path.paths:
        console.print()
        _row(console, "Path", f"from {place.name}, subnet {place.subnet_id}: {way.verdict}")
        for leg in way.legs:
            _row(console, "", f"{leg.stage}: {leg.host}: {leg.verdict}")
            for hop in leg.hops:
                doubts = (f"{doubt.cause}: {doubt.reason}" for doubt in hop.undecided)
                proof = "; ".join((*hop.evidence, *doubts)) or "no evidence"
                _row(console, "", f"  {hop.kind} {hop.resource_id or 'unknown'}: {hop.verdict}: {proof}")
    for line in differences(path):
        _row(console, "Elsewhere", line)


def differences(path: PullPath) -> list[str]:
    """Say from which of the nodes' subnets the pull works, and the fault from each of the others."""
    both = (*path.paths, *path.others)
    verdicts = {way.verdict for _, way in both}
    causes = {tuple(dict.fromkeys(fault.cause for fault in way.faults)) for _, way in both}
    if len(verdicts) < 2 and len(causes) < 2:  # noqa: PLR2004 -- all alike
        return []
    return [
        f"{_WORDS[way.verdict]} from {place.subnet_id}"
        + "".join(f" ({', '.join(dict.fromkeys(fault.cause for fault in way.faults))})" for _ in way.faults[:1])
        for place, way in both
    ]


def show_finding(console: Console, finding: Finding) -> None:
    """Show one cause: what is broken, the evidence, and the commands that fix it."""
    colour = _COLOURS[finding.severity]
    heading = Text.assemble((f"{finding.severity} ", colour), (finding.cause, "bold"), f"  {shown(finding.title)}")
    console.print(heading, soft_wrap=True)
    _row(console, "Broken", f"{finding.resource.type} {finding.resource.id}")
    _row(console, "Why", finding.explanation)
    for number, line in enumerate(finding.evidence):
        _row(console, "" if number else "Evidence", line)
    remedy = finding.remediation
    _row(console, "Fix", remedy.summary)
    if remedy.commands:
        _row(console, "", f"In account {remedy.account}, region {remedy.region}:")
    for command in remedy.commands:
        # Not wrapped, so that it can be copied.
        typed = command_line(command)
        what = f"$ {typed}" if typed else "(a command with unprintable characters is left out; --format json has it)"
        console.print(" " * (_LABEL + 1) + what, style="green", soft_wrap=True)
    _row(console, "Docs", remedy.docs_url)


def _show_undecided(console: Console, opened: Iterable[Undecided]) -> None:
    causes_by_reason: dict[str, list[str]] = {}
    for each in opened:
        causes_by_reason.setdefault(each.reason, []).append(each.cause)
    for reason, causes in causes_by_reason.items():
        _row(console, "", f"{', '.join(causes)}: {reason}")


def _row(console: Console, label: str, text: str, *, style: str = "") -> None:
    line = Text(f"{label:<{_LABEL}} ", style="dim")
    body = Text(shown(text), style=style)
    width = max(console.width - _LABEL - 1, 20) if console.is_terminal else 1_000_000
    for number, part in enumerate(body.wrap(console, width)):
        console.print(line if number == 0 else Text(" " * (_LABEL + 1)), part, sep="", soft_wrap=True)
