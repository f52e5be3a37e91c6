"""The failures and findings that the causes' pages show: the way to the registry, and the node."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from moto.backends import get_backend

from pull_responder.diagnosis import diagnose
from pull_responder.events.kubelet_message import read_message
from pull_responder.facts.reader import Reader
from pull_responder.pulls.pull_facts import PullFacts
from tests.integration.network.estate import ACCOUNT, REGION, NetworkEstate, trust
from tests.integration.network.test_causes import (
    acl_denies_out,
    no_egress,
    no_interface,
    private_dns_off,
    s3_in_another_table,
    second_nat_instead,
)
from tests.integration.network.test_endpoint_policies import BUCKET, allow, policy
from tests.integration.network.test_failures import failure

if TYPE_CHECKING:
    from collections.abc import Callable

    Example = Callable[..., None]

HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
REQUEST = f'failed to resolve reference "IMAGE": failed to do request: Head "https://{HOST}/v2/NAME/app/manifests/v1": '
TIMEOUT = REQUEST + "dial tcp 44.213.79.50:443: i/o timeout"
TIMEOUT_TO_ENDPOINT = REQUEST + "dial tcp 10.0.1.57:443: i/o timeout"
NO_CREDENTIALS = (
    'failed to resolve reference "IMAGE": pull access denied, repository does not exist or may require authorization: '
    "authorization failed: no basic auth credentials"
)
NO_NAME = REQUEST + f"dial tcp: lookup {HOST}: i/o timeout"
NO_SUCH_HOST = REQUEST + f"dial tcp: lookup {HOST} on 10.0.0.2:53: no such host"
LAYER = (
    f"failed to copy: httpReadSeeker: failed open: failed to do request: Get "
    f'"https://prod-{REGION}-starport-layer-bucket.s3.{REGION}.amazonaws.com/0f0f-0f0f/ab": '
)


def show(example: Example, estate: NetworkEstate, error: str, cause: str, *, by_session: bool = True) -> None:
    """What kubelet said of the pull of the estate's node, and what is found."""
    named = error.replace("IMAGE", estate.image).replace("NAME", estate.name)
    image = estate.image
    message = (
        f'Failed to pull image "{image}": rpc error: code = Unknown desc = failed to pull and unpack image "{image}": '
        f"{named}"
    )
    read = read_message(message)
    pull = replace(
        failure(estate, read.symptom, session=estate.instance if by_session else "", node=estate.instance),
        stage=read.stage,
        message=message,
        observed_at="2026-03-01T12:00:00Z",
        namespace="shop",
        pod="web-0",
    )
    diagnosis = diagnose(pull, PullFacts(Reader(estate.aws())))
    (finding,) = [each for each in diagnosis.findings if each.cause == cause]
    example(message, diagnosis, finding, prod=estate.name)


def test_no_route_to_ecr(estate: NetworkEstate, example: Example) -> None:
    estate.behind_nat().node()
    estate.unroute(estate.table_a)
    show(example, estate, TIMEOUT, "no_route_to_ecr")


def test_nat_gateway_unavailable(estate: NetworkEstate, example: Example) -> None:
    estate.behind_nat().node()
    second_nat_instead(estate)
    show(example, estate, TIMEOUT, "nat_gateway_unavailable")


def test_public_ip_missing(estate: NetworkEstate, example: Example) -> None:
    estate.in_public()
    estate.ec2.modify_subnet_attribute(SubnetId=estate.a, MapPublicIpOnLaunch={"Value": False})
    estate.node()
    show(example, estate, TIMEOUT, "public_ip_missing")


def test_security_group_blocks_egress(estate: NetworkEstate, example: Example) -> None:
    estate.behind_nat().node()
    no_egress(estate)
    show(example, estate, TIMEOUT, "security_group_blocks_egress")


def test_network_acl_blocks_traffic(estate: NetworkEstate, example: Example) -> None:
    estate.behind_nat().node()
    acl_denies_out(estate)
    show(example, estate, TIMEOUT, "network_acl_blocks_traffic")


def test_vpc_endpoint_missing(estate: NetworkEstate, example: Example) -> None:
    estate.endpoints_only().node()
    estate.delete_endpoint("ecr.dkr")
    show(example, estate, TIMEOUT, "vpc_endpoint_missing")


def test_vpc_endpoint_unavailable(estate: NetworkEstate, example: Example) -> None:
    estate.endpoints_only().node()
    no_interface(estate)
    show(example, estate, TIMEOUT_TO_ENDPOINT, "vpc_endpoint_unavailable")


def test_endpoint_private_dns_disabled(estate: NetworkEstate, example: Example) -> None:
    estate.endpoints_only().node()
    private_dns_off(estate)
    show(example, estate, TIMEOUT, "endpoint_private_dns_disabled")


def test_endpoint_security_group_blocks_ingress(estate: NetworkEstate, example: Example) -> None:
    estate.endpoints_only().node()
    estate.close_ingress(estate.endpoint_group, estate.group)
    show(example, estate, TIMEOUT_TO_ENDPOINT, "endpoint_security_group_blocks_ingress")


def test_s3_endpoint_not_in_route_table(estate: NetworkEstate, example: Example) -> None:
    estate.endpoints_only().node()
    s3_in_another_table(estate)
    show(example, estate, LAYER + "dial tcp 52.217.13.8:443: i/o timeout", "s3_endpoint_not_in_route_table")


def test_s3_endpoint_policy_blocks_layers(estate: NetworkEstate, example: Example) -> None:
    estate.endpoints_only().node()
    estate.delete_endpoint("s3")
    estate.gateway_endpoint(policy=policy(allow("s3:GetObject", on="arn:aws:s3:::my-bucket/*")))
    forbidden = (
        "failed to copy: httpReadSeeker: failed open: unexpected status code "
        f"https://{BUCKET.rpartition(':')[2]}.s3.{REGION}.amazonaws.com/0f0f-0f0f/ab: 403 Forbidden"
    )
    show(example, estate, forbidden, "s3_endpoint_policy_blocks_layers")


def test_vpc_dns_disabled(estate: NetworkEstate, example: Example) -> None:
    estate.behind_nat().node()
    estate.ec2.modify_vpc_attribute(VpcId=estate.vpc, EnableDnsSupport={"Value": False})
    show(example, estate, NO_NAME, "vpc_dns_disabled")


def test_instance_profile_missing(estate: NetworkEstate, example: Example) -> None:
    estate.behind_nat().node(profile=False)
    show(example, estate, NO_CREDENTIALS, "instance_profile_missing", by_session=False)


def test_role_trust_policy_excludes_service(estate: NetworkEstate, example: Example) -> None:
    estate.behind_nat().node()
    role = f"{estate.name}-node"
    estate.client("iam").update_assume_role_policy(RoleName=role, PolicyDocument=trust("lambda"))
    show(example, estate, NO_CREDENTIALS, "role_trust_policy_excludes_service", by_session=False)


def test_instance_metadata_disabled(estate: NetworkEstate, example: Example) -> None:
    estate.behind_nat().node(metadata="disabled")
    show(example, estate, NO_CREDENTIALS, "instance_metadata_disabled", by_session=False)


def test_node_group_unhealthy(estate: NetworkEstate, example: Example) -> None:
    estate.behind_nat().node_group("workers")
    estate.node(group="workers")
    # moto, which runs in this process, has nothing to report by itself.
    group = get_backend("eks")[ACCOUNT][REGION].clusters[estate.name].nodegroups["workers"]
    said = "Your EKS managed node group has no IAM role"
    group.health = {"issues": [{"code": "IamNodeRoleNotFound", "message": said, "resourceIds": [estate.role]}]}
    show(example, estate, NO_CREDENTIALS, "node_group_unhealthy", by_session=False)
