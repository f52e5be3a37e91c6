"""Who pulls in a world other than a node: Fargate pods, and pods with a pull role of their own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from moto.backends import get_backend

from tests.integration.network.estate import trust
from tests.integration.worlds.fault import broken
from tests.integration.worlds.recorded import OURS, REGION
from tests.integration.worlds.world import World

if TYPE_CHECKING:
    from tests.integration.network.estate import NetworkEstate

PULLERS: Final = ("node", "fargate", "pod")
NAMESPACE: Final = "shop"
PROFILE: Final = "pods"
# moto gives each cluster of a region this issuer anew; worlds set it.
ISSUER: Final = f"oidc.eks.{REGION}.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
_OTHER: Final = f"oidc.eks.{REGION}.amazonaws.com/id/FEDCBA9876543210FEDCBA9876543210"


def _is_pod(world: World) -> bool:
    return world.puller == "pod"


BREAKS: Final = {
    f"trust names {what}": broken("role_trust_policy_excludes_service", "iam:GetRole", where=_is_pod, trust=what)
    for what in ("another issuer", "another audience", "another subject")
}
READS: Final = ("eks:DescribeFargateProfile", "eks:ListFargateProfiles", "ec2:DescribeNetworkInterfaces")


def trust_of(world: World) -> str:
    """The trust policy of the pulling role."""
    if world.puller == "pod":
        return _web_identity(world.trust)
    right = "eks-fargate-pods" if world.puller == "fargate" else "ec2"
    return trust(*(right if each == "ec2" else each for each in world.trust.split()))


def provider(issuer: str = ISSUER) -> str:
    return f"arn:aws:iam::{OURS}:oidc-provider/{issuer}"


def run_fargate_pod(estate: NetworkEstate) -> str:
    """The address of a running Fargate pod."""
    made = estate.ec2.create_network_interface(SubnetId=estate.a, Groups=[estate.group])
    address: str = made["NetworkInterface"]["PrivateIpAddress"]
    return address


def set_cluster(estate: NetworkEstate, cluster: str) -> None:
    """Give the cluster what moto's clusters lack: an issuer of its own, its VPC and its security group."""
    found = get_backend("eks")[OURS][REGION].clusters[cluster]
    found.identity = {"oidc": {"issuer": f"https://{ISSUER}"}}
    found.resources_vpc_config |= {"clusterSecurityGroupId": estate.group, "vpcId": estate.vpc}


def _web_identity(what: str) -> str:
    issuer = _OTHER if what == "another issuer" else ISSUER
    audience = "sts.example.com" if what == "another audience" else "sts.amazonaws.com"
    subject = "repo:example/app" if what == "another subject" else f"system:serviceaccount:{NAMESPACE}:web"
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Principal": {"Federated": provider(issuer)},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{issuer}:aud": audience, f"{issuer}:sub": subject}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
