"""A world: an estate as plain values, what is broken in it, and whether a pull works in it.

This is the reference that diagnoses are held against. It knows nothing of the code under test: `works` says in a few
lines what AWS documents about a pull.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import Flag, auto
from typing import Any, Final

WAYS: Final = ("nat", "public", "endpoints", "both")
# A VPC without a way to the internet, but for S3's gateway endpoint and a route to a transit gateway.
SPOKE: Final = "spoke"
KINDS_OF_WORLD: Final = (
    "way", "shared", "of_aws", "puller", "hub", "organization", "family",
    "cache", "cached", "cache_prefix", "upstream_prefix", "cache_role_in", "template",
)  # fmt: skip
PRIVATE_ELSEWHERE: Final = "10.100.1.10"
"""An address of a network beyond the transit gateway."""
PUBLIC: Final = "44.213.79.50"
"""An address of ECR."""
PUBLIC_IPV6: Final = "2600:1f18:4000::9"
"""An address of ECR's dual-stack hosts."""
PUBLIC_NAT64: Final = "64:ff9b::2cd5:4f32"
"""What DNS64 makes of PUBLIC."""


@dataclass(frozen=True, slots=True)
class World:
    """An estate. Every default is sound.

    - `way`: by a NAT gateway, from a public subnet, by endpoints only, by endpoints although there is a NAT gateway,
      or from the spoke of a hub.
    - `shared`: whether the repository is another account's. `of_aws`: whether that account is AWS's own.
    - `puller`: a node, a Fargate pod, or a pod that pulls with a role of its own.
    - `hub`: what sends the registry's names to a hub, empty for nothing: a Route 53 Profile, a Resolver rule for them
      all or for ecr.dkr's alone, private hosted zones, or DNS servers of the VPC's DHCP options.
    - `hub_fault`: what is broken in the hub, which nobody sees from here.
    - `organization`: whether the accounts are in an organization.
    - `family`: "dual" for nodes with both IP versions that pull from a dual-stack host, "six" for nodes with IPv6 alone
      that pull from a plain host over DNS64 and NAT64, empty for IPv4 alone.
    - `route6`, `egress6`, `acl6`: the way out over IPv6. `dns64`, `route64`: what NAT64 needs.
    - `cache`: whose images the repository caches, empty for nobody's. `cached`: whether the image is cached already.
      `cache_prefix` and `upstream_prefix` are the rule's; `cache_role_in` says whose account its role is in.
    - `template`: what a repository creation template gives new repositories of the cache, empty without a template.
    - `zone_b`: how the node group's other subnet is.
    - `gone` says that the node that failed was terminated since.
    - `misses` are the names of near misses, which look broken and stop nothing.
    """

    way: str
    shared: bool = False
    of_aws: bool = False
    puller: str = "node"
    hub: str = ""
    organization: bool = False
    family: str = ""
    cache: str = ""
    cached: bool = False
    cache_prefix: str = "cache"
    upstream_prefix: str = ""
    cache_role_in: str = "ours"
    template: str = ""
    hub_fault: str = ""
    zone_b: str = "sound"
    scp: str = "allows"
    rcp: str = ""
    cache_trust: bool = True
    cache_role: str = "fetches"
    upstream: str = "grants"
    imports: bool = True
    default_route: bool = True
    nat: bool = True
    nat_subnet_route: bool = True
    public_address: bool = True
    egress: str = "all"
    acl: str = "open"
    route6: bool = True
    egress6: bool = True
    acl6: str = "open"
    dns64: bool = True
    route64: bool = True
    dns_support: bool = True
    dns_hostnames: bool = True
    api: str = "sound"
    dkr: str = "sound"
    s3: str = "sound"
    endpoint_ingress: bool = True
    api_policy: str = "full"
    dkr_policy: str = "full"
    s3_policy: str = "full"
    role_allows: str = "all"
    role_denies: str = ""
    guard: str = "storage"
    boundary: str = ""
    profile_role: bool = True
    trust: str = "ec2"
    metadata: bool = True
    gone: bool = False
    repository: str = "there"
    repository_policy: str = "grants"
    registry_policy: str = ""
    image: str = "there"
    key: str = ""
    misses: frozenset[str] = field(default=frozenset())

    def sound(self) -> World:
        """The world of the same kind in which nothing is broken."""
        return World(**{name: getattr(self, name) for name in KINDS_OF_WORLD})

    def __str__(self) -> str:
        """What differs from a world in which a node pulls by a NAT gateway and nothing is broken."""
        common: dict[str, Any] = {each.name: getattr(World(""), each.name) for each in fields(self)}
        differs = {name: getattr(self, name) for name in common if getattr(self, name) != common[name]}
        return ", ".join(f"{name}={sorted(it) if name == 'misses' else it}" for name, it in differs.items())

    @property
    def has_endpoints(self) -> bool:
        """Whether the VPC has endpoints."""
        return self.way in ("endpoints", "both")


class Part(Flag):
    """A part of a pull."""

    IDENTITY = auto()
    TOKEN = auto()
    POLICIES = auto()
    API = auto()
    DKR = auto()
    S3 = auto()
    LAYER_POLICY = auto()
    KEY = auto()
    IMAGE = auto()
    PLATFORM = auto()
    CACHE = auto()
    OTHER_ZONE = auto()


WAY: Final = Part.API | Part.DKR | Part.S3
EVERYTHING: Final = ~Part(0)


def works(world: World, parts: Part = EVERYTHING) -> bool:
    """Whether these parts of a pull work."""
    works_by_part = {
        Part.IDENTITY: world.profile_role and world.metadata and "ec2" in world.trust,
        Part.TOKEN: _gives_token(world),
        Part.POLICIES: _policies_allow(world),
        Part.API: _reaches(world, "api"),
        Part.DKR: _reaches(world, "dkr"),
        Part.S3: _reaches_s3(world),
        # S3's endpoint takes layers only where it is the way to them.
        Part.LAYER_POLICY: not _by_s3_endpoint(world) or world.s3_policy in ("full", "layers"),
        Part.KEY: world.key in ("", "enabled"),
        Part.IMAGE: world.repository == "there" and world.image != "absent",
        Part.PLATFORM: world.image != "other platform",
        Part.CACHE: not fetches(world) or _fetches_well(world),
        Part.OTHER_ZONE: world.zone_b == "sound",
    }
    return all(it_works for part, it_works in works_by_part.items() if part in parts)


def fetches(world: World) -> bool:
    """Whether ECR has to fetch the image for this pull."""
    return bool(world.cache) and not world.cached


def _fetches_well(world: World) -> bool:
    """Amazon ECR User Guide, "IAM permissions required to sync an upstream registry"."""
    of_role = world.cache_trust and world.cache_role == "fetches" and world.upstream == "grants"
    if world.cache != "ecr":
        return world.imports
    return world.imports and of_role


def _gives_token(world: World) -> bool:
    """ecr:GetAuthorizationToken, which is of no repository."""
    if world.scp in ("lacks", "denies tokens"):
        return False
    role = world.role_allows != "nothing" and world.role_denies not in ("token", "all") and world.boundary != "narrow"
    by_endpoint = takes(world, "api") and world.api_policy == "others"
    return role and not by_endpoint and not _hub_refuses(world, "api")


def _policies_allow(world: World) -> bool:
    """The actions on the repository. IAM User Guide, "Policy evaluation logic"."""
    denied = world.role_denies in ("layers", "all") or world.guard == "denies"
    role = world.role_allows == "all" and world.boundary in ("", "wide") and not denied
    granted = world.repository_policy == "grants" or (
        world.repository_policy not in ("denies", "isolated") and not world.shared
    )
    repository = granted and world.registry_policy != "denies"
    if world.scp in ("lacks", "denies") or world.rcp == "denies":
        return False
    # An endpoint's policy counts where its private DNS takes the requests.
    by_endpoint = takes(world, "dkr") and world.dkr_policy == "others"
    return role and repository and not by_endpoint and not _hub_refuses(world, "dkr")


def takes(world: World, service: str) -> bool:
    """Whether an interface endpoint takes its service's traffic. AWS PrivateLink Guide: "Private DNS names"."""
    by_name = world.dns_hostnames and world.dns_support and not leads_to_hub(world, service)
    return world.has_endpoints and by_name and getattr(world, service) in ("sound", "no interface", "failed")


def leads_to_hub(world: World, service: str) -> bool:
    """Whether the names of a service lead to the hub.

    Route 53 Developer Guide: a Resolver rule outranks a private hosted zone of the same name, as an endpoint's is.
    """
    return bool(world.hub) and (service == "dkr" or world.hub != "dkr rule")


def _hub_refuses(world: World, service: str) -> bool:
    return leads_to_hub(world, service) and world.hub_fault == "policy"


def names_resolve(world: World) -> bool:
    """Whether somebody answers for names: Amazon's DNS server of the VPC, or servers that it does not need."""
    return world.dns_support or world.hub == "servers"


def _reaches(world: World, service: str) -> bool:
    if not names_resolve(world) or world.acl in ("denies", "no answers"):
        return False
    if leads_to_hub(world, service):
        return world.egress not in ("none", "least") and world.hub_fault in ("", "policy")
    if takes(world, service):
        return getattr(world, service) == "sound" and world.endpoint_ingress and world.egress != "none"
    return _internet(world)


def _by_s3_endpoint(world: World) -> bool:
    return world.way == SPOKE or (world.has_endpoints and world.s3 == "sound")


def _reaches_s3(world: World) -> bool:
    if not names_resolve(world) or world.acl in ("denies", "no answers"):
        return False
    if world.hub in ("profile", "servers"):
        # They may answer for S3's names, too.
        return world.egress != "none"
    # A gateway endpoint is a route: S3's addresses stay public, and the node's group must let them out.
    return world.egress in ("all", "https", "least") if _by_s3_endpoint(world) else _internet(world)


def _internet(world: World) -> bool:
    """Amazon VPC User Guide, "DNS64 and NAT64"; RFC 8305: of two IP versions, one that works is enough."""
    if world.way in ("endpoints", SPOKE):
        return False
    out6 = world.egress6 and world.acl6 == "open"
    if world.family == "six":
        return out6 and world.dns64 and world.route64 and world.nat and world.nat_subnet_route
    return _over_ipv4(world) or (world.family == "dual" and out6 and world.route6)


def _over_ipv4(world: World) -> bool:
    if not world.default_route or world.egress not in ("all", "https"):
        return False
    return world.public_address if world.way == "public" else world.nat and world.nat_subnet_route
