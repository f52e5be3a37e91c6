"""Pull through cache rules of a world's registry, and what ECR needs to fetch by them.

moto has no rules, so the list of each world's rules is put into its answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tests.integration.network.estate import PULL, trust
from tests.integration.worlds.fault import broken
from tests.integration.worlds.recorded import OTHERS, OURS, REGION
from tests.integration.worlds.statements import allow, deny, policy
from tests.integration.worlds.world import World, fetches

if TYPE_CHECKING:
    from tests.integration.worlds.recorded import Emulated

CACHES: Final = ("public", "ecr")
ROOT: Final = "ROOT"
PREFIXES: Final = ("cache", "cache", ROOT)
UPSTREAM_PREFIXES: Final = ("", ROOT, "base")
TEMPLATES: Final = ("", "", "plain", "for replication", "for elsewhere", "tags", "key", "role", "denies")
TEMPLATES_TO_FOLLOW: Final = ("tags", "key", "role", "denies")
"""Templates that the first pull may fail by: nobody knows by which role and with which rights ECR applies them."""
_THIRD: Final = "777777777777"
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
    "upstream has no repository": broken(_CAUSE, "ecr:GetRepositoryPolicy", where=_of_ecr, upstream="absent"),
}
NEAR_MISSES: Final[dict[str, dict[str, Any]]] = {"a rule for another prefix": {}}
READS: Final = ("ecr:DescribePullThroughCacheRules", "ecr:DescribeRepositoryCreationTemplates")


@dataclass(slots=True)
class CacheRules:
    """The rules that the world's registry has: what moto's answer is made of."""

    emulated: Emulated
    rules: list[dict[str, Any]] = field(default_factory=list)
    templates: list[dict[str, Any]] = field(default_factory=list)

    def set(self, world: World, repository: str, role: str) -> None:
        """Have the rules of this world."""
        upstreams = {"public": "quay.io", "ecr": f"{OTHERS}.dkr.ecr.{REGION}.amazonaws.com"}
        self.rules[:] = []
        if world.cache:
            rule = {
                "ecrRepositoryPrefix": world.cache_prefix,
                "upstreamRegistryUrl": upstreams[world.cache],
                "registryId": OURS,
                **({"customRoleArn": role} if world.cache == "ecr" else {}),
                **({"upstreamRepositoryPrefix": world.upstream_prefix} if world.upstream_prefix else {}),
            }
            self.rules += [rule]
        if "a rule for another prefix" in world.misses:
            near = repository.rpartition("/")[2][:-1] or "x"
            self.rules += [{"ecrRepositoryPrefix": near, "upstreamRegistryUrl": "quay.io", "registryId": OURS}]

        self.templates[:] = _templates(world)

    def role(self, world: World, name: str) -> str:
        """The role of the rule. Its ARN."""
        account = _account_of_role(world)
        iam = self.emulated.client("iam", account)
        arn = f"arn:aws:iam::{account}:role/{name}"
        if world.cache_role != "gone":
            services = ("pullthroughcache.ecr",) if world.cache_trust else ("codebuild",)
            iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust(*services))
            may = allow(PULL[0], *_FETCHED) if world.cache_role == "fetches" else allow("s3:GetObject")
            iam.put_role_policy(RoleName=name, PolicyName="fetch", PolicyDocument=policy(may))
        return arn

    def upstream(self, world: World, name: str) -> None:
        """The upstream repository of this name, in another account."""
        if world.upstream == "absent":
            return
        ecr = self.emulated.client("ecr", OTHERS)
        folder = "" if world.upstream_prefix in ("", ROOT) else f"{world.upstream_prefix}/"
        name = f"{folder}{name}"
        ecr.create_repository(repositoryName=name)
        granted = {"grants": _account_of_role(world), "others": "888888888888"}.get(world.upstream)
        if granted:
            grant = allow(*_FETCHED, Principal={"AWS": f"arn:aws:iam::{granted}:root"}, on=None)
            ecr.set_repository_policy(repositoryName=name, policyText=policy(grant))


def cached_name(world: World, name: str) -> str:
    """The name that the cache gives to its repository of this one."""
    return name if world.cache_prefix == ROOT else f"{world.cache_prefix}/{name}"


def nobody_knows(world: World, *, asked: bool, unread: frozenset[str]) -> bool:
    """Whether the pull has to be fetched, and hangs on what no documentation settles.

    ECR API Reference, CreatePullThroughCacheRule: the role "must be in the same account as the registry". A template
    counts for questions: after a failure, the upstream's image is out of sight anyway.
    """
    by_role = world.cache == "ecr" and world.cache_role_in != "ours"
    by_template = world.template in TEMPLATES_TO_FOLLOW or bool(unread & {READS[1]})
    return fetches(world) and (by_role or (asked and by_template))


def _account_of_role(world: World) -> str:
    return OURS if world.cache_role_in == "ours" else _THIRD


def _templates(world: World) -> list[dict[str, Any]]:
    more: dict[str, dict[str, Any]] = {
        "plain": {"imageTagMutability": "MUTABLE", "encryptionConfiguration": {"encryptionType": "AES256"}},
        "for replication": {"appliedFor": ["REPLICATION"], "resourceTags": [{"Key": "team", "Value": "a"}]},
        "for elsewhere": {"prefix": "elsewhere", "resourceTags": [{"Key": "team", "Value": "a"}]},
        "tags": {"resourceTags": [{"Key": "team", "Value": "a"}]},
        "key": {"encryptionConfiguration": {"encryptionType": "KMS", "kmsKey": "1234abcd-12ab-34cd-56ef-1234567890ab"}},
        "role": {"customRoleArn": f"arn:aws:iam::{OURS}:role/templates"},
        "denies": {"repositoryPolicy": policy(deny("ecr:BatchGetImage", Principal="*", on=None))},
    }
    if not world.template:
        return []
    # The prefix of the template is that of the rule, or any longer one; ROOT is for what no other one covers.
    return [{"prefix": world.cache_prefix, "appliedFor": ["PULL_THROUGH_CACHE"], **more[world.template]}]
