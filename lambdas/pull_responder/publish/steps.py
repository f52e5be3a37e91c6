"""What to do about findings and where to look, for mail and chat alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.publish.console import console_url
from pull_responder.publish.telling import fault
from pull_responder.publish.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pull_responder.findings.finding import Finding
    from pull_responder.publish.style import Style
    from pull_responder.publish.telling import Say

_FIELD: Final = 600
_DOCS: Final = ("https://docs.aws.amazon.com/", "https://docs.amazonaws.cn/")
_PAIR: Final = 2


def do_all(findings: Sequence[Finding]) -> list[str]:
    """Return the line above the steps of several causes; nothing for one."""
    number = len(findings)
    if number == 1:
        return []
    return [f"Do {'both' if number == _PAIR else f'all {number}'}, or the pulls still fail:"]


def steps(findings: Sequence[Finding], say: Say, limit: int) -> Iterator[tuple[Finding, str]]:
    """Yield `findings`, each with the line that says what to do, `limit` characters of it at most.

    Of several, the first is the one that line 1 of the message names. The others are named here.
    """
    for number, each in enumerate(findings, 1):
        summary = say(each.remediation.summary, limit) or "See the proof."
        named = "" if number == 1 else f"{fault(each, say)}: "
        yield each, f"{do_this(each)}: {summary}" if len(findings) == 1 else f"{number}. {named}{summary}"


def do_this(finding: Finding, which: str = "") -> str:
    """Return the words before what to do about `finding`; without a command they say that nobody need look for one."""
    return f"Do this{which}{'' if finding.remediation.commands else ', by hand'}"


def links(finding: Finding, style: Style) -> Iterator[str]:
    """Yield the links about `finding`, a line each. Console URLs quote their parts; the others are AWS's and ours."""
    known = [
        ("Runbook", style.runbook(finding.cause)),
        ("Console", console_url(finding.resource)),
        ("AWS docs", docs_url(finding)),
    ]
    yield from (f"{label}: {url}" for label, url in known if url)


def docs_url(finding: Finding) -> str | None:
    """Return the URL of the fix's documentation, None if it is not on an AWS documentation host."""
    url = one_line(finding.remediation.docs_url, _FIELD)
    return url if url.startswith(_DOCS) and " " not in url else None
