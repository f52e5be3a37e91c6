"""A world: an estate as plain values, what is broken in it, and whether a pull works in it.

This is the reference that diagnoses are held against. It knows nothing of the code under test: `works` says in a few
lines what AWS documents about a pull.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Flag, auto
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

WAYS: Final = ("nat", "public", "endpoints", "both")


@dataclass(frozen=True, slots=True)
class World:
    """An estate. Every default is sound.

    - `way`: by a NAT gateway, from a public subnet, by endpoints only, or by endpoints although there is a NAT gateway.
    - `shared`: whether the repository is another account's.
    - `misses` are the names of near misses, which look broken and stop nothing.
    """

    way: str
    shared: bool = False
    default_route: bool = True
    nat: bool = True
    nat_subnet_route: bool = True
    public_address: bool = True
    egress: str = "all"
    acl: str = "open"
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
    repository: str = "there"
    repository_policy: str = "grants"
    registry_policy: str = ""
    image: str = "there"
    key: str = ""
    misses: frozenset[str] = field(default=frozenset())

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


WAY: Final = Part.API | Part.DKR | Part.S3
EVERYTHING: Final = ~Part(0)


def works(world: World, parts: Part = EVERYTHING) -> bool:
    """Whether these parts of a pull work."""
    works_by_part = {
        Part.IDENTITY: world.profile_role and world.metadata and "ec2" in world.trust,
        Part.TOKEN: _gives_token(world),
        Part.POLICIES: _policies_allow(world),
        Part.API: _reaches(world, world.api),
        Part.DKR: _reaches(world, world.dkr),
        Part.S3: _reaches_s3(world),
        # S3's endpoint takes layers only where it is the way to them.
        Part.LAYER_POLICY: not _by_s3_endpoint(world) or world.s3_policy != "ours",
        Part.KEY: world.key != "disabled",
        Part.IMAGE: world.repository == "there" and world.image != "absent",
        Part.PLATFORM: world.image != "other platform",
    }
    return all(it_works for part, it_works in works_by_part.items() if part in parts)


def _gives_token(world: World) -> bool:
    """ecr:GetAuthorizationToken, which is of no repository."""
    role = world.role_allows != "nothing" and world.role_denies != "token" and world.boundary != "narrow"
    by_endpoint = world.has_endpoints and _takes(world, world.api)
    return role and not (by_endpoint and world.api_policy == "others")


def _policies_allow(world: World) -> bool:
    """The actions on the repository. IAM User Guide, "Policy evaluation logic"."""
    denied = world.role_denies == "layers" or world.guard == "denies"
    role = world.role_allows == "all" and world.boundary in ("", "wide") and not denied
    granted = world.repository_policy == "grants" or (world.repository_policy != "denies" and not world.shared)
    repository = granted and world.registry_policy != "denies"
    # An endpoint's policy counts where its private DNS takes the requests.
    by_endpoint = world.has_endpoints and _takes(world, world.dkr)
    return role and repository and not (by_endpoint and world.dkr_policy == "others")


def _takes(world: World, endpoint: str) -> bool:
    """Whether an interface endpoint takes its service's traffic. AWS PrivateLink Guide: "Private DNS names"."""
    by_name = world.dns_hostnames and world.dns_support
    return world.has_endpoints and by_name and endpoint in ("sound", "no interface", "failed")


def _reaches(world: World, endpoint: str) -> bool:
    if not world.dns_support or world.acl in ("denies", "no answers"):
        return False
    if _takes(world, endpoint):
        return endpoint == "sound" and world.endpoint_ingress and world.egress != "none"
    return _internet(world)


def _by_s3_endpoint(world: World) -> bool:
    return world.has_endpoints and world.s3 == "sound"


def _reaches_s3(world: World) -> bool:
    if not world.dns_support or world.acl in ("denies", "no answers"):
        return False
    # A gateway endpoint is a route: S3's addresses stay public, and the node's group must let them out.
    return world.egress in ("all", "https", "least") if _by_s3_endpoint(world) else _internet(world)


def _internet(world: World) -> bool:
    if world.way == "endpoints" or not world.default_route or world.egress not in ("all", "https"):
        return False
    return world.public_address if world.way == "public" else world.nat and world.nat_subnet_route


@dataclass(frozen=True, slots=True)
class Break:
    """One fault.

    - `changes` are made to a world's fields.
    - `causes` are the names that a diagnosis may give it.
    - `shown_by` are the reads whose answers it changes. Where all of them are refused, nobody can see it.
    - `ways` are the ways that can have it.
    - `shared` says whether only a repository of another account can have it, or only one of our own.
    """

    changes: dict[str, Any]
    causes: frozenset[str]
    shown_by: frozenset[str]
    ways: tuple[str, ...] = WAYS
    shared: bool | None = None

    def fits(self, world: World) -> bool:
        """Whether the world can have this fault beside those that it has."""
        sound = World(world.way, world.shared)
        of_repository = self.changes.keys() & {"repository_policy", "image", "key"}
        return (
            world.way in self.ways
            and not (of_repository and world.repository == "absent")
            and self.shared in (None, world.shared)
            and all(getattr(world, name) == getattr(sound, name) for name in self.changes)
        )


def _break(causes: str, shown_by: str, *, ways: str = " ".join(WAYS), **changes: bool | str) -> Break:
    return Break(changes, frozenset(causes.split()), frozenset(shown_by.split()), tuple(ways.split()))


_ENDPOINTS: Final = "endpoints both"
_ROLE_READS: Final = "iam:GetRolePolicy"
BREAKS: Final = {
    "no default route": _break(
        "no_route_to_ecr vpc_endpoint_missing", "ec2:DescribeRouteTables", ways="nat public both", default_route=False
    ),
    "NAT gateway deleted": _break("nat_gateway_unavailable", "ec2:DescribeNatGateways", ways="nat both", nat=False),
    "NAT gateway's subnet without a route": _break(
        "no_route_to_ecr", "ec2:DescribeRouteTables", ways="nat both", nat_subnet_route=False
    ),
    "no public address": _break("public_ip_missing", "ec2:DescribeInstances", ways="public", public_address=False),
    "egress to private ranges": _break("security_group_blocks_egress", "ec2:DescribeSecurityGroups", egress="private"),
    "no egress": _break("security_group_blocks_egress", "ec2:DescribeSecurityGroups", egress="none"),
    "ACL denies": _break("network_acl_blocks_traffic", "ec2:DescribeNetworkAcls", acl="denies"),
    "ACL lets no answers in": _break("network_acl_blocks_traffic", "ec2:DescribeNetworkAcls", acl="no answers"),
    "DNS support off": _break("vpc_dns_disabled", "ec2:DescribeVpcAttribute", dns_support=False),
    "DNS hostnames off": _break("vpc_dns_disabled", "ec2:DescribeVpcAttribute", dns_hostnames=False),
    **{
        f"{name}: {state}": _break(cause, "ec2:DescribeVpcEndpoints", ways=_ENDPOINTS, **{name: state})
        for name in ("api", "dkr")
        for state, cause in (
            ("absent", "vpc_endpoint_missing"),
            ("no private DNS", "endpoint_private_dns_disabled"),
            ("no interface", "vpc_endpoint_unavailable"),
        )
    },
    # Beside a NAT gateway it is not certain that a failed endpoint keeps its names.
    "api: failed": _break("vpc_endpoint_unavailable", "ec2:DescribeVpcEndpoints", ways="endpoints", api="failed"),
    "dkr: failed": _break("vpc_endpoint_unavailable", "ec2:DescribeVpcEndpoints", ways="endpoints", dkr="failed"),
    "s3: absent": _break(
        "vpc_endpoint_missing", "ec2:DescribeVpcEndpoints ec2:DescribeRouteTables", ways=_ENDPOINTS, s3="absent"
    ),
    "s3: other table": _break(
        "s3_endpoint_not_in_route_table",
        "ec2:DescribeVpcEndpoints ec2:DescribeRouteTables",
        ways=_ENDPOINTS,
        s3="other table",
    ),
    "endpoints let nobody in": _break(
        "endpoint_security_group_blocks_ingress",
        "ec2:DescribeSecurityGroups",
        ways=_ENDPOINTS,
        endpoint_ingress=False,
    ),
    "api's policy is for others": _break(
        "endpoint_policy_blocks_pull", "ec2:DescribeVpcEndpoints", ways=_ENDPOINTS, api_policy="others"
    ),
    "dkr's policy is for others": _break(
        "endpoint_policy_blocks_pull", "ec2:DescribeVpcEndpoints", ways=_ENDPOINTS, dkr_policy="others"
    ),
    "S3's policy is for our buckets": _break(
        "s3_endpoint_policy_blocks_layers", "ec2:DescribeVpcEndpoints", ways=_ENDPOINTS, s3_policy="ours"
    ),
    **{
        f"role allows {what}": _break("role_lacks_pull_permissions", _ROLE_READS, role_allows=what)
        for what in ("nothing", "token", "elsewhere")
    },
    **{
        f"role denies {what}": _break("role_policy_denies_pull", _ROLE_READS, role_denies=what)
        for what in ("token", "layers")
    },
    **{
        f"boundary {what}": _break("permissions_boundary_blocks_pull", "iam:GetRole", boundary=what)
        for what in ("narrow", "denies")
    },
    "an attached policy denies": _break("role_policy_denies_pull", "iam:GetPolicyVersion", guard="denies"),
    "no role in the profile": _break("instance_profile_missing", "iam:GetInstanceProfile", profile_role=False),
    "trust excludes EC2": _break("role_trust_policy_excludes_service", "iam:GetRole", trust="lambda"),
    "metadata off": _break("instance_metadata_disabled", "ec2:DescribeInstances", metadata=False),
    "repository denies": _break("repository_policy_denies_pull", "ecr:GetRepositoryPolicy", repository_policy="denies"),
    "repository grants nothing": replace(
        _break("repository_policy_lacks_grant", "ecr:GetRepositoryPolicy", repository_policy="absent"), shared=True
    ),
    "repository grants others": replace(
        _break("repository_policy_lacks_grant", "ecr:GetRepositoryPolicy", repository_policy="others"), shared=True
    ),
    "registry denies": replace(
        _break("registry_policy_denies_pull", "ecr:GetRegistryPolicy", registry_policy="denies"), shared=False
    ),
    "no repository": _break(
        "repository_not_found",
        "ecr:DescribeImages ecr:BatchGetImage ecr:DescribeRepositories ecr:GetRepositoryPolicy "
        "ecr:ListTagsForResource ecr:GetLifecyclePolicy",
        repository="absent",
        repository_policy="grants",
        image="absent",
        key="",
    ),
    "another platform": _break(
        "image_platform_mismatch", "ecr:BatchGetImage ecr:DescribeImages", image="other platform"
    ),
    "no image": _break("image_not_found", "ecr:DescribeImages ecr:BatchGetImage", image="absent"),
    # Another account's keys cannot be read, whatever their state.
    "key disabled": replace(_break("repository_key_unusable", "kms:DescribeKey", key="disabled"), shared=False),
}

NEAR_MISSES: Final[dict[str, dict[str, Any]]] = {
    "egress to 443 alone": {"egress": "https"},
    "an ACL that denies too late": {"acl": "late"},
    "an instance role that more services assume": {"trust": "ec2 lambda"},
    "a boundary that is wide enough": {"boundary": "wide"},
    "a key that is enabled": {"key": "enabled"},
    "egress to endpoints and S3 alone": {"egress": "least"},
    "an index with the node's platform": {"image": "index"},
    "a registry policy about others": {"registry_policy": "others"},
    "an attached policy denies pushes": {"guard": "pushes"},
    "dkr's policy names our account": {"dkr_policy": "account"},
    "S3's policy names the layers": {"s3_policy": "layers"},
    **{
        name: {}
        for name in (
            "another subnet's ACL",
            "another group without egress",
            "another NAT gateway deleted",
            "another endpoint that lets nobody in",
            "role denies pushes",
            "role denies another repository",
            "repository denies another role",
            "another image absent",
            "lifecycle policy",
            "a way to elsewhere",
        )
    },
}


def with_breaks(way: str, breaks: frozenset[str], misses: frozenset[str], *, shared: bool) -> World:
    """The world with these breaks, and with the near misses that they leave room for."""
    sound = World(way, shared)
    world = sound
    for name in sorted(breaks):
        world = replace(world, **BREAKS[name].changes)
    for name in sorted(misses):
        changes = NEAR_MISSES[name]
        if any(getattr(world, key) != getattr(sound, key) for key in changes) or not _has_room(world, name):
            continue
        world = replace(world, **changes, misses=world.misses | {name})
    return world


def _has_room(world: World, miss: str) -> bool:
    """Whether the near miss is one here."""
    return {
        "a key that is enabled": not world.shared and world.repository == "there",
        "a registry policy about others": not world.shared,
        # It is no way to the internet.
        "egress to endpoints and S3 alone": world.way == "endpoints" and works(replace(world, egress="all"), WAY),
    }.get(miss, True)


def _repaired(world: World, names: frozenset[str]) -> World:
    sound = World(world.way, world.shared)
    changes = {key: getattr(sound, key) for name in names for key in BREAKS[name].changes}
    return replace(world, **changes)


def _subsets(names: frozenset[str]) -> Iterator[frozenset[str]]:
    each = sorted(names)
    return (frozenset(some) for size in range(len(each) + 1) for some in combinations(each, size))


def is_needed(name: str, world: World, names: frozenset[str], parts: Part = EVERYTHING) -> bool:
    """Whether the pull fails as long as this fault is there, whichever of the others are repaired."""
    return all(not works(_repaired(world, chosen), parts) for chosen in _subsets(names - {name}))


def is_justified(name: str, world: World, names: frozenset[str], parts: Part = EVERYTHING) -> bool:
    """Whether some round of repairs works with the repair of this fault, and does not without."""
    return any(
        works(_repaired(world, chosen | {name}), parts) and not works(_repaired(world, chosen), parts)
        for chosen in _subsets(names - {name})
    )


def justified_causes(world: World, names: frozenset[str], parts: Part = EVERYTHING) -> set[str]:
    """The causes that a diagnosis may report."""
    return {cause for name in names if is_justified(name, world, names, parts) for cause in BREAKS[name].causes}


def hidden(world: World, unread: frozenset[str]) -> Iterator[str]:
    """The faults that this world could have as well, as far as anybody can see without the reads in `unread`."""
    return (name for name, each in BREAKS.items() if each.shown_by <= unread and each.fits(world))
