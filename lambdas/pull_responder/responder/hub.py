"""Security Hub kept up to date with findings, and asked what people have decided there."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from pull_responder.findings.life import Life
from pull_responder.findings.problem import iso, seconds_of
from pull_responder.model.unread import Unread
from pull_responder.publish import hub_workflow, security_hub

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mypy_boto3_securityhub import SecurityHubClient
    from mypy_boto3_securityhub.type_defs import AwsSecurityFindingTypeDef

    from pull_responder.publish.hub_workflow import Workflow
    from pull_responder.publish.security_hub import Rejection
    from pull_responder.responder.run import Run

# Kept back from waiting for Security Hub, for telling people.
_SECONDS_TO_NOTIFY: Final = 4.0


@dataclass(frozen=True, slots=True)
class _OwnHub:
    """The Security Hub that findings go to."""

    client: SecurityHubClient
    account: str
    partition: str
    region: str

    @property
    def product_arn(self) -> str:
        """The ARN under which Security Hub has findings that are no integrated product's."""
        return security_hub.product_arn(account=self.account, partition=self.partition, region=self.region)


class Hub:
    """Our own account's Security Hub. What it refuses is logged and counted, and never raised."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def update(self, lives: Sequence[Life]) -> dict[str, Callable[[Life], Life]]:
        """Import `lives`, and return for each what to record: that Security Hub has it, or is to have it later."""
        if not lives or not self._run.settings.security_hub:
            return {life.id: _let_go for life in lives}
        place = self._place()
        if isinstance(place, Unread):
            self._refused(len(lives), reason=place.reason)
            return dict.fromkeys((life.id for life in lives), self._later())
        asffs = {life.id: self._asff(life, place) for life in lives}
        outcome = security_hub.import_findings(
            place.client, list(asffs.values()), remaining=self._left, wait=self._run.wait
        )
        self._run.count("SecurityHubImports", outcome.imported)
        self._run.count("SecurityHubRejections", len(outcome.rejections))
        if outcome.unavailable:
            self._run.logger.error("security hub cannot be reached", reason=outcome.unavailable)
        else:
            for rejection in outcome.rejections:
                self._run.logger.error("security hub refused a finding", **asdict(rejection))
        rejected = {each.finding_id: each for each in outcome.rejections}
        rejected |= self._close(place, [life.id for life in lives if not life.is_open and life.id not in rejected])
        later = self._later(unavailable=bool(outcome.unavailable))
        steps: dict[str, Callable[[Life], Life]] = {}
        for life in lives:
            refused = rejected.get(life.id)
            if refused is None:
                steps[life.id] = _taken(life, seconds_of(asffs[life.id]["UpdatedAt"]) or self._run.now())
            else:
                steps[life.id] = later if refused.retryable else _let_go
        return steps

    def _later(self, *, unavailable: bool = True) -> Callable[[Life], Life]:
        """Return what to record of a finding that Security Hub is to have later."""
        minutes = self._run.settings.recheck_minutes if unavailable else 1
        at = self._run.now() + minutes * 60
        return lambda life: replace(life, hub_retry_at=at)

    def _asff(self, life: Life, place: _OwnHub) -> AwsSecurityFindingTypeDef:
        # At its creation, a finding is as old as its last update (Security Hub User Guide, BatchImportFindings).
        # What is over may be there already, though no run lived to say so, and then has to be newer.
        now = life.created_at if life.is_open and not life.hub_at else self._run.now()
        return security_hub.to_asff(
            life.finding,
            account=place.account,
            region=place.region,
            partition=place.partition,
            now=datetime.fromtimestamp(now, UTC),
            reach=life.reach,
            created_at=iso(life.created_at),
            updated_after=datetime.fromtimestamp(life.hub_at, UTC).isoformat() if life.hub_at else None,
            resolved_because=None if life.is_open else life.because,
        )

    def workflows(self, ids: Sequence[str]) -> Mapping[str, Workflow | Unread]:
        """Return what people have decided about findings that Security Hub has, or why it cannot be read."""
        if not ids or not self._run.settings.security_hub:
            return {}
        place = self._place()
        if isinstance(place, Unread):
            return dict.fromkeys(ids, place)
        read = hub_workflow.read_workflows(
            place.client, ids, product_arn=place.product_arn, remaining=self._left, wait=self._run.wait
        )
        for reason in dict.fromkeys(each.reason for each in read.values() if isinstance(each, Unread)):
            self._run.logger.warning("security hub does not say what is suppressed", reason=reason)
        return read

    def _close(self, place: _OwnHub, ids: Sequence[str]) -> dict[str, Rejection]:
        """Set the workflow of resolved findings to RESOLVED, where nobody has touched it; return what was refused."""
        if not ids:
            return {}
        outcome = hub_workflow.resolve(
            place.client, ids, product_arn=place.product_arn, remaining=self._left, wait=self._run.wait
        )
        for rejection in outcome.rejections:
            self._run.logger.warning("security hub refused to resolve a finding", **asdict(rejection))
        return {each.finding_id: each for each in outcome.rejections}

    def _left(self) -> float:
        return self._run.remaining() - _SECONDS_TO_NOTIFY

    def _place(self) -> _OwnHub | Unread:
        identity = self._run.aws.identity()
        if isinstance(identity, Unread):
            return identity
        region = self._run.aws.region or identity.region
        client = self._run.aws.client("securityhub", account=None, region=region)
        if isinstance(client, Unread):
            return client
        return _OwnHub(client, identity.account, identity.partition, region)

    def _refused(self, number: int, *, reason: str) -> None:
        self._run.count("SecurityHubRejections", number)
        self._run.logger.error("security hub cannot be reached", reason=reason)


def _let_go(life: Life) -> Life:
    return replace(life, hub_due=False)


def _taken(sent: Life, at: float) -> Callable[[Life], Life]:
    def step(life: Life) -> Life:
        # What has changed since it was sent is still due.
        same = (life.state, life.finding, life.reach) == (sent.state, sent.finding, sent.reach)
        return replace(life, hub_at=max(life.hub_at, at), hub_due=not same)

    return step
