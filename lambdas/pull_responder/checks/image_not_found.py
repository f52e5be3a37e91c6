"""The repository has no such image.

What it checks: whether the repository has the tag or digest that the pod names, and can serve it. Where it cannot, the
check looks for the image in the archive, for a lifecycle rule that may have expired it, for similar tags, and for the
newest ones. It does not apply to an image that a pull through cache can still fetch from its upstream registry. Where
kubelet's words say that the tag points to something that is no container image, such as an attestation of buildx or a
Helm chart, they decide, unless the tag has been pushed again since.

What it cannot see: a registry in an account without the role PullResponderReadOnly, and AWS's own registries. It sees
the image as it is now, not as it was when the pull failed.

Why that stops a pull: ECR answers `manifest unknown`, or "not found". ECR keeps an archived image, but answers 404 to a
pull of it.

How to fix it: correct the tag, push the image again, or restore it from the archive. If a lifecycle policy expires
images that are still in use, change the policy, too.

References: Amazon ECR User Guide, "Troubleshooting Amazon ECR error messages", "Archiving an image" and "Lifecycle
policy properties in Amazon ECR".
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from pull_responder.checks.check import BEFORE_LAYERS, Check, Explains
from pull_responder.events.kubelet_phrases import NO_IMAGE, NOT_IMAGES
from pull_responder.facts import lifecycle
from pull_responder.facts.images import ACTIVE, ARCHIVED, IMAGE_PERMISSIONS, REPOSITORY_PERMISSIONS, Image
from pull_responder.model.pull import PullFailure, Symptom
from pull_responder.model.unread import Unread
from pull_responder.model.verdict import Severity, Verdict
from pull_responder.pulls.image import PulledImage, cache_rule_of, find_image, image_of, is_newer
from pull_responder.pulls.kubelet_words import quote_words
from pull_responder.remediation import docs
from pull_responder.remediation.registry import await_restore, name_other_image, push_an_image, restore_image

if TYPE_CHECKING:
    from pull_responder.pulls.pull_facts import PullFacts

_MOST_TAGS = 3


def examine(pull: PullFailure, facts: PullFacts) -> Verdict:  # noqa: PLR0911 -- each return is another answer
    """Return failed for a missing or archived image, passed, not applicable without a repository, or inconclusive."""
    image = image_of(pull, facts)
    if isinstance(image, Verdict):
        return image
    found = find_image(image, pull, facts)
    if isinstance(found, Unread):
        return Verdict.inconclusive(found.reason)
    if found is not None:
        return _found_image(image, found, pull)
    repository = facts.repository(image.repository.account, pull.region, image.name.repository)
    if isinstance(repository, Unread):
        return Verdict.inconclusive(repository.reason)
    if repository is None:
        return Verdict.not_applicable("there is no such repository")
    rule = cache_rule_of(image.repository, pull, facts)
    if isinstance(rule, Unread):
        return Verdict.inconclusive(rule.reason)
    if rule is not None:
        return Verdict.not_applicable(
            f"the pull through cache rule {rule.prefix} fetches images that are not cached yet"
        )
    account, region, name = image.repository.account, pull.region, image.name.repository
    facts.read_ahead(
        [
            lambda: facts.archived_digest(account, region, image.name),
            lambda: facts.tags(account, region, name),
            lambda: facts.newest_tags(account, region, name),
            lambda: facts.lifecycle_rules(account, region, name),
        ]
    )
    digest = facts.archived_digest(account, region, image.name)
    if isinstance(digest, str):
        return _archived_image(image, Image(digest, status=ARCHIVED))
    return _missing_image(image, pull, facts, archive=digest)


def _found_image(image: PulledImage, found: Image, pull: PullFailure) -> Verdict:
    if found.status != ACTIVE:
        return _archived_image(image, found)
    media_type = _no_image(pull)
    if media_type and not is_newer(found, pull):
        return _not_an_image(image, found, media_type, pull)
    return Verdict.passed(f"The repository has {image}: its manifest is {found.digest}.")


def _no_image(pull: PullFailure) -> str | None:
    """Return the media type of what the runtime got in place of an image, None where its words name none."""
    words = (pull.message or "").lower()
    return next((each for each in NOT_IMAGES if each in words), None) if pull.symptom is Symptom.NOT_FOUND else None


def _not_an_image(image: PulledImage, found: Image, media_type: str, pull: PullFailure) -> Verdict:
    return Verdict.failed(
        resource=image.resource,
        explanation=f"{image} ({found.digest}) is no container image: it holds {media_type}, which no node can run.",
        evidence=quote_words(pull),
        remediation=push_an_image(image.repository, image=str(image)),
    )


def _archived_image(image: PulledImage, found: Image) -> Verdict:
    if found.status == ARCHIVED:
        remediation = restore_image(image.repository, image=str(image), digest=found.digest)
    else:
        remediation = await_restore(image.repository, image=str(image))
    return Verdict.failed(
        resource=image.resource,
        explanation=f"The image {image} is in the archive of {image.repository}. Archived images cannot be pulled.",
        evidence=(f"The status of {image} ({found.digest}) is {found.status}.",),
        remediation=remediation,
    )


def _missing_image(image: PulledImage, pull: PullFailure, facts: PullFacts, *, archive: Unread | None) -> Verdict:
    account = image.repository.account
    tags = facts.tags(account, pull.region, image.name.repository)
    rules = facts.lifecycle_rules(account, pull.region, image.name.repository)
    newest = facts.newest_tags(account, pull.region, image.name.repository)
    new = newest if isinstance(newest, tuple) else ()
    near = () if image.name.tag is None or isinstance(tags, Unread) else _nearest_tags(image.name.tag, tags)
    expiring = () if isinstance(rules, Unread) else tuple(rule for rule in rules if rule.may_expire(image.name.tag))
    unread = [each for each in (archive, tags, newest, rules) if isinstance(each, Unread)]
    sentences = [f"The repository {image.repository} has no image {image.name.digest or image.name.tag}."]
    if expiring:
        sentences.append(f"Its lifecycle policy may have expired it, by {'; or by '.join(map(str, expiring))}.")
    if near:
        sentences.append(f"The nearest tags are {', '.join(near)}.")
    return Verdict.failed(
        resource=image.resource,
        explanation=" ".join(sentences),
        evidence=(
            f"ecr:DescribeImages finds no {image}.",
            *(f"Lifecycle {rule}." for rule in expiring),
            *([f"Nearest tags: {', '.join(near)}."] if near else []),
            *([f"Newest tags: {', '.join(map(str, new))}."] if new else []),
            *(f"Not read: {each.reason}" for each in unread),
        ),
        remediation=name_other_image(image.repository, image=str(image), near=near),
    )


def _nearest_tags(tag: str, tags: tuple[str, ...]) -> tuple[str, ...]:
    """Return the most similar tags. Those that differ only in case or a leading "v" come first."""
    plain = tag.lower().removeprefix("v")
    same = sorted({each for each in tags if each.lower().removeprefix("v") == plain})
    return tuple(dict.fromkeys((*same, *difflib.get_close_matches(tag, sorted(set(tags)), _MOST_TAGS))))[:_MOST_TAGS]


CHECK = Check(
    id="image_not_found",
    title="The repository has no such image",
    again="The image can be found again",
    severity=Severity.LOW,
    resource_type="AwsEcrContainerImage",
    permissions=(
        *IMAGE_PERMISSIONS,
        *REPOSITORY_PERMISSIONS,
        *lifecycle.PERMISSIONS,
        "ecr:DescribePullThroughCacheRules",
    ),
    docs_url=docs.ECR_TROUBLESHOOTING,
    examine=examine,
    explains=(
        Explains(Symptom.NOT_FOUND, 10),
        Explains(Symptom.UNKNOWN, 250, BEFORE_LAYERS),
    ),
    any_registry=True,
    registry_codes=frozenset({"manifest unknown", NO_IMAGE}),
    may_name_missing=True,
    refused_by_ecr=False,
    ends_with_failures=True,
)
