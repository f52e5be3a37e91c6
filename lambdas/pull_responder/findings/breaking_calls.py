"""Which calls can have brought a cause about, and what such a call has to name. Pure.

A call counts only if it names the resource at fault. It is told as a fact; that it was the reason does not follow.
Causes that no single call on their resource brings about are not in the table.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.model.arn import Arn

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pull_responder.events.change import Change
    from pull_responder.findings.finding import Finding

_POLICY_VERSIONS: Final = ("CreatePolicyVersion", "SetDefaultPolicyVersion")

BREAKING_CALLS: Final[Mapping[str, tuple[str, ...]]] = {
    "role_lacks_pull_permissions": ("DetachRolePolicy", "DeleteRolePolicy", "PutRolePolicy", *_POLICY_VERSIONS),
    "role_policy_denies_pull": ("PutRolePolicy", "AttachRolePolicy", *_POLICY_VERSIONS),
    "permissions_boundary_blocks_pull": ("PutRolePermissionsBoundary", *_POLICY_VERSIONS),
    "role_trust_policy_excludes_service": ("UpdateAssumeRolePolicy",),
    "scp_blocks_pull": ("UpdatePolicy", "AttachPolicy"),
    "rcp_blocks_pull": ("UpdatePolicy", "AttachPolicy"),
    "repository_policy_lacks_grant": ("SetRepositoryPolicy", "DeleteRepositoryPolicy"),
    "repository_policy_denies_pull": ("SetRepositoryPolicy",),
    "registry_policy_denies_pull": ("PutRegistryPolicy",),
    "repository_not_found": ("DeleteRepository",),
    "image_not_found": ("BatchDeleteImage",),
    "image_platform_mismatch": ("PutImage",),
    "repository_key_unusable": ("DisableKey", "ScheduleKeyDeletion"),
    "endpoint_policy_blocks_pull": ("ModifyVpcEndpoint",),
    "s3_endpoint_policy_blocks_layers": ("ModifyVpcEndpoint",),
    "endpoint_private_dns_disabled": ("ModifyVpcEndpoint",),
    "s3_endpoint_not_in_route_table": ("ModifyVpcEndpoint",),
    "endpoint_security_group_blocks_ingress": ("RevokeSecurityGroupIngress", "ModifySecurityGroupRules"),
    "security_group_blocks_egress": ("RevokeSecurityGroupEgress", "ModifySecurityGroupRules"),
    "network_acl_blocks_traffic": (
        "CreateNetworkAclEntry",
        "DeleteNetworkAclEntry",
        "ReplaceNetworkAclEntry",
        "ReplaceNetworkAclAssociation",
    ),
    "no_route_to_ecr": (
        "DeleteRoute",
        "ReplaceRoute",
        "AssociateRouteTable",
        "DisassociateRouteTable",
        "ReplaceRouteTableAssociation",
    ),
    "nat_gateway_unavailable": ("DeleteNatGateway",),
    "public_ip_missing": ("ModifySubnetAttribute",),
    "vpc_dns_disabled": ("ModifyVpcAttribute",),
    "vpc_endpoint_unavailable": ("DeleteVpcEndpoints",),
    "instance_metadata_disabled": ("ModifyInstanceMetadataOptions",),
    "transit_gateway_blocks_traffic": (
        "DeleteTransitGatewayRoute",
        "DisableTransitGatewayRouteTablePropagation",
        "ReplaceTransitGatewayRoute",
        "CreateTransitGatewayRoute",
        "AssociateTransitGatewayRouteTable",
        "ModifyTransitGatewayPrefixListReference",
        "DeleteTransitGatewayPrefixListReference",
    ),
    "peering_cannot_carry_traffic": (
        "DeleteVpcPeeringConnection",
        "ReplaceRoute",
        "CreateRoute",
        "RejectVpcPeeringConnection",
    ),
    "network_firewall_blocks_registry": ("UpdateRuleGroup", "UpdateFirewallPolicy"),
    "dns_firewall_blocks_registry": (
        "UpdateFirewallDomains",
        "UpdateFirewallRule",
        "CreateFirewallRule",
        "DeleteFirewallRule",
        "ImportFirewallDomains",
        "BatchUpdateFirewallRule",
        "BatchCreateFirewallRule",
        "BatchDeleteFirewallRule",
        "UpdateFirewallRuleGroupAssociation",
        "AssociateFirewallRuleGroup",
    ),
}
"""By cause the calls that can bring it about, the likeliest first."""

# The same where the kind of the resource makes a difference: the first part of the resource in its ARN.
_OF_KIND: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("transit_gateway_blocks_traffic", "transit-gateway-attachment"): (
        "DisassociateTransitGatewayRouteTable",
        "ModifyTransitGatewayVpcAttachment",
        "DeleteTransitGatewayVpcAttachment",
    ),
    ("network_firewall_blocks_registry", "firewall-policy"): ("UpdateFirewallPolicy", "AssociateFirewallPolicy"),
}

# What these change has no name: there is one in each account and region.
_OF_REGISTRY: Final = frozenset({"registry_policy_denies_pull"})
_OF_DOMAIN_LISTS: Final = frozenset({"dns_firewall_blocks_registry"})
# The domain lists of a DNS Firewall's rule group, which the evidence names.
_DOMAIN_LIST: Final = re.compile(r"\brslvr-fdl-[0-9a-z]{1,64}\b", re.ASCII)
# The parts of a subnet's or a role's fault that the fix names: the subnet's route table, a policy of the role.
_PART: Final = re.compile(r"rtb-[0-9a-f]{8,17}|arn:[a-z-]{3,30}:iam::[0-9]{12}:policy/[\w+=,.@/-]{1,512}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Suspects:
    """The calls that can have brought a finding about.

    - `service`, `account`, `region`: where they were made; the region is empty for IAM and Organizations.
    - `calls`: their names.
    - `names`: how the resource at fault and its parts are called. A call has to name one of them.
    - `also`: what a call has to name besides. Empty where a resource has no parts that matter.
    - `arn`: the resource at fault, without what `also` has.
    """

    service: str
    account: str
    region: str
    calls: tuple[str, ...]
    names: tuple[str, ...]
    arn: str
    also: frozenset[str] = frozenset()

    def has(self, change: Change) -> bool:
        """Return whether `change` is one of these calls, in this account and region."""
        return (
            change.name in self.calls
            and (change.service, change.account) == (self.service, self.account)
            and self.region in ("", change.region)
            and (not self.names or not change.words.isdisjoint(self.names))
            and self.also <= change.words
        )


def calls_behind(finding: Finding) -> tuple[str, ...]:
    """Return the calls that can bring about the cause of `finding` on its resource, the likeliest first."""
    arn = Arn.parse(finding.resource.id)
    kind = arn.resource.partition("/")[0] if arn else ""
    return _OF_KIND.get((finding.cause, kind)) or BREAKING_CALLS.get(finding.cause, ())


def suspects_of(finding: Finding) -> Suspects | None:
    """Return which calls can have brought `finding` about. None where no call on its resource can."""
    calls, arn = calls_behind(finding), Arn.parse(finding.resource.id)
    if not calls or arn is None or not arn.account.isdecimal():
        return None
    region = "" if arn.service in ("iam", "organizations") else arn.region or finding.region
    if finding.cause in _OF_REGISTRY:
        return Suspects(arn.service, arn.account, region, calls, (), "")
    name = arn.resource.partition("/")[2] or arn.resource
    if arn.service != "ecr":
        # Organizations' policies are called by the last part: "o-…/service_control_policy/p-…".
        names = (name.rpartition("/")[2], *dict.fromkeys(_parts(finding)))
        return Suspects(arn.service, arn.account, region, calls, names, str(arn))
    repository = finding.pull.repository or name
    image = name.removeprefix(repository).lstrip(":/")
    if not name.startswith(repository):
        return None
    of = f"arn:{arn.partition}:ecr:{arn.region}:{arn.account}:repository/{repository}"
    return Suspects("ecr", arn.account, region, calls, (repository, of), of, frozenset(filter(None, [image])))


def _parts(finding: Finding) -> Iterator[str]:
    for command in finding.remediation.commands:
        yield from (word for word in command if _PART.fullmatch(word))
    if finding.cause in _OF_DOMAIN_LISTS:
        yield from (part for line in finding.evidence for part in _DOMAIN_LIST.findall(line))
