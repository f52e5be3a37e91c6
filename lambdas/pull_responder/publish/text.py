"""Make text safe to publish: one line, no control characters, bounded length.

Anybody may have written the text in an event. A line break could fake a section of a message. An escape sequence could
rewrite a terminal. A bidirectional override could make one name look like another.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

from pull_responder.model.arn import Arn
from pull_responder.model.printable import clean_line
from pull_responder.remediation import shell

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_HOST: Final = re.compile(r"(?<![\w.-])(?:[\w-]{1,63}\.){1,126}([^\W\d_]{2,63})(?![\w-])")
# Names of AWS's own hosts, which people copy.
_AWS_HOSTS: Final = (".amazonaws.com", ".amazonaws.com.cn", ".on.aws", "public.ecr.aws")
# What stands behind the last dot of hosts inside a VPC or a cluster, and of files. No top-level domains.
_NO_DOMAINS: Final = frozenset({"internal", "local", "json", "yaml", "yml"})


def one_line(text: str, limit: int) -> str:
    """Return `text` as one line of at most `limit` printable characters; see `clean_line`."""
    return cut(clean_line(text), limit)


def break_urls(text: str) -> str:
    """Return `text` with its URLs broken up, so that no mail or chat program links them.

    Such programs link text that begins with a scheme or with "www.", and many link a bare domain (inference: none
    documents its rules). Names of AWS's own hosts stay as they are: people copy them.
    """
    return _HOST.sub(_break_host, text.replace("://", "[:]//"))


def _break_host(host: re.Match[str]) -> str:
    is_plain = host[1].lower() in _NO_DOMAINS or host[0].lower().endswith(_AWS_HOSTS)
    return host[0] if is_plain else host[0].replace(".", "[.]")


def cut(text: str, limit: int, ellipsis: str = "…") -> str:
    """Return `text` if it has at most `limit` characters, else its beginning and an ellipsis, at most `limit` in all.

    The cut is between words, unless that would lose more than half of the room. Then it is inside a word.
    """
    if len(text) <= limit:
        return text
    room = limit - len(ellipsis)
    boundary = text.rfind(" ", 0, room + 1)
    kept = text[:boundary] if boundary >= room // 2 else text[:room]
    return kept.rstrip(" ,;:.…") + ellipsis


def command_line(command: Sequence[str]) -> str | None:
    """Return `command` as one line for a shell; None if an argument has an unprintable character.

    A command is never cleaned or cut, because the result would be a different command.
    """
    return shell.render(command) if all(each.isprintable() for each in command) else None


def take_fitting(lines: Iterable[str], *, size: int) -> list[str]:
    """Return the first `lines` that fit in `size` bytes of UTF-8 together, each with a line break."""
    kept: list[str] = []
    for line in lines:
        size -= len(line.encode()) + 1
        if size < 0:
            break
        kept.append(line)
    return kept


def limit_lines(lines: Iterable[str], *, size: int, what: str) -> list[str]:
    """Return the first `lines` that fit in `size` bytes of UTF-8 together, and a line saying how many more there are.

    `what` names the lines in that line.
    """
    every = list(lines)
    kept = take_fitting(every, size=size)
    left_out = len(every) - len(kept)
    return [*kept, f"({what}: {left_out} more, too long for this message)"] if left_out else kept


def resource_name(resource_id: str) -> str:
    """Return the short name of a resource: `role/node` for an ARN. An id that is not an ARN stays as it is.

    A policy of an organization is `policy/p-1`: its organization and type, which its ARN has too, would take two lines
    of a phone.
    """
    arn = Arn.parse(resource_id)
    if arn is None:
        return resource_id
    if arn.service == "organizations" and "/" in arn.resource:
        return f"{arn.resource.partition('/')[0]}/{last_name(arn.resource)}"
    return arn.resource


def last_name(name: str, *, parts: int = 1) -> str:
    """Return the last parts of a name with slashes: `api` for `payments/api`. Other names stay as they are."""
    return "/".join(PurePosixPath(name).parts[-parts:]) or name


def number_of(number: int, unit: str) -> str:
    """Return a number with its unit, as in "1 more cause"."""
    return f"{number} {unit}{'' if number == 1 else 's'}"
