"""A small network with a cluster in it, on moto: ministack keeps no private DNS, groups or policies of endpoints.

Three estates work: nodes behind a NAT gateway, nodes in a public subnet, and nodes with endpoints only. Each test
breaks one of them, asks, and puts it right again by the commands that the answer gives.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from moto.backends import get_backend

from pull_responder.cli.asked_nodes import Chosen
from pull_responder.cli.question import Answer, ask
from pull_responder.events.image_reference import parse_image
from pull_responder.facts.aws import Aws
from pull_responder.facts.reader import Reader
from pull_responder.remediation.shell import render
from tests import aws_cli
from tests.integration.seen import seen

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from botocore.model import OperationModel

    from pull_responder.diagnosis import Diagnosis
    from pull_responder.findings.finding import Finding
    from pull_responder.model.verdict import Remediation

ACCOUNT: Final = "123456789012"
REGION: Final = "us-east-1"
PULL: Final = ["ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
MAY_PULL: Final = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": PULL, "Resource": "*"}]}
IMAGE: Final = {
    "schemaVersion": 2,
    "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
    "config": {
        "mediaType": "application/vnd.docker.container.image.v1+json",
        "size": 1,
        "digest": f"sha256:{'a' * 64}",
    },
    "layers": [],
}
INTERNET: Final = "0.0.0.0/0"
EKS_SUBNETS: Final = ("10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24")
_NUMBERS: Final = count(1)


def trust(*services: str) -> str:
    who = {"Service": [f"{service}.amazonaws.com" for service in services]}
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": who, "Action": "sts:AssumeRole"}]}
    )


@dataclass(slots=True)
class NetworkEstate:
    """One VPC: subnet `a` holds the node, `b` is in another zone, `public` holds NAT gateways."""

    endpoint: str
    folder: Path
    name: str = field(default_factory=lambda: f"c{next(_NUMBERS)}")
    vpc: str = ""
    a: str = ""
    b: str = ""
    public: str = ""
    igw: str = ""
    nat: str = ""
    table_a: str = ""
    table_b: str = ""
    table_public: str = ""
    group: str = ""
    endpoint_group: str = ""
    instance: str = ""
    role: str = ""
    account: str = ACCOUNT
    keys: tuple[str, str, str | None] = ("test", "test", None)
    endpoints: dict[str, str] = field(default_factory=dict)
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:  # noqa: ANN401 -- one of boto3's clients
        if service not in self._clients:
            self._clients[service] = boto3.client(  # type: ignore[call-overload]  # the stubs know services by literal name only
                service,
                region_name=REGION,
                aws_access_key_id=self.keys[0],
                aws_secret_access_key=self.keys[1],
                aws_session_token=self.keys[2],
                config=Config(retries={"total_max_attempts": 1}),
            )
        return self._clients[service]

    @property
    def ec2(self) -> Any:  # noqa: ANN401 -- boto3's EC2 client
        return self.client("ec2")

    def build(self) -> NetworkEstate:
        """Subnets without routes, a cluster, a node role that may pull, and a repository."""
        return self.network().cluster()

    def network(self) -> NetworkEstate:
        ec2 = self.ec2
        self.vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
            ec2.modify_vpc_attribute(VpcId=self.vpc, **{attribute: {"Value": True}})
        self.a, self.b, self.public = (self._subnet(cidr, zone) for cidr, zone in zip(EKS_SUBNETS, "aba", strict=True))
        self.table_a, self.table_b, self.table_public = (self._table(each) for each in (self.a, self.b, self.public))
        self.igw = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        ec2.attach_internet_gateway(InternetGatewayId=self.igw, VpcId=self.vpc)
        return self

    def cluster(self) -> NetworkEstate:
        self.group = self.security_group("nodes")
        self.allow_in(self.group, self.group, protocol="-1")
        iam = self.client("iam")
        self.role = iam.create_role(RoleName=f"{self.name}-node", AssumeRolePolicyDocument=trust("ec2"))["Role"]["Arn"]
        iam.put_role_policy(RoleName=f"{self.name}-node", PolicyName="pull", PolicyDocument=json.dumps(MAY_PULL))
        iam.create_instance_profile(InstanceProfileName=self.name)
        iam.add_role_to_instance_profile(InstanceProfileName=self.name, RoleName=f"{self.name}-node")
        ecr = self.client("ecr")
        ecr.create_repository(repositoryName=f"{self.name}/app")
        ecr.put_image(repositoryName=f"{self.name}/app", imageTag="v1", imageManifest=json.dumps(IMAGE))
        vpc = {"subnetIds": [self.a, self.b], "securityGroupIds": [self.group]}
        self.client("eks").create_cluster(name=self.name, roleArn=self.role, resourcesVpcConfig=vpc)
        return self

    def behind_nat(self) -> NetworkEstate:
        self.route(self.table_public, INTERNET, GatewayId=self.igw)
        self.nat = self.nat_gateway()
        self.route(self.table_a, INTERNET, NatGatewayId=self.nat)
        self.route(self.table_b, INTERNET, NatGatewayId=self.nat)
        return self

    def in_public(self) -> NetworkEstate:
        self.ec2.modify_subnet_attribute(SubnetId=self.a, MapPublicIpOnLaunch={"Value": True})
        self.route(self.table_a, INTERNET, GatewayId=self.igw)
        return self

    def endpoints_only(self) -> NetworkEstate:
        self.endpoint_group = self.security_group("endpoints")
        self.allow_in(self.endpoint_group, self.group)
        for service in ("ecr.api", "ecr.dkr"):
            self.interface_endpoint(service)
        self.gateway_endpoint()
        return self

    def _subnet(self, cidr: str, zone: str) -> str:
        found = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=cidr, AvailabilityZone=f"{REGION}{zone}")
        subnet: str = found["Subnet"]["SubnetId"]
        return subnet

    def _table(self, subnet: str) -> str:
        table: str = self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        self.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        return table

    def security_group(self, name: str) -> str:
        made = self.ec2.create_security_group(GroupName=f"{self.name}-{name}", Description=name, VpcId=self.vpc)
        group: str = made["GroupId"]
        return group

    def allow_in(self, group: str, source: str, *, protocol: str = "tcp") -> None:
        ports = {} if protocol == "-1" else {"FromPort": 443, "ToPort": 443}
        rule = {"IpProtocol": protocol, **ports, "UserIdGroupPairs": [{"GroupId": source}]}
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])

    def close_egress(self, group: str) -> None:
        rule = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": INTERNET}]}
        self.ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[rule])

    def close_ingress(self, group: str, source: str) -> None:
        rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{"GroupId": source}]}
        self.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[rule])

    def route(self, table: str, destination: str, **target: str) -> None:
        self.ec2.create_route(RouteTableId=table, DestinationCidrBlock=destination, **target)

    def unroute(self, table: str, destination: str = INTERNET) -> None:
        self.ec2.delete_route(RouteTableId=table, DestinationCidrBlock=destination)

    def nat_gateway(self, subnet: str = "") -> str:
        address = self.ec2.allocate_address(Domain="vpc")["AllocationId"]
        made = self.ec2.create_nat_gateway(SubnetId=subnet or self.public, AllocationId=address)
        nat: str = made["NatGateway"]["NatGatewayId"]
        return nat

    def detached_gateway(self) -> str:
        gateway: str = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        return gateway

    def subnet_without_table(self) -> str:
        return self._subnet("10.0.3.0/24", "a")

    def main_table(self) -> str:
        tables = self.ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])["RouteTables"]
        (main,) = [each["RouteTableId"] for each in tables if any(one["Main"] for one in each["Associations"])]
        return str(main)

    def prefix_list(self, *cidrs: str) -> str:
        made = self.ec2.create_managed_prefix_list(
            PrefixListName="ours", MaxEntries=9, AddressFamily="IPv4", Entries=[{"Cidr": cidr} for cidr in cidrs]
        )
        listed: str = made["PrefixList"]["PrefixListId"]
        return listed

    def interface_endpoint(
        self, service: str, *, private_dns: bool = True, policy: dict[str, Any] | None = None, **more: object
    ) -> str:
        options = {
            "VpcId": self.vpc,
            "VpcEndpointType": "Interface",
            "ServiceName": f"com.amazonaws.{REGION}.{service}",
            "SubnetIds": [self.b],
            "SecurityGroupIds": [self.endpoint_group],
            "PrivateDnsEnabled": private_dns,
            **({"PolicyDocument": json.dumps(policy)} if policy else {}),
            **more,
        }
        made = self.ec2.create_vpc_endpoint(**options)
        self.endpoints[service] = made["VpcEndpoint"]["VpcEndpointId"]
        return self.endpoints[service]

    def gateway_endpoint(self, *tables: str, policy: dict[str, Any] | None = None) -> str:
        made = self.ec2.create_vpc_endpoint(
            VpcId=self.vpc,
            VpcEndpointType="Gateway",
            ServiceName=f"com.amazonaws.{REGION}.s3",
            RouteTableIds=list(tables or (self.table_a, self.table_b)),
            **({"PolicyDocument": json.dumps(policy)} if policy else {}),
        )
        self.endpoints["s3"] = made["VpcEndpoint"]["VpcEndpointId"]
        return self.endpoints["s3"]

    def delete_endpoint(self, service: str) -> None:
        self.ec2.delete_vpc_endpoints(VpcEndpointIds=[self.endpoints.pop(service)])

    def set_endpoint_state(self, service: str, state: str) -> None:
        """Put an endpoint into a state that moto, which runs in this process, never comes to by itself."""
        get_backend("ec2")[ACCOUNT][REGION].vpc_end_points[self.endpoints[service]].state = state

    def set_private_names(self, service: str, *names: str) -> None:
        """Let an endpoint tell the names that its private DNS holds, which moto does not."""
        endpoint = get_backend("ec2")[ACCOUNT][REGION].vpc_end_points[self.endpoints[service]]
        endpoint.dns_entries = [{"dns_name": name, "hosted_zone_id": "Z1"} for name in names]

    def network_acl(self, subnet: str) -> str:
        """An ACL of its own for a subnet, with nothing in it but the last entries."""
        acl: str = self.ec2.create_network_acl(VpcId=self.vpc)["NetworkAcl"]["NetworkAclId"]
        for each in self.ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])["NetworkAcls"]:
            for association in each["Associations"]:
                if association["SubnetId"] == subnet:
                    old = association["NetworkAclAssociationId"]
                    self.ec2.replace_network_acl_association(AssociationId=old, NetworkAclId=acl)
        return acl

    def entry(  # noqa: PLR0913 -- an entry has that many parts
        self,
        acl: str,
        number: int,
        *,
        allow: bool,
        egress: bool,
        cidr: str = INTERNET,
        ports: tuple[int, int] | None = None,
    ) -> None:
        span = {"PortRange": {"From": ports[0], "To": ports[1]}} if ports else {}
        self.ec2.create_network_acl_entry(
            NetworkAclId=acl,
            RuleNumber=number,
            Protocol="6" if ports else "-1",
            RuleAction="allow" if allow else "deny",
            Egress=egress,
            CidrBlock=cidr,
            **span,
        )

    def node(
        self, subnet: str | None = None, *, group: str = "", profile: bool = True, metadata: str = "enabled"
    ) -> str:
        """A running node of the cluster, in subnet `a` unless told, of node group `group` if there is one."""
        tags = {f"kubernetes.io/cluster/{self.name}": "owned", "eks:cluster-name": self.name}
        if group:
            tags["eks:nodegroup-name"] = group
        made = self.ec2.run_instances(
            ImageId="ami-12345678",
            MinCount=1,
            MaxCount=1,
            SubnetId=subnet or self.a,
            SecurityGroupIds=[self.group],
            MetadataOptions={"HttpEndpoint": metadata},
            **({"IamInstanceProfile": {"Name": self.name}} if profile else {}),
            TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}],
        )
        self.instance = made["Instances"][0]["InstanceId"]
        return self.instance

    def node_group(self, name: str = "workers", *subnets: str, template: dict[str, Any] | None = None) -> None:
        options = {}
        if template is not None:
            made = self.ec2.create_launch_template(
                LaunchTemplateName=f"{self.name}-{name}", LaunchTemplateData=template
            )
            options["launchTemplate"] = {"id": made["LaunchTemplate"]["LaunchTemplateId"], "version": "1"}
        self.client("eks").create_nodegroup(
            clusterName=self.name,
            nodegroupName=name,
            subnets=list(subnets or (self.a, self.b)),
            nodeRole=self.role,
            **options,
        )

    def fargate_profile(self, name: str = "pods", *subnets: str) -> str:
        made = self.client("iam").create_role(
            RoleName=f"{self.name}-pods", AssumeRolePolicyDocument=trust("eks-fargate-pods")
        )
        pull = json.dumps(MAY_PULL)
        self.client("iam").put_role_policy(RoleName=f"{self.name}-pods", PolicyName="pull", PolicyDocument=pull)
        role: str = made["Role"]["Arn"]
        self.client("eks").create_fargate_profile(
            clusterName=self.name,
            fargateProfileName=name,
            subnets=list(subnets or (self.a,)),
            podExecutionRoleArn=role,
            selectors=[{"namespace": "default"}],
        )
        return role

    @property
    def image(self) -> str:
        return f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{self.name}/app:v1"

    def ask(
        self, *, denied: Sequence[str] = (), code: str = "UnauthorizedOperation", image: str = "", **choice: str
    ) -> Answer:
        """Ask whether the node can pull; the reads in `denied` are refused with `code`, or answered with nothing."""
        chosen = Chosen(self.name, **choice) if choice else Chosen(self.name, instance=self.instance)
        parsed = parse_image(image or self.image)
        assert parsed is not None
        (answer,) = ask(Reader(self.aws(*denied, code=code)), parsed, chosen, ())
        seen(answer.diagnosis)
        return answer

    def diagnose(self, *, denied: Sequence[str] = (), **choice: str) -> Diagnosis:
        return self.ask(denied=denied, **choice).diagnosis

    def aws(self, *denied: str, code: str = "UnauthorizedOperation") -> Aws:
        session = boto3.session.Session("test", "test", region_name=REGION)
        for action in denied:
            service, _, operation = action.partition(":")
            session.events.register(f"before-call.{service}.{operation}", _refused(code))
        return Aws(session, member_role="PullResponderReadOnly")

    def run(self, remediation: Remediation) -> None:
        """Run the commands as they are printed: a shell each, an empty folder, and nothing set but the credentials."""
        assert remediation.commands
        for command, done in self._run(remediation):
            assert done.returncode == 0, f"{command}\n{done.stderr}"

    def run_again(self, remediation: Remediation) -> None:
        """Run them a second time: they may be refused now."""
        for command, done in self._run(remediation):
            assert done.returncode == 0 or "An error occurred" in done.stderr, f"{command}\n{done.stderr}"

    def _run(self, remediation: Remediation) -> Iterator[tuple[str, subprocess.CompletedProcess[str]]]:
        assert (remediation.account, remediation.region) == (self.account, REGION)
        environment = {
            "PATH": f"{aws_cli.folder()}:{os.defpath}",
            "HOME": str(self.folder),
            "AWS_ACCESS_KEY_ID": self.keys[0],
            "AWS_SECRET_ACCESS_KEY": self.keys[1],
            **({"AWS_SESSION_TOKEN": self.keys[2]} if self.keys[2] else {}),
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": self.endpoint,
        }
        for command in remediation.commands:
            done = subprocess.run(  # noqa: S603 -- what is tested
                ["/bin/sh", "-c", render(command)],
                cwd=self.folder,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            yield render(command), done


EMPTY: Final = "answered with nothing"


def _refused(code: str) -> Any:  # noqa: ANN401 -- a handler as botocore calls it
    def refuse(model: OperationModel, **_: object) -> tuple[AWSResponse, dict[str, Any]]:
        if code == EMPTY:
            assert model.output_shape is not None
            lists: dict[str, Any] = {
                name: [] for name, shape in model.output_shape.members.items() if shape.type_name == "list"
            }
            return AWSResponse("", 200, HTTPHeaders(), None), {**lists, "ResponseMetadata": {"RequestId": "1"}}
        return AWSResponse("", 403, HTTPHeaders(), None), {
            "Error": {"Code": code, "Message": "refused"},
            "ResponseMetadata": {},
        }

    return refuse


def causes(diagnosis: Diagnosis) -> list[str]:
    return [finding.cause for finding in diagnosis.findings]


def only(diagnosis: Diagnosis, cause: str) -> Finding:
    """The one finding, which is of that cause."""
    assert causes(diagnosis) == [cause]
    return diagnosis.findings[0]


def opened(diagnosis: Diagnosis) -> dict[str, str]:
    return {each.cause: each.reason for each in (*diagnosis.inconclusive, *diagnosis.unchecked)}
