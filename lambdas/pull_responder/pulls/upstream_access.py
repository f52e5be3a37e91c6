"""Whether ECR can sign in to the upstream registry of a pull through cache rule, as far as that can be read.

It does so with a secret, and in another registry of ECR with a role.

Source: Amazon ECR User Guide, "Storing your upstream repository credentials in an AWS Secrets Manager secret". The
secret is in the rule's account and region, and encrypted with Secrets Manager's own key. Its value is not read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pull_responder.model.arn import Arn
from pull_responder.model.pull import Principal, PrincipalKind, PullFailure
from pull_responder.model.reason import Reason
from pull_responder.model.unread import Unread
from pull_responder.model.verdict import Remediation
from pull_responder.pulls.cache_role import upstream_of
from pull_responder.pulls.upstream_role import RoleFault, role_fault
from pull_responder.remediation import docs
from pull_responder.remediation.registry import fix_upstream_access, restore_secret, use_default_key

if TYPE_CHECKING:
    from pull_responder.facts.cache_rules import CacheRule, Secret
    from pull_responder.pulls.cache_role import CacheRole
    from pull_responder.pulls.pull_facts import PullFacts


@dataclass(frozen=True, slots=True)
class UpstreamFault:
    """What is wrong with a rule's access to its upstream registry, with its proof where the explanation is none."""

    explanation: str
    remediation: Remediation
    evidence: tuple[str, ...] = ()


def upstream_fault(
    rule: CacheRule, repository: Arn, pull: PullFailure, facts: PullFacts
) -> UpstreamFault | Unread | None:
    """Return the fault of the rule's secret or role, None if neither has one. `repository` is the cache's."""
    if rule.secret_arn:
        return _of_secret(rule, rule.secret_arn, repository, facts)
    if rule.role_arn:
        return _of_role(rule, rule.role_arn, repository, pull, facts)
    return None


def cache_role_fault(pull: PullFailure, cache_role: CacheRole, facts: PullFacts) -> UpstreamFault | Unread | None:
    """Return why ECR was refused as the role of a cache rule. The pull's repository is the upstream one.

    Unread where the rule could not be read: the fault is that of the rule's own repository, which is not known then.
    """
    role = (pull.principal.role_arn or pull.principal.name or "") if pull.principal else ""
    if isinstance(cache_role.rule, Unread):
        return cache_role.rule
    rule = f"the rule {cache_role.rule.prefix}" if cache_role.rule else "a pull through cache rule"
    return _join(role_fault(pull, facts), role, f"{rule} of account {cache_role.account}", pull)


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


def _of_role(
    rule: CacheRule, arn: str, repository: Arn, pull: PullFailure, facts: PullFacts
) -> UpstreamFault | Unread | None:
    named = Arn.parse(arn)
    if named is None:
        return None
    role = facts.role(named.account, repository.region, named.resource.rpartition("/")[2])
    if role is None:
        remediation = Remediation(
            f"Create the role {arn} again, or change the rule {rule.prefix} to one that exists.",
            repository.account,
            repository.region,
            docs.ECR_CACHE_TROUBLESHOOTING,
        )
        return UpstreamFault(f"The role {arn} of the rule {rule.prefix} does not exist.", remediation)
    upstream = upstream_of(rule)
    if upstream is None:
        return role if isinstance(role, Unread) else None
    # The request that ECR makes with the role, in the place of the pull that makes it fetch.
    fetching = PullFailure(
        symptom=pull.symptom,
        stage=None,
        region=upstream[1],
        account=named.account,
        principal=Principal(
            PrincipalKind.ROLE,
            "",
            named.partition,
            named.account,
            named.resource.rpartition("/")[2],
            role_arn=arn,
        ),
        registry_account=upstream[0],
        repository=rule.upstream_repository(repository.resource.removeprefix("repository/")),
        observed_at=pull.observed_at,
    )
    fault = _join(role_fault(fetching, facts.of_nobody()), arn, f"the rule {rule.prefix}", fetching)
    return fault or _of_other_account(named, rule, repository)


def _of_other_account(role: Arn, rule: CacheRule, repository: Arn) -> Unread | None:
    """Return a doubt about a role that is not in the account of the cache, which no other fault stops.

    Amazon ECR API Reference, CreatePullThroughCacheRule: "This role must be in the same account as the registry". What
    happens with another one is not documented.
    """
    if role.account == repository.account:
        return None
    return Unread(
        Reason(
            f"the role {role} of the rule {rule.prefix} is in account {role.account}, and AWS wants it in the account "
            f"of the registry, {repository.account}",
            f"Run `aws ecr update-pull-through-cache-rule --custom-role-arn` with a role of account "
            f"{repository.account} for the rule {rule.prefix}.",
        )
    )


def _join(
    fault: RoleFault | Unread | None, role: str, rule: str, fetching: PullFailure
) -> UpstreamFault | Unread | None:
    """Return all that stops the role as one fault, whose commands run with the credentials of one account."""
    if not isinstance(fault, RoleFault):
        return fault
    first = fault.remediations[0]
    account = first.account
    remediation = Remediation(
        " ".join(each.summary for each in fault.remediations),
        account,
        first.region,
        first.docs_url,
        tuple(command for each in fault.remediations if each.account == account for command in each.commands),
    )
    upstream = fetching.repository_arn or f"registry {fetching.registry_account or '(not named)'}"
    explanation = f"ECR fetches from {upstream} with the role {role} of {rule}, and cannot: {'; '.join(fault.clauses)}."
    return UpstreamFault(explanation, remediation, fault.evidence)
