"""The first three lines of an answer: the worst cause, what to run and where, and which pull it is about.

Each is one line of at most 80 cells. What does not fit is left out, and stands whole below. Only a command makes its
line longer: half of a command is another one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len

from pull_responder.checks import BY_ID, pull_failing_unexplained
from pull_responder.cli.lines import cut_name, first_fitting, first_words, shown
from pull_responder.cli.named import named
from pull_responder.publish.text import command_line, last_name, number_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pull_responder.diagnosis import Diagnosis, Undecided
    from pull_responder.findings.finding import Finding

    _Parts = tuple[tuple[str, tuple[str, ...]], ...]

COLUMNS: Final = 80

# How titles begin that go on in the middle of a sentence.
_ARTICLES: Final = ("The ", "A ", "An ", "No ", "There ", "Someone ")
_SHORTEST_NAME: Final = 8
_ARN: Final = re.compile(r"arn:[a-z-]+:[^\s/]*/\S+")


def cause_line(finding: Finding, more: int = 0) -> str:
    """Return the severity of a cause, the fault and what is broken, and how many `more` causes there are."""
    resource = named(finding.resource)
    short = _short(finding.cause)
    counts = (f", and {number_of(more, 'more cause')}", f", +{more}") if more else ("",)
    candidates = (
        f"{finding.severity}: {fault} ({what}){count}"
        for count in counts
        for fault in dict.fromkeys((shown(finding.title), short))
        for what in dict.fromkeys((str(resource), resource.alone))
    )
    if fitting := first_fitting(candidates, COLUMNS):
        return fitting
    tail = f"){counts[-1]}"
    heads = [f"{finding.severity}: {fault} (" for fault in (short, finding.cause)]
    lines = [f"{head}{resource.cut(max(COLUMNS - len(head) - len(tail), _SHORTEST_NAME))}{tail}" for head in heads]
    return first_fitting(lines, COLUMNS) or lines[-1]


def _short(cause: str) -> str:
    """Return the fault in the fewest words; of a cause that is not known here, its id."""
    check = BY_ID.get(cause)
    return (check.short or check.title) if check else cause


def fix_line(finding: Finding) -> tuple[str, str]:
    """Return what to do about a cause, in two parts: where, and the command or the words.

    Words that do not fit are cut. The command is whole. An account other than the pod's stands there, however few words
    fit beside it.
    """
    fix = finding.remediation
    account = f"account {shown(fix.account) or 'not known'}"
    where = f"{account}, {shown(fix.region) or 'no region'}"
    if fix.commands:
        typed = command_line(fix.commands[0])
        if typed is None:
            return f"Run in {where}: ", "the command that --format json has"
        first = f"Run 1 of {len(fix.commands)}" if len(fix.commands) > 1 else "Run"
        return f"{first} in {where}: ", typed
    summary, short = shown(fix.summary), shown(fix.short)
    heads = (
        f"By hand in {where}: ",
        *((f"By hand in {account}: ",) if finding.is_mended_elsewhere else ("By hand: ", "")),
    )
    whole = ((head, words) for words in (summary, short) if words for head in heads)
    for head, words in whole:
        if first_fitting([head + words], COLUMNS):
            return head, words
    head = heads[1]
    return head, first_words(short or summary, COLUMNS - len(head))


def is_told(finding: Finding) -> bool:
    """Return whether the line of the fix has all that the summary says."""
    return not finding.remediation.commands and fix_line(finding)[1] == shown(finding.remediation.summary)


def open_line(opened: Sequence[Undecided], title: str) -> str:
    """Return that nothing is decided, and what most likely explains the failure. `title` is that of the first cause."""
    first, more = opened[0].cause, len(opened) - 1
    count = f", or {more} more" if more else ""
    if first == pull_failing_unexplained.CHECK.id:
        return f"Not decided: nothing that can be read explains it{count}"
    faults = (each[:1].lower() + each[1:] if each.startswith(_ARTICLES) else each for each in (title, _short(first)))
    candidates = (f"Not decided: perhaps {what}{count}" for what in faults if what)
    return first_fitting(candidates, COLUMNS) or f"Not decided: {first}{count}"


def pull_line(diagnosis: Diagnosis, *, asked: str | None = None, nodes: str | None = None, more_pods: int = 0) -> str:
    """Return the pod, the image and the node of a pull, or the image and the nodes of a question.

    `more_pods` is how many other pods wait for the same pull.
    """
    if asked is not None and nodes is not None:
        return _on_nodes(_images(diagnosis, asked), shown(nodes))
    named = dict(_named(diagnosis))
    if more_pods > 0 and "pod" in named:
        named["pod"] = tuple(f"{name} and {more_pods:,} more" for name in named["pod"])
    parts = tuple((label, named.get(label) or ("not known",)) for label in ("pod", "image", "node"))
    # Rather no cluster than an image without its tag.
    is_tagged = bool(diagnosis.pull.tag)
    tagged = tuple(
        (label, (names[:-1] or names) if is_tagged and label == "image" else names) for label, names in parts
    )
    cluster = [("cluster", named["cluster"])] if "cluster" in named else []
    line = first_fitting(_candidates((*tagged, *cluster)), COLUMNS)
    line = line or first_fitting(_candidates(parts), COLUMNS) or _cut(parts)
    return line[:1].upper() + line[1:]


def sound_line(diagnosis: Diagnosis, *, asked: str | None = None, nodes: str | None = None) -> str:
    """Return that nothing is wrong, with what is known of the pull, and what has changed since or where to look."""
    about = (
        f"{shown(asked)} on {shown(nodes)}"
        if asked is not None and nodes is not None
        else ", ".join(f"{label} {names[0]}" for label, names in _named(diagnosis))
    )
    said = shown(diagnosis.note or diagnosis.look_next)
    first = f"No fault found: {about}" if about else "No fault found"
    return f"{first}. {said[:1].upper()}{said[1:]}" if said else first


def _named(diagnosis: Diagnosis) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield what is known of a pull, each with shorter names of it."""
    pull = diagnosis.pull
    if pod := shown(pull.pod or ""):
        yield "pod", (f"{shown(pull.namespace)}/{pod}", pod) if pull.namespace else (pod,)
    if images := _images(diagnosis, pull.image or pull.repository_arn or ""):
        yield "image", images
    if node := shown(pull.node or (diagnosis.puller.instance.id if diagnosis.puller.instance else "")):
        yield "node", tuple(dict.fromkeys((node, node.partition(".")[0])))
    if cluster := shown(diagnosis.cluster or ""):
        yield "cluster", (cluster,)


def _images(diagnosis: Diagnosis, name: str) -> tuple[str, ...]:
    image = shown(name)
    return tuple(dict.fromkeys((image, *_shorter(diagnosis, image)))) if image else ()


def _on_nodes(images: Sequence[str], nodes: str) -> str:
    """Return the line of a question. The name of nodes is a phrase, which may have the ARN of a role in it."""
    phrases = (nodes, _ARN.sub(lambda arn: last_name(arn[0]), nodes))
    candidates = (f"Image {image} on {phrase}" for phrase in phrases for image in images)
    if fitting := first_fitting(candidates, COLUMNS):
        return fitting
    image = cut_name(images[-1], COLUMNS // 2)
    head = f"Image {image} on "
    return head + first_words(phrases[-1], COLUMNS - len(head))


def _shorter(diagnosis: Diagnosis, image: str) -> Iterator[str]:
    """Yield shorter names of the image: without its registry, and without its digest."""
    pull = diagnosis.pull
    repository = shown(pull.repository or image.partition("@")[0])
    tagged = f"{repository}:{shown(pull.tag)}" if pull.tag else repository
    if pull.digest:
        yield f"{tagged}@{shown(pull.digest)}"
    yield tagged
    yield repository


def _candidates(parts: _Parts) -> Iterator[str]:
    """Yield the line with all names whole, then with shorter ones, the longest of which is shortened first."""
    chosen = [0] * len(parts)
    while True:
        yield ", ".join(f"{label} {names[at]}" for (label, names), at in zip(parts, chosen, strict=True))
        left = [number for number, (_, names) in enumerate(parts) if chosen[number] + 1 < len(names)]
        if not left:
            return
        longest = max(left, key=lambda number: len(parts[number][1][chosen[number]]))
        chosen[longest] += 1


def _cut(parts: _Parts) -> str:
    """Return the line with the shortest names, the longest of them cut."""
    kept = {label: names[-1] for label, names in parts}
    room = COLUMNS - len(", ".join(f"{label} " for label, _ in parts))
    for number, label in enumerate(sorted(kept, key=lambda each: len(kept[each]))):
        kept[label] = cut_name(kept[label], room // (len(kept) - number))
        room -= cell_len(kept[label])
    return ", ".join(f"{label} {name}" for label, name in kept.items())
