"""Whether Security Hub takes the findings, where the stack sends them there.

Findings under an account's own default product need nothing but Security Hub itself (docs/adr/0140-…).
Source: Security Hub API Reference, DescribeHub and BatchImportFindings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from pull_responder.doctor.examination import Examination
from pull_responder.doctor.result import Result, broken, off, unread, works
from pull_responder.model.unread import Unread
from pull_responder.remediation.shell import aws

if TYPE_CHECKING:
    from pull_responder.doctor.deployment import Deployment
    from pull_responder.facts.reader import Reader

_ID: Final = "security_hub"
_PERMISSIONS: Final = ("securityhub:DescribeHub",)
_MISSING: Final = frozenset({"ResourceNotFoundException"})
_OFF: Final = "InvalidAccessException"
_READY: Final = "ready"


def _examine(deployment: Deployment, reader: Reader) -> list[Result]:
    subject = f"Security Hub in {deployment.region}"
    setting = deployment.environment.get("SECURITY_HUB_ENABLED")
    if setting is None:
        why = deployment.template or Unread("whether the stack sends findings there is not known")
        return [unread(_ID, subject, why, "If it sends them and Security Hub is off, they are lost there")]
    if setting != "true":
        meaning = "Findings are notified, but not seen in Security Hub"
        step = "Set `securityHub` to true and deploy, if you want them there"
        return [off(_ID, subject, "the setting `securityHub` is false", meaning, step=step)]
    read = reader.call(
        _PERMISSIONS[0], account=deployment.account, region=deployment.region, request=_describe, absent=_MISSING
    )
    if isinstance(read, Unread):
        return [unread(_ID, subject, read, "If it is off: findings will not be seen in Security Hub")]
    if not read:
        command = aws("securityhub", "enable-security-hub", "--no-enable-default-standards", region=deployment.region)
        meaning = "Findings will not be seen in Security Hub; notifications are sent all the same"
        step = "Or set `securityHub` to false and deploy"
        return [broken(_ID, subject, "off", meaning, step=step, commands=(command,))]
    return [works(_ID, subject, "on"), *_set_up(deployment)]


def _describe(client: Any) -> bool:  # noqa: ANN401 -- boto3's generated client
    """Return whether it is on. The code for "off" is also that of other refusals, so its words decide."""
    try:
        return bool(client.describe_hub()["HubArn"])
    except ClientError as error:
        details = error.response.get("Error", {})
        if details.get("Code") == _OFF and "not subscribed" in str(details.get("Message")):
            return False
        raise


def _set_up(deployment: Deployment) -> list[Result]:
    """Return what the deployment itself said of the insights and the custom action."""
    outcome = deployment.outputs.get("SecurityHubSetup")
    if outcome is None:
        return []
    subject = "insights and the action of Security Hub"
    if outcome == _READY:
        return [works(_ID, subject, "set up when the stack was deployed")]
    meaning = 'Some insights or the action "Look again" are not there; findings are seen all the same'
    step = "docs/security-hub.md says how to set them up later"
    return [broken(_ID, subject, outcome, meaning, step=step)]


CHECK: Final = Examination(_ID, "whether Security Hub is on", _PERMISSIONS, _examine)
