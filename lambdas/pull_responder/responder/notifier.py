"""Send pending notices to people, update Security Hub, and record both as done.

A notice is in the table before it is sent. If a run dies before it sends the notice, the next run sends it. If a run
dies after sending and before recording, that one notice is sent twice (docs/adr/0033-record-then-tell.md). A notice
that people have perhaps heard is not repeated before SNS answers again (docs/adr/0071-perhaps-heard.md).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from pull_responder.facts.aws import AWS_ERRORS, describe_failure
from pull_responder.findings.life import claim, is_claimed_by, mark_notified, notice, postpone, retry_later
from pull_responder.findings.notice import Edge
from pull_responder.findings.store import StoreError
from pull_responder.model.arn import Arn
from pull_responder.model.unread import Unread
from pull_responder.publish import sns
from pull_responder.publish.backoff import Backoff
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
# Seconds by which a claim outlives its run, so that no two runs send the same notice.
_SECONDS_OF_GRACE: Final = 5.0
# Seconds of the run's time that the last attempts to record leave.
_SECONDS_TO_END: Final = 2.0
# A digest of more would not fit into a message.
_MOST_IN_DIGEST: Final = 100
# Seconds after the end of a minute when its digest is sent. By then all its findings are recorded.
_AFTER_THE_MINUTE: Final = 5.0


class Notifier:
    """Updates Security Hub and sends the notices of findings. What fails is not raised: it stays due."""

    def __init__(self, run: Run, ledger: Ledger) -> None:
        self._run = run
        self._ledger = ledger
        self._hub = Hub(run)
        self._unrecorded: list[tuple[Life, _Step]] = []

    def notify(self, lives: Sequence[Life]) -> None:
        """Update Security Hub with `lives`, and send the notices that this run has claimed."""
        due = {life.id: life for life in lives}
        claimed = [life for life in due.values() if is_claimed_by(life, self._run.name, self._run.now())]
        # Read the workflow status before the import: the import of a reopened finding makes Security Hub reset it.
        silenced = self._silenced_ids(claimed)
        for group in self._messages(claimed, silenced):
            outcome = self._send(group, silenced)
            # Record at once. If this run dies later, the notice is not sent again.
            for life in group:
                self._record(life, outcome[life.id])
        # People come first: Security Hub may use up the run's time, and its updates stay due.
        for finding_id, step in self._hub.update([life for life in due.values() if life.hub_due]).items():
            self._record(due[finding_id], step)
        self._record_again()

    def claim(self, life: Life) -> Life:
        """Return the life with its notice, if one is due, claimed by this run until the run must have ended."""
        seconds = self._run.remaining() + _SECONDS_OF_GRACE
        return claim(life, self._run.now(), self._run.name, seconds=seconds)

    def _record(self, life: Life, step: _Step) -> None:
        try:
            self._ledger.change(life.id, lambda known: step(known) if known else None)
        except StoreError as error:
            self._run.count("TableFailures")
            self._run.logger.warning("a notification could not be recorded", finding=life.id, reason=str(error))
            # Others wait for their notices. So this is tried again when all of them have been sent.
            self._unrecorded.append((life, step))

    def _record_again(self) -> None:
        """Record what the table refused, for as long as the run has time. What is left will be sent once more.

        Until the run must have ended its claims hold, so no other run sends these notices meanwhile.
        """
        backoff = Backoff(lambda: self._run.remaining() - _SECONDS_TO_END, self._run.wait)
        tries = 0
        while self._unrecorded and backoff.pause(tries := tries + 1):
            left, self._unrecorded = self._unrecorded, []
            for at, (life, step) in enumerate(left):
                try:
                    self._ledger.change(life.id, lambda known, step=step: step(known) if known else None)  # type: ignore[misc]  # step is bound early
                except StoreError:
                    self._unrecorded += left[at:]
                    break
        for life, _ in self._unrecorded:
            self._run.logger.error("a notification was sent and not recorded: it may be sent again", finding=life.id)
        self._unrecorded = []

    def _messages(self, lives: Sequence[Life], silenced: frozenset[str]) -> list[Sequence[Life]]:
        """Group findings by message. Each has its own message, unless there are too many: then digests."""
        audible = [life for life in lives if life.id not in silenced]
        digest = [life for life in audible if life.pending and life.pending.digest]
        if len(audible) > self._run.settings.digest_above:
            digest = audible
        alone = [life for life in lives if life not in digest]
        return [
            *([life] for life in alone),
            *(digest[at : at + _MOST_IN_DIGEST] for at in range(0, len(digest), _MOST_IN_DIGEST)),
        ]

    def _send(self, group: Sequence[Life], silenced: frozenset[str]) -> dict[str, _Step]:
        """Send one message for `group`, or none if it is silenced or postponed. Return the steps to record, by id."""
        life = group[0]
        if len(group) > 1:
            return self._publish(group)
        if life.id in silenced:
            return {life.id: partial(mark_notified, now=self._run.now(), silently=True, sent=life)}
        due = self._digest_due(life)
        return self._publish(group) if due is None else {life.id: self._if_still_claimed(partial(postpone, due=due))}

    def _if_still_claimed(self, step: _Step) -> _Step:
        """Return `step`, without effect if another run has claimed the notice since."""
        return lambda life: step(life) if life.pending and life.pending.claimant == self._run.name else life

    def _silenced_ids(self, lives: Sequence[Life]) -> frozenset[str]:
        """Return the ids of findings that are not notified: severity too low, no topic, or silenced in Security Hub."""
        settings = self._run.settings
        least = settings.notify_minimum_severity.rank
        silenced = {life.id for life in lives if not settings.topic_arn or life.finding.severity.rank < least}
        audible = [life for life in lives if life.id not in silenced]
        workflows = self._hub.workflows([life.id for life in audible])
        for life in audible:
            if life.pending is None or may_notify(life.pending.edge, workflows.get(life.id)):
                continue
            if life.pending.edge is Edge.NEW and not life.hub_at:
                # Our ids can be computed. What was suppressed before our first import is not ours.
                self._run.count("SuppressionsIgnored")
                self._run.logger.warning("security hub has a suppressed finding that is not ours", finding=life.id)
            else:
                silenced.add(life.id)
        return frozenset(silenced)

    def _digest_due(self, life: Life) -> float | None:
        """Return when to send a new finding in a digest, if this minute has too many new ones; else None."""
        pending = life.pending
        if pending is None or pending.edge not in (Edge.NEW, Edge.BACK) or pending.digest or pending.tries > 1:
            return None
        now = self._run.now()
        try:
            number = self._run.store.count_new(now)
        except StoreError:
            return None  # better one message too many than a notice that waits for a failing table
        if number <= self._run.settings.digest_above:
            return None
        return (now // _MINUTE + 1) * _MINUTE + _AFTER_THE_MINUTE

    def _publish(self, lives: Sequence[Life]) -> dict[str, _Step]:
        """Publish one notice, or several as a digest. Return the steps to record, by finding id."""
        now = self._run.now()
        try:
            client, topic_arn = self._topic()
            notices = [notice(life) for life in lives]
            perhaps_heard = any(life.pending and life.pending.perhaps_heard for life in lives)
            if perhaps_heard and not sns.answers(client, topic_arn):
                return self._refused(lives, "SNS does not answer about the topic")
            if len(notices) == 1:
                sns.publish_notice(client, topic_arn, notices[0])
            else:
                sns.publish_digest(client, topic_arn, notices)
        except sns.UnclearPublishError as error:
            return self._refused(lives, str(error), perhaps_heard=True)
        except AWS_ERRORS as error:
            return self._refused(lives, describe_failure("sns:Publish", error).reason)
        self._run.count("NotificationsSent")
        return {life.id: partial(mark_notified, now=now, sent=life) for life in lives}

    def _refused(self, lives: Sequence[Life], reason: str, *, perhaps_heard: bool = False) -> dict[str, _Step]:
        """Log and count notices that were not sent for certain. Return the steps that make them due again."""
        self._run.count("NotificationsFailed")
        self._run.logger.warning("a notification was refused", findings=[life.id for life in lives], reason=reason)
        later = partial(retry_later, now=self._run.now(), perhaps_heard=perhaps_heard)
        return {life.id: self._if_still_claimed(later) for life in lives}

    def _topic(self) -> tuple[SNSClient, str]:
        topic_arn = self._run.settings.topic_arn or ""
        topic = Arn.parse(topic_arn)
        if topic is None:
            raise SettingError(f"TOPIC_ARN is {topic_arn!r}, which is not an ARN")
        client = self._run.aws.client("sns", account=None, region=topic.region)
        if isinstance(client, Unread):
            raise SettingError(f"TOPIC_ARN is {topic_arn!r}, and there is no client for it: {client.reason}")
        return client, topic_arn
