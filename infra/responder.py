"""Pull Responder as one construct: event rules, queues, functions, the table of findings and the topic."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.alarm_topic import alarm_topic
from infra.alarms import Alarms
from infra.audit_log_function import AuditLogFunction
from infra.audit_log_stream import AuditLogStream
from infra.change_rules import ChangeRules
from infra.dependency_layer import DependencyLayer
from infra.event_queue import EventQueue
from infra.event_rules import EventRules
from infra.examine_function import ExamineFunction
from infra.filter_topics import FilterTopics
from infra.finding_function import FindingFunction, Task
from infra.findings_table import findings_table
from infra.hub_setup import HubSetup
from infra.notification_topic import NotificationTopic
from infra.organization import BUS_NAME
from infra.organization_bus import OrganizationBus
from infra.overview import Overview
from infra.report_bucket import ReportBucket
from infra.settings import Settings


class PullResponder(Construct):
    """Pull Responder in the account and region of the stack that it is put into. An account and region needs one.

    - `topic`: the topic of notifications, to subscribe to
    - `alarm_topic`: the topic of alarms, which is the same unless they have one of their own
    - `filters`: the topics for subscribers with filter policies, or None
    - `table`: the table of findings
    - `reports`: the bucket for the pages of diagnoses, or None
    - `events`, `changes`: the queues of failures and of changes that may have fixed one, with their dead letters
    - `diagnose`, `recheck`: the functions that open and resolve findings
    - `examine`: the function that looks once a day whether all of this works
    - `hub`: what sets up Security Hub, or None
    - `organization`: the bus that the organization's other accounts and regions send to, or None
    - `role_arns`: the roles that read other accounts, joined by a comma
    - `member_role_command`: the command that lets them read another account, for the root of this repository

    It needs `cdk bootstrap`, and nothing in other accounts. Moved into another stack it is another deployment, with a
    table of its own.
    """

    def __init__(  # noqa: PLR0915 -- it puts all parts together, a statement each
        self, scope: Construct, construct_id: str, *, settings: Settings | None = None
    ) -> None:
        super().__init__(scope, construct_id)
        settings = settings or Settings()
        diagnose_task, recheck_task = Task.diagnose(settings), Task.recheck()
        key = (
            kms.Key.from_key_arn(self, "GivenKey", settings.encryption_key_arn) if settings.encryption_key_arn else None
        )
        topic = NotificationTopic(self, "Notifications", email=settings.alert_email, key=key)
        also = not settings.alarms_topic
        filters = FilterTopics(self, "Filters", key=topic.key, also_alarms=also) if settings.filter_topics else None
        alarms_to = alarm_topic(self, settings=settings, topic=topic, filters=filters)
        filtered = filters.filtered if filters else None
        table = findings_table(self, "Findings", settings=settings, key=key)
        reports = ReportBucket(self, "Reports", settings=settings, key=key) if settings.reports else None
        events = EventQueue(
            self,
            "Events",
            settings=settings,
            batching_window_seconds=diagnose_task.batching_window_seconds,
            alarm_topic=alarms_to,
            key=key,
        )
        event_rules = EventRules(self, "Rules", settings=settings, queue=events.queue, dead_letters=events.dead_letters)
        # Two queues, so that many failures do not delay rechecks, and many changes do not delay diagnoses.
        changes = EventQueue(
            self,
            "Changes",
            settings=settings,
            batching_window_seconds=recheck_task.batching_window_seconds,
            alarm_topic=alarms_to,
            key=key,
        )
        change_rules = ChangeRules(
            self, "ChangeRules", settings=settings, queue=changes.queue, dead_letters=changes.dead_letters
        )
        organization = (
            OrganizationBus(
                self,
                "Organization",
                settings=settings,
                events_queue=events,
                changes_queue=changes,
                alarm_topics=[alarms_to, *([filters.alarms] if filters and also else [])],
                key=topic.key,
            )
            if settings.organization_id
            else None
        )
        layer = DependencyLayer(self, "Dependencies")
        diagnose = FindingFunction(
            self,
            "Diagnose",
            task=diagnose_task,
            settings=settings,
            layer=layer,
            key=key,
            queue=events.queue,
            topic=topic,
            filtered=filtered,
            table=table,
            reports=reports,
        )
        recheck = FindingFunction(
            self,
            "Recheck",
            task=recheck_task,
            settings=settings,
            layer=layer,
            key=key,
            queue=changes.queue,
            topic=topic,
            filtered=filtered,
            table=table,
            reports=reports,
        )
        alarms = Alarms(self, "Alarms", topic=alarms_to)
        alarms.watch_queue("Events", events)
        alarms.watch_queue("Changes", changes)
        alarms.watch_function("Diagnose", diagnose.function)
        alarms.watch_function("Recheck", recheck.function)
        alarms.watch_topic(topic.topic)
        alarms.watch_rules((*event_rules.names, *change_rules.names))
        if organization:
            alarms.watch_rules(organization.names, bus_name=BUS_NAME)
        alarms.watch_own_metrics(has_members=organization is not None)
        stream = (
            AuditLogStream(self, "MemberAuditLogs", organization_id=settings.organization_id, key=key)
            if settings.member_audit_logs
            else None
        )
        audit_log = None
        if settings.audit_log_clusters or stream:
            audit_log = AuditLogFunction(
                self,
                "AuditLog",
                settings=settings,
                layer=layer,
                key=key,
                queue=events.queue,
                dead_letters=events.dead_letters,
                stream=stream,
            )
            alarms.watch_asynchronous_function("AuditLog", audit_log.function)
            if stream:
                alarms.watch_stream("AuditLog", audit_log.function)
        examine = ExamineFunction(
            self,
            "Examine",
            settings=settings,
            layer=layer,
            key=key,
            topic=topic.topic,
            table=table,
            queue=events.queue,
            alarm_topic=alarms_to,
            queues=[each for of in (events, changes) for each in (of.queue, of.dead_letters)],
        )
        alarms.watch_examination(examine.function, rule=examine.rule_name)
        hub = HubSetup(self, "HubSetup", settings=settings, layer=layer, key=key) if settings.security_hub else None
        # What refuses one of the functions is not a stranger's refusal to the other.
        for each in (diagnose, recheck):
            each.name_own_roles(diagnose.role, recheck.role, examine.role)
        diagnose.expect_canaries(examine.role)
        examine.let_read(diagnose.function, recheck.function, *(each.function for each in (audit_log, hub) if each))
        Overview(
            self,
            "Overview",
            functions={
                name: each.function
                for name, each in (
                    ("diagnose", diagnose),
                    ("recheck", recheck),
                    ("examine", examine),
                    ("audit_log", audit_log),
                )
                if each
            },
            queues={"failures": events, "changes": changes},
            table=table,
            has_dashboard=settings.dashboard,
        )
        self._limit_and_tag(settings)
        self.topic = topic.topic
        self.alarm_topic = alarms_to
        self.filters = filters
        self.table = table
        self.reports = reports
        self.events = events
        self.changes = changes
        self.diagnose = diagnose
        self.recheck = recheck
        self.examine = examine
        self.hub = hub
        self.organization = organization
        self.role_arns = f"{diagnose.role.role_arn},{recheck.role.role_arn}"
        self.member_role_command = (
            "aws cloudformation deploy --template-file infra/member-role.yaml"
            " --stack-name PullResponderMemberRole --capabilities CAPABILITY_NAMED_IAM"
            f" --parameter-overrides ResponderRoleArns={self.role_arns} RoleName={settings.member_role_name}"
        )

    def _limit_and_tag(self, settings: Settings) -> None:
        """Give every role the boundary, and every resource the tags, that the settings name."""
        if settings.permissions_boundary_arn:
            boundary = iam.ManagedPolicy.from_managed_policy_arn(self, "Boundary", settings.permissions_boundary_arn)
            iam.PermissionsBoundary.of(self).apply(boundary)
        for name, value in settings.tags.items():
            cdk.Tags.of(self).add(name, value)
