"""A VPC that another account owns and shares: its owner's resources are read, blamed and mended in the owner's account.

What participants see is what the Amazon VPC User Guide says ("Responsibilities and permissions for owners and
participants"): subnets, route tables, network ACLs, internet gateways and the VPC itself, but neither endpoints nor NAT
gateways. moto shares nothing, so the shared objects are put into the participant's account here.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import boto3
import pytest
from moto.backends import get_backend

from tests.integration.network.estate import ACCOUNT, REGION, NetworkEstate, causes, only, opened

if TYPE_CHECKING:
    from pathlib import Path

OWNER = "222222222222"


def owned_by_another(moto: str, folder: Path) -> NetworkEstate:
    sts = boto3.client(
        "sts", region_name=REGION, endpoint_url=moto, aws_access_key_id="test", aws_secret_access_key="test"
    )
    found = sts.assume_role(RoleArn=f"arn:aws:iam::{OWNER}:role/admin", RoleSessionName="owner")["Credentials"]
    keys = (found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])
    return NetworkEstate(moto, folder, account=OWNER, keys=keys).network()


def share(owner: NetworkEstate) -> NetworkEstate:
    """Return the participant: its own cluster, groups and nodes in the owner's subnets."""
    theirs, ours = get_backend("ec2")[OWNER][REGION], get_backend("ec2")[ACCOUNT][REGION]
    ours.vpcs[owner.vpc] = theirs.vpcs[owner.vpc]
    for zone, subnets in theirs.subnets.items():
        ours.subnets[zone] |= {key: each for key, each in subnets.items() if each.vpc_id == owner.vpc}
    ours.route_tables |= {key: each for key, each in theirs.route_tables.items() if each.vpc_id == owner.vpc}
    ours.network_acls |= {key: each for key, each in theirs.network_acls.items() if each.vpc_id == owner.vpc}
    ours.internet_gateways[owner.igw] = theirs.internet_gateways[owner.igw]
    participant = NetworkEstate(owner.endpoint, owner.folder, vpc=owner.vpc, a=owner.a, b=owner.b, public=owner.public)
    return participant.cluster()


@pytest.fixture
def owner(estate: NetworkEstate) -> NetworkEstate:
    return owned_by_another(estate.endpoint, estate.folder)


def test_the_owners_nat_gateway_is_read_in_its_account(owner: NetworkEstate) -> None:
    owner.behind_nat()
    ours = share(owner)
    ours.node()
    diagnosis = ours.diagnose()
    assert causes(diagnosis) == []
    assert diagnosis.inconclusive == ()
    assert {"nat_gateway_unavailable", "no_route_to_ecr"} <= set(diagnosis.passed)


def test_a_missing_route_is_the_owners_to_add(owner: NetworkEstate) -> None:
    owner.behind_nat()
    ours = share(owner)
    ours.node()
    owner.unroute(owner.table_a)
    finding = only(ours.diagnose(), "no_route_to_ecr")
    assert finding.resource.id == f"arn:aws:ec2:{REGION}:{OWNER}:subnet/{owner.a}"
    assert (finding.account, finding.remediation.account) == (OWNER, OWNER)
    owner.run(finding.remediation)
    assert causes(ours.diagnose()) == []


def test_the_owners_endpoints_let_our_group_in_by_its_account_and_id(owner: NetworkEstate) -> None:
    owner.group = owner.security_group("unused")
    owner.endpoints_only()
    ours = share(owner)
    ours.node()
    finding = only(ours.diagnose(), "endpoint_security_group_blocks_ingress")
    assert finding.resource.id == f"arn:aws:ec2:{REGION}:{OWNER}:security-group/{owner.endpoint_group}"
    assert finding.remediation.account == OWNER
    (command,) = finding.remediation.commands
    (permission,) = json.loads(command[command.index("--ip-permissions") + 1])
    assert permission["UserIdGroupPairs"] == [{"GroupId": ours.group, "UserId": ACCOUNT}]
    # moto looks for the other account's group in the caller's account: it is put there, as EC2 would find it.
    theirs = get_backend("ec2")[OWNER][REGION]
    theirs.groups[owner.vpc] |= get_backend("ec2")[ACCOUNT][REGION].groups[owner.vpc]
    owner.run(finding.remediation)
    assert causes(ours.diagnose()) == []


def test_our_own_group_is_ours_to_mend(owner: NetworkEstate) -> None:
    owner.behind_nat()
    ours = share(owner)
    ours.node()
    ours.close_egress(ours.group)
    finding = only(ours.diagnose(), "security_group_blocks_egress")
    assert (finding.resource.account, finding.remediation.account) == (ACCOUNT, ACCOUNT)
    ours.run(finding.remediation)
    assert causes(ours.diagnose()) == []


@pytest.mark.parametrize("way", ["behind_nat", "endpoints_only"])
@pytest.mark.parametrize("also", [(), ("ec2:DescribeVpcs",)], ids=["", "the VPC's record, too"])
def test_an_owner_that_cannot_be_read_is_named_and_nothing_is_blamed(
    owner: NetworkEstate, way: str, also: tuple[str, ...]
) -> None:
    owner.group = owner.security_group("unused")
    getattr(owner, way)()
    ours = share(owner)
    ours.node()
    diagnosis = ours.diagnose(denied=["sts:AssumeRole", *also])
    assert causes(diagnosis) == []
    said = opened(diagnosis)
    needed = {"vpc_endpoint_missing", "vpc_endpoint_unavailable", "endpoint_private_dns_disabled"}
    if way == "behind_nat":
        needed |= {"nat_gateway_unavailable", "no_route_to_ecr"}
    for cause in needed:
        assert f"{OWNER}:role/PullResponderReadOnly" in said[cause]
    # What participants see decides all the same.
    assert "public_ip_missing" not in said
    assert ("vpc_dns_disabled" in diagnosis.passed) or "ec2:DescribeVpcs" in also


def test_dns_servers_that_only_the_owner_sees_are_not_taken_for_amazons(owner: NetworkEstate) -> None:
    owner.behind_nat()
    ec2 = owner.client("ec2")
    wanted = [{"Key": "domain-name-servers", "Values": ["10.0.0.53"]}]
    options = ec2.create_dhcp_options(DhcpConfigurations=wanted)["DhcpOptions"]["DhcpOptionsId"]
    ec2.associate_dhcp_options(DhcpOptionsId=options, VpcId=owner.vpc)
    ec2.modify_vpc_attribute(VpcId=owner.vpc, EnableDnsSupport={"Value": False})
    ours = share(owner)
    ours.node()
    assert "10.0.0.53" in opened(ours.diagnose())["vpc_dns_disabled"]
    diagnosis = ours.diagnose(denied=["sts:AssumeRole"])
    assert causes(diagnosis) == []
    assert f"{OWNER}:role/PullResponderReadOnly" in opened(diagnosis)["vpc_dns_disabled"]
