"""Answers as SARIF 2.1.0, which code scanning shows at the line of a manifest that names the image.

A result is a cause at one place. What could not be decided or asked is a notification of the run: GitHub makes an alert
of every result, also of one whose kind is "open" (docs/adr/0192-what-is-a-result-in-sarif.md).

Sources: OASIS SARIF 2.1.0; GitHub documentation, "SARIF support for code scanning": 5,000 results are shown, others are
ignored; `primaryLocationLineHash` alone tells whether two results are the same.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from pull_responder.checks import BY_ID
from pull_responder.cli.answered import Answered
from pull_responder.events.outcome import Skipped
from pull_responder.model.printable import clean_line, escape_json
from pull_responder.model.verdict import Severity
from pull_responder.publish.text import command_line, cut

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pull_responder.cli.answered import Answer
    from pull_responder.findings.finding import Finding

MOST_RESULTS: Final = 5_000
NO_FILE: Final = "no-file"
"""The file of results that are about none. GitHub takes no result without one, and shows no code of one it has not."""

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: Final = {
    Severity.INFORMATIONAL: "note",
    Severity.LOW: "warning",
    Severity.MEDIUM: "warning",
    Severity.HIGH: "error",
    Severity.CRITICAL: "error",
}
_LONGEST_MESSAGE: Final = 2_000
_MOST_LINES: Final = 20


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a result stands: a file with a line, and the workload and container there.

    `said` is where the workload was read, if that was no file.
    """

    file: str
    line: int = 1
    workload: str = ""
    doubt: str = ""
    said: str = ""


def sarif_document(answers: Sequence[Answer], source: str, status: int, *, at: str | None = None) -> str:
    """Return the whole document, with a line break at its end.

    - `source` is the file that was given, for answers that are about no line of a manifest.
    - `status` is the exit status.
    - `at` is the file for all results, where no file was given: standard input, a pod or an image. Lines of what was
      read are none of that file's, so results stand at its first.
    """
    results = [
        (finding, each, place)
        for each in answers
        if isinstance(each, Answered)
        for finding in each.diagnosis.findings
        for place in _places(each, source, at)
    ]
    results.sort(key=lambda one: -one[0].severity.rank)
    kept = results[:MOST_RESULTS]
    rules = list(dict.fromkeys(finding.cause for finding, _, _ in kept))
    notifications = [note for each in answers for note in _notifications(each, source, at)]
    if len(results) > MOST_RESULTS:
        left = f"{len(results) - MOST_RESULTS} further results are left out: GitHub shows {MOST_RESULTS}"
        notifications.insert(0, _notification(left, "warning"))
    driver: dict[str, Any] = {"name": "Pull Responder", "rules": [_rule(cause) for cause in rules]}
    with suppress(metadata.PackageNotFoundError):
        driver["version"] = metadata.version("pull-responder")
    run = {
        "tool": {"driver": driver},
        "invocations": [
            {"executionSuccessful": True, "exitCode": status, "toolExecutionNotifications": notifications},
        ],
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, each, place, rules.index(finding.cause)) for finding, each, place in kept],
    }
    document = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return (
        "\n".join(escape_json(line) for line in json.dumps(document, ensure_ascii=False, indent=1).split("\n")) + "\n"
    )


def _places(each: Answered, source: str, at: str | None) -> list[_Place]:
    found = []
    for user in each.used_by:
        use, workload = user.use, f"{user.use.workload}/{user.use.container}"
        if at is None:
            found.append(_Place(use.file, use.line, workload, user.doubt))
        else:
            found.append(_Place(at, 1, workload, user.doubt, said=f"{use.file}, line {use.line}"))
    return found or [_Place(at or source)]


def _rule(cause: str) -> dict[str, Any]:
    check = BY_ID[cause]
    return {
        "id": cause,
        "shortDescription": {"text": _message(check.title)},
        "fullDescription": {"text": _message(f"{check.title}.")},
        "help": {"text": f"pull-responder causes {cause}"},
        "helpUri": check.docs_url,
        "defaultConfiguration": {"level": _LEVELS[check.severity]},
        "properties": {"tags": ["ecr", "eks"]},
    }


def _result(finding: Finding, each: Answered, place: _Place, rule: int) -> dict[str, Any]:
    image = each.asked or each.diagnosis.pull.image or ""
    fix = finding.remediation
    commands = [typed for command in fix.commands if (typed := command_line(command))]
    return {
        "ruleId": finding.cause,
        "ruleIndex": rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": _text(finding, each, place, commands)},
        "locations": [_location(place)],
        "partialFingerprints": {
            "primaryLocationLineHash": f"{_digest(finding.id, image, place.file, place.workload)[:16]}:1",
            "pullResponder/v1": _digest(finding.id, image),
        },
        "properties": {
            "image": clean_line(image),
            "nodes": clean_line(each.nodes or ""),
            "severity": finding.severity,
            "resource": clean_line(finding.resource.id),
            "evidence": [clean_line(line) for line in finding.evidence[:_MOST_LINES]],
            "account": fix.account,
            "region": fix.region,
            "commands": commands,
            "docs": fix.docs_url,
        },
    }


def _text(finding: Finding, each: Answered, place: _Place, commands: Sequence[str]) -> str:
    """Return the message. Braces mean something in messages of SARIF, so commands that have some are not in it."""
    by = f" This stops {each.asked} by {each.nodes}." if each.asked and each.nodes else ""
    doubt = f" The pods may run there: {place.doubt}." if place.doubt else ""
    where_used = f" Used by {place.workload} ({place.said})." if place.said else ""
    plain = [each_command for each_command in commands if not set("{}[]") & set(each_command)]
    typed = ""
    if commands:
        where = f"In account {finding.remediation.account}, region {finding.remediation.region}"
        one_by_one = "; ".join(plain) if len(plain) == len(commands) else "the commands in this result's properties"
        typed = f" {where}: {one_by_one}"
    elif finding.is_mended_elsewhere:
        typed = f" This is for account {finding.remediation.account}, region {finding.remediation.region}."
    return _message(f"{finding.explanation}{by}{where_used}{doubt} Fix: {finding.remediation.summary}") + _escape(typed)


def _message(text: str) -> str:
    return _escape(cut(clean_line(text), _LONGEST_MESSAGE))


def _escape(text: str) -> str:
    r"""Return plain text as a message of SARIF: `{` begins a placeholder, `[` a link (SARIF 2.1.0, 3.11.5, 3.11.6)."""
    text = text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
    return text.replace("{", "{{").replace("}", "}}")


def _location(place: _Place) -> dict[str, Any]:
    where: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": {"uri": _uri(place.file)}, "region": {"startLine": place.line}}
    }
    if place.workload:
        where["logicalLocations"] = [{"fullyQualifiedName": clean_line(place.workload), "kind": "resource"}]
    return where


def _uri(file: str) -> str:
    """Return a file as a URI, relative if it is in the current folder, which GitHub takes for the repository's."""
    path = Path(file)
    if path.is_absolute():
        if not path.is_relative_to(Path.cwd()):
            return path.as_uri()
        path = path.relative_to(Path.cwd())
    return quote(path.as_posix().encode("utf-8", "surrogateescape"))


def _notifications(each: Answer, source: str, at: str | None) -> Iterator[dict[str, Any]]:
    if isinstance(each, Skipped):
        yield _notification(each.reason, "note")
    elif not isinstance(each, Answered):
        yield _notification(each.reason, "error")
    elif not each.diagnosis.findings and each.diagnosis.inconclusive:
        image = each.asked or each.diagnosis.pull.image or "a pull"
        reasons = "; ".join(f"{one.cause}: {one.reason}" for one in each.diagnosis.inconclusive[:_MOST_LINES])
        by = f" by {each.nodes}" if each.nodes else ""
        note = _notification(f"{image}{by} is not decided: {reasons}", "warning")
        yield note | {"locations": [_location(place) for place in _places(each, source, at)[:_MOST_LINES]]}


def _notification(text: str, level: str) -> dict[str, Any]:
    return {"level": level, "message": {"text": _message(text)}}


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()
