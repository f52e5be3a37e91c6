"""A node in a spoke, a hub with endpoints, an egress VPC with a NAT gateway: each in an account, joined by a fourth's.

The transit gateway has two route tables: one for spokes, and one for the hub and the egress VPC.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config

from tests.integration.network.estate import ACCOUNT, INTERNET, REGION, NetworkEstate

if TYPE_CHECKING:
    from pull_responder.model.verdict import Remediation

HUB: Final = "222222222222"
OUT: Final = "333333333333"
GATEWAY: Final = "444444444444"
SPOKES: Final = "10.0.0.0/8"


@dataclass(slots=True)
class Other:
    """Another account, with a VPC of two subnets: one for the gateway, one for what serves the spokes."""

    account: str
    keys: tuple[str, str, str]
    vpc: str = ""
    cidr: str = ""
    entry: str = ""
    inner: str = ""
    entry_table: str = ""
    inner_table: str = ""
    attachment: str = ""
    region: str = REGION
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:  # noqa: ANN401 -- one of boto3's clients
        if service not in self._clients:
            key, secret, token = self.keys
            self._clients[service] = boto3.client(  # type: ignore[call-overload]  # the stubs know services by literal name only
                service,
                region_name=self.region,
                aws_access_key_id=key,
                aws_secret_access_key=secret,
                aws_session_token=token,
                config=Config(retries={"total_max_attempts": 1}),
            )
        return self._clients[service]

    @property
    def ec2(self) -> Any:  # noqa: ANN401 -- boto3's EC2 client
        return self.client("ec2")

    def build(self, block: str) -> None:
        self.cidr = f"10.{block}.0.0/16"
        self.vpc = self.ec2.create_vpc(CidrBlock=self.cidr)["Vpc"]["VpcId"]
        self.entry, self.entry_table = self._subnet(f"10.{block}.0.0/28")
        self.inner, self.inner_table = self._subnet(f"10.{block}.1.0/24")

    def _subnet(self, cidr: str) -> tuple[str, str]:
        made = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=cidr, AvailabilityZone=f"{self.region}a")
        subnet = made["Subnet"]["SubnetId"]
        table = self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        self.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        return subnet, table

    def route(self, table: str, destination: str, **target: str) -> None:
        self.ec2.create_route(RouteTableId=table, DestinationCidrBlock=destination, **target)

    def close_acl(self, subnet: str) -> str:
        """An ACL of its own for a subnet, with nothing in it but the last entries."""
        acl: str = self.ec2.create_network_acl(VpcId=self.vpc)["NetworkAcl"]["NetworkAclId"]
        for each in self.ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])["NetworkAcls"]:
            for association in each["Associations"]:
                if association["SubnetId"] == subnet:
                    old = association["NetworkAclAssociationId"]
                    self.ec2.replace_network_acl_association(AssociationId=old, NetworkAclId=acl)
        return acl


@dataclass(slots=True)
class Enterprise:
    """The whole estate. `spokes` and `shared` are the gateway's route tables."""

    spoke: NetworkEstate
    owner: Other
    hub: Other
    out: Other
    gateway: str = ""
    spokes: str = ""
    shared: str = ""
    attachment: str = ""
    nat: str = ""
    hub_group: str = ""
    endpoints: dict[str, str] = field(default_factory=dict)
    entries: dict[str, str] = field(default_factory=dict)

    def build(self) -> Enterprise:
        ec2 = self.owner.ec2
        options = {"DefaultRouteTableAssociation": "disable", "DefaultRouteTablePropagation": "disable"}
        self.gateway = ec2.create_transit_gateway(Options=options)["TransitGateway"]["TransitGatewayId"]
        self.spokes, self.shared = (self._gateway_table() for _ in range(2))
        self._build_out()
        self._build_hub()
        self._build_spoke()
        for attachment, table in (
            (self.attachment, self.spokes),
            (self.hub.attachment, self.shared),
            (self.out.attachment, self.shared),
        ):
            ec2.associate_transit_gateway_route_table(
                TransitGatewayAttachmentId=attachment, TransitGatewayRouteTableId=table
            )
        self.gateway_route(self.spokes, INTERNET, self.out.attachment)
        self.propagate(self.hub.attachment, self.spokes)
        self.propagate(self.attachment, self.shared)
        return self

    def _gateway_table(self) -> str:
        made = self.owner.ec2.create_transit_gateway_route_table(TransitGatewayId=self.gateway)
        table: str = made["TransitGatewayRouteTable"]["TransitGatewayRouteTableId"]
        return table

    def gateway_route(self, table: str, destination: str, attachment: str = "") -> None:
        target: dict[str, Any] = {"TransitGatewayAttachmentId": attachment} if attachment else {"Blackhole": True}
        self.owner.ec2.create_transit_gateway_route(
            TransitGatewayRouteTableId=table, DestinationCidrBlock=destination, **target
        )

    def propagate(self, attachment: str, table: str) -> None:
        self.owner.ec2.enable_transit_gateway_route_table_propagation(
            TransitGatewayAttachmentId=attachment, TransitGatewayRouteTableId=table
        )

    def _attach(self, ec2: Any, vpc: str, *subnets: str) -> str:  # noqa: ANN401 -- boto3's EC2 client
        made = ec2.create_transit_gateway_vpc_attachment(
            TransitGatewayId=self.gateway, VpcId=vpc, SubnetIds=list(subnets)
        )
        attachment: str = made["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"]
        return attachment

    def _build_out(self) -> None:
        out = self.out
        out.build("200")
        out.attachment = self._attach(out.ec2, out.vpc, out.entry)
        gateway = out.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        out.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=out.vpc)
        out.route(out.inner_table, INTERNET, GatewayId=gateway)
        address = out.ec2.allocate_address(Domain="vpc")["AllocationId"]
        self.nat = out.ec2.create_nat_gateway(SubnetId=out.inner, AllocationId=address)["NatGateway"]["NatGatewayId"]
        out.route(out.entry_table, INTERNET, NatGatewayId=self.nat)
        out.route(out.inner_table, SPOKES, TransitGatewayId=self.gateway)

    def _build_hub(self) -> None:
        hub = self.hub
        hub.build("100")
        hub.attachment = self._attach(hub.ec2, hub.vpc, hub.entry)
        hub.route(hub.inner_table, SPOKES, TransitGatewayId=self.gateway)
        made = hub.ec2.create_security_group(GroupName="endpoints", Description="endpoints", VpcId=hub.vpc)
        self.hub_group = made["GroupId"]
        self.let_into_hub(SPOKES)
        for service in ("ecr.api", "ecr.dkr", "s3"):
            found = hub.ec2.create_vpc_endpoint(
                VpcId=hub.vpc,
                VpcEndpointType="Interface",
                ServiceName=f"com.amazonaws.{REGION}.{service}",
                SubnetIds=[hub.inner],
                SecurityGroupIds=[self.hub_group],
                PrivateDnsEnabled=False,
            )["VpcEndpoint"]
            self.endpoints[service] = found["VpcEndpointId"]

    def address_of(self, service: str) -> str:
        """The private address of one of the hub's endpoints."""
        found = self.hub.ec2.describe_vpc_endpoints(VpcEndpointIds=[self.endpoints[service]])["VpcEndpoints"][0]
        interfaces = self.hub.ec2.describe_network_interfaces(NetworkInterfaceIds=found["NetworkInterfaceIds"])
        address: str = interfaces["NetworkInterfaces"][0]["PrivateIpAddress"]
        return address

    def zone(self, service: str, *names: str, owner: Other | None = None, spoke: bool = True) -> str:
        """A private hosted zone of the hub's (or of another) for a service, with aliases to its endpoint. Its id.

        `names` are those of its records, relative to the zone; "" is the zone itself. `spoke` says whether it is
        associated with the spoke.
        """
        last = service.rpartition(".")[2]
        name = {"api": "api.ecr", "dkr": "dkr.ecr", "s3": "s3"}[last] + f".{REGION}.amazonaws.com"
        route53 = (owner or self.hub).client("route53")
        made = route53.create_hosted_zone(
            Name=name,
            CallerReference=f"{self.spoke.name}-{service}-{self.gateway}",
            VPC={"VPCRegion": REGION, "VPCId": self.hub.vpc},
            HostedZoneConfig={"PrivateZone": True},
        )["HostedZone"]["Id"]
        if spoke:
            vpc = {"VPCRegion": REGION, "VPCId": self.spoke.vpc}
            route53.associate_vpc_with_hosted_zone(HostedZoneId=made, VPC=vpc)
        alias = {
            "HostedZoneId": "Z7HUB22UULQXV",
            "DNSName": f"{self.endpoints[service]}-a1b2c3d4.{name}.vpce.amazonaws.com",
            "EvaluateTargetHealth": False,
        }
        for each in names:
            record = {"Name": f"{each}.{name}".lstrip("."), "Type": "A", "AliasTarget": alias}
            route53.change_resource_record_sets(
                HostedZoneId=made, ChangeBatch={"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
            )
        return str(made)

    def share_endpoints(self) -> None:
        """Lead the three names of a pull to the hub's endpoints."""
        self.zone("ecr.api", "")
        self.zone("ecr.dkr", "*")
        self.zone("s3", "", "*")

    def let_into_hub(self, cidr: str) -> None:
        rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": cidr}]}
        self.hub.ec2.authorize_security_group_ingress(GroupId=self.hub_group, IpPermissions=[rule])

    def shut_hub(self) -> None:
        rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": SPOKES}]}
        self.hub.ec2.revoke_security_group_ingress(GroupId=self.hub_group, IpPermissions=[rule])

    def _build_spoke(self) -> None:
        spoke = self.spoke
        for zone, cidr in (("a", "10.0.200.0/28"), ("b", "10.0.201.0/28")):
            self.entries[zone] = spoke._subnet(cidr, zone)
        self.attachment = self._attach(spoke.ec2, spoke.vpc, *self.entries.values())
        for table in (spoke.table_a, spoke.table_b):
            spoke.route(table, INTERNET, TransitGatewayId=self.gateway)
        spoke.node()

    def run(self, remediation: Remediation) -> None:
        """Run the commands of a fix with credentials of the account that it names."""
        accounts = {each.account: each.keys for each in (self.owner, self.hub, self.out)}
        where = remediation.account
        keys = accounts.get(where, self.spoke.keys)
        replace(self.spoke, account=where, keys=keys, _clients={}).run(remediation)


def other(account: str, moto: str) -> Other:
    """Another account, with credentials of it."""
    sts = boto3.client(
        "sts", region_name=REGION, endpoint_url=moto, aws_access_key_id="test", aws_secret_access_key="test"
    )
    found = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/admin", RoleSessionName="owner")["Credentials"]
    return Other(account, (found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"]))


def enterprise(estate: NetworkEstate) -> Enterprise:
    assert estate.account == ACCOUNT
    owner, hub, out = (other(each, estate.endpoint) for each in (GATEWAY, HUB, OUT))
    return Enterprise(estate, owner, hub, out).build()
