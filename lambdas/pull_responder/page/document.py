"""A whole page: its head with the policy for what it may do, and the frame around its contents."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from pull_responder.page.assets import content_security_policy, script, style
from pull_responder.page.markup import said, short, tag

if TYPE_CHECKING:
    from collections.abc import Iterable
    from xml.etree.ElementTree import Element

_TITLE = 160


def document(title: str, contents: Iterable[Element | None], *, made: str, by: str) -> str:
    """Return a page as text of HTML, to be written as UTF-8.

    - `made`: a sentence that says when and where its facts were read.
    - `by`: the program and its version.
    """
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        # Before anything that it is about.
        tag("meta", http_equiv="Content-Security-Policy", content=content_security_policy()),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="referrer", content="no-referrer"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("meta", name="robots", content="noindex"),
        tag("title", short(title, _TITLE)),
        tag("style", style()),
    )
    body = tag(
        "body",
        tag("header", tag("p", "Pull Responder", class_="brand"), tag("p", said(made), class_="made"), class_="top"),
        tag("main", contents),
        tag("footer", tag("p", said(by))),
        tag("p", class_="spoken", role="status", id="spoken"),
        tag("script", script()),
    )
    page = tag("html", head, body, lang="en")
    return f"<!doctype html>\n{ET.tostring(page, encoding='unicode', method='html')}\n"
