"""The repository and the image that a pull asks for, as ECR shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pull_responder.facts.images import Image, ImageName
from pull_responder.model.arn import Arn
from pull_responder.model.pull import Symptom
from pull_responder.model.unread import Unread
from pull_responder.model.verdict import Resource, Verdict

if TYPE_CHECKING:
    from pull_responder.facts.cache_rules import CacheRule
    from pull_responder.model.pull import PullFailure
    from pull_responder.pulls.pull_facts import PullFacts


@dataclass(frozen=True, slots=True)
class PulledImage:
    """The image that is pulled, and its repository."""

    repository: Arn
    name: ImageName

    def __str__(self) -> str:
        return str(self.name)

    @property
    def resource(self) -> Resource:
        """The image as a resource. With a digest it has Amazon Inspector's form, "…/NAME/sha256:…"."""
        suffix = f"/{self.name.digest}" if self.name.digest else f":{self.name.tag}"
        return Resource("AwsEcrContainerImage", f"{self.repository}{suffix}", self.repository.account)


def repository_of(pull: PullFailure, facts: PullFacts) -> Arn | Verdict:
    """Return the repository that is pulled from, or the check's verdict where it is not known or belongs to AWS."""
    repository = Arn.parse(pull.repository_arn or "")
    if repository is None:
        return Verdict.not_applicable("the event names no repository")
    if facts.belongs_to_aws(repository.account):
        return Verdict.not_applicable(f"registry {repository.account} belongs to AWS, and cannot be read")
    return repository


def image_of(pull: PullFailure, facts: PullFacts) -> PulledImage | Verdict:
    """Return the image that is pulled, or the check's verdict where it is not known or belongs to AWS."""
    repository = repository_of(pull, facts)
    if isinstance(repository, Verdict):
        return repository
    if not (pull.tag or pull.digest):
        return Verdict.not_applicable("the event names no image")
    return PulledImage(repository, ImageName(pull.repository or "", None if pull.digest else pull.tag, pull.digest))


def find_image(image: PulledImage, pull: PullFailure, facts: PullFacts) -> Image | Unread | None:
    """Return the repository's image with that tag or digest, None if there is none."""
    return facts.image(image.repository.account, pull.region, image.name)


def is_newer(found: Image, pull: PullFailure) -> bool:
    """Return whether the image was certainly pushed after the pull failed. False where a time is not known."""
    if found.pushed_at is None or pull.observed_at is None:
        return False
    failed_at = datetime.fromisoformat(pull.observed_at)
    return found.pushed_at > (failed_at if failed_at.tzinfo else failed_at.replace(tzinfo=UTC))


def has_come_since(pull: PullFailure, facts: PullFacts) -> bool:
    """Return whether the repository has the image, and it was certainly pushed after the pull failed."""
    image = image_of(pull, facts)
    found = None if isinstance(image, Verdict) else find_image(image, pull, facts)
    return isinstance(found, Image) and is_newer(found, pull)


def cache_rule_of(repository: Arn, pull: PullFailure, facts: PullFacts) -> CacheRule | Unread | None:
    """Return the pull through cache rule that serves the repository, None if it is no cache."""
    return facts.cache_rule(repository.account, pull.region, pull.repository or "")


def read_image_ahead(pull: PullFailure, facts: PullFacts) -> None:
    """Read in parallel what the checks of an image need one by one later, while the puller is still unknown."""
    image = image_of(pull, facts)
    if isinstance(image, Verdict):
        return
    account, region = image.repository.account, pull.region
    facts.read_ahead([lambda: find_image(image, pull, facts), lambda: facts.cache_rules(account, region)])
    found = find_image(image, pull, facts)
    if isinstance(found, Image) and found.is_index:
        just_pulled = pull.symptom is Symptom.PLATFORM_MISMATCH
        facts.platforms(account, region, image.name.repository, found.digest, just_pulled=just_pulled)
