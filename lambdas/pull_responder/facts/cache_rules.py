"""Pull through cache rules, and the secret with which ECR signs in to an upstream registry.

The secret's value is never read. DescribeSecret does not count as a use of the secret.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pull_responder.facts.paging import pages
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mypy_boto3_ecr import ECRClient

    from pull_responder.facts.reader import Reader

SECRET_PERMISSIONS: Final = ("secretsmanager:DescribeSecret",)

ROOT: Final = "ROOT"
"""The prefix that stands for the whole registry."""


@dataclass(frozen=True, slots=True)
class CacheRule:
    """A pull through cache rule.

    - `upstream` is the upstream registry's URL.
    - `secret_arn` is the secret with its credentials.
    - `role_arn` is the role with which ECR reads another account's registry.
    - `upstream_prefix` is the prefix of the upstream registry's repositories.

    Each is None where the rule names none.
    """

    prefix: str
    upstream: str | None = None
    secret_arn: str | None = None
    role_arn: str | None = None
    upstream_prefix: str | None = None

    def serves(self, repository: str) -> bool:
        """Return whether `repository` is a repository of this cache.

        Source: Amazon ECR API Reference, CreatePullThroughCacheRule. The prefix ROOT stands for the whole registry.
        """
        return is_under(self.prefix, repository)

    def upstream_repository(self, repository: str) -> str:
        """Return the upstream registry's repository that `repository`, one of this cache, stands for."""
        return _folder(self.upstream_prefix) + repository.removeprefix(_folder(self.prefix))

    def cached_repository(self, upstream: str) -> str | None:
        """Return this cache's repository for one of the upstream registry, None if the rule does not cover it."""
        folder = _folder(self.upstream_prefix)
        return _folder(self.prefix) + upstream.removeprefix(folder) if upstream.startswith(folder) else None


def is_under(prefix: str, repository: str) -> bool:
    """Return whether `repository` is one of those under `prefix`, the prefix of a rule or of a creation template."""
    return repository.startswith(_folder(prefix))


def _folder(prefix: str | None) -> str:
    """Return a prefix as the beginning of names. ROOT and no prefix stand for the whole registry."""
    return "" if prefix in (None, "", ROOT) else f"{prefix.rstrip('/')}/"


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret.

    - `key` is the KMS key that encrypts it, None for Secrets Manager's own key.
    - `deleted` says that it is scheduled for deletion. Then it cannot be read until it is restored.
    """

    arn: str
    key: str | None = None
    deleted: bool = False


def rule_for(repository: str, rules: Iterable[CacheRule]) -> CacheRule | None:
    """Return the rule that serves `repository`, None if none does.

    Inference: of several rules, the one with the longest prefix serves it.
    """
    serving = [rule for rule in rules if rule.serves(repository)]
    return max(serving, key=lambda rule: 0 if rule.prefix == ROOT else len(rule.prefix), default=None)


def read_cache_rules(reader: Reader, account: str, region: str) -> tuple[CacheRule, ...] | Unread:
    """Return the registry's pull through cache rules."""

    def request(client: ECRClient) -> tuple[CacheRule, ...]:
        found = pages(client, "describe_pull_through_cache_rules", "pullThroughCacheRules", registryId=account)
        return tuple(_rule(each) for each in found)

    rules = reader.call(
        "ecr:DescribePullThroughCacheRules",
        account=account,
        region=region,
        request=request,
        absent=frozenset({"PullThroughCacheRuleNotFoundException"}),
    )
    return () if rules is None else rules


def _rule(found: dict[str, Any]) -> CacheRule:
    return CacheRule(
        found["ecrRepositoryPrefix"],
        found.get("upstreamRegistryUrl"),
        found.get("credentialArn"),
        found.get("customRoleArn"),
        found.get("upstreamRepositoryPrefix"),
    )


def read_secret(reader: Reader, account: str, region: str, arn: str) -> Secret | Unread | None:
    """Return the secret, None if it does not exist."""

    def request(client: Any) -> Secret:  # noqa: ANN401 -- one of boto3's generated clients
        found = client.describe_secret(SecretId=arn)
        return Secret(arn, found.get("KmsKeyId"), found.get("DeletedDate") is not None)

    return reader.call(
        "secretsmanager:DescribeSecret",
        account=account,
        region=region,
        request=request,
        absent=frozenset({"ResourceNotFoundException"}),
    )
