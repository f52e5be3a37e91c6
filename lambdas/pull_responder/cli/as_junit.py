"""Answers as JUnit XML, which CI systems show as tests: one test case for each image and kind of node.

A cause is a `failure`. What could not be decided or asked is an `error`: a test that could not be carried out has not
passed, and one that is `skipped` was not meant to run (docs/adr/0191-what-is-not-decided-in-junit.md). The attributes
and elements are those that Jenkins' schema has (jenkinsci/xunit-plugin, junit-10.xsd), which others read, too.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from pull_responder.cli.answered import Answered, NotAsked
from pull_responder.model.printable import clean_line
from pull_responder.publish.text import command_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pull_responder.cli.answered import Answer
    from pull_responder.findings.finding import Finding

_SUITE: Final = "pull-responder"
# XML 1.0, "Character Range".
_NO_CHARACTER: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MOST_WORKLOADS: Final = 50


def junit_document(answers: Sequence[Answer]) -> str:
    """Return the whole document, with a line break at its end."""
    cases = [_case(each) for each in answers]
    counts = {
        "tests": len(cases),
        "failures": sum(case.find("failure") is not None for case in cases),
        "errors": sum(case.find("error") is not None for case in cases),
    }
    written = {key: str(number) for key, number in counts.items()}
    root = ET.Element("testsuites", {"name": _SUITE, **written})
    skipped = str(sum(case.find("skipped") is not None for case in cases))
    suite = ET.SubElement(root, "testsuite", {"name": _SUITE, **written, "skipped": skipped})
    suite.extend(cases)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _case(each: Answer) -> ET.Element:
    if not isinstance(each, Answered):
        case = _element("testcase", name=each.reason, classname=f"{_SUITE}.manifests")
        what = "error" if isinstance(each, NotAsked) else "skipped"
        case.append(_element(what, type="not asked" if what == "error" else "skipped", message=each.reason))
        return case
    diagnosis = each.diagnosis
    image = each.asked or diagnosis.pull.image or diagnosis.pull.repository_arn or "a registry token"
    by = each.nodes or diagnosis.pull.pod or diagnosis.pull.node or diagnosis.role_arn
    own = f" as {diagnosis.role_arn}" if diagnosis.puller.pod_role and diagnosis.role_arn else ""
    case = _element("testcase", name=f"{image} by {by}{own}" if by else image, classname=f"{_SUITE}.{image}")
    users = list(_users(each))
    if diagnosis.findings:
        worst = max(diagnosis.findings, key=lambda finding: finding.severity.rank)
        more = len(diagnosis.findings) - 1
        also = f" and {more} more causes" if more > 1 else " and 1 more cause" if more else ""
        message = f"{worst.severity} {worst.cause}: {worst.title} ({worst.resource.id}){also}"
        ordered = [worst, *(finding for finding in diagnosis.findings if finding is not worst)]
        lines = [line for finding in ordered for line in (*_of_finding(finding), "")]
        case.append(_element("failure", [*lines, *users], type=worst.cause, message=message))
    elif diagnosis.inconclusive:
        message = ", ".join(dict.fromkeys(undecided.cause for undecided in diagnosis.inconclusive))
        lines = [f"{undecided.cause}: {undecided.reason}" for undecided in diagnosis.inconclusive]
        steps = dict.fromkeys(f"Next: {undecided.next}" for undecided in diagnosis.inconclusive if undecided.next)
        case.append(_element("error", [*lines, *steps, *users], type="inconclusive", message=f"Not decided: {message}"))
    elif users:
        case.append(_element("system-out", users))
    return case


def _of_finding(finding: Finding) -> Iterator[str]:
    fix = finding.remediation
    yield f"{finding.severity} {finding.cause}: {finding.title}"
    yield f"Broken: {finding.resource.type} {finding.resource.id}"
    yield f"Why: {finding.explanation}"
    yield from (f"Evidence: {line}" for line in finding.evidence)
    yield f"Fix: {fix.summary}"
    if fix.commands:
        yield f"In account {fix.account}, region {fix.region}:"
    elif finding.is_mended_elsewhere:
        yield f"By hand in account {fix.account}, region {fix.region}"
    yield from (f"$ {typed}" for command in fix.commands if (typed := command_line(command)))
    yield f"Docs: {fix.docs_url}"


def _users(each: Answered) -> Iterator[str]:
    for user in each.used_by[:_MOST_WORKLOADS]:
        doubt = f", if it runs there: {user.doubt}" if user.doubt else ""
        yield f"Used by {user.use.workload}, {user.use.container} ({user.use.place}){doubt}"
    if len(each.used_by) > _MOST_WORKLOADS:
        yield f"and {len(each.used_by) - _MOST_WORKLOADS} more"


def _element(tag: str, lines: Sequence[str] = (), **attributes: str) -> ET.Element:
    element = ET.Element(tag, {key: _clean(value) for key, value in attributes.items()})
    if lines:
        element.text = "\n" + "\n".join(map(_clean, lines)) + "\n"
    return element


def _clean(text: str) -> str:
    return _NO_CHARACTER.sub("", clean_line(text))
