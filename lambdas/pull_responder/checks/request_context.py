"""The request context of this pull, as far as AWS tells it: what is not known stays unknown.

What is cheap is always filled in. What takes further reads (tags of the repository, organizations) is read only when
the decision turned out to hang on it.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from pull_responder.authorization.pull_context import ABSENT, Fact, pull_context
from pull_responder.checks.actions import TOKEN
from pull_responder.facts.ec2 import Instance
from pull_responder.facts.iam import Role
from pull_responder.facts.organizations import Organization, Place
from pull_responder.model.reading import Unread

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pull_responder.authorization.request import ContextValue
    from pull_responder.facts.facts import Facts
    from pull_responder.model.pull import Principal, PullFailure

_RESOURCE_TAGS: Final = ("aws:resourcetag/", "ecr:resourcetag/")
_PRINCIPAL_ORGANIZATION: Final = ("aws:principalorg",)
_RESOURCE_ORGANIZATION: Final = ("aws:resourceorg",)


def request_context(
    pull: PullFailure, facts: Facts, principal: Principal, action: str, *, hangs_on: Collection[str] = ()
) -> dict[str, ContextValue]:
    """Return the context of `action`.

    `hangs_on` are the condition keys that a first decision hung on; what they ask for is read. Raises RequestError when
    the event's words do not fit together.
    """
    account = principal.account or ""
    is_token = action == TOKEN
    owner = account if is_token else pull.registry_account
    role = facts.role(account, pull.region, principal.name or "")
    instance = facts.instance(pull)
    organization, paths = _organization(facts, account, pull.region, hangs_on, _PRINCIPAL_ORGANIZATION)
    resource_organization, resource_paths = _organization(facts, owner, pull.region, hangs_on, _RESOURCE_ORGANIZATION)
    return pull_context(
        principal=principal.arn or facts.role_arn(pull) or "",
        role_arn=facts.role_arn(pull),
        # EC2 sets no session tags; of other sessions the tags are not known.
        principal_tags=role.tags if isinstance(role, Role) and principal.instance_id else None,
        principal_org_id=organization,
        principal_org_paths=paths,
        registry_account=None if is_token else owner,
        resource_org_id=resource_organization,
        resource_org_paths=resource_paths,
        resource_tags=None if is_token or not _asks(hangs_on, _RESOURCE_TAGS) else _tags(pull, facts),
        region=pull.region,
        via_aws_service=False if is_token else None,
        instance_arn=instance.arn if isinstance(instance, Instance) else None,
        instance_vpc_id=instance.vpc_id if isinstance(instance, Instance) else None,
        role_delivery=principal.role_delivery,
        current_time=_time(pull.observed_at),
    )


def _organization(
    facts: Facts, account: str | None, region: str, hangs_on: Collection[str], keys: tuple[str, ...]
) -> tuple[Fact, Fact]:
    """Return the organization's id and the account's path in it, each None where it is not known."""
    if account is None or not _asks(hangs_on, keys):
        return None, None
    organization = facts.organization(account, region)
    if organization is None:
        return ABSENT, ABSENT
    if not isinstance(organization, Organization):
        return None, None
    place = facts.organization_path(account, region)
    return organization.id, (place.organization_path(organization.id) if isinstance(place, Place) else None)


def _tags(pull: PullFailure, facts: Facts) -> Mapping[str, str] | None:
    tags = facts.repository_tags(pull.registry_account or "", pull.region, pull.repository or "")
    return None if isinstance(tags, Unread) else tags


def _asks(hangs_on: Collection[str], beginnings: tuple[str, ...]) -> bool:
    return any(key.lower().startswith(beginnings) for key in hangs_on)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
