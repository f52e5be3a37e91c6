"""Read YAML and JSON from outside: plain values, and the line on which each stands.

No object is ever made but texts, numbers, truth values, lists and mappings: tags mean nothing here. Everything is
bounded before it is made: the depth, the values, the documents, and what aliases repeat (the "billion laughs").

Sources: YAML 1.1 and libyaml, which Kubernetes' own reader follows; Kubernetes, apimachinery, pkg/util/yaml: documents
are parted at lines that begin with "---". So a document that cannot be read takes none of the others with it.
"""

from __future__ import annotations

import codecs
import json
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import yaml
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from pull_responder.cli.document import DEEPEST, Builder, Count, Document, UnusableTextError, Value
from pull_responder.model.printable import clean_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from yaml.events import Event

MOST_BYTES: Final = 64 * 1024 * 1024
"""The most bytes of an input that are read."""
MOST_DOCUMENTS: Final = 20_000

_PARTING: Final = re.compile(r"^---(?=\s|\Z)", re.MULTILINE)
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_JSON_TOKEN: Final = re.compile(r'[{}\[\]]|"(?:[^"\\]|\\.)*+"|[^\s,:{}\[\]"]++|\n')
_DECIMAL: Final = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,300})")
_TRUE: Final = frozenset({"true", "yes", "on"})
_NO_CHARACTER: Final = "it is not YAML: it has characters that YAML does not allow"


def decode(data: bytes) -> str:
    """Return the text of bytes in UTF-8, or in what their byte order mark says (PowerShell writes UTF-16).

    Raises UnusableTextError for other bytes, and for more than MOST_BYTES.
    """
    if len(data) > MOST_BYTES:
        raise UnusableTextError(1, f"more than {MOST_BYTES // 1024 // 1024} MiB are not read")
    mark, encoding = next(((mark, name) for mark, name in _BOMS if data.startswith(mark)), (b"", "utf-8"))
    try:
        return data[len(mark) :].decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnusableTextError(line, f"byte {error.start + len(mark)} is not {encoding.upper()}") from None


def read_documents(text: str) -> Iterator[Document | UnusableTextError]:
    """Yield the documents of YAML or JSON, and an error for each that cannot be read. Empty ones are left out.

    It ends with an error where there are too many documents or values. An error does not quote the text.
    """
    text = text.removeprefix("\ufeff")
    counted = Count()
    no_json: UnusableTextError | None = None
    if text.lstrip()[:1] in ("{", "["):
        found = _of_json(text, counted)
        if not isinstance(found, _NotJsonError):
            yield found
            return
        no_json = found
    for number, (line, part) in enumerate(_parts(text)):
        if number >= MOST_DOCUMENTS:
            yield UnusableTextError(line, f"it has more than {MOST_DOCUMENTS} documents")
            return
        try:
            yield from _of_yaml(part, line, counted)
        except UnusableTextError as error:
            yield no_json if no_json and line == 1 else error
            if counted.is_full:
                return


def _parts(text: str) -> Iterator[tuple[int, str]]:
    """Yield each part of a text that may hold a document, with the line on which it begins."""
    starts = [0, *(found.start() for found in _PARTING.finditer(text)), len(text)]
    line = 1
    for start, end in pairwise(starts):
        part = text[start:end]
        if any(each.strip() and not each.startswith(("%", "#")) and each.strip() != "---" for each in part.split("\n")):
            yield line, part
        line += part.count("\n")


def _of_yaml(text: str, first_line: int, counted: Count) -> Iterator[Document]:
    builder = Builder(counted)
    before = first_line - 1
    for event in _events(text, first_line):
        line = (event.start_mark.line if event.start_mark else 0) + 1 + before
        if isinstance(event, ScalarEvent):
            plain = event.implicit[0] and event.tag is None
            builder.scalar(_resolved(event.value) if plain else event.value, event.value, line, event.anchor)
        elif isinstance(event, MappingStartEvent):
            builder.begin({}, line, event.anchor)
        elif isinstance(event, SequenceStartEvent):
            builder.begin([], line, event.anchor)
        elif isinstance(event, (MappingEndEvent, SequenceEndEvent)):
            builder.end()
        elif isinstance(event, AliasEvent):
            builder.alias(event.anchor or "", line)
        elif isinstance(event, DocumentEndEvent):
            if document := builder.document():
                yield document
            builder = Builder(counted)


def _events(text: str, first_line: int) -> Iterator[Event]:
    try:
        loader = _Loader(text)
    except UnicodeEncodeError:  # half of a surrogate pair
        raise UnusableTextError(first_line, _NO_CHARACTER) from None
    try:
        while loader.check_event():
            yield loader.get_event()
    except yaml.MarkedYAMLError as error:
        line = (error.problem_mark.line if error.problem_mark else 0) + first_line
        raise UnusableTextError(line, f"it is not YAML: {clean_line(error.problem or '')[:200]}") from None
    except yaml.YAMLError:  # of the reader
        raise UnusableTextError(first_line, _NO_CHARACTER) from None
    finally:
        loader.dispose()


def _resolved(text: str) -> Value:
    """Return the value of a plain scalar. Only what Kubernetes may take for something else than a text is one."""
    for tag, pattern in _Loader.yaml_implicit_resolvers.get(text[:1], ()):
        if pattern.match(text):
            return _of_tag(tag.rpartition(":")[2], text)
    return text


def _of_tag(kind: str, text: str) -> Value:
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() in _TRUE
    if kind == "int" and _DECIMAL.fullmatch(text):
        return int(text)
    if kind == "float" and len(text) < 300:  # noqa: PLR2004 -- longer than any float is written
        try:
            return float(text)
        except ValueError:
            return text
    return text


class _NotJsonError(UnusableTextError):
    """What begins like JSON and is none: it may be YAML."""


def _of_json(text: str, counted: Count) -> Document | UnusableTextError:
    """Return the document of a JSON text, or why there is none."""
    try:
        json.loads(text)
    except RecursionError:
        return UnusableTextError(1, f"it is nested deeper than {DEEPEST} levels")
    except json.JSONDecodeError as error:
        return _NotJsonError(error.lineno, f"it is not JSON: {error.msg}")
    except ValueError as error:  # a number with thousands of digits
        return _NotJsonError(1, f"it is not JSON: {error}"[:200])
    builder = Builder(counted)
    line = 1
    try:
        for found in _JSON_TOKEN.finditer(text):
            written = found[0]
            if written == "\n":
                line += 1
            elif written in "{[":
                builder.begin({} if written == "{" else [], line)
            elif written in "}]":
                builder.end()
            else:
                value = json.loads(written)
                builder.scalar(value, value if isinstance(value, str) else written, line)
    except UnusableTextError as error:
        return error
    return builder.document() or _NotJsonError(1, "it is not JSON: it holds nothing")


_Loader: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's parser where PyYAML has it, as in its wheels. Only its events are used: it makes no object."""
