"""What an operator decides: the settings, each with its default and its check.

infra/setting_sources.py reads them from cdk.json, from a file beside it and from the command line. Another CDK app
writes `Settings(...)`.
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final

from infra import deployment_checks as deployed
from infra import setting_checks as check
from infra.deployment_checks import Vpc
from infra.setting_checks import SettingsError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# EventBridge user guide, "Setting a schedule pattern", rate expressions.
_MINUTES_OF: Final = {"minute": 1, "hour": 60, "day": 1_440}
# Lambda developer guide, "Using Lambda with Amazon SQS": without a batching window, a batch has at most 10 messages.
_UNWINDOWED_BATCH: Final = 10
# A value that is known only when the stack is deployed, such as the ARN of a key of the same CDK app.
_TOKEN: Final = re.compile(r"[$#]\{Token\[")
_NOT_LATER: Final = "; what is known only at deployment cannot stand there"
# What the synthesis itself has to know.
_NEVER_LATER: Final = ("recheck_rate", "log_level", "findings_in")


def _setting(default: object, check: Callable[[str, object], object]) -> Any:  # noqa: ANN401 -- a dataclass field
    """Return a dataclass field. `check` takes the setting's key and its value in cdk.json, and returns the value.

    `check` raises SettingsError when the value is invalid.
    """
    return field(default=default, metadata={"check": check})


def _list(check: Callable[..., tuple[str, ...]]) -> Any:  # noqa: ANN401 -- a dataclass field
    """Return a field for texts that another app may know only at deployment: it has `check` with `later`."""
    return field(default=(), metadata={"check": check, "check_of_app": functools.partial(check, later=True)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of a deployment. The defaults are those in cdk.json; docs/operations.md describes each setting.

    - `alert_email`: an address to subscribe to the topic, or None
    - `filter_topics`: whether there are more topics, for subscribers with filter policies
    - `alarms_topic`: whether alarms have a topic of their own, and do not go to that of notifications
    - `dashboard`: whether the stack has a dashboard
    - `reports`: whether the page of each diagnosis is kept in a bucket, and notifications link to it
    - `notify_minimum_severity`: findings below this severity are not notified
    - `severities`: causes with the severity that their findings have instead of that in docs/severity.md
    - `known_principals`: ARNs of roles and users that pull for something other than EKS; `*` stands for any text
    - `notification_schema`: the version of the JSON document that queues and functions get
    - `runbook_url`: the address of a cause's page, with "{cause}" where its name belongs, or None
    - `security_hub`: whether findings go to Security Hub
    - `security_hub_insights`: whether the stack has insights, where it has `security_hub`
    - `look_up_changes`: whether CloudTrail is asked who changed a resource before its first failure
    - `audit_log_clusters`: the clusters whose audit logs the stack subscribes to
    - `forwarded_event_source`: the source of the Kubernetes events that a forwarder puts on the default bus, or None
    - `canary`: whether the deployment makes a call to ECR once a day that is refused, to see its record arrive
    - `health_check_rate`: how often to read the health of node groups and Fargate profiles; None: never
    - `member_role_name`: the role to assume in other accounts
    - `organization_account`: the account to ask first for the organization's policies; "": none
    - `organization_id`: the organization whose other accounts and regions forward their events, or None
    - `findings_in`: whether Security Hub gets a finding in the account at fault ("member") or in ours ("hub")
    - `import_role_name`: the role to assume in other accounts to import findings there
    - `member_audit_logs`: whether the organization's accounts can send audit logs of their clusters
    - `member_regions`: more regions from which our account forwards events, besides those of the StackSet
    - `read_accounts`: accounts outside our organization in which the member role may be assumed as well
    - `aws_registries`: more accounts whose registries AWS owns, in addition to those that the code lists; customers
      cannot read these registries
    - `quiet_minutes`: the shortest time between two diagnoses of one problem
    - `hold_down_minutes`: how long a cause must be gone before the finding is resolved; 0: resolved at once
    - `reminder_hours`: how often to notify an open finding again; 0: never
    - `digest_above`: when more notices than this come within a few minutes, they share one notification
    - `unexplained_minutes`, `unexplained_repeats`: a pull that no cause explains is reported after this time or after
      this number of failures, whichever comes first
    - `stopped_minutes`: a pull that no cause explains counts as stopped when it has not failed for this long
    - `recheck_minutes`: how often to look at an open finding again
    - `recheck_rate`: how often the function that does so runs
    - `keep_days`: how long the table keeps resolved findings and idle problems
    - `memory_size`, `timeout_seconds`: of the functions, in MB and in seconds
    - `batch_size`, `batching_window_seconds`: how many failures one run takes, and how long Lambda gathers them
    - `max_receive_count`: how often a message is received before it goes to the dead-letter queue
    - `log_level`, `log_retention_days`: of the functions' logs
    - `table_name`: the name of the table of findings, or None: CloudFormation makes one up
    - `existing_table`: whether the table is there already and does not belong to the stack
    - `remove_data`: whether the table is deleted with the stack
    - `encryption_key_arn`: the KMS key of the table, queues, topics and log groups, or None: AWS's own, and for the
      topics one of the stack
    - `reserved_concurrency`: how many runs Lambda keeps for a function, by the function's name
    - `permissions_boundary_arn`: the permissions boundary of every role, or None
    - `tags`: of every resource that can have tags
    - `vpc`: where the functions' network interfaces are, or None: in no VPC

    The limits are AWS's: Lambda quotas (memory, timeout), CreateEventSourceMapping (batch, window), SQS (receives). The
    shortest timeout is our choice, because a diagnosis with less time can read almost nothing. So are the limits of
    minutes, hours and days. A value below them would have the opposite effect: after a back-off, kubelet retries a
    failing image only every five minutes.
    """

    alert_email: str | None = _setting(None, check.email_or_none)
    filter_topics: bool = _setting(False, check.true_or_false)  # noqa: FBT003 -- a default
    alarms_topic: bool = _setting(False, check.true_or_false)  # noqa: FBT003 -- a default
    dashboard: bool = _setting(True, check.true_or_false)  # noqa: FBT003 -- a default
    reports: bool = _setting(False, check.true_or_false)  # noqa: FBT003 -- a default
    notify_minimum_severity: str = _setting("LOW", check.one_of(*check.SEVERITIES))
    severities: Mapping[str, str] = field(default_factory=dict, metadata={"check": check.severities})
    known_principals: tuple[str, ...] = _list(check.principal_arns)
    notification_schema: str = _setting("2.0", check.one_of("2.0", "1.0"))
    runbook_url: str | None = _setting(None, check.page_or_none)
    security_hub: bool = _setting(True, check.true_or_false)  # noqa: FBT003 -- a default
    security_hub_insights: bool = _setting(True, check.true_or_false)  # noqa: FBT003 -- a default
    look_up_changes: bool = _setting(True, check.true_or_false)  # noqa: FBT003 -- a default
    audit_log_clusters: tuple[str, ...] = _setting((), check.cluster_names)
    forwarded_event_source: str | None = _setting(None, check.source_or_none)
    canary: bool = _setting(True, check.true_or_false)  # noqa: FBT003 -- a default
    health_check_rate: str | None = _setting("rate(1 hour)", check.rate_or_none)
    member_role_name: str = _setting("PullResponderReadOnly", check.role_name)
    organization_account: str = _setting("", check.account_or_empty)
    organization_id: str | None = _setting(None, check.organization_or_none)
    findings_in: str = _setting("hub", check.one_of("hub", "member"))
    import_role_name: str = _setting("PullResponderImportFindings", check.role_name)
    member_audit_logs: bool = _setting(False, check.true_or_false)  # noqa: FBT003 -- a default
    member_regions: tuple[str, ...] = field(default=(), metadata={"check": check.regions})
    read_accounts: tuple[str, ...] = _list(check.accounts)
    aws_registries: tuple[str, ...] = _list(check.accounts)
    quiet_minutes: int = _setting(15, check.whole_number(1, 1_440))
    hold_down_minutes: int = _setting(5, check.whole_number(0, 1_440))
    reminder_hours: int = _setting(24, check.whole_number(0, 8_760))
    digest_above: int = _setting(10, check.whole_number(1, 1_000))
    unexplained_minutes: int = _setting(30, check.whole_number(1, 10_080))
    unexplained_repeats: int = _setting(20, check.whole_number(2, 100_000))
    stopped_minutes: int = _setting(60, check.whole_number(10, 10_080))
    recheck_minutes: int = _setting(15, check.whole_number(1, 1_440))
    recheck_rate: str = _setting("rate(1 minute)", check.rate)
    keep_days: int = _setting(90, check.whole_number(1, 3_650))
    memory_size: int = _setting(1024, check.whole_number(128, 10_240))
    timeout_seconds: int = _setting(120, check.whole_number(30, 900))
    batch_size: int = _setting(2000, check.whole_number(1, 10_000))
    batching_window_seconds: int = _setting(5, check.whole_number(0, 300))
    max_receive_count: int = _setting(5, check.whole_number(1, 1000))
    log_level: str = _setting("INFO", check.one_of(*check.LOG_LEVELS))
    log_retention_days: int = _setting(30, check.retention)
    table_name: str | None = _setting(None, deployed.table_name_or_none)
    existing_table: bool = _setting(False, check.true_or_false)  # noqa: FBT003 -- a default
    remove_data: bool = _setting(False, check.true_or_false)  # noqa: FBT003 -- a default
    encryption_key_arn: str | None = _setting(None, deployed.key_arn_or_none)
    reserved_concurrency: Mapping[str, int] = field(
        default_factory=dict, metadata={"check": deployed.reserved_concurrency}
    )
    permissions_boundary_arn: str | None = _setting(None, deployed.policy_arn_or_none)
    tags: Mapping[str, str] = field(default_factory=dict, metadata={"check": deployed.tags})
    vpc: Vpc | None = field(default=None, metadata={"check": deployed.vpc_or_none})

    def __post_init__(self) -> None:
        """Check the values that another app gives.

        A field that is a text is taken as it is where it is known only at deployment, except for those in
        _NEVER_LATER. Lists of ARNs and accounts may hold such texts; other lists and objects may not. Raises
        SettingsError, which names the field.
        """
        for each in fields(self):
            value = getattr(self, each.name)
            later = isinstance(value, str) and _TOKEN.search(value) and each.name not in _NEVER_LATER
            if later:
                continue
            check_value = each.metadata.get("check_of_app", each.metadata["check"])
            try:
                object.__setattr__(self, each.name, check_value(f"Settings: {each.name}", value))
            except SettingsError as invalid:
                if not _TOKEN.search(str(invalid)):
                    raise
                raise SettingsError(f"{invalid}{_NOT_LATER}") from None
        check_together({each.name: getattr(self, each.name) for each in fields(self)}, "Settings: {}".format)

    @property
    def recheck_rate_minutes(self) -> int:
        """How many minutes are between two runs on the schedule of rechecks."""
        number, unit = self.recheck_rate.removeprefix("rate(").rstrip("s)").split()
        return int(number) * _MINUTES_OF[unit]


def check_together(values: Mapping[str, Any], place: Callable[[str], str]) -> None:
    """Check what settings must be for the sake of others.

    `values` has a value for each field of Settings; `place` returns where a field's value stands, for the message.
    Raises SettingsError.
    """
    if values["batch_size"] > _UNWINDOWED_BATCH and values["batching_window_seconds"] == 0:
        raise SettingsError(
            f"{place('batch_size')} is {values['batch_size']}, but more than {_UNWINDOWED_BATCH} need "
            f"{place('batching_window_seconds')} to be at least 1"
        )
    if values["existing_table"] and values["table_name"] is None:
        raise SettingsError(f"{place('existing_table')} is true, but {place('table_name')} does not name the table")
    if values["existing_table"] and values["remove_data"]:
        raise SettingsError(
            f"{place('existing_table')} and {place('remove_data')} are both true, but the stack cannot delete a table "
            "that does not belong to it"
        )
    _check_organization(values, place)
    if values["severities"]:
        texts = [*values["known_principals"], json.dumps(check.causes_by_severity(values["severities"]))]
        check.check_room(
            f"{place('severities')} together with {place('known_principals')}", texts, check.PRINCIPALS_ROOM
        )


def _check_organization(values: Mapping[str, Any], place: Callable[[str], str]) -> None:
    if values["organization_id"] is None:
        no_organization = f"but {place('organization_id')} does not name the organization"
        if values["findings_in"] != "hub":
            raise SettingsError(f"{place('findings_in')} is {values['findings_in']}, {no_organization}")
        if values["member_regions"]:
            raise SettingsError(f"{place('member_regions')} names regions, {no_organization}")
        if values["member_audit_logs"]:
            raise SettingsError(f"{place('member_audit_logs')} is true, {no_organization}")
    # IAM API reference, CreateRole: "Role names are not distinguished by case".
    if values["import_role_name"].lower() == values["member_role_name"].lower():
        names = f"{place('import_role_name')} and {place('member_role_name')}"
        raise SettingsError(
            f"{names} are both {values['import_role_name']}, but an account cannot have two roles of one name"
        )
    # They stand in the command for the StackSet, where the AWS CLI's shorthand syntax has a use for these.
    for name in ("import_role_name", "member_role_name") if values["organization_id"] else ():
        if set(values[name]) & set(",="):
            raise SettingsError(f"{place(name)} is {values[name]}, but no role of a StackSet may have , or = here")


def camel_case(name: str) -> str:
    """Return the key in cdk.json of a field of Settings: "quietMinutes" for "quiet_minutes"."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)
