"""The role of an ECR to ECR pull through cache rule: ECR itself assumes it, to fetch from the upstream registry.

Sources: Amazon ECR User Guide, "Setting up permissions for cross-account ECR to ECR PTC"; Amazon ECR API Reference,
CreatePullThroughCacheRule (customRoleArn, which is in the account of the cache; upstreamRepositoryPrefix).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.events.registry_hosts import read_private_host
from pull_responder.facts.iam import Role
from pull_responder.model.arn import Arn
from pull_responder.model.unread import Unread
from pull_responder.pulls.session import node_regions

if TYPE_CHECKING:
    from pull_responder.facts.cache_rules import CacheRule
    from pull_responder.model.pull import PullFailure
    from pull_responder.pulls.pull_facts import PullFacts

SERVICE: Final = "pullthroughcache.ecr.amazonaws.com"
"""The service that assumes the roles of cache rules. AWS's pages for China name the same."""


@dataclass(frozen=True, slots=True)
class CacheRole:
    """The denied principal, as the role of a cache rule.

    - `account` is the account of the role and of the cache.
    - `rule` and `region` are the rule and the region of its registry. None where no rule was found. `rule` is Unread
      where a rule that could not be read may be the one: then the cache's repository is not known.
    - `because` is a clause that says how the role is known.
    """

    account: str
    because: str
    rule: CacheRule | Unread | None = None
    region: str | None = None


def cache_role_of(pull: PullFailure, facts: PullFacts) -> CacheRole | Unread | None:
    """Return the denied principal as the role of a cache rule. None if nothing says that it is one.

    A rule that names it says so, else its trust policy. Unread where rules that could not be read might say so.
    """
    principal = pull.principal
    if principal is None or principal.account is None or principal.name is None:
        return None
    account, name = principal.account, principal.name
    regions = node_regions(pull, facts)
    found = facts.side_by_side(lambda region: facts.cache_rules(account, region), regions)
    named: list[tuple[str, CacheRule]] = []
    unread: Unread | None = None
    for region, rules in zip(regions, found, strict=True):
        if isinstance(rules, Unread):
            unread = unread or rules
            continue
        of_role = [rule for rule in rules if _is_role(rule, account, name)]
        # A role may be that of several rules. The upstream repository tells which of them, and the first region counts:
        # rules that were not read before it could be the ones.
        if unread is None and (rule := next((each for each in of_role if _covers(each, pull)), None)):
            return CacheRole(account, _names_it(rule, account), rule, region)
        named += [(region, rule) for rule in of_role]
    # Without a repository no rule is told from another, read or not.
    open_ = unread if pull.repository is not None else None
    if named:
        region, rule = named[0]
        return CacheRole(account, _names_it(rule, account), open_, region)
    role = facts.role(account, pull.region, name)
    if isinstance(role, Role) and role.trusts("pullthroughcache"):
        return CacheRole(account, f"its trust policy names {SERVICE}", open_)
    return unread


def _names_it(rule: CacheRule, account: str) -> str:
    return f"the pull through cache rule {rule.prefix} of account {account} names it"


def upstream_of(rule: CacheRule) -> tuple[str, str] | None:
    """Return account and region of the rule's upstream registry, None where that is not a private registry of ECR."""
    host = read_private_host((rule.upstream or "").removeprefix("https://").rstrip("/"))
    return (host.account, host.region) if host and host.account and host.region else None


def _covers(rule: CacheRule, pull: PullFailure) -> bool:
    """Return whether the denied repository is one that the rule fetches from. A refused token names none."""
    if pull.repository is None:
        return False
    is_upstream = upstream_of(rule) == (pull.registry_account, pull.region)
    return is_upstream and rule.cached_repository(pull.repository) is not None


def _is_role(rule: CacheRule, account: str, name: str) -> bool:
    arn = Arn.parse(rule.role_arn or "")
    return arn is not None and arn.account == account and arn.resource.rpartition("/")[2] == name
