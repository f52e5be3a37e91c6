"""Text for Slack and Microsoft Teams: what anybody may have written, made harmless, and commands.

Both show the same text, with different markup and escapes. Text of others stands as text, in which neither program
finds formatting, links, mentions or emoji: their characters are replaced by look-alikes. A word that a program would
change and people copy, such as an ARN or a host, is code. So a whole line of code is a command
(docs/adr/0143-only-commands-are-code-in-chat.md).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pull_responder.publish.text import break_urls, command_line, cut, one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

_FIELD: Final = 300

# Slack's control characters and their escapes (Slack API, "Formatting text for app surfaces").
_ENTITIES: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_LONGEST: Final = max(map(len, _ENTITIES.values()))
# Characters that Markdown takes for formatting, a link or a heading. Each is replaced by a look-alike.
_LOOKALIKES: Final = {
    "`": "\N{MODIFIER LETTER GRAVE ACCENT}",
    "*": "\N{ASTERISK OPERATOR}",
    "~": "\N{TILDE OPERATOR}",
    "[": "\N{FULLWIDTH LEFT SQUARE BRACKET}",
    "]": "\N{FULLWIDTH RIGHT SQUARE BRACKET}",
    "|": "\N{FULLWIDTH VERTICAL LINE}",
    "\\": "\N{FULLWIDTH REVERSE SOLIDUS}",
}
_HARMLESS: Final = str.maketrans(_ENTITIES | _LOOKALIKES)
# What is linked where code is not supported. A name with dots stays: services and hosts of AWS have such names.
_LINK: Final = re.compile(r"://|\bwww\.", re.IGNORECASE)
_MENTION: Final = re.compile(r"(?<![0-9A-Za-z])@")
# Words that a program would change where they are text: hosts, which it links; ":aws:", which may be an emoji; "_x_",
# which is italic; ARNs. At the beginning of a line also what makes it a heading or a list.
_HOST: Final = r"[\w-]\.[^\W\d_]{2}"
_CHANGED: Final = re.compile(rf"{_HOST}|:[\w+'-]+:|\barn:|(?<!\w)_|_(?!\w)")
_WORD: Final = re.compile(r"""(?P<open>[("']*)(?P<word>\S+?)(?P<end>(?:[).,:"']|(?<!&gt)(?<!&lt)(?<!&amp);)*)(?!\S)""")
_BLOCK: Final = re.compile(r"(?:[#+=-]|\d+[.)])\S*")


def escape(text: str, limit: int) -> str:
    """Return `text` as one line that neither program formats, with at most `limit` characters before it is escaped."""
    bare = break_urls(_MENTION.sub("\N{FULLWIDTH COMMERCIAL AT}", one_line(text, limit)))
    return bare.translate(_HARMLESS)


def say(text: str, limit: int = _FIELD) -> str:
    """Return untrusted `text` as a line in which neither program formats, links or mentions anything."""
    words = _WORD.sub(_as_code, escape(text, limit))
    return _BLOCK.sub(lambda found: f"`{found[0]}`", words, count=1) if _BLOCK.match(words) else words or "?"


def _as_code(found: re.Match[str]) -> str:
    word = found["word"]
    return f"{found['open']}`{word}`{found['end']}" if _CHANGED.search(found[0]) else found[0]


def within(text: str, room: int) -> str:
    """Return `text` escaped, in at most `room` characters: an entity is longer than what it stands for."""
    kept = one_line(text, room)
    while (over := len(escaped := escape(kept, room)) - room) > 0:
        kept = cut(kept, len(kept) - max(over // _LONGEST, 1))
    return escaped


def code(command: Sequence[str]) -> str | None:
    """Return a command as inline code; None if it would not be shown as it is.

    Between back quotes, neither program formats or links: only a back quote ends the code, and Slack reads `&`, `<` and
    `>` everywhere (Slack API, "Formatting text for app surfaces"). Mentions and links are kept out all the same, as of
    all other text: Teams does not support back quotes everywhere.
    """
    line = command_line(command)
    if line is None or any(each in line for each in "`&<>") or _MENTION.search(line) or _LINK.search(line):
        return None
    return f"`{line}`"
