"""Which notices are one message."""

from __future__ import annotations

from dataclasses import replace

from pull_responder.findings.life import Life, Pending
from pull_responder.findings.notice import Edge
from pull_responder.model.verdict import Severity
from pull_responder.responder.alerts import by_problem
from tests.unit.findings.lives import NOON, find
from tests.unit.publish.examples import FINDING


def _life(
    name: str, *problems: str, edge: Edge = Edge.NEW, severity: Severity = Severity.HIGH, told: bool = False
) -> Life:
    life = find(None, NOON)
    finding = replace(FINDING, id=name, severity=severity)
    return replace(life, finding=finding, problems=problems, pending=Pending(edge, "", NOON, NOON, told=told))


def _grouped(*lives: Life) -> list[list[str]]:
    return [[life.id for life in group] for group in by_problem(lives)]


def test_causes_of_one_problem_are_one_group_the_worst_first() -> None:
    low = _life("a", "1", "2", severity=Severity.LOW)
    assert _grouped(low, _life("c", "2"), _life("b", "1", "2")) == [["b", "c", "a"]]


def test_only_what_shares_a_problem_with_the_worst_is_told_with_it() -> None:
    missing_image = _life("image", "1", "2", severity=Severity.LOW)
    assert _grouped(_life("one", "1"), _life("other", "2"), missing_image) == [["one", "image"], ["other"]]


def test_other_changes_and_other_subscribers_are_other_messages() -> None:
    assert _grouped(_life("a", "1"), _life("b", "1", edge=Edge.BACK), _life("c", "1", told=True)) == [
        ["a"],
        ["b"],
        ["c"],
    ]


def test_findings_without_a_failed_pull_are_told_alone() -> None:
    assert _grouped(_life("a"), _life("b")) == [["a"], ["b"]]


def test_a_message_has_room_for_five_causes() -> None:
    assert _grouped(*(_life(name, "1") for name in "abcdefg")) == [["a", "b", "c", "d", "e"], ["f", "g"]]
