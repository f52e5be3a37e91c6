"""The EventBridge rules that tell of changes which may have mended something, and the clock that asks without one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aws_cdk import aws_events as events
from aws_cdk import aws_sqs as sqs

from infra.queue_rules import QueueRules
from infra.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct

# The calls that can end one of the causes: what their fixes run, what undoes the fault in another way, and what takes
# the broken resource away. CloudTrail calls them by the names of the API. What they can concern is for the function to
# say. Left out are calls that only ever take away (revoking a security group's rule), and tagging of EC2 resources,
# which is frequent and hardly ever about a pull.
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
        "A way out of a subnet was changed",
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
        "What lets traffic through, or a VPC endpoint or its DNS, was changed",
        (
            "AssociateDhcpOptions",
            "AuthorizeSecurityGroupEgress",
            "AuthorizeSecurityGroupIngress",
            "CreateNetworkAclEntry",
            "CreateVpcEndpoint",
            "DeleteNetworkAcl",
            "DeleteNetworkAclEntry",
            "DeleteSecurityGroup",
            "DeleteVpcEndpoints",
            "ModifyManagedPrefixList",
            "ModifyNetworkInterfaceAttribute",
            "ModifySecurityGroupRules",
            "ModifyVpcAttribute",
            "ModifyVpcEndpoint",
            "ReplaceNetworkAclAssociation",
            "ReplaceNetworkAclEntry",
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
        "A cluster or what runs its pods was changed",
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
    # Events of the two global services arrive in one region of the partition only. The rules are there in every region
    # all the same: they match what is forwarded from there (docs/operations.md).
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
        "A key was made usable",
        ("CancelKeyDeletion", "EnableKey", "ImportKeyMaterial", "PutKeyPolicy"),
    ),
    "Secrets": (
        "secretsmanager",
        "A secret was changed",
        ("CreateSecret", "PutResourcePolicy", "PutSecretValue", "RestoreSecret", "UpdateSecret"),
    ),
}
# What ECR itself tells. Amazon ECR User Guide, "Amazon ECR events and EventBridge".
_ECR_EVENTS: Final[Mapping[str, tuple[str, str, Mapping[str, Any]]]] = {
    "ImagePushed": ("ECR Image Action", "An image was pushed", {"action-type": ["PUSH"], "result": ["SUCCESS"]}),
    "CacheFetched": (
        "ECR Pull Through Cache Action",
        "A pull through cache fetched an image",
        {"sync-status": ["SUCCESS"]},
    ),
}


class ChangeRules(QueueRules):
    """Every rule on a change, and the schedule of rechecks."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        queue: sqs.IQueue,
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id, queue=queue, dead_letters=dead_letters)
        for name, (service, description, calls) in _CALLS.items():
            pattern = events.EventPattern(
                source=[f"aws.{service}"],
                detail_type=["AWS API Call via CloudTrail"],
                detail={
                    "eventSource": [f"{service}.amazonaws.com"],
                    "eventName": list(calls),
                    "errorCode": [{"exists": False}],
                },
            )
            self.add_rule(name, description, pattern)
        for name, (detail_type, description, outcome) in _ECR_EVENTS.items():
            pattern = events.EventPattern(source=["aws.ecr"], detail_type=[detail_type], detail=outcome)
            self.add_rule(name, description, pattern)
        self.add_schedule("Clock", "Time to look at the findings whose turn it is", settings.recheck_rate)
