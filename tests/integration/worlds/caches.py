"""Pull through cache rules of a world's registry, and what ECR needs to fetch by them.

moto has no rules, so the list of each world's rules is put into its answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tests.integration.network.estate import PULL, trust
from tests.integration.worlds.fault import broken
from tests.integration.worlds.recorded import OTHERS, OURS, REGION
from tests.integration.worlds.statements import allow, policy
from tests.integration.worlds.world import World, fetches

if TYPE_CHECKING:
    from tests.integration.worlds.recorded import Emulated

CACHES: Final = ("public", "ecr")
PREFIX: Final = "cache"
IMPORTS: Final = ("ecr:BatchImportUpstreamImage", "ecr:CreateRepository")
_FETCHED: Final = (*PULL[1:], "ecr:BatchImportUpstreamImage", "ecr:GetImageCopyStatus")
_CAUSE: Final = "pull_through_cache_failing"


def _of_ecr(world: World) -> bool:
    return world.cache == "ecr"


def _caches(world: World) -> bool:
    return bool(world.cache)


# Where the image is cached already, each of these is a near miss.
BREAKS: Final = {
    "role may not import": broken(_CAUSE, "iam:GetRolePolicy", where=_caches, imports=False),
    "the rule's role trusts others": broken(_CAUSE, "iam:GetRole", where=_of_ecr, cache_trust=False),
    "the rule's role may do nothing": broken(_CAUSE, "iam:GetRolePolicy", where=_of_ecr, cache_role="nothing"),
    "the rule's role is gone": broken(_CAUSE, "iam:GetRole", where=_of_ecr, cache_role="gone"),
    "upstream grants nothing": broken(_CAUSE, "ecr:GetRepositoryPolicy", where=_of_ecr, upstream="nothing"),
    "upstream grants others": broken(_CAUSE, "ecr:GetRepositoryPolicy", where=_of_ecr, upstream="others"),
}
NEAR_MISSES: Final[dict[str, dict[str, Any]]] = {"a rule for another prefix": {}}
READS: Final = ("ecr:DescribePullThroughCacheRules",)
PARTS: Final = ("cache", "cache_trust", "cache_role", "upstream")


@dataclass(slots=True)
class CacheRules:
    """The rules that the world's registry has: what moto's answer is made of."""

    emulated: Emulated
    rules: list[dict[str, Any]] = field(default_factory=list)

    def set(self, world: World, repository: str, role: str) -> None:
        """Have the rules of this world."""
        upstreams = {"public": "quay.io", "ecr": f"{OTHERS}.dkr.ecr.{REGION}.amazonaws.com"}
        self.rules[:] = []
        if world.cache:
            rule = {"ecrRepositoryPrefix": PREFIX, "upstreamRegistryUrl": upstreams[world.cache], "registryId": OURS}
            self.rules += [{**rule, **({"customRoleArn": role} if world.cache == "ecr" else {})}]
        if "a rule for another prefix" in world.misses:
            near = repository.rpartition("/")[2][:-1] or "x"
            self.rules += [{"ecrRepositoryPrefix": near, "upstreamRegistryUrl": "quay.io", "registryId": OURS}]

    def role(self, world: World, name: str) -> str:
        """The role of the rule, and the upstream repository that it fetches from. The ARN of the role."""
        iam = self.emulated.client("iam")
        arn = f"arn:aws:iam::{OURS}:role/{name}"
        if world.cache_role != "gone":
            services = ("pullthroughcache.ecr",) if world.cache_trust else ("codebuild",)
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(*services))
            may = allow(PULL[0], *_FETCHED) if world.cache_role == "fetches" else allow("s3:GetObject")
            iam.put_role_policy(RoleName=name, PolicyName="fetch", PolicyDocument=policy(may))
        return arn

    def upstream(self, world: World, name: str) -> None:
        """The upstream repository of this name, in another account."""
        ecr = self.emulated.client("ecr", OTHERS)
        ecr.create_repository(repositoryName=name)
        granted = {"grants": OURS, "others": "888888888888"}.get(world.upstream)
        if granted:
            grant = allow(*_FETCHED, Principal={"AWS": f"arn:aws:iam::{granted}:root"}, on=None)
            ecr.set_repository_policy(repositoryName=name, policyText=policy(grant))


def is_fetched(world: World) -> bool:
    """Whether the repository does not exist yet, as ECR makes it with the first pull."""
    return fetches(world)
