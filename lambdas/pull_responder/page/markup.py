"""Elements of a page. The standard library escapes all text; nothing here puts markup together from strings.

Events, policies and tags of AWS carry text that anybody may have written. Each is shown as one line of printable
characters (`said`), so that no override of the direction or line break of it changes what stands beside it.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final, TypeAlias
from xml.etree.ElementTree import Element

from pull_responder.model.printable import clean_line, escape_json
from pull_responder.publish.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

Child: TypeAlias = Element | str | None

# Behind a sign that ends a part of a name, where enough letters follow.
_BREAKS: Final = re.compile(r"(?<=[/:])(?<!//)(?=[^\s/:]{4})")
# Of letters, which a phone shows in one line.
_LONG_WORD: Final = 30

SHORT = 120
"""The most characters of a name in a heading or in the contents."""


def tag(name: str, /, *children: Child | Iterable[Child], **attributes: str | None) -> Element:
    """Return an element. `class_` stands for the attribute "class", `aria_label` for "aria-label".

    Text becomes text, whatever it holds. An attribute that is None is left out.
    """
    element = Element(name, {_spelt(key): value for key, value in attributes.items() if value is not None})
    for child in children:
        for each in [child] if child is None or isinstance(child, str | Element) else child:
            _append(element, each)
    return element


def _spelt(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def _append(element: Element, child: Child) -> None:
    if child is None:
        return
    if isinstance(child, Element):
        element.append(child)
    elif len(element):
        element[-1].tail = (element[-1].tail or "") + child
    else:
        element.text = (element.text or "") + child


def said(text: str) -> str:
    """Return text that others wrote as one line of printable characters, of any length."""
    return clean_line(text)


def short(text: str, limit: int = SHORT) -> str:
    """Return text that others wrote as one line of at most `limit` printable characters."""
    return one_line(text, limit)


def prose(text: str) -> list[Child]:
    """Return text that others wrote, as `said` does. Long words in it may break after `/` and `:`, as ARNs do."""
    pieces: list[Child] = []
    for word in said(text).split(" "):
        pieces += [" ", *breaking(word)] if pieces else breaking(word)
    return pieces


def breaking(word: str) -> list[Child]:
    """Return a word which may break after `/` and `:` if it is long, as it is."""
    first, *rest = _BREAKS.split(word) if len(word) > _LONG_WORD else [word]
    return [first, *(part for each in rest for part in (tag("wbr"), each))]


def name_of(text: str) -> Element:
    """Return a name that others chose, isolated: letters of a right-to-left script in it do not move what follows."""
    return tag("bdi", prose(text), class_="name")


def facts(rows: Iterable[tuple[str, Child]]) -> Element:
    """Return a list of labels with their values. Rows without a value are left out."""
    return tag(
        "dl",
        (tag("div", tag("dt", label), tag("dd", value)) for label, value in rows if value is not None and value != ""),
        class_="facts",
    )


def link(words: Child | Iterable[Child], url: str) -> Element:
    """Return a link to another page. It tells that page nothing of this one."""
    return tag("a", words, href=url, rel="noreferrer")


def json_lines(value: object) -> list[str]:
    """Return JSON for people, indented, each line printable."""
    return [escape_json(line) for line in json.dumps(value, ensure_ascii=False, indent=2).split("\n")]
