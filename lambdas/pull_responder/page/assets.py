"""The style and the script of pages, and the policy that lets a page use these alone."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources


def style() -> str:
    """Return the style sheet of all pages."""
    return _read("page.css")


def script() -> str:
    """Return the script of all pages: it copies commands, and unfolds all for a printer."""
    return _read("page.js")


def content_security_policy() -> str:
    """Return the policy for a page with `style` and `script` as its only style sheet and script.

    A hash allows exactly one text. Nothing is loaded and nothing is sent: no image, font, frame or request, and no
    markup can name another base for links or send a form (W3C, "Content Security Policy Level 3").
    """
    return (
        f"default-src 'none'; style-src '{_hash(style())}'; script-src '{_hash(script())}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _read(name: str) -> str:
    return resources.files("pull_responder.page").joinpath(name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
