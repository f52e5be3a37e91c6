"""Reads what `diagnose` is given: an event that a deployed function takes, or what kubectl prints."""

from __future__ import annotations

import codecs
import json
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from pull_responder.cli.document import UnusableTextError
from pull_responder.cli.kubectl.copied import at_the_margin, without_surroundings
from pull_responder.cli.kubectl.objects import Reading, is_object
from pull_responder.cli.kubectl.text import read_printed, refusal
from pull_responder.events import kubernetes_names
from pull_responder.events.intake import Inspection, UnusableEvent, read_event
from pull_responder.events.json_text import read_json
from pull_responder.events.outcome import Skipped
from pull_responder.events.redaction import redact
from pull_responder.model.pull import PullFailure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pull_responder.cli.kubectl.seen import Seen

SIZE_LIMIT: Final = 256 * 1024 * 1024
"""The longest input, in bytes. Five thousand pods are some fifty million."""

MOST_VALUES: Final = 10_000_000
"""The most values of JSON. A pod has some three hundred."""

# A namespace and a name.
_WORDS_OF_POD: Final = 2
_MOST_DOCUMENTS: Final = 10_000
_MOST_SAID: Final = 20
# What `kubectl get --watch --output-watch-events` prints (Kubernetes API reference, WatchEvent v1 meta).
_CHANGES: Final = frozenset({"ADDED", "MODIFIED", "DELETED", "ERROR"})
_BOOKMARK: Final = "BOOKMARK"
# What every object of Kubernetes and every event of EventBridge or CloudTrail has, at the margin.
_YAML: Final = re.compile(
    r"^(?:- )?(?:apiVersion|kind|items|metadata|detail|eventName|Records|awslogs)\s*+:", re.MULTILINE
)
_SPACE: Final = re.compile(r"\s*+")
# What the parser says of text after a document.
_FOLLOWED: Final = "Extra data"
# Longer marks come first: that of UTF-32 begins with that of UTF-16.
_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True, slots=True)
class Given:
    """What was given: what events say, and what objects of a cluster tell. None without such objects."""

    read: tuple[PullFailure | Inspection | Skipped, ...] = ()
    seen: Seen | None = None


def read_given(file: str, namespace: str | None = None) -> Given:
    """Read a file; - is standard input. Raises click.ClickException with one line that says what is wrong and where.

    `namespace` is that of a table of events that names none.
    """
    name = "standard input" if file == "-" else file
    try:
        return read_bytes(_bytes(file), namespace)
    except FileNotFoundError as error:
        raise click.ClickException(f"{name}: {error.strerror}{_as_pod(file)}") from error
    except OSError as error:
        raise click.ClickException(f"{name}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise click.ClickException(f"{name}: byte {error.start} is not {error.encoding.upper()}") from error
    except UnusableEvent as error:
        raise click.ClickException(f"{name}: {error}") from error


def _as_pod(file: str) -> str:
    """Return what to give instead of a name that may be a pod's, with its namespace or without. Else nothing."""
    parts = file.removeprefix("pod/").split("/")
    may_be = len(parts) <= _WORDS_OF_POD and all(map(kubernetes_names.object_name, parts))
    return f"; for a pod give --pod {'/'.join(parts)}" if may_be and not Path(file).suffix else ""


def _bytes(file: str) -> bytes:
    if file == "-":
        data = sys.stdin.buffer.read(SIZE_LIMIT + 1)
    else:
        with Path(file).open("rb") as opened:
            data = opened.read(SIZE_LIMIT + 1)
    if len(data) > SIZE_LIMIT:
        raise UnusableEvent(
            "the input", f"has more than {SIZE_LIMIT >> 20} MiB: give fewer pods, such as those of a namespace"
        )
    return data


def read_bytes(data: bytes, namespace: str | None = None) -> Given:
    """Read an input; see read_given. Raises UnusableEvent, or UnicodeDecodeError for bytes that are no text."""
    text, said = without_surroundings(_decode(data))
    given = _read_text(text, namespace)
    if said and given.seen:
        unread = tuple(f"kubectl: {redact(each, limit=300)}" for each in said[:_MOST_SAID])
        return replace(given, seen=replace(given.seen, unread=(*given.seen.unread, *unread)))
    return given


def _read_text(text: str, namespace: str | None) -> Given:
    if not text.strip():
        raise UnusableEvent("the input", "is empty: did the command before it print an error?")
    if text.lstrip()[:1] in {"{", "["}:
        return _of_documents(list(_items(_of_json(text))))
    text = at_the_margin(text)
    if (seen := read_printed(text, namespace)) is not None:
        return Given(seen=seen)
    return _of_documents(list(_items(_of_yaml(text))))


def _of_documents(documents: list[object]) -> Given:
    if not any(map(is_object, documents)):
        return Given(tuple(each for document in documents for each in read_event(document)))
    reading = Reading()
    read: list[PullFailure | Inspection | Skipped] = []
    for document in documents:
        if is_object(document) and isinstance(document, dict):
            reading.add(document)
        else:
            read += read_event(document)
    return Given(tuple(read), reading.seen())


def _decode(data: bytes) -> str:
    """Return the text, by its mark where it has one: what PowerShell writes to a file is UTF-16."""
    marked = next((encoding for mark, encoding in _MARKS if data.startswith(mark) and len(data) > len(mark)), None)
    if marked is None and data[1:2] == b"\0":
        marked = "utf-16-le"
    return data.decode(marked or "utf-8")


def _items(documents: Iterable[object]) -> Iterator[object]:
    """Yield the documents, of an array each item, as jq writes arrays, and of a change that was watched its object."""
    for document in documents:
        for each in document if isinstance(document, list) and document else [document]:
            if not isinstance(each, dict) or each.keys() != {"type", "object"}:
                yield each
            elif each["type"] in _CHANGES:
                yield each["object"]
            elif each["type"] != _BOOKMARK:
                yield each


def _of_yaml(text: str) -> Iterator[object]:
    """Yield the documents of YAML. Raises UnusableEvent for a text that is no object in YAML."""
    # Only who gives YAML needs its parser.
    from pull_responder.cli.yaml_documents import read_documents  # noqa: PLC0415

    if not _YAML.search(text):
        raise UnusableEvent("the input", refusal(text))
    for document in read_documents(text):
        if isinstance(document, UnusableTextError):
            raise UnusableEvent("the input", f"is not usable as YAML: {document}")
        if isinstance(document.value, str):
            raise UnusableEvent("the input", refusal(text))
        yield document.value


def _of_json(text: str) -> Iterator[object]:
    """Yield the documents of JSON, of which there may be several, one after the other."""
    try:
        yield read_json(text, where="the input", most=MOST_VALUES)
    except UnusableEvent as error:
        if _FOLLOWED not in str(error) or not (documents := _several(text)):
            raise
        yield from documents


def _several(text: str) -> list[object]:
    """Return documents of JSON that follow each other; none if the text is not that."""
    decoder = json.JSONDecoder()
    found: list[object] = []
    at = _after_space(text, 0)
    try:
        while at < len(text) and len(found) < _MOST_DOCUMENTS:
            document, at = decoder.raw_decode(text, at)
            found.append(document)
            at = _after_space(text, at)
    except (json.JSONDecodeError, RecursionError, ValueError):
        return []
    return found if at == len(text) else []


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at
