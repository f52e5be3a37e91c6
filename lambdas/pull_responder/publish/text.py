"""Text that may leave the function: free of control characters, and cut where a reader would cut it.

What events say is anybody's text. A line break in it could pass for a section of a message, an escape sequence could
rewrite a terminal, and a bidirectional override could make a name read as another one.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from pull_responder.model.arn import Arn
from pull_responder.remediation import shell

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Terminal sequences with all they carry (ECMA-48: CSI, and OSC up to its end); what is left of broken ones is cleaned
# character by character. The character classes do not overlap, so this is linear in the length of the text.
_ESCAPE_SEQUENCE: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"
)

_WWW: Final = re.compile(r"\b(www)\.", re.IGNORECASE)


def one_line(text: str, limit: int) -> str:
    """Return `text` as one line of printable characters, runs of space as one space, at most `limit` characters.

    Empty when nothing in it can be printed. Lone surrogates, which UTF-8 cannot encode, go too.
    """
    bare = _ESCAPE_SEQUENCE.sub("", text)
    return cut(" ".join("".join(each if each.isprintable() else " " for each in bare).split()), limit)


def unlinked(text: str) -> str:
    """Return `text` with the addresses in it broken up, so that no mail or chat program makes a link of them.

    Mail and chat programs link what begins with a scheme or with "www." (inference: none documents its rules).
    """
    return _WWW.sub(r"\1[.]", text.replace("://", "[:]//"))


def cut(text: str, limit: int, ellipsis: str = "…") -> str:
    """Return `text` if it has at most `limit` characters, else its beginning and an ellipsis, `limit` at most.

    The cut falls between words. A word that would take more than half of the room with it is cut inside.
    """
    if len(text) <= limit:
        return text
    room = limit - len(ellipsis)
    boundary = text.rfind(" ", 0, room + 1)
    kept = text[:boundary] if boundary >= room // 2 else text[:room]
    return kept.rstrip(" ,;:.…") + ellipsis


def command_line(command: Sequence[str]) -> str | None:
    """Return `command` as one line for a shell, whole; None when an argument holds what cannot be printed.

    A command is never cleaned or cut: what is left would be another command.
    """
    return shell.render(command) if all(each.isprintable() for each in command) else None


def fitting(lines: Iterable[str], *, size: int) -> list[str]:
    """Return the first `lines` that fit in `size` bytes of UTF-8 together, a line break after each included."""
    kept: list[str] = []
    for line in lines:
        size -= len(line.encode()) + 1
        if size < 0:
            break
        kept.append(line)
    return kept


def within(lines: Iterable[str], *, size: int, what: str) -> list[str]:
    """Return the first `lines` that fit in `size` bytes of UTF-8 together, and a line saying how many more there are.

    `what` names the lines there.
    """
    every = list(lines)
    kept = fitting(every, size=size)
    left_out = len(every) - len(kept)
    return [*kept, f"({what}: {left_out} more, too long for this message)"] if left_out else kept


def resource_name(resource_id: str) -> str:
    """Return what a person calls a resource: `role/node` of its ARN; an id that is no ARN stays as it is."""
    arn = Arn.parse(resource_id)
    return arn.resource if arn else resource_id


def last_name(name: str) -> str:
    """Return the last part of a path-like name: `api` of `payments/api`; a name without one stays as it is."""
    return PurePosixPath(name).name or name
