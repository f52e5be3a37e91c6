"""Spokes of a hub: ECR's endpoints are in another VPC, behind a transit gateway."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pull_responder.diagnosis import Diagnosis, diagnose
from pull_responder.events.intake import Origins, read_body
from pull_responder.events.pod_failure import PodFailure
from pull_responder.facts.reader import Reader
from pull_responder.model.pull import PullFailure
from pull_responder.pulls.pull_facts import PullFacts
from tests.integration.network.estate import ACCOUNT, REGION, NetworkEstate
from tests.integration.seen import seen

if TYPE_CHECKING:
    from collections.abc import Sequence

HOST: Final = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"
HUB: Final = "10.100.1.10"
DIALLED: Final = f"dial tcp {HUB}:443: i/o timeout"
BUCKET: Final = f"prod-{REGION}-starport-layer-bucket.s3.{REGION}.amazonaws.com"


def of_manifest(estate: NetworkEstate, error: str = DIALLED) -> str:
    return (
        f'failed to pull and unpack image "{estate.image}": failed to resolve reference "{estate.image}": failed to do '
        f'request: Head "https://{HOST}/v2/{estate.name}/app/manifests/v1": {error}'
    )


def of_layer(estate: NetworkEstate, host: str, error: str) -> str:
    return (
        f'failed to pull and unpack image "{estate.image}": failed to copy: httpReadSeeker: failed open: failed to do '
        f'request: Get "https://{host}/registry-v2/docker/registry/blobs/sha256/aa/data?verify=1": {error}'
    )


def pod_event(estate: NetworkEstate, message: str) -> str:
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{estate.name}-node/{estate.instance}"
    failure = PodFailure(
        ACCOUNT, message, estate.image, estate.name, principal_arn=session, node="ip-10-0-0-9.ec2.internal"
    )
    return failure.body(region=REGION)


def diagnosed(
    estate: NetworkEstate, message: str, *, denied: Sequence[str] = (), code: str = "AccessDenied"
) -> Diagnosis:
    """The diagnosis of a failed pull with this message; the reads in `denied` are refused."""
    pull = read_body(pod_event(estate, message), origins=Origins(ACCOUNT))
    assert isinstance(pull, PullFailure)
    diagnosis = diagnose(pull, PullFacts(Reader(estate.aws(*denied, code=code))))
    seen(diagnosis)
    return diagnosis


def transit_gateway(estate: NetworkEstate, destination: str = "10.0.0.0/8") -> str:
    """Route the nodes' subnets to a transit gateway."""
    made = estate.ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
    for table in (estate.table_a, estate.table_b):
        estate.route(table, destination, TransitGatewayId=made)
    return str(made)


def spoke(estate: NetworkEstate) -> str:
    """A VPC without NAT, with S3's gateway endpoint and a route to the hub. The transit gateway's id."""
    gateway = transit_gateway(estate)
    estate.gateway_endpoint()
    estate.node()
    return gateway


def profile(estate: NetworkEstate, *, vpc: str = "") -> None:
    """A Profile of the VPC that holds something of a kind that is not known, so that it may answer for any name."""
    profiles = estate.client("route53profiles")
    known = "rp-0123456789abcdef"
    profiles.associate_profile(Name="shared-dns", ProfileId=known, ResourceId=vpc or estate.vpc)
    unknown = f"arn:aws:route53resolver:{REGION}:{ACCOUNT}:resolver-of-a-new-kind/1"
    profiles.associate_resource_to_profile(Name="new", ProfileId=known, ResourceArn=unknown)


def rule(estate: NetworkEstate, domain: str, *, kind: str = "FORWARD", vpc: str = "") -> str:
    """A Resolver rule for the VPC. Its id."""
    resolver = estate.client("route53resolver")
    forward = kind == "FORWARD"
    options: dict[str, object] = {}
    if forward:
        endpoint = resolver.create_resolver_endpoint(
            CreatorRequestId=f"{estate.name}-{domain}",
            Direction="OUTBOUND",
            SecurityGroupIds=[estate.group],
            IpAddresses=[{"SubnetId": estate.a}, {"SubnetId": estate.b}],
        )["ResolverEndpoint"]["Id"]
        options = {"ResolverEndpointId": endpoint, "TargetIps": [{"Ip": "10.100.0.2", "Port": 53}]}
    # moto cannot list several rules without names.
    name = re.sub(r"\W", "-", f"{kind}-{domain}")[:64]
    options["Name"] = name
    made = resolver.create_resolver_rule(
        CreatorRequestId=f"{estate.name}-{kind}-{domain}", DomainName=domain, RuleType=kind, **options
    )["ResolverRule"]["Id"]
    resolver.associate_resolver_rule(ResolverRuleId=made, Name=name, VPCId=vpc or estate.vpc)
    return str(made)


def dns_servers(estate: NetworkEstate, *servers: str) -> None:
    options = estate.ec2.create_dhcp_options(
        DhcpConfigurations=[{"Key": "domain-name-servers", "Values": list(servers)}]
    )
    estate.ec2.associate_dhcp_options(DhcpOptionsId=options["DhcpOptions"]["DhcpOptionsId"], VpcId=estate.vpc)


def only_out_to(estate: NetworkEstate, *destinations: str) -> None:
    """The nodes' group lets TCP 443 out to these blocks and prefix lists alone."""
    estate.close_egress(estate.group)
    for each in destinations:
        peer = (
            {"PrefixListIds": [{"PrefixListId": each}]} if each.startswith("pl-") else {"IpRanges": [{"CidrIp": each}]}
        )
        rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, **peer}
        estate.ec2.authorize_security_group_egress(GroupId=estate.group, IpPermissions=[rule])


def s3_prefix_list(estate: NetworkEstate) -> str:
    lists = estate.ec2.describe_prefix_lists()["PrefixLists"]
    return str(next(each["PrefixListId"] for each in lists if each["PrefixListName"].endswith(f"{REGION}.s3")))
