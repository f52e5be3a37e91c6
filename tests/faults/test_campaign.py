"""A sample of the fault campaign, each kind of fault for each span: `make faults` makes all of it."""

from __future__ import annotations

import contextlib
import json
import logging
from typing import TYPE_CHECKING

import pytest

from tests.faults.campaign import Campaign, prepared, sample
from tests.faults.fault import Call, Fault, Kind, Span, faults_of
from tests.faults.progress import Progress
from tests.faults.run import Outcome, Told
from tests.faults.verdict import Verdict, judge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ONE_OF_EACH = 12
# What the campaign found, and what was mended: it stays so.
FOUND = (
    Fault(Call("dynamodb", "BatchGetItem", 51), Kind.EMPTY, Span.ONCE),
    Fault(Call("dynamodb", "PutItem", 1), Kind.HTTP_500, Span.ONCE),
    Fault(Call("ec2", "DescribeInstances", 1), Kind.HANG, Span.TEN_MINUTES),
    Fault(Call("ecr", "DescribePullThroughCacheRules", 1), Kind.HANG, Span.ONCE),
    Fault(Call("iam", "GetRole", 1), Kind.ACCESS_DENIED, Span.TEN_MINUTES),
    Fault(Call("iam", "GetRole", 13), Kind.THROTTLING, Span.TEN_MINUTES),
    Fault(Call("sns", "Publish", 1), Kind.HANG, Span.ONCE),
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


LEASE_OVER, REDELIVERED = 125.0 + 60, 725.0 + 60


@pytest.mark.parametrize(
    ("kind", "span", "struck", "at", "columns"),
    [
        (Kind.KILL_BEFORE, Span.ONCE, ("diagnose", 5), LEASE_OVER, ["held"]),
        (Kind.KILL_BEFORE, Span.ONCE, ("diagnose", 5), LEASE_OVER + 1, ["late"]),
        (Kind.KILL_BEFORE, Span.ONCE, ("diagnose", 4), REDELIVERED, ["held"]),
        (Kind.KILL_BEFORE, Span.ONCE, ("diagnose", 4), REDELIVERED + 1, ["late"]),
        (Kind.KILL_BEFORE, Span.ONCE, ("audit_log", 4), 120.0, ["held"]),
        (Kind.KILL_BEFORE, Span.ONCE, ("audit_log", 4), 121.0, ["late"]),
        (Kind.KILL_BEFORE, Span.ONCE, ("diagnose", 4), 60.0, []),
        (Kind.HTTP_500, Span.TEN_MINUTES, ("diagnose", 4), REDELIVERED, ["held"]),
        (Kind.HTTP_500, Span.TEN_MINUTES, ("diagnose", 4), REDELIVERED + 1, ["late"]),
        (Kind.HTTP_500, Span.TEN_MINUTES, ("diagnose", 4), 660.0, []),
        (Kind.HTTP_500, Span.ONCE, ("diagnose", 4), 61.0, ["late"]),
    ],
)
def test_the_verdict_counts_what_the_queue_or_a_lease_held(
    kind: Kind, span: Span, struck: tuple[str, int], at: float, columns: list[str]
) -> None:
    function, known = struck
    fault = Fault(Call("dynamodb", "PutItem", 1), kind, span)
    outcome = Outcome(
        told=[Told("new", "a", at), Told("resolved", "a", 1800.0)],
        hub=GOOD.hub,
        struck_at=0.0,
        ends_at=600.0 if span is Span.TEN_MINUTES else 0.0,
        problems=5,
        known=known,
        struck_in=function,
    )
    verdict = judge(fault, outcome, GOOD)
    assert [each for each in (*verdict.COLUMNS, "held") if getattr(verdict, each)] == columns


def test_an_interrupted_campaign_goes_on_where_it_was(tmp_path: Path) -> None:
    right, wrong, cut, new = (_fault(kind) for kind in (Kind.CUT, Kind.HANG, Kind.EMPTY, Kind.HTTP_500))
    progress = Progress(tmp_path / "runs.jsonl")
    progress.add(right, Verdict(heard_again=1), "abc")
    progress.add(wrong, Verdict(late=["told at 180 s"]), "abc")
    with progress.path.open("a") as log:
        log.write(json.dumps({"fault": str(cut)})[:-1])
    assert progress.left([right, wrong, cut, new], again=False) == [cut, new]
    assert progress.left([right, wrong, cut, new], again=True) == [wrong, cut, new]
    table = progress.totals().table().splitlines()
    assert table[-1] == "| all | 2 | 1 | 0 | 0 | 0 | 0 | 1 | 0 | 0 | 1 | 0 |"


def test_a_fault_that_was_run_again_counts_once(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "runs.jsonl")
    progress.add(_fault(), Verdict(late=["told at 180 s"]), "abc")
    progress.add(_fault(), Verdict(), "def")
    assert progress.totals().table().splitlines()[-1].startswith("| all | 1 | 1 | 0 ")


def test_the_verdict_sees_crashes_slow_reads_and_another_state_in_security_hub() -> None:
    outcome = Outcome(told=GOOD.told, hub={"a": {"Workflow": "NEW"}}, crashes=["recheck: KeyError"], slow=61.0)
    verdict = judge(_fault(), outcome, GOOD)
    assert (len(verdict.crashes), len(verdict.slow), len(verdict.hub)) == (1, 1, 1)
    assert judge(_fault(), GOOD, GOOD).problems == []
