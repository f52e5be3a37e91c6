"""The estate that the demo breaks: a cluster with three node groups, two accounts, and the subscribers.

Each node group has its own role and nodes, so a break of one leaves the others working.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pull_responder.emulator.emulated_aws import ACCOUNT, REGION
from pull_responder.emulator.findings_table import create_table
from pull_responder.permissions import declared_permissions
from pull_responder.settings import MEMBER_ROLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.emulator.emulated_aws import EmulatedAws

PLATFORM_ACCOUNT: Final = "111111111111"
NEIGHBOUR_ACCOUNT: Final = "222222222222"
CLUSTER: Final = "prod"
NODE_GROUPS: Final = ("web", "api", "batch")
FUNCTIONS: Final = ("diagnose", "recheck")
BOUNDARY: Final = f"arn:aws:iam::{ACCOUNT}:policy/workload-boundary"
PULL_ONLY_POLICY: Final = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"
TABLE: Final = "pull-responder-findings"
MAIL_ADDRESS: Final = "platform@example.com"

_MAIL_NAME: Final = "Pull Responder"
_NODES_A_GROUP: Final = 6
_ROLE_PATH: Final = "/eks/"
# EKS User Guide, "Amazon EKS node IAM role" and "Amazon EKS cluster IAM role".
_NODE_POLICIES: Final = ("arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy", PULL_ONLY_POLICY)
_CLUSTER_POLICY: Final = "arn:aws:iam::aws:policy/AmazonEKSClusterPolicy"
_BOUNDED_TO: Final = ["autoscaling:*", "ec2:*", "eks:*", "logs:*", "s3:*", "ssm:*"]
_LAYER: Final = b"the only layer of the demo's images"


@dataclass(frozen=True, slots=True)
class DemoImage:
    """An image in a private repository."""

    account: str
    repository: str
    tag: str

    @property
    def repository_arn(self) -> str:
        """The ARN of its repository."""
        return f"arn:aws:ecr:{REGION}:{self.account}:repository/{self.repository}"

    @property
    def uri(self) -> str:
        """The image as a pod names it."""
        return f"{self.account}.dkr.ecr.{REGION}.amazonaws.com/{self.repository}:{self.tag}"

    @property
    def layer_digest(self) -> str:
        """The digest of its layer."""
        return f"sha256:{hashlib.sha256(_LAYER).hexdigest()}"


SHOP_IMAGE: Final = DemoImage(ACCOUNT, "shop/web", "v1.4.2")
PLATFORM_IMAGE: Final = DemoImage(PLATFORM_ACCOUNT, "platform/base", "3.1")


@dataclass(frozen=True, slots=True)
class Node:
    """An EC2 instance of a node group. `role_id` is the unique id (AROA…) of its role."""

    group: str
    instance_id: str
    role_name: str
    role_arn: str
    role_id: str


@dataclass(frozen=True, slots=True)
class DemoEstate:
    """What was built.

    - `nodes` are by the name of their node group.
    - `function_roles` are the ARNs of the functions' roles, by the functions' names.
    - The topic has two subscribers: the queue `inbox_url` and the address MAIL_ADDRESS.
    """

    aws: EmulatedAws
    nodes: Mapping[str, tuple[Node, ...]]
    function_roles: Mapping[str, str]
    topic_arn: str
    inbox_url: str


def role_name(node_group: str) -> str:
    """Return the name of a node group's role."""
    return f"{CLUSTER}-{node_group}-node"


def role_arn(node_group: str) -> str:
    """Return the ARN of a node group's role, which has a path."""
    return f"arn:aws:iam::{ACCOUNT}:role{_ROLE_PATH}{role_name(node_group)}"


def grant(*accounts: str) -> dict[str, Any]:
    """Return a repository policy that lets `accounts` pull."""
    return _policy(
        Sid="Pull",
        Effect="Allow",
        Principal={"AWS": [f"arn:aws:iam::{account}:root" for account in accounts]},
        Action=["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
    )


def build(aws: EmulatedAws) -> DemoEstate:
    """Build an estate in which everything works. Raises ClientError when the emulated AWS refuses a call."""
    _push(aws, SHOP_IMAGE)
    _push(aws, PLATFORM_IMAGE)
    aws.client("ecr", account=PLATFORM_ACCOUNT).set_repository_policy(
        repositoryName=PLATFORM_IMAGE.repository, policyText=json.dumps(grant(ACCOUNT, NEIGHBOUR_ACCOUNT))
    )
    aws.client("iam").create_policy(
        PolicyName=BOUNDARY.rpartition("/")[2],
        PolicyDocument=json.dumps(_policy(Effect="Allow", Action=_BOUNDED_TO, Resource="*")),
    )
    subnets = _create_cluster(aws)
    nodes = {group: _create_nodes(aws, group, subnets) for group in NODE_GROUPS}
    aws.client("securityhub").enable_security_hub()
    create_table(aws.client("dynamodb"), TABLE)
    topic_arn, inbox_url = _create_topic(aws)
    return DemoEstate(aws, nodes, _create_responder_roles(aws, topic_arn), topic_arn, inbox_url)


def _policy(**statement: object) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [statement]}


def _trust(service: str) -> str:
    """Return a trust policy for the service and the account's root. The demo assumes the role as root instead."""
    principal = {"Service": service, "AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    return json.dumps(_policy(Effect="Allow", Principal=principal, Action="sts:AssumeRole"))


def _push(aws: EmulatedAws, image: DemoImage) -> None:
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": f"sha256:{hashlib.sha256(b'{}').hexdigest()}",
            "size": 2,
        },
        "layers": [
            {
                "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
                "digest": image.layer_digest,
                "size": len(_LAYER),
            }
        ],
    }
    ecr = aws.client("ecr", account=image.account)
    ecr.create_repository(repositoryName=image.repository)
    ecr.put_image(repositoryName=image.repository, imageTag=image.tag, imageManifest=json.dumps(manifest))


def _create_cluster(aws: EmulatedAws) -> list[str]:
    """Create the cluster, and return the ids of its subnets."""
    iam = aws.client("iam")
    role = iam.create_role(RoleName=f"{CLUSTER}-cluster", AssumeRolePolicyDocument=_trust("eks.amazonaws.com"))["Role"]
    iam.attach_role_policy(RoleName=role["RoleName"], PolicyArn=_CLUSTER_POLICY)
    subnets = [subnet["SubnetId"] for subnet in aws.client("ec2").describe_subnets()["Subnets"]]
    aws.client("eks").create_cluster(name=CLUSTER, roleArn=role["Arn"], resourcesVpcConfig={"subnetIds": subnets})
    return subnets


def _create_nodes(aws: EmulatedAws, group: str, subnets: list[str]) -> tuple[Node, ...]:
    iam, name = aws.client("iam"), role_name(group)
    role = iam.create_role(RoleName=name, Path=_ROLE_PATH, AssumeRolePolicyDocument=_trust("ec2.amazonaws.com"))["Role"]
    for policy in _NODE_POLICIES:
        iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    aws.client("eks").create_nodegroup(clusterName=CLUSTER, nodegroupName=group, nodeRole=role["Arn"], subnets=subnets)
    tags = {f"kubernetes.io/cluster/{CLUSTER}": "owned", "eks:cluster-name": CLUSTER, "eks:nodegroup-name": group}
    instances = aws.client("ec2").run_instances(
        ImageId="ami-0123456789abcdef0",
        InstanceType="m7g.large",
        MinCount=_NODES_A_GROUP,
        MaxCount=_NODES_A_GROUP,
        SubnetId=subnets[0],
        IamInstanceProfile={"Name": name},
        TagSpecifications=[
            {"ResourceType": "instance", "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
        ],
    )["Instances"]
    return tuple(Node(group, each["InstanceId"], name, role["Arn"], role["RoleId"]) for each in instances)


def _create_topic(aws: EmulatedAws) -> tuple[str, str]:
    """Create the topic, and subscribe people and a queue to it; return the topic's ARN and the queue's URL."""
    sns, sqs = aws.client("sns"), aws.client("sqs")
    topic_arn = sns.create_topic(Name="pull-responder", Attributes={"DisplayName": _MAIL_NAME})["TopicArn"]
    inbox_url = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    inbox_arn = sqs.get_queue_attributes(QueueUrl=inbox_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    delivery = _policy(
        Effect="Allow",
        Principal={"Service": "sns.amazonaws.com"},
        Action="sqs:SendMessage",
        Resource=inbox_arn,
        Condition={"ArnEquals": {"aws:SourceArn": topic_arn}},
    )
    sqs.set_queue_attributes(QueueUrl=inbox_url, Attributes={"Policy": json.dumps(delivery)})
    sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=inbox_arn)
    sns.subscribe(TopicArn=topic_arn, Protocol="email", Endpoint=MAIL_ADDRESS)
    return topic_arn, inbox_url


def _create_responder_roles(aws: EmulatedAws, topic_arn: str) -> dict[str, str]:
    """Create the functions' roles, and the role with which they read the other account. Return the functions' role
    ARNs.

    All roles have exactly the permissions that the code declares.
    """
    functions = {name: declared_permissions()[name] for name in FUNCTIONS}
    roles = {name: _create_function_role(aws, name, actions, topic_arn) for name, actions in functions.items()}
    there = aws.client("iam", account=PLATFORM_ACCOUNT)
    trust = _policy(Effect="Allow", Principal={"AWS": list(roles.values())}, Action="sts:AssumeRole")
    there.create_role(RoleName=MEMBER_ROLE, AssumeRolePolicyDocument=json.dumps(trust))
    read = _policy(Effect="Allow", Action=functions["diagnose"]["read"], Resource="*")
    there.put_role_policy(RoleName=MEMBER_ROLE, PolicyName="read", PolicyDocument=json.dumps(read))
    return roles


def _create_function_role(aws: EmulatedAws, function: str, actions: Mapping[str, list[str]], topic_arn: str) -> str:
    table_arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{TABLE}"
    resources: Mapping[str, str | list[str]] = {
        "read": "*",
        "publish": [topic_arn, "arn:aws:securityhub:*"],
        "assume": f"arn:aws:iam::*:role/{MEMBER_ROLE}",
        "remember": [table_arn, f"{table_arn}/index/*"],
    }
    iam, name = aws.client("iam"), f"pull-responder-{function}"
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_trust("lambda.amazonaws.com"))["Role"]
    for purpose, resource in resources.items():
        document = _policy(Effect="Allow", Action=actions[purpose], Resource=resource)
        iam.put_role_policy(RoleName=name, PolicyName=purpose, PolicyDocument=json.dumps(document))
    arn: str = role["Arn"]
    return arn
