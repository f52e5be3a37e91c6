"""What the page of a period says: counts, times, who broke and who fixed, and what the table cannot know."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings

from pull_responder.findings.life import State
from pull_responder.findings.reach import Reach
from pull_responder.model.verdict import Severity
from pull_responder.page.findings_page import in_period
from tests.browser.lives import DAY, HOUR, NOW, hostile_life, open_life, page_of, resolved_life
from tests.browser.pages import HOSTILE
from tests.unit.cli.test_hostile_text import HOSTILE as HOSTILE_TEXTS
from tests.unit.page.parsed import Parsed
from tests.unit.publish.examples import FINDING

OTHER = replace(FINDING, id="other", cause="image_not_found", title="No image", account="222222222222")


def facts(found: Parsed) -> list[dict[str, str]]:
    """The labels and values of each finding in a page."""
    starts = [found.parts.index(each) for each in found.all("dl", "facts")]
    lists = []
    for start, end in pairwise([*starts, len(found.parts)]):
        rows = [part.text for part in found.parts[start:end] if part.tag in ("dt", "dd")]
        lists.append(dict(zip(rows[::2], rows[1::2], strict=True)))
    return lists


def test_who_broke_and_who_fixed_and_how_long_it_took() -> None:
    found = Parsed(page_of(resolved_life()))
    assert found.texts("h1") == ["1 finding in the period: 0 open, 1 resolved"]
    (rows,) = facts(found)
    admin = "arn:aws:sts::111111111111:assumed-role/admin"
    assert rows["Who broke it"] == (
        f"{admin}/jo: DetachRolePolicy of PullOnly, 2026-03-01 09:00 UTC, CloudTrail event e-1"
    )
    assert rows["Who fixed it"] == (
        f"{admin}/sam: AttachRolePolicy of PullOnly, 2026-03-01 11:00 UTC, CloudTrail event e-2"
    )
    assert rows["Failing since"] == "2026-03-01 10:00 UTC"
    assert rows["Resolved"] == "2026-03-01 11:00 UTC"
    assert rows["Time to resolve"] == "1 hour"
    assert rows["Stopped"] == "12 pods, 1 node, 312 failures, last 2026-03-01 11:59 UTC"
    assert rows["How it ended"].startswith("It pulls; AttachRolePolicy of PullOnly by arn:aws:sts::")


def test_what_nobody_is_known_to_have_done_is_said() -> None:
    unread = resolved_life(broken_by=None, changes_unread="cloudtrail:LookupEvents was denied", deeds=())
    (rows,) = facts(Parsed(page_of(unread)))
    assert rows["Who broke it"] == "not known: cloudtrail:LookupEvents was denied"
    assert rows["Who fixed it"] == "no change was seen that ended it"
    (rows,) = facts(Parsed(page_of(resolved_life(because="The pull has not failed for a day."))))
    assert rows["Who fixed it"] == "no change was seen that ended it"
    assert "assumed-role/admin/sam: AttachRolePolicy" in rows["Changed, too"]
    (rows,) = facts(Parsed(page_of(resolved_life(broken_by=None))))
    assert rows["Who broke it"] == "no change was seen before it"


def test_what_is_open_stands_first_the_worst_before_the_others_with_its_commands() -> None:
    low = replace(FINDING, id="low", title="A low one", severity=Severity.LOW)
    critical = replace(FINDING, id="critical", title="A critical one", severity=Severity.CRITICAL)
    found = Parsed(page_of(open_life(low), resolved_life(), open_life(critical)))
    assert found.texts("h3") == ["CRITICAL A critical one", "LOW A low one", "HIGH The role lacks permissions to pull"]
    assert [each for each in found.texts("h2") if ":" in each] == ["Open: 2", "Resolved: 1"]
    first = facts(found)[0]
    assert first["Open for"] == "2 hours"
    assert "Who fixed it" not in first
    assert "aws iam attach-role-policy" in found.texts("div", "command")[0]


def test_counts_are_by_cause_and_by_account_with_the_median_time() -> None:
    three = [
        resolved_life(number=n, opened_at=NOW - hours * HOUR, reach=Reach()) for n, hours in ((1, 2), (2, 4), (3, 9))
    ]
    found = Parsed(page_of(*three, open_life(), open_life(OTHER)))
    rows = [each.text for each in found.all("tr")]
    assert rows == [
        "CauseOpenResolvedMedian time",
        "The role does not allow the pull133 hours",
        "The repository has no such image10",
        "AccountOpenResolvedMedian time",
        "111111111111133 hours",
        "22222222222210",
    ]
    summary = next(each.text for each in found.all("dl", "figures"))
    assert "Median time to resolve3 hours" in summary
    assert "Longest time to resolve8 hours" in summary
    assert "Open for longest2 hours" in summary
    assert "Failed pulls624" in summary


def test_the_page_says_what_the_table_can_know() -> None:
    (kept, *_) = Parsed(page_of(keep_days=90)).texts("li")
    assert kept == "The table keeps a finding for 90 days after it was resolved, and an open one until it is."
    assert not any("is not here" in each for each in Parsed(page_of(days=89)).texts("li"))
    cut = Parsed(page_of(days=60, keep_days=30)).texts("li")[1]
    assert cut == "What was resolved before 2026-01-30 12:00 UTC is not here, though the period begins earlier."


def test_what_came_back_and_what_could_not_be_read_are_said() -> None:
    found = Parsed(page_of(open_life(breaks=(NOW - DAY, NOW - HOUR)), unread=("item x: its life cannot be read",)))
    assert facts(found)[0]["Came back"] == "2 times, at 2026-02-28 12:00 UTC, 2026-03-01 11:00 UTC"
    assert "Not read: 1 item of the table" in found.texts("h2")
    assert "item x: its life cannot be read" in found.texts("li")


def test_an_empty_period_says_so() -> None:
    found = Parsed(page_of())
    assert found.texts("h1") == ["0 findings in the period: 0 open, 0 resolved"]
    assert found.all("table") == []


@pytest.mark.parametrize(
    ("opened", "resolved", "belongs"),
    [
        (-40, None, True),
        (-40, -31, False),
        (-40, -30, True),
        (-20, -10, True),
        (-20, None, True),
        (1, None, False),
    ],
)
def test_a_finding_belongs_to_a_period_in_which_it_was_open(
    opened: float, resolved: float | None, *, belongs: bool
) -> None:
    life = open_life(opened_at=NOW + opened * DAY, reach=Reach())
    if resolved is not None:
        life = replace(life, state=State.RESOLVED, resolved_at=NOW + resolved * DAY)
    assert in_period(life, NOW - 30 * DAY, NOW) is belongs


def _shape(text: str) -> list[tuple[str, tuple[str, ...]]]:
    found = Parsed(page_of(hostile_life(text), unread=(text,)))
    return [(each.tag, tuple(sorted(each.attributes))) for each in found.parts]


@settings(deadline=None)
@given(HOSTILE_TEXTS)
def test_the_page_has_the_same_elements_whatever_others_wrote(text: str) -> None:
    assert _shape(f"x\n{text}") == _shape("x\n")


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_invisible_or_active_is_in_the_page(text: str) -> None:
    whole = page_of(hostile_life(text), unread=(text,))
    assert all(each.isprintable() for each in whole.split("\n"))
    found = Parsed(whole)
    assert {each.tag for each in found.parts}.isdisjoint({"img", "iframe", "object", "embed", "form", "base", "link"})
    assert not any(name.startswith("on") or name == "style" for each in found.parts for name in each.attributes)
