"""A page as a parser of HTML reads it."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser


@dataclass
class Part:
    """An element, with all the text in it."""

    tag: str
    attributes: dict[str, str | None]
    text: str = ""


@dataclass
class Parsed(HTMLParser):
    """All elements of a page in their order."""

    page: str
    parts: list[Part] = field(default_factory=list)
    _open: list[Part] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        part = Part(tag, dict(attrs))
        self.parts.append(part)
        if tag not in ("meta", "wbr"):
            self._open.append(part)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        for part in self._open:
            part.text += data

    def all(self, tag: str, class_: str = "") -> list[Part]:
        """Return the elements of a tag, and of a class if it is given."""
        of_tag = (each for each in self.parts if each.tag == tag)
        return [each for each in of_tag if not class_ or class_ in (each.attributes.get("class") or "").split()]

    def texts(self, tag: str, class_: str = "") -> list[str]:
        return [each.text for each in self.all(tag, class_)]
