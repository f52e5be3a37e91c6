"""Telling: what is recorded as due goes to Security Hub and to people, and is crossed out.

What is to be told is in the table before it is told, so a run that dies leaves word of it for the next one. A run that
dies after telling and before crossing out makes that one notice come twice: docs/adr/0033-record-then-tell.md.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from pull_responder.facts.aws import AWS_ERRORS, why
from pull_responder.findings.life import claimed, delivered, is_claimed_by, notice, put_off, undelivered
from pull_responder.findings.notice import Edge
from pull_responder.findings.store import StoreError
from pull_responder.model.arn import Arn
from pull_responder.model.reading import Unread
from pull_responder.publish import sns
from pull_responder.publish.hub_workflow import may_notify
from pull_responder.responder.hub import Hub
from pull_responder.settings import SettingError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mypy_boto3_sns import SNSClient

    from pull_responder.findings.life import Life
    from pull_responder.responder.ledger import Ledger
    from pull_responder.responder.run import Run

    _Step = Callable[[Life], Life]

_MINUTE: Final = 60
# A digest of more would not fit into a message.
_MOST_IN_DIGEST: Final = 100
# A finding put off for the digest of its minute is told a little after the minute's end, when the others are known.
_AFTER_THE_MINUTE: Final = 5.0


class Teller:
    """Tells Security Hub and people what is due in findings. Nothing that fails there is raised: it stays due."""

    def __init__(self, run: Run, ledger: Ledger) -> None:
        self._run = run
        self._ledger = ledger
        self._hub = Hub(run)

    def tell(self, lives: Sequence[Life]) -> None:
        """Bring Security Hub up to date with `lives`, and tell people what this run has claimed of them."""
        due = {life.id: life for life in lives}
        mine = [life for life in due.values() if is_claimed_by(life, self._run.name, self._run.now())]
        # Before the import, which makes Security Hub reset what people have set on a finding that is back.
        silenced = self._silenced(mine)
        updated = self._hub.update([life for life in due.values() if life.hub_due])
        told = self._notify(mine, silenced)
        for life in due.values():
            self._record(life, updated.get(life.id), told.get(life.id))

    def claimed(self, life: Life) -> Life:
        """Return a finding with its notice, if one is due, claimed by this run."""
        return claimed(life, self._run.now(), self._run.name)

    def _record(self, life: Life, in_hub: _Step | None, told: _Step | None) -> None:
        if in_hub is None and told is None:
            return

        def step(known: Life | None) -> Life | None:
            if known is None:
                return None
            if in_hub:
                known = in_hub(known)
            # Another run may have changed the finding since: what is crossed out is what was told, nothing newer.
            if told and known.pending and life.pending and known.pending.claimant == self._run.name:
                known = told(known)
            return known

        try:
            self._ledger.change(life.id, step)
        except StoreError as error:
            # It was told, and is on record as due: another run will tell it once more.
            self._run.count("TableFailures")
            self._run.logger.warning("what was told could not be recorded", finding=life.id, reason=str(error))

    def _notify(self, lives: Sequence[Life], silenced: frozenset[str]) -> dict[str, _Step]:
        told: dict[str, _Step] = {}
        together = []
        for life in lives:
            now = self._run.now()
            if life.id in silenced:
                told[life.id] = partial(delivered, now=now, silently=True)
            elif life.pending and life.pending.digest:
                together.append(life)
            elif (due := self._digest_due(life)) is not None:
                told[life.id] = partial(put_off, due=due)
            else:
                told[life.id] = self._publish([life])
        for at in range(0, len(together), _MOST_IN_DIGEST):
            part = together[at : at + _MOST_IN_DIGEST]
            told |= dict.fromkeys((life.id for life in part), self._publish(part))
        return told

    def _silenced(self, lives: Sequence[Life]) -> frozenset[str]:
        """Return those that nobody is to hear of: not severe enough, nowhere to tell, or silenced in Security Hub."""
        settings = self._run.settings
        least = settings.notify_minimum_severity.rank
        unheard = {life.id for life in lives if not settings.topic_arn or life.finding.severity.rank < least}
        asked = [life for life in lives if life.id not in unheard]
        workflows = self._hub.workflows([life.id for life in asked])
        unheard |= {
            life.id for life in asked if life.pending and not may_notify(life.pending.edge, workflows.get(life.id))
        }
        return frozenset(unheard)

    def _digest_due(self, life: Life) -> float | None:
        """Return when a new finding is told with others, as there are too many in this minute; else None."""
        pending = life.pending
        if pending is None or pending.edge not in (Edge.NEW, Edge.BACK) or pending.tries > 1:
            return None
        now = self._run.now()
        try:
            number = self._run.store.count_new(now)
        except StoreError:
            return None  # a single notice too many is better than one that waits for a table that does not answer
        if number <= self._run.settings.digest_above:
            return None
        return (now // _MINUTE + 1) * _MINUTE + _AFTER_THE_MINUTE

    def _publish(self, lives: Sequence[Life]) -> _Step:
        """Publish one notice, or several as a digest."""
        now = self._run.now()
        try:
            client, topic_arn = self._topic()
            notices = [notice(life) for life in lives]
            if len(notices) == 1:
                sns.publish_notice(client, topic_arn, notices[0])
            else:
                sns.publish_digest(client, topic_arn, notices)
        except AWS_ERRORS as error:
            self._run.count("NotificationsFailed")
            reason = why("sns:Publish", error).reason
            self._run.logger.warning("a notification was refused", findings=[life.id for life in lives], reason=reason)
            return partial(undelivered, now=now)
        self._run.count("NotificationsSent")
        return partial(delivered, now=now)

    def _topic(self) -> tuple[SNSClient, str]:
        topic_arn = self._run.settings.topic_arn or ""
        topic = Arn.parse(topic_arn)
        if topic is None:
            raise SettingError(f"TOPIC_ARN is {topic_arn!r}, which is no ARN")
        client = self._run.aws.client("sns", account=None, region=topic.region)
        if isinstance(client, Unread):
            raise SettingError(f"TOPIC_ARN is {topic_arn!r}, and there is no client for it: {client.reason}")
        return client, topic_arn
