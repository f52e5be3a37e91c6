"""One cause of a failed pull: what is broken, the fix to copy, the proof, and the policies that decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.page.markup import Child, breaking, link, name_of, prose, said, short, tag
from pull_responder.page.policies import policies
from pull_responder.publish.console import console_url
from pull_responder.publish.text import command_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from xml.etree.ElementTree import Element

    from pull_responder.findings.finding import Finding
    from pull_responder.model.verdict import DecidingPolicy, Remediation, Resource

_DOCS: Final = ("https://docs.aws.amazon.com/", "https://docs.amazonaws.cn/", "https://docs.amazonaws.eu/")


def cause(finding: Finding, deciding: Sequence[DecidingPolicy], *, key: str, level: int) -> Element:
    """Return one cause. `key` begins the ids in it, `level` is that of its heading."""
    return tag(
        "div",
        tag(f"h{level}", badge(finding.severity.value), " ", short(finding.title), id=key),
        tag("p", resource(finding.resource)),
        tag("p", prose(finding.explanation)),
        fix(finding.remediation, key=f"{key}-fix", level=level + 1, elsewhere=finding.is_mended_elsewhere),
        tag(f"h{level + 1}", "Proof"),
        tag("ul", (tag("li", prose(line)) for line in finding.evidence)) if finding.evidence else None,
        _deciding(deciding, level + 1),
        class_=f"cause is-{finding.severity.value}",
    )


def _deciding(deciding: Sequence[DecidingPolicy], level: int) -> list[Element]:
    if not deciding:
        return []
    words = "The policy that decides" if len(deciding) == 1 else "The policies that decide"
    return [tag(f"h{level}", words), *policies(deciding)]


def badge(words: str, class_: str | None = None) -> Element:
    """Return a word that is told apart by its colour, too: a severity or a state."""
    return tag("span", words, class_=f"badge {class_ or words}")


def resource(broken: Resource) -> Element:
    """Return the name of a resource, with a link to its page of the console where one is known."""
    url = console_url(broken)
    links: list[Child] = [" (", link("console", url), ")"] if url else []
    return tag("span", tag("code", name_of(broken.id)), links)


def fix(remedy: Remediation, *, key: str, level: int, elsewhere: bool = False) -> Element:
    """Return what to do: the words, and the commands with the account and the region that they are for.

    With `elsewhere`, words without commands say where, too.
    """
    region = tag("span", said(remedy.region), class_="word")
    end = ":" if remedy.commands else ", by hand."
    undo = tuple(_commands(remedy.undo, f"{key}-undo"))
    return tag(
        "div",
        tag(f"h{level}", "Fix"),
        tag("p", prose(remedy.summary)),
        tag("p", f"For many roles: {said(remedy.for_many)}") if remedy.for_many else None,
        tag("p", f"In account {said(remedy.account)}, region ", region, end) if remedy.commands or elsewhere else None,
        *_commands(remedy.commands, key),
        tag("details", tag("summary", "What takes it back"), undo) if undo else None,
        tag("p", _docs(remedy.docs_url)),
        class_="fix",
    )


def _commands(commands: Sequence[Sequence[str]], key: str) -> Iterator[Element]:
    for number, each in enumerate(commands, 1):
        # A command is never cleaned or cut: the result would be a different command.
        line = command_line(each)
        if line is None:
            yield tag("p", "A command with unprintable characters is left out; the raw facts below have it.")
            continue
        name = f"{key}-{number}"
        button = tag("button", "Copy", type="button", hidden="", data_copies=name, aria_label=f"Copy command {number}")
        yield tag("div", tag("pre", tag("code", _words(line), id=name), dir="ltr"), button, class_="command")


def _words(line: str) -> Iterator[Child]:
    """Yield a command that breaks at its spaces; within a word only if that alone is wider than the page."""
    for number, word in enumerate(line.split(" ")):
        if number:
            yield " "
        if word:
            yield tag("span", breaking(word), class_="word")


def _docs(url: str) -> Child:
    plain = said(url)
    return tag("span", "About it: ", link(prose(plain), plain)) if plain.startswith(_DOCS) else plain
