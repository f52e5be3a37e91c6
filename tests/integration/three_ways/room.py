"""The estate that the inputs share, in the emulated AWS: nodes that may pull, and where they are."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pull_responder.settings import MEMBER_ROLE
from tests.integration.handlers.test_diagnose import ACCOUNT, denial
from tests.integration.handlers.test_names import PULL, Spoke
from tests.integration.handlers.test_signals import REGISTRY, forwarded
from tests.unit.events.audit_records import RECORD, container, delivered, record

if TYPE_CHECKING:
    from pull_responder.emulator.emulated_aws import EmulatedAws

# A stranger's account, which we may not read, and one that AWS owns.
STRANGER = "999999999999"
OF_AWS = "602401143452"
# The images are pushed when the tests run, and the pulls fail after that.
LATER = "2099-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Room:
    """A cluster's nodes: one behind an internet gateway, where nothing is broken, and one in a spoke of a hub.

    The third is shut in: no route leads out of its VPC, and its role may do nothing.
    `member` is another account, which Pull Responder may read.
    """

    aws: EmulatedAws
    spoke: Spoke
    shut_in: Spoke
    role: str
    instance: str
    member: str

    def repository(self, *, pushed: bool = True) -> str:
        """The name of a new repository of ours, with an image v1."""
        name, ecr = f"ways/{uuid4().hex[:8]}", self.aws.client("ecr")
        ecr.create_repository(repositoryName=name)
        if pushed:
            layer = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": f"sha256:{'b' * 64}"}
            manifest = {
                "schemaVersion": 2,
                "mediaType": "application/vnd.oci.image.manifest.v1+json",
                "config": {
                    "mediaType": "application/vnd.oci.image.config.v1+json",
                    "digest": f"sha256:{'a' * 64}",
                    "size": 1,
                },
                "layers": [{**layer, "size": 1}],
                "annotations": {"name": name},
            }
            ecr.put_image(repositoryName=name, imageTag="v1", imageManifest=json.dumps(manifest))
        return name

    def event(self, message: str, image: str, *, reason: str = "Failed", node: str = "") -> dict[str, Any]:
        """kubelet's event, as a forwarder sends it. `image` is in the message too, if kubelet wrote it there."""
        event = forwarded(image, node or f"{self.instance}.ec2.internal")
        event["detail"] |= {"message": message, "reason": reason}
        event["detail"] |= dict.fromkeys(("firstTimestamp", "lastTimestamp", "eventTime"), LATER)
        return event

    def audited(self, message: str | None, image: str, *, reason: str = "ErrImagePull") -> dict[str, Any]:
        """The audit record of the pod's status, as CloudWatch Logs delivers it."""
        extra = {
            "arn": [f"arn:aws:sts::{ACCOUNT}:assumed-role/{self.role}/{self.instance}"],
            "sessionName": [self.instance],
        }
        waiting = container(image, message=message or "", reason=reason)
        if message is None:
            del waiting["state"]["waiting"]["message"]
        return delivered(
            record(
                waiting, requestReceivedTimestamp=LATER, stageTimestamp=LATER, user={**RECORD["user"], "extra": extra}
            ),
            owner=ACCOUNT,
        )

    def refused(  # noqa: PLR0913 -- each is one keyword
        self,
        repository: str,
        reason: str,
        *,
        account: str = ACCOUNT,
        role: str = "",
        session: str = "",
        action: str = "BatchGetImage",
    ) -> dict[str, Any]:
        """CloudTrail's record of a refused call; `reason` is what AWS says after it.

        It is BatchGetImage of the sound node, unless another role's session or another action is named.
        """
        arn = f"arn:aws:ecr:us-east-1:{account}:repository/{repository}"
        event = denial(role or self.role, session or self.instance, action=action, resource=arn)
        words = event["detail"]["errorMessage"].partition(" because ")[0]
        # What a cache needs is asked by ECR itself, within the call that fetches the manifest.
        event["detail"] |= {"errorMessage": words + reason, "eventName": "BatchGetImage"}
        event["detail"]["eventTime"] = LATER
        return event


def make_room(aws: EmulatedAws) -> Room:
    """Build the room."""
    ec2, iam, role = aws.client("ec2"), aws.client("iam"), f"node-{uuid4().hex[:8]}"
    vpc = ec2.create_vpc(CidrBlock="10.8.0.0/16")["Vpc"]["VpcId"]
    for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
        ec2.modify_vpc_attribute(VpcId=vpc, **{attribute: {"Value": True}})
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.8.0.0/24")["Subnet"]["SubnetId"]
    ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    group = ec2.create_security_group(GroupName=role, Description="nodes", VpcId=vpc)["GroupId"]
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}))
    allow = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": PULL, "Resource": "*"}]}
    iam.put_role_policy(RoleName=role, PolicyName="pull", PolicyDocument=json.dumps(allow))
    iam.create_instance_profile(InstanceProfileName=role)
    iam.add_role_to_instance_profile(InstanceProfileName=role, RoleName=role)
    tags = [{"Key": "eks:cluster-name", "Value": "prod"}, {"Key": "kubernetes.io/cluster/prod", "Value": "owned"}]
    (node,) = ec2.run_instances(
        ImageId="ami-12345678",
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet,
        SecurityGroupIds=[group],
        IamInstanceProfile={"Name": role},
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )["Instances"]
    shut_in = Spoke(aws)
    ec2.delete_route(RouteTableId=shut_in.table, DestinationCidrBlock="10.0.0.0/8")
    iam.delete_role_policy(RoleName=shut_in.role, PolicyName="pull")
    return Room(aws, Spoke(aws), shut_in, role, node["InstanceId"], _make_member(aws))


def _make_member(aws: EmulatedAws) -> str:
    """An account with the role that Pull Responder reads others with."""
    account = str(10**11 + uuid4().int % 10**11)
    iam = aws.client("iam", account=account)
    trust = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
    read = {"Effect": "Allow", "Action": ["ecr:Describe*", "ecr:Get*"], "Resource": "*"}
    iam.create_role(
        RoleName=MEMBER_ROLE, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    rules = json.dumps({"Version": "2012-10-17", "Statement": [read]})
    iam.put_role_policy(RoleName=MEMBER_ROLE, PolicyName="read", PolicyDocument=rules)
    return account


def image_of(repository: str, *, registry: str = REGISTRY) -> str:
    return f"{registry}/{repository}:v1"
