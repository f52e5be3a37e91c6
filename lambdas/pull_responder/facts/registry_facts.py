"""Facts of ECR about what is pulled: registries, repositories and images, with their keys and secrets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pull_responder.facts import ecr, images, kms, lifecycle
from pull_responder.facts.cache_rules import CacheRule, Secret, read_cache_rules, read_secret, rule_for
from pull_responder.facts.creation_templates import CreationTemplate, read_creation_templates, template_for
from pull_responder.facts.remembered import Remembered, once
from pull_responder.facts.signing import SigningRule, read_signing_rules
from pull_responder.model.reason import Reason
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from collections.abc import Mapping


class RegistryFacts(Remembered):
    """Facts of ECR, and of the keys and secrets that it uses."""

    @once
    def registry_policy(self, account: str, region: str, /) -> Mapping[str, Any] | Unread | None:
        """Return the registry's policy."""
        if self.belongs_to_aws(account):
            return None
        return ecr.read_registry_policy(self._reader, account, region)

    @once
    def registry_policy_scope(self, account: str, region: str, /) -> ecr.RegistryScope | Unread:
        """Return the scope of the registry's policy."""
        return ecr.read_registry_policy_scope(self._reader, account, region)

    @once
    def repository(self, account: str, region: str, name: str, /) -> images.Repository | Unread | None:
        """Return a repository; None if there is no such repository."""
        return images.read_repository(self._reader, account, region, name)

    @once
    def repository_names(self, account: str, region: str, /) -> tuple[str, ...] | Unread:
        """Return the names of a registry's repositories."""
        return images.read_repository_names(self._reader, account, region)

    @once
    def repository_policy(self, account: str, region: str, name: str, /) -> ecr.RepositoryPolicy | Unread | None:
        """Return the repository's policy. None if there is no such repository.

        Nothing can be read of AWS's own registries. They let everybody pull, because otherwise no add-on would start.
        """
        if self.belongs_to_aws(account):
            return ecr.RepositoryPolicy({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}})
        return ecr.read_repository_policy(self._reader, account, region, name)

    @once
    def repository_tags(self, account: str, region: str, name: str, /) -> Mapping[str, str] | Unread | None:
        """Return the repository's tags; None if there is no such repository."""
        return ecr.read_repository_tags(self._reader, account, region, name)

    @once
    def image(self, account: str, region: str, name: images.ImageName, /) -> images.Image | Unread | None:
        """Return the image of this name; None if there is no such repository or image."""
        return images.read_image(self._reader, account, region, name)

    @once
    def archived_digest(self, account: str, region: str, name: images.ImageName, /) -> str | Unread | None:
        """Return the digest of the archived image of this name. None if there is none."""
        return images.read_archived(self._reader, account, region, name)

    @once
    def tags(self, account: str, region: str, name: str, /) -> tuple[str, ...] | Unread:
        """Return the tags of a repository's images."""
        return images.read_tags(self._reader, account, region, name)

    @once
    def newest_tags(self, account: str, region: str, name: str, /) -> tuple[images.NewTag, ...] | Unread | None:
        """Return a repository's newest tags. None for a repository too large to tell."""
        return images.read_newest_tags(self._reader, account, region, name)

    def platforms(
        self, account: str, region: str, name: str, digest: str, /, *, just_pulled: bool
    ) -> tuple[images.Platform | None, ...] | Unread | None:
        """Return the platforms that an image index lists. None if the image is gone.

        ECR counts the read as a pull, so it is made only where one more pull changes nothing. It is not made in a pull
        through cache, where ECR might fetch the image, nor where a lifecycle rule uses the time of the last pull. With
        `just_pulled` the node itself has just set that time, and the rule does not matter.
        """
        rule = self.cache_rule(account, region, name)
        if isinstance(rule, Unread):
            return rule
        if rule is not None:
            return Unread(
                Reason(
                    f"the manifest was not read: repository {name} is a pull through cache, and ECR would fetch the "
                    "image",
                    _inspect(name, account),
                )
            )
        expiring = () if just_pulled else self.lifecycle_rules(account, region, name)
        if isinstance(expiring, Unread):
            return expiring
        if counting := next((rule for rule in expiring if rule.counts_pulls), None):
            return Unread(
                Reason(
                    "the manifest was not read: ECR counts a read as a pull, which lifecycle rule "
                    f"{counting.priority} uses",
                    _inspect(name, account),
                )
            )
        key = ("platforms", account, region, name, digest)
        return self._reader.once(key, lambda: images.read_platforms(self._reader, account, region, name, digest))

    @once
    def lifecycle_rules(self, account: str, region: str, name: str, /) -> tuple[lifecycle.LifecycleRule, ...] | Unread:
        """Return the rules of a repository's lifecycle policy, none where it has no policy."""
        return lifecycle.read_lifecycle_rules(self._reader, account, region, name)

    @once
    def cache_rules(self, account: str, region: str, /) -> tuple[CacheRule, ...] | Unread:
        """Return the registry's pull through cache rules."""
        return read_cache_rules(self._reader, account, region)

    def cache_rule(self, account: str, region: str, repository: str, /) -> CacheRule | Unread | None:
        """Return the pull through cache rule that serves a repository, None if none does."""
        rules = self.cache_rules(account, region)
        return rules if isinstance(rules, Unread) else rule_for(repository, rules)

    @once
    def creation_templates(self, account: str, region: str, /) -> tuple[CreationTemplate, ...] | Unread:
        """Return the registry's repository creation templates for pull through caches."""
        return read_creation_templates(self._reader, account, region)

    def creation_template(self, account: str, region: str, repository: str, /) -> CreationTemplate | Unread | None:
        """Return the template for a repository that ECR has to create for a cache. None if there is none."""
        templates = self.creation_templates(account, region)
        return templates if isinstance(templates, Unread) else template_for(repository, templates)

    @once
    def signing_rules(self, account: str, region: str, /) -> tuple[SigningRule, ...] | Unread:
        """Return the rules of the registry's managed signing."""
        return read_signing_rules(self._reader, account, region)

    @once
    def secret(self, account: str, region: str, arn: str, /) -> Secret | Unread | None:
        """Return a secret without its value: its key, and whether it is scheduled for deletion."""
        return read_secret(self._reader, account, region, arn)

    @once
    def key(self, account: str, region: str, key: str, /) -> kms.Key | Unread | None:
        """Return a KMS key."""
        return kms.read_key(self._reader, account, region, key)


def _inspect(name: str, account: str) -> str:
    return (
        f"Run `docker buildx imagetools inspect` on the image in repository {name} of account {account}, and compare "
        "its platforms with the node's."
    )
