"""Measures a full diagnosis when every answer of AWS takes 100 ms: its time, its calls, its rounds of dependent reads.

It measures each kind of question and of event alone. Each diagnosis starts with empty caches, without our own identity.

The benchmark records the answers of an emulated AWS (moto), and replays each after exactly 100 ms. So the emulator's
own time does not count. At the end it makes the same reads one after the other.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.httpsession import URLLib3Session
from moto.backends import get_backend
from moto.server import ThreadedMotoServer

from pull_responder.cli.asked_nodes import Chosen
from pull_responder.cli.question import ask
from pull_responder.diagnosis import diagnose as diagnose_pull
from pull_responder.emulator import (
    access_entries,
    cache_rules,
    dns_firewall,
    hosted_zones,
    network_firewall,
    route53_profiles,
    transit_gateways,
    vpc_endpoints,
)
from pull_responder.events.image_reference import parse_image
from pull_responder.facts.aws import Aws
from pull_responder.facts.reader import Reader
from pull_responder.model.pull import Denial, PolicyType, Principal, PrincipalKind, PullFailure, Symptom
from pull_responder.pulls.pull_facts import PullFacts

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from botocore.awsrequest import AWSPreparedRequest, AWSRequest, AWSResponse

SECONDS: Final = 0.1
ROUNDS: Final = 4
# Over two VPCs: in the hub's account, the role there is assumed, and then each step is a round.
OVER_TWO_VPCS: Final = "timeout, endpoints in a hub's account"
# A third VPC in a third account may take two more.
OVER_THREE_VPCS: Final = "timeout, egress behind an inspection VPC"
# Of a third account, the role is assumed, the egress VPC is read, and then its firewall with policy and rule groups.
THROUGH_FIREWALL: Final = "timeout, a firewall in an egress VPC"
MORE_ROUNDS: Final = {OVER_TWO_VPCS: 6, OVER_THREE_VPCS: 8, THROUGH_FIREWALL: 8}
HUB: Final = "222222222222"
OUT: Final = "333333333333"
INSPECTION: Final = "444444444444"
SLOWER: Final = (0.4, 0.8)
# It reads nothing: what is read in another account waits for its role.
ASSUME: Final = "sts.AssumeRole"
REGION: Final = "us-east-1"
CLUSTER: Final = "bench"
ACCOUNT: Final = "123456789012"
IMAGE: Final = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/app:v1"
# An image for several platforms takes the most reads.
IMAGE_MANIFEST: Final = {
    "schemaVersion": 2,
    "mediaType": "application/vnd.docker.distribution.manifest.list.v2+json",
    "manifests": [
        {
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "size": 1,
            "digest": f"sha256:{'a' * 64}",
            "platform": {"os": "linux", "architecture": "amd64"},
        }
    ],
}
POD_ADDRESS: Final = "10.0.0.77"
BARE_CLUSTER: Final = "bare"
SPOKE_CLUSTER: Final = "spoke"
INSPECTED_CLUSTER: Final = "inspected"
WALLED_CLUSTER: Final = "walled"
BARE: Final = "401, by a Fargate pod that may not pull"
BROKEN: Final = {BARE: {"role_lacks_pull_permissions"}}
PULL: Final = ["ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]


@dataclass(slots=True)
class Answers:
    """Recorded answers of AWS.

    - `known`: the answers by request
    - `calls`: of each replayed call the name, when it began and when it ended
    - `alone`: a lock that lets one call run at a time, or None
    - `seconds`: how long each replayed answer takes
    - `replaying`: whether calls are answered from `known`
    """

    known: dict[tuple[str, ...], AWSResponse] = field(default_factory=dict)
    calls: list[tuple[str, float, float]] = field(default_factory=list)
    alone: threading.Lock | None = None
    seconds: float = SECONDS
    replaying: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def before_send(self, request: AWSPreparedRequest, event_name: str, **_: object) -> AWSResponse | None:
        """Return the recorded answer after `seconds`, or None while recording."""
        if not self.replaying:
            return None
        if self.alone:
            with self.alone:
                return self._answer(request, event_name)
        return self._answer(request, event_name)

    def _answer(self, request: AWSPreparedRequest, event_name: str) -> AWSResponse:
        started = time.perf_counter()
        time.sleep(self.seconds)
        with self._lock:
            self.calls.append((event_name.removeprefix("before-send."), started, time.perf_counter()))
        return self.known[_key(request)]

    def record(self, request: AWSRequest | AWSPreparedRequest, answer: AWSResponse) -> None:
        """Record an answer of the emulator."""
        _ = answer.content  # reads it from the network, so that it can be read again later
        self.known[_key(request)] = answer

    def rounds(self, *but: str) -> int:
        """Return the length of the longest chain of calls in which each began after the previous one had ended.

        Calls named in `but` do not count.
        """
        depth: dict[tuple[str, float, float], int] = {}
        for call in sorted((each for each in self.calls if each[0] not in but), key=lambda each: each[1]):
            depth[call] = 1 + max((deep for other, deep in depth.items() if other[2] <= call[1]), default=0)
        return max(depth.values(), default=0)


def _key(request: AWSRequest | AWSPreparedRequest) -> tuple[str, ...]:
    body = request.body or b""
    target = str(request.headers.get("X-Amz-Target", ""))
    service = (
        str(request.headers.get("Authorization", "")).partition("Credential=")[2].partition(",")[0].split("/")[3:4]
    )
    return (
        str(request.method),
        str(request.url),
        target,
        *service,
        body.decode() if isinstance(body, bytes) else str(body),
    )


@dataclass(slots=True)
class BenchEstate:
    """The nodes to ask about.

    - `managed`: the instance id of a node of the node group
    - `own`, `own_name`: the instance id and the private DNS name of a self-managed node
    - `in_spoke`: the instance id of a node whose endpoints are in a hub, which is another account's
    - `walled`: the instance id of a node whose way out leads through a firewall of another account's
    - `inspected`: the instance id of a node whose traffic leaves by two other VPCs, each another account's
    """

    managed: str = ""
    own: str = ""
    own_name: str = ""
    in_spoke: str = ""
    walled: str = ""
    inspected: str = ""


def build(endpoint: str) -> BenchEstate:
    """Create nodes behind a NAT gateway, and an S3 gateway endpoint. Each role has three policies, one inline."""

    def client(service: str) -> Any:  # noqa: ANN401 -- one of boto3's clients
        return boto3.client(service, region_name=REGION, endpoint_url=endpoint)  # type: ignore[call-overload]  # the stubs know services by literal name only

    ec2, iam, eks = client("ec2"), client("iam"), client("eks")
    node, public = subnets(ec2)
    vpc_id = ec2.describe_subnets(SubnetIds=[node])["Subnets"][0]["VpcId"]
    ecr = client("ecr")
    ecr.create_repository(repositoryName="app")
    ecr.put_image(repositoryName="app", imageTag="v1", imageManifest=json.dumps(IMAGE_MANIFEST))
    group_role, own_role, pods_role, pool_role = (
        role(iam, name, "eks-fargate-pods" if name == "pods" else "ec2") for name in ("node", "own", "pods", "pool")
    )
    bare_role = role(iam, "bare", "eks-fargate-pods", may=[])
    eks.create_cluster(name=CLUSTER, roleArn=group_role, resourcesVpcConfig={"subnetIds": [node, public]})
    data = {"MetadataOptions": {"HttpEndpoint": "enabled"}}
    made = ec2.create_launch_template(LaunchTemplateName="workers", LaunchTemplateData=data)["LaunchTemplate"]
    for name in ("workers", "sleepers"):
        template = {"id": made["LaunchTemplateId"], "version": "1"}
        eks.create_nodegroup(
            clusterName=CLUSTER, nodegroupName=name, subnets=[node], nodeRole=group_role, launchTemplate=template
        )
    eks.create_cluster(name=BARE_CLUSTER, roleArn=group_role, resourcesVpcConfig={"subnetIds": [node, public]})
    for cluster, execution_role in ((CLUSTER, pods_role), (BARE_CLUSTER, bare_role)):
        eks.create_fargate_profile(
            clusterName=cluster,
            fargateProfileName="pods",
            subnets=[node],
            podExecutionRoleArn=execution_role,
            selectors=[{"namespace": "default"}],
        )
    for made_up in get_backend("eks")[ACCOUNT][REGION].clusters.values():
        made_up.resources_vpc_config["vpcId"] = vpc_id  # EKS names it, moto does not
    ec2.create_network_interface(SubnetId=node, PrivateIpAddress=POD_ADDRESS)
    for arn in (group_role, own_role, pool_role):
        eks.create_access_entry(clusterName=CLUSTER, principalArn=arn, type="EC2_LINUX")
    managed = instance(ec2, node, "node", {"eks:cluster-name": CLUSTER, "eks:nodegroup-name": "workers"})
    own = instance(ec2, node, "own", {f"kubernetes.io/cluster/{CLUSTER}": "owned"})
    of_spoke = hub_and_spoke(endpoint)
    eks.create_cluster(name=SPOKE_CLUSTER, roleArn=group_role, resourcesVpcConfig={"subnetIds": [of_spoke]})
    spoke = instance(ec2, of_spoke, "node", {f"kubernetes.io/cluster/{SPOKE_CLUSTER}": "owned"})
    of_walled = egress_and_spoke(endpoint)
    eks.create_cluster(name=WALLED_CLUSTER, roleArn=group_role, resourcesVpcConfig={"subnetIds": [of_walled]})
    walled = instance(ec2, of_walled, "node", {f"kubernetes.io/cluster/{WALLED_CLUSTER}": "owned"})
    of_inspected = spoke_inspection_and_egress(endpoint)
    eks.create_cluster(name=INSPECTED_CLUSTER, roleArn=group_role, resourcesVpcConfig={"subnetIds": [of_inspected]})
    inspected = instance(ec2, of_inspected, "node", {f"kubernetes.io/cluster/{INSPECTED_CLUSTER}": "owned"})
    return BenchEstate(
        managed["InstanceId"],
        own["InstanceId"],
        own["PrivateDnsName"],
        spoke["InstanceId"],
        walled["InstanceId"],
        inspected["InstanceId"],
    )


def client_of(endpoint: str, service: str, account: str = ACCOUNT) -> Any:  # noqa: ANN401 -- one of boto3's clients
    """Return a client of an account."""
    sts = boto3.client("sts", region_name=REGION, endpoint_url=endpoint)
    keys = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/admin", RoleSessionName="bench")["Credentials"]
    return boto3.client(  # type: ignore[call-overload]  # the stubs know services by literal name only
        service,
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def routed(ec2: Any, vpc: str, cidr: str, *routes: dict[str, str]) -> str:  # noqa: ANN401 -- boto3's EC2 client
    """Make a subnet with a route table of its own. Return the subnet."""
    subnet: str = ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=f"{REGION}a")["Subnet"]["SubnetId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    for route in routes:
        ec2.create_route(RouteTableId=table, **route)
    return subnet


def egress_and_spoke(endpoint: str) -> str:
    """Make a spoke, and an egress VPC of another account with firewall and NAT gateway. Return the spoke's subnet.

    A third account owns the transit gateway between them.
    """
    spoke, owner, out = (client_of(endpoint, "ec2", each) for each in (ACCOUNT, HUB, OUT))
    gateway = owner.create_transit_gateway()["TransitGateway"]
    table, gateway_id = gateway["Options"]["AssociationDefaultRouteTableId"], gateway["TransitGatewayId"]
    everything = {"DestinationCidrBlock": "0.0.0.0/0"}
    back = {"DestinationCidrBlock": "10.21.0.0/16", "TransitGatewayId": gateway_id}
    vpc, far = (
        ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"] for ec2, cidr in ((spoke, "10.21.0.0/16"), (out, "10.30.0.0/16"))
    )
    walled, entry = routed(out, far, "10.30.2.0/28"), routed(out, far, "10.30.0.0/28")
    near = routed(spoke, vpc, "10.21.0.0/24")
    attachments = [
        ec2.create_transit_gateway_vpc_attachment(TransitGatewayId=gateway_id, VpcId=each, SubnetIds=[subnet])[
            "TransitGatewayVpcAttachment"
        ]["TransitGatewayAttachmentId"]
        for ec2, each, subnet in ((spoke, vpc, near), (out, far, entry))
    ]
    owner.create_transit_gateway_route(
        TransitGatewayRouteTableId=table, TransitGatewayAttachmentId=attachments[1], **everything
    )
    owner.enable_transit_gateway_route_table_propagation(
        TransitGatewayAttachmentId=attachments[0], TransitGatewayRouteTableId=table
    )
    internet = out.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    out.attach_internet_gateway(InternetGatewayId=internet, VpcId=far)
    firewall = firewall_in(client_of(endpoint, "network-firewall", OUT), far, walled)
    public = routed(
        out,
        far,
        "10.30.1.0/24",
        {**everything, "GatewayId": internet},
        {"DestinationCidrBlock": "10.21.0.0/16", "VpcEndpointId": firewall},
    )
    address = out.allocate_address(Domain="vpc")["AllocationId"]
    nat = out.create_nat_gateway(SubnetId=public, AllocationId=address)["NatGateway"]["NatGatewayId"]
    tables = {
        each: out.describe_route_tables(Filters=[{"Name": "association.subnet-id", "Values": [each]}])
        for each in (walled, entry)
    }
    ids = {each: found["RouteTables"][0]["RouteTableId"] for each, found in tables.items()}
    out.create_route(RouteTableId=ids[walled], **everything, NatGatewayId=nat)
    out.create_route(RouteTableId=ids[walled], **back)
    out.create_route(RouteTableId=ids[entry], **everything, VpcEndpointId=firewall)
    return routed(spoke, vpc, "10.21.1.0/24", {**everything, "TransitGatewayId": gateway_id})


def firewall_in(client: Any, vpc: str, subnet: str) -> str:  # noqa: ANN401 -- boto3's client
    """Make a firewall whose policy has five lists, of which one allows what a pull needs. Return its endpoint."""
    groups = []
    for number in range(5):
        targets = [".amazonaws.com"] if number == 4 else [f".example{number}.com"]  # noqa: PLR2004 -- the last
        source = {"Targets": targets, "TargetTypes": ["TLS_SNI"], "GeneratedRulesType": "ALLOWLIST"}
        home = {"IPSets": {"HOME_NET": {"Definition": ["10.0.0.0/8"]}}}
        made = client.create_rule_group(
            RuleGroupName=f"list-{number}",
            RuleGroup={"RulesSource": {"RulesSourceList": source}, "RuleVariables": home},
            Type="STATEFUL",
            Capacity=100,
        )
        groups.append({"ResourceArn": made["RuleGroupResponse"]["RuleGroupArn"]})
    policy = client.create_firewall_policy(
        FirewallPolicyName="central",
        FirewallPolicy={
            "StatelessDefaultActions": ["aws:forward_to_sfe"],
            "StatelessFragmentDefaultActions": ["aws:forward_to_sfe"],
            "StatefulRuleGroupReferences": groups,
        },
    )["FirewallPolicyResponse"]["FirewallPolicyArn"]
    client.create_firewall(
        FirewallName="edge", FirewallPolicyArn=policy, VpcId=vpc, SubnetMappings=[{"SubnetId": subnet}]
    )
    (state,) = client.describe_firewall(FirewallName="edge")["FirewallStatus"]["SyncStates"].values()
    found: str = state["Attachment"]["EndpointId"]
    return found


def hub_and_spoke(endpoint: str) -> str:
    """Make a spoke, and a hub of another account with gateway, endpoints and zones. Return the spoke's subnet."""
    spoke, hub, route53 = (client_of(endpoint, *each) for each in (("ec2",), ("ec2", HUB), ("route53", HUB)))
    gateway = hub.create_transit_gateway()["TransitGateway"]
    table = gateway["Options"]["AssociationDefaultRouteTableId"]
    places = {}
    for ec2, block in ((spoke, "20"), (hub, "100")):
        vpc = ec2.create_vpc(CidrBlock=f"10.{block}.0.0/16")["Vpc"]["VpcId"]
        entry, inner = (
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.{block}.{number}.0/24", AvailabilityZone=f"{REGION}a")[
                "Subnet"
            ]["SubnetId"]
            for number in (0, 1)
        )
        attachment = ec2.create_transit_gateway_vpc_attachment(
            TransitGatewayId=gateway["TransitGatewayId"], VpcId=vpc, SubnetIds=[entry]
        )["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"]
        routes = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        ec2.associate_route_table(RouteTableId=routes, SubnetId=inner)
        ec2.create_route(
            RouteTableId=routes, DestinationCidrBlock="10.0.0.0/8", TransitGatewayId=gateway["TransitGatewayId"]
        )
        hub.enable_transit_gateway_route_table_propagation(
            TransitGatewayAttachmentId=attachment, TransitGatewayRouteTableId=table
        )
        places[block] = (vpc, inner)
    for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
        spoke.modify_vpc_attribute(VpcId=places["20"][0], **{attribute: {"Value": True}})
    share_endpoints(hub, route53, places["100"], places["20"][0])
    subnet: str = places["20"][1]
    return subnet


def spoke_inspection_and_egress(endpoint: str) -> str:
    """Make a spoke, an inspection VPC and an egress VPC, each another account's. Return the subnet of the nodes."""
    owner = client_of(endpoint, "ec2", HUB)
    options = {"DefaultRouteTableAssociation": "disable", "DefaultRouteTablePropagation": "disable"}
    gateway = owner.create_transit_gateway(Options=options)["TransitGateway"]["TransitGatewayId"]
    everything, spokes = "0.0.0.0/0", "10.0.0.0/8"
    attachments: dict[str, str] = {}
    tables: dict[str, str] = {}
    inner: dict[str, str] = {}
    for account, block in ((ACCOUNT, "21"), (INSPECTION, "50"), (OUT, "200")):
        ec2 = client_of(endpoint, "ec2", account)
        vpc = ec2.create_vpc(CidrBlock=f"10.{block}.0.0/16")["Vpc"]["VpcId"]
        routes = {}
        for number in (0, 1):
            made = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.{block}.{number}.0/24", AvailabilityZone=f"{REGION}a")
            subnet = made["Subnet"]["SubnetId"]
            routes[subnet] = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
            ec2.associate_route_table(RouteTableId=routes[subnet], SubnetId=subnet)
        entry, inner[account] = routes
        attachments[account] = ec2.create_transit_gateway_vpc_attachment(
            TransitGatewayId=gateway,
            VpcId=vpc,
            SubnetIds=[entry],
            Options={"ApplianceModeSupport": "enable" if account == INSPECTION else "disable"},
        )["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"]
        tables[account] = owner.create_transit_gateway_route_table(TransitGatewayId=gateway)[
            "TransitGatewayRouteTable"
        ]["TransitGatewayRouteTableId"]
        owner.associate_transit_gateway_route_table(
            TransitGatewayAttachmentId=attachments[account], TransitGatewayRouteTableId=tables[account]
        )
        to_gateway = {"TransitGatewayId": gateway}
        if account != OUT:
            for table in routes.values():
                ec2.create_route(RouteTableId=table, DestinationCidrBlock=everything, **to_gateway)
            continue
        internet = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=internet, VpcId=vpc)
        address = ec2.allocate_address(Domain="vpc")["AllocationId"]
        nat = ec2.create_nat_gateway(SubnetId=inner[account], AllocationId=address)["NatGateway"]["NatGatewayId"]
        ec2.create_route(RouteTableId=routes[entry], DestinationCidrBlock=everything, NatGatewayId=nat)
        ec2.create_route(RouteTableId=routes[inner[account]], DestinationCidrBlock=everything, GatewayId=internet)
        ec2.create_route(RouteTableId=routes[inner[account]], DestinationCidrBlock=spokes, **to_gateway)
    for account, destination, target in (
        (ACCOUNT, everything, INSPECTION),
        (INSPECTION, everything, OUT),
        (INSPECTION, "10.21.0.0/16", ACCOUNT),
        (OUT, spokes, INSPECTION),
    ):
        owner.create_transit_gateway_route(
            TransitGatewayRouteTableId=tables[account],
            DestinationCidrBlock=destination,
            TransitGatewayAttachmentId=attachments[target],
        )
    return inner[ACCOUNT]


def share_endpoints(hub: Any, route53: Any, place: tuple[str, str], spoke_vpc: str) -> None:  # noqa: ANN401 -- boto3's clients
    """Make the endpoints of the hub, and the zones that lead the spoke's names to them."""
    vpc, subnet = place
    group = hub.create_security_group(GroupName="endpoints", Description="endpoints", VpcId=vpc)["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    hub.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    for service, name, records in (("ecr.api", "api.ecr", [""]), ("ecr.dkr", "dkr.ecr", ["*."]), ("s3", "s3", ["*."])):
        made = hub.create_vpc_endpoint(
            VpcId=vpc,
            VpcEndpointType="Interface",
            ServiceName=f"com.amazonaws.{REGION}.{service}",
            SubnetIds=[subnet],
            SecurityGroupIds=[group],
            PrivateDnsEnabled=False,
        )["VpcEndpoint"]["VpcEndpointId"]
        domain = f"{name}.{REGION}.amazonaws.com"
        zone = route53.create_hosted_zone(
            Name=domain,
            CallerReference=domain,
            VPC={"VPCRegion": REGION, "VPCId": vpc},
            HostedZoneConfig={"PrivateZone": True},
        )["HostedZone"]["Id"]
        route53.associate_vpc_with_hosted_zone(HostedZoneId=zone, VPC={"VPCRegion": REGION, "VPCId": spoke_vpc})
        alias = {
            "HostedZoneId": "Z7HUB22UULQXV",
            "DNSName": f"{made}-a1b2c3d4.{domain}.vpce.amazonaws.com",
            "EvaluateTargetHealth": False,
        }
        changes = [
            {"Action": "CREATE", "ResourceRecordSet": {"Name": f"{each}{domain}", "Type": "A", "AliasTarget": alias}}
            for each in records
        ]
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})


def subnets(ec2: Any) -> tuple[str, str]:  # noqa: ANN401 -- boto3's EC2 client
    """Make a subnet for nodes, behind a NAT gateway, and a public one."""
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    node, public = (
        ec2.create_subnet(VpcId=vpc, CidrBlock=cidr)["Subnet"]["SubnetId"] for cidr in ("10.0.0.0/24", "10.0.1.0/24")
    )
    tables = {}
    for subnet in (node, public):
        tables[subnet] = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        ec2.associate_route_table(RouteTableId=tables[subnet], SubnetId=subnet)
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.create_route(RouteTableId=tables[public], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=public, AllocationId=address)["NatGateway"]["NatGatewayId"]
    ec2.create_route(RouteTableId=tables[node], DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    ec2.create_vpc_endpoint(
        VpcId=vpc, VpcEndpointType="Gateway", ServiceName=f"com.amazonaws.{REGION}.s3", RouteTableIds=[tables[node]]
    )
    return node, public


def instance(ec2: Any, subnet: str, profile: str, tags: dict[str, str]) -> Any:  # noqa: ANN401 -- as boto3 has it
    """Start an instance."""
    return ec2.run_instances(
        ImageId="ami-12345678",
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet,
        IamInstanceProfile={"Name": profile},
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}],
    )["Instances"][0]


def role(iam: Any, name: str, service: str, may: Sequence[str] = PULL) -> str:  # noqa: ANN401 -- boto3's IAM client
    """Make a role with a policy for each action that it `may` do, and an instance profile. Return its ARN."""
    statement = {"Effect": "Allow", "Principal": {"Service": f"{service}.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    role: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    for number, action in enumerate(may):
        allowed = {"Effect": "Allow", "Action": action, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        if number == 0:
            iam.put_role_policy(RoleName=name, PolicyName="token", PolicyDocument=document)
            continue
        policy = iam.create_policy(PolicyName=f"{name}{number}", PolicyDocument=document)["Policy"]["Arn"]
        iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    return role


def questions(estate: BenchEstate) -> dict[str, Chosen | PullFailure]:
    """Return the questions by their names: each option of `diagnose`, and an event for each way of naming a node."""
    denied = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/app"
    denial = Denial("ecr:BatchGetImage", denied, f"not authorized on {denied}", PolicyType.IDENTITY)
    return {
        "--nodegroup": Chosen(CLUSTER, node_group="workers"),
        "--nodegroup, no nodes yet": Chosen(CLUSTER, node_group="sleepers"),
        "--fargate-profile": Chosen(CLUSTER, fargate_profile="pods"),
        "--instance, of a node group": Chosen(CLUSTER, instance=estate.managed),
        "--instance, self-managed": Chosen(CLUSTER, instance=estate.own),
        "--cluster alone": Chosen(CLUSTER),
        "denied, by CloudTrail": _pull(Symptom.ACCESS_DENIED, principal=_session(estate.own), denial=denial),
        "timeout, by the audit log": _pull(Symptom.TIMEOUT, principal=_session(estate.managed), node=estate.managed),
        "timeout, by a node's name": _pull(Symptom.TIMEOUT, node=estate.own_name, cluster=CLUSTER),
        "401, by a Fargate pod": _fargate_pull("pods", CLUSTER),
        BARE: _fargate_pull("bare", BARE_CLUSTER),
        "unknown, by a node's id": _pull(Symptom.UNKNOWN, node=estate.managed, cluster=CLUSTER),
        OVER_TWO_VPCS: _pull(Symptom.TIMEOUT, principal=_session(estate.in_spoke), node=estate.in_spoke),
        OVER_THREE_VPCS: _pull(Symptom.TIMEOUT, principal=_session(estate.inspected), node=estate.inspected),
        THROUGH_FIREWALL: _pull(Symptom.TIMEOUT, principal=_session(estate.walled), node=estate.walled),
    }


def _session(instance_id: str) -> Principal:
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/node/{instance_id}"
    role = f"arn:aws:iam::{ACCOUNT}:role/node"
    return Principal(PrincipalKind.ROLE, arn, "aws", ACCOUNT, "node", instance_id, role)


def _fargate_pull(role: str, cluster: str) -> PullFailure:
    """Return what the audit log says of an EKS add-on's pod that got no token: a session of its execution role."""
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/0f3c5d7a9b1e2f4a6c8d0e1f2a3b4c5d"
    return replace(
        _pull(
            Symptom.NOT_AUTHENTICATED,
            principal=Principal(PrincipalKind.ROLE, session, "aws", ACCOUNT, role, session.rpartition("/")[2]),
            node=f"fargate-ip-{POD_ADDRESS.replace('.', '-')}.ec2.internal",
            cluster=cluster,
            namespace="default",
            pod="coredns-0",
        ),
        registry_account="602401143452",
        repository="eks/coredns",
    )


def _pull(symptom: Symptom, **known: Any) -> PullFailure:  # noqa: ANN401 -- what is known of the pull
    return PullFailure(
        symptom, None, REGION, account=ACCOUNT, registry_account=ACCOUNT, repository="app", tag="v1", **known
    )


def diagnose(asked: Chosen | PullFailure, aws: Aws, expected: Collection[str] = ()) -> float:
    """Diagnose once, and return the seconds. Raises ValueError when it finds other causes than those expected."""
    image = parse_image(IMAGE)
    if image is None:
        raise ValueError(f"{IMAGE} is not an image")
    started = time.perf_counter()
    if isinstance(asked, Chosen):
        diagnoses = [answer.diagnosis for answer in ask(Reader(aws), image, asked, ())]
    else:
        diagnoses = [diagnose_pull(asked, PullFacts(Reader(aws)))]
    took = time.perf_counter() - started
    causes = {each.cause for diagnosis in diagnoses for each in diagnosis.findings}
    if causes != set(expected):
        raise ValueError(f"the diagnosis found {causes}, not {set(expected)}")
    return took


def main() -> None:
    """Build the estate in moto, measure every question, and print the results."""
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_CONFIG_FILE": os.devnull}
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    access_entries.apply()
    cache_rules.apply()
    route53_profiles.apply_to_moto()
    hosted_zones.apply()
    dns_firewall.apply()
    network_firewall.apply()
    transit_gateways.apply()
    vpc_endpoints.apply()
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        os.environ["AWS_ENDPOINT_URL"] = f"http://{host}:{port}"
        measure(questions(build(os.environ["AWS_ENDPOINT_URL"])))
    finally:
        server.stop()


def measure(asked: dict[str, Chosen | PullFailure]) -> None:
    """Diagnose each question twice: first to record the answers, then to measure. Print the results.

    The first question is also measured with its reads one after the other. Exits with an error when a question needs
    more than ROUNDS rounds of dependent reads, or MORE_ROUNDS over two VPCs.
    """
    answers = Answers()
    session = boto3.session.Session(region_name=REGION)
    session.events.register("before-send", answers.before_send)  # type: ignore[arg-type]  # the stubs forget that an answer may come back
    _record_answers(answers)
    print(f"A full diagnosis, every answer of AWS after {SECONDS * 1000:.0f} ms:")  # noqa: T201 -- what a benchmark is for
    for name, question in asked.items():
        diagnose(question, connect(session), BROKEN.get(name, ()))
    answers.replaying = True
    rounds = {name: _measure(name, question, session, answers) for name, question in asked.items()}
    name, first = next(iter(asked.items()))
    started = time.perf_counter()
    aws = connect(session)
    start_up = time.perf_counter() - started
    answers.alone = threading.Lock()
    print(f"  {name}, the same reads one after the other: {diagnose(first, aws):.2f} s")  # noqa: T201 -- the same
    print(f"  start-up, which creates the clients: {start_up:.2f} s")  # noqa: T201 -- the same
    for name, number in rounds.items():
        if number > MORE_ROUNDS.get(name, ROUNDS):
            raise SystemExit(
                f"{name}: {number} rounds of dependent reads are more than {MORE_ROUNDS.get(name, ROUNDS)}"
            )


def _measure(name: str, asked: Chosen | PullFailure, session: boto3.session.Session, answers: Answers) -> int:
    """Measure one question, print the result, and return the number of rounds.

    On a busy machine a read may begin late, and then seem to depend on another read. With slower answers, such a read
    begins before the other ends. A read that does depend on another still waits. So too many rounds are measured again
    with slower answers.
    """
    most = MORE_ROUNDS.get(name, ROUNDS)
    took, rounds = 0.0, most + 1
    for seconds in (SECONDS, *SLOWER):
        answers.calls.clear()
        answers.seconds = seconds
        lasted = diagnose(asked, connect(session), BROKEN.get(name, ()))
        took, rounds = took or lasted, answers.rounds()
        if rounds <= most:
            break
    answers.seconds = SECONDS
    kinds = len({name for name, _, _ in answers.calls})
    roles = rounds - answers.rounds(ASSUME)
    which = f", {roles} for roles" if roles else ""
    print(f"  {name:<40}{len(answers.calls):>4} calls ({kinds:>2} kinds) in {rounds} rounds{which}: {took:.2f} s")  # noqa: T201 -- the same
    return rounds


def connect(session: boto3.session.Session) -> Aws:
    """Return AWS with its clients created and its caches empty."""
    aws = Aws(session, member_role="PullResponderReadOnly")
    for service in ("ec2", "ecr", "eks", "iam", "organizations", "route53"):
        aws.client(service, account=None, region=REGION)
    return aws


def _record_answers(answers: Answers) -> None:
    """Record the emulator's answers. Only botocore's HTTP layer has both the request and the answer."""
    send = URLLib3Session.send

    def send_and_record(self: URLLib3Session, request: AWSRequest | AWSPreparedRequest) -> AWSResponse:
        answer: AWSResponse = send(self, request)
        answers.record(request, answer)
        return answer

    URLLib3Session.send = send_and_record  # type: ignore[method-assign]  # a recorder, for this process only


if __name__ == "__main__":
    main()
