"""What the functions may do: the actions they declare, each on the narrowest resource that AWS knows for it.

The actions are data, infra/permissions.json, written from the checks, readers and publishers that need them.
`python -m infra.permissions` lists those that can be granted. Which resource an action has is from the Service
Authorization Reference, one page a service:
https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_PLACE: Final = ("partition", "account", "region")
PERMISSIONS_FILE: Final = Path(__file__).with_name("permissions.json")


class PermissionsError(Exception):
    """A declared permission cannot be granted; the message is one line that names it."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The resources an action is granted on.

    `arns` have `{partition}`, `{account}`, `{region}`, `{topic}`, `{queue}`, `{table}`, `{table_index}`, `{stack}`,
    `{rules}`, `{function}`, `{queues}`, `{topics}`, `{reports}` and `{member_role}` to fill in. One that stands for
    several resources is an ARN by itself. `reason` says why they cannot be narrower, and is empty where they name one.
    `condition` is what a request must meet beside them: a string condition key and its value.
    """

    arns: tuple[str, ...]
    reason: str = ""
    condition: tuple[str, str] | None = None


_NO_RESOURCE = "AWS defines no resource for these actions, so they can be granted on * only"
_ROLES = Scope(("arn:{partition}:iam::{account}:role/*",), "Which role pulls is known only once a pull has failed")
_POLICIES = Scope(
    ("arn:{partition}:iam::{account}:policy/*", "arn:{partition}:iam::aws:policy/*"),
    "Which policies the pulling role has is known only once a pull has failed",
)
_REPOSITORIES = Scope(
    ("arn:{partition}:ecr:*:{account}:repository/*",),
    "Any repository can be pulled from, and a cluster may pull from a registry in another region",
)
_EKS_REASON = "Any cluster of the account can be the one that pulls, and it may be in another region than the registry"
_CLUSTERS = Scope(("arn:{partition}:eks:*:{account}:cluster/*",), _EKS_REASON)
_NODE_GROUPS = Scope(("arn:{partition}:eks:*:{account}:nodegroup/*",), _EKS_REASON)
_FARGATE_PROFILES = Scope(("arn:{partition}:eks:*:{account}:fargateprofile/*",), _EKS_REASON)
_ACCESS_ENTRIES = Scope(("arn:{partition}:eks:*:{account}:access-entry/*",), _EKS_REASON)
_ADDONS = Scope(("arn:{partition}:eks:*:{account}:addon/*",), _EKS_REASON)
_ORGANIZATION_REASON = "Which organization an account is in, and where in it, is known only once it has been asked"
_IN_ORGANIZATION = Scope(
    tuple(f"arn:{{partition}}:organizations::*:{kind}/*" for kind in ("account", "ou", "root")), _ORGANIZATION_REASON
)
_UNDER_ROOT = Scope(
    tuple(f"arn:{{partition}}:organizations::*:{kind}/*" for kind in ("account", "ou")), _ORGANIZATION_REASON
)
_CONTROL_POLICIES = Scope(
    ("arn:{partition}:organizations::*:policy/*", "arn:{partition}:organizations::aws:policy/*"), _ORGANIZATION_REASON
)
_NETWORK_REASON = "In which VPC a pull fails is known only once it has failed"
_HUB = Scope(("arn:{partition}:securityhub:{region}:{account}:hub/default",))
_STACK = Scope(
    ("arn:{partition}:cloudformation:{region}:{account}:stack/{stack}/*",), "The stack's own id follows its name"
)
_TRAILS = Scope(
    ("arn:{partition}:cloudtrail:*:*:trail/*",),
    "A trail of another region, or of the organization's management account, may be the one that logs here",
)
_RULES = Scope(
    ("{rules}",),
    "The names of all rules of the stack begin with this, on whichever bus; in an organization, the rules of the "
    "account's other regions that forward events have names that CloudFormation makes",
)
_ANY = Scope(("*",), _NO_RESOURCE)

SCOPES: Final[Mapping[str, Scope]] = {
    # The stack is asked for by its name: the id after it is of no account.
    "cloudformation:DescribeStacks": _STACK,
    "cloudformation:GetTemplate": _STACK,
    "cloudformation:ListStackResources": _STACK,
    "cloudformation:ListStackInstances": Scope(
        ("arn:{partition}:cloudformation:*:*:stackset/PullResponderMembers:*",),
        "The StackSet may be the management account's, and its own id follows its name",
    ),
    "cloudtrail:DescribeTrails": _ANY,
    "cloudtrail:GetEventSelectors": _TRAILS,
    "cloudtrail:GetTrailStatus": _TRAILS,
    "cloudtrail:LookupEvents": _ANY,
    "cloudwatch:DescribeAlarms": Scope(
        ("arn:{partition}:cloudwatch:{region}:{account}:alarm:*",),
        "Which alarms the stack has is known only once it has been read",
    ),
    "cloudwatch:GetMetricStatistics": _ANY,
    "dynamodb:BatchGetItem": Scope(("{table}",)),
    "dynamodb:BatchWriteItem": Scope(("{table}",)),
    "dynamodb:DescribeTable": Scope(("{table}",)),
    "dynamodb:DescribeTimeToLive": Scope(("{table}",)),
    "dynamodb:PutItem": Scope(("{table}",)),
    # Only the index is asked for what is due; nothing lists the table itself.
    "dynamodb:Query": Scope(("{table_index}",)),
    "dynamodb:UpdateItem": Scope(("{table}",)),
    "ec2:DescribeDhcpOptions": _ANY,
    "ec2:DescribeEgressOnlyInternetGateways": _ANY,
    "ec2:DescribeInstances": _ANY,
    "ec2:DescribeInternetGateways": _ANY,
    "ec2:DescribeLaunchTemplateVersions": _ANY,
    "ec2:DescribeNatGateways": _ANY,
    "ec2:DescribeNetworkAcls": _ANY,
    "ec2:DescribeNetworkInterfaces": _ANY,
    "ec2:DescribePrefixLists": _ANY,
    "ec2:DescribeRegions": _ANY,
    "ec2:DescribeRouteTables": _ANY,
    "ec2:DescribeSecurityGroups": _ANY,
    "ec2:DescribeSubnets": _ANY,
    "ec2:DescribeTransitGatewayAttachments": _ANY,
    "ec2:DescribeTransitGatewayPeeringAttachments": _ANY,
    "ec2:DescribeTransitGatewayVpcAttachments": _ANY,
    "ec2:DescribeVpcAttribute": Scope(("arn:{partition}:ec2:*:{account}:vpc/*",), _NETWORK_REASON),
    "ec2:DescribeVpcEndpoints": _ANY,
    "ec2:DescribeVpcPeeringConnections": _ANY,
    "ec2:DescribeVpcs": _ANY,
    # AWS's own lists, and those that other accounts share, count too.
    "ec2:GetManagedPrefixListEntries": Scope(("arn:{partition}:ec2:*:*:prefix-list/*",), _NETWORK_REASON),
    "ec2:SearchTransitGatewayRoutes": Scope(
        ("arn:{partition}:ec2:*:{account}:transit-gateway-route-table/*",), _NETWORK_REASON
    ),
    "ecr:BatchGetImage": _REPOSITORIES,
    "ecr:DescribeImages": _REPOSITORIES,
    "ecr:DescribePullThroughCacheRules": _ANY,
    "ecr:DescribeRepositories": _REPOSITORIES,
    "ecr:DescribeRepositoryCreationTemplates": _ANY,
    "ecr:GetAccountSetting": _ANY,
    "ecr:GetSigningConfiguration": _ANY,
    "ecr:GetLifecyclePolicy": _REPOSITORIES,
    "ecr:GetRegistryPolicy": _ANY,
    "ecr:GetRepositoryPolicy": _REPOSITORIES,
    "ecr:ListImages": _REPOSITORIES,
    "ecr:ListTagsForResource": _REPOSITORIES,
    "eks:DescribeAccessEntry": _ACCESS_ENTRIES,
    "eks:DescribeAddon": _ADDONS,
    "eks:DescribeCluster": _CLUSTERS,
    "eks:DescribeFargateProfile": _FARGATE_PROFILES,
    "eks:DescribeNodegroup": _NODE_GROUPS,
    "eks:ListAccessEntries": _CLUSTERS,
    "eks:ListClusters": _ANY,
    "eks:ListFargateProfiles": _CLUSTERS,
    "eks:ListNodegroups": _CLUSTERS,
    "events:DescribeRule": _RULES,
    "events:ListRuleNamesByTarget": _ANY,
    "events:ListTargetsByRule": _RULES,
    "iam:GetInstanceProfile": Scope(
        ("arn:{partition}:iam::{account}:instance-profile/*",), "Which node pulls is known only once a pull has failed"
    ),
    "iam:GetPolicy": _POLICIES,
    "iam:GetPolicyVersion": _POLICIES,
    "iam:GetRole": _ROLES,
    "iam:GetRolePolicy": _ROLES,
    "iam:ListAttachedRolePolicies": _ROLES,
    "iam:ListInstanceProfilesForRole": _ROLES,
    "iam:ListPolicies": _ANY,
    "iam:ListPolicyVersions": _POLICIES,
    "iam:ListRolePolicies": _ROLES,
    "kms:DescribeKey": Scope(
        ("arn:{partition}:kms:*:{account}:key/*",),
        "Which key encrypts a repository is known only once it has been read",
    ),
    "lambda:GetEventSourceMapping": Scope(
        ("arn:{partition}:lambda:{region}:{account}:event-source-mapping:*",),
        "The id of a mapping is known only once the stack has been read",
    ),
    "lambda:GetFunction": Scope(("{function}",)),
    "lambda:GetPolicy": Scope(("{function}",)),
    "logs:DescribeSubscriptionFilters": Scope(
        ("arn:{partition}:logs:{region}:{account}:log-group:/aws/eks/*",),
        "Which clusters there are, and whose audit logs are read, is known only once the stack has been read",
    ),
    "organizations:DescribeOrganization": _ANY,
    "organizations:DescribePolicy": _CONTROL_POLICIES,
    "organizations:ListAccounts": _ANY,
    "organizations:ListParents": _UNDER_ROOT,
    "organizations:ListPoliciesForTarget": _IN_ORGANIZATION,
    "organizations:ListRoots": _ANY,
    "network-firewall:DescribeFirewall": Scope(("arn:{partition}:network-firewall:*:*:firewall/*",), _NETWORK_REASON),
    "network-firewall:DescribeFirewallPolicy": Scope(
        ("arn:{partition}:network-firewall:*:*:firewall-policy/*",), _NETWORK_REASON
    ),
    "network-firewall:DescribeRuleGroup": Scope(
        ("arn:{partition}:network-firewall:*:*:stateful-rulegroup/*",), _NETWORK_REASON
    ),
    "network-firewall:ListFirewalls": Scope(("arn:{partition}:network-firewall:*:*:firewall/*",), _NETWORK_REASON),
    "route53:ListHostedZonesByVPC": _ANY,
    "route53:ListResourceRecordSets": Scope(
        ("arn:{partition}:route53:::hostedzone/*",), "Which private hosted zone answers is known only once it was asked"
    ),
    "route53profiles:ListProfileAssociations": _ANY,
    "route53resolver:GetResolverRule": Scope(
        ("arn:{partition}:route53resolver:*:*:resolver-rule/*",),
        "Which Resolver rules a VPC has is known only once it has been read, and another account may share them",
    ),
    "route53resolver:ListFirewallDomainLists": _ANY,
    "route53resolver:ListFirewallDomains": Scope(
        ("arn:{partition}:route53resolver:*:*:firewall-domain-list/*",), _NETWORK_REASON
    ),
    "route53resolver:ListFirewallRuleGroupAssociations": _ANY,
    "route53resolver:ListFirewallRules": Scope(
        ("arn:{partition}:route53resolver:*:*:firewall-rule-group/*",), _NETWORK_REASON
    ),
    "route53resolver:ListResolverRuleAssociations": _ANY,
    "route53resolver:ListResolverRules": _ANY,
    "s3:PutObject": Scope(("{reports}",), "Which problems there are is known only once a pull has failed"),
    # Amazon ECR takes only secrets of this name for its pull through cache rules.
    "secretsmanager:DescribeSecret": Scope(
        ("arn:{partition}:secretsmanager:*:{account}:secret:ecr-pullthroughcache/*",),
        "Which secret a pull through cache uses is known only once its rule has been read",
    ),
    "securityhub:BatchImportFindings": Scope(
        ("arn:{partition}:securityhub:{region}:{account}:product/{account}/default",)
    ),
    "securityhub:BatchUpdateFindings": _HUB,
    "securityhub:CreateActionTarget": _HUB,
    "securityhub:CreateInsight": _HUB,
    "securityhub:DeleteActionTarget": _HUB,
    "securityhub:DeleteInsight": _HUB,
    "securityhub:DescribeHub": _HUB,
    "securityhub:GetFindings": _HUB,
    "securityhub:GetInsights": _HUB,
    "securityhub:UpdateInsight": _HUB,
    "sns:ListSubscriptionsByTopic": Scope(("{topics}",)),
    "sns:Publish": Scope(("{topic}",)),
    "sqs:GetQueueAttributes": Scope(("{queues}",)),
    "sqs:SendMessage": Scope(("{queue}",)),
    # Anybody can make a role of this name in an account of his own, and write what stands in its policies. Where our
    # account is in no organization, the variable has no value, and nothing is allowed (IAM User Guide, "AWS global
    # condition context keys", aws:ResourceOrgID, which names the actions that do not support it; "Policy variables").
    "sts:AssumeRole": Scope(
        ("arn:{partition}:iam::*:role/{member_role}",),
        "A member account of the organization needs no change here, only the role there",
        ("aws:ResourceOrgID", "${aws:PrincipalOrgID}"),
    ),
}


@dataclass(frozen=True, slots=True)
class Grant:
    """One statement of an identity policy: `actions` allowed on `resources`, with reason and condition of its Scope."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]
    reason: str = ""
    condition: tuple[str, str] | None = None

    @property
    def conditions(self) -> Mapping[str, Mapping[str, str]]:
        """The statement's Condition element, empty where it has none."""
        return {"StringEquals": dict([self.condition])} if self.condition else {}


# What the functions set in a finding of Security Hub, and all that BatchUpdateFindings can set besides (API Reference,
# BatchUpdateFindings). A key is securityhub:ASFFSyntaxPath/ and the field's path. The User Guide ("BatchUpdateFindings
# for customers", "Configuring access") has these conditions in Deny statements only, and so has the AWS managed policy
# AWSSystemsManagerOpsDataSyncServiceRolePolicy, which has the paths, too. Inference: `Severity.Normalized` and
# `Severity.Product`, as the User Guide has `Severity.Label`. A key that Security Hub does not know denies nothing.
_FIELDS_LEFT_ALONE: Final = (
    "Confidence",
    "Criticality",
    "Note.Text",
    "Note.UpdatedBy",
    "RelatedFindings",
    "Severity.Label",
    "Severity.Normalized",
    "Severity.Product",
    "Types",
    "UserDefinedFields.key",
    "UserDefinedFields.value",
    "VerificationState",
)
# A finding that people had suppressed, and that Security Hub has deleted since, is set to SUPPRESSED again.
_STATUSES_LEFT_ALONE: Final = ("NEW", "NOTIFIED")


@dataclass(frozen=True, slots=True)
class Denial:
    """One Deny statement of an identity policy: `action` on `resources`, if the request meets `conditions`."""

    action: str
    resources: tuple[str, ...]
    conditions: Mapping[str, Mapping[str, str | list[str]]]


def denials(actions: Iterable[str], **filled_in: str | tuple[str, ...]) -> tuple[Denial, ...]:
    """Return the statements that limit what a granted action may change. None for actions that need no limit.

    Each field has a statement of its own: the keys of one Condition element are combined with AND.
    """
    action = "securityhub:BatchUpdateFindings"
    if action not in set(actions):
        return ()
    resources = tuple(arn.format(**filled_in) for arn in SCOPES[action].arns)
    key = "securityhub:ASFFSyntaxPath/"
    conditions: list[Mapping[str, Mapping[str, str | list[str]]]] = [
        {"Null": {f"{key}{field}": "false"}} for field in _FIELDS_LEFT_ALONE
    ]
    conditions.append({"ForAnyValue:StringEquals": {f"{key}Workflow.Status": list(_STATUSES_LEFT_ALONE)}})
    return tuple(Denial(action, resources, each) for each in conditions)


def read_declared(function: str, path: Path = PERMISSIONS_FILE) -> Mapping[str, tuple[str, ...]]:
    """Return what `function` declares: action names by purpose (read, publish, assume, remember).

    Raises PermissionsError when the file does not say.
    """
    try:
        purposes = json.loads(path.read_text())[function]
        return {purpose: tuple(actions) for purpose, actions in purposes.items()}
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as unusable:
        raise PermissionsError(f"{path.name}: says nothing usable about {function}: {unusable!r}") from unusable


def grants(actions: Iterable[str], **filled_in: str | tuple[str, ...]) -> tuple[Grant, ...]:
    """Return the statements that grant `actions`, those with the same resources together.

    `filled_in` are the values for the placeholders of Scope. Raises PermissionsError for an action without a scope.
    """
    by_scope: defaultdict[Scope, list[str]] = defaultdict(list)
    for action in sorted(set(actions)):
        if action not in SCOPES:
            raise PermissionsError(
                f"infra/permissions.py: SCOPES lacks {action}, which infra/permissions.json declares: add "
                f'"{action}": Scope(...) with the narrowest resource that AWS defines'
            )
        by_scope[SCOPES[action]].append(action)
    return tuple(
        Grant(
            tuple(together),
            tuple(filled for arn in scope.arns for filled in _fill_in(arn, filled_in))
            if len(scope.arns) == 1  # what is known at deployment only has no order of its own
            else tuple(sorted(arn.format(**filled_in) for arn in scope.arns)),
            scope.reason,
            scope.condition,
        )
        for scope, together in by_scope.items()
    )


def _fill_in(arn: str, filled_in: Mapping[str, str | tuple[str, ...]]) -> tuple[str, ...]:
    """Return the ARNs that `arn` stands for. Those in a tuple may have a place for the three of _PLACE.

    They are no format strings: what is known at deployment only has braces.
    """
    several = filled_in.get(arn[1:-1]) if arn.startswith("{") else None
    if not isinstance(several, tuple):
        return (arn.format(**filled_in),)
    for name in _PLACE:
        several = tuple(each.replace(f"{{{name}}}", str(filled_in.get(name, ""))) for each in several)
    return several


def grant_to_assume(accounts: Iterable[str], *, partition: str, member_role: str) -> tuple[Grant, ...]:
    """Return the statement that lets the member role be assumed in accounts that the operator names.

    They may be outside the organization. Empty where there are none.
    """
    arns = tuple(f"arn:{partition}:iam::{account}:role/{member_role}" for account in sorted(set(accounts)))
    return (Grant(("sts:AssumeRole",), arns),) if arns else ()


def grant_to_import(*, partition: str, import_role: str) -> tuple[Grant, ...]:
    """Return the statement that lets the role of this name be assumed in the accounts of our organization.

    It is the role with which findings are imported there; `sts:AssumeRole` in SCOPES is the one for reading.
    """
    scope = SCOPES["sts:AssumeRole"]
    arns = tuple(arn.format(partition=partition, member_role=import_role) for arn in scope.arns)
    return (Grant(("sts:AssumeRole",), arns, scope.reason, scope.condition),)


if __name__ == "__main__":
    sys.stdout.write("".join(f"{action}\n" for action in SCOPES))
