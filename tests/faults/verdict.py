"""What a run with a fault must have in common with one without."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tests.faults.fault import Span
from tests.faults.run import ASYNC_RETRIES, HOLD_DOWN, LEASE, MEND_AT, VISIBILITY

if TYPE_CHECKING:
    from tests.faults.fault import Fault
    from tests.faults.run import Outcome

SECONDS_OF_READS: Final = 60.0
_NEXT_MINUTE: Final = 60.0
# Publish is asked once a minute for ten minutes: docs/adr/0071-perhaps-heard.md.
_MOST_AGAIN: Final = 11


@dataclass(slots=True)
class Verdict:
    """What is wrong with a run, each in words; all empty in a good one.

    - `crashes`: an exception escaped from a function, or a diagnosis or a look failed.
    - `slow`: the reads of one invocation took more than a minute.
    - `wrong`: people were told of what is not so, or that it is over before it was.
    - `lost`: people were not told.
    - `late`: people were told later than the minute after the fault had ended.
    - `twice`: people were told again, where the answer to the first message was not in doubt.
    - `hub`: Security Hub shows something else in the end.

    `heard_again` counts messages that were told again because it was in doubt whether the first was heard, `held` those
    that came later than the minute after the fault, because Lambda, the queue or a lease held the work of a function
    that died or lost the table.
    """

    crashes: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    late: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    hub: list[str] = field(default_factory=list)
    heard_again: int = 0
    held: int = 0

    COLUMNS = ("crashes", "slow", "wrong", "lost", "late", "twice", "hub")

    @property
    def problems(self) -> list[str]:
        """Everything that is wrong, in words."""
        return [f"{name}: {each}" for name in self.COLUMNS for each in getattr(self, name)]


def judge(fault: Fault | None, outcome: Outcome, good: Outcome) -> Verdict:
    """Compare the outcome of a run with that of a run without a fault."""
    verdict = Verdict(crashes=list(outcome.crashes))
    if outcome.slow > SECONDS_OF_READS:
        verdict.slow.append(f"the reads of one invocation took {outcome.slow:.0f} s")
    _judge_told(verdict, fault, outcome, good)
    _judge_repeats(verdict, fault, outcome)
    for each in {**good.hub, **outcome.hub}:
        if outcome.hub.get(each) != good.hub.get(each):
            verdict.hub.append(f"shows {each} as {outcome.hub.get(each)}")
    verdict.lost += [f"{each} was never finished" for each in outcome.open_findings]
    if outcome.dead_letters:
        verdict.lost.append(f"{outcome.dead_letters} messages were given up")
    return verdict


def _judge_told(verdict: Verdict, fault: Fault | None, outcome: Outcome, good: Outcome) -> None:
    """Hold what people were told, and when, against what they had to be told."""
    expected = {(each.edge, each.finding): each.at for each in good.told}
    first = {(each.edge, each.finding): each.at for each in reversed(outcome.told)}
    for notice, at in first.items():
        if notice not in expected:
            verdict.wrong.append(f"told of {notice}")
        elif notice[0] == "resolved" and at < MEND_AT:
            verdict.wrong.append(f"told of {notice} before it was mended")
    for notice, at in expected.items():
        due = _due(fault, outcome, notice[0], at)
        if notice not in first:
            verdict.lost.append(f"not told of {notice}")
        elif first[notice] > due:
            verdict.late.append(f"told of {notice} at {first[notice]:.0f} s, not by {due:.0f} s")
        elif first[notice] > _due(fault, outcome, notice[0], at, held=False):
            verdict.held += 1


def _judge_repeats(verdict: Verdict, fault: Fault | None, outcome: Outcome) -> None:
    """Count what people were told again."""
    most = _most_times(fault)
    for notice, number in Counter((each.edge, each.finding) for each in outcome.told).items():
        if number > most:
            verdict.twice.append(f"told {number} times of {notice}")
        elif number > 1:
            verdict.heard_again += number - 1


def _most_times(fault: Fault | None) -> int:
    """Return how often people may hear the same, where it is in doubt whether they heard it: ADR 71."""
    if fault is None:
        return 1
    if fault.call.service == "sns" and fault.kind.is_unclear:
        return _MOST_AGAIN if fault.span is Span.TEN_MINUTES else 2
    return 2 if fault.kind.kills or fault.call.service == "dynamodb" else 1


def _due(fault: Fault | None, outcome: Outcome, edge: str, at: float, *, held: bool = True) -> float:
    """Return when people have to be told at the latest: in the minute after the fault has ended.

    A fault that delays the look which finds it mended delays the hold-down, which begins then and ends in some minute.
    With `held`, what holds the work of a function that died, or that lost the table, delays it too.
    """
    if fault is None or outcome.struck_at is None:
        return at
    ends = outcome.ends_at
    if held and (fault.kind.kills or (fault.call.service == "dynamodb" and fault.span is Span.TEN_MINUTES)):
        ends = max(ends, _let_go(fault, outcome, edge))
    return max(at, ends + (_NEXT_MINUTE + HOLD_DOWN if edge == "resolved" else 0)) + _NEXT_MINUTE


def _let_go(fault: Fault, outcome: Outcome, edge: str) -> float:
    """Return when AWS hands out again what a function did not finish, or when its lease ends.

    - Lambda invokes `audit_log`, which is invoked asynchronously, again after a minute.
    - What the table has is done when the lease or the claim has ended, without the queue.
    - All else is done when the queue hands out the message again.
    """
    struck = outcome.struck_at or 0.0
    if fault.kind.kills and outcome.struck_in == "audit_log":
        return struck + ASYNC_RETRIES[0]
    if edge == "new" and outcome.known == outcome.problems:
        return outcome.ends_at + LEASE
    return struck + VISIBILITY
