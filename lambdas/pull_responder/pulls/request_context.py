"""The request context of this pull, as far as AWS shows it. What is not known stays unknown.

Values that need no further reads are always filled in. Tags of the repository and organizations need further reads.
They are read only when the decision depends on them.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from pull_responder.authorization.partly_known import Beginning, OtherThan
from pull_responder.authorization.pull_context import ABSENT, Fact, pull_context
from pull_responder.authorization.request import UNKNOWN
from pull_responder.facts.ec2 import Instance
from pull_responder.facts.iam import Role
from pull_responder.facts.organizations import AccountPlace, Organization
from pull_responder.model.pull import KUBELET_SESSION
from pull_responder.model.unread import Unread
from pull_responder.pulls.actions import CREATE, TAG, TOKEN
from pull_responder.pulls.endpoint_on_path import endpoint_on_path, stage_of
from pull_responder.pulls.session import role_arn_of, session_instance

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pull_responder.authorization.request import ContextValue
    from pull_responder.model.pull import Principal, PullFailure
    from pull_responder.pulls.pull_facts import PullFacts

_RESOURCE_TAGS: Final = ("aws:resourcetag/", "ecr:resourcetag/")
_PRINCIPAL_ORGANIZATION: Final = ("aws:principalorg",)
_RESOURCE_ORGANIZATION: Final = ("aws:resourceorg",)
_WAY: Final = ("aws:sourcevpc", "aws:sourceip", "aws:vpcsourceip")


def request_context(
    pull: PullFailure, facts: PullFacts, signer: str, action: str, *, needed_keys: Collection[str] = ()
) -> dict[str, ContextValue]:
    """Return the context of `action`; `signer` is the principal's ARN, as far as it is known.

    `needed_keys` are the condition keys that a first decision depended on. Their values are read. Raises RequestError
    when the event contradicts itself.
    """
    principal = pull.principal
    account = pull.principal_account or ""
    is_token = action == TOKEN
    owner = account if is_token else pull.registry_account
    role = facts.role(account, pull.region, (principal.name if principal else None) or "")
    instance = session_instance(pull, facts)
    organization, paths = _organization(facts, account, pull.region, needed_keys, _PRINCIPAL_ORGANIZATION)
    if facts.belongs_to_aws(owner):
        owner_organization, owner_paths = _organization_of_aws(facts, account, pull.region, needed_keys)
    else:
        owner_organization, owner_paths = _organization(facts, owner, pull.region, needed_keys, _RESOURCE_ORGANIZATION)
    endpoint_id, vpc_id = _endpoint(pull, facts, action, needed_keys)
    # A repository that ECR creates has the tags of its creation template, which is not read.
    template_tags = {"aws:RequestTag/*": UNKNOWN, "aws:TagKeys": UNKNOWN} if action in (CREATE, TAG) else {}
    context = pull_context(
        principal=signer,
        role_arn=role_arn_of(pull, facts),
        # EC2 and kubelet set no session tags. The tags of other sessions are not known.
        principal_tags=role.tags if isinstance(role, Role) and principal and _is_untagged(principal) else None,
        principal_org_id=organization,
        principal_org_paths=paths,
        registry_account=None if is_token else owner,
        resource_org_id=owner_organization,
        resource_org_paths=owner_paths,
        # A token request names no resource, so there are no resource tags.
        resource_tags={} if is_token else _tags(pull, facts) if _asks(needed_keys, _RESOURCE_TAGS) else None,
        region=pull.region,
        endpoint_id=endpoint_id,
        vpc_id=vpc_id,
        # The node itself asks for its token, from its primary interface. AWS does not say from where the registry's
        # requests come.
        vpc_source_ip=_private_ip(instance) if is_token and endpoint_id else None,
        via_aws_service=False if is_token else None,
        instance_arn=instance.arn if isinstance(instance, Instance) else None,
        instance_vpc_id=instance.vpc_id if isinstance(instance, Instance) else None,
        instance_private_ip=_private_ip(instance),
        role_delivery=principal.role_delivery if principal else None,
        # A question is about now. An event without a time has just arrived.
        current_time=_time(pull.observed_at) or facts.now(),
        # The decision is about the next session, as the refused session's credentials are replaced (ADR 15).
        token_issue_time=facts.now(),
    )
    return {**context, **template_tags}


def _is_untagged(principal: Principal) -> bool:
    return principal.instance_id is not None or principal.session_name == KUBELET_SESSION


def _organization(
    facts: PullFacts, account: str | None, region: str, needed_keys: Collection[str], keys: tuple[str, ...]
) -> tuple[Fact, Fact]:
    """Return the organization's id and the account's path in it, None for what is not known."""
    if account is None or not _asks(needed_keys, keys):
        return None, None
    organization = facts.organization(account, region)
    if organization is None:
        return ABSENT, ABSENT
    if not isinstance(organization, Organization):
        return None, None
    place = facts.organization_path(account, region)
    if isinstance(place, AccountPlace):
        return organization.id, place.organization_path(organization.id)
    return organization.id, Beginning(f"{organization.id}/")


def _organization_of_aws(
    facts: PullFacts, account: str, region: str, needed_keys: Collection[str]
) -> tuple[Fact, Fact]:
    """Return what is known of the organization of a registry of AWS: it is not ours.

    Inference: AWS documents no organization for the accounts of its EKS add-on registries.
    """
    ours = facts.organization(account, region) if _asks(needed_keys, _RESOURCE_ORGANIZATION) else None
    return (OtherThan(ours.id), None) if isinstance(ours, Organization) else (None, None)


def _endpoint(pull: PullFailure, facts: PullFacts, action: str, needed_keys: Collection[str]) -> tuple[Fact, Fact]:
    """Return the endpoint that the request passes and its VPC, None for what is not known."""
    if not _asks(needed_keys, _WAY):
        return None, None
    way = endpoint_on_path(pull, facts, stage_of(action))
    if isinstance(way, Unread) or not way.arrives:
        return None, None
    vpc = way.path.nodes.vpc_id
    return (way.endpoint.id, None if isinstance(vpc, Unread) else vpc) if way.endpoint else (ABSENT, ABSENT)


def _private_ip(instance: object) -> Fact:
    """Return the primary private IPv4 address of an instance, None where it is not known."""
    addresses = instance.addresses if isinstance(instance, Instance) else ()
    return next((address for address in addresses if ":" not in address), None)


def _tags(pull: PullFailure, facts: PullFacts) -> Mapping[str, str] | None:
    tags = facts.repository_tags(pull.registry_account or "", pull.region, pull.repository or "")
    return None if isinstance(tags, Unread) else tags


def _asks(needed_keys: Collection[str], beginnings: tuple[str, ...]) -> bool:
    return any(key.lower().startswith(beginnings) for key in needed_keys)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
