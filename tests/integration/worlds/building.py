"""Builds worlds in the emulated AWS. Networks, roles and repositories are built once for all worlds that have them."""
# ruff: noqa: ANN401 -- boto3's clients

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from moto.backends import get_backend

from tests.integration.network.estate import PULL, NetworkEstate
from tests.integration.worlds.caches import IMPORTS, CacheRules
from tests.integration.worlds.hubs import Hubs
from tests.integration.worlds.networks import BESIDE, address_of, build_network
from tests.integration.worlds.organizations import Organization
from tests.integration.worlds.pullers import NAMESPACE, PROFILE, run_fargate_pod, set_cluster, trust_of
from tests.integration.worlds.recorded import OTHERS, OURS, REGION, Emulated
from tests.integration.worlds.repositories import build_repository
from tests.integration.worlds.statements import allow, deny, policy
from tests.integration.worlds.world import PUBLIC, PUBLIC_IPV6, PUBLIC_NAT64, World, takes

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet
    from pathlib import Path


CLUSTER: Final = "prod"
GROUP: Final = "workers"
_NETWORK: Final = (
    "way", "hub", "hub_fault", "zone_b", "default_route", "nat", "nat_subnet_route", "public_address", "egress", "acl",
    "family", "route6", "egress6", "acl6", "dns64", "route64",
    "dns_support", "dns_hostnames", "api", "dkr", "s3", "endpoint_ingress", "api_policy", "dkr_policy",
    "s3_policy",
)  # fmt: skip
_SERVICES: Final = ("ec2", "iam", "ecr", "eks", "route53", "route53resolver", "route53profiles")
_OF_ROLE: Final = ("role denies pushes", "role denies another repository")
_DENIED: Final[dict[str, list[dict[str, Any]]]] = {
    "": [],
    "token": [deny(PULL[0])],
    "layers": [deny(PULL[2])],
    "all": [deny("ecr:*")],
}
_AWS: Final = "602401143452"
_ROLE: Final = (
    "puller",
    "cache",
    "imports",
    "role_allows",
    "role_denies",
    "guard",
    "boundary",
    "profile_role",
    "trust",
)
_REPOSITORY: Final = (
    "upstream",
    "upstream_prefix",
    "cache_role_in",
    "cache",
    "cached",
    "cache_prefix",
    "of_aws",
    "shared",
    "repository",
    "repository_policy",
    "image",
    "key",
)


@dataclass(frozen=True, slots=True)
class Built:
    """A world that exists: the names and ids that events of its pulls hold.

    - `parts` are the ends of the ARNs of all that the pull meets.
    - `address` is what the registry's host leads to: the endpoint's interface where it takes the traffic.
    - `dual_stack` says whether the image's name has the registry's dual-stack host.
    """

    node: str
    node_name: str
    session: str
    role: str
    registry: str
    repository: str
    address: str
    parts: frozenset[str]
    dual_stack: bool = False

    @property
    def host(self) -> str:
        if self.dual_stack:
            return f"{self.registry}.dkr-ecr.{REGION}.on.aws"
        return f"{self.registry}.dkr.ecr.{REGION}.amazonaws.com"

    @property
    def image(self) -> str:
        return f"{self.host}/{self.repository}:v1"


@dataclass(slots=True, repr=False)
class Builder:
    """Builds one world after the other; the last one built is the one that can be asked about."""

    emulated: Emulated
    folder: Path
    caches: CacheRules = field(init=False)
    organization: Organization = field(init=False)
    hubs: Hubs = field(default_factory=Hubs)
    _parts: dict[tuple[Any, ...], Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.caches, self.organization = CacheRules(self.emulated), Organization(self.emulated)

    def __repr__(self) -> str:
        return "the builder of all worlds"

    def _repr_pretty_(self, printer: Any, _: bool) -> None:  # noqa: FBT001 -- as hypothesis calls it
        printer.text(repr(self))

    def build(self, world: World) -> Built:
        network = self._part("n", world, _NETWORK, BESIDE.keys(), self._network)
        role = self._part("r", world, _ROLE, {*_OF_ROLE}, self._role)
        self.organization.set(world)
        wanted = {"repository denies another role", "another image absent", "lifecycle policy"}
        repository, key = self._part("i", world, _REPOSITORY, wanted, self._repository)
        rule_role = (
            self._part("c", world, ("cache_trust", "cache_role", "cache_role_in"), set(), self.caches.role)
            if world.cache
            else ""
        )
        self.caches.set(world, repository, rule_role)
        self._set_registry_policy(world.registry_policy)
        # The nodes of other worlds are gone: they would have the same names.
        get_backend("ec2")[OURS][REGION].reservations.clear()
        eks, arn = self._cluster(network, role)
        if world.puller == "fargate":
            address = self._part("p", world, _NETWORK, BESIDE.keys(), self._pod)
            node, name, session = "", f"fargate-ip-{address.replace('.', '-')}.ec2.internal", "session"
            eks.create_fargate_profile(
                clusterName=CLUSTER,
                fargateProfileName=PROFILE,
                subnets=[network.a, network.b],
                podExecutionRoleArn=arn,
                selectors=[{"namespace": NAMESPACE}],
            )
        else:
            profile = self._part("r", _node_world(world), _ROLE, {*_OF_ROLE}, self._role)
            node, name = self._node(world, network, profile)
            if world.family == "six":
                # EC2 User Guide, "Hostname types": instances in such subnets are named by their id.
                name = f"{node}.ec2.internal"
            session = "ecr-credential-provider" if world.puller == "pod" else node
            self._node_group(world, network, profile)
        if world.gone:
            network.ec2.terminate_instances(InstanceIds=[node])
        self.emulated.forget_changes()
        public = {"": PUBLIC, "dual": PUBLIC_IPV6, "six": PUBLIC_NAT64}[world.family]
        address = address_of(network, "ecr.dkr") if takes(world, "dkr") else public
        registry = _AWS if world.of_aws else OTHERS if world.shared else OURS
        acl = self._part("a", world, _NETWORK, BESIDE.keys(), self._acl)
        of_network = {network.a, network.vpc, network.group, network.endpoint_group, network.nat, network.table_a, acl}
        of_network |= {network.endpoints[name] for name in network.endpoints.keys() & {"ecr.api", "ecr.dkr", "s3"}}
        if world.zone_b != "sound" or not (world.default_route and world.route6 and world.route64 and world.dns64):
            of_network.add(network.b)
        if not world.nat_subnet_route:
            of_network.add(network.public)
        of_pull = {
            key,
            f"role/{role}",
            f"repository/{repository}",
            f"/{repository}:v1",
            node,
            f"/{CLUSTER}/{GROUP}",
            f"cluster/{CLUSTER}",
        }
        # AWS's words may blame a policy of the registry's account without naming it.
        of_pull.add(f":Account:{registry}")
        parts = frozenset(filter(None, of_network | of_pull)) | self.organization.parts(world)
        return Built(node, name, session, role, registry, repository, address, parts, world.family == "dual")

    def _acl(self, world: World, _: str) -> str:
        network = self._part("n", world, _NETWORK, BESIDE.keys(), self._network)
        of_subnet = [{"Name": "association.subnet-id", "Values": [network.a]}]
        (found,) = network.ec2.describe_network_acls(Filters=of_subnet)["NetworkAcls"]
        acl: str = found["NetworkAclId"]
        return acl

    def _cluster(self, network: NetworkEstate, role: str) -> tuple[Any, str]:
        get_backend("eks")[OURS][REGION].reset()
        eks, arn = self.emulated.client("eks"), f"arn:aws:iam::{OURS}:role/{role}"
        vpc = {"subnetIds": [network.a, network.b], "securityGroupIds": [network.group]}
        eks.create_cluster(name=CLUSTER, roleArn=arn, resourcesVpcConfig=vpc)
        set_cluster(network, CLUSTER)
        return eks, arn

    def _node_group(self, world: World, network: NetworkEstate, role: str) -> None:
        self.emulated.client("eks").create_nodegroup(
            clusterName=CLUSTER,
            nodegroupName=GROUP,
            subnets=[network.a, network.b],
            nodeRole=f"arn:aws:iam::{OURS}:role/{role}",
            launchTemplate={"id": self._part("t", world, _NETWORK, BESIDE.keys(), self._template), "version": "1"},
        )

    def _pod(self, world: World, _: str) -> str:
        return run_fargate_pod(self._part("n", world, _NETWORK, BESIDE.keys(), self._network))

    def _set_registry_policy(self, what: str) -> None:
        """An account has one, so it is no part of a world that stays."""
        about = f"arn:aws:ecr:{REGION}:{OURS}:repository"
        refused = {"denies": f"{about}/*", "others": f"{about}/elsewhere"}
        # moto takes the actions of scope V1 only.
        text = policy(deny("ecr:*", on=refused[what], Principal="*")) if what else None
        get_backend("ecr")[OURS][REGION].registry_policy = text

    def _part(self, letter: str, world: World, names: tuple[str, ...], misses: AbstractSet[str], build: Any) -> Any:
        key = (letter, *(getattr(world, name) for name in names), *sorted(world.misses & misses))
        if key not in self._parts:
            self._parts[key] = build(world, f"{letter}{len(self._parts)}")
        return self._parts[key]

    def _network(self, world: World, name: str) -> NetworkEstate:
        estate = NetworkEstate("", self.folder, name=name)
        estate._clients.update({each: self.emulated.client(each) for each in _SERVICES})
        return build_network(world, estate, self.hubs)

    def _template(self, world: World, name: str) -> str:
        """The launch template of the node group. It says what a node of the group has once the node is gone."""
        network = self._part("n", world, _NETWORK, BESIDE.keys(), self._network)
        data = {"SecurityGroupIds": [network.group]}
        made = network.ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
        template: str = made["LaunchTemplate"]["LaunchTemplateId"]
        return template

    def _role(self, world: World, name: str) -> str:
        iam = self.emulated.client("iam")
        bounds = {
            "wide": [allow("ecr:*", "s3:*")],
            "narrow": [allow("s3:*")],
            "denies": [allow("*"), deny("ecr:BatchGetImage")],
        }
        bounded = {}
        if world.boundary:
            document = policy(*bounds[world.boundary])
            made = iam.create_policy(PolicyName=f"{name}-boundary", PolicyDocument=document)
            bounded = {"PermissionsBoundary": made["Policy"]["Arn"]}
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust_of(world), **bounded)
        elsewhere = f"arn:aws:ecr:{REGION}:{OURS}:repository/elsewhere"
        allowed = {
            "all": [allow(*PULL)],
            "nothing": [allow("s3:GetObject")],
            "token": [allow(PULL[0])],
            "elsewhere": [allow(PULL[0]), allow(*PULL[1:], on=elsewhere)],
        }
        denied = _DENIED[world.role_denies]
        if "role denies pushes" in world.misses:
            denied = [*denied, deny("ecr:PutImage", "ecr:InitiateLayerUpload")]
        if "role denies another repository" in world.misses:
            denied = [*denied, deny("ecr:*", on=elsewhere)]
        imports = [allow(*IMPORTS)] if world.cache and world.imports else []
        document = policy(*allowed[world.role_allows], *imports, *denied)
        iam.put_role_policy(RoleName=name, PolicyName="pull", PolicyDocument=document)
        guards = {"storage": allow("s3:*"), "pushes": deny("ecr:PutImage"), "denies": deny("ecr:BatchGetImage")}
        guard = iam.create_policy(PolicyName=f"{name}-guard", PolicyDocument=policy(guards[world.guard]))
        iam.attach_role_policy(RoleName=name, PolicyArn=guard["Policy"]["Arn"])
        iam.create_instance_profile(InstanceProfileName=name)
        if world.profile_role:
            iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
        return name

    def _repository(self, world: World, name: str) -> tuple[str, str]:
        if world.cache:
            self.caches.upstream(world, name)
        return build_repository(world, name, self.emulated)

    def _node(self, world: World, network: NetworkEstate, role: str) -> tuple[str, str]:
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
            **({"Ipv6AddressCount": 1} if world.family else {}),
            TagSpecifications=[{"ResourceType": "instance", "Tags": listed}],
        )["Instances"]
        return made["InstanceId"], made["PrivateDnsName"]


def _node_world(world: World) -> World:
    """The world whose role the nodes have: for pods with a role of their own, a sound one."""
    return World(world.way) if world.puller == "pod" else world
