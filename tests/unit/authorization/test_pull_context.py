"""The condition keys of a real pull. Source: IAM User Guide, "AWS global condition context keys"."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from pull_responder.authorization.partly_known import Beginning, OneOf
from pull_responder.authorization.pull_context import ABSENT, pull_context
from pull_responder.authorization.request import UNKNOWN, RequestError
from tests.unit.authorization.statements import ACCOUNT, ROLE, SESSION, Json, allow, decide, policy, request

ALLOWED = "Allowed"
DENIED = "ImplicitlyDenied"
UNDECIDED = "Undecided"
TWO = OneOf(("203.0.113.9", "203.0.113.10"))  # a NAT gateway with two Elastic IP addresses


def on(condition: Json, **facts: Any) -> str:  # noqa: ANN401 -- any fact of a pull
    context = pull_context(principal=SESSION, **facts)
    return decide(request(context=context), identity=(policy(allow(Condition=condition)),)).decision


def equals(key: str, value: str) -> Json:
    return {"StringEquals": {key: value}}


@pytest.mark.parametrize(
    ("facts", "condition", "expected"),
    [
        ({"role_arn": ROLE}, {"ArnEquals": {"aws:PrincipalArn": ROLE}}, ALLOWED),
        ({"role_arn": ROLE}, {"ArnEquals": {"aws:PrincipalArn": ROLE + "s"}}, DENIED),
        ({}, {"ArnEquals": {"aws:PrincipalArn": ROLE}}, UNDECIDED),  # the session's ARN has dropped the path
        ({}, equals("aws:PrincipalAccount", ACCOUNT), ALLOWED),
        ({}, equals("aws:PrincipalType", "AssumedRole"), ALLOWED),
        ({}, {"Bool": {"aws:PrincipalIsAWSService": "false"}}, ALLOWED),
        ({}, {"Bool": {"aws:SecureTransport": "true"}}, ALLOWED),
        ({}, {"Null": {"aws:SourceArn": "true"}}, ALLOWED),
        ({}, {"Null": {"s3:prefix": "true"}}, ALLOWED),  # another service's key
        ({}, equals("ecr:AccountSetting", "x"), UNDECIDED),
        ({}, {"Null": {"aws:username": "true"}}, ALLOWED),  # only users have a user name
        ({}, {"Null": {"aws:MultiFactorAuthPresent": "true"}}, UNDECIDED),
        ({"principal_org_id": "o-1"}, equals("aws:PrincipalOrgID", "o-1"), ALLOWED),
        ({"principal_org_id": ABSENT}, {"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}, ALLOWED),
        ({"principal_org_id": ABSENT}, {"Null": {"aws:PrincipalOrgPaths": "true"}}, ALLOWED),
        ({}, equals("aws:PrincipalOrgID", "o-1"), UNDECIDED),
        (
            {"principal_org_id": "o-1", "principal_org_paths": ("o-1/r-1/ou-1/",)},
            {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-1/r-1/*"}},
            ALLOWED,
        ),
        ({"resource_org_id": "o-1"}, equals("aws:ResourceOrgID", "o-1"), ALLOWED),
        ({"resource_org_id": ABSENT}, {"Null": {"aws:ResourceOrgPaths": "true"}}, ALLOWED),
        ({"resource_org_id": "o-1"}, {"Null": {"aws:ResourceOrgPaths": "true"}}, UNDECIDED),
        (
            {"resource_org_id": "o-1", "resource_org_paths": ("o-1/r-1/",)},
            {"ForAnyValue:StringLike": {"aws:ResourceOrgPaths": "o-1/*"}},
            ALLOWED,
        ),
        ({"registry_account": ACCOUNT}, equals("aws:ResourceAccount", ACCOUNT), ALLOWED),
        # Of requests without a resource, such as for a token, AWS does not say whether they have this.
        ({}, equals("aws:ResourceAccount", ACCOUNT), UNDECIDED),
        ({"region": "eu-west-1"}, equals("aws:RequestedRegion", "eu-west-1"), ALLOWED),
        ({"principal_tags": {"team": "blue"}}, equals("aws:PrincipalTag/team", "blue"), ALLOWED),
        ({"principal_tags": {"team": "blue"}}, equals("aws:PrincipalTag/owner", "ann"), DENIED),
        ({}, equals("aws:PrincipalTag/team", "blue"), UNDECIDED),
        ({"resource_tags": {"team": "blue"}}, equals("aws:ResourceTag/team", "blue"), ALLOWED),
        ({"resource_tags": {"team": "blue"}}, equals("ecr:ResourceTag/team", "blue"), ALLOWED),
        ({"resource_tags": {}}, equals("ecr:ResourceTag/team", "blue"), DENIED),
        ({}, equals("ecr:ResourceTag/team", "blue"), UNDECIDED),
        ({"endpoint_id": "vpce-1", "vpc_id": "vpc-1"}, equals("aws:SourceVpce", "vpce-1"), ALLOWED),
        ({"endpoint_id": "vpce-1", "vpc_id": "vpc-1"}, equals("aws:SourceVpc", "vpc-1"), ALLOWED),
        ({"endpoint_id": "vpce-1"}, {"Null": {"aws:SourceIp": "true"}}, ALLOWED),
        ({"endpoint_id": ABSENT, "vpc_id": "vpc-1"}, {"Null": {"aws:SourceVpc": "true"}}, ALLOWED),
        ({"vpc_arn": "arn:aws:ec2:eu-west-1:1:vpc/v"}, {"ArnLike": {"aws:SourceVpcArn": "arn:*:*:*:1:vpc/*"}}, ALLOWED),
        ({}, {"ArnLike": {"aws:SourceVpcArn": "arn:aws:ec2:*:*:vpc/v"}}, UNDECIDED),
        ({"endpoint_account": ACCOUNT}, equals("aws:VpceAccount", ACCOUNT), ALLOWED),
        ({"endpoint_account": ABSENT}, {"Null": {"aws:VpceAccount": "true"}}, ALLOWED),
        ({}, equals("aws:VpceAccount", ACCOUNT), UNDECIDED),
        ({"endpoint_org_id": "o-1"}, equals("aws:VpceOrgID", "o-2"), DENIED),
        ({"endpoint_org_id": ABSENT}, {"Null": {"aws:VpceOrgPaths": "true"}}, ALLOWED),
        ({"endpoint_org_id": "o-1"}, {"Null": {"aws:VpceOrgPaths": "true"}}, UNDECIDED),
        (
            {"endpoint_org_id": "o-1", "endpoint_org_paths": Beginning("o-1/")},
            {"ForAnyValue:StringLike": {"aws:VpceOrgPaths": "o-1/*"}},
            ALLOWED,
        ),
        ({"endpoint_id": ABSENT}, {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}, ALLOWED),
        ({}, {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}, UNDECIDED),
        ({}, {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, UNDECIDED),
        ({"source_ip": "203.0.113.9"}, {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, ALLOWED),
        ({"source_ip": TWO}, {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}, ALLOWED),
        ({"source_ip": TWO}, {"NotIpAddress": {"aws:SourceIp": ["203.0.113.9", "203.0.113.10"]}}, DENIED),
        ({"source_ip": TWO}, {"IpAddress": {"aws:SourceIp": "203.0.113.9"}}, UNDECIDED),
        ({"source_ip": TWO}, {"StringLike": {"aws:SourceIp": "203.0.113.*"}}, ALLOWED),
        ({"source_ip": TWO}, {"Null": {"aws:SourceIp": "true"}}, DENIED),
        ({"source_ip": TWO, "endpoint_id": "vpce-1"}, {"Null": {"aws:SourceIp": "true"}}, ALLOWED),
        (
            {"endpoint_id": "vpce-1", "vpc_source_ip": "10.0.0.5"},
            {"IpAddress": {"aws:VpcSourceIp": "10.0.0.0/8"}},
            ALLOWED,
        ),
        ({"endpoint_id": ABSENT, "vpc_source_ip": "10.0.0.5"}, {"Null": {"aws:VpcSourceIp": "true"}}, ALLOWED),
        ({}, {"Bool": {"aws:ViaAWSService": "false"}}, UNDECIDED),
        ({"via_aws_service": False}, {"Bool": {"aws:ViaAWSService": "false"}}, ALLOWED),
        ({"via_aws_service": False}, equals("aws:ViaAWSService", "false"), ALLOWED),
        ({"via_aws_service": True}, equals("aws:ViaAWSService", "true"), ALLOWED),
        ({"via_aws_service": False}, {"Null": {"aws:CalledVia": "true"}}, ALLOWED),
        ({"via_aws_service": False}, {"Null": {"aws:CalledViaFirst": "true"}}, ALLOWED),
        ({"via_aws_service": False}, {"Null": {"aws:CalledViaLast": "true"}}, ALLOWED),
        ({}, {"Null": {"aws:CalledVia": "true"}}, UNDECIDED),
        (
            {"instance_arn": f"arn:aws:ec2:eu-west-1:{ACCOUNT}:instance/i-0123456789abcdef0"},
            {"ArnLike": {"ec2:SourceInstanceARN": f"arn:aws:ec2:*:{ACCOUNT}:instance/*"}},
            ALLOWED,
        ),
        ({"instance_arn": ABSENT}, {"Null": {"ec2:SourceInstanceARN": "true"}}, ALLOWED),
        ({"instance_vpc_id": "vpc-1"}, equals("aws:Ec2InstanceSourceVpc", "vpc-1"), ALLOWED),
        ({"instance_private_ip": "10.0.0.5"}, equals("aws:Ec2InstanceSourcePrivateIPv4", "10.0.0.5"), ALLOWED),
        ({"role_delivery": "2.0"}, {"NumericGreaterThanEquals": {"ec2:RoleDelivery": "2.0"}}, ALLOWED),
        (
            {"current_time": datetime(2024, 6, 1, 12, tzinfo=UTC)},
            {"DateLessThan": {"aws:CurrentTime": "2024-06-01T12:00:01Z"}},
            ALLOWED,
        ),
        (
            {"current_time": datetime(2024, 6, 1, 12, tzinfo=UTC)},
            {"NumericEquals": {"aws:EpochTime": "1717243200"}},
            ALLOWED,
        ),
        ({}, {"DateLessThan": {"aws:CurrentTime": "2024-06-01T12:00:01Z"}}, UNDECIDED),
        (
            {"token_issue_time": datetime(2024, 6, 1, 12, tzinfo=UTC)},
            {"DateLessThan": {"aws:TokenIssueTime": "2024-06-01T12:00:01Z"}},
            ALLOWED,
        ),
        ({}, {"DateLessThan": {"aws:TokenIssueTime": "2024-06-01T12:00:01Z"}}, UNDECIDED),
    ],
    ids=str,
)
def test_key(facts: Json, condition: Json, expected: str) -> None:
    assert on(condition, **facts) == expected


def test_another_roles_arn_is_rejected() -> None:
    with pytest.raises(RequestError, match="is not the role of principal"):
        pull_context(principal=SESSION, role_arn=ROLE + "s")


@pytest.mark.parametrize(
    "key",
    [
        "aws:PrincipalServiceName",
        "aws:PrincipalServiceNamesList",
        "aws:SourceAccount",
        "aws:SourceArn",
        "aws:SourceOrgID",
        "aws:SourceOrgPaths",
        "aws:RequestTag/team",
        "aws:TagKeys",
    ],
)
def test_a_pull_never_sends_what_services_and_calls_with_tags_send(key: str) -> None:
    assert on({"Null": {key: "true"}}) == ALLOWED
    assert on({"Null": {key: "false"}}) == DENIED


@pytest.mark.parametrize(
    ("principal", "kind"),
    [
        (SESSION, "AssumedRole"),
        (ROLE, "AssumedRole"),
        (f"arn:aws:iam::{ACCOUNT}:user/ci", "User"),
        (f"arn:aws:iam::{ACCOUNT}:root", "Account"),
        (f"arn:aws:sts::{ACCOUNT}:federated-user/ci", "FederatedUser"),
    ],
)
def test_the_type_of_the_principal(principal: str, kind: str) -> None:
    context = pull_context(principal=principal)
    assert context["aws:PrincipalType"] == kind
    assert context["aws:PrincipalIsAWSService"] == "false"


@pytest.mark.parametrize(
    ("principal", "arn"),
    [
        (ROLE, ROLE),
        (f"arn:aws:iam::{ACCOUNT}:user/ci", f"arn:aws:iam::{ACCOUNT}:user/ci"),
        (SESSION, UNKNOWN),  # it has dropped the path of the role
        ("ecr.amazonaws.com", ABSENT),
    ],
)
def test_the_arn_of_the_principal(principal: str, arn: object) -> None:
    """IAM User Guide, "AWS global condition context keys": for a role's session it is the ARN of the role."""
    assert pull_context(principal=principal)["aws:PrincipalArn"] == arn


def test_a_service_is_one() -> None:
    assert pull_context(principal="ecr.amazonaws.com")["aws:PrincipalIsAWSService"] == "true"


def test_a_user_may_have_any_name() -> None:
    assert "aws:username" not in pull_context(principal=f"arn:aws:iam::{ACCOUNT}:user/ci")
    assert pull_context(principal=SESSION)["aws:username"] == ABSENT
