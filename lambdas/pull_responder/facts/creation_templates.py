"""Repository creation templates: the settings of the repositories that ECR creates by itself.

Sources: Amazon ECR API Reference, RepositoryCreationTemplate; Amazon ECR User Guide, "Templates to control repositories
created during a pull through cache, create on push, or replication action".
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pull_responder.facts.cache_rules import ROOT, is_under
from pull_responder.facts.paging import pages
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pull_responder.facts.reader import Reader

PERMISSIONS: Final = ("ecr:DescribeRepositoryCreationTemplates",)

_FOR_CACHES: Final = "PULL_THROUGH_CACHE"
_OF_ECR: Final = "AES256"


@dataclass(frozen=True, slots=True)
class CreationTemplate:
    """A repository creation template for pull through caches.

    - `role_arn` is the role with which ECR creates the repositories. None for ECR's own service-linked role.
    - `has_tags` says that it gives them tags, `has_key` that a KMS key encrypts them.
    - `may_deny` says that it gives them a policy with a Deny, or one that cannot be read.
    """

    prefix: str
    role_arn: str | None = None
    has_tags: bool = False
    has_key: bool = False
    may_deny: bool = False


def template_for(repository: str, templates: Iterable[CreationTemplate]) -> CreationTemplate | None:
    """Return the template that a new repository gets, None if it gets none.

    The prefix ROOT is for the repositories that no other template is for. Inference: of several templates for a
    repository, it gets the one with the longest prefix.
    """
    covering = [each for each in templates if is_under(each.prefix, repository)]
    return max(covering, key=lambda each: 0 if each.prefix == ROOT else len(each.prefix), default=None)


def read_creation_templates(reader: Reader, account: str, region: str) -> tuple[CreationTemplate, ...] | Unread:
    """Return the registry's templates for pull through caches."""

    def request(client: Any) -> tuple[CreationTemplate, ...]:  # noqa: ANN401 -- one of boto3's generated clients
        found = pages(client, "describe_repository_creation_templates", "repositoryCreationTemplates")
        return tuple(_template(each) for each in found if _FOR_CACHES in each["appliedFor"])

    templates = reader.call(
        "ecr:DescribeRepositoryCreationTemplates",
        account=account,
        region=region,
        request=request,
        absent=frozenset({"TemplateNotFoundException"}),
    )
    return () if templates is None else templates


def _template(found: Mapping[str, Any]) -> CreationTemplate:
    encryption = found.get("encryptionConfiguration") or {}
    return CreationTemplate(
        found["prefix"],
        found.get("customRoleArn"),
        has_tags=bool(found.get("resourceTags")),
        has_key=encryption.get("encryptionType", _OF_ECR) != _OF_ECR,
        may_deny=_may_deny(found.get("repositoryPolicy")),
    )


def _may_deny(policy: str | None) -> bool:
    if not policy:
        return False
    try:
        statements = json.loads(policy)["Statement"]
    except (ValueError, KeyError, TypeError):
        return True
    each = statements if isinstance(statements, list) else [statements]
    return any(not isinstance(one, dict) or one.get("Effect") != "Allow" for one in each)
