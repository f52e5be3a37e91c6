"""Where findings are in Security Hub: in our own account, or in the account at fault.

Security Hub CSPM takes a finding of an account's default product from that account alone (User Guide, "Integrating
Security Hub CSPM with custom products"). So the import role of the account at fault is assumed for it, and the role
that reads there for what people have set (docs/adr/0156-findings-in-the-account-at-fault.md).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pull_responder.events import names
from pull_responder.facts.facts import Facts
from pull_responder.facts.reader import Reader
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
# Seconds of the run's life that asking whether an account is ours must leave. Notices may wait for the answer.
_SECONDS_TO_NOTIFY: Final = 4.0
_REFUSED: Final = ("AccessDenied", _OFF)


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
        self._facts = Facts(Reader(run.aws, remaining=lambda: run.lifetime() - _SECONDS_TO_NOTIFY))

    def own(self) -> HubPlace | Unread:
        """Return our own."""
        identity = self._run.aws.identity()
        if isinstance(identity, Unread):
            return identity
        return HubPlace(identity.account, identity.partition, self._run.aws.region or identity.region)

    def of(self, life: Life) -> HubPlace | Unread:
        """Return where a finding is, or where it belongs if it is in none yet.

        Where it was imported first, it stays: the settings and the roles may change meanwhile. Unread where it is not
        known for now whether the account at fault is ours.
        """
        own = self.own()
        if isinstance(own, Unread):
            return own
        account, region = names.account(life.hub_account), names.region(life.hub_region)
        if account or region:
            return self._remembered(life, own, account, region)
        if life.hub_at or self._run.settings.findings_in != "member":
            return own
        return self._at_fault(life, own)

    def _remembered(self, life: Life, own: HubPlace, account: str | None, region: str | None) -> HubPlace | Unread:
        """Return the place that is remembered of a finding. What is lost of it is as where the finding belongs."""
        if account:
            lost = own.region if account == own.account else _region(life, own)
            return HubPlace(account, own.partition, region or lost)
        place = own if life.hub_refused else self._at_fault(life, own)
        return replace(place, region=region or place.region) if isinstance(place, HubPlace) else place

    def _at_fault(self, life: Life, own: HubPlace) -> HubPlace | Unread:
        """Return the Security Hub of the broken resource's account and region. What is in no region is in ours.

        So is what is in our own account, in whatever region, and what is in an account that is not surely ours: a
        finding tells of our own resources, too, and its owner can make a role for us to import it.
        """
        account = _account(life)
        if account in (None, own.account):
            return own
        ours = self._facts.is_ours(account, own.region)
        if isinstance(ours, Unread):
            return ours
        return HubPlace(account, own.partition, _region(life, own)) if ours else own

    def why_not_at_fault(self, life: Life) -> str:
        """Return why a finding that its own account sent us is not there: nothing shows that the account is ours.

        Empty where it belongs there, and where our own account sent it: then a stranger is at fault, and nobody
        expects the finding there.
        """
        own, account = self.own(), _account(life)
        if isinstance(own, Unread) or account in (None, own.account) or self._run.settings.findings_in != "member":
            return ""
        if life.hub_at or life.hub_account or life.finding.pull.account != account:
            return ""
        if self._facts.is_ours(account, own.region) is not False:
            return ""
        return (
            f"This finding is in Security Hub of {own}, because nothing shows that account {account} is one of yours: "
            f"its role {self._run.settings.member_role} does not let Pull Responder in, and AWS Organizations does not "
            "show it. If it is yours, deploy infra/member.yaml there, or list it in the setting readAccounts."
        )

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


def _account(life: Life) -> str | None:
    """Return the account of the broken resource."""
    return names.account(life.finding.resource.account) or names.account(life.finding.account)


def _region(life: Life, own: HubPlace) -> str:
    """Return the region of the broken resource; ours if it is in none."""
    arn = Arn.parse(life.finding.resource.id)
    return (names.region(arn.region) if arn else None) or own.region


def takes_none(why: str) -> bool:
    """Return whether an account does not let us in, by the reason of what failed. What may pass by itself is none."""
    return any(isinstance(step, Refusal) for step in steps_of(why))


def is_off(why: str) -> bool:
    """Return whether Security Hub is off, by the reason of a call that failed."""
    return f" failed: {_OFF}" in why


def is_refusal(code: str) -> bool:
    """Return whether an error's code says that Security Hub takes no finding of ours: it is off, or denies access."""
    return code.startswith(_REFUSED)
