"""Where findings are in Security Hub: in our own account, or in the account at fault.

Security Hub CSPM takes a finding of an account's default product from that account alone (User Guide, "Integrating
Security Hub CSPM with custom products"). So the import role of the account at fault is assumed for it, and the role
that reads there for what people have set (docs/adr/0156-findings-in-the-account-at-fault.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.events import names
from pull_responder.model.arn import Arn
from pull_responder.model.reason import Refusal, steps_of
from pull_responder.model.unread import Unread
from pull_responder.publish import security_hub

if TYPE_CHECKING:
    from mypy_boto3_securityhub import SecurityHubClient

    from pull_responder.findings.life import Life
    from pull_responder.responder.run import Run

# AWS's code where Security Hub is off, among others (API Reference, GetFindings: InvalidAccessException).
_OFF: Final = "InvalidAccess"
_REFUSED: Final = ("AccessDenied", _OFF)
# The parts of our ids: pull-responder/CAUSE/ACCOUNT/REGION/HASH.
_PARTS: Final = 5


@dataclass(frozen=True, slots=True)
class HubPlace:
    """The Security Hub of an account in a region."""

    account: str
    partition: str
    region: str

    @property
    def product_arn(self) -> str:
        """The ARN of the account's default product, under which our findings are."""
        return security_hub.product_arn(account=self.account, partition=self.partition, region=self.region)

    def __str__(self) -> str:
        """Return it in words."""
        return f"account {self.account} in {self.region}"


class HubPlaces:
    """The Security Hubs of one run."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def own(self) -> HubPlace | Unread:
        """Return our own."""
        identity = self._run.aws.identity()
        if isinstance(identity, Unread):
            return identity
        return HubPlace(identity.account, identity.partition, self._run.aws.region or identity.region)

    def of(self, life: Life) -> HubPlace | Unread:
        """Return where a finding is, or where it belongs if it is in none yet.

        Where it was imported first, it stays: the settings and the roles may change meanwhile.
        """
        own = self.own()
        if isinstance(own, Unread):
            return own
        account, region = names.account(life.hub_account), names.region(life.hub_region)
        if account and region:
            return HubPlace(account, own.partition, region)
        if life.hub_at or self._run.settings.findings_in != "member":
            return own
        return self._at_fault(life, own)

    def _at_fault(self, life: Life, own: HubPlace) -> HubPlace:
        """Return the Security Hub of the broken resource's account and region. What is in no region is in ours.

        So is what is in our own account, in whatever region.
        """
        finding = life.finding
        account = names.account(finding.resource.account) or names.account(finding.account)
        if account in (None, own.account):
            return own
        arn = Arn.parse(finding.resource.id)
        region = names.region(arn.region) if arn else None
        return HubPlace(account, own.partition, region or own.region)

    def related(self, finding_id: str, beside: HubPlace) -> str:
        """Return the product ARN under which a finding related to one in `beside` should be, by its id."""
        parts = finding_id.split("/")
        own = self.own()
        if self._run.settings.findings_in != "member" or isinstance(own, Unread) or len(parts) != _PARTS:
            return beside.product_arn
        account, region = names.account(parts[2]), names.region(parts[3])
        return HubPlace(account or own.account, own.partition, region or own.region).product_arn

    def reader(self, place: HubPlace) -> SecurityHubClient | Unread:
        """Return the client that reads what people have set there, or why there is none."""
        client: SecurityHubClient | Unread = self._run.aws.client(
            "securityhub", account=place.account, region=place.region
        )
        return client

    def importer(self, place: HubPlace) -> SecurityHubClient | Unread:
        """Return the client that imports and resolves findings there, or why there is none."""
        client: SecurityHubClient | Unread = self._run.aws.client(
            "securityhub", account=place.account, region=place.region, role=self._run.settings.import_role
        )
        return client


def takes_none(why: str) -> bool:
    """Return whether an account does not let us in, by the reason of what failed. What may pass by itself is none."""
    return any(isinstance(step, Refusal) for step in steps_of(why))


def is_off(why: str) -> bool:
    """Return whether Security Hub is off, by the reason of a call that failed."""
    return f" failed: {_OFF}" in why


def is_refusal(code: str) -> bool:
    """Return whether an error's code says that Security Hub takes no finding of ours: it is off, or denies access."""
    return code.startswith(_REFUSED)
