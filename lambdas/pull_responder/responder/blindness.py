"""Open and resolve the finding that the responder is blind. `recheck` tells people and Security Hub of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.checks.responder_is_blind import CHECK, blind_verdict
from pull_responder.findings.ending import end
from pull_responder.findings.finding import Finding, finding_id
from pull_responder.findings.life import open_or_update
from pull_responder.findings.problem import iso
from pull_responder.findings.reach import Reach
from pull_responder.model.pull import PullFailure, Symptom
from pull_responder.responder.dimensions import dimensions_of
from pull_responder.responder.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.doctor import Result
    from pull_responder.findings.life import Life
    from pull_responder.responder.run import Run

_LONGEST: Final = 600


class Blindness:
    """The finding of one deployment. Methods raise StoreError if the table fails."""

    def __init__(self, run: Run, *, account: str, region: str) -> None:
        self._run = run
        self._ledger = Ledger(run)
        self._account = account
        self._region = region
        # By the account, not by the stack: a stack that is removed and deployed again goes on with its finding.
        self.id = finding_id(cause=CHECK.id, account=account, region=region, resource=f"AWS::::Account:{account}")

    def open(self, faults: Sequence[Result]) -> Life | None:
        """Open the finding for what is broken, at least one thing, or bring it up to date."""
        now, settings = self._run.now(), self._run.settings
        finding = self._finding(faults, now)

        was_open = False

        def step(known: Life | None) -> Life:
            nonlocal was_open
            was_open = known is not None and known.is_open
            return open_or_update(known, finding, problem=None, reach=Reach(), now=now, settings=settings)

        life = self._ledger.change(self.id, step)
        if not was_open:
            self._run.count_by("FindingsOpened", dimensions_of(finding))
        return life

    def resolve(self) -> Life | None:
        """Resolve the finding, if it is open."""
        now, settings = self._run.now(), self._run.settings

        def step(known: Life | None) -> Life | None:
            if known is None or not known.is_open:
                return known
            return end(known, because=CHECK.again, works_again=True, now=now, settings=settings)

        return self._ledger.change(self.id, step)

    def _finding(self, faults: Sequence[Result], now: float) -> Finding:
        first = faults[0]
        # Commands for another account, such as those for a trail of the organization, are of no use in ours. Where both
        # are needed, ours come first, and the steps say what has to be done elsewhere.
        places = {each.account or self._account for each in faults if each.commands}
        commands_for = self._account if self._account in places or not places else min(places)
        ours = [each for each in faults if (each.account or self._account) == commands_for]
        regions = dict.fromkeys(each.region or self._region for each in faults)
        verdict = blind_verdict(
            [(each.subject, each.found[:_LONGEST]) for each in faults],
            account=self._account,
            region=next(iter(regions)) if len(regions) == 1 else self._region,
            regions=tuple(regions),
            meaning=first.meaning,
            steps=[f"{each.step}." for each in faults if each.step],
            commands=[command for each in ours for command in each.commands],
            commands_for=commands_for,
        )
        if verdict.remediation is None or verdict.resource is None:
            raise AssertionError("a failed verdict has a resource and a remediation")
        return Finding(
            id=self.id,
            cause=CHECK.id,
            title=CHECK.title,
            severity=CHECK.severity,
            account=self._account,
            region=self._region,
            resource=verdict.resource,
            explanation=verdict.explanation,
            evidence=verdict.evidence,
            remediation=verdict.remediation,
            # No pull has failed. A finding has one, whatever it is about.
            pull=PullFailure(Symptom.UNKNOWN, None, self._region, account=self._account, observed_at=iso(now)),
            first_observed_at=iso(now),
            last_observed_at=iso(now),
        )
