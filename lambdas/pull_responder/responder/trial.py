"""Answer a test event: by the table, the topics and Security Hub, as a finding goes, and no further.

At most one a minute is answered, and ten an hour, whoever sends how many: the table holds which the last ones were, and
when. A test event is never tried again. Whoever has sent it waits for minutes, and SQS would hand it out later.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.events.outcome import Skipped
from pull_responder.facts.aws import AWS_ERRORS, describe_failure
from pull_responder.findings.problem import seconds_of
from pull_responder.findings.store import StoreError
from pull_responder.findings.trial import (
    PACE,
    Answer,
    Outcome,
    Pace,
    Place,
    Record,
    Station,
    item_id,
    pace_item,
    read_pace,
    read_record,
    record_item,
)
from pull_responder.model.arn import Arn
from pull_responder.model.unread import Unread
from pull_responder.publish import hub_workflow, security_hub, sns
from pull_responder.publish.hub_workflow import Workflow
from pull_responder.publish.text import one_line
from pull_responder.publish.trial import trial_notification
from pull_responder.publish.trial_finding import trial_finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import TypedDict

    from mypy_boto3_securityhub import SecurityHubClient
    from mypy_boto3_securityhub.type_defs import AwsSecurityFindingTypeDef

    from pull_responder.events.trial import Trial
    from pull_responder.publish.security_hub import Rejection
    from pull_responder.responder.run import Run

    class _Asking(TypedDict):
        product_arn: str
        remaining: Callable[[], float]
        wait: Callable[[float], None]


# Of a batch, so many are looked up, in one call with the pace.
_MOST_READ: Final = 20
# Another run may write the pace at the same moment. It has then taken this minute.
_TRIES: Final = 3
_SECONDS: Final = 80.0
# A call that hangs ends after 11 seconds, and what came of it is then written. The SDK tries calls other than Publish
# three times (facts/aws.py). A run that is stopped meanwhile has its whole batch handed out again: with failures in
# it, there must be time for the three.
_SECONDS_FOR_A_TRY: Final = 14.0
_SECONDS_FOR_A_CALL: Final = 40.0
_SECONDS_TO_SAVE: Final = 3.0
_SECONDS_TO_LIST: Final = 2.0
_REASON: Final = 400
_IDENTITY: Final = "sts:GetCallerIdentity"
_TOO_MANY: Final = "a test event that was answered before, or came too soon after another"
_NO_TIME: Final = "a test event for which no time was left"
_NO_TABLE: Final = "a test event that the findings table had to take first, and did not"
_NO_TIME_FOR_IT: Final = "no time was left of the function's run"
_NOT_ANSWERED: Final = "a test event that could not be answered"


class Trials:
    """Answers the test events of one invocation. Its errors are logged and counted, never raised."""

    def __init__(self, run: Run, *, alone: bool = False) -> None:
        """Make them for a run. `alone` says that its batch has no failures."""
        self._run = run.within(_SECONDS)
        self._for_a_call = _SECONDS_FOR_A_TRY if alone else _SECONDS_FOR_A_CALL

    def answer(self, events: Sequence[Trial | Skipped]) -> None:
        """Answer one of the test events, if it is time for one, and skip the others."""
        if not events:
            return
        self._run.count("TestEvents", len(events))
        skipped = Counter(each.reason for each in events if isinstance(each, Skipped))
        trials = {each.id: each for each in events if not isinstance(each, Skipped)}
        took, why = None, _NOT_ANSWERED
        try:
            took, why = self._take(list(trials)[:_MOST_READ]) if trials else (None, "")
            if took:
                with self._run.about(took.id):
                    self._run.logger.info("a test event", test=took.id)
                    self._save(replace(took, stations=tuple(self._stations(took)), is_done=True))
        except StoreError as error:
            why = _TOO_MANY if took else _NO_TABLE
            self._log_table_failure(error)
        except Exception:
            self._run.count("DiagnosesFailed")
            self._run.logger.exception("a test event could not be answered")
        skipped[why] += len(events) - skipped.total() - bool(took)
        if number := skipped.total():
            self._run.count("EventsSkipped", number)
            self._run.logger.info("skipped", reasons=dict((+skipped).most_common(20)))

    def _take(self, ids: Sequence[str]) -> tuple[Record | None, str]:
        """Return the record of the first test that was not answered before, once the table has it.

        None if there is none, or if it is not yet time for one. Also returns why the others are skipped.
        """
        if not self._has(self._for_a_call):
            return None, _NO_TIME
        ours: Answer | None = None
        for attempt in range(_TRIES):
            known = self._run.store.items([PACE, *map(item_id, ids)])
            pace = read_pace(known[PACE]) if PACE in known else Pace()
            # The SDK repeats a write whose answer was lost, and is refused: the table has it already.
            if ours and ours in pace.answers:
                return self._begin(ours), _TOO_MANY
            new = next((each for each in ids if item_id(each) not in known and not pace.has(each)), None)
            now = round(self._run.now(), 3)
            if new is None or pace.wait(now):
                return None, _TOO_MANY
            ours = Answer(now, new)
            if self._run.store.save_item(pace_item(pace.add(ours), now=now), read=pace.version):
                return self._begin(ours), _TOO_MANY
            self._run.let_others(attempt)
        return None, _NO_TABLE

    def _begin(self, answer: Answer) -> Record | None:
        """Return the record of a test whose time is in the pace, once the table has it; None if it is another run's."""
        record, key = Record(answer.id, began=answer.at), item_id(answer.id)
        written = replace(record, version=1)
        if self._run.store.save_item(record_item(record), read=0):
            return written
        found = self._run.store.items([key]).get(key)
        return written if found and read_record(found) == written else None

    def _stations(self, record: Record) -> Iterator[Station]:
        """Yield what each station behind the function does with the test, as long as there is time for one."""
        settings = self._run.settings
        yield self._read_back(record) if self._has(self._for_a_call) else _not_tried(Place.TABLE)
        topics = {Place.TOPIC: settings.topic_arn, Place.FILTERED_TOPIC: settings.filtered_topic_arn}
        for place, topic_arn in topics.items():
            if topic_arn:
                yield self._publish(place, topic_arn, record) if self._has(_SECONDS_FOR_A_TRY) else _not_tried(place)
            elif place is Place.TOPIC:
                yield Station(place, Outcome.OFF)
        if not settings.security_hub:
            yield Station(Place.SECURITY_HUB, Outcome.OFF)
        else:
            yield self._import() if self._has(self._for_a_call) else _not_tried(Place.SECURITY_HUB)

    def _has(self, seconds: float) -> bool:
        return self._run.remaining() > seconds

    def _for_retries(self) -> float:
        return self._run.remaining() - self._for_a_call

    def _own(self) -> Arn | Unread:
        """Return who we are, in our region."""
        identity = self._run.aws.identity()
        if isinstance(identity, Unread):
            return identity
        return replace(identity, region=self._run.aws.region or identity.region)

    def _read_back(self, record: Record) -> Station:
        action = "dynamodb:BatchGetItem"
        try:
            found = self._run.store.items([item_id(record.id)])
        except StoreError as error:
            self._log_table_failure(error)
            return _refused(Place.TABLE, action, str(error))
        if found:
            return Station(Place.TABLE, Outcome.WORKED)
        return _refused(Place.TABLE, action, "the item that was written a moment ago is not there")

    def _publish(self, place: Place, topic_arn: str, record: Record) -> Station:
        own = self._own()
        if isinstance(own, Unread):
            return _refused(place, _IDENTITY, own.reason)
        if not self._has(_SECONDS_FOR_A_TRY):
            return _not_tried(place)
        topic, action = Arn.parse(topic_arn), sns.PERMISSIONS[0]
        client = self._run.aws.client("sns", account=None, region=topic.region if topic else own.region)
        if isinstance(client, Unread):
            return self._not_sent(place, action, client.reason)
        notification = trial_notification(record.id, account=own.account, region=own.region, at=record.began)
        try:
            sns.publish_test(client, topic_arn, notification, for_filters=place is Place.FILTERED_TOPIC)
        except sns.UnclearPublishError as error:
            return self._not_sent(place, action, f"it may have been sent: {error}")
        except AWS_ERRORS as error:
            return self._not_sent(place, action, describe_failure(action, error).reason)
        self._run.count("NotificationsSent", place is Place.TOPIC)
        return Station(place, Outcome.WORKED)

    def _not_sent(self, place: Place, action: str, reason: str) -> Station:
        self._run.count("NotificationsFailed")
        self._run.logger.warning("the notification of a test was refused", place=place, reason=reason)
        return _refused(place, action, reason)

    def _import(self) -> Station:
        """Import the finding of the tests, archived, and set its workflow to RESOLVED."""
        own = self._own()
        if isinstance(own, Unread):
            return _refused(Place.SECURITY_HUB, _IDENTITY, own.reason)
        client = self._run.aws.client("securityhub", account=None, region=own.region)
        if isinstance(client, Unread):
            return self._not_imported(security_hub.PERMISSIONS[0], client.reason)
        now, action = self._run.now(), security_hub.PERMISSIONS[0]
        finding = trial_finding(account=own.account, region=own.region, partition=own.partition, at=now)
        outcome = security_hub.import_findings(client, [finding], remaining=self._for_retries, wait=self._run.wait)
        if outcome.rejections:
            return self._rejected(action, outcome.rejections)
        if not outcome.imported:
            return self._not_imported(action, "Security Hub says that it imported none")
        return self._look_up(client, finding, now)

    def _look_up(self, client: SecurityHubClient, finding: AwsSecurityFindingTypeDef, now: float) -> Station:
        """Look whether Security Hub has not ignored the finding that it took at `now`, and resolve it."""
        if not self._has(self._for_a_call):
            # It may have ignored what it took.
            return _not_tried(Place.SECURITY_HUB, "it took the finding, and was not asked for it")
        read = hub_workflow.read_workflows(client, [finding["Id"]], **self._of(finding)).get(finding["Id"])
        if isinstance(read, Unread):
            return self._not_imported("securityhub:GetFindings", read.reason)
        if isinstance(read, Workflow) and (seconds_of(read.updated_at) or 0) > now:
            # An update that is older is ignored, without an error (User Guide, "BatchImportFindings").
            reason = "somebody else gave its finding a later time, so Security Hub ignores what is imported"
            return self._not_imported(security_hub.PERMISSIONS[0], reason)
        self._run.count("SecurityHubImports")
        return self._resolve(client, finding)

    def _resolve(self, client: SecurityHubClient, finding: AwsSecurityFindingTypeDef) -> Station:
        for tries in range(_TRIES):
            if not self._has(self._for_a_call):
                reason = f"its workflow status was left as it is: {_NO_TIME_FOR_IT}"
                return Station(Place.SECURITY_HUB, Outcome.WORKED, reason=reason)
            resolved = hub_workflow.resolve(client, [finding["Id"]], **self._of(finding))
            if resolved.rejections:
                return self._rejected("securityhub:BatchUpdateFindings", resolved.rejections)
            if not resolved.missing:
                return Station(Place.SECURITY_HUB, Outcome.WORKED)
            # Inference: what was imported a moment ago may not be listed yet. Nobody waits for its status.
            if tries < _TRIES - 1:
                self._run.wait(_SECONDS_TO_LIST)
        reason = "it is not listed there yet, so its workflow status was left as it is"
        return Station(Place.SECURITY_HUB, Outcome.WORKED, reason=reason)

    def _of(self, finding: AwsSecurityFindingTypeDef) -> _Asking:
        return {"product_arn": finding["ProductArn"], "remaining": self._for_retries, "wait": self._run.wait}

    def _rejected(self, action: str, rejections: Sequence[Rejection]) -> Station:
        return self._not_imported(action, f"{rejections[0].code}: {rejections[0].reason}")

    def _not_imported(self, action: str, reason: str) -> Station:
        self._run.count("SecurityHubRejections")
        self._run.logger.warning("the finding of a test was refused", reason=reason)
        return _refused(Place.SECURITY_HUB, action, reason)

    def _save(self, record: Record) -> None:
        if self._run.lifetime() < _SECONDS_TO_SAVE:
            self._run.logger.warning("no time was left to write what came of a test", test=record.id)
            return
        self._run.store.save_item(record_item(record), read=record.version)

    def _log_table_failure(self, error: StoreError) -> None:
        self._run.count("TableFailures")
        self._run.logger.warning("the findings table did not answer", about="a test event", reason=str(error))


def _not_tried(place: Place, done: str = "") -> Station:
    return Station(place, Outcome.NOT_TRIED, reason=f"{done}: {_NO_TIME_FOR_IT}" if done else _NO_TIME_FOR_IT)


def _refused(place: Place, action: str, reason: str) -> Station:
    return Station(place, Outcome.REFUSED, action, one_line(reason, _REASON))
