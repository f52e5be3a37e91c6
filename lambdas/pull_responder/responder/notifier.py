"""Send pending notices to people, update Security Hub, and record both as done.

A notice is in the table before it is sent. If a run dies before it sends the notice, the next run sends it. If a run
dies after sending and before recording, that one notice is sent twice (docs/adr/0033-record-then-tell.md). A notice
that people have perhaps heard is repeated once, when SNS answers again (docs/adr/0071-perhaps-heard.md).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final

from pull_responder.facts.aws import AWS_ERRORS, describe_failure
from pull_responder.findings.alert import Alert
from pull_responder.findings.life import (
    claim,
    counts_as_heard,
    end_may_wait,
    is_claimed_by,
    mark_notified,
    mark_perhaps_notified,
    mark_told,
    postpone,
    remember_suppression,
    retry_later,
    wait_for_more,
)
from pull_responder.findings.notice import Edge
from pull_responder.findings.problem import seconds_of
from pull_responder.findings.store import StoreError
from pull_responder.findings.suppression import Suppression
from pull_responder.model.arn import Arn
from pull_responder.model.unread import Unread
from pull_responder.publish import sns
from pull_responder.publish.backoff import Backoff
from pull_responder.publish.hub_workflow import Workflow, WorkflowStatus, may_notify
from pull_responder.publish.style import Style
from pull_responder.responder.alerts import Alerts
from pull_responder.responder.digest_marks import DigestMarks
from pull_responder.responder.hub import Hub
from pull_responder.responder.lives import change_lives, correlation_of
from pull_responder.responder.pacing import Pacing
from pull_responder.settings import SettingError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mypy_boto3_sns import SNSClient

    from pull_responder.findings.life import Life
    from pull_responder.findings.notice import Notice
    from pull_responder.responder.ledger import Ledger
    from pull_responder.responder.run import Run

    _Step = Callable[[Life], Life]

# Seconds by which a claim outlives its run, so that no two runs send the same notice.
_SECONDS_OF_GRACE: Final = 5.0
DIGEST: Final = "digest"
"""In place of the one problem of a message: the log names those of a digest beside it."""
_MOST_LOGGED: Final = 20
# Seconds of the run's time that the last attempts to record leave.
_SECONDS_TO_END: Final = 2.0
# The same attempts have so many seconds even if the run has used up its own, as long as its claims hold.
_SECONDS_TO_RECORD: Final = 20.0
_PLANTED: Final = frozenset({Suppression.PLANTED, Suppression.PLANTED_TOLD})
_PLANTED_TEXT: Final = (
    "Security Hub had a finding with this id, set to SUPPRESSED, before Pull Responder imported one. So that "
    "suppression is not taken for yours, and silences nothing. Look in CloudTrail for who imported and suppressed it. "
    "To suppress this finding, set it to NEW first, and to SUPPRESSED a day later."
)


class Notifier:
    """Updates Security Hub and sends the notices of findings. What fails is not raised: it stays due."""

    def __init__(self, run: Run, ledger: Ledger) -> None:
        self._run = run
        self._ledger = ledger
        self._hub = Hub(run)
        self._alerts = Alerts(run, ledger)
        settings = run.settings
        self._style = Style(
            settings.notification_schema, settings.runbook_url, settings.report_bucket, run.aws.region or ""
        )
        self._pacing = Pacing(run, ledger)
        self._marks = DigestMarks(run)
        self._unrecorded: list[tuple[Life, _Step]] = []

    def notify(self, lives: Sequence[Life]) -> None:
        """Send the notices of `lives` that this run has claimed, and update Security Hub."""
        self.tell(lives)
        self.finish(lives)

    def tell(self, lives: Sequence[Life]) -> None:
        """Send the notices of `lives` that this run has claimed. `finish` is to be called for them later."""
        # Should this run die before `finish`, what it has sent is not sent again.
        self._record_left()
        due = {life.id: life for life in lives}
        claimed = [life for life in due.values() if is_claimed_by(life, self._run.name, self._run.now())]
        claimed = self._leave_out_sent(claimed)
        # Read the workflow status before the import: the import of a reopened finding makes Security Hub reset it.
        silenced, waiting = self._silenced_ids(claimed)
        now = self._run.now()
        self._record_all(claimed, self._wait([life for life in claimed if life.id in waiting]))
        withhold = partial(self._mark_notified, now=now, silently=True)
        self._record_all(claimed, {each.id: partial(withhold, sent=each) for each in claimed if each.id in silenced})
        audible = [life for life in claimed if life.id not in silenced | waiting]
        # What only the topic for filters still lacks is not told to all others again.
        lacking = [life for life in audible if life.pending and life.pending.told]
        self._send_grouped(lacking, at_once=len(lacking) > self._run.settings.digest_above)
        others = [life for life in audible if life.pending and not life.pending.told]
        # The worst cause of a problem speaks for all of them, which are told together.
        groups = {group[0].id: group for group in self._alerts.group(others)}
        for plan in self._pacing.plan([group[0] for group in groups.values()]):
            self._send_grouped([life for each in plan.alone for life in groups[each]])
            self._send_grouped([life for each in plan.digest for life in groups[each]], at_once=True)
            later = [life for each in plan.later for life in groups[each]]
            postponed = self._if_still_claimed(partial(postpone, due=plan.due))
            self._record_all(later, dict.fromkeys((life.id for life in later), postponed))

    def finish(self, lives: Sequence[Life]) -> None:
        """Update Security Hub with `lives`, and record what the table has refused so far.

        People come first: Security Hub may use up the run's time, and its updates stay due.
        """
        due = {life.id: life for life in lives}
        self._record_all(list(due.values()), self._hub.update([life for life in due.values() if life.hub_due]))
        self._record_again()

    def claim(self, life: Life) -> Life:
        """Return the life with its notice, if one is due, claimed by this run until the run must have ended.

        A notice that has to wait for a digest is put off instead.
        """
        life = self._pacing.put_off(life)
        seconds = self._run.lifetime() + _SECONDS_OF_GRACE
        return claim(life, self._run.now(), self._run.name, seconds=seconds)

    def _record(self, life: Life, step: _Step) -> None:
        try:
            self._ledger.change(life.id, lambda known: step(known) if known else None)
        except StoreError as error:
            self._put_by(life, step, error)

    def _record_all(self, lives: Sequence[Life], steps: Mapping[str, _Step]) -> None:
        if len(steps) == 1:
            ((life_id, step),) = steps.items()
            self._record(next(life for life in lives if life.id == life_id), step)
            return
        _, failed = change_lives(self._run, self._ledger, steps) if steps else ({}, {})
        for life in lives:
            if life.id in failed:
                self._put_by(life, steps[life.id], failed[life.id])

    def _put_by(self, life: Life, step: _Step, error: StoreError) -> None:
        """Keep a step that the table refused, for a later attempt: others wait for their notices."""
        self._run.count("TableFailures")
        self._run.logger.warning("a notification could not be recorded", finding=life.id, reason=str(error))
        self._unrecorded.append((life, step))

    def _record_again(self) -> None:
        """Record what the table refused, while there is time. What is left will be sent once more.

        Until the run must have ended its claims hold, so no other run sends these notices meanwhile.
        """
        unused = max(0.0, self._run.lifetime() - max(self._run.remaining(), _SECONDS_TO_RECORD))
        backoff = Backoff(lambda: self._run.lifetime() - unused - _SECONDS_TO_END, self._run.wait)
        tries = 0
        while self._unrecorded and backoff.pause(tries := tries + 1):
            self._record_left()
        for life, _ in self._unrecorded:
            self._run.logger.error("a notification was sent and not recorded: it may be sent again", finding=life.id)
        self._unrecorded = []

    def _record_left(self) -> None:
        """Try once to record what the table has refused so far."""
        left, self._unrecorded = self._unrecorded, []
        for at, (life, step) in enumerate(left):
            try:
                self._ledger.change(life.id, lambda known, step=step: step(known) if known else None)  # type: ignore[misc]  # step is bound early
            except StoreError:
                self._unrecorded += left[at:]
                break

    def _leave_out_sent(self, lives: Sequence[Life]) -> list[Life]:
        """Return `lives` without those whose notice a run that died has sent in a digest. They are recorded as sent."""
        sent = self._marks.sent_before(lives)
        now = self._run.now()
        # That run may have died before it published to the topic for filters.
        step = partial(self._mark_told, unclear=True) if self._run.settings.filtered_topic_arn else self._mark_notified
        self._record_all(sent, {life.id: partial(step, now=now, sent=life) for life in sent})
        left_out = {life.id for life in sent}
        return [life for life in lives if life.id not in left_out]

    def _send_grouped(self, lives: Sequence[Life], *, at_once: bool = False) -> None:
        """Send a message for each problem of `lives`, or with `at_once` one for all, and record each at once."""
        groups = self._alerts.group(lives)
        in_digest = at_once and len(groups) > 1
        for group in [lives] if in_digest else groups:
            named = group if in_digest else [self._tell_of_planted(self._hub.say_where(life)) for life in group]
            with self._run.about(DIGEST if in_digest else correlation_of(named[0])):
                # If this run dies later, the notice is not sent again.
                self._record_all(named, self._publish(named, in_digest=in_digest))

    def _if_still_claimed(self, step: _Step) -> _Step:
        """Return `step`, without effect if another run has claimed the notice since."""
        return lambda life: step(life) if life.pending and life.pending.claimant == self._run.name else life

    def _silenced_ids(self, lives: Sequence[Life]) -> tuple[frozenset[str], frozenset[str]]:
        """Return the ids of findings that are not notified: severity too low, no topic, or silenced in Security Hub.

        And those of findings that are only if they end a problem that people know, while the table does not say.
        """
        settings = self._run.settings
        least = settings.notify_minimum_severity.rank
        if not settings.topic_arn:
            return frozenset(life.id for life in lives), frozenset()
        silenced = {
            life.id
            for life in lives
            if life.finding.severity.rank < least or (life.pending and life.pending.quiet and not life.pending.told)
        }
        audible = [life for life in lives if life.id not in silenced]
        workflows = self._hub.workflows(audible)
        for life in audible:
            workflow, suppression = workflows.get(life.id), self._hub.suppression(life)
            if suppression is Suppression.LOST:
                workflow = Workflow(WorkflowStatus.SUPPRESSED)
            if life.pending is None or may_notify(life.pending.edge, workflow):
                continue
            if suppression in _PLANTED:
                self._run.count("SuppressionsIgnored")
                self._run.logger.warning("security hub has a suppressed finding that is not ours", finding=life.id)
            else:
                silenced.add(life.id)
        ending, unread = self._alerts.ending([life for life in lives if life.id in silenced])
        now = self._run.now()
        waiting = frozenset(life.id for life in lives if life.id in unread and end_may_wait(life, now))
        return frozenset(silenced) - ending - waiting, waiting

    def _tell_of_planted(self, life: Life) -> Life:
        """Return the life, whose notice says that a suppression is not ours if people do not know that yet."""
        pending = life.pending
        if pending is None or self._hub.suppression(life) is not Suppression.PLANTED:
            return life
        return replace(life, pending=replace(pending, because=f"{pending.because} {_PLANTED_TEXT}".strip()))

    def _mark_notified(  # noqa: PLR0913 -- keyword-only but for the life
        self, life: Life, *, now: float, sent: Life, silently: bool = False, done: bool = False, thread: str = ""
    ) -> Life:
        """Return the life after its notice was sent or withheld, with what Security Hub said of a suppression.

        With `done`, the life says already that it was sent. `thread` is the thread of the message.
        """
        life = life if done else mark_notified(life, now, silently=silently, sent=sent)
        life = replace(life, thread=life.thread or thread)
        suppression = self._hub.suppression(sent)
        told = (
            suppression is Suppression.PLANTED
            and not silently
            and sent.pending is not None
            and _PLANTED_TEXT in sent.pending.because
        )
        return remember_suppression(life, now, Suppression.PLANTED_TOLD if told else suppression)

    def _publish(self, lives: Sequence[Life], *, in_digest: bool = False) -> dict[str, _Step]:
        """Publish the notices of one problem, or of several as a digest. Return the steps to record, by finding id."""
        refusals = self._alerts.refusals
        about = self._alerts.digest(lives) if in_digest else self._alerts.alert(lives)
        now = self._run.now()
        if self._alerts.refusals > refusals and all(end_may_wait(life, now) for life in lives):
            self._alerts.withhold(lives)
            return self._wait(lives)
        if all(life.pending and life.pending.told for life in lives):
            return self._publish_filtered(lives, about)
        try:
            client, topic_arn = self._topic(self._run.settings.topic_arn or "")
            perhaps_heard = any(life.pending and life.pending.perhaps_heard for life in lives)
            if perhaps_heard and not sns.answers(client, topic_arn):
                return self._refused(lives, "SNS does not answer, and this notice was perhaps heard before")
            if isinstance(about, Alert):
                sns.publish_notice(client, topic_arn, about, self._style)
            else:
                sns.publish_digest(client, topic_arn, about, self._style)
                self._marks.save(lives)
        except sns.UnclearPublishError as error:
            steps = self._perhaps_sent(lives, str(error), _threads(about))
            return self._publish_filtered(lives, about) if all(map(counts_as_heard, lives)) else steps
        except AWS_ERRORS as error:
            return self._refused(lives, describe_failure("sns:Publish", error).reason)
        self._run.count("NotificationsSent")
        self._log_sent(lives)
        return self._publish_filtered(lives, about)

    def _log_sent(self, lives: Sequence[Life]) -> None:
        """Log whom a message was about, and measure how long after the first failure it came."""
        now, told = self._run.now(), lives[:_MOST_LOGGED]
        edges = dict.fromkeys(life.pending.edge.value for life in lives if life.pending)
        first = [
            seconds_of(life.reach.first_seen_at) for life in lives if life.pending and life.pending.edge is Edge.NEW
        ]
        waited = [now - each for each in first if each is not None]
        for each in waited:
            self._run.measure("NotificationSeconds", each)
        self._run.logger.info(
            "notified",
            edge=", ".join(edges),
            findings=[life.id for life in told],
            problems=list(dict.fromkeys(map(correlation_of, told))),
            more=len(lives) - len(told),
            seconds=round(max(waited)) if waited else None,
        )

    def _publish_filtered(self, lives: Sequence[Life], about: Alert | Sequence[Notice]) -> dict[str, _Step]:
        """Publish to the topic for filters, if there is one, what all others have got. Return the steps to record."""
        now, arn = self._run.now(), self._run.settings.filtered_topic_arn
        threads = _threads(about)
        done: dict[str, _Step] = {
            life.id: partial(self._mark_notified, now=now, thread=threads[life.id], sent=life) for life in lives
        }
        if not arn:
            return done
        unclear = False
        try:
            client, _ = self._topic(arn)
            again = any(life.pending and life.pending.told and life.pending.unclear for life in lives)
            if again and not sns.answers(client, arn):
                reason = "SNS does not answer, and this notice was perhaps heard before"
            else:
                sns.publish_text(client, arn, about, self._style)
                return done
        except sns.UnclearPublishError as error:
            unclear, reason = True, str(error)
        except AWS_ERRORS as error:
            reason = describe_failure("sns:Publish", error).reason
        self._run.count("NotificationsFailed")
        self._run.logger.warning("the topic for filters lacks a notification", findings=[*done], reason=reason)
        told = partial(self._mark_told, now=now, unclear=unclear)
        return {life.id: partial(told, sent=life, thread=threads[life.id]) for life in lives}

    def _mark_told(self, life: Life, *, now: float, sent: Life, unclear: bool, thread: str = "") -> Life:
        life = mark_told(life, now, sent=sent, unclear=unclear)
        return self._mark_notified(life, now=now, sent=sent, done=True, thread=thread)

    def _refused(self, lives: Sequence[Life], reason: str) -> dict[str, _Step]:
        """Log and count notices that were not sent. Return the steps that make them due again."""
        self._run.count("NotificationsFailed")
        self._run.logger.warning("a notification was refused", findings=[life.id for life in lives], reason=reason)
        later = partial(retry_later, now=self._run.now())
        return {life.id: self._if_still_claimed(later) for life in lives}

    def _wait(self, lives: Sequence[Life]) -> dict[str, _Step]:
        """Log that notices of ends wait: no later ones would say that their problem is over. Return the steps."""
        if lives:
            self._run.logger.warning("the end of a problem waits for the table", findings=[life.id for life in lives])
        wait = partial(wait_for_more, now=self._run.now())
        return {life.id: self._if_still_claimed(wait) for life in lives}

    def _perhaps_sent(self, lives: Sequence[Life], reason: str, threads: Mapping[str, str]) -> dict[str, _Step]:
        """Log and count notices that SNS may have taken. Return the steps: once more later, or as if sent.

        `threads` are the ids of their problems, by finding id. Who has got one gets the next as the same problem.
        """
        self._run.count("NotificationsFailed")
        self._run.logger.warning("a notification has no answer", findings=[life.id for life in lives], reason=reason)
        now = self._run.now()

        def step(life: Life, *, sent: Life) -> Life:
            life = mark_perhaps_notified(life, now=now, sent=sent)
            return replace(life, thread=life.thread or threads[sent.id])

        return {life.id: self._if_still_claimed(partial(step, sent=life)) for life in lives}

    def _topic(self, topic_arn: str) -> tuple[SNSClient, str]:
        topic = Arn.parse(topic_arn)
        if topic is None:
            raise SettingError(f"TOPIC_ARN is {topic_arn!r}, which is not an ARN")
        client = self._run.aws.client("sns", account=None, region=topic.region)
        if isinstance(client, Unread):
            raise SettingError(f"TOPIC_ARN is {topic_arn!r}, and there is no client for it: {client.reason}")
        return client, topic_arn


def _threads(about: Alert | Sequence[Notice]) -> dict[str, str]:
    """Return the id of its problem for each finding that a message is about."""
    if isinstance(about, Alert):
        return {each.finding.id: about.problem for each in about.notices}
    return {each.finding.id: each.problem for each in about}
