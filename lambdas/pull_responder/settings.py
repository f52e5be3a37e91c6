"""Read the operator's settings from environment variables. The stack sets them; a terminal may set them, too."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from pull_responder.model.verdict import Severity

if TYPE_CHECKING:
    from collections.abc import Mapping

MEMBER_ROLE: Final = "PullResponderReadOnly"
IMPORT_ROLE: Final = "PullResponderImportFindings"
FINDINGS_IN: Final = ("hub", "member")
"""Where findings are in Security Hub: in the account of the functions, or in the account at fault."""
SCHEMAS: Final = ("2.0", "1.0")
"""The versions of the JSON document of a notification, the newest first."""

_ACCOUNT: Final = re.compile(r"[0-9]{12}")
# Amazon S3 User Guide, "General purpose bucket naming rules".
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
# AWS Organizations API Reference, Organization: the pattern of Id.
_ORGANIZATION: Final = re.compile(r"o-[a-z0-9]{10,32}")
# "Regional endpoints" in AWS General Reference: us-east-1, us-gov-west-1, cn-north-1, us-isob-east-1.
_REGION: Final = re.compile(r"[a-z]{2,8}(?:-[a-z]{1,12}){1,3}-[0-9]{1,2}")
_PAGE: Final = re.compile(r"https://[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?/[A-Za-z0-9._~/%+#?=&{}-]{1,500}")
_WHOLE_NUMBER: Final = re.compile(r"[0-9]{1,7}")
# The minimum of each whole number. Its environment variable has the same name in capitals.
_LEAST: Final = {
    "quiet_minutes": 1,
    "hold_down_minutes": 0,
    "reminder_hours": 0,
    "digest_above": 1,
    "unexplained_minutes": 1,
    "unexplained_repeats": 1,
    "stopped_minutes": 1,
    "recheck_minutes": 1,
    "recheck_rate_minutes": 1,
    "keep_days": 1,
}


class SettingError(ValueError):
    """A setting is not valid. The message names it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The checked settings.

    - `member_role`: the name of the role that is assumed in other accounts.
    - `organization_id`: the organization whose accounts forward events to us; None if no others do.
    - `findings_in`: in whose Security Hub findings are, one of FINDINGS_IN.
    - `import_role`: the name of the role that is assumed to import findings in the account at fault.
    - `member_regions`: regions besides our own from which our account forwards events, and those of the StackSet.
    - `organization_account`: an account that may read the organization's policies, such as a delegated administrator's.
    - `read_accounts`: accounts outside our organization that count as ours.
    - `aws_registries`: accounts of further registries that belong to AWS.
    - `known_principals`: ARNs, `*` allowed, of principals that do not pull for EKS. Their refusals are not reported.
      The roles of Pull Responder's own functions are among them.
    - `topic_arn`: the topic for notifications; None for no notifications.
    - `filtered_topic_arn`: the topic for filters by attributes; None for no such topic.
    - `notify_minimum_severity`: the lowest severity that is notified.
    - `severities`: the severity of causes for which the operator has set one, by the cause's id.
    - `notification_schema`: the version of the JSON document that queues and functions get, one of SCHEMAS.
    - `runbook_url`: the address of a cause's page, with "{cause}" where its name belongs; None for no links to them.
    - `security_hub`: whether findings go to Security Hub.
    - `look_up_changes`: whether CloudTrail is asked who changed a resource before its first failure.
    - `forwarded_event_source`: the source of Kubernetes events that a forwarder puts on a bus; None for no forwarder.
    - `table_name`: the findings table; None for no table.
    - `canary_role_arn`: the role of the function `examine`, whose calls are canaries; None for no canaries.
    - `quiet_minutes`: after a diagnosis, its problem is not diagnosed again for this time.
    - `hold_down_minutes`: a resolved finding is notified after this time. 0: at once.
    - `reminder_hours`: an open finding is notified again after this time. 0: never.
    - `digest_above`: more notices than this within a few minutes, or about to come, share digests.
    - `unexplained_minutes`, `unexplained_repeats`: a pull that no cause explains is reported after this time or this
      many failures, whichever is first.
    - `stopped_minutes`: a pull that has not failed for this time has stopped failing.
    - `recheck_minutes`: an open finding is rechecked this often.
    - `recheck_rate_minutes`: how often the schedule wakes the function that does so.
    - `keep_days`: resolved findings and idle problems are kept for this time.
    - `report_bucket`: the bucket for the pages of diagnoses; None for no pages.
    """

    member_role: str = MEMBER_ROLE
    organization_id: str | None = None
    findings_in: str = FINDINGS_IN[0]
    import_role: str = IMPORT_ROLE
    member_regions: tuple[str, ...] = ()
    organization_account: str | None = None
    read_accounts: tuple[str, ...] = ()
    aws_registries: tuple[str, ...] = ()
    known_principals: tuple[str, ...] = ()
    topic_arn: str | None = None
    filtered_topic_arn: str | None = None
    notify_minimum_severity: Severity = Severity.LOW
    severities: Mapping[str, Severity] = field(default_factory=lambda: MappingProxyType({}))
    notification_schema: str = SCHEMAS[0]
    runbook_url: str | None = None
    security_hub: bool = True
    look_up_changes: bool = True
    forwarded_event_source: str | None = None
    table_name: str | None = None
    canary_role_arn: str | None = None
    quiet_minutes: int = 15
    hold_down_minutes: int = 5
    reminder_hours: int = 24
    digest_above: int = 10
    unexplained_minutes: int = 30
    unexplained_repeats: int = 20
    stopped_minutes: int = 60
    recheck_minutes: int = 15
    recheck_rate_minutes: int = 1
    keep_days: int = 90
    report_bucket: str | None = None


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings in `environment`. Raises SettingError, which names the first setting that is not valid."""
    severity = environment.get("NOTIFY_MINIMUM_SEVERITY", Severity.LOW)
    if severity not in tuple(Severity):
        raise SettingError(f"NOTIFY_MINIMUM_SEVERITY is {severity!r}, not one of {', '.join(Severity)}")
    return Settings(
        member_role=environment.get("PULL_RESPONDER_MEMBER_ROLE") or MEMBER_ROLE,
        organization_id=_organization(environment),
        findings_in=_findings_in(environment),
        import_role=environment.get("PULL_RESPONDER_IMPORT_ROLE") or IMPORT_ROLE,
        member_regions=_regions(environment, "PULL_RESPONDER_MEMBER_REGIONS"),
        organization_account=_account(environment, "PULL_RESPONDER_ORGANIZATION_ACCOUNT"),
        read_accounts=_accounts(environment, "PULL_RESPONDER_READ_ACCOUNTS"),
        aws_registries=_accounts(environment, "PULL_RESPONDER_AWS_REGISTRIES"),
        # Pull Responder's functions read manifests. If they are refused, that is not an unexpected principal.
        known_principals=(
            *_arns("KNOWN_PRINCIPALS", environment),
            *_arns("PULL_RESPONDER_ROLE_ARNS", environment),
        ),
        topic_arn=environment.get("TOPIC_ARN"),
        filtered_topic_arn=environment.get("FILTERED_TOPIC_ARN") or None,
        notify_minimum_severity=Severity(severity),
        severities=_severities(environment),
        notification_schema=_schema(environment),
        runbook_url=_page(environment, "RUNBOOK_URL"),
        security_hub=environment.get("SECURITY_HUB_ENABLED", "true") == "true",
        look_up_changes=environment.get("LOOK_UP_CHANGES", "true") == "true",
        forwarded_event_source=environment.get("FORWARDED_EVENT_SOURCE") or None,
        table_name=environment.get("TABLE_NAME") or None,
        canary_role_arn=environment.get("CANARY_ROLE_ARN") or None,
        report_bucket=_bucket(environment, "REPORT_BUCKET"),
        **_whole_numbers(environment),
    )


def _whole_numbers(environment: Mapping[str, str]) -> dict[str, int]:
    """Return the whole numbers that `environment` sets."""
    numbers = {}
    for each in fields(Settings):
        name = each.name.upper()
        if each.name not in _LEAST or not (text := environment.get(name)):
            continue
        if _WHOLE_NUMBER.fullmatch(text) is None or int(text) < _LEAST[each.name]:
            raise SettingError(f"{name} is {text[:80]!r}, not a whole number from {_LEAST[each.name]}")
        numbers[each.name] = int(text)
    return numbers


def _severities(environment: Mapping[str, str]) -> Mapping[str, Severity]:
    """Return the severities in a JSON object of causes by severity, such as {"LOW": ["image_not_found"]}."""
    try:
        causes = json.loads(environment.get("CAUSE_SEVERITIES") or "{}")
        severities = {cause: Severity(severity) for severity, names in causes.items() for cause in names}
    except (AttributeError, TypeError, ValueError) as error:
        raise SettingError(f"CAUSE_SEVERITIES is not a JSON object of lists of causes by severity: {error}") from error
    return MappingProxyType(severities)


def _schema(environment: Mapping[str, str]) -> str:
    schema = environment.get("NOTIFICATION_SCHEMA") or SCHEMAS[0]
    if schema not in SCHEMAS:
        raise SettingError(f"NOTIFICATION_SCHEMA is {schema[:80]!r}, not one of {', '.join(SCHEMAS)}")
    return schema


def _page(environment: Mapping[str, str], name: str) -> str | None:
    url = environment.get(name) or None
    if url is not None and (_PAGE.fullmatch(url) is None or url.count("{cause}") != 1):
        raise SettingError(f"{name} is {url[:80]!r}, not an https:// address with {{cause}} in its path")
    return url


def _bucket(environment: Mapping[str, str], name: str) -> str | None:
    bucket = environment.get(name) or None
    if bucket is not None and _BUCKET.fullmatch(bucket) is None:
        raise SettingError(f"{name} is {bucket[:80]!r}, not the name of a bucket")
    return bucket


def _organization(environment: Mapping[str, str]) -> str | None:
    name = "PULL_RESPONDER_ORGANIZATION_ID"
    organization = environment.get(name) or None
    if organization is not None and _ORGANIZATION.fullmatch(organization) is None:
        raise SettingError(f"{name} is {organization[:80]!r}, not an organization's id such as o-a1b2c3d4e5")
    return organization


def _findings_in(environment: Mapping[str, str]) -> str:
    name = "PULL_RESPONDER_FINDINGS_IN"
    place = environment.get(name) or FINDINGS_IN[0]
    if place not in FINDINGS_IN:
        raise SettingError(f"{name} is {place[:80]!r}, not one of {', '.join(FINDINGS_IN)}")
    if place == "member" and not _organization(environment):
        raise SettingError(f"{name} is 'member', and PULL_RESPONDER_ORGANIZATION_ID is not set")
    return place


def _account(environment: Mapping[str, str], name: str) -> str | None:
    account = environment.get(name) or None
    if account is not None and _ACCOUNT.fullmatch(account) is None:
        raise SettingError(f"{name} is {account[:80]!r}, not the 12 digits of an account's id")
    return account


def _accounts(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Return the accounts in a JSON list, none if the variable is absent."""
    try:
        accounts = json.loads(environment.get(name) or "[]")
    except ValueError as error:
        raise SettingError(f"{name} is not JSON: {error}") from error
    if not isinstance(accounts, list):
        raise SettingError(f"{name} is not a JSON list of account ids")
    for account in accounts:
        if not (isinstance(account, str) and _ACCOUNT.fullmatch(account)):
            raise SettingError(f"{name} holds {str(account)[:80]!r}, not the 12 digits of an account's id in quotes")
    return tuple(accounts)


def _regions(environment: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Return the regions in a JSON list, none if the variable is absent."""
    try:
        regions = json.loads(environment.get(name) or "[]")
    except ValueError as error:
        raise SettingError(f"{name} is not JSON: {error}") from error
    if not isinstance(regions, list):
        raise SettingError(f"{name} is not a JSON list of regions")
    for region in regions:
        if not (isinstance(region, str) and _REGION.fullmatch(region)):
            raise SettingError(f"{name} holds {str(region)[:80]!r}, not a region such as eu-west-1")
    return tuple(regions)


def _arns(name: str, environment: Mapping[str, str]) -> tuple[str, ...]:
    try:
        arns = json.loads(environment.get(name) or "[]")
    except ValueError as error:
        raise SettingError(f"{name} is not JSON: {error}") from error
    if not isinstance(arns, list) or not all(isinstance(arn, str) for arn in arns):
        raise SettingError(f"{name} is not a JSON list of ARNs")
    return tuple(arns)
