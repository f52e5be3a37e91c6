"""Facts of AWS Organizations: an account's place in its organization, and the policies that apply to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.facts import organizations
from pull_responder.facts.failed_call import may_pass
from pull_responder.facts.remembered import Remembered, once
from pull_responder.model.reason import join_reasons
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from collections.abc import Sequence


_NO_PROOF: Final = (
    "our own account names no organization, and that a terminal may assume the role there proves nothing. If the "
    "account is yours, list it in PULL_RESPONDER_READ_ACCOUNTS"
)


class OrganizationFacts(Remembered):
    """Facts of AWS Organizations."""

    @once
    def organization(self, account: str, region: str, /) -> organizations.Organization | Unread | None:
        """Return the account's organization. None if it is in none."""
        return organizations.read_organization(self._reader, account, region)

    @once
    def is_ours(self, account: str, region: str, /) -> bool | Unread:
        """Return whether an account is our own, one that the operator lists, or one of our organization.

        An account is of our organization if both accounts name the same one (organizations:DescribeOrganization), or if
        the organization shows it (organizations:ListParents). Where our own account is in none, or may not ask, an
        account whose member role the deployed functions may assume counts as ours: their policy lets them assume that
        role in our organization and in listed accounts only. A terminal's credentials have no such limit, so there a
        role that can be assumed proves nothing, and it stays open.

        Unread where a read failed that may succeed later, and where our own account is not known.
        """
        aws = self._reader.aws
        if account in aws.read_accounts:
            return True
        own = self.identity()
        if isinstance(own, Unread):
            return own
        if account == own.account:
            return True
        ours, theirs = self.side_by_side(lambda each: self.organization(each, region), (own.account, account))
        if isinstance(ours, organizations.Organization):
            return self._is_of(ours, theirs, account, region)
        named = self.organization(aws.organization_account, region) if aws.organization_account else None
        # The operator names that account, so its organization is ours, too.
        if isinstance(named, organizations.Organization) and self._is_of(named, theirs, account, region) is True:
            return True
        return self._is_reached(ours, account, region)

    def _is_reached(self, ours: Unread | None, account: str, region: str) -> bool | Unread:
        """Return whether the member role shows that `account` is ours, where our own organization is not known."""
        aws = self._reader.aws
        reached = aws.reach(account, region=region)
        if passing := _unless_it_passes([found for found in (ours, reached) if isinstance(found, Unread)]):
            return passing
        if reached is None and not aws.assume_proves_membership:
            return Unread(_NO_PROOF)
        return reached is None

    def _is_of(
        self,
        ours: organizations.Organization,
        theirs: organizations.Organization | Unread | None,
        account: str,
        region: str,
    ) -> bool | Unread:
        """Return whether `account`, which names the organization `theirs`, is of our organization."""
        if isinstance(theirs, organizations.Organization):
            return theirs.id == ours.id
        places = [self._place(each, account, region) for each in self._organization_readers(ours)]
        if any(isinstance(each, organizations.AccountPlace) for each in places):
            return True
        return _unless_it_passes([each for each in (theirs, *places) if isinstance(each, Unread)]) or False

    @once
    def organization_path(self, account: str, region: str, /) -> organizations.AccountPlace | Unread | None:
        """Return the account's place in its organization. None if it is in none."""
        organization = self.organization(account, region)
        if organization is None or isinstance(organization, Unread):
            return organization
        reasons: list[str] = []
        for viewer in self._organization_readers(organization):
            place = self._place(viewer, account, region)
            if not isinstance(place, Unread):
                return place
            reasons.append(place.reason)
        return Unread(join_reasons(reasons))

    @once
    def control_policies(
        self, account: str, region: str, kind: organizations.ControlPolicyType, /
    ) -> organizations.ControlPolicies | Unread | None:
        """Return the service or resource control policies that apply to the account, level by level.

        None where none can apply: the account is in no organization, or it is the management account. Several accounts
        may be asked. The first complete answer counts, else the first partial one.
        """
        if self.belongs_to_aws(account):
            return None
        organization = self.organization(account, region)
        if isinstance(organization, Unread):
            return organization
        if organization is None or organization.management_account == account:
            return None
        partly: organizations.ControlPolicies | None = None
        reasons: list[str] = []
        for viewer in self._organization_readers(organization):
            place = self._place(viewer, account, region)
            found = (
                place
                if isinstance(place, Unread)
                else organizations.read_control_policies(self._reader, place, organization, region, kind)
            )
            if isinstance(found, Unread):
                reasons.append(found.reason)
            elif found.complete:
                return found
            else:
                partly = partly or found
        return partly or Unread(join_reasons(reasons))

    def _organization_readers(self, organization: organizations.Organization) -> tuple[str, ...]:
        """Return the accounts to ask, in order: the one that the operator names, our own, and the management account.

        Our own may be a delegated administrator.
        """
        aws = self._reader.aws
        own = aws.identity()
        named = (aws.organization_account,) if aws.organization_account else ()
        ours = () if isinstance(own, Unread) else (own.account,)
        return tuple(dict.fromkeys((*named, *ours, organization.management_account)))

    @once
    def _place(self, viewer: str, account: str, region: str, /) -> organizations.AccountPlace | Unread:
        return organizations.read_place(self._reader, viewer, region, account)


def _unless_it_passes(failed: Sequence[Unread]) -> Unread | None:
    """Return the first failure that may be over at the next try. None if all are answers that stay."""
    return next((each for each in failed if may_pass(each.reason)), None)
