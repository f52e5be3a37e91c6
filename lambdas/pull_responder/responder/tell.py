"""Telling: what is recorded as due goes to Security Hub and to people, and is crossed out.

What is to be told is in the table before it is told, so a run that dies leaves word of it for the next one. A run that
dies after telling and before crossing out makes that one notice come twice: docs/adr/0033-record-then-tell.md.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from pull_responder.facts.aws import AWS_ERRORS, describe_failure
from pull_responder.findings.life import claimed, delivered, is_claimed_by, notice, put_off, undelivered
from pull_responder.findings.notice import Edge
from pull_responder.findings.store import StoreError
from pull_responder.model.arn import Arn
from pull_responder.model.unread import Unread
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
# A claim outlives the run that holds it by this, so that no two tell the same.
_SECONDS_OF_GRACE: Final = 5.0
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
        for together in self._messages(mine, silenced):
            told = self._told(together, silenced)
            # At once, so that a run that dies later does not tell this one again.
            for life in together:
                self._record(life, updated.pop(life.id, None), told[life.id])
        for finding_id, step in updated.items():
            self._record(due[finding_id], step, None)

    def claimed(self, life: Life) -> Life:
        """Return a finding with its notice, if one is due, claimed by this run, for as long as it can live."""
        seconds = self._run.remaining() + _SECONDS_OF_GRACE
        return claimed(life, self._run.now(), self._run.name, seconds=seconds)

    def _record(self, life: Life, in_hub: _Step | None, told: _Step | None) -> None:
        if in_hub is None and told is None:
            return

        def step(known: Life | None) -> Life | None:
            if known is None:
                return None
            if in_hub:
                known = in_hub(known)
            return told(known) if told else known

        try:
            self._ledger.change(life.id, step)
        except StoreError as error:
            # It was told, and is on record as due: another run will tell it once more.
            self._run.count("TableFailures")
            self._run.logger.warning("what was told could not be recorded", finding=life.id, reason=str(error))

    def _messages(self, lives: Sequence[Life], silenced: frozenset[str]) -> list[Sequence[Life]]:
        """Return which findings go into one message: each has its own, unless there are too many."""
        heard = [life for life in lives if life.id not in silenced]
        digest = [life for life in heard if life.pending and life.pending.digest]
        if len(heard) > self._run.settings.digest_above:
            digest = heard
        alone = [life for life in lives if life not in digest]
        return [
            *([life] for life in alone),
            *(digest[at : at + _MOST_IN_DIGEST] for at in range(0, len(digest), _MOST_IN_DIGEST)),
        ]

    def _told(self, together: Sequence[Life], silenced: frozenset[str]) -> dict[str, _Step]:
        """Tell of findings in one message, and return what to record of each."""
        life = together[0]
        if len(together) > 1:
            return self._publish(together)
        if life.id in silenced:
            return {life.id: partial(delivered, now=self._run.now(), silently=True, sent=life)}
        due = self._digest_due(life)
        return self._publish(together) if due is None else {life.id: self._if_ours(partial(put_off, due=due))}

    def _if_ours(self, step: _Step) -> _Step:
        """Return `step` for a notice that no other run has taken over since."""
        return lambda life: step(life) if life.pending and life.pending.claimant == self._run.name else life

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
        if pending is None or pending.edge not in (Edge.NEW, Edge.BACK) or pending.digest or pending.tries > 1:
            return None
        now = self._run.now()
        try:
            number = self._run.store.count_new(now)
        except StoreError:
            return None  # a single notice too many is better than one that waits for a table that does not answer
        if number <= self._run.settings.digest_above:
            return None
        return (now // _MINUTE + 1) * _MINUTE + _AFTER_THE_MINUTE

    def _publish(self, lives: Sequence[Life]) -> dict[str, _Step]:
        """Publish one notice, or several as a digest, and return what to record of each."""
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
            reason = describe_failure("sns:Publish", error).reason
            self._run.logger.warning("a notification was refused", findings=[life.id for life in lives], reason=reason)
            return {life.id: self._if_ours(partial(undelivered, now=now)) for life in lives}
        self._run.count("NotificationsSent")
        return {life.id: partial(delivered, now=now, sent=life) for life in lives}

    def _topic(self) -> tuple[SNSClient, str]:
        topic_arn = self._run.settings.topic_arn or ""
        topic = Arn.parse(topic_arn)
        if topic is None:
            raise SettingError(f"TOPIC_ARN is {topic_arn!r}, which is no ARN")
        client = self._run.aws.client("sns", account=None, region=topic.region)
        if isinstance(client, Unread):
            raise SettingError(f"TOPIC_ARN is {topic_arn!r}, and there is no client for it: {client.reason}")
        return client, topic_arn
