"""The EventBridge rules on changes that can fix a fault, and the schedule of rechecks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aws_cdk import aws_events as events
from aws_cdk import aws_sqs as sqs

from infra.queue_rules import QueueRules
from infra.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from constructs import Construct

# The id of the custom action of Security Hub: letters and digits, at most 20 (API Reference, CreateActionTarget).
LOOK_AGAIN: Final = "PullResponderLook"

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
        "A security group, network ACL, VPC endpoint or DNS setting was changed",
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
# The events that ECR itself sends: Amazon ECR User Guide, "Amazon ECR events and EventBridge".
# Each entry has the event's detail type, the description of the rule, and the pattern of the event's detail.
_ECR_EVENTS: Final[Mapping[str, tuple[str, str, Mapping[str, Any]]]] = {
    "ImagePushed": ("ECR Image Action", "An image was pushed", {"action-type": ["PUSH"], "result": ["SUCCESS"]}),
    "CacheFetched": (
        "ECR Pull Through Cache Action",
        "A pull through cache fetched an image",
        {"sync-status": ["SUCCESS"]},
    ),
}


class ChangeRules(QueueRules):
    """Every rule on a change, and the schedule of rechecks at `settings.recheck_rate`."""

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
        # Amazon EventBridge events reference, "Amazon Elastic Kubernetes Service events".
        pattern = events.EventPattern(source=["aws.eks"], detail_type=["EKS Addon Health Restored"])
        self.add_rule("AddonRestored", "A degraded add-on works again", pattern)
        if settings.security_hub:
            # Security Hub User Guide, "EventBridge event formats for Security Hub CSPM": the resource is the action.
            pattern = events.EventPattern(
                source=["aws.securityhub"],
                detail_type=["Security Hub Findings - Custom Action"],
                resources=events.Match.suffix(f":action/custom/{LOOK_AGAIN}"),
            )
            self.add_rule("LookAgain", "Somebody wants findings to be checked again", pattern)
        self.add_schedule("Clock", "Time to recheck the open findings that are due", settings.recheck_rate)
