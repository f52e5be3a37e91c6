"""A world: an estate as plain values, what is broken in it, and whether a pull works in it.

This is the reference that diagnoses are held against. It knows nothing of the code under test: `works` says in a few
lines what AWS documents about a pull.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Flag, auto
from typing import Final

WAYS: Final = ("nat", "public", "endpoints", "both")


@dataclass(frozen=True, slots=True)
class World:
    """An estate. Every default is sound.

    - `way`: by a NAT gateway, from a public subnet, by endpoints only, or by endpoints although there is a NAT gateway.
    - `shared`: whether the repository is another account's.
    - `gone` says that the node that failed was terminated since.
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
    gone: bool = False
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
    by_endpoint = world.has_endpoints and takes(world, world.api)
    return role and not (by_endpoint and world.api_policy == "others")


def _policies_allow(world: World) -> bool:
    """The actions on the repository. IAM User Guide, "Policy evaluation logic"."""
    denied = world.role_denies == "layers" or world.guard == "denies"
    role = world.role_allows == "all" and world.boundary in ("", "wide") and not denied
    granted = world.repository_policy == "grants" or (world.repository_policy != "denies" and not world.shared)
    repository = granted and world.registry_policy != "denies"
    # An endpoint's policy counts where its private DNS takes the requests.
    by_endpoint = world.has_endpoints and takes(world, world.dkr)
    return role and repository and not (by_endpoint and world.dkr_policy == "others")


def takes(world: World, endpoint: str) -> bool:
    """Whether an interface endpoint takes its service's traffic. AWS PrivateLink Guide: "Private DNS names"."""
    by_name = world.dns_hostnames and world.dns_support
    return world.has_endpoints and by_name and endpoint in ("sound", "no interface", "failed")


def _reaches(world: World, endpoint: str) -> bool:
    if not world.dns_support or world.acl in ("denies", "no answers"):
        return False
    if takes(world, endpoint):
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
