"""Measures policy decisions per second: our engine and @cloud-copilot/iam-simulate, on authorization_cases.jsonl.

Run it in the project's folder: `.venv/bin/python -m bench.authorization`. It measures two cases, without start-up:

- policies already parsed: three requests (the actions of a pull) against the policies of each line. Our engine parses
  the policies before the clock starts, and the requests after. iam-simulate cannot keep parsed policies, so it gets the
  parsed JSON.
- first seen: each line from JSON text to the decision's JSON text. This includes checking and parsing the policies. Our
  engine keeps nothing of a policy between lines, so later rounds measure the same work as the first.

iam-simulate runs through `runSimulation`, its documented entry point, which checks policies as our engine does. The
engines take turns, one round each, and never run at the same time. Two rounds warm up and do not count. The result is
the median of the other rounds, for each engine and for the ratio of both in one round. The last line says on how many
cases the engines agree.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from pull_responder.authorization.cases import evaluate_lines, read_case
from pull_responder.authorization.evaluation import evaluate
from pull_responder.authorization.request import Request

HERE = Path(__file__).parent
CASES = HERE / "authorization_cases.jsonl"
PACKAGE = HERE / "node_modules" / "@cloud-copilot" / "iam-simulate"
QUESTIONS = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability")
WARM_UP, ROUNDS = 2, 15


@dataclass(frozen=True, slots=True)
class RoundTimes:
    """The seconds of each round of one engine.

    - `repeated`: with policies already parsed
    - `first`: with policies first seen
    """

    repeated: list[float] = field(default_factory=list)
    first: list[float] = field(default_factory=list)

    def rate(self, what: str, count: int) -> float:
        """Decisions a second in the median round."""
        seconds: list[float] = getattr(self, what)
        return count / statistics.median(seconds)


class Ours:
    """This project's evaluator."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.parsed = [read_case(line) for line in lines]
        self.answers: list[str | None] = []

    def round(self) -> tuple[float, float]:
        """Run one round. Return the seconds with policies already parsed, and with policies first seen."""
        start = time.perf_counter()
        for asked, policies in self.parsed:
            for action in QUESTIONS:
                question = Request(
                    principal=asked.principal,
                    action=action,
                    resource=asked.resource,
                    resource_account=asked.resource_account,
                    context=asked.context,
                    literal=True,
                )
                evaluate(question, policies)
        repeated = time.perf_counter() - start
        start = time.perf_counter()
        answers = list(evaluate_lines(self.lines))
        first = time.perf_counter() - start
        self.answers = [json.loads(answer).get("decision") for answer in answers]
        return repeated, first


class Theirs:
    """iam-simulate, in a process that waits for a line before each round."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(  # noqa: S603 -- our own script
            ["node", str(HERE / "iam_simulate.mjs"), "time", str(CASES)],  # noqa: S607 -- the PATH's node
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def round(self) -> tuple[float, float]:
        """Run one round. Return the seconds with JSON already parsed, and with policies first seen."""
        requests, answers = self._pipes()
        requests.write("round\n")
        requests.flush()
        seconds = json.loads(answers.readline())
        return seconds["repeated"], seconds["first"]

    def answers(self) -> list[str | None]:
        """End the process and return its decisions."""
        requests, answers = self._pipes()
        requests.close()
        decisions: list[str | None] = json.loads(answers.readline())["answers"]
        self.process.wait()
        return decisions

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        if self.process.stdin is None or self.process.stdout is None:
            raise RuntimeError("the process was started without pipes")
        return self.process.stdin, self.process.stdout


def main() -> None:
    """Measure both engines and print the table."""
    lines = CASES.read_text().splitlines()
    ours, our_time, their_time = Ours(lines), RoundTimes(), RoundTimes()
    theirs = Theirs() if PACKAGE.is_dir() else None
    for number in range(WARM_UP + ROUNDS):
        for engine, timed in ((ours, our_time), (theirs, their_time)):
            if engine is None:
                continue
            repeated, first = engine.round()
            if number >= WARM_UP:
                timed.repeated.append(repeated)
                timed.first.append(first)
    out = sys.stdout.write
    out(f"{'decisions a second':<26}{'Pull Responder':>16}{'iam-simulate':>16}{'ratio':>8}{'target':>8}\n")
    for what, title, count, target in (
        ("repeated", "policies already parsed", len(lines) * len(QUESTIONS), 5),
        ("first", "first seen", len(lines), 2),
    ):
        out(f"{title:<26}{our_time.rate(what, count):>16,.0f}")
        if theirs is None:
            out(f"{'-':>16}{'-':>8}{target:>7}x\n")
            continue
        pairs = zip(getattr(their_time, what), getattr(our_time, what), strict=True)
        ratio = statistics.median(their / our for their, our in pairs)
        out(f"{their_time.rate(what, count):>16,.0f}{ratio:>7.1f}x{target:>7}x\n")
    if theirs is None:
        out("iam-simulate is not installed here: run `npm ci --prefix bench`.\n")
    else:
        same = sum(one == other for one, other in zip(ours.answers, theirs.answers(), strict=True))
        out(f"both decide the same on {same} of {len(lines)} cases\n")


if __name__ == "__main__":
    main()
