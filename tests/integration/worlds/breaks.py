"""What can be broken in a world, what only looks so, and which of several breaks have to be repaired."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

from tests.integration.worlds.world import EVERYTHING, WAY, WAYS, Part, World, works

if TYPE_CHECKING:
    from collections.abc import Iterator


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
        of_node = self.changes.keys() & {"metadata", "profile_role", "public_address"}
        of_repository = self.changes.keys() & {"repository_policy", "image", "key"}
        return (
            world.way in self.ways
            # A node that is gone is no fault any more.
            and not (of_node and world.gone)
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
    "no public address": _break(
        "public_ip_missing", "ec2:DescribeInstances ec2:DescribeSubnets", ways="public", public_address=False
    ),
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
    "the node is gone": {"gone": True},
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
        "the node is gone": world.metadata and world.profile_role and world.public_address,
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
