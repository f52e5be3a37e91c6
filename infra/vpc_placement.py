"""Functions in a VPC: what Lambda needs to attach them, and what their own code may not do with it."""

from __future__ import annotations

from typing import Final

from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_

from infra.deployment_checks import Vpc
from infra.escape_hatch import cfn_resource
from infra.permissions import Grant

_CHANGES: Final = (
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:UnassignPrivateIpAddresses",
)
# Lambda makes and removes network interfaces with the function's role. These are the actions on EC2 of the AWS managed
# policy AWSLambdaVPCAccessExecutionRole, on the resources that it has.
GRANTS: Final = (Grant(("ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", *_CHANGES), ("*",)),)


def denial() -> iam.PolicyStatement:
    """Return the statement that keeps the function's own code from what Lambda may do with its role: it only reads.

    Calls of a function's code, and no others, have this key: Lambda developer guide, "Working with Lambda execution
    environment credentials", and "Giving Lambda functions access to resources in an Amazon VPC", which advises such a
    denial.
    """
    return iam.PolicyStatement(
        effect=iam.Effect.DENY,
        actions=list(_CHANGES),
        resources=["*"],
        conditions={"Null": {"lambda:SourceFunctionArn": "false"}},
    )


def place(function: lambda_.Function, vpc: Vpc) -> None:
    """Put the function into the subnets.

    The construct's own `vpc` would look up the VPC, and attach a managed policy to the role.
    """
    cfn_resource(function, lambda_.CfnFunction).vpc_config = lambda_.CfnFunction.VpcConfigProperty(
        subnet_ids=list(vpc.subnet_ids), security_group_ids=list(vpc.security_group_ids)
    )
