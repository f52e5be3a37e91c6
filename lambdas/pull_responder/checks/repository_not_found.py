"""There is no such repository in this account and region.

What it checks: whether the registry has a repository of this name. Where it has none, the other regions of the account
are searched for it, and this registry for similar names. A repository under a pull through cache rule is left out: it
is made on its first pull.

Why that stops a pull: ECR answers `name unknown`, or "not found". A registry is an account's in one region, and images
are not shared between regions unless they are replicated.

How to fix it: correct the account, the region or the name in the pod's image, or create the repository and push the
image.

References: Amazon ECR User Guide, "Troubleshooting Amazon ECR error messages" and "Amazon ECR private registry".
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from pull_responder.checks.check import Check
from pull_responder.checks.pulled_image import cache_rule_of, repository_of
from pull_responder.facts.images import REPOSITORY_PERMISSIONS
from pull_responder.model.arn import DNS_SUFFIXES, Arn
from pull_responder.model.pull import PullFailure, Symptom
from pull_responder.model.reading import Unread
from pull_responder.model.verdict import Resource, Severity, Verdict
from pull_responder.remediation import docs
from pull_responder.remediation.registry import name_other_repository

if TYPE_CHECKING:
    from pull_responder.facts.facts import Facts

_MOST_NAMES = 3


def examine(pull: PullFailure, facts: Facts) -> Verdict:
    """Return failed with where else it may be, passed, not applicable to a cache, or inconclusive."""
    repository = repository_of(pull, facts)
    if isinstance(repository, Verdict):
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
        return Verdict.not_applicable(f"the pull through cache rule {rule.prefix} makes it on the first pull")
    return _failed(pull, facts, repository, name)


def _failed(pull: PullFailure, facts: Facts, repository: Arn, name: str) -> Verdict:
    account = repository.account
    regions = facts.regions_with_repository(account, name, pull)
    names = facts.repository_names(account, pull.region)
    similar = () if isinstance(names, Unread) else _similar(name, names)
    evidence = [f"ecr:DescribeRepositories in account {account}, {pull.region}, knows no repository {name}."]
    if regions:
        evidence.append(f"Account {account} has a repository {name} in {', '.join(regions)}.")
    if similar:
        evidence.append(f"Similar names in this registry: {', '.join(similar)}.")
    where = f" It exists in {' and '.join(regions)}." if regions else ""
    nearest = f" The nearest names there are {' and '.join(similar)}." if similar and not regions else ""
    return Verdict.failed(
        resource=Resource("AwsEcrRepository", str(repository), account),
        explanation=f"Account {account} has no repository {name} in {pull.region}.{where}{nearest}",
        evidence=tuple(evidence),
        remediation=name_other_repository(
            repository,
            found=(
                *(_uri(repository, region, name) for region in regions),
                *(_uri(repository, pull.region, each) for each in similar),
            ),
        ),
    )


def _similar(name: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """Names that are spelt much like this one, and those of the same image under another path."""
    last = name.rpartition("/")[2]
    near = difflib.get_close_matches(name, names, _MOST_NAMES)
    same = [each for each in names if each.rpartition("/")[2] == last]
    return tuple(dict.fromkeys((*near, *same)))[:_MOST_NAMES]


def _uri(repository: Arn, region: str, name: str) -> str:
    return f"{repository.account}.dkr.ecr.{region}.{DNS_SUFFIXES[repository.partition]}/{name}"


CHECK = Check(
    id="repository_not_found",
    title="There is no such repository in this account and region",
    severity=Severity.HIGH,
    resource_type="AwsEcrRepository",
    permissions=(*REPOSITORY_PERMISSIONS, "ecr:DescribePullThroughCacheRules"),
    docs_url=docs.ECR_TROUBLESHOOTING,
    examine=examine,
    may_name_missing=True,
    symptoms=frozenset({Symptom.NOT_FOUND, Symptom.UNKNOWN}),
    refused_by_ecr=False,
)
