"""An estate of four accounts: a spoke with the nodes, a hub, an egress VPC, and the transit gateway that joins them.

Token and manifest come over the hub's interface endpoints, to which private hosted zones lead. The layers come from S3,
over the egress VPC's firewall and NAT gateway. The gateway has two route tables: one routes what comes from spokes, the
other what comes from the hub and the egress VPC.

Sources: AWS whitepaper "Building a Scalable and Secure Multi-VPC AWS Network Infrastructure"; AWS Network Firewall
Developer Guide, "Architectures with Network Firewall".
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pull_responder.emulator.emulated_aws import ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.emulator.emulated_aws import EmulatedAws

SPOKE: Final = ACCOUNT
HUB: Final = "222222222222"
EGRESS: Final = "333333333333"
GATEWAY: Final = "444444444444"
NAMES: Final = {SPOKE: "spoke", HUB: "hub", EGRESS: "egress", GATEWAY: "gateway"}
CLUSTER: Final = "prod"
SPOKE_RANGE: Final = "10.0.0.0/16"

_REPOSITORY: Final = "shop/web"
IMAGE: Final = f"{SPOKE}.dkr.ecr.{REGION}.amazonaws.com/{_REPOSITORY}:v1.4.2"
_ROLE: Final = f"{CLUSTER}-node"
_INTERNET: Final = "0.0.0.0/0"
_SPOKES: Final = "10.0.0.0/8"
_ZONE: Final = f"{REGION}a"
_HTTPS: Final = 443
# Route 53's id of the zone in which the names of interface endpoints are. It is made up.
_ENDPOINT_ZONE: Final = "Z7HUZ22UULQXV"
_PULL: Final = ["ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
_LISTED: Final = [f".ecr.{REGION}.amazonaws.com", f".s3.{REGION}.amazonaws.com"]


@dataclass(frozen=True, slots=True)
class Estate:
    """What was built.

    - `vpcs` are by the account that they are in.
    - `gateway`, `shared` are the transit gateway, and its route table for what comes from the hub and the egress VPC.
    - `attachment` is the spoke's.
    - `instance`, `node` are the node's instance and its name in Kubernetes.
    - `endpoint_address` is the address of the hub's endpoint for the registry.
    """

    aws: EmulatedAws
    vpcs: dict[str, str]
    gateway: str
    shared: str
    attachment: str
    instance: str
    node: str
    endpoint_address: str

    @property
    def shared_arn(self) -> str:
        """The ARN of the gateway's table `shared`."""
        return f"arn:aws:ec2:{REGION}:{GATEWAY}:transit-gateway-route-table/{self.shared}"


class _Vpc:
    """A VPC with a subnet for the transit gateway's interface. Others are added."""

    def __init__(self, aws: EmulatedAws, account: str, block: str) -> None:
        self.ec2 = aws.client("ec2", account=account)
        self.block = block
        self.id: str = self.ec2.create_vpc(CidrBlock=f"10.{block}.0.0/16")["Vpc"]["VpcId"]
        self.entry, self.entry_table = self.subnet(0)
        self.attachment = ""

    def subnet(self, number: int) -> tuple[str, str]:
        """Add a subnet with a route table of its own, and return the ids of both."""
        cidr = f"10.{self.block}.{number}.0/24"
        made = self.ec2.create_subnet(VpcId=self.id, CidrBlock=cidr, AvailabilityZone=_ZONE)
        subnet: str = made["Subnet"]["SubnetId"]
        table: str = self.ec2.create_route_table(VpcId=self.id)["RouteTable"]["RouteTableId"]
        self.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        return subnet, table

    def attach(self, gateway: str) -> None:
        made = self.ec2.create_transit_gateway_vpc_attachment(
            TransitGatewayId=gateway, VpcId=self.id, SubnetIds=[self.entry]
        )
        self.attachment = made["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"]

    def route(self, table: str, destination: str, **target: str) -> None:
        self.ec2.create_route(RouteTableId=table, DestinationCidrBlock=destination, **target)

    def group(self, name: str, source: str) -> str:
        """Add a security group that lets HTTPS in from a block, and everything out, and return its id."""
        group: str = self.ec2.create_security_group(GroupName=name, Description=name, VpcId=self.id)["GroupId"]
        rule = {"IpProtocol": "tcp", "FromPort": _HTTPS, "ToPort": _HTTPS, "IpRanges": [{"CidrIp": source}]}
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
        return group


def build(aws: EmulatedAws) -> Estate:
    """Build the estate, in which a pull works. Raises ClientError when the emulated AWS refuses a call."""
    spoke, hub, egress = _Vpc(aws, SPOKE, "0"), _Vpc(aws, HUB, "100"), _Vpc(aws, EGRESS, "200")
    owner = aws.client("ec2", account=GATEWAY)
    options = {"DefaultRouteTableAssociation": "disable", "DefaultRouteTablePropagation": "disable"}
    gateway = owner.create_transit_gateway(Options=options)["TransitGateway"]["TransitGatewayId"]
    for each in (spoke, hub, egress):
        each.attach(gateway)
    shared = _join(owner, gateway, spoke, hub, egress)
    _build_egress(aws, egress, gateway)
    addresses = _build_hub(aws, hub, gateway, spoke)
    instance, node = _build_spoke(aws, spoke, gateway)
    vpcs = {SPOKE: spoke.id, HUB: hub.id, EGRESS: egress.id}
    return Estate(aws, vpcs, gateway, shared, spoke.attachment, instance, node, addresses["ecr.dkr"])


def _join(owner: Any, gateway: str, spoke: _Vpc, hub: _Vpc, egress: _Vpc) -> str:  # noqa: ANN401 -- boto3's EC2 client
    """Let the gateway route between the VPCs, and return its table for what comes from the hub and the egress VPC."""
    spokes, shared = (
        owner.create_transit_gateway_route_table(TransitGatewayId=gateway)["TransitGatewayRouteTable"][
            "TransitGatewayRouteTableId"
        ]
        for _ in range(2)
    )
    for vpc, table in ((spoke, spokes), (hub, shared), (egress, shared)):
        owner.associate_transit_gateway_route_table(
            TransitGatewayAttachmentId=vpc.attachment, TransitGatewayRouteTableId=table
        )
    for vpc, table in ((hub, spokes), (spoke, shared)):
        owner.enable_transit_gateway_route_table_propagation(
            TransitGatewayAttachmentId=vpc.attachment, TransitGatewayRouteTableId=table
        )
    owner.create_transit_gateway_route(
        TransitGatewayRouteTableId=spokes, DestinationCidrBlock=_INTERNET, TransitGatewayAttachmentId=egress.attachment
    )
    return str(shared)


def _build_egress(aws: EmulatedAws, vpc: _Vpc, gateway: str) -> None:
    """Lead what comes from the gateway through a firewall to a NAT gateway, and its answers back the same way."""
    (walled, wall_table), (public, public_table) = vpc.subnet(1), vpc.subnet(2)
    internet = vpc.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    vpc.ec2.attach_internet_gateway(InternetGatewayId=internet, VpcId=vpc.id)
    address = vpc.ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = vpc.ec2.create_nat_gateway(SubnetId=public, AllocationId=address)["NatGateway"]["NatGatewayId"]
    endpoint = _build_firewall(aws, vpc, walled)
    vpc.route(vpc.entry_table, _INTERNET, VpcEndpointId=endpoint)
    vpc.route(wall_table, _INTERNET, NatGatewayId=nat)
    vpc.route(wall_table, _SPOKES, TransitGatewayId=gateway)
    vpc.route(public_table, _INTERNET, GatewayId=internet)
    vpc.route(public_table, _SPOKES, VpcEndpointId=endpoint)


def _build_firewall(aws: EmulatedAws, vpc: _Vpc, subnet: str) -> str:
    """Build a firewall that lets TLS pass to ECR and S3 alone, and return the id of its endpoint."""
    firewalls = aws.client("network-firewall", account=EGRESS)
    group = firewalls.create_rule_group(
        RuleGroupName="registries",
        RuleGroup={
            "RuleVariables": {"IPSets": {"HOME_NET": {"Definition": [_SPOKES]}}},
            "RulesSource": {
                "RulesSourceList": {
                    "Targets": _LISTED,
                    "TargetTypes": ["TLS_SNI", "HTTP_HOST"],
                    "GeneratedRulesType": "ALLOWLIST",
                }
            },
        },
        Type="STATEFUL",
        Capacity=100,
    )["RuleGroupResponse"]["RuleGroupArn"]
    policy = firewalls.create_firewall_policy(
        FirewallPolicyName="central",
        FirewallPolicy={
            "StatelessDefaultActions": ["aws:forward_to_sfe"],
            "StatelessFragmentDefaultActions": ["aws:forward_to_sfe"],
            "StatefulRuleGroupReferences": [{"ResourceArn": group}],
        },
    )["FirewallPolicyResponse"]["FirewallPolicyArn"]
    firewalls.create_firewall(
        FirewallName="edge", FirewallPolicyArn=policy, VpcId=vpc.id, SubnetMappings=[{"SubnetId": subnet}]
    )
    (state,) = firewalls.describe_firewall(FirewallName="edge")["FirewallStatus"]["SyncStates"].values()
    endpoint: str = state["Attachment"]["EndpointId"]
    return endpoint


def _build_hub(aws: EmulatedAws, vpc: _Vpc, gateway: str, spoke: _Vpc) -> dict[str, str]:
    """Build the endpoints, and the zones that lead the spoke to them. Return the endpoints' addresses by service."""
    subnet, table = vpc.subnet(1)
    vpc.route(table, _SPOKES, TransitGatewayId=gateway)
    group = vpc.group("endpoints", _SPOKES)
    addresses = {}
    for service, record in (("ecr.api", ""), ("ecr.dkr", "*.")):
        made = vpc.ec2.create_vpc_endpoint(
            VpcId=vpc.id,
            VpcEndpointType="Interface",
            ServiceName=f"com.amazonaws.{REGION}.{service}",
            SubnetIds=[subnet],
            SecurityGroupIds=[group],
            PrivateDnsEnabled=False,
        )["VpcEndpoint"]
        zone = {"ecr.api": "api.ecr", "ecr.dkr": "dkr.ecr"}[service] + f".{REGION}.amazonaws.com"
        alias = f"{made['VpcEndpointId']}-a1b2c3d4.{service.rpartition('.')[2]}.ecr.{REGION}.vpce.amazonaws.com"
        _share_zone(aws, zone, f"{record}{zone}", alias, (vpc, spoke))
        (interface,) = vpc.ec2.describe_network_interfaces(NetworkInterfaceIds=made["NetworkInterfaceIds"])[
            "NetworkInterfaces"
        ]
        addresses[service] = interface["PrivateIpAddress"]
    return addresses


def _share_zone(aws: EmulatedAws, zone: str, record: str, alias: str, vpcs: tuple[_Vpc, _Vpc]) -> None:
    route53 = aws.client("route53", account=HUB)
    first, *others = ({"VPCRegion": REGION, "VPCId": each.id} for each in vpcs)
    made = route53.create_hosted_zone(
        Name=zone, CallerReference=zone, VPC=first, HostedZoneConfig={"PrivateZone": True, "Comment": "shared"}
    )["HostedZone"]["Id"]
    for each in others:
        route53.associate_vpc_with_hosted_zone(HostedZoneId=made, VPC=each)
    target = {"HostedZoneId": _ENDPOINT_ZONE, "DNSName": alias, "EvaluateTargetHealth": False}
    change = {"Action": "CREATE", "ResourceRecordSet": {"Name": record, "Type": "A", "AliasTarget": target}}
    route53.change_resource_record_sets(HostedZoneId=made, ChangeBatch={"Changes": [change]})


def _build_spoke(aws: EmulatedAws, vpc: _Vpc, gateway: str) -> tuple[str, str]:
    """Build the cluster with its image and a node. Return the node's instance, and its name in Kubernetes."""
    for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
        vpc.ec2.modify_vpc_attribute(VpcId=vpc.id, **{attribute: {"Value": True}})
    subnet, table = vpc.subnet(1)
    vpc.route(table, _INTERNET, TransitGatewayId=gateway)
    group = vpc.group("nodes", SPOKE_RANGE)
    role = _build_role(aws)
    aws.client("eks").create_cluster(
        name=CLUSTER, roleArn=role, resourcesVpcConfig={"subnetIds": [subnet], "securityGroupIds": [group]}
    )
    ecr = aws.client("ecr")
    ecr.create_repository(repositoryName=_REPOSITORY)
    ecr.put_image(repositoryName=_REPOSITORY, imageTag=IMAGE.rpartition(":")[2], imageManifest=json.dumps(_manifest()))
    tags = {f"kubernetes.io/cluster/{CLUSTER}": "owned", "eks:cluster-name": CLUSTER}
    (made,) = vpc.ec2.run_instances(
        ImageId="ami-0123456789abcdef0",
        MinCount=1,
        MaxCount=1,
        SubnetId=subnet,
        SecurityGroupIds=[group],
        IamInstanceProfile={"Name": _ROLE},
        TagSpecifications=[
            {"ResourceType": "instance", "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
        ],
    )["Instances"]
    return made["InstanceId"], made["PrivateDnsName"]


def _build_role(aws: EmulatedAws) -> str:
    iam = aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName=_ROLE, AssumeRolePolicyDocument=_policy(trust))["Role"]
    pull = {"Effect": "Allow", "Action": _PULL, "Resource": "*"}
    iam.put_role_policy(RoleName=_ROLE, PolicyName="pull", PolicyDocument=_policy(pull))
    iam.create_instance_profile(InstanceProfileName=_ROLE)
    iam.add_role_to_instance_profile(InstanceProfileName=_ROLE, RoleName=_ROLE)
    arn: str = role["Arn"]
    return arn


def _policy(statement: Mapping[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _manifest() -> dict[str, object]:
    return {
        "schemaVersion": 2,
        "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
        "config": {
            "mediaType": "application/vnd.docker.container.image.v1+json",
            "size": 1,
            "digest": f"sha256:{hashlib.sha256(b'{}').hexdigest()}",
        },
        "layers": [],
    }
