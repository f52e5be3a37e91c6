"""The patterns of events about changes that can fix a fault, as EventBridge reads them.

The rules of the stack have them, those of an organization's bus, and those of its members.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from infra.rule_pattern import CALL, RulePattern, succeeded

if TYPE_CHECKING:
    from collections.abc import Mapping

# The AWS calls that can end a cause, by their names in the API. CloudTrail uses the same names. They are the calls that
# the fixes run, other calls that undo a fault, and calls that delete the broken resource. The function decides which
# findings a call can concern. Two kinds of call are not in the list:
# - calls that only remove access, such as revoking a rule of a security group
# - tagging of EC2 resources, which is frequent and rarely about a pull
# Each entry has the service, the description of the rule, and the names of the calls.
_CALLS: Final[Mapping[str, tuple[str, str, tuple[str, ...]]]] = {
    "Registries": (
        "ecr",
        "A registry or repository was changed",
        (
            "CreatePullThroughCacheRule",
            "CreateRepository",
            "CreateRepositoryCreationTemplate",
            "DeletePullThroughCacheRule",
            "DeleteRegistryPolicy",
            "DeleteRepository",
            "DeleteRepositoryPolicy",
            "PutAccountSetting",
            "PutRegistryPolicy",
            "SetRepositoryPolicy",
            "TagResource",
            "UntagResource",
            "UpdateImageStorageClass",
            "UpdatePullThroughCacheRule",
            "UpdateRepositoryCreationTemplate",
        ),
    ),
    "Routes": (
        "ec2",
        "A route, gateway or subnet was changed",
        (
            "AssociateAddress",
            "AssociateNatGatewayAddress",
            "AssociateRouteTable",
            "AttachInternetGateway",
            "CreateNatGateway",
            "CreateRoute",
            "DeleteNatGateway",
            "DeleteRoute",
            "DeleteRouteTable",
            "DeleteSubnet",
            "DeleteVpc",
            "DisassociateRouteTable",
            "ModifySubnetAttribute",
            "ReplaceRoute",
            "ReplaceRouteTableAssociation",
        ),
    ),
    "Networks": (
        "ec2",
        "A security group, network ACL, VPC endpoint, transit gateway, peering connection or DNS setting was changed",
        (
            "AcceptVpcPeeringConnection",
            "AssociateDhcpOptions",
            "AssociateTransitGatewayRouteTable",
            "AuthorizeSecurityGroupEgress",
            "AuthorizeSecurityGroupIngress",
            "CreateNetworkAclEntry",
            "CreateTransitGatewayRoute",
            "CreateVpcEndpoint",
            "DeleteNetworkAcl",
            "DeleteNetworkAclEntry",
            "DeleteSecurityGroup",
            "DeleteTransitGatewayRoute",
            "DeleteVpcEndpoints",
            "EnableTransitGatewayRouteTablePropagation",
            "ModifyManagedPrefixList",
            "ModifyNetworkInterfaceAttribute",
            "ModifySecurityGroupRules",
            "ModifyTransitGatewayVpcAttachment",
            "ModifyVpcAttribute",
            "ModifyVpcEndpoint",
            "ReplaceNetworkAclAssociation",
            "ReplaceNetworkAclEntry",
            "ReplaceTransitGatewayRoute",
        ),
    ),
    "Firewalls": (
        "network-firewall",
        "A firewall, its policy or a rule group was changed",
        ("AssociateFirewallPolicy", "DeleteFirewall", "UpdateFirewallPolicy", "UpdateRuleGroup"),
    ),
    "DnsFirewalls": (
        "route53resolver",
        "A rule of DNS Firewall or of the Resolver, or a domain list, was changed",
        (
            "AssociateResolverRule",
            "BatchCreateFirewallRule",
            "BatchDeleteFirewallRule",
            "BatchUpdateFirewallRule",
            "CreateFirewallRule",
            "DeleteFirewallRule",
            "DisassociateFirewallRuleGroup",
            "DisassociateResolverRule",
            "ImportFirewallDomains",
            "UpdateFirewallDomains",
            "UpdateFirewallRule",
            "UpdateFirewallRuleGroupAssociation",
            "UpdateResolverRule",
        ),
    ),
    "Instances": (
        "ec2",
        "An instance or a launch template was changed",
        (
            "AssociateIamInstanceProfile",
            "CreateLaunchTemplateVersion",
            "DeleteLaunchTemplate",
            "ModifyInstanceAttribute",
            "ModifyInstanceMetadataOptions",
            "ModifyLaunchTemplate",
            "ReplaceIamInstanceProfileAssociation",
            "TerminateInstances",
        ),
    ),
    "Clusters": (
        "eks",
        "A cluster, node group, Fargate profile or access entry was changed",
        (
            "CreateAccessEntry",
            "CreateFargateProfile",
            "CreateNodegroup",
            "DeleteAccessEntry",
            "DeleteCluster",
            "DeleteFargateProfile",
            "DeleteNodegroup",
            "UpdateAccessEntry",
            "UpdateClusterConfig",
            "UpdateNodegroupConfig",
            "UpdateNodegroupVersion",
        ),
    ),
    # IAM and Organizations are global. Their events arrive in one region of the partition only. Stacks in other regions
    # have these rules too: the rules match the events that are forwarded from that region (docs/operations.md).
    "Roles": (
        "iam",
        "A role, its policies or its instance profile were changed",
        (
            "AddRoleToInstanceProfile",
            "AttachRolePolicy",
            "CreateInstanceProfile",
            "CreatePolicyVersion",
            "CreateRole",
            "DeleteInstanceProfile",
            "DeleteRole",
            "DeleteRolePermissionsBoundary",
            "DeleteRolePolicy",
            "DetachRolePolicy",
            "PutRolePermissionsBoundary",
            "PutRolePolicy",
            "RemoveRoleFromInstanceProfile",
            "SetDefaultPolicyVersion",
            "TagRole",
            "UntagRole",
            "UpdateAssumeRolePolicy",
        ),
    ),
    "Organizations": (
        "organizations",
        "A policy of the organization was changed, or an account moved",
        (
            "AttachPolicy",
            "DetachPolicy",
            "DisablePolicyType",
            "LeaveOrganization",
            "MoveAccount",
            "RemoveAccountFromOrganization",
            "UpdatePolicy",
        ),
    ),
    "Keys": (
        "kms",
        "A KMS key was enabled, restored or given another policy",
        ("CancelKeyDeletion", "EnableKey", "ImportKeyMaterial", "PutKeyPolicy"),
    ),
    "Secrets": (
        "secretsmanager",
        "A secret was changed",
        ("CreateSecret", "PutResourcePolicy", "PutSecretValue", "RestoreSecret", "UpdateSecret"),
    ),
}
_OF_CALLS: Final[Mapping[str, RulePattern]] = {
    name: RulePattern(
        description, {"source": [f"aws.{service}"], "detail-type": [CALL], "detail": succeeded(service, names)}
    )
    for name, (service, description, names) in _CALLS.items()
}
# The events that ECR itself sends: Amazon ECR User Guide, "Amazon ECR events and EventBridge". EKS's own: Amazon
# EventBridge events reference, "Amazon Elastic Kubernetes Service events".
_OF_SERVICES: Final[Mapping[str, RulePattern]] = {
    "ImagePushed": RulePattern(
        "An image was pushed",
        {
            "source": ["aws.ecr"],
            "detail-type": ["ECR Image Action"],
            "detail": {"action-type": ["PUSH"], "result": ["SUCCESS"]},
        },
    ),
    "CacheFetched": RulePattern(
        "A pull through cache fetched an image",
        {
            "source": ["aws.ecr"],
            "detail-type": ["ECR Pull Through Cache Action"],
            "detail": {"sync-status": ["SUCCESS"]},
        },
    ),
    "AddonRestored": RulePattern(
        "A degraded add-on works again", {"source": ["aws.eks"], "detail-type": ["EKS Addon Health Restored"]}
    ),
}
CHANGES: Final[Mapping[str, RulePattern]] = {**_OF_CALLS, **_OF_SERVICES}
