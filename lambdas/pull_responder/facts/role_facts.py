"""Facts of IAM about who pulls: the role, its policies and boundary, and instance profiles."""

from __future__ import annotations

from pull_responder.facts import iam
from pull_responder.facts.remembered import Remembered, once
from pull_responder.model.unread import Unread


class RoleFacts(Remembered):
    """Facts of IAM."""

    @once
    def role(self, account: str, region: str, name: str, /) -> iam.Role | Unread | None:
        """Return a role by its name. Session ARNs keep the name and leave out the path."""
        return iam.read_role(self._reader, account, region, name)

    @once
    def instance_profile(self, account: str, region: str, name: str, /) -> iam.InstanceProfile | Unread | None:
        """Return an instance profile; None if there is none."""
        return iam.read_instance_profile(self._reader, account, region, name)

    @once
    def profiles_of_role(self, account: str, region: str, role: str, /) -> tuple[str, ...] | Unread | None:
        """Return the names of the instance profiles that hold a role; None if there is no such role."""
        return iam.read_profiles_of_role(self._reader, account, region, role)

    @once
    def identity_policies(self, account: str, region: str, role: str, /) -> tuple[iam.PolicyText | Unread, ...] | None:
        """Return the role's inline and attached policies. None if there is no such role.

        Unread stands for a policy that could not be read.
        """
        kinds = (iam.read_inline_policies, iam.read_attached_policies)
        read = self._reader.each(lambda kind: kind(self._reader, account, region, role), kinds)
        found: list[iam.PolicyText | Unread] = []
        for policies in read:
            if policies is None:
                return None
            found.extend((policies,) if isinstance(policies, Unread) else policies)
        return tuple(found)

    @once
    def boundary(self, account: str, region: str, role: str, /) -> tuple[iam.PolicyText | Unread, ...] | Unread | None:
        """Return the role's permissions boundary: none, or one policy (perhaps Unread). None if there is no such role.

        Unread as a whole where it is not known whether the role has a boundary.
        """
        found = self.role(account, region, role)
        if not isinstance(found, iam.Role):
            return found
        if found.boundary_arn is None:
            return ()
        return (self.managed_policy(account, region, found.boundary_arn),)

    def managed_policy(self, account: str, region: str, arn: str, /) -> iam.PolicyText | Unread:
        """Return a managed policy in its default version."""
        return iam.read_managed_policy(self._reader, account, region, arn)

    @once
    def policy_versions(self, account: str, region: str, arn: str, /) -> tuple[str, ...] | Unread:
        """Return the version ids of a customer managed policy, oldest first."""
        return iam.read_policy_versions(self._reader, account, region, arn)
