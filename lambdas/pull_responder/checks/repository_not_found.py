"""There is no such repository in this account and region.

What it checks: whether the registry has a repository of this name. Where it has none, the check looks once for the name
in the other regions that are enabled for the account, and for similar names in this registry. It does not apply under a
pull through cache rule, because the first pull creates the repository there.

What it cannot see: a registry in an account without the role PullResponderReadOnly, where a wrong name looks like a
missing permission, and registries that AWS owns. There it says that the name, the tag or the region is what is left.

Why that stops a pull: ECR answers `name unknown`, or "not found". It answers 403 Forbidden to another account, because
what does not exist has no policy that allows the pull, and to a role whose own policies do not allow the pull. Each
account has one registry in each region, and regions share images only by replication.

How to fix it: correct the account, the region or the name in the pod's image, or create the repository and push the
image.

References: Amazon ECR User Guide, "Troubleshooting Amazon ECR error messages" and "Amazon ECR private registry". That
another account's missing repository answers 403: bottlerocket-os/bottlerocket-update-operator#157.
"""

from __future__ import annotations

import difflib
import heapq
from typing import TYPE_CHECKING, Final

from pull_responder.checks.check import BEFORE_LAYERS, Check, Explains
from pull_responder.facts import regions
from pull_responder.facts.images import REPOSITORY_PERMISSIONS, Repository
from pull_responder.model.arn import DNS_SUFFIXES, Arn
from pull_responder.model.pull import PolicyType, PullFailure, Stage, Symptom
from pull_responder.model.reason import Reason
from pull_responder.model.unread import Unread
from pull_responder.model.verdict import Resource, Severity, Verdict
from pull_responder.pulls.actions import LAYERS, MANIFEST
from pull_responder.pulls.image import cache_rule_of, repository_of
from pull_responder.pulls.reasons import FULL_NAME, NAMES_OF_AWS
from pull_responder.pulls.session import node_regions
from pull_responder.remediation import docs
from pull_responder.remediation.registry import name_other_repository

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.pulls.pull_facts import PullFacts

_MOST_NAMES = 3
# A registry may have 100,000 repositories (Amazon ECR quotas), and difflib takes 0.3 ms for each.
_MOST_COMPARED = 50
_REFUSED: Final = frozenset({Symptom.ACCESS_DENIED, Symptom.NOT_FOUND})
_AWS_OWNS: Final = (
    "registry {account} belongs to AWS, and cannot be read. If all else is in order, the image's name, its tag or the "
    "region is what is left: compare {image} with the AWS page that names it"
)
_MAY_BE_CUT: Final = "no repository {name} exists: AWS may have cut the name in its message"


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:  # noqa: PLR0911 -- each return is another answer
    """Return failed with where else it may be, passed, not applicable to a cache, or inconclusive."""
    repository = repository_of(pull, facts)
    if isinstance(repository, Verdict):
        if facts.asked is None and facts.belongs_to_aws(pull.registry_account) and pull.symptom in _REFUSED:
            image = pull.image or pull.repository or "the image"
            return Verdict.inconclusive(
                Reason(_AWS_OWNS.format(account=pull.registry_account, image=image), NAMES_OF_AWS)
            )
        return repository
    name = pull.repository or ""
    found = facts.repository(repository.account, pull.region, name)
    if isinstance(found, Unread):
        return Verdict.inconclusive(found.reason)
    if found is not None:
        return Verdict.passed(f"The repository {repository} exists.")
    rule = cache_rule_of(repository, pull, facts)
    if isinstance(rule, Unread):
        return Verdict.inconclusive(rule.reason)
    if rule is not None:
        return Verdict.not_applicable(f"the pull through cache rule {rule.prefix} creates it on the first pull")
    if _may_be_cut(pull):
        return Verdict.inconclusive(Reason(_MAY_BE_CUT.format(name=name), FULL_NAME))
    return _failure(pull, facts, repository, name)


def _may_be_cut(pull: PullFailure) -> bool:
    """Return whether the name may be only the beginning of one: it ends AWS's message, which CloudTrail may cut."""
    denial = pull.denial
    return bool(denial and denial.policy_type is None and not denial.explicit and not (pull.tag or pull.digest))


def _failure(pull: PullFailure, facts: PullFacts, repository: Arn, name: str) -> Verdict:
    account = repository.account
    elsewhere, unread = _regions_with_repository(account, name, pull, facts)
    names = () if facts.is_later_look else facts.repository_names(account, pull.region)
    similar = () if isinstance(names, Unread) else _similar(name, names)
    evidence = [f"ecr:DescribeRepositories in account {account}, {pull.region}, finds no repository {name}."]
    if elsewhere:
        evidence.append(f"Account {account} has a repository {name} in {', '.join(elsewhere)}.")
    if unread:
        evidence.append(f"Whether it is in another region is not known: {unread.reason}.")
    if similar:
        evidence.append(f"Similar names in this registry: {', '.join(similar)}.")
    where = f" It exists in {' and '.join(elsewhere)}." if elsewhere else ""
    nearest = f" Similar names there: {' and '.join(similar)}." if similar and not elsewhere else ""
    return Verdict.failed(
        resource=Resource("AwsEcrRepository", str(repository), account),
        explanation=f"Account {account} has no repository {name} in {pull.region}.{where}{nearest}",
        evidence=tuple(evidence),
        remediation=name_other_repository(
            repository,
            found=(
                *(_uri(repository, region, name) for region in elsewhere),
                *(_uri(repository, pull.region, each) for each in similar),
            ),
        ),
    )


def _regions_with_repository(
    account: str, name: str, pull: PullFailure, facts: PullFacts
) -> tuple[tuple[str, ...], Unread | None]:
    """Return the other regions in which the account has a repository of this name, and why some were not read.

    Looks in the region of the cluster first. Looks in all others that are enabled for the account only if the
    repository is not there, and not when a known finding is looked at again: that takes dozens of calls.
    """
    if facts.is_later_look:
        return (), None
    near = [region for region in node_regions(pull, facts) if region != pull.region]
    if there := _having(account, name, near, facts):
        return there, None
    enabled = facts.enabled_regions(account, pull.region)
    if isinstance(enabled, Unread):
        return (), enabled
    return _having(account, name, [each for each in enabled if each not in (pull.region, *near)], facts), None


def _having(account: str, name: str, regions: Sequence[str], facts: PullFacts) -> tuple[str, ...]:
    found = facts.side_by_side(lambda region: facts.repository(account, region, name), regions)
    return tuple(each for each, it in zip(regions, found, strict=True) if isinstance(it, Repository))


def _similar(name: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Return similar names, and names that end in the same image under another path."""
    last = name.rpartition("/")[2]
    near = difflib.get_close_matches(name, _most_alike(name, names), _MOST_NAMES)
    same = [each for each in names if each.rpartition("/")[2] == last]
    return tuple(dict.fromkeys((*near, *same)))[:_MOST_NAMES]


def _most_alike(name: str, names: tuple[str, ...]) -> list[str]:
    """Return the names that share the most characters with `name` at their beginning and end.

    A slip of the pen leaves the rest of a name as it is.
    """

    def shared(each: str) -> int:
        room = min(len(each), len(name))
        start = _equal_start(each, name)
        return start + min(_equal_start(each[::-1], name[::-1]), room - start)

    return heapq.nlargest(_MOST_COMPARED, names, key=shared)


def _equal_start(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (each, its) in pairs if each != its), min(len(one), len(other)))


def _uri(repository: Arn, region: str, name: str) -> str:
    return f"{repository.account}.dkr.ecr.{region}.{DNS_SUFFIXES[repository.partition]}/{name}"


CHECK = Check(
    id="repository_not_found",
    title="There is no such repository in this account and region",
    short="There is no such repository",
    again="The repository can be found again",
    severity=Severity.LOW,
    resource_type="AwsEcrRepository",
    permissions=(*REPOSITORY_PERMISSIONS, *regions.PERMISSIONS, "ecr:DescribePullThroughCacheRules"),
    docs_url=docs.ECR_TROUBLESHOOTING,
    examine=examine,
    explains=(
        Explains(Symptom.NOT_FOUND, 20),
        Explains(Symptom.ACCESS_DENIED, 25, frozenset({Stage.MANIFEST, None})),
        Explains(Symptom.UNKNOWN, 260, BEFORE_LAYERS),
    ),
    registry_codes=frozenset({"name unknown"}),
    policy_type=PolicyType.RESOURCE,
    explicit=False,
    denied_actions=frozenset({MANIFEST, LAYERS}),
    may_name_missing=True,
    knows_aws_registries=True,
    tells_more_at_first=True,
    ends_with_failures=True,
)
