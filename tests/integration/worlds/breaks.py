"""What can be broken in a world, what only looks so, and which of several breaks have to be repaired."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

from tests.integration.worlds import caches, families, hubs, organizations, pullers
from tests.integration.worlds.fault import Break, broken
from tests.integration.worlds.world import EVERYTHING, WAY, Part, World, works

if TYPE_CHECKING:
    from collections.abc import Iterator


def _is_shared(world: World) -> bool:
    return world.shared


def _is_ours(world: World) -> bool:
    return not (world.shared or world.of_aws)


def _has_repository(world: World) -> bool:
    return not (world.of_aws or world.cache)


def _has_route(world: World) -> bool:
    """Rules for private ranges are enough for endpoints, by which a VPC without a route can be mended, too."""
    return world.default_route and world.route64


def _may_lose_route(world: World) -> bool:
    """Without a route, a NAT gateway that is gone is none that anybody can connect with the nodes.

    A route may be made to a new one, for which nodes need no public address.
    """
    return world.egress != "private" and world.nat and world.public_address


def _has_service(world: World) -> bool:
    return world.puller != "pod"


def _has_other_zone(world: World) -> bool:
    return world.puller == "node" and not (world.hub or world.family) and world.default_route


_ENDPOINTS: Final = "endpoints both"
_ROLE_READS: Final = "iam:GetRolePolicy"
BREAKS: Final[dict[str, Break]] = {
    **caches.BREAKS,
    **families.BREAKS,
    **hubs.BREAKS,
    **organizations.BREAKS,
    **pullers.BREAKS,
    "other zone without a route": broken(
        "no_route_to_ecr vpc_endpoint_missing",
        "ec2:DescribeRouteTables",
        ways="nat public",
        where=_has_other_zone,
        zone_b="no route",
    ),
    "no default route": broken(
        "no_route_to_ecr vpc_endpoint_missing",
        "ec2:DescribeRouteTables",
        ways="nat public both",
        where=_may_lose_route,
        default_route=False,
    ),
    "NAT gateway deleted": broken(
        "nat_gateway_unavailable", "ec2:DescribeNatGateways", ways="nat both", where=_has_route, nat=False
    ),
    "NAT gateway's subnet without a route": broken(
        "no_route_to_ecr", "ec2:DescribeRouteTables", ways="nat both", nat_subnet_route=False
    ),
    "no public address": broken(
        "public_ip_missing",
        "ec2:DescribeInstances ec2:DescribeSubnets",
        ways="public",
        where=_has_route,
        public_address=False,
    ),
    "egress to private ranges": broken(
        "security_group_blocks_egress", "ec2:DescribeSecurityGroups", where=_has_route, egress="private"
    ),
    "no egress": broken("security_group_blocks_egress", "ec2:DescribeSecurityGroups", egress="none"),
    "ACL denies": broken("network_acl_blocks_traffic", "ec2:DescribeNetworkAcls", acl="denies"),
    "ACL lets no answers in": broken("network_acl_blocks_traffic", "ec2:DescribeNetworkAcls", acl="no answers"),
    "DNS support off": broken("vpc_dns_disabled", "ec2:DescribeVpcAttribute", dns_support=False),
    "DNS hostnames off": broken("vpc_dns_disabled", "ec2:DescribeVpcAttribute", dns_hostnames=False),
    **{
        f"{name}: {state}": replace(broken(cause, "ec2:DescribeVpcEndpoints", ways=_ENDPOINTS), changes={name: state})
        for name in ("api", "dkr")
        for state, cause in (
            ("absent", "vpc_endpoint_missing"),
            ("no private DNS", "endpoint_private_dns_disabled"),
            ("no interface", "vpc_endpoint_unavailable"),
        )
    },
    # Beside a NAT gateway it is not certain that a failed endpoint keeps its names.
    "api: failed": broken("vpc_endpoint_unavailable", "ec2:DescribeVpcEndpoints", ways="endpoints", api="failed"),
    "dkr: failed": broken("vpc_endpoint_unavailable", "ec2:DescribeVpcEndpoints", ways="endpoints", dkr="failed"),
    "s3: absent": broken(
        "vpc_endpoint_missing", "ec2:DescribeVpcEndpoints ec2:DescribeRouteTables", ways=_ENDPOINTS, s3="absent"
    ),
    "s3: other table": broken(
        "s3_endpoint_not_in_route_table",
        "ec2:DescribeVpcEndpoints ec2:DescribeRouteTables",
        ways=_ENDPOINTS,
        s3="other table",
    ),
    "endpoints let nobody in": broken(
        "endpoint_security_group_blocks_ingress",
        "ec2:DescribeSecurityGroups",
        ways=_ENDPOINTS,
        endpoint_ingress=False,
    ),
    "api's policy is for others": broken(
        "endpoint_policy_blocks_pull", "ec2:DescribeVpcEndpoints", ways=_ENDPOINTS, api_policy="others"
    ),
    "dkr's policy is for others": broken(
        "endpoint_policy_blocks_pull", "ec2:DescribeVpcEndpoints", ways=_ENDPOINTS, dkr_policy="others"
    ),
    **{
        f"S3's policy is for {what}": broken(
            "s3_endpoint_policy_blocks_layers",
            "ec2:DescribeVpcEndpoints",
            ways=f"{_ENDPOINTS} spoke",
            s3_policy=what,
        )
        for what in ("ours", "our organization")
    },
    **{
        f"role allows {what}": broken("role_lacks_pull_permissions", _ROLE_READS, role_allows=what)
        for what in ("nothing", "token", "elsewhere")
    },
    **{
        f"role denies {what}": broken("role_policy_denies_pull", _ROLE_READS, role_denies=what)
        for what in ("token", "layers", "all")
    },
    **{
        f"boundary {what}": broken("permissions_boundary_blocks_pull", "iam:GetRole", boundary=what)
        for what in ("narrow", "denies")
    },
    "an attached policy denies": broken("role_policy_denies_pull", "iam:GetPolicyVersion", guard="denies"),
    "no role in the profile": broken("instance_profile_missing", "iam:GetInstanceProfile", profile_role=False),
    "trust excludes EC2": broken(
        "role_trust_policy_excludes_service", "iam:GetRole", where=_has_service, trust="lambda"
    ),
    "metadata off": broken("instance_metadata_disabled", "ec2:DescribeInstances", metadata=False),
    **{
        f"repository {what}": broken("repository_policy_denies_pull", "ecr:GetRepositoryPolicy", repository_policy=what)
        for what in ("denies", "isolated")
    },
    "repository grants nothing": broken(
        "repository_policy_lacks_grant", "ecr:GetRepositoryPolicy", repository_policy="absent", where=_is_shared
    ),
    "repository grants others": broken(
        "repository_policy_lacks_grant", "ecr:GetRepositoryPolicy", repository_policy="others", where=_is_shared
    ),
    "registry denies": broken(
        "registry_policy_denies_pull", "ecr:GetRegistryPolicy", registry_policy="denies", where=_is_ours
    ),
    "no repository": broken(
        "repository_not_found",
        "ecr:DescribeImages ecr:BatchGetImage ecr:DescribeRepositories ecr:GetRepositoryPolicy "
        "ecr:ListTagsForResource ecr:GetLifecyclePolicy",
        repository="absent",
        repository_policy="grants",
        where=_has_repository,
        image="absent",
        key="",
    ),
    "another platform": broken(
        "image_platform_mismatch", "ecr:BatchGetImage ecr:DescribeImages", image="other platform"
    ),
    "no image": broken("image_not_found", "ecr:DescribeImages ecr:BatchGetImage", image="absent"),
    # Another account's keys cannot be read, whatever their state.
    **{
        f"key {state}": broken("repository_key_unusable", "kms:DescribeKey", where=_is_ours, key=state)
        for state in ("disabled", "pending deletion")
    },
}

NEAR_MISSES: Final[dict[str, dict[str, Any]]] = {
    **caches.NEAR_MISSES,
    **organizations.NEAR_MISSES,
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
            "a rule for other names",
            "a way to elsewhere",
            "a zone for other names",
        )
    },
}


def with_breaks(sound: World, breaks: frozenset[str], misses: frozenset[str]) -> World:
    """The world with these breaks, and with the near misses that they leave room for."""
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
        "the node is gone": world.puller == "node" and world.metadata and world.profile_role and world.public_address,
        "a key that is enabled": _is_ours(world) and world.repository == "there" and not world.cache,
        "a registry policy about others": _is_ours(world),
        "an SCP about others": world.organization,
        "an RCP about others": world.organization,
        "an instance role that more services assume": world.puller != "pod",
        "a rule for another prefix": _is_ours(world),
        # moto's outbound endpoints have IPv4 addresses alone.
        "a rule for other names": world.family != "six",
        "an index with the node's platform": _has_repository(world),
        # It is no way to the internet.
        "egress to endpoints and S3 alone": world.way == "endpoints"
        and not world.hub
        and works(replace(world, egress="all"), WAY),
    }.get(miss, True)


def repaired(world: World, names: frozenset[str]) -> World:
    sound = world.sound()
    changes = {key: getattr(sound, key) for name in names for key in BREAKS[name].changes}
    return replace(world, **changes)


def _subsets(names: frozenset[str]) -> Iterator[frozenset[str]]:
    each = sorted(names)
    return (frozenset(some) for size in range(len(each) + 1) for some in combinations(each, size))


def is_needed(name: str, world: World, names: frozenset[str], parts: Part = EVERYTHING) -> bool:
    """Whether the pull fails as long as this fault is there, whichever of the others are repaired."""
    return all(not works(repaired(world, chosen), parts) for chosen in _subsets(names - {name}))


def is_justified(name: str, world: World, names: frozenset[str], parts: Part = EVERYTHING) -> bool:
    """Whether some round of repairs works with the repair of this fault, and does not without."""
    return any(
        works(repaired(world, chosen | {name}), parts) and not works(repaired(world, chosen), parts)
        for chosen in _subsets(names - {name})
    )


def justified_causes(world: World, names: frozenset[str], parts: Part = EVERYTHING) -> set[str]:
    """The causes that a diagnosis may report."""
    return {cause for name in names if is_justified(name, world, names, parts) for cause in BREAKS[name].causes}


def hidden(world: World, unread: frozenset[str]) -> Iterator[str]:
    """The faults that this world could have as well, as far as anybody can see without the reads in `unread`."""
    return (name for name, each in BREAKS.items() if each.shown_by <= unread and each.fits(world))
