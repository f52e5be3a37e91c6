"""How a resolution is worded: what works again, since when, after how long, and by whose change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pull_responder.checks import CHECKS
from pull_responder.events.change import Change
from pull_responder.findings.codec import life_item, read_life
from pull_responder.findings.deed import Deed, deeds_of
from pull_responder.findings.ending import end, remember
from pull_responder.findings.life import Life, notice
from pull_responder.findings.problem import iso
from pull_responder.findings.reach import Reach
from tests.unit.findings.lives import NOON, SETTINGS, find, tell
from tests.unit.publish.examples import FINDING, REPOSITORY, ROLE

ADMIN = "arn:aws:sts::111111111111:assumed-role/admin/jo"
ATTACHED = Deed("AttachRolePolicy", ADMIN, iso(NOON + 18 * 60), "0000-1")


def _broken() -> Life:
    """A finding that people were told of at noon, whose first pull failed a minute before."""
    life = tell(find(None, NOON), NOON)
    return replace(life, reach=Reach(events=3, first_seen_at=iso(NOON - 60)))


def _ended(life: Life, *, minutes: float = 19, works_again: bool = True) -> str:
    words = "The role can pull again" if works_again else "The affected nodes do not exist any more."
    life = end(life, because=words, works_again=works_again, now=NOON + minutes * 60, settings=SETTINGS)
    assert not life.is_open
    return life.because


def test_a_change_to_the_resource_says_since_when_and_by_whom() -> None:
    assert _ended(remember(_broken(), [ATTACHED])) == (
        "The role can pull again since 2026-03-01 12:18 UTC; it was broken for 19 minutes; "
        f"AttachRolePolicy by {ADMIN} (event 0000-1)."
    )


def test_without_a_change_only_the_look_is_known() -> None:
    assert _ended(_broken()) == (
        "The role can pull again, as read at 2026-03-01 12:19 UTC; it was broken for at most 20 minutes."
    )


def test_what_was_broken_for_less_than_a_minute_is_said_so() -> None:
    life = replace(_broken(), reach=Reach())
    assert _ended(life, minutes=0.5).endswith("as read at 2026-03-01 12:00 UTC; it was broken for less than a minute.")


def test_of_several_changes_none_is_said_to_have_done_it() -> None:
    other = replace(ATTACHED, call="PutRolePolicy", at=iso(NOON + 17 * 60), event_id="")
    words = _ended(remember(_broken(), [ATTACHED, other]))
    assert words.startswith("The role can pull again, as read at 2026-03-01 12:19 UTC; it was broken for at most")
    assert words.endswith(
        f"; PutRolePolicy by {ADMIN} at 2026-03-01T12:17:00Z; "
        f"AttachRolePolicy by {ADMIN} (event 0000-1) at 2026-03-01T12:18:00Z."
    )


@pytest.mark.parametrize("minutes", [-5, 3])
def test_a_change_long_before_the_look_is_not_named(minutes: float) -> None:
    early = replace(ATTACHED, at=iso(NOON + minutes * 60))
    assert "AttachRolePolicy" not in _ended(remember(_broken(), [early]))


def test_a_change_by_a_clock_that_runs_ahead_is_of_the_look_at_the_latest() -> None:
    ahead = replace(ATTACHED, at=iso(NOON + 19 * 60 + 30))
    assert _ended(remember(_broken(), [ahead])).startswith("The role can pull again since 2026-03-01 12:19 UTC; ")


def test_only_the_changes_right_before_the_end_are_told_with_it() -> None:
    """A change counts from the beginning of the fault, for ten minutes, and a clock may run ahead by a minute."""
    times = {-70: False, -60: True, 8 * 60 + 59: False, 9 * 60: True, 19 * 60: True, 20 * 60: True, 20 * 60 + 1: False}
    for seconds, is_told in times.items():
        deed = replace(ATTACHED, at=iso(NOON + seconds))
        now = NOON + (19 * 60 if seconds > 0 else 300)
        life = end(remember(_broken(), [deed]), because="x", works_again=True, now=now, settings=SETTINGS)
        assert (life.deeds, "AttachRolePolicy" in life.because) == ((deed,) if is_told else (), is_told), seconds
    assert remember(_broken(), []) == _broken()


def test_a_whole_minute_is_said_to_be_the_most() -> None:
    assert _ended(_broken(), minutes=0).endswith("it was broken for at most 1 minute.")


def test_what_is_gone_does_not_work_again() -> None:
    because = "Nothing is left of the node group BOX"
    life = end(_broken(), because=f"{because}. ", works_again=False, now=NOON + 60, settings=SETTINGS)
    assert life.because == f"{because}. It was open for 1 minute."
    words = _ended(remember(_broken(), [ATTACHED]), works_again=False)
    assert words == "The affected nodes do not exist any more. It was open for 19 minutes."


def test_what_was_done_is_in_the_notice_and_in_the_table() -> None:
    life = end(remember(_broken(), [ATTACHED]), because="x", works_again=True, now=NOON + 1140, settings=SETTINGS)
    assert notice(read_life(life_item(life, expires_at=None))).fixed_by == (ATTACHED,)
    assert notice(find(None, NOON)).fixed_by == ()


def _change(service: str = "iam", *words: str, **fields: Any) -> Change:  # noqa: ANN401 -- any field of Change
    known: dict[str, Any] = {"account": "111111111111", "region": "us-east-1", "at": iso(NOON), "by": ADMIN}
    return Change(service, "Call", words=frozenset(words), **{**known, **fields})


@pytest.mark.parametrize(
    ("change", "is_named"),
    [
        (_change("iam", "prod-node"), True),
        (_change("iam", ROLE), True),
        (_change("ecr", "payments/api", account="222222222222", region="eu-west-1"), True),
        (_change("iam", "arn:aws:iam::111111111111:policy/guard"), True),
        (_change("iam", "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"), False),
        (_change("iam", "prod-node", by=None), False),
        (_change("iam", "prod-node", at=None), False),
        (_change("iam", "prod-node-2"), False),
        (_change("iam", "eks/prod-node"), True),
        (_change("iam", "eks"), False),
        (_change("iam", "prod-node", account="333333333333"), False),
        (_change("eks", "prod-node"), False),
        (_change("ecr", "payments/api", account="222222222222", region="eu-west-2"), False),
        (_change("ecr", "payments/web", account="222222222222", region="eu-west-1"), False),
    ],
)
def test_only_a_change_that_names_the_resource_is_told(change: Change, *, is_named: bool) -> None:
    assert FINDING.pull.repository_arn == REPOSITORY
    guard = ("aws", "iam", "create-policy-version", "--policy-arn", "arn:aws:iam::111111111111:policy/guard")
    fix = replace(FINDING.remediation, commands=(*FINDING.remediation.commands, guard))
    assert deeds_of([change], replace(FINDING, remediation=fix)) == (
        (Deed("Call", ADMIN, iso(NOON)),) if is_named else ()
    )


OTHER = "arn:aws:ecr:eu-west-1:111111111111:repository/other"
RELATED = "arn:aws:eks:eu-west-1:111111111111:cluster/prod"
GUARD = "arn:aws:iam::111111111111:policy/guard"


@pytest.mark.parametrize(
    "change",
    [
        _change("ecr", "other", region="eu-west-1"),
        _change("eks", "prod", region="eu-west-1"),
        _change("iam", "guard"),
        _change("iam", "prod-node"),
        _change("ecr", "payments/api", account="222222222222", region="eu-west-1"),
    ],
    ids=["at fault", "related", "of the fix", "the role that pulls", "the repository"],
)
@pytest.mark.parametrize("is_known", [True, False])
def test_each_resource_of_a_finding_counts_by_itself(change: Change, *, is_known: bool) -> None:
    found = replace(
        FINDING,
        resource=replace(FINDING.resource, id=OTHER),
        related=(replace(FINDING.resource, id=RELATED),),
        remediation=replace(FINDING.remediation, commands=(("aws", "--policy-arn", GUARD),)),
    )
    if not is_known:
        nothing = replace(FINDING.resource, id="x")
        bare = replace(FINDING.remediation, commands=(("aws", "guard", f"see:{GUARD}"),))
        pull = replace(FINDING.pull, principal=None, registry_account=None)
        found = replace(found, resource=nothing, related=(), remediation=bare, pull=pull)
    assert bool(deeds_of([change], found)) is is_known


def test_without_the_role_of_the_pull_the_resource_counts_all_the_same() -> None:
    principal = FINDING.pull.principal
    assert principal
    for each in (None, replace(principal, role_arn=None)):
        found = replace(FINDING, pull=replace(FINDING.pull, principal=each))
        assert deeds_of([_change("iam", "prod-node")], found)


def test_only_the_latest_changes_are_remembered_each_once() -> None:
    deeds = [replace(ATTACHED, at=iso(NOON + number), event_id=str(number)) for number in range(5)]
    life = remember(remember(_broken(), deeds[2:]), reversed(deeds))
    assert [each.event_id for each in life.deeds] == ["2", "3", "4"]


def test_each_cause_has_its_words_for_what_works_again() -> None:
    words = [check.again for check in CHECKS]
    assert all(each and not each.endswith(".") for each in words)
    default = "The image can be pulled again"
    assert [check.id for check in CHECKS if check.again == default] == ["pull_failing_unexplained"]
