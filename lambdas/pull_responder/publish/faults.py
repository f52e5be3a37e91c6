"""What is broken: the faults that a message tells, each with its resource, in few words.

Each function takes `say`, as in `telling`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.publish.attributes import UNKNOWN
from pull_responder.publish.text import number_of, resource_name

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pull_responder.findings.finding import Finding

    Say = Callable[[str, int], str]

NAMED: Final = 3
"""How many causes line 1 names."""
# How titles begin that go on in the middle of a sentence.
_ARTICLES: Final = frozenset({"The", "A", "An", "No"})
_NAME: Final = 100
_TITLE: Final = 200


def fault(finding: Finding, say: Say) -> str:
    """Return the fault and the resource."""
    return f"{_what_is_wrong(finding, say)} ({_named(finding, say)})"


def all_faults(findings: Sequence[Finding], say: Say, *, unnamed: int = 0, most: int = NAMED) -> str:
    """Return the first `most` faults with their resources, and how many more there are, `unnamed` ones among them.

    A resource that all have is named once: "The role does not allow the pull, and the boundary stops it (role/node)".
    """
    named = findings[:most]
    more = len(findings) - len(named) + unnamed
    left = number_of(more, "more cause") if more else ""
    first, *rest = [_what_is_wrong(each, say) for each in named]
    names = [_named(each, say) for each in named]
    rest = [each[:1].lower() + each[1:] if each.partition(" ")[0] in _ARTICLES else each for each in rest]
    if len(set(names)) == 1:
        return f"{_joined([first, *rest])} ({names[0]}){f', and {left}' if left else ''}"
    parts = [f"{each} ({name})" for each, name in zip([first, *rest], names, strict=True)]
    return _joined([*parts, *filter(None, [left])])


def _joined(parts: Sequence[str]) -> str:
    return f"{', '.join(parts[:-1])}, and {parts[-1]}" if len(parts) > 1 else parts[0]


def _what_is_wrong(finding: Finding, say: Say) -> str:
    return say(finding.title, _TITLE) or say(finding.cause, _NAME)


def _named(finding: Finding, say: Say) -> str:
    return say(resource_name(finding.resource.id), _NAME) or UNKNOWN
