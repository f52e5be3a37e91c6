"""Worlds with a failure in them and reads that fail: what the properties are held against."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from hypothesis import strategies as st

from tests.integration.worlds import caches, families, hubs, organizations, pullers
from tests.integration.worlds.breaks import BREAKS, NEAR_MISSES, with_breaks
from tests.integration.worlds.failures import BY_AWS, CACHE_NAMES, NAMES
from tests.integration.worlds.recorded import ASSUME
from tests.integration.worlds.world import SPOKE, WAYS, World, fetches

if TYPE_CHECKING:
    from collections.abc import Iterable

_BESIDE: Final = (
    *caches.READS,
    *hubs.READS,
    *organizations.READS,
    *pullers.READS,
    ASSUME,
    "ec2:DescribeDhcpOptions",
    *families.READS,
    "ec2:DescribeInternetGateways",
    "ec2:DescribeLaunchTemplateVersions",
    "ec2:DescribePrefixLists",
    "ec2:DescribeSubnets",
    "ec2:DescribeVpcs",
    "ec2:GetManagedPrefixListEntries",
    "ecr:DescribeRepositories",
    "ecr:GetAccountSetting",
    "ecr:GetLifecyclePolicy",
    "ecr:GetRegistryPolicy",
    "ecr:ListTagsForResource",
    "eks:DescribeCluster",
    "eks:DescribeNodegroup",
    "eks:ListAccessEntries",
    "eks:ListClusters",
    "eks:ListNodegroups",
    "iam:GetPolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListPolicies",
    "iam:ListRolePolicies",
    "route53:ListHostedZonesByVPC",
)
READS: Final = sorted({read for each in BREAKS.values() for read in each.shown_by}.union(_BESIDE))
_CODES: Final = ("AccessDenied", "ThrottlingException")
# Most worlds are of the common kind, so that few examples try each of its faults.
_PULLERS: Final = ("node", "node", "node", *pullers.PULLERS[1:])
_REGISTRIES: Final = ("ours", "ours", "shared", "shared", "aws", "cache")
_BY_INTERNET: Final = ("nat", "public")


@dataclass(frozen=True, slots=True)
class Example:
    """A world with its breaks, a failure in it, and the reads that fail with `code`."""

    world: World
    breaks: frozenset[str]
    says: str
    unread: frozenset[str]
    code: str

    def __repr__(self) -> str:
        return (
            f"\n  the world:   {self.world}\n  its breaks:  {_listed(self.breaks)}\n  the failure: {self.says}"
            f"\n  not read:    {_listed(self.unread)} ({self.code})\n"
        )

    def _repr_pretty_(self, printer: object, _: object) -> None:
        printer.text(repr(self))  # type: ignore[attr-defined]  # hypothesis's own printer


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


@st.composite
def sound_worlds(draw: st.DrawFn) -> World:
    """A world of any kind, with nothing broken in it."""
    registry, puller = draw(st.sampled_from(_REGISTRIES)), draw(st.sampled_from(_PULLERS))
    # Caches fetch over the internet: of VPCs with endpoints alone not all is documented.
    way = draw(st.sampled_from(_BY_INTERNET if registry == "cache" else (*WAYS, SPOKE)))
    if way == "public" and puller == "fargate":
        way = "nat"  # Fargate pods run in private subnets only.
    hubs_of_way = {
        SPOKE: hubs.HUBS,
        "nat": ("", "", "", *hubs.HUBS),
        "endpoints": ("", "", "", "", hubs.BESIDE_ENDPOINTS),
        "both": ("", "", "", "", hubs.BESIDE_ENDPOINTS),
    }
    world = World(
        way,
        shared=registry == "shared",
        of_aws=registry == "aws",
        puller=puller,
        hub=draw(st.sampled_from(hubs_of_way.get(way, ("",)))) if registry != "cache" else "",
        organization=draw(st.integers(0, 2)) == 0,
    )
    if way in _BY_INTERNET and registry in ("ours", "shared") and puller == "node" and not world.hub:
        of_way = ("", "", *(each for each in families.FAMILIES if way == "nat" or each == "dual"))
        world = replace(world, family=draw(st.sampled_from(of_way)))
    return draw(cached(world)) if registry == "cache" else world


@st.composite
def cached(draw: st.DrawFn, world: World) -> World:
    """The world with a cache, whose rule has parts that break nothing, or that nobody knows of."""
    cache = draw(st.sampled_from(caches.CACHES))
    of_ecr = cache == "ecr"
    return replace(
        world,
        cache=cache,
        cached=draw(st.booleans()),
        cache_prefix=draw(st.sampled_from(caches.PREFIXES)),
        template=draw(st.sampled_from(caches.TEMPLATES)),
        upstream_prefix=draw(st.sampled_from(caches.UPSTREAM_PREFIXES)) if of_ecr else "",
        cache_role_in=draw(st.sampled_from(("ours", "ours", "ours", "third"))) if of_ecr else "ours",
    )


@st.composite
def examples(draw: st.DrawFn) -> Example:
    """A world, what is broken in it, what fails and what cannot be read."""
    sound = draw(sound_worlds())
    world, breaks = sound, frozenset[str]()
    # A break that excludes an earlier one is left out.
    for name in draw(st.lists(st.sampled_from(sorted(_possible(sound))), max_size=4, unique=True)):
        if BREAKS[name].fits(world):
            world, breaks = replace(world, **BREAKS[name].changes), breaks | {name}
    misses = draw(st.frozensets(st.sampled_from(sorted(NEAR_MISSES)), max_size=3))
    made = with_breaks(sound, breaks, misses)
    says = draw(st.sampled_from(names_in(made)))
    one_hidden = st.sampled_from(sorted(BREAKS)).map(lambda name: BREAKS[name].shown_by)
    several = st.frozensets(st.sampled_from(READS), max_size=4)
    unread = draw(several | one_hidden | several | one_hidden | st.just(frozenset[str]()))
    return Example(made, breaks, says, unread, draw(st.sampled_from(_CODES)))


def _possible(world: World) -> list[str]:
    return [name for name, each in BREAKS.items() if each.fits(world)]


def names_in(world: World) -> tuple[str, ...]:
    """The failures that this world can have."""
    if world.puller == "pod":
        # What kubelet says does not tell of the pod's role.
        return (*BY_AWS, *(CACHE_NAMES if fetches(world) else ()))
    if world.family == "six":
        # A host outside of AWS may have IPv6 addresses of its own, and no private address of IPv4 is in reach.
        return tuple(each for each in NAMES if not each.endswith(("a foreign host", "an address elsewhere")))
    return (*NAMES, *(CACHE_NAMES if fetches(world) else ()))
