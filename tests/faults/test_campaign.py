"""A sample of the fault campaign, each kind of fault for each span: `make faults` makes all of it."""

from __future__ import annotations

import contextlib
import logging
from typing import TYPE_CHECKING

import pytest

from tests.faults.campaign import Campaign, prepared, sample
from tests.faults.fault import Call, Fault, Kind, Span, faults_of
from tests.faults.run import Outcome, Told
from tests.faults.verdict import judge

if TYPE_CHECKING:
    from collections.abc import Iterator

ONE_OF_EACH = 18
# What the campaign found, and what was mended: it stays so.
FOUND = (
    Fault(Call("dynamodb", "PutItem", 1), Kind.HTTP_500, Span.ONCE),
    Fault(Call("ec2", "DescribeInstances", 1), Kind.HANG, Span.TEN_MINUTES),
    Fault(Call("iam", "GetRole", 1), Kind.ACCESS_DENIED, Span.TEN_MINUTES),
    Fault(Call("iam", "GetRole", 13), Kind.THROTTLING, Span.TEN_MINUTES),
    Fault(Call("sqs", "SendMessageBatch", 1), Kind.HTTP_500, Span.TEN_MINUTES),
)


@pytest.fixture(scope="module")
def campaign() -> Iterator[Campaign]:
    logging.disable(logging.CRITICAL)
    with contextlib.contextmanager(prepared)() as made:
        yield made
    logging.disable(logging.NOTSET)


def test_without_a_fault_five_causes_are_told_and_closed(campaign: Campaign) -> None:
    causes = {(each.edge, each.finding.split("/")[1]) for each in campaign.good.told}
    expected = {
        "no_route_to_ecr",
        "permissions_boundary_blocks_pull",
        "pull_through_cache_failing",
        "repository_policy_lacks_grant",
        "role_lacks_pull_permissions",
    }
    assert causes == {(edge, cause) for edge in ("new", "resolved") for cause in expected}
    assert len(campaign.good.told) == len(causes)
    closed = {"Compliance": "PASSED", "RecordState": "ARCHIVED", "Workflow": "RESOLVED"}
    assert list(campaign.good.hub.values()) == [closed] * len(expected)


def test_no_fault_of_the_sample_does_harm(campaign: Campaign) -> None:
    faults = [*FOUND, *sample(campaign.faults(), ONE_OF_EACH - len(FOUND), seed=1)]
    missing = {(each.kind, each.span) for each in faults_of(Call("", "", 1))} - {(f.kind, f.span) for f in faults}
    faults += [
        next(each for each in campaign.faults() if (each.kind, each.span) == wanted) for wanted in sorted(missing)
    ]
    wrong: dict[str, list[str]] = {}
    totals = campaign.run(
        faults, lambda fault, verdict: wrong.update({str(fault): verdict.problems} if verdict.problems else {})
    )
    assert wrong == {}
    assert set(totals.runs) == set(Kind)


def _fault(kind: Kind = Kind.ACCESS_DENIED) -> Fault:
    return Fault(Call("sns", "Publish", 1), kind, Span.ONCE)


GOOD = Outcome(told=[Told("new", "a", 0.0), Told("resolved", "a", 1800.0)], hub={"a": {"Workflow": "RESOLVED"}})


@pytest.mark.parametrize(
    ("told", "kind", "column"),
    [
        ([Told("new", "a", 0.0)], Kind.ACCESS_DENIED, "lost"),
        ([*GOOD.told, Told("new", "b", 0.0)], Kind.ACCESS_DENIED, "wrong"),
        ([Told("new", "a", 0.0), Told("resolved", "a", 600.0)], Kind.ACCESS_DENIED, "wrong"),
        ([Told("new", "a", 180.0), Told("resolved", "a", 1800.0)], Kind.ACCESS_DENIED, "late"),
        ([*GOOD.told, Told("new", "a", 60.0)], Kind.ACCESS_DENIED, "twice"),
        ([*GOOD.told, Told("new", "a", 60.0)], Kind.CUT, "heard_again"),
    ],
)
def test_the_verdict_sees_what_is_wrong(told: list[Told], kind: Kind, column: str) -> None:
    verdict = judge(_fault(kind), Outcome(told=told, hub=GOOD.hub, struck_at=0.0, ends_at=60.0), GOOD)
    assert getattr(verdict, column)
    assert [each for each in (*verdict.COLUMNS, "heard_again") if getattr(verdict, each)] == [column]


def test_the_verdict_sees_crashes_slow_reads_and_another_state_in_security_hub() -> None:
    outcome = Outcome(told=GOOD.told, hub={"a": {"Workflow": "NEW"}}, crashes=["recheck: KeyError"], slow=61.0)
    verdict = judge(_fault(), outcome, GOOD)
    assert (len(verdict.crashes), len(verdict.slow), len(verdict.hub)) == (1, 1, 1)
    assert judge(_fault(), GOOD, GOOD).problems == []
