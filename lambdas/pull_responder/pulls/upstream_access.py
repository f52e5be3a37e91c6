"""Whether ECR can sign in to the upstream registry of a pull through cache rule, as far as that can be read.

Source: Amazon ECR User Guide, "Storing your upstream repository credentials in an AWS Secrets Manager secret". The
secret is in the rule's account and region, and encrypted with Secrets Manager's own key. Its value is not read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pull_responder.model.arn import Arn
from pull_responder.model.unread import Unread
from pull_responder.model.verdict import Remediation
from pull_responder.remediation import docs
from pull_responder.remediation.registry import fix_upstream_access, restore_secret, use_default_key

if TYPE_CHECKING:
    from pull_responder.facts.cache_rules import CacheRule, Secret
    from pull_responder.pulls.pull_facts import PullFacts


@dataclass(frozen=True, slots=True)
class UpstreamFault:
    """What is wrong with a rule's access to its upstream registry."""

    explanation: str
    remediation: Remediation


def upstream_fault(rule: CacheRule, repository: Arn, facts: PullFacts) -> UpstreamFault | Unread | None:
    """Return the fault of the rule's secret or role, None if neither has one."""
    if rule.secret_arn:
        return _of_secret(rule, rule.secret_arn, repository, facts)
    if rule.role_arn:
        return _of_role(rule, rule.role_arn, repository, facts)
    return None


def _of_secret(rule: CacheRule, arn: str, repository: Arn, facts: PullFacts) -> UpstreamFault | Unread | None:
    account, region = repository.account, repository.region
    secret = facts.secret(account, region, arn)
    if isinstance(secret, Unread):
        return secret
    if secret is None:
        gone = fix_upstream_access(repository, prefix=rule.prefix, secret=arn)
        return UpstreamFault(f"The secret {arn} of the rule {rule.prefix} does not exist.", gone)
    if secret.deleted:
        remediation = restore_secret(arn, account=account, region=region)
        return UpstreamFault(f"The secret {arn} of the rule {rule.prefix} is scheduled for deletion.", remediation)
    return _of_key(rule, secret, repository, facts) if secret.key else None


def _of_key(rule: CacheRule, secret: Secret, repository: Arn, facts: PullFacts) -> UpstreamFault | Unread | None:
    key = facts.key(repository.account, repository.region, secret.key or "")
    if isinstance(key, Unread):
        return key
    if key is not None and key.aws_managed:
        return None
    return UpstreamFault(
        f"The secret {secret.arn} of the rule {rule.prefix} is encrypted with the key {secret.key}; a pull through "
        "cache can read only what Secrets Manager's own key encrypts.",
        use_default_key(secret.arn, account=repository.account, region=repository.region),
    )


def _of_role(rule: CacheRule, arn: str, repository: Arn, facts: PullFacts) -> UpstreamFault | Unread | None:
    named = Arn.parse(arn)
    if named is None:
        return None
    role = facts.role(named.account, repository.region, named.resource.rpartition("/")[2])
    if isinstance(role, Unread):
        return role
    if role is not None:
        return None
    remediation = Remediation(
        f"Create the role {arn} again, or change the rule {rule.prefix} to one that exists.",
        repository.account,
        repository.region,
        docs.ECR_CACHE_TROUBLESHOOTING,
    )
    return UpstreamFault(f"The role {arn} of the rule {rule.prefix} does not exist.", remediation)
