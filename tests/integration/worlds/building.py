"""Builds worlds in the emulated AWS. Networks, roles and repositories are built once for all worlds that have them."""
# ruff: noqa: ANN401 -- boto3's clients

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from moto.backends import get_backend

from tests.integration.checks.registry_estate import index
from tests.integration.network.estate import IMAGE, INTERNET, PULL, Estate, trust
from tests.integration.worlds.recorded import OTHERS, OURS, REGION, Emulated

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.integration.worlds.world import World

CLUSTER: Final = "prod"
GROUP: Final = "workers"
_NETWORK: Final = (
    "way", "default_route", "nat", "nat_subnet_route", "public_address", "egress", "acl", "dns_support",
    "dns_hostnames", "api", "dkr", "s3", "endpoint_ingress", "api_policy", "dkr_policy",
    "s3_policy",
)  # fmt: skip
_ROLE: Final = ("role_allows", "role_denies", "guard", "boundary", "profile_role", "trust")
_REPOSITORY: Final = ("shared", "repository", "repository_policy", "image", "key")
_BUCKET: Final = f"arn:aws:s3:::prod-{REGION}-starport-layer-bucket"


def _sqs_endpoint(estate: Estate) -> None:
    estate.endpoint_group = estate.endpoint_group or estate.security_group("endpoints")
    estate.interface_endpoint("sqs", SecurityGroupIds=[estate.security_group("closed")])


_BESIDE: Final[dict[str, Callable[[Estate], object]]] = {
    "another subnet's ACL": lambda e: e.entry(e.network_acl(e.subnet_without_table()), 1, allow=False, egress=True),
    "another group without egress": lambda e: e.close_egress(e.security_group("others")),
    "another NAT gateway deleted": lambda e: e.ec2.delete_nat_gateway(NatGatewayId=e.nat_gateway()),
    "another endpoint that lets nobody in": _sqs_endpoint,
    "a way to elsewhere": lambda e: e.route(e.table_a, "203.0.113.0/24", GatewayId=e.igw),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Built:
    """A world that exists: the names and ids that events of its pulls hold."""

    node: str
    node_name: str
    role: str
    registry: str
    repository: str

    @property
    def host(self) -> str:
        return f"{self.registry}.dkr.ecr.{REGION}.amazonaws.com"

    @property
    def image(self) -> str:
        return f"{self.host}/{self.repository}:v1"


@dataclass(slots=True, repr=False)
class Builder:
    """Builds one world after the other; the last one built is the one that can be asked about."""

    emulated: Emulated
    folder: Path
    _parts: dict[tuple[Any, ...], Any] = field(default_factory=dict)

    def build(self, world: World) -> Built:
        network = self._part("n", world, _NETWORK, set(_BESIDE), self._network)
        role = self._part("r", world, _ROLE, {"role denies pushes", "role denies another repository"}, self._role)
        wanted = {"repository denies another role", "another image absent", "lifecycle policy"}
        repository = self._part("i", world, _REPOSITORY, wanted, self._repository)
        self._set_registry_policy(world.registry_policy)
        # The nodes of other worlds are gone: they would have the same names.
        get_backend("ec2")[OURS][REGION].reservations.clear()
        node, name = self._node(world, network, role)
        get_backend("eks")[OURS][REGION].reset()
        eks, arn = self.emulated.client("eks"), f"arn:aws:iam::{OURS}:role/{role}"
        vpc = {"subnetIds": [network.a, network.b], "securityGroupIds": [network.group]}
        eks.create_cluster(name=CLUSTER, roleArn=arn, resourcesVpcConfig=vpc)
        eks.create_nodegroup(clusterName=CLUSTER, nodegroupName=GROUP, subnets=[network.a, network.b], nodeRole=arn)
        self.emulated.forget_changes()
        return Built(node, name, role, OTHERS if world.shared else OURS, repository)

    def _set_registry_policy(self, what: str) -> None:
        """An account has one, so it is no part of a world that stays."""
        about = f"arn:aws:ecr:{REGION}:{OURS}:repository"
        refused = {"denies": f"{about}/*", "others": f"{about}/elsewhere"}
        # moto takes the actions of scope V1 only.
        text = _policy(_deny("ecr:*", on=refused[what], Principal="*")) if what else None
        get_backend("ecr")[OURS][REGION].registry_policy = text

    def _part(self, letter: str, world: World, names: tuple[str, ...], misses: set[str], build: Any) -> Any:
        key = (letter, *(getattr(world, name) for name in names), *sorted(world.misses & misses))
        if key not in self._parts:
            self._parts[key] = build(world, f"{letter}{len(self._parts)}")
        return self._parts[key]

    def _network(self, world: World, name: str) -> Estate:
        estate = Estate("", self.folder, name=name)
        estate._clients.update({each: self.emulated.client(each) for each in ("ec2", "iam", "ecr", "eks")})
        estate.network()
        ec2 = estate.ec2
        estate.group = estate.security_group("nodes")
        _set_way(world, estate)
        if world.has_endpoints:
            _set_endpoints(world, estate)
        _set_filters(world, estate)
        for each in sorted(world.misses & set(_BESIDE)):
            _BESIDE[each](estate)
        for attribute, value in (("EnableDnsSupport", world.dns_support), ("EnableDnsHostnames", world.dns_hostnames)):
            ec2.modify_vpc_attribute(VpcId=estate.vpc, **{attribute: {"Value": value}})
        return estate

    def _role(self, world: World, name: str) -> str:
        iam = self.emulated.client("iam")
        bounds = {
            "wide": [_allow("ecr:*", "s3:*")],
            "narrow": [_allow("s3:*")],
            "denies": [_allow("*"), _deny("ecr:BatchGetImage")],
        }
        bounded = {}
        if world.boundary:
            document = _policy(*bounds[world.boundary])
            made = iam.create_policy(PolicyName=f"{name}-boundary", PolicyDocument=document)
            bounded = {"PermissionsBoundary": made["Policy"]["Arn"]}
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(*world.trust.split()), **bounded)
        elsewhere = f"arn:aws:ecr:{REGION}:{OURS}:repository/elsewhere"
        allowed = {
            "all": [_allow(*PULL)],
            "nothing": [_allow("s3:GetObject")],
            "token": [_allow(PULL[0])],
            "elsewhere": [_allow(PULL[0]), _allow(*PULL[1:], on=elsewhere)],
        }
        denied = {"": [], "token": [_deny(PULL[0])], "layers": [_deny(PULL[2])]}[world.role_denies]
        if "role denies pushes" in world.misses:
            denied = [*denied, _deny("ecr:PutImage", "ecr:InitiateLayerUpload")]
        if "role denies another repository" in world.misses:
            denied = [*denied, _deny("ecr:*", on=elsewhere)]
        document = _policy(*allowed[world.role_allows], *denied)
        iam.put_role_policy(RoleName=name, PolicyName="pull", PolicyDocument=document)
        guards = {"storage": _allow("s3:*"), "pushes": _deny("ecr:PutImage"), "denies": _deny("ecr:BatchGetImage")}
        guard = iam.create_policy(PolicyName=f"{name}-guard", PolicyDocument=_policy(guards[world.guard]))
        iam.attach_role_policy(RoleName=name, PolicyArn=guard["Policy"]["Arn"])
        iam.create_instance_profile(InstanceProfileName=name)
        if world.profile_role:
            iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
        return name

    def _repository(self, world: World, name: str) -> str:
        ecr = self.emulated.client("ecr", OTHERS if world.shared else OURS)
        if world.repository == "absent":
            return name
        encryption = {}
        if world.key:
            kms = self.emulated.client("kms")
            key = kms.create_key()["KeyMetadata"]["KeyId"]
            encryption = {"encryptionConfiguration": {"encryptionType": "KMS", "kmsKey": key}}
            if world.key == "disabled":
                kms.disable_key(KeyId=key)
        ecr.create_repository(repositoryName=name, **encryption)
        for tag in [*(["v1"] if world.image != "absent" else []), "v0"]:
            platform = {"index": "linux/amd64", "other platform": "linux/arm64"}.get(world.image)
            manifest = index("linux/s390x", platform) if platform and tag == "v1" else {**IMAGE, "tag": tag}
            ecr.put_image(
                repositoryName=name,
                imageTag=tag,
                imageManifest=json.dumps(manifest),
                imageManifestMediaType=manifest["mediaType"],
            )
        if "another image absent" in world.misses:
            ecr.batch_delete_image(repositoryName=name, imageIds=[{"imageTag": "v0"}])
        statements = _repository_policy(world)
        if statements:
            ecr.set_repository_policy(repositoryName=name, policyText=_policy(*statements))
        if "lifecycle policy" in world.misses:
            rule = {
                "rulePriority": 1,
                "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 9},
                "action": {"type": "expire"},
            }
            ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=json.dumps({"rules": [rule]}))
        return name

    def _node(self, world: World, network: Estate, role: str) -> tuple[str, str]:
        tags = {f"kubernetes.io/cluster/{CLUSTER}": "owned", "eks:cluster-name": CLUSTER, "eks:nodegroup-name": GROUP}
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        (made,) = network.ec2.run_instances(
            ImageId="ami-12345678",
            MinCount=1,
            MaxCount=1,
            SubnetId=network.a,
            SecurityGroupIds=[network.group],
            MetadataOptions={"HttpEndpoint": "enabled" if world.metadata else "disabled"},
            IamInstanceProfile={"Name": role},
            TagSpecifications=[{"ResourceType": "instance", "Tags": listed}],
        )["Instances"]
        return made["InstanceId"], made["PrivateDnsName"]


def _set_way(world: World, estate: Estate) -> None:
    if world.way in ("nat", "both"):
        if world.nat_subnet_route:
            estate.route(estate.table_public, INTERNET, GatewayId=estate.igw)
        estate.nat = estate.nat_gateway()
        if world.default_route:
            for table in (estate.table_a, estate.table_b):
                estate.route(table, INTERNET, NatGatewayId=estate.nat)
        if not world.nat:
            estate.ec2.delete_nat_gateway(NatGatewayId=estate.nat)
    if world.way == "public":
        for subnet in (estate.a, estate.b):
            estate.ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": world.public_address})
        for table in (estate.table_a, estate.table_b) if world.default_route else ():
            estate.route(table, INTERNET, GatewayId=estate.igw)


def _set_endpoints(world: World, estate: Estate) -> None:
    estate.endpoint_group = estate.security_group("endpoints")
    if world.endpoint_ingress:
        estate.allow_in(estate.endpoint_group, estate.group)
    policies = {
        "full": None,
        "account": [_allow("ecr:*", Principal={"AWS": OURS})],
        "others": [_allow("ecr:*", Principal={"AWS": f"arn:aws:iam::{OURS}:role/others"})],
    }
    for service, state, policy in (("ecr.api", world.api, world.api_policy), ("ecr.dkr", world.dkr, world.dkr_policy)):
        if state != "absent":
            estate.interface_endpoint(
                service,
                private_dns=state != "no private DNS",
                policy=_document(policies[policy]),
                **({"SubnetIds": []} if state == "no interface" else {}),
            )
        if state == "failed":
            estate.set_endpoint_state(service, "failed")
    layers = {
        "full": None,
        "ours": [_allow("s3:*", Principal="*", on="arn:aws:s3:::ours/*")],
        "layers": [_allow("s3:GetObject", Principal="*", on=f"{_BUCKET}/*")],
    }
    if world.s3 != "absent":
        tables = (estate.table_b,) if world.s3 == "other table" else (estate.table_a, estate.table_b)
        estate.gateway_endpoint(*tables, policy=_document(layers[world.s3_policy]))


def _set_filters(world: World, estate: Estate) -> None:
    rules = {
        "private": {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "10.0.0.0/8"}, {"CidrIp": "172.16.0.0/12"}]},
        "https": {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": INTERNET}]},
    }
    if world.egress != "all":
        estate.close_egress(estate.group)
    if world.egress == "least":
        ec2 = estate.ec2
        (s3,) = [each for each in ec2.describe_prefix_lists()["PrefixLists"] if each["PrefixListName"].endswith(".s3")]
        rules["least"] = {
            "IpProtocol": "tcp",
            "FromPort": 443,
            "ToPort": 443,
            "UserIdGroupPairs": [{"GroupId": estate.endpoint_group}],
            "PrefixListIds": [{"PrefixListId": s3["PrefixListId"]}],
        }
    if world.egress in rules:
        estate.ec2.authorize_security_group_egress(GroupId=estate.group, IpPermissions=[rules[world.egress]])
    if world.acl == "open":
        return
    acl = estate.network_acl(estate.a)
    estate.entry(acl, 100, allow=True, egress=True)
    answers = (1, 1023) if world.acl == "no answers" else None
    estate.entry(acl, 100, allow=True, egress=False, ports=answers)
    if world.acl in ("denies", "late"):
        estate.entry(acl, 99 if world.acl == "denies" else 101, allow=False, egress=True, ports=(443, 443))


def _repository_policy(world: World) -> list[dict[str, Any]]:
    images = list(PULL[1:])
    granted = {"grants": OURS, "others": "888888888888"}.get(world.repository_policy) if world.shared else None
    statements = [_allow(*images, Principal={"AWS": f"arn:aws:iam::{granted}:root"}, on=None)] if granted else []
    if world.repository_policy == "denies":
        statements += [_deny("ecr:BatchGetImage", Principal="*", on=None)]
        if world.shared:
            statements += [_allow(*images, Principal={"AWS": f"arn:aws:iam::{OURS}:root"}, on=None)]
    if "repository denies another role" in world.misses:
        other = {"AWS": f"arn:aws:iam::{OURS}:role/others"}
        statements += [_deny("ecr:*", Principal=other, on=None)]
    return statements


def _allow(*actions: str, on: str | None = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), **({"Resource": on} if on else {}), **more}


def _deny(*actions: str, on: str | None = "*", **more: Any) -> dict[str, Any]:
    return {**_allow(*actions, on=on, **more), "Effect": "Deny"}


def _document(statements: list[dict[str, Any]] | None) -> dict[str, Any] | None:
    if statements is None:
        return None
    principal = [{"Principal": "*", **each} for each in statements]
    return {"Version": "2012-10-17", "Statement": principal}


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
