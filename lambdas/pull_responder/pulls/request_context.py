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
from pull_responder.facts.iam import Role
from pull_responder.facts.organizations import AccountPlace, Organization
from pull_responder.model.pull import KUBELET_SESSION
from pull_responder.model.unread import Unread
from pull_responder.pulls.actions import CREATE, TAG, TOKEN
from pull_responder.pulls.request_way import RequestWay, request_way
from pull_responder.pulls.session import role_arn_of
from pull_responder.pulls.signing_instance import signing_instance

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pull_responder.authorization.request import ContextValue
    from pull_responder.model.pull import Principal, PullFailure
    from pull_responder.pulls.pull_facts import PullFacts

_RESOURCE_TAGS: Final = ("aws:resourcetag/", "ecr:resourcetag/")
_PRINCIPAL_ORGANIZATION: Final = ("aws:principalorg",)
_RESOURCE_ORGANIZATION: Final = ("aws:resourceorg",)
_ENDPOINT_ORGANIZATION: Final = ("aws:vpceorg",)
_WAY: Final = ("aws:sourcevpc", "aws:sourceip", "aws:vpcsourceip", "aws:vpce")
_INSTANCE: Final = ("aws:ec2instancesource", "ec2:sourceinstancearn", "ec2:roledelivery")


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
    instance = signing_instance(pull, facts, with_nodes=_asks(needed_keys, _INSTANCE))
    organization, paths = _organization(facts, account, pull.region, needed_keys, _PRINCIPAL_ORGANIZATION)
    if facts.belongs_to_aws(owner):
        owner_organization, owner_paths = _organization_of_aws(facts, account, pull.region, needed_keys)
    else:
        owner_organization, owner_paths = _organization(facts, owner, pull.region, needed_keys, _RESOURCE_ORGANIZATION)
    way = request_way(pull, facts, action) if _asks(needed_keys, _WAY) else RequestWay()
    endpoint_organization, endpoint_paths = _organization_of_endpoint(way, facts, pull.region, needed_keys)
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
        endpoint_id=way.endpoint_id,
        endpoint_account=way.endpoint_account,
        endpoint_org_id=endpoint_organization,
        endpoint_org_paths=endpoint_paths,
        vpc_id=way.vpc_id,
        vpc_arn=way.vpc_arn,
        source_ip=way.source_ip,
        # The node itself asks for its token, from its primary interface. AWS does not say from where the registry's
        # requests come.
        vpc_source_ip=(instance.private_ip or None) if is_token and way.endpoint_id else None,
        via_aws_service=False if is_token else None,
        instance_arn=instance.arn,
        instance_vpc_id=instance.vpc_id,
        instance_private_ip=instance.private_ip,
        role_delivery=instance.role_delivery,
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


def _organization_of_endpoint(
    way: RequestWay, facts: PullFacts, region: str, needed_keys: Collection[str]
) -> tuple[Fact, Fact]:
    """Return the organization of the account that owns the endpoint, and that account's path in it."""
    if way.endpoint_account == ABSENT:
        return ABSENT, ABSENT
    account = way.endpoint_account if isinstance(way.endpoint_account, str) else None
    return _organization(facts, account, region, needed_keys, _ENDPOINT_ORGANIZATION)


def _tags(pull: PullFailure, facts: PullFacts) -> Mapping[str, str] | None:
    tags = facts.repository_tags(pull.registry_account or "", pull.region, pull.repository or "")
    return None if isinstance(tags, Unread) else tags


def _asks(needed_keys: Collection[str], beginnings: tuple[str, ...]) -> bool:
    return any(key.lower().startswith(beginnings) for key in needed_keys)


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
