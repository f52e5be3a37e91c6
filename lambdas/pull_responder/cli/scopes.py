"""The resources of each IAM action, as the roles of the deployed functions have them.

Written by `make generate` from SCOPES in infra/permissions.py, which has their sources. The ARNs have the placeholders
of Scope there.
"""

from __future__ import annotations

from typing import Final

SCOPES: Final = """\
{
 "cloudformation:DescribeStacks": {
  "arns": [
   "arn:{partition}:cloudformation:{region}:{account}:stack/{stack}/*"
  ]
 },
 "cloudformation:GetTemplate": {
  "arns": [
   "arn:{partition}:cloudformation:{region}:{account}:stack/{stack}/*"
  ]
 },
 "cloudformation:ListStackInstances": {
  "arns": [
   "arn:{partition}:cloudformation:*:*:stackset/PullResponderMembers:*"
  ]
 },
 "cloudformation:ListStackResources": {
  "arns": [
   "arn:{partition}:cloudformation:{region}:{account}:stack/{stack}/*"
  ]
 },
 "cloudtrail:DescribeTrails": {
  "arns": [
   "*"
  ]
 },
 "cloudtrail:GetEventSelectors": {
  "arns": [
   "arn:{partition}:cloudtrail:*:*:trail/*"
  ]
 },
 "cloudtrail:GetTrailStatus": {
  "arns": [
   "arn:{partition}:cloudtrail:*:*:trail/*"
  ]
 },
 "cloudtrail:LookupEvents": {
  "arns": [
   "*"
  ]
 },
 "cloudwatch:DescribeAlarms": {
  "arns": [
   "arn:{partition}:cloudwatch:{region}:{account}:alarm:*"
  ]
 },
 "cloudwatch:GetMetricStatistics": {
  "arns": [
   "*"
  ]
 },
 "dynamodb:BatchGetItem": {
  "arns": [
   "{table}"
  ]
 },
 "dynamodb:BatchWriteItem": {
  "arns": [
   "{table}"
  ]
 },
 "dynamodb:DescribeTable": {
  "arns": [
   "{table}"
  ]
 },
 "dynamodb:DescribeTimeToLive": {
  "arns": [
   "{table}"
  ]
 },
 "dynamodb:PutItem": {
  "arns": [
   "{table}"
  ]
 },
 "dynamodb:Query": {
  "arns": [
   "{table_index}"
  ]
 },
 "dynamodb:UpdateItem": {
  "arns": [
   "{table}"
  ]
 },
 "ec2:DescribeDhcpOptions": {
  "arns": [
   "*"
  ]
 },
 "ec2:DescribeEgressOnlyInternetGateways": {
  "arns": [
   "*"
  ]
 },
 "ec2:DescribeInstances": {
  "arns": [
   "*"
  ]
 },
 "ec2:DescribeInternetGateways": {
  "arns": [
   "*"
  ]
 },
 "ec2:DescribeLaunchTemplateVersions": {
  "arns": [
   "*"
  ]
 },
 "ec2:DescribeNatGateways": {
  "arns": [
   "*"
  ]
 },
 "ec2:DescribeNetworkAcls": {
  "arns": [
   "*"
  ]
 },
 "ec2:DescribeNetworkInterfaces": {
  "arns": [
   "*"
  ]
 },
 "ec2:DescribePrefixLists": {
  "arns": [
   "*"
  ]
 },
 "ec2:DescribeRegions": {
  "arns": [
   "*"
  ]
 },
 "ec2:DescribeRouteTables": {
  "arns": [
   "*"
  ]
 },
 "ec2:DescribeSecurityGroups": {
  "arns": [
   "*"
  ]
 },
 "ec2:DescribeSubnets": {
  "arns": [
   "*"
  ]
 },
 "ec2:DescribeTransitGatewayAttachments": {
  "arns": [
   "*"
  ]
 },
 "ec2:DescribeTransitGatewayPeeringAttachments": {
  "arns": [
   "*"
  ]
 },
 "ec2:DescribeTransitGatewayVpcAttachments": {
  "arns": [
   "*"
  ]
 },
 "ec2:DescribeVpcAttribute": {
  "arns": [
   "arn:{partition}:ec2:*:{account}:vpc/*"
  ]
 },
 "ec2:DescribeVpcEndpoints": {
  "arns": [
   "*"
  ]
 },
 "ec2:DescribeVpcPeeringConnections": {
  "arns": [
   "*"
  ]
 },
 "ec2:DescribeVpcs": {
  "arns": [
   "*"
  ]
 },
 "ec2:GetManagedPrefixListEntries": {
  "arns": [
   "arn:{partition}:ec2:*:*:prefix-list/*"
  ]
 },
 "ec2:SearchTransitGatewayRoutes": {
  "arns": [
   "arn:{partition}:ec2:*:{account}:transit-gateway-route-table/*"
  ]
 },
 "ecr:BatchGetImage": {
  "arns": [
   "arn:{partition}:ecr:*:{account}:repository/*"
  ]
 },
 "ecr:DescribeImages": {
  "arns": [
   "arn:{partition}:ecr:*:{account}:repository/*"
  ]
 },
 "ecr:DescribePullThroughCacheRules": {
  "arns": [
   "*"
  ]
 },
 "ecr:DescribeRepositories": {
  "arns": [
   "arn:{partition}:ecr:*:{account}:repository/*"
  ]
 },
 "ecr:DescribeRepositoryCreationTemplates": {
  "arns": [
   "*"
  ]
 },
 "ecr:GetAccountSetting": {
  "arns": [
   "*"
  ]
 },
 "ecr:GetLifecyclePolicy": {
  "arns": [
   "arn:{partition}:ecr:*:{account}:repository/*"
  ]
 },
 "ecr:GetRegistryPolicy": {
  "arns": [
   "*"
  ]
 },
 "ecr:GetRepositoryPolicy": {
  "arns": [
   "arn:{partition}:ecr:*:{account}:repository/*"
  ]
 },
 "ecr:GetSigningConfiguration": {
  "arns": [
   "*"
  ]
 },
 "ecr:ListImages": {
  "arns": [
   "arn:{partition}:ecr:*:{account}:repository/*"
  ]
 },
 "ecr:ListTagsForResource": {
  "arns": [
   "arn:{partition}:ecr:*:{account}:repository/*"
  ]
 },
 "eks:DescribeAccessEntry": {
  "arns": [
   "arn:{partition}:eks:*:{account}:access-entry/*"
  ]
 },
 "eks:DescribeAddon": {
  "arns": [
   "arn:{partition}:eks:*:{account}:addon/*"
  ]
 },
 "eks:DescribeCluster": {
  "arns": [
   "arn:{partition}:eks:*:{account}:cluster/*"
  ]
 },
 "eks:DescribeFargateProfile": {
  "arns": [
   "arn:{partition}:eks:*:{account}:fargateprofile/*"
  ]
 },
 "eks:DescribeNodegroup": {
  "arns": [
   "arn:{partition}:eks:*:{account}:nodegroup/*"
  ]
 },
 "eks:ListAccessEntries": {
  "arns": [
   "arn:{partition}:eks:*:{account}:cluster/*"
  ]
 },
 "eks:ListClusters": {
  "arns": [
   "*"
  ]
 },
 "eks:ListFargateProfiles": {
  "arns": [
   "arn:{partition}:eks:*:{account}:cluster/*"
  ]
 },
 "eks:ListNodegroups": {
  "arns": [
   "arn:{partition}:eks:*:{account}:cluster/*"
  ]
 },
 "events:DescribeRule": {
  "arns": [
   "{rules}"
  ]
 },
 "events:ListRuleNamesByTarget": {
  "arns": [
   "*"
  ]
 },
 "events:ListTargetsByRule": {
  "arns": [
   "{rules}"
  ]
 },
 "iam:GetInstanceProfile": {
  "arns": [
   "arn:{partition}:iam::{account}:instance-profile/*"
  ]
 },
 "iam:GetPolicy": {
  "arns": [
   "arn:{partition}:iam::{account}:policy/*",
   "arn:{partition}:iam::aws:policy/*"
  ]
 },
 "iam:GetPolicyVersion": {
  "arns": [
   "arn:{partition}:iam::{account}:policy/*",
   "arn:{partition}:iam::aws:policy/*"
  ]
 },
 "iam:GetRole": {
  "arns": [
   "arn:{partition}:iam::{account}:role/*"
  ]
 },
 "iam:GetRolePolicy": {
  "arns": [
   "arn:{partition}:iam::{account}:role/*"
  ]
 },
 "iam:ListAttachedRolePolicies": {
  "arns": [
   "arn:{partition}:iam::{account}:role/*"
  ]
 },
 "iam:ListInstanceProfilesForRole": {
  "arns": [
   "arn:{partition}:iam::{account}:role/*"
  ]
 },
 "iam:ListPolicies": {
  "arns": [
   "*"
  ]
 },
 "iam:ListPolicyVersions": {
  "arns": [
   "arn:{partition}:iam::{account}:policy/*",
   "arn:{partition}:iam::aws:policy/*"
  ]
 },
 "iam:ListRolePolicies": {
  "arns": [
   "arn:{partition}:iam::{account}:role/*"
  ]
 },
 "kms:DescribeKey": {
  "arns": [
   "arn:{partition}:kms:*:{account}:key/*"
  ]
 },
 "lambda:GetEventSourceMapping": {
  "arns": [
   "arn:{partition}:lambda:{region}:{account}:event-source-mapping:*"
  ]
 },
 "lambda:GetFunction": {
  "arns": [
   "{function}"
  ]
 },
 "lambda:GetPolicy": {
  "arns": [
   "{function}"
  ]
 },
 "logs:DescribeSubscriptionFilters": {
  "arns": [
   "arn:{partition}:logs:{region}:{account}:log-group:/aws/eks/*"
  ]
 },
 "network-firewall:DescribeFirewall": {
  "arns": [
   "arn:{partition}:network-firewall:*:*:firewall/*"
  ]
 },
 "network-firewall:DescribeFirewallPolicy": {
  "arns": [
   "arn:{partition}:network-firewall:*:*:firewall-policy/*"
  ]
 },
 "network-firewall:DescribeRuleGroup": {
  "arns": [
   "arn:{partition}:network-firewall:*:*:stateful-rulegroup/*"
  ]
 },
 "network-firewall:ListFirewalls": {
  "arns": [
   "arn:{partition}:network-firewall:*:*:firewall/*"
  ]
 },
 "organizations:DescribeOrganization": {
  "arns": [
   "*"
  ]
 },
 "organizations:DescribePolicy": {
  "arns": [
   "arn:{partition}:organizations::*:policy/*",
   "arn:{partition}:organizations::aws:policy/*"
  ]
 },
 "organizations:ListAccounts": {
  "arns": [
   "*"
  ]
 },
 "organizations:ListParents": {
  "arns": [
   "arn:{partition}:organizations::*:account/*",
   "arn:{partition}:organizations::*:ou/*"
  ]
 },
 "organizations:ListPoliciesForTarget": {
  "arns": [
   "arn:{partition}:organizations::*:account/*",
   "arn:{partition}:organizations::*:ou/*",
   "arn:{partition}:organizations::*:root/*"
  ]
 },
 "organizations:ListRoots": {
  "arns": [
   "*"
  ]
 },
 "route53:ListHostedZonesByVPC": {
  "arns": [
   "*"
  ]
 },
 "route53:ListResourceRecordSets": {
  "arns": [
   "arn:{partition}:route53:::hostedzone/*"
  ]
 },
 "route53profiles:ListProfileAssociations": {
  "arns": [
   "*"
  ]
 },
 "route53resolver:GetResolverRule": {
  "arns": [
   "arn:{partition}:route53resolver:*:*:resolver-rule/*"
  ]
 },
 "route53resolver:ListFirewallDomainLists": {
  "arns": [
   "*"
  ]
 },
 "route53resolver:ListFirewallDomains": {
  "arns": [
   "arn:{partition}:route53resolver:*:*:firewall-domain-list/*"
  ]
 },
 "route53resolver:ListFirewallRuleGroupAssociations": {
  "arns": [
   "*"
  ]
 },
 "route53resolver:ListFirewallRules": {
  "arns": [
   "arn:{partition}:route53resolver:*:*:firewall-rule-group/*"
  ]
 },
 "route53resolver:ListResolverRuleAssociations": {
  "arns": [
   "*"
  ]
 },
 "route53resolver:ListResolverRules": {
  "arns": [
   "*"
  ]
 },
 "s3:PutObject": {
  "arns": [
   "{reports}"
  ]
 },
 "secretsmanager:DescribeSecret": {
  "arns": [
   "arn:{partition}:secretsmanager:*:{account}:secret:ecr-pullthroughcache/*"
  ]
 },
 "securityhub:BatchImportFindings": {
  "arns": [
   "arn:{partition}:securityhub:{region}:{account}:product/{account}/default"
  ]
 },
 "securityhub:BatchUpdateFindings": {
  "arns": [
   "arn:{partition}:securityhub:{region}:{account}:hub/default"
  ]
 },
 "securityhub:CreateActionTarget": {
  "arns": [
   "arn:{partition}:securityhub:{region}:{account}:hub/default"
  ]
 },
 "securityhub:CreateInsight": {
  "arns": [
   "arn:{partition}:securityhub:{region}:{account}:hub/default"
  ]
 },
 "securityhub:DeleteActionTarget": {
  "arns": [
   "arn:{partition}:securityhub:{region}:{account}:hub/default"
  ]
 },
 "securityhub:DeleteInsight": {
  "arns": [
   "arn:{partition}:securityhub:{region}:{account}:hub/default"
  ]
 },
 "securityhub:DescribeHub": {
  "arns": [
   "arn:{partition}:securityhub:{region}:{account}:hub/default"
  ]
 },
 "securityhub:GetFindings": {
  "arns": [
   "arn:{partition}:securityhub:{region}:{account}:hub/default"
  ]
 },
 "securityhub:GetInsights": {
  "arns": [
   "arn:{partition}:securityhub:{region}:{account}:hub/default"
  ]
 },
 "securityhub:UpdateInsight": {
  "arns": [
   "arn:{partition}:securityhub:{region}:{account}:hub/default"
  ]
 },
 "sns:ListSubscriptionsByTopic": {
  "arns": [
   "{topics}"
  ]
 },
 "sns:Publish": {
  "arns": [
   "{topic}"
  ]
 },
 "sqs:GetQueueAttributes": {
  "arns": [
   "{queues}"
  ]
 },
 "sqs:SendMessage": {
  "arns": [
   "{queue}"
  ]
 },
 "sts:AssumeRole": {
  "arns": [
   "arn:{partition}:iam::*:role/{member_role}"
  ],
  "condition": [
   "aws:ResourceOrgID",
   "${aws:PrincipalOrgID}"
  ]
 }
}
"""
"""JSON: by action the ARNs, and the key and value of a condition, if there is one."""
