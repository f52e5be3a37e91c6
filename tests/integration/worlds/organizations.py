"""An organization around the accounts of a world: its service and resource control policies.

Nodes and their registry are in member accounts, and the management account is read through its member role.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from moto.organizations.models import organizations_backends

from tests.integration.worlds.fault import broken
from tests.integration.worlds.recorded import OTHERS, OURS
from tests.integration.worlds.statements import allow, deny, policy
from tests.integration.worlds.world import World

if TYPE_CHECKING:
    from tests.integration.worlds.recorded import Emulated

MANAGEMENT: Final = "111111111111"
_SCP, _RCP = "SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"
_FULL: Final = "p-FullAWSAccess"
_TOKEN, _MANIFEST = "ecr:GetAuthorizationToken", "ecr:BatchGetImage"
_ELSEWHERE: Final = "arn:aws:ecr:*:*:repository/elsewhere"
_SCPS: Final = {
    "allows": policy(allow("*")),
    "lacks": policy(allow("s3:*", "ec2:*")),
    "denies": policy(allow("*"), deny(_MANIFEST)),
    "denies tokens": policy(allow("*"), deny(_TOKEN)),
    "others": policy(allow("*"), deny("ecr:*", on=_ELSEWHERE), deny("ecr:PutImage")),
}
_RCPS: Final = {
    "": policy(deny("s3:DeleteBucket", Principal="*")),
    "denies": policy(deny(_MANIFEST, Principal="*")),
    "others": policy(deny("ecr:*", Principal="*", on=_ELSEWHERE)),
}


def _is_member(world: World) -> bool:
    return world.organization


def _has_rcp(world: World) -> bool:
    return world.organization and not world.of_aws


_READ: Final = "organizations:DescribePolicy"
BREAKS: Final = {
    f"SCP {what}": broken("scp_blocks_pull", _READ, where=_is_member, scp=what)
    for what in ("lacks", "denies", "denies tokens")
} | {"RCP denies": broken("rcp_blocks_pull", _READ, where=_has_rcp, rcp="denies")}
NEAR_MISSES: Final[dict[str, dict[str, Any]]] = {
    "an SCP about others": {"scp": "others"},
    "an RCP about others": {"rcp": "others"},
}
READS: Final = (
    "organizations:DescribeOrganization",
    "organizations:DescribePolicy",
    "organizations:ListParents",
    "organizations:ListPoliciesForTarget",
    "organizations:ListRoots",
)


@dataclass(slots=True)
class Organization:
    """The organization, made once. Each world has its own policies in it, or none of it."""

    emulated: Emulated
    _policies: dict[str, str] = field(default_factory=dict)

    def set(self, world: World) -> None:
        """Put the accounts into the organization with the world's policies, or take them out."""
        members = organizations_backends.master_accounts
        for account in (OURS, OTHERS):
            members.pop(account, None)
        if not world.organization:
            return
        self._policies = self._policies or self._build()
        members |= dict.fromkeys((OURS, OTHERS), (MANAGEMENT, "aws"))
        client = self.emulated.client("organizations", MANAGEMENT)
        client.update_policy(PolicyId=self._policies[_SCP], Content=_SCPS[world.scp])
        client.update_policy(PolicyId=self._policies[_RCP], Content=_RCPS[world.rcp])

    def parts(self, world: World) -> frozenset[str]:
        """The ends of the ids of what a finding about its policies may name: one that was read, else an account."""
        policies = self._policies.values() if world.organization else ()
        return frozenset((*policies, f":Account:{OURS}", f":Account:{OTHERS}"))

    def _build(self) -> dict[str, str]:
        client = self.emulated.client("organizations", MANAGEMENT)
        client.create_organization(FeatureSet="ALL")
        root = client.list_roots()["Roots"][0]["Id"]
        unit = client.create_organizational_unit(ParentId=root, Name="all")["OrganizationalUnit"]["Id"]
        made = {}
        for kind in (_SCP, _RCP):
            client.enable_policy_type(RootId=root, PolicyType=kind)
            content = json.dumps({"Version": "2012-10-17", "Statement": []})
            each = client.create_policy(Content=content, Description="", Name=f"of the unit: {kind}", Type=kind)
            made[kind] = each["Policy"]["PolicySummary"]["Id"]
            client.attach_policy(PolicyId=made[kind], TargetId=unit)
        client.detach_policy(PolicyId=_FULL, TargetId=unit)
        backend = organizations_backends[MANAGEMENT]["aws"]
        for account in (OURS, OTHERS):
            status = client.create_account(AccountName=account, Email=f"{account}@example.com")["CreateAccountStatus"]
            client.move_account(AccountId=status["AccountId"], SourceParentId=root, DestinationParentId=unit)
            # moto hands out numbers of its own.
            next(each for each in backend.accounts if each.id == status["AccountId"]).id = account
            organizations_backends.master_accounts.pop(status["AccountId"])
        return made
