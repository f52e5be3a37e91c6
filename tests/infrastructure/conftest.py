"""The synthesized stack, once for each test session."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import aws_cdk as cdk
import pytest

from infra.deployment_checks import Vpc
from infra.scanner_answers import add_scanners
from infra.settings import Settings
from infra.stack import PullResponderStack

if TYPE_CHECKING:
    from pathlib import Path


NO_DEFAULTS: Final = Settings(
    alert_email="ops@example.com",
    filter_topics=True,
    dashboard=False,
    reports=True,
    notify_minimum_severity="HIGH",
    severities={"image_not_found": "MEDIUM", "no_route_to_ecr": "CRITICAL"},
    known_principals=("arn:aws:iam::111111111111:role/build",),
    notification_schema="1.0",
    runbook_url="https://wiki.example.com/pulls/{cause}",
    security_hub=False,
    security_hub_insights=False,
    look_up_changes=False,
    audit_log_clusters=("prod",),
    forwarded_event_source="kubernetes.events",
    canary=False,
    health_check_rate="rate(2 hours)",
    member_role_name="Reader",
    organization_account="012345678901",
    organization_id="o-a1b2c3d4e5",
    findings_in="member",
    import_role_name="Importer",
    member_audit_logs=True,
    member_regions=("us-east-1",),
    read_accounts=("222222222222", "111111111111"),
    aws_registries=("123456789012", "210987654321"),
    quiet_minutes=5,
    hold_down_minutes=0,
    reminder_hours=0,
    digest_above=3,
    unexplained_minutes=20,
    unexplained_repeats=9,
    stopped_minutes=30,
    recheck_minutes=7,
    recheck_rate="rate(5 minutes)",
    keep_days=30,
    memory_size=2048,
    timeout_seconds=30,
    batch_size=100,
    batching_window_seconds=7,
    max_receive_count=2,
    log_level="WARNING",
    log_retention_days=365,
    table_name="findings",
    remove_data=True,
    encryption_key_arn="arn:aws:kms:eu-west-1:111111111111:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    reserved_concurrency={"diagnose": 4, "recheck": 9, "audit_log": 3, "examine": 1, "hub_setup": 1},
    permissions_boundary_arn="arn:aws:iam::111111111111:policy/platform/limit",
    tags={"team": "platform", "cost center": "4711"},
    vpc=Vpc(subnet_ids=("subnet-0123456789abcdef0", "subnet-01234567"), security_group_ids=("sg-0123456789abcdef0",)),
)
# The stack cannot delete a table that does not belong to it.
KEPT_TABLE: Final = replace(NO_DEFAULTS, existing_table=True, remove_data=False, alarms_topic=True)


@dataclass(frozen=True, slots=True)
class Synthesized:
    """A stack's template, and the folder with the manifest, and with the assets where they were asked for."""

    template: dict[str, Any]
    folder: Path

    def all_of(self, resource_type: str) -> dict[str, dict[str, Any]]:
        """Return the properties of every resource of a type, by logical id."""
        resources = self.template["Resources"]
        return {name: each["Properties"] for name, each in resources.items() if each["Type"] == resource_type}

    def one_of(self, resource_type: str) -> dict[str, Any]:
        """Return the properties of the only resource of a type."""
        (properties,) = self.all_of(resource_type).values()
        return properties

    def named(self, resource_type: str, part: str) -> tuple[str, dict[str, Any]]:
        """Return the logical id and the properties of the only resource of a type with `part` in its logical id."""
        ((name, properties),) = (pair for pair in self.all_of(resource_type).items() if part in pair[0])
        return name, properties


def synthesize(folder: Path, settings: Settings, *, scanned: bool = False, assets: bool = False) -> Synthesized:
    """Synthesize the stack. Without `assets` they are not copied into the folder, which would take longest."""
    context = {} if assets else {"aws:cdk:disable-asset-staging": True}
    app = cdk.App(outdir=str(folder), analytics_reporting=False, context=context)
    PullResponderStack(app, "PullResponder", settings=settings)
    if scanned:
        add_scanners(app)
    return Synthesized(app.synth().get_stack_by_name("PullResponder").template, folder)


@pytest.fixture(scope="session")
def subscribed(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    """The stack with all optional sources of failures: the audit logs of two clusters, and a forwarder."""
    settings = Settings(audit_log_clusters=("prod", "test"), forwarded_event_source="kubernetes.events")
    return synthesize(tmp_path_factory.mktemp("subscribed"), settings)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    return synthesize(tmp_path_factory.mktemp("cdk.out"), Settings(), assets=True)


@pytest.fixture(scope="session")
def placed(tmp_path_factory: pytest.TempPathFactory) -> Synthesized:
    """The stack with every setting different from its default, but with Security Hub. cdk-nag has looked at it."""
    settings = replace(NO_DEFAULTS, security_hub=True, security_hub_insights=True)
    return synthesize(tmp_path_factory.mktemp("placed"), settings, scanned=True)
