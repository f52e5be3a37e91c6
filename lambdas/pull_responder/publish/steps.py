"""What to do about findings and where to look, for mail and chat alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.publish.attributes import UNKNOWN
from pull_responder.publish.console import console_url
from pull_responder.publish.faults import NAMED, fault
from pull_responder.publish.text import last_name, one_line, resource_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pull_responder.findings.alert import Alert
    from pull_responder.findings.finding import Finding
    from pull_responder.publish.style import Style
    from pull_responder.publish.telling import Say

_FIELD: Final = 600
_NAME: Final = 100
_DOCS: Final = ("https://docs.aws.amazon.com/", "https://docs.amazonaws.cn/")
_PAIR: Final = 2
_PLACE: Final = 24
_OF_THE_ORGANIZATION: Final = frozenset({"scp_blocks_pull", "rcp_blocks_pull"})


def do_all(alert: Alert) -> list[str]:
    """Return the line above the steps of several causes; nothing for one. It counts those that are not named."""
    number = len(alert.to_mend) + (alert.unnamed if alert.is_in_part else 0)
    return [] if number == 1 else [f"{all_of(number)}, or the pulls still fail:"]


def all_of(number: int) -> str:
    """Return the words that ask for the fixes of so many causes, two at least."""
    return f"Do {'both' if number == _PAIR else f'all {number}'}"


def in_place(finding: Finding, say: Say) -> str:
    """Return where the fix of `finding` is made, as "account 111111111111, region eu-west-1"."""
    return _place(finding, finding.remediation.account, finding.remediation.region, say)


def home(finding: Finding, say: Say) -> str:
    """Return where the broken resource is, in the words of `in_place`."""
    return _place(finding, finding.account, finding.region, say)


def _place(finding: Finding, account: str, region: str, say: Say) -> str:
    where = f"account {say(account, _PLACE) or UNKNOWN}"
    return where if is_of_organization(finding) else f"{where}, region {say(region, _PLACE) or UNKNOWN}"


def is_of_organization(finding: Finding) -> bool:
    """Whether a policy of the organization is at fault, which is in no region."""
    return finding.cause in _OF_THE_ORGANIZATION


def names_its_place(finding: Finding) -> bool:
    """Whether the fix says itself in which account it is made, as those do that an administrator has to make."""
    fix = finding.remediation
    return is_of_organization(finding) and bool(fix.account) and f"account {fix.account}" in fix.summary


def steps(findings: Sequence[Finding], say: Say, limit: int) -> Iterator[tuple[Finding, str]]:
    """Yield `findings`, each with the line that says what to do, `limit` characters of it at most.

    Of several, line 1 of the message names the faults of the first few. Those of the others are named here.
    """
    for number, each in enumerate(findings, 1):
        if len(findings) == 1:
            yield each, f"{do_this(each, say)}: {say(each.remediation.summary, limit) or 'See the proof.'}"
            continue
        by_hand = f"By hand{_where(each, say)}: " if not each.remediation.commands else ""
        named = f"{fault(each, say)}: " if number > NAMED else ""
        summary = say(each.remediation.summary, limit) if named else what_to_do(each, say, limit)
        yield each, f"{number}. {named}{by_hand}{summary or 'See the proof.'}"


def what_to_do(finding: Finding, say: Say, limit: int) -> str:
    """Return the summary of the fix, with the name of the resource before it if it does not have it."""
    summary, name = say(finding.remediation.summary, limit), last_name(resource_name(finding.resource.id))
    if not summary or name in finding.remediation.summary:
        return summary
    return f"{say(name, _NAME) or UNKNOWN}: {summary}"


def in_short(finding: Finding, say: Say, limit: int) -> str:
    """Return what to do in few words, with the name of the resource before it if neither it nor the fix has it."""
    short = finding.remediation.short
    return say(short, limit) if short else what_to_do(finding, say, limit)


def do_this(finding: Finding, say: Say, which: str = "") -> str:
    """Return the words before what to do about `finding`.

    Without a command, which has its own, they say where, and that nobody need look for a command.
    """
    return f"Do this{which}" + ("" if finding.remediation.commands else f", by hand{_where(finding, say)}")


def _where(finding: Finding, say: Say) -> str:
    return "" if names_its_place(finding) else f" in {in_place(finding, say)}"


def runbook(finding: Finding, style: Style) -> Iterator[str]:
    """Yield the line with the link to the page of its cause, if the operator has said where the pages are."""
    if url := style.runbook(finding.cause):
        yield f"Runbook: {url}"


def with_runbook(lines: Iterable[str], finding: Finding, style: Style) -> list[str]:
    """Return `lines`, and behind them the link of `runbook` if they do not have it."""
    every = list(lines)
    return [*every, *(each for each in runbook(finding, style) if each not in every)]


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
