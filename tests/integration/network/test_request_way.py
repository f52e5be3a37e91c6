"""Conditions on where a token request comes from: the endpoint that it passes, or the node's public address.

The node itself asks for its token. Of the calls that the registry makes for it, AWS does not say where they come from.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pull_responder.cli.main import main
from tests.integration.network.estate import ACCOUNT, MAY_PULL, REGION, NetworkEstate, causes, opened

if TYPE_CHECKING:
    from pathlib import Path

    from pull_responder.diagnosis import Diagnosis

TOKEN = "ecr:GetAuthorizationToken"
CAUSE = "role_policy_denies_pull"
VPCE_KEYS = ("aws:SourceVpc", "aws:SourceVpcArn", "aws:SourceVpce", "aws:VpceAccount", "aws:VpceOrgID")


def deny(estate: NetworkEstate, condition: dict[str, Any], action: str = TOKEN, role: str = "") -> None:
    """Let the role's policy deny `action` under `condition`."""
    statement = {"Effect": "Deny", "Action": action, "Resource": "*", "Condition": condition}
    document = {"Version": "2012-10-17", "Statement": [*MAY_PULL["Statement"], statement]}
    estate.client("iam").put_role_policy(
        RoleName=role or f"{estate.name}-node", PolicyName="pull", PolicyDocument=json.dumps(document)
    )


def addresses(estate: NetworkEstate) -> list[str]:
    (gateway,) = estate.ec2.describe_nat_gateways(NatGatewayIds=[estate.nat])["NatGateways"]
    return [each["PublicIp"] for each in gateway["NatGatewayAddresses"]]


def assert_decided(diagnosis: Diagnosis, *, denied: bool) -> None:
    assert causes(diagnosis) == ([CAUSE] if denied else [])
    assert CAUSE not in opened(diagnosis)


def test_behind_nat_it_is_the_gateways_address(estate: NetworkEstate) -> None:
    estate.behind_nat().node()
    (address,) = addresses(estate)
    deny(estate, {"NotIpAddress": {"aws:SourceIp": f"{address}/32"}})
    assert_decided(estate.diagnose(), denied=False)
    deny(estate, {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}})
    assert_decided(estate.diagnose(), denied=True)
    deny(estate, {"StringEquals": {"aws:SourceIp": address}})
    assert_decided(estate.diagnose(), denied=True)


def test_a_node_group_without_nodes_leaves_by_its_gateway_too(estate: NetworkEstate) -> None:
    estate.behind_nat().node_group("workers")
    deny(estate, {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}})
    assert_decided(estate.diagnose(node_group="workers"), denied=True)


def test_two_gateways_decide_where_they_agree(estate: NetworkEstate) -> None:
    estate.behind_nat().node_group("workers")
    other = estate.nat_gateway()
    estate.unroute(estate.table_b)
    estate.route(estate.table_b, "0.0.0.0/0", NatGatewayId=other)
    (one,) = addresses(estate)
    deny(estate, {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}})
    assert_decided(estate.diagnose(node_group="workers"), denied=True)
    deny(estate, {"NotIpAddress": {"aws:SourceIp": f"{one}/32"}})
    diagnosis = estate.diagnose(node_group="workers")
    assert causes(diagnosis) == []
    assert "aws:SourceIp" in opened(diagnosis)[CAUSE]


def test_in_a_public_subnet_it_is_the_nodes_own_address(estate: NetworkEstate) -> None:
    node = estate.in_public().node()
    found = estate.ec2.describe_instances(InstanceIds=[node])["Reservations"][0]["Instances"][0]
    deny(estate, {"NotIpAddress": {"aws:SourceIp": found["PublicIpAddress"]}})
    assert_decided(estate.diagnose(), denied=False)
    deny(estate, {"IpAddress": {"aws:SourceIp": found["PublicIpAddress"]}})
    assert_decided(estate.diagnose(), denied=True)


def test_nodes_that_will_get_any_public_address_leave_it_open(estate: NetworkEstate) -> None:
    estate.in_public().node_group("workers", estate.a)
    deny(estate, {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}})
    diagnosis = estate.diagnose(node_group="workers")
    assert causes(diagnosis) == []
    assert "aws:SourceIp" in opened(diagnosis)[CAUSE]


@pytest.mark.parametrize("read", ["ec2:DescribeNatGateways", "ec2:DescribeRouteTables"])
def test_a_way_that_cannot_be_read_leaves_it_open(estate: NetworkEstate, read: str) -> None:
    estate.behind_nat().node()
    deny(estate, {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}})
    diagnosis = estate.diagnose(denied=[read])
    assert CAUSE not in causes(diagnosis)
    assert "aws:SourceIp" in opened(diagnosis)[CAUSE]


def test_the_calls_that_the_registry_makes_have_no_known_address(estate: NetworkEstate) -> None:
    estate.behind_nat().node()
    deny(estate, {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, "ecr:BatchGetImage")
    diagnosis = estate.diagnose()
    assert causes(diagnosis) == []
    assert "aws:SourceIp" in opened(diagnosis)[CAUSE]


@pytest.mark.parametrize("key", VPCE_KEYS)
def test_behind_nat_the_keys_of_endpoints_are_absent(estate: NetworkEstate, key: str) -> None:
    estate.behind_nat().node()
    deny(estate, {"Null": {key: "true"}})
    assert_decided(estate.diagnose(), denied=True)
    deny(estate, {"StringLike": {key: "*"}})
    assert_decided(estate.diagnose(), denied=False)


def test_behind_an_endpoint_there_is_no_public_address(estate: NetworkEstate) -> None:
    estate.endpoints_only().node()
    deny(estate, {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}})
    assert_decided(estate.diagnose(), denied=True)
    deny(estate, {"NotIpAddressIfExists": {"aws:SourceIp": "192.0.2.0/24"}, "Null": {"aws:SourceIp": "false"}})
    assert_decided(estate.diagnose(), denied=False)


def test_behind_an_endpoint_its_vpc_and_owner_are_known(estate: NetworkEstate) -> None:
    estate.endpoints_only().node()
    arn = f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc/{estate.vpc}"
    known = {"aws:SourceVpc": estate.vpc, "aws:SourceVpcArn": arn, "aws:VpceAccount": ACCOUNT}
    for key, value in known.items():
        deny(estate, {"StringNotEquals": {key: value}})
        assert_decided(estate.diagnose(), denied=False)
        deny(estate, {"StringEquals": {key: value}})
        assert_decided(estate.diagnose(), denied=True)


def test_an_account_outside_any_organization_has_endpoints_of_none(estate: NetworkEstate) -> None:
    estate.endpoints_only().node()
    for key in ("aws:VpceOrgID", "aws:VpceOrgPaths"):
        deny(estate, {"Null": {key: "true"}})
        assert_decided(estate.diagnose(), denied=True)
    deny(estate, {"StringNotEquals": {"aws:VpceOrgID": "o-ours"}})
    diagnosis = estate.diagnose(denied=["organizations:DescribeOrganization"])
    assert causes(diagnosis) == []
    assert "aws:VpceOrgID" in opened(diagnosis)[CAUSE]


def test_endpoints_that_cannot_be_read_leave_their_owner_open(estate: NetworkEstate) -> None:
    estate.endpoints_only().node()
    deny(estate, {"StringNotEquals": {"aws:VpceAccount": ACCOUNT}})
    diagnosis = estate.diagnose(denied=["ec2:DescribeVpcEndpoints"])
    assert CAUSE not in causes(diagnosis)
    assert "aws:VpceAccount" in opened(diagnosis)[CAUSE]


def test_the_owner_of_the_endpoint_says_nothing_of_what_the_registry_calls(estate: NetworkEstate) -> None:
    estate.endpoints_only().node()
    deny(estate, {"StringNotEquals": {"aws:VpceAccount": ACCOUNT}}, "ecr:BatchGetImage")
    assert "aws:VpceAccount" in opened(estate.diagnose())[CAUSE]


# IAM User Guide, aws:Ec2InstanceSourceVpc and aws:Ec2InstanceSourcePrivateIPv4: AWS's own policies.
SAME_VPC = {
    "StringNotEquals": {"aws:SourceVpc": "${aws:Ec2InstanceSourceVpc}"},
    "Null": {"ec2:SourceInstanceARN": "false"},
    "BoolIfExists": {"aws:ViaAWSService": "false"},
}
SAME_VPC_TURNED = {**SAME_VPC, "StringNotEquals": {"aws:Ec2InstanceSourceVpc": "${aws:SourceVpc}"}}
SAME_ADDRESS = {**SAME_VPC, "StringNotEquals": {"aws:Ec2InstanceSourcePrivateIPv4": "${aws:VpcSourceIp}"}}


@pytest.mark.parametrize("condition", [SAME_VPC, SAME_VPC_TURNED, SAME_ADDRESS], ids=["vpc", "turned", "address"])
def test_credentials_may_be_used_only_behind_an_endpoint_of_their_vpc(
    estate: NetworkEstate, condition: dict[str, Any]
) -> None:
    estate.behind_nat().node()
    deny(estate, condition)
    assert_decided(estate.diagnose(), denied=True)
    estate.endpoints_only()
    assert_decided(estate.diagnose(), denied=False)


def test_nodes_that_are_not_started_yet_have_their_vpc_and_no_address(estate: NetworkEstate) -> None:
    estate.endpoints_only().node_group("workers")
    deny(estate, SAME_VPC)
    assert_decided(estate.diagnose(node_group="workers"), denied=False)
    deny(estate, {"StringNotEquals": {"aws:Ec2InstanceSourceVpc": estate.vpc}})
    assert_decided(estate.diagnose(node_group="workers"), denied=False)
    deny(estate, {"NotIpAddress": {"aws:Ec2InstanceSourcePrivateIPv4": "10.0.0.0/16"}})
    assert "aws:Ec2InstanceSourcePrivateIPv4" in opened(estate.diagnose(node_group="workers"))[CAUSE]


def test_fargate_pods_have_no_instance(estate: NetworkEstate) -> None:
    estate.behind_nat().fargate_profile("pods")
    deny(estate, {"Null": {"aws:Ec2InstanceSourceVpc": "true"}}, role=f"{estate.name}-pods")
    assert causes(estate.diagnose(fargate_profile="pods")) == [CAUSE]
    deny(estate, {"Null": {"ec2:SourceInstanceARN": "false"}}, role=f"{estate.name}-pods")
    assert causes(estate.diagnose(fargate_profile="pods")) == []


@pytest.mark.parametrize(("block", "found"), [("192.0.2.0/24", [CAUSE]), ("0.0.0.0/0", [])])
def test_a_refused_token_request_on_the_command_line(  # noqa: PLR0913, PLR0917 -- fixtures and a table
    estate: NetworkEstate,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    block: str,
    found: list[str],
) -> None:
    node = estate.behind_nat().node()
    deny(estate, {"NotIpAddress": {"aws:SourceIp": block}})
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{estate.name}-node/{node}"
    detail = {
        "eventSource": "ecr.amazonaws.com",
        "eventName": "GetAuthorizationToken",
        "awsRegion": REGION,
        "eventTime": "2026-03-01T12:00:00Z",
        "errorCode": "AccessDenied",
        "errorMessage": f"User: {arn} is not authorized to perform: {TOKEN} on resource: * with an explicit deny in an "
        "identity-based policy",
        "sourceIPAddress": "203.0.113.99",
        "userIdentity": {"type": "AssumedRole", "arn": arn, "accountId": ACCOUNT},
    }
    envelope = {"source": "aws.ecr", "detail-type": "AWS API Call via CloudTrail", "time": detail["eventTime"]}
    event = {**envelope, "id": "1", "account": ACCOUNT, "region": REGION, "detail": detail}
    (tmp_path / "event.json").write_text(json.dumps(event))
    for key, value in {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION}.items():
        monkeypatch.setenv(key, value)
    file = str(tmp_path / "event.json")
    monkeypatch.setattr(sys, "argv", ["pull-responder", "diagnose", "--event", file, "--format", "json"])
    with pytest.raises(SystemExit) as ended:
        main()
    (answer,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["cause"] for each in answer["findings"]] == found
    assert ended.value.code == (1 if found else 0)
    assert CAUSE not in [each["cause"] for each in answer["inconclusive"]]
