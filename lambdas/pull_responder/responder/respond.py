"""What happens with one event: read it, diagnose it, tell Security Hub and people."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from aws_lambda_powertools.metrics import MetricUnit

from pull_responder.checks import CHECKS, node_group_unhealthy
from pull_responder.diagnosis import Diagnosis, diagnose
from pull_responder.events.intake import Inspection, Origins, read_body
from pull_responder.events.joining import joined
from pull_responder.events.outcome import Skipped, UnusableEvent
from pull_responder.facts.facts import Facts
from pull_responder.facts.inspected import questions
from pull_responder.facts.reading import Reading
from pull_responder.model.arn import Arn
from pull_responder.model.pull import PullFailure
from pull_responder.model.reading import Unread
from pull_responder.publish import security_hub, sns
from pull_responder.settings import SettingError, Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aws_lambda_powertools import Logger, Metrics

    from pull_responder.facts.aws import Aws
    from pull_responder.findings.finding import Finding

# Kept back from reading, for publishing what was found.
_SECONDS_TO_PUBLISH: Final = 8.0
# With less than this a diagnosis would end without answers; the message is better left to the next invocation.
_SECONDS_TO_DIAGNOSE: Final = 15.0
# How often a message is delivered before half of what could be said about it is better than nothing.
_PATIENCE: Final = 3


class OutOfTimeError(Exception):
    """The invocation has no time left for this message; it goes back to the queue."""


class Responder:
    """Answers the events of one invocation.

    What was read for one event serves the next, and a finding is told once an invocation. `remaining` gives the
    seconds until the function is stopped.
    """

    def __init__(
        self,
        settings: Settings,
        aws: Aws,
        *,
        remaining: Callable[[], float],
        logger: Logger,
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._aws = aws
        self._remaining = remaining
        self._logger = logger
        self._metrics = metrics
        self._reading = Reading(aws, remaining=lambda: remaining() - _SECONDS_TO_PUBLISH)
        self._facts = Facts(self._reading, known_principals=settings.known_principals)
        self._told: set[str] = set()
        self._gathered: dict[str, PullFailure] = {}

    def gather(self, bodies: Iterable[str]) -> None:
        """Read a batch before it is answered message by message, so that signals of one failure complete each other."""
        pulls = {}
        for body in bodies:
            with suppress(UnusableEvent):  # `respond` raises it again, for its own message alone
                event = read_body(body, origins=self._origins())
                if isinstance(event, PullFailure):
                    pulls[body] = event
        self._gathered = dict(zip(pulls, joined(list(pulls.values())), strict=True))

    def respond(self, body: str, *, received: int = 1) -> None:
        """Diagnose the event that a message's body is, and publish what is found; `received` counts its deliveries.

        Raises UnusableEvent for what is no event and OutOfTimeError when not everything could be said in time; then,
        and when AWS refuses a notification, the queue brings the message back.
        """
        event = self._gathered.get(body) or read_body(body, origins=self._origins())
        if isinstance(event, Skipped):
            self._count("EventsSkipped")
            self._logger.info("skipped", reason=event.reason)
            return
        if self._remaining() < _SECONDS_TO_DIAGNOSE:
            raise OutOfTimeError("too little time is left to diagnose another pull")
        if isinstance(event, Inspection):
            self._inspect(event, received)
        else:
            self._answer(diagnose(event, self._facts), received)

    def _inspect(self, inspection: Inspection, received: int) -> None:
        """Ask about nodes before a pull has failed. What cannot be read is logged, and asked again the next time."""
        checks = (node_group_unhealthy.CHECK,) if inspection.health_only else CHECKS
        for question in questions(inspection, self._reading, known_principals=self._settings.known_principals):
            if isinstance(question, Unread):
                self._logger.warning("nodes cannot be inspected", reason=question.reason)
                continue
            if self._remaining() < _SECONDS_TO_DIAGNOSE:
                raise OutOfTimeError("too little time is left to inspect all nodes")
            self._answer(diagnose(question.pull, question.facts, checks=checks), received)

    def _answer(self, diagnosis: Diagnosis, received: int) -> None:
        self._log(diagnosis)
        if diagnosis.late and received < _PATIENCE:
            # Before publishing: the next run reads it all, and nothing is told twice.
            raise OutOfTimeError("some of what the diagnosis needs could not be read in time")
        self._publish([finding for finding in diagnosis.findings if finding.id not in self._told])

    def _origins(self) -> Origins:
        identity = self._aws.identity()
        account = None if isinstance(identity, Unread) else identity.account
        # Without our own account nothing can be told from a forged event, so then no forwarder is believed.
        return Origins(account, self._settings.forwarded_event_source if account else None)

    def _log(self, diagnosis: Diagnosis) -> None:
        self._count("PullsDiagnosed")
        self._count("FindingsFound", len(diagnosis.findings))
        self._count("PullsInconclusive", int(bool(diagnosis.inconclusive) and not diagnosis.findings))
        self._logger.info(
            "diagnosed",
            image=diagnosis.pull.image,
            principal=diagnosis.pull.principal and diagnosis.pull.principal.arn,
            cluster=diagnosis.cluster,
            findings=[finding.id for finding in diagnosis.findings],
            inconclusive={each.cause: each.reason for each in diagnosis.inconclusive},
            unchecked=[each.cause for each in diagnosis.unchecked],
            passed=list(diagnosis.passed),
            note=diagnosis.note,
        )

    def _publish(self, findings: list[Finding]) -> None:
        if self._settings.security_hub and findings:
            self._import(findings)
        # Last, because it is the step that raises, and what has been mailed cannot be mailed unseen again.
        for finding in findings:
            if self._settings.topic_arn and finding.severity.rank >= self._settings.notify_minimum_severity.rank:
                self._notify(self._settings.topic_arn, finding)
            self._told.add(finding.id)

    def _import(self, findings: list[Finding]) -> None:
        """Put findings into our own account's Security Hub. What it refuses is logged and counted, not retried."""
        region = self._aws.region or findings[0].region
        identity = self._aws.identity()
        client = self._aws.client("securityhub", account=None, region=region)
        if isinstance(identity, Unread) or isinstance(client, Unread):
            reason = identity.reason if isinstance(identity, Unread) else client.reason
            self._count("SecurityHubRejections", len(findings))
            self._logger.error("security hub cannot be reached", reason=reason)
            return
        now = datetime.now(UTC)
        outcome = security_hub.import_findings(
            client,
            [
                security_hub.to_asff(
                    finding, account=identity.account, region=region, partition=identity.partition, now=now
                )
                for finding in findings
            ],
        )
        self._count("SecurityHubImports", outcome.imported)
        self._count("SecurityHubRejections", len(outcome.rejections))
        for rejection in outcome.rejections:
            self._logger.error("security hub refused a finding", **asdict(rejection))

    def _notify(self, topic_arn: str, finding: Finding) -> None:
        topic = Arn.parse(topic_arn)
        if topic is None:
            raise SettingError(f"TOPIC_ARN is {topic_arn!r}, which is no ARN")
        client = self._aws.client("sns", account=None, region=topic.region)
        if isinstance(client, Unread):
            raise SettingError(f"TOPIC_ARN is {topic_arn!r}, and there is no client for it: {client.reason}")
        sns.publish_notification(client, topic_arn, finding)
        self._count("NotificationsSent")

    def _count(self, name: str, number: int = 1) -> None:
        self._metrics.add_metric(name=name, unit=MetricUnit.Count, value=number)
