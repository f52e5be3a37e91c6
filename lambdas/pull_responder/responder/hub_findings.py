"""Make findings for Security Hub from what the table holds of them, and from what Security Hub has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pull_responder.findings.problem import iso, seconds_of
from pull_responder.publish import security_hub
from pull_responder.publish.hub_workflow import Workflow
from pull_responder.publish.style import Style

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mypy_boto3_securityhub.type_defs import AwsSecurityFindingTypeDef

    from pull_responder.findings.life import Life
    from pull_responder.model.unread import Unread
    from pull_responder.responder.hub_places import HubPlace
    from pull_responder.responder.hub_related import HubRelated
    from pull_responder.responder.run import Run


@dataclass(frozen=True, slots=True)
class HubFindings:
    """Makes findings.

    - `read` is what Security Hub has said in this run, by finding id; it grows.
    - `why_here` returns why a finding is not in Security Hub of the account at fault; empty if it need not be said.
    """

    run: Run
    related: HubRelated
    read: Mapping[str, Workflow | Unread | None]
    why_here: Callable[[Life], str]

    def make(self, lives: Sequence[Life], place: HubPlace) -> dict[str, AwsSecurityFindingTypeDef]:
        """Return the findings for Security Hub by id. One that cannot be made is left out, logged and counted.

        One that Security Hub may ignore, as nothing is newer than what it has, is sent all the same, and counted, too.
        """
        asffs: dict[str, AwsSecurityFindingTypeDef] = {}
        for life in lives:
            try:
                asffs[life.id] = self._asff(life, place)
            except Exception:
                self.run.count("SecurityHubRejections")
                self.run.logger.exception("a finding could not be made for security hub", finding=life.id)
                continue
            stored = self.read.get(life.id)
            if isinstance(stored, Workflow) and not _is_newer(asffs[life.id]["UpdatedAt"], stored.updated_at):
                self.run.count("SecurityHubRejections")
                self.run.logger.error(
                    "security hub may ignore this update: nothing is newer than the finding that it has",
                    finding=life.id,
                    updated_at=stored.updated_at,
                )
        return asffs

    def _asff(self, life: Life, place: HubPlace) -> AwsSecurityFindingTypeDef:
        # In the first import, UpdatedAt equals CreatedAt (Security Hub User Guide, BatchImportFindings). A resolved
        # finding may have been imported by a run that died unrecorded. So it gets a newer time.
        now = life.created_at if life.is_open and not life.hub_at else self.run.now()
        return security_hub.to_asff(
            life.finding,
            account=place.account,
            region=place.region,
            partition=place.partition,
            now=datetime.fromtimestamp(now, UTC),
            reach=life.reach,
            broken_by=life.broken_by,
            related=self.related.product_arns(life, place),
            page=Style(runbook_url=self.run.settings.runbook_url).runbook(life.finding.cause),
            created_at=iso(life.created_at),
            updated_after=self._updated_after(life),
            resolved_because=None if life.is_open else life.because,
            here_because=self.why_here(life) or None,
        )

    def _updated_after(self, life: Life) -> str | None:
        """Return when the finding was last updated in Security Hub: by us, or by whoever else may import findings.

        Security Hub ignores an update that is not newer, without an error.
        """
        stored = self.read.get(life.id)
        theirs = seconds_of(stored.updated_at) if isinstance(stored, Workflow) else None
        if isinstance(stored, Workflow) and theirs is not None and theirs > life.hub_at:
            # As it is: at the end of the calendar, seconds since 1970 are rounded past it.
            return stored.updated_at
        return datetime.fromtimestamp(life.hub_at, UTC).isoformat() if life.hub_at else None


def _is_newer(ours: str, theirs: str) -> bool:
    """Return whether `ours` is later than `theirs`, or there is none of theirs."""
    if not theirs:
        return True
    mine, last = seconds_of(ours), seconds_of(theirs)
    return mine is not None and last is not None and mine > last
