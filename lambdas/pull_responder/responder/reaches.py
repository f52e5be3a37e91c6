"""The reach of findings during one run.

A finding may explain thousands of problems, and a run may diagnose a thousand of them. So the problems of a finding are
read once a run, and each that is diagnosed is added. What other runs count meanwhile is seen by the next run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pull_responder.findings.tally import Tally

if TYPE_CHECKING:
    from pull_responder.findings.life import Life
    from pull_responder.findings.reach import Reach
    from pull_responder.responder.ledger import Ledger


@dataclass(slots=True)
class Reaches:
    """What one run knows of the reach of findings, by id."""

    _tallies: dict[str, Tally] = field(default_factory=dict)

    def reach(
        self, ledger: Ledger, finding_id: str, known: Life | None, *, problem: str | None, found_in: str | None
    ) -> Reach:
        """Return the reach of a finding of which `problem` was just diagnosed.

        - `known`: the finding in the table, None if it is new.
        - `problem`: the id of the problem, None if no pull has failed.
        - `found_in`: the cluster that the diagnosis found.

        While the finding is open, no count falls. Raises StoreError.
        """
        tally = self._tallies.get(finding_id)
        if tally is None:
            tally = self._tallies[finding_id] = Tally()
            ids, more = ledger.problems_of(known) if known else ([], False)
            if more:
                tally.say_more()
        else:
            ids = list(known.problems) if known else []
        unread = dict.fromkeys(each for each in ids if each not in tally)
        for each in ledger.totals(unread | ({problem: None} if problem else {})):
            tally.add(each, found_in=found_in if each.id == problem else None)
        reach = tally.reach(found_in=found_in)
        return reach.at_least(known.reach) if known and known.is_open else reach
