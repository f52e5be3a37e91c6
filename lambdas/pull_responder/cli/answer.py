"""Diagnoses as text for people in a terminal: first what to do, then the other causes, then the proof.

The first three lines say what is broken, what to run and where, and which pull it is about (headline.py). Then come
the other commands, the other causes with theirs, what proves them, what was not decided, and what was ruled out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from rich.console import Console

from pull_responder.checks import BY_ID
from pull_responder.cli import way
from pull_responder.cli.headline import cause_line, fix_line, is_told, open_line, pull_line, sound_line
from pull_responder.cli.lines import shown, terminal_width
from pull_responder.cli.order import most_likely_first, worst_first
from pull_responder.cli.rows import show_commands, show_line, show_row, show_whole
from pull_responder.cli.undecided import next_line, show_undecided
from pull_responder.model.verdict import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pull_responder.cli.answered import NotAsked, Reach
    from pull_responder.cli.scope import Scope
    from pull_responder.diagnosis import Diagnosis
    from pull_responder.events.outcome import Skipped
    from pull_responder.findings.finding import Finding
    from pull_responder.pulls.path import PullPath

_COLOURS: Final = {
    Severity.INFORMATIONAL: "blue",
    Severity.LOW: "cyan",
    Severity.MEDIUM: "yellow",
    Severity.HIGH: "red",
    Severity.CRITICAL: "bold red",
}


def terminal() -> Console:
    """Return the console on standard output. Text is not read as markup, and nothing is highlighted."""
    return Console(markup=False, highlight=False, emoji=False, soft_wrap=False, width=terminal_width())


def show_skipped(console: Console, skipped: Skipped) -> None:
    """Say why an event is not about a pull from ECR."""
    show_line(console, f"Skipped: {shown(skipped.reason)}")


def show_not_asked(console: Console, open_question: NotAsked) -> None:
    """Say what could not be asked about, and why."""
    show_line(console, f"Not decided: {shown(open_question.reason)}")


def show_diagnosis(  # noqa: PLR0913 -- one argument a thing to show
    console: Console,
    diagnosis: Diagnosis,
    *,
    path: PullPath | None = None,
    asked: str | None = None,
    nodes: str | None = None,
    whole_path: bool = False,
    reach: Reach | None = None,
    scopes: Mapping[str, Scope] | None = None,
) -> None:
    """Show one pull, in the order of the module's docstring. Where nothing is wrong, that is one line.

    - `asked` is the image of a question about a pull that has not failed.
    - `nodes` are the nodes that the question is about.
    - `path` is the path to the registry. It is shown where it fails, and with `whole_path` hop by hop.
    - `reach` are the pods that wait for the pull.
    - `scopes` say which other workloads use what is broken, by the ids of the findings.
    """
    findings, opened = worst_first(diagnosis), most_likely_first(diagnosis)
    who = pull_line(diagnosis, asked=asked, nodes=nodes, more_pods=reach.count - 1 if reach else 0)
    if findings:
        _show_first(console, findings[0], more=len(findings) - 1)
    elif opened:
        check = BY_ID.get(opened[0].cause)
        show_line(console, open_line(opened, check.title if check else ""), style="bold")
        show_whole(console, (next_line(opened), ""))
    else:
        show_line(console, sound_line(diagnosis, asked=asked, nodes=nodes), style="green")
    if findings or opened:
        show_line(console, who)
        _show_others(console, findings)
        for number, finding in enumerate(findings):
            _show_proof(
                console,
                finding,
                cause_line(finding, 0 if number else len(findings) - 1),
                (scopes or {}).get(finding.id),
            )
        _show_pull(console, diagnosis, findings, nodes, asked, who)
        if reach and reach.count > 1:
            show_row(console, "Pods", reach.in_words())
    if path is not None and whole_path:
        way.show_whole(console, path)
    elif path is not None:
        way.show_faults(console, path)
    if not (findings or opened):
        return
    show_undecided(console, opened, diagnosis.unchecked)
    if diagnosis.passed:
        console.print()
        show_row(console, "Ruled out", ", ".join(diagnosis.passed))
    console.print()


def show_finding(console: Console, finding: Finding) -> None:
    """Show one cause that is about no pull: what is broken, what to run, and the proof."""
    _show_first(console, finding)
    _show_others(console, [finding])
    _show_proof(console, finding, cause_line(finding))


def _show_first(console: Console, finding: Finding, *, more: int = 0) -> None:
    """Show the two lines that say what is broken, and what to do about it."""
    severity, line = str(finding.severity), cause_line(finding, more)
    if console.width >= len(line):
        show_whole(console, (severity, _COLOURS[finding.severity]), (line.removeprefix(severity), "bold"))
    else:
        show_line(console, line, style=_COLOURS[finding.severity])
    where, what = fix_line(finding)
    if finding.remediation.commands:
        show_whole(console, (where, ""), (what, "green"))
    else:
        show_line(console, where + what)


def _show_others(console: Console, findings: Sequence[Finding]) -> None:
    """Show the other commands of the first fix, and the other causes with all of theirs."""
    for number, finding in enumerate(findings):
        if number:
            console.print()
            _show_first(console, finding)
        if left := finding.remediation.commands[1:]:
            show_commands(console, "Then", left)


def _show_proof(console: Console, finding: Finding, told: str, scope: Scope | None = None) -> None:
    """Show what proves a cause, and whom it hits. Its title is shown if it is not in the line that has `told` it."""
    console.print()
    said = shown(finding.title) in told
    show_row(console, "Cause", finding.cause if said else f"{finding.cause}: {finding.title}")
    show_row(console, "Broken", f"{finding.resource.type} {finding.resource.id}")
    show_row(console, "Why", finding.explanation)
    for number, line in enumerate(finding.evidence):
        show_row(console, "" if number else "Evidence", line)
    if scope and scope.workloads:
        show_row(console, "Also hit", scope.in_words())
    if not is_told(finding):
        show_row(console, "Fix", finding.remediation.summary)
    show_row(console, "Docs", finding.remediation.docs_url)


def _show_pull(  # noqa: PLR0913, PLR0917 -- one argument a thing to show
    console: Console,
    diagnosis: Diagnosis,
    findings: Sequence[Finding],
    nodes: str | None,
    asked: str | None,
    told: str,
) -> None:
    """Show what is known of the pull. What the line about it has `told` whole is not told again."""
    pull = diagnosis.pull
    image = asked or pull.image or pull.repository_arn or "not known (a refused registry token names no image)"
    parts = {f"{part[:1].lower()}{part[1:]}" for part in told.replace(" on ", ", on ").split(", ")}
    console.print()
    if f"image {shown(image)}" not in parts:
        show_row(console, "Pull", image)
    if asked is None:
        when = f", at {pull.observed_at}" if pull.observed_at else ""
        show_row(console, "Failed", f"{pull.symptom}, stage {pull.stage or 'not known'}{when}")
    elif nodes is not None and not told.endswith(f" on {shown(nodes)}"):
        show_row(console, "By", nodes)
    if pull.principal:
        show_row(console, "Role" if diagnosis.role_arn else "Principal", diagnosis.role_arn or pull.principal.arn)
    pod = f"{pull.namespace}/{pull.pod}" if pull.namespace and pull.pod else pull.pod
    places = (("cluster", diagnosis.cluster), ("node", pull.node), ("pod", pod))
    where = [f"{what} {shown(name)}" for what, name in places if name]
    if not parts.issuperset(where):
        show_row(console, "Where", ", ".join(where))
    # Most causes have AWS's words among their evidence.
    if pull.denial and not any(pull.denial.message in line for each in findings for line in each.evidence):
        show_row(console, "AWS said", pull.denial.message)
