"""What the campaign has found so far, in a file: a campaign that was interrupted goes on where it was."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.faults.campaign import Totals
from tests.faults.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tests.faults.fault import Fault


@dataclass(frozen=True, slots=True)
class Progress:
    """The runs that a log has: one line of JSON each. Several processes may add to one log."""

    path: Path

    def add(self, fault: Fault, verdict: Verdict, commit: str) -> None:
        """Add a run, made with the sources of `commit`."""
        found = {each: getattr(verdict, each) for each in Verdict.COLUMNS if getattr(verdict, each)}
        doubt = {"heard_again": verdict.heard_again, "held": verdict.held}
        line = {"fault": str(fault), "kind": fault.kind, "wrong": found, **doubt, "commit": commit}
        with self.path.open("a") as log:
            log.write(json.dumps(line) + "\n")

    def runs(self) -> dict[str, dict[str, Any]]:
        """Return the last run of each fault. A line that was cut off counts as none."""
        runs: dict[str, dict[str, Any]] = {}
        for line in self.path.read_text().splitlines() if self.path.exists() else ():
            try:
                run = json.loads(line)
            except ValueError:
                continue
            runs[run["fault"]] = run
        return runs

    def left(self, faults: Iterable[Fault], *, again: bool) -> list[Fault]:
        """Return those of `faults` that are still to run, with `again` also those that were wrong."""
        runs = self.runs()
        return [each for each in faults if (run := runs.get(str(each))) is None or (again and run["wrong"])]

    def totals(self) -> Totals:
        """Return the totals of the last run of each fault."""
        totals = Totals()
        for run in self.runs().values():
            totals.add(run["kind"], Verdict(**run["wrong"], heard_again=run["heard_again"], held=run["held"]))
        return totals
