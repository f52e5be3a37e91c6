"""Whether what was found broken still exists, on moto: it is there, it is gone, and it cannot be read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from botocore.awsrequest import AWSResponse, HTTPHeaders
from moto import mock_aws

from pull_responder.facts.aws import Aws
from pull_responder.facts.existence import is_gone
from pull_responder.facts.reader import Reader
from pull_responder.model.arn import Arn
from pull_responder.model.unread import Unread
from pull_responder.model.verdict import Resource
from pull_responder.permissions import declared_permissions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ACCOUNT: Final = "123456789012"
OTHER: Final = "111111111111"
REGION: Final = "eu-west-1"
MANIFEST: Final = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {},
        "layers": [],
    }
)
TRUST: Final = json.dumps({"Version": "2012-10-17", "Statement": []})


@pytest.fixture(autouse=True)
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with mock_aws():
        yield


def client(service: str) -> Any:  # noqa: ANN401 -- one of boto3's clients
    return boto3.client(service, region_name=REGION)  # type: ignore[call-overload]  # the stubs know literals only


def reader(*denied: str, session: boto3.session.Session | None = None) -> Reader:
    """What our own account reads; AWS refuses the actions in `denied`."""
    session = session or boto3.session.Session(region_name=REGION)

    def refuse(**_: object) -> Any:  # noqa: ANN401 -- botocore's own
        answer = AWSResponse("", 403, HTTPHeaders(), None)
        return answer, {"Error": {"Code": "AccessDenied", "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": 403}}

    for action in denied:
        session.events.register(f"before-call.{action.replace(':', '.')}", refuse)
    identity = Arn("aws", "sts", "", ACCOUNT, "assumed-role/responder/recheck")
    return Reader(Aws(session, member_role="PullResponderReadOnly", identity=identity))


def regional(service: str, resource: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:{service}:{REGION}:{account}:{resource}"


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that exists: what findings call it, what asks for it, and how to take it away."""

    type: str
    id: str
    read_by: str
    remove: Callable[[], object]


def vpc() -> str:
    return str(client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])


def subnet() -> str:
    return str(client("ec2").create_subnet(VpcId=vpc(), CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"])


def a_role() -> Thing:
    iam = client("iam")
    arn = iam.create_role(RoleName="node", Path="/eks/", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    return Thing("AwsIamRole", arn, "iam:GetRole", lambda: iam.delete_role(RoleName="node"))


def an_instance_profile() -> Thing:
    iam = client("iam")
    arn = iam.create_instance_profile(InstanceProfileName="nodes")["InstanceProfile"]["Arn"]
    remove = partial(iam.delete_instance_profile, InstanceProfileName="nodes")
    return Thing("AwsIamInstanceProfile", arn, "iam:GetInstanceProfile", remove)


def a_repository() -> Thing:
    ecr = client("ecr")
    arn = ecr.create_repository(repositoryName="team/app")["repository"]["repositoryArn"]
    remove = partial(ecr.delete_repository, repositoryName="team/app")
    return Thing("AwsEcrRepository", arn, "ecr:DescribeRepositories", remove)


def an_image_by_tag() -> Thing:
    ecr, repository = client("ecr"), a_repository()
    ecr.put_image(repositoryName="team/app", imageTag="v1", imageManifest=MANIFEST)
    remove = partial(ecr.batch_delete_image, repositoryName="team/app", imageIds=[{"imageTag": "v1"}])
    return Thing("AwsEcrContainerImage", f"{repository.id}:v1", "ecr:DescribeImages", remove)


def an_image_by_digest() -> Thing:
    ecr, repository = client("ecr"), a_repository()
    image = ecr.put_image(repositoryName="team/app", imageTag="v1", imageManifest=MANIFEST)["image"]
    remove = partial(ecr.delete_repository, repositoryName="team/app", force=True)
    digest = image["imageId"]["imageDigest"]
    return Thing("AwsEcrContainerImage", f"{repository.id}/{digest}", "ecr:DescribeImages", remove)


def a_subnet() -> Thing:
    made = subnet()
    remove = partial(client("ec2").delete_subnet, SubnetId=made)
    return Thing("AwsEc2Subnet", regional("ec2", f"subnet/{made}"), "ec2:DescribeSubnets", remove)


def a_vpc() -> Thing:
    made = vpc()
    remove = partial(client("ec2").delete_vpc, VpcId=made)
    return Thing("AwsEc2Vpc", regional("ec2", f"vpc/{made}"), "ec2:DescribeVpcs", remove)


def a_route_table() -> Thing:
    made = client("ec2").create_route_table(VpcId=vpc())["RouteTable"]["RouteTableId"]
    remove = partial(client("ec2").delete_route_table, RouteTableId=made)
    return Thing("AwsEc2RouteTable", regional("ec2", f"route-table/{made}"), "ec2:DescribeRouteTables", remove)


def a_network_acl() -> Thing:
    made = client("ec2").create_network_acl(VpcId=vpc())["NetworkAcl"]["NetworkAclId"]
    remove = partial(client("ec2").delete_network_acl, NetworkAclId=made)
    return Thing("AwsEc2NetworkAcl", regional("ec2", f"network-acl/{made}"), "ec2:DescribeNetworkAcls", remove)


def a_security_group() -> Thing:
    made = client("ec2").create_security_group(VpcId=vpc(), GroupName="nodes", Description="nodes")["GroupId"]
    remove = partial(client("ec2").delete_security_group, GroupId=made)
    return Thing("AwsEc2SecurityGroup", regional("ec2", f"security-group/{made}"), "ec2:DescribeSecurityGroups", remove)


def a_nat_gateway() -> Thing:
    ec2 = client("ec2")
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    made = ec2.create_nat_gateway(SubnetId=subnet(), AllocationId=address)["NatGateway"]["NatGatewayId"]
    remove = partial(ec2.delete_nat_gateway, NatGatewayId=made)
    return Thing("Other", regional("ec2", f"natgateway/{made}"), "ec2:DescribeNatGateways", remove)


def an_endpoint() -> Thing:
    ec2 = client("ec2")
    service = f"com.amazonaws.{REGION}.s3"
    made = ec2.create_vpc_endpoint(VpcId=vpc(), ServiceName=service, VpcEndpointType="Gateway")["VpcEndpoint"][
        "VpcEndpointId"
    ]
    remove = partial(ec2.delete_vpc_endpoints, VpcEndpointIds=[made])
    return Thing("Other", regional("ec2", f"vpc-endpoint/{made}"), "ec2:DescribeVpcEndpoints", remove)


def an_instance() -> Thing:
    ec2 = client("ec2")
    made = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)["Instances"][0]["InstanceId"]
    # EC2 shows it for an hour yet, as terminated.
    remove = partial(ec2.terminate_instances, InstanceIds=[made])
    return Thing("AwsEc2Instance", regional("ec2", f"instance/{made}"), "ec2:DescribeInstances", remove)


def a_launch_template() -> Thing:
    ec2 = client("ec2")
    data = {"InstanceType": "m5.large"}
    template = ec2.create_launch_template(LaunchTemplateName="nodes", LaunchTemplateData=data)["LaunchTemplate"]
    made = template["LaunchTemplateId"]
    remove = partial(ec2.delete_launch_template, LaunchTemplateId=made)
    action = "ec2:DescribeLaunchTemplateVersions"
    return Thing("AwsEc2LaunchTemplate", regional("ec2", f"launch-template/{made}"), action, remove)


def a_cluster() -> Thing:
    eks = client("eks")
    role = f"arn:aws:iam::{ACCOUNT}:role/cluster"
    arn = eks.create_cluster(name="prod", roleArn=role, resourcesVpcConfig={"subnetIds": [subnet()]})["cluster"]["arn"]
    return Thing("AwsEksCluster", arn, "eks:DescribeCluster", lambda: eks.delete_cluster(name="prod"))


def make_node_group() -> str:
    role = f"arn:aws:iam::{ACCOUNT}:role/node"
    names = {"clusterName": "prod", "nodegroupName": "workers"}
    made = client("eks").create_nodegroup(**names, nodeRole=role, subnets=[subnet()])
    return str(made["nodegroup"]["nodegroupArn"])


def a_node_group() -> Thing:
    a_cluster()
    arn = make_node_group()
    remove = partial(client("eks").delete_nodegroup, clusterName="prod", nodegroupName="workers")
    return Thing("Other", arn, "eks:DescribeNodegroup", remove)


def a_fargate_profile() -> Thing:
    a_cluster()
    names = {"clusterName": "prod", "fargateProfileName": "jobs"}
    role = f"arn:aws:iam::{ACCOUNT}:role/fargate"
    made = client("eks").create_fargate_profile(**names, podExecutionRoleArn=role, selectors=[{"namespace": "jobs"}])
    arn = made["fargateProfile"]["fargateProfileArn"]
    return Thing("Other", arn, "eks:DescribeFargateProfile", lambda: client("eks").delete_fargate_profile(**names))


THINGS: Final = (
    *(a_role, an_instance_profile, a_repository, an_image_by_tag, an_image_by_digest),
    *(a_subnet, a_vpc, a_route_table, a_network_acl, a_security_group, a_nat_gateway, an_endpoint),
    *(an_instance, a_launch_template, a_cluster, a_node_group, a_fargate_profile),
)


def gone(thing: Thing | str, *denied: str, kind: str = "Other", account: str = ACCOUNT) -> bool | Unread:
    resource = Resource(kind, thing, account) if isinstance(thing, str) else Resource(thing.type, thing.id, account)
    return is_gone(resource, reader(*denied))


@pytest.mark.parametrize("make", THINGS, ids=lambda make: make.__name__)
def test_what_exists_is_not_gone_and_what_was_removed_is(make: Callable[[], Thing]) -> None:
    thing = make()
    assert gone(thing) is False
    thing.remove()
    assert gone(thing) is True


@pytest.mark.parametrize("make", THINGS, ids=lambda make: make.__name__)
def test_what_cannot_be_read_is_not_gone(make: Callable[[], Thing]) -> None:
    thing = make()
    thing.remove()
    answer = gone(thing, thing.read_by)
    assert isinstance(answer, Unread)
    assert answer.reason.startswith(f"{thing.read_by} failed: AccessDenied")
    # What a diagnosis may do is enough.
    assert thing.read_by in declared_permissions()["recheck"]["read"]


@pytest.mark.parametrize("make", [an_image_by_tag, an_image_by_digest], ids=lambda make: make.__name__)
def test_an_image_in_the_archive_exists(make: Callable[[], Thing]) -> None:
    image = make()
    session = boto3.session.Session(region_name=REGION)
    # moto has no archive: here DescribeImages does not show the image, and ListImages does, asked for archived ones.
    session.events.register("after-call.ecr.DescribeImages", lambda parsed, **_: parsed["imageDetails"].clear())
    assert is_gone(Resource(image.type, image.id, ACCOUNT), reader(session=session)) is False


def test_a_key_waits_a_month_and_exists_as_long() -> None:
    kms = client("kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    kms.schedule_key_deletion(KeyId=key.rpartition("/")[2])
    assert gone(key) is False
    assert gone(regional("kms", "key/01234567-89ab-cdef-0123-456789abcdef")) is True
    assert isinstance(gone(key, "kms:DescribeKey"), Unread)


def test_a_node_group_made_anew_is_another_one() -> None:
    first = a_node_group()
    first.remove()
    second = make_node_group()
    assert second != first.id
    assert gone(first) is True
    assert gone(second) is False


def test_a_group_that_is_not_there_may_be_the_owners_of_a_shared_vpc(monkeypatch: pytest.MonkeyPatch) -> None:
    thing = a_security_group()
    thing.remove()
    # moto shares no VPCs; EC2 shows a shared one to those that it is shared with, with its owner.
    monkeypatch.setattr("moto.ec2.models.vpcs.VPC.owner_id", OTHER)
    answer = gone(thing)
    assert isinstance(answer, Unread)
    assert f"is not in {ACCOUNT}, and may belong to the owner of the shared VPC vpc-" in answer.reason
    assert isinstance(gone(thing, "ec2:DescribeVpcs"), Unread)


def test_another_account_that_does_not_let_us_in_tells_nothing() -> None:
    answer = gone(f"arn:aws:iam::{OTHER}:role/node", "sts:AssumeRole", account=OTHER)
    assert isinstance(answer, Unread)


@pytest.mark.parametrize(
    "resource",
    [f"arn:aws:iam::{ACCOUNT}:user/build", f"arn:aws:sts::{ACCOUNT}:assumed-role/ci/run", "unknown", "arn:aws:s3:::b"],
)
def test_what_nobody_here_reads_is_not_gone(resource: str) -> None:
    assert gone(resource) == Unread(f"it cannot be read whether {resource} still exists")


def test_an_account_is_never_gone() -> None:
    assert gone(f"AWS::::Account:{ACCOUNT}", kind="AwsAccount") is False
