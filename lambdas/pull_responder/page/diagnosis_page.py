"""The page of what `diagnose` found: each pull with its verdict, fix, proof, way and checks, the worst first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.page.causes import badge, cause
from pull_responder.page.checked import checked
from pull_responder.page.document import document
from pull_responder.page.markup import Child, facts, json_lines, name_of, prose, said, short, tag
from pull_responder.page.way import ways
from pull_responder.publish.changes import time_words
from pull_responder.publish.faults import all_faults
from pull_responder.publish.text import number_of, one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from xml.etree.ElementTree import Element

    from pull_responder.diagnosis import Diagnosis
    from pull_responder.pulls.path import PullPath

_NOTHING: Final = -1
_UNDECIDED: Final = -0.5
# Of letters on a phone.
_THREE_LINES: Final = 125
_FEW: Final = 10


@dataclass(frozen=True, slots=True)
class ReportedPull:
    """One pull of the page.

    - `path`: its path to the registry, None if that was not read or cannot explain the symptom.
    - `asked`: the image of a question about a pull that has not failed, as it was asked.
    - `nodes`: the nodes that the question is about.
    - `raw`: the object that `diagnose --format json` prints for it.
    - `used_by`: where manifests use the image, a line each.
    - `waiting`: the pods that wait for the pull, in words. None where no cluster was read.
    """

    diagnosis: Diagnosis
    path: PullPath | None
    asked: str | None
    nodes: str | None
    raw: Mapping[str, object]
    used_by: tuple[str, ...] = ()
    waiting: str | None = None


def diagnosis_page(pulls: Sequence[ReportedPull], not_asked: Sequence[str], *, made: str, by: str) -> str:
    """Return the page as HTML.

    - `not_asked`: why something is not in it, a sentence each.
    - `made`, `by`: as `document` takes them.
    """
    ordered = sorted(pulls, key=_badness, reverse=True)
    title = _title(ordered)
    if len(ordered) == 1:
        return document(title, [*_pull(ordered[0], key="pull", level=1), *_left(not_asked)], made=made, by=by)
    contents = (tag("li", tag("a", _contents_line(each), href=f"#pull-{n}")) for n, each in enumerate(ordered, 1))
    sections = (
        tag("article", _pull(each, key=f"pull-{n}", level=2), class_="pull", aria_labelledby=f"pull-{n}")
        for n, each in enumerate(ordered, 1)
    )
    nav = tag(
        "nav", tag("h2", "Pulls, the worst first", id="contents"), tag("ol", contents), aria_labelledby="contents"
    )
    parts = [tag("h1", title), nav if ordered else None, *sections, *_left(not_asked)]
    return document(title, parts, made=made, by=by)


def _badness(each: ReportedPull) -> tuple[float, int]:
    found = each.diagnosis.findings
    if found:
        return max(finding.severity.rank for finding in found), len(found)
    return (_UNDECIDED if each.diagnosis.inconclusive else _NOTHING), 0


def _title(pulls: Sequence[ReportedPull]) -> str:
    if not pulls:
        return "No pull from Amazon ECR was asked about"
    if len(pulls) == 1:
        return _verdict(pulls[0])
    broken = sum(bool(each.diagnosis.findings) for each in pulls)
    undecided = sum(bool(each.diagnosis.inconclusive) for each in pulls if not each.diagnosis.findings)
    words = [f"{broken} of {len(pulls)} pulls are broken" if broken else f"Nothing wrong found with {len(pulls)} pulls"]
    if undecided:
        words.append(f"{undecided} not decided")
    return ", ".join(words)


def _verdict(pull: ReportedPull) -> str:
    """Return what is known of a pull, as one short sentence without its full stop: of several causes the worst."""
    diagnosis = pull.diagnosis
    if diagnosis.findings:
        worst = sorted(diagnosis.findings, key=lambda each: -each.severity.rank)
        return all_faults(worst, one_line, most=1)
    if diagnosis.inconclusive:
        return f"Not decided: {number_of(len(diagnosis.inconclusive), 'cause')} may explain it"
    return short(diagnosis.note, 400) or "No fault was found"


def _contents_line(pull: ReportedPull) -> str:
    failed = pull.diagnosis.pull
    who = f"pod {failed.pod}" if failed.pod else pull.nodes or (f"node {failed.node}" if failed.node else "")
    return f"{_verdict(pull)}: {short(_image(pull))}{f', {short(who)}' if who else ''}"


def _image(pull: ReportedPull) -> str:
    failed = pull.diagnosis.pull
    return pull.asked or failed.image or failed.repository_arn or "an image that is not known"


def _pull(pull: ReportedPull, *, key: str, level: int) -> list[Element]:
    """Return the parts of one pull. `key` is the id of its heading, `level` the level of that."""
    diagnosis, below = pull.diagnosis, level + 1
    examined = {each.cause: each.policies for each in diagnosis.examined}
    worst = sorted(diagnosis.findings, key=lambda each: -each.severity.rank)
    heading = "The cause" if len(worst) == 1 else f"The {len(worst)} causes"
    parts: list[Element | None] = [
        tag(f"h{level}", _verdict(pull), id=key),
        tag("p", _state(diagnosis), " ", _failed(pull), class_="lead"),
        _facts(pull),
        tag(f"h{below}", heading) if worst else None,
        *(
            cause(each, examined.get(each.cause, ()), key=f"{key}-cause-{n}", level=below + 1)
            for n, each in enumerate(worst, 1)
        ),
        *_what_next(diagnosis, below),
        tag(f"h{below}", "The way from the pod to the registry"),
        *ways(diagnosis, pull.path, key=key),
        tag(f"h{below}", "Everything that was checked"),
        *checked(diagnosis),
        tag(f"h{below}", "Raw facts"),
        tag(
            "details",
            tag("summary", "What diagnose prints as JSON"),
            tag("pre", tag("code", "\n".join(json_lines(dict(pull.raw)))), tabindex="0", aria_label="JSON"),
        ),
    ]
    return [each for each in parts if each is not None]


def _state(diagnosis: Diagnosis) -> Element:
    if diagnosis.findings:
        return badge("broken", "failed")
    return badge("not decided", "undecided") if diagnosis.inconclusive else badge("no fault found", "ok")


def _facts(pull: ReportedPull) -> Element:
    diagnosis, failed = pull.diagnosis, pull.diagnosis.pull
    role = diagnosis.role_arn or (failed.principal.arn if failed.principal else None)
    pod = f"{failed.namespace}/{failed.pod}" if failed.namespace and failed.pod else failed.pod
    rows: list[tuple[str, Child]] = [
        ("Image", name_of(_image(pull))),
        ("Pod", name_of(pod) if pod else None),
        ("Waiting", name_of(pull.waiting) if pull.waiting else None),
        ("Used by", _used_by(pull.used_by)),
        ("Node", name_of(failed.node) if failed.node else None),
        ("Nodes", name_of(pull.nodes) if pull.nodes and not failed.node else None),
        ("Cluster", name_of(diagnosis.cluster) if diagnosis.cluster else None),
        ("Role", name_of(role) if role else None),
        ("AWS said", _folded(failed.denial.message) if failed.denial else None),
        ("kubelet said", _folded(failed.message) if failed.message and not failed.denial else None),
    ]
    return facts(rows)


def _folded(message: str) -> Child:
    """Return a message, folded behind its first words where a phone would show more than three lines of it."""
    whole = tag("bdi", prose(message))
    if len(said(message)) <= _THREE_LINES:
        return whole
    return tag("details", tag("summary", one_line(message, _THREE_LINES)), tag("p", whole), class_="message")


def _used_by(lines: Sequence[str]) -> Element | None:
    """Return the places that use an image, those beyond the first few folded."""
    if not lines:
        return None
    items = [tag("li", name_of(line)) for line in lines]
    first, rest = items[:_FEW], items[_FEW:]
    folded = tag("details", tag("summary", f"{number_of(len(rest), 'more place')}"), tag("ul", rest)) if rest else None
    return tag("div", tag("ul", first), folded, class_="used")


def _failed(pull: ReportedPull) -> str:
    failed = pull.diagnosis.pull
    if pull.asked:
        return "asked before a failure"
    at = f", {time_words(failed.observed_at, one_line)}" if failed.observed_at else ""
    return f"{failed.symptom}, stage {failed.stage or 'not known'}{at}"


def _what_next(diagnosis: Diagnosis, level: int) -> list[Element]:
    """Return what to look at next where no cause was found."""
    if diagnosis.findings:
        return []
    steps = list(dict.fromkeys(each.next for each in diagnosis.inconclusive if each.next))
    words = [prose(each) for each in (*steps, diagnosis.look_next) if each]
    return [tag(f"h{level}", "What to look at next"), tag("ul", (tag("li", each) for each in words))] if words else []


def _left(not_asked: Sequence[str]) -> list[Element]:
    if not not_asked:
        return []
    items = (tag("li", prose(each)) for each in dict.fromkeys(not_asked))
    return [tag("h2", "Not asked about"), tag("ul", items)]
