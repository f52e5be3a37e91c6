"""Import findings into Security Hub, and read the workflow status that people have set there."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pull_responder.findings.life import Life, differs_in_hub, remember_suppression
from pull_responder.findings.problem import iso, seconds_of
from pull_responder.findings.suppression import Suppression, suppression_after
from pull_responder.model.unread import Unread
from pull_responder.publish import hub_workflow, security_hub
from pull_responder.publish.hub_workflow import Workflow
from pull_responder.publish.style import Style

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mypy_boto3_securityhub import SecurityHubClient
    from mypy_boto3_securityhub.type_defs import AwsSecurityFindingTypeDef

    from pull_responder.publish.security_hub import Rejection
    from pull_responder.responder.run import Run

# Seconds of the run's time that waiting for Security Hub must leave for notifications.
_SECONDS_TO_NOTIFY: Final = 4.0
# Seconds that people's notices wait for Security Hub to say whether they are wanted.
_SECONDS_TO_READ: Final = 8.0
# User Guide: an active finding is deleted 90 days after its last update.
_FORGOTTEN_SECONDS: Final = 90 * 86_400.0
# Clocks differ by less.
_DAY: Final = 86_400.0


@dataclass(frozen=True, slots=True)
class _OwnHub:
    """The Security Hub that findings go to."""

    client: SecurityHubClient
    account: str
    partition: str
    region: str

    @property
    def product_arn(self) -> str:
        """The ARN of the account's default product, under which our findings are."""
        return security_hub.product_arn(account=self.account, partition=self.partition, region=self.region)


class Hub:
    """Security Hub of our own account. Its errors and rejections are logged and counted, never raised."""

    def __init__(self, run: Run) -> None:
        self._run = run
        # What Security Hub has said in this run, by finding id; None for a finding that it does not have.
        self._read: dict[str, Workflow | Unread | None] = {}

    def update(self, lives: Sequence[Life]) -> dict[str, Callable[[Life], Life]]:
        """Import `lives`. Return by finding id the step to record: imported, to be retried, or not to be retried."""
        if not lives or not self._run.settings.security_hub:
            return {life.id: _clear_due for life in lives}
        hub = self._own_hub()
        if isinstance(hub, Unread):
            self._log_unavailable(len(lives), reason=hub.reason)
            return dict.fromkeys((life.id for life in lives), self._schedule_retry())
        # Read before the import: after it, Security Hub has each of them.
        self.workflows([life.id for life in lives if life.id not in self._read])
        asffs = self._asffs(lives, hub)
        outcome = security_hub.import_findings(
            hub.client, list(asffs.values()), remaining=self._remaining, wait=self._run.wait
        )
        self._run.count("SecurityHubImports", outcome.imported)
        self._run.count("SecurityHubRejections", len(outcome.rejections))
        if outcome.unavailable:
            self._run.logger.error("security hub cannot be reached", reason=outcome.unavailable)
        else:
            for rejection in outcome.rejections:
                self._run.logger.error("security hub refused a finding", **asdict(rejection))
        rejected = {each.finding_id: each for each in outcome.rejections}
        imported = [life for life in lives if life.id in asffs and life.id not in rejected]
        rejected |= self._set_resolved(hub, [life.id for life in imported if not life.is_open])
        imported = [life for life in imported if life.id not in rejected]
        rejected |= self._suppress_again(hub, [each for each in imported if self.suppression(each) is Suppression.LOST])
        later = self._schedule_retry(unavailable=bool(outcome.unavailable))
        steps: dict[str, Callable[[Life], Life]] = {}
        for life in lives:
            refused = rejected.get(life.id)
            if life.id not in asffs:
                step = self._keep_due(life)
            elif refused is None:
                at = seconds_of(asffs[life.id]["UpdatedAt"]) or self._run.now()
                # A time to come that somebody else gave the finding is not when we imported it.
                step = _record_import(life, at if at <= self._run.now() + _DAY else self._run.now())
            else:
                step = later if refused.retryable else self._keep_due(life)
            suppression = self.suppression(life)
            if suppression is Suppression.LOST and refused is None and life.id in asffs:
                suppression = Suppression.PEOPLE
            steps[life.id] = self._also_remember(step, suppression)
        return steps

    def suppression(self, life: Life) -> Suppression | None:
        """Return what is known of a finding's suppression, after what Security Hub has said in this run."""
        if not self._run.settings.security_hub:
            return None  # nobody could lift it
        if life.id not in self._read:
            return life.suppression
        workflow = self._read[life.id]
        if isinstance(workflow, Unread):
            return life.suppression
        imported = self._run.now() - life.hub_at if life.hub_at else math.inf
        return suppression_after(life.suppression, workflow.status if workflow else None, imported=imported)

    def _also_remember(self, step: Callable[[Life], Life], suppression: Suppression | None) -> Callable[[Life], Life]:
        def both(life: Life) -> Life:
            life = step(life)
            if suppression is Suppression.PLANTED and life.suppression is Suppression.PLANTED_TOLD:
                return life  # people were told in this run
            return remember_suppression(life, self._run.now(), suppression)

        return both

    def _suppress_again(self, hub: _OwnHub, lives: Sequence[Life]) -> dict[str, Rejection]:
        """Set findings to SUPPRESSED that Security Hub had lost. Return the rejections by finding id."""
        if not lives:
            return {}
        refused = hub_workflow.suppress(
            hub.client,
            [life.id for life in lives],
            product_arn=hub.product_arn,
            remaining=self._remaining,
            wait=self._run.wait,
        )
        for rejection in refused:
            self._run.logger.warning("security hub refused to suppress a finding again", **asdict(rejection))
        return {each.finding_id: each for each in refused}

    def _keep_due(self, life: Life) -> Callable[[Life], Life]:
        """Return the step after a refusal: a retry at the next recheck, until Security Hub has forgotten the finding.

        A missing permission is given, and Security Hub is turned on again. Until then a closed finding is shown ACTIVE.
        """
        forgotten = not life.is_open and self._run.now() - life.resolved_at > _FORGOTTEN_SECONDS
        return _clear_due if forgotten else self._schedule_retry()

    def _schedule_retry(self, *, unavailable: bool = True) -> Callable[[Life], Life]:
        """Return the step that records when to retry the import."""
        minutes = self._run.settings.recheck_minutes if unavailable else 1
        at = self._run.now() + minutes * 60
        return lambda life: replace(life, hub_retry_at=at)

    def _asffs(self, lives: Sequence[Life], hub: _OwnHub) -> dict[str, AwsSecurityFindingTypeDef]:
        """Return the findings for Security Hub by id. One that cannot be made is left out, logged and counted.

        One that Security Hub may ignore, as nothing is newer than what it has, is sent all the same, and counted, too.
        """
        asffs: dict[str, AwsSecurityFindingTypeDef] = {}
        for life in lives:
            try:
                asffs[life.id] = self._asff(life, hub)
            except Exception:
                self._run.count("SecurityHubRejections")
                self._run.logger.exception("a finding could not be made for security hub", finding=life.id)
                continue
            stored = self._read.get(life.id)
            if isinstance(stored, Workflow) and not _is_newer(asffs[life.id]["UpdatedAt"], stored.updated_at):
                self._run.count("SecurityHubRejections")
                self._run.logger.error(
                    "security hub may ignore this update: nothing is newer than the finding that it has",
                    finding=life.id,
                    updated_at=stored.updated_at,
                )
        return asffs

    def _asff(self, life: Life, hub: _OwnHub) -> AwsSecurityFindingTypeDef:
        # In the first import, UpdatedAt equals CreatedAt (Security Hub User Guide, BatchImportFindings). A resolved
        # finding may have been imported by a run that died unrecorded. So it gets a newer time.
        now = life.created_at if life.is_open and not life.hub_at else self._run.now()
        return security_hub.to_asff(
            life.finding,
            account=hub.account,
            region=hub.region,
            partition=hub.partition,
            now=datetime.fromtimestamp(now, UTC),
            reach=life.reach,
            broken_by=life.broken_by,
            related=life.related,
            page=Style(runbook_url=self._run.settings.runbook_url).runbook(life.finding.cause),
            created_at=iso(life.created_at),
            updated_after=self._updated_after(life),
            resolved_because=None if life.is_open else life.because,
        )

    def _updated_after(self, life: Life) -> str | None:
        """Return when the finding was last updated in Security Hub: by us, or by whoever else may import findings.

        Security Hub ignores an update that is not newer, without an error.
        """
        stored = self._read.get(life.id)
        theirs = seconds_of(stored.updated_at) if isinstance(stored, Workflow) else None
        if isinstance(stored, Workflow) and theirs is not None and theirs > life.hub_at:
            # As it is: at the end of the calendar, seconds since 1970 are rounded past it.
            return stored.updated_at
        return datetime.fromtimestamp(life.hub_at, UTC).isoformat() if life.hub_at else None

    def workflows(self, ids: Sequence[str]) -> Mapping[str, Workflow | Unread]:
        """Return the workflow status of each finding that Security Hub has, or why it cannot be read."""
        if not ids or not self._run.settings.security_hub:
            return {}
        hub = self._own_hub()
        if isinstance(hub, Unread):
            self._read |= dict.fromkeys(ids, hub)
            return dict.fromkeys(ids, hub)
        left = _SECONDS_TO_READ
        # It is short, and what is not read silences nothing. So it may take longer than the run was to work.
        lifetime = self._run.lifetime

        def wait(seconds: float) -> None:
            nonlocal left
            left -= seconds
            self._run.wait(seconds)

        read = hub_workflow.read_workflows(
            hub.client,
            ids,
            product_arn=hub.product_arn,
            remaining=lambda: min(left, lifetime() - _SECONDS_TO_NOTIFY),
            wait=wait,
        )
        for reason in dict.fromkeys(each.reason for each in read.values() if isinstance(each, Unread)):
            self._run.logger.warning("security hub did not return the workflow status", reason=reason)
        self._read |= {each: read.get(each) for each in ids}
        return read

    def _set_resolved(self, hub: _OwnHub, ids: Sequence[str]) -> dict[str, Rejection]:
        """Set the workflow status of resolved findings from NEW to RESOLVED. Return the rejections by finding id."""
        if not ids:
            return {}
        outcome = hub_workflow.resolve(
            hub.client, ids, product_arn=hub.product_arn, remaining=self._remaining, wait=self._run.wait
        )
        for rejection in outcome.rejections:
            self._run.logger.warning("security hub refused to resolve a finding", **asdict(rejection))
        return {each.finding_id: each for each in outcome.rejections}

    def _remaining(self) -> float:
        return self._run.remaining() - _SECONDS_TO_NOTIFY

    def _own_hub(self) -> _OwnHub | Unread:
        identity = self._run.aws.identity()
        if isinstance(identity, Unread):
            return identity
        region = self._run.aws.region or identity.region
        client = self._run.aws.client("securityhub", account=None, region=region)
        if isinstance(client, Unread):
            return client
        return _OwnHub(client, identity.account, identity.partition, region)

    def _log_unavailable(self, number: int, *, reason: str) -> None:
        self._run.count("SecurityHubRejections", number)
        self._run.logger.error("security hub cannot be reached", reason=reason)


def _is_newer(ours: str, theirs: str) -> bool:
    """Return whether `ours` is later than `theirs`, or there is none of theirs."""
    if not theirs:
        return True
    mine, last = seconds_of(ours), seconds_of(theirs)
    return mine is not None and last is not None and mine > last


def _clear_due(life: Life) -> Life:
    return replace(life, hub_due=False)


def _record_import(sent: Life, at: float) -> Callable[[Life], Life]:
    def step(life: Life) -> Life:
        # If the finding changed after it was sent, another update is due.
        return replace(life, hub_at=max(life.hub_at, at), hub_due=differs_in_hub(life, sent))

    return step
