"""Which problems are over, from what is known of the findings that were told as them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from pull_responder.findings.life import Life, Pending, State
from pull_responder.findings.notice import Edge
from pull_responder.findings.related import MOST_RELATED, add_related
from pull_responder.responder.endings import Endings
from tests.unit.findings.lives import NOON, find
from tests.unit.publish.examples import FINDING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


def life(
    name: str,
    *problems: str,
    related: Sequence[str] = (),
    thread: str = "K",
    is_open: bool = False,
    cause: str = FINDING.cause,
) -> Life:
    known = find(None, NOON)
    return replace(
        known,
        finding=replace(FINDING, id=name, cause=cause),
        problems=problems,
        related=tuple(related),
        thread=thread,
        state=State.OPEN if is_open else State.RESOLVED,
    )


class Table:
    """What can be read, and what was."""

    def __init__(self, *lives: Life) -> None:
        self.lives = {each.id: each for each in lives}
        self.read: list[list[str]] = []

    def __call__(self, ids: Collection[str]) -> list[Life] | None:
        self.read.append(list(ids))
        return [self.lives[each] for each in ids if each in self.lives]


ENDED = life("x", "3", related=["r"])
ROLE = life("r", "1", "3", "7", related=["x", "y"])


def test_nothing_else_is_read_for_a_finding_without_others() -> None:
    table = Table()
    assert Endings([life("x", "3")], table).is_over("K")
    assert table.read == []


def test_what_is_open_of_the_same_problem_keeps_it_open_however_far_it_is_related() -> None:
    far = life("far", "9", related=["y"], is_open=True)
    table = Table(life("y", "7", "9", related=["r", "far"]), far)
    endings = Endings([ENDED, ROLE], table)
    assert (endings.is_known, endings.is_over("K"), endings.still_open("K")) == (True, False, [far])
    assert table.read == [["y"], ["far"]]
    assert Endings([ENDED, ROLE], Table(table.lives["y"], replace(far, state=State.RESOLVED))).is_over("K")


def test_what_is_open_of_another_problem_does_not_if_it_stops_no_pull_of_this_one() -> None:
    other = life("y", "9", thread="L", is_open=True)
    assert Endings([ENDED, ROLE], Table(other)).is_over("K")
    assert not Endings([ENDED, ROLE], Table(replace(other, problems=("9", "7")))).is_over("K")


def test_what_stops_no_pull_keeps_only_its_own_problem_open() -> None:
    behavior = life("y", "3", is_open=True, cause="unexpected_principal_denied")
    assert not Endings([ENDED, ROLE], Table(behavior)).is_over("K")
    assert Endings([ENDED, ROLE], Table(replace(behavior, thread="L"))).is_over("K")


def test_a_cause_of_a_later_version_stops_pulls() -> None:
    assert not Endings([ENDED, ROLE], Table(life("y", "3", thread="L", is_open=True, cause="later"))).is_over("K")


def test_what_cannot_be_read_leaves_it_open() -> None:
    endings = Endings([ENDED, ROLE], lambda _: None)
    assert (endings.is_known, endings.is_over("K")) == (False, False)


def test_a_finding_that_may_have_forgotten_others_leaves_it_open() -> None:
    gone = [str(number) for number in range(MOST_RELATED)]
    assert not Endings([life("x", "3", related=gone)], Table()).is_over("K")
    assert Endings([life("x", "3", related=gone[1:])], Table()).is_over("K")


def test_a_finding_of_the_release_before_may_have_forgotten_others() -> None:
    """That release remembered twenty. A role had 21 images, and forgot the one that is open."""
    images = [life(f"image-{number}", f"{number}", related=["r"]) for number in range(20)]
    role = life("r", *(f"{number}" for number in range(20)), "far", related=[each.id for each in images])
    far = life("far", "far", related=["r"], is_open=True)
    assert not Endings([images[0]], Table(role, far, *images)).is_over("K")
    # With fewer or more, none was forgotten.
    for number in (19, 21):
        gone = [str(each) for each in range(number)]
        assert Endings([life("x", "3", related=gone)], Table()).is_over("K")


def ended(name: str, thread: str = "K", **pending: Any) -> Life:  # noqa: ANN401 -- of a Pending
    """A finding that has ended, which people are to hear of."""
    due = Pending(Edge.RESOLVED, "", NOON, NOON, **pending)
    return replace(life(name, "9", thread=thread, related=["x"]), pending=due)


@pytest.mark.parametrize(
    ("pending", "is_over"),
    [
        ({}, False),
        # If it comes back, people hear that.
        ({"claimant": "other"}, True),
        ({"perhaps_heard": True}, True),
        # Only the topic for filters lacks it.
        ({"told": True}, True),
        # This run tells it in a later message.
        ({"claimant": "own"}, False),
    ],
)
def test_what_is_over_and_may_come_back_unheard_counts_as_open(pending: dict[str, Any], *, is_over: bool) -> None:
    lives = [replace(ended("x"), related=("y",)), ended("y", **pending)]

    def own(one: Life) -> bool:
        return one.pending is not None and one.pending.claimant == "own"

    endings = Endings(lives, Table(), ending={"x"}, own=own)
    assert (endings.is_over("K"), endings.still_open("K")) == (is_over, [])
    assert Endings(lives, Table(), ending={"x", "y"}, own=own).is_over("K")


def test_too_many_to_read_leave_it_open() -> None:
    crowd = [life(f"{number}", related=[f"{number}-{each}" for each in range(99)]) for number in range(11)]
    table = Table()
    assert not Endings([life("x", related=[each.id for each in crowd]), *crowd], table).is_over("K")
    assert table.read == []
    assert Endings([life("x", related=[each.id for each in crowd]), *crowd[:10]], table).is_over("K")


def test_findings_that_are_related_in_a_circle_are_read_once() -> None:
    table = Table(life("y", "7", related=["r", "x"]))
    assert Endings([ENDED, ROLE], table).is_over("K")
    assert table.read == [["y"]]


def test_each_problem_is_over_by_itself() -> None:
    lives = [ENDED, life("r", "3", thread="L", related=["x"]), life("z", "8", thread="M", is_open=True)]
    endings = Endings(lives, Table())
    assert [each for each in "KLM" if endings.is_over(each)] == ["K", "L"]
    assert endings.threads_beside([ENDED]) == ["L"]
    # A problem that nobody was told of yet has the pulls of the message.
    assert (endings.is_over("new", ["3"]), endings.is_over("new", ["8"])) == (True, False)


def test_the_latest_of_many_others_are_remembered() -> None:
    known = add_related(life("x", related=[str(each) for each in range(MOST_RELATED)]), ["x", "new", "5"])
    assert len(known.related) == MOST_RELATED
    assert known.related[:3] == ("new", "5", "0")
    assert str(MOST_RELATED - 1) not in known.related
