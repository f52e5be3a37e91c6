"""Facts of AWS Organizations: an account's place in its organization, and the policies that apply to it."""

from __future__ import annotations

from pull_responder.facts import organizations
from pull_responder.facts.remembered import Remembered, once
from pull_responder.model.reason import join_reasons
from pull_responder.model.unread import Unread


class OrganizationFacts(Remembered):
    """Facts of AWS Organizations."""

    @once
    def organization(self, account: str, region: str, /) -> organizations.Organization | Unread | None:
        """Return the account's organization. None if it is in none."""
        return organizations.read_organization(self._reader, account, region)

    @once
    def is_ours(self, account: str, region: str, /) -> bool:
        """Return whether an account is our own, one that the operator lists, or one of our organization.

        An account is of our organization if both accounts name the same one (organizations:DescribeOrganization), or if
        the organization shows it (organizations:ListParents). Where our own account is in none, or may not ask, an
        account whose member role we may assume counts as ours: the deployed functions may assume that role in our
        organization and in listed accounts only.
        """
        own = self.identity()
        if isinstance(own, Unread):
            # Without an identity no other account can be told from our own, and none can be read.
            return True
        if account in (own.account, *self._reader.aws.read_accounts):
            return True
        ours, theirs = self.side_by_side(lambda each: self.organization(each, region), (own.account, account))
        if not isinstance(ours, organizations.Organization):
            return self._reader.aws.reach(account, region=region) is None
        if isinstance(theirs, organizations.Organization):
            return theirs.id == ours.id
        viewers = self._organization_readers(ours)
        return any(isinstance(self._place(each, account, region), organizations.AccountPlace) for each in viewers)

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
