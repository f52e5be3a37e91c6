"""A repository's lifecycle policy: which rules expire images, and by what count."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pull_responder.model.pattern import compile_stars
from pull_responder.model.reason import Reason
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from mypy_boto3_ecr import ECRClient

    from pull_responder.facts.reader import Reader

PERMISSIONS: Final = ("ecr:GetLifecyclePolicy",)


@dataclass(frozen=True, slots=True)
class LifecycleRule:
    """One rule, in the words of the policy.

    Source: Amazon ECR User Guide, "Lifecycle policy properties in Amazon ECR".
    """

    priority: int
    description: str
    tag_status: str
    tag_patterns: tuple[str, ...]
    count_type: str
    action: str

    @property
    def counts_pulls(self) -> bool:
        """Whether the rule uses the time of an image's last pull. Then every pull affects it."""
        return self.count_type == "sinceImagePulled"

    def may_expire(self, tag: str | None) -> bool:
        """Return whether the rule may have expired an image with this tag. None is an image known by its digest alone.

        An image needs tags for all prefixes or patterns of a rule. The other tags of an expired image are not known, so
        one match is enough here.
        """
        if self.action != "expire":
            return False
        if tag is None or self.tag_status == "any":
            return True
        return any(compile_stars(pattern)(tag) for pattern in self.tag_patterns)

    def __str__(self) -> str:
        named = f" ({self.description})" if self.description else ""
        tags = f" with tags like {', '.join(self.tag_patterns)}" if self.tag_patterns else ""
        status = "" if self.tag_status == "any" else f"{self.tag_status} "
        return f"rule {self.priority}{named}, which expires {status}images{tags} by {self.count_type}"


def read_lifecycle_rules(reader: Reader, account: str, region: str, name: str) -> tuple[LifecycleRule, ...] | Unread:
    """Return the rules of the repository's lifecycle policy by priority, none where it has no policy."""

    def request(client: ECRClient) -> str:
        return client.get_lifecycle_policy(registryId=account, repositoryName=name)["lifecyclePolicyText"]

    text = reader.call(
        "ecr:GetLifecyclePolicy",
        account=account,
        region=region,
        request=request,
        absent=frozenset({"LifecyclePolicyNotFoundException", "RepositoryNotFoundException"}),
    )
    if text is None or isinstance(text, Unread):
        return text or ()
    try:
        rules = [_rule(rule) for rule in json.loads(text)["rules"]]
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        return Unread(
            Reason(
                f"the lifecycle policy of repository {name} cannot be understood: {type(error).__name__}",
                f"Open the lifecycle policy of repository {name} in the ECR console: it could not be read as a policy.",
            )
        )
    return tuple(sorted(rules, key=lambda rule: rule.priority))


def _rule(rule: dict[str, Any]) -> LifecycleRule:
    selection = rule["selection"]
    prefixes = (f"{prefix}*" for prefix in selection.get("tagPrefixList") or [])
    patterns = (str(pattern) for pattern in selection.get("tagPatternList") or [])
    return LifecycleRule(
        priority=int(rule["rulePriority"]),
        description=str(rule.get("description") or ""),
        tag_status=str(selection["tagStatus"]),
        tag_patterns=(*prefixes, *patterns),
        count_type=str(selection["countType"]),
        action=str(rule["action"]["type"]),
    )
