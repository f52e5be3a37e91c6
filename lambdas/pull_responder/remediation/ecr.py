"""Fixes to the policies of repositories and registries. Their commands need credentials of the registry's account."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from pull_responder.model.arn import Arn
from pull_responder.model.verdict import Remediation
from pull_responder.remediation import docs, policy_edits
from pull_responder.remediation.ecr_actions import IMAGE_ACTIONS
from pull_responder.remediation.isolation import named_principals
from pull_responder.remediation.naming import the_deny
from pull_responder.remediation.policy_edits import Document
from pull_responder.remediation.shell import aws

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

# Amazon ECR API Reference, SetRepositoryPolicy: the maximum length of policyText, in characters.
REPOSITORY_POLICY_SIZE: Final = 10_240
_MOST_NAMED: Final = 3
_FETCHED: Final = (
    "ecr:BatchGetImage",
    "ecr:GetDownloadUrlForLayer",
    "ecr:BatchImportUpstreamImage",
    "ecr:GetImageCopyStatus",
)


def grant_account(repository: Arn, *, document: Document | None, pulling_account: str) -> Remediation:
    """Allow `pulling_account` to pull from `repository`. That account's own policies decide which of its roles may.

    `document` is the repository's current policy; None if it has none. The new statement names the account, not a role:
    a role that is deleted and created again has a new unique id, and a policy that names it still means the old one
    (IAM User Guide, "AWS JSON policy elements: Principal"). The two actions are those of AWS's own example for pulling
    (Amazon ECR User Guide, "Private repository policy examples"). No command if the policy would be too long.
    """
    return _set_policy(
        f"In the policy of the repository {_name(repository)}, allow account {pulling_account} to pull. This lets in "
        f"every principal of account {pulling_account} whose own policies allow it.",
        repository,
        policy_edits.allow(document, actions=IMAGE_ACTIONS, principal=_account(repository, pulling_account)),
        f"In the policy of repository {_name(repository)}, allow account {pulling_account} to pull.",
    )


def grant_cache(
    upstream: Arn, *, document: Document | None, caching_account: str, readable: bool = True
) -> Remediation:
    """Allow `caching_account` to fetch from `upstream` for its pull through cache.

    `document` is the repository's current policy; None if it has none. No command unless it is `readable`, or if the
    policy would be too long. Source of the actions: Amazon ECR User Guide, "Creating a resource policy in the upstream
    Amazon ECR registry".
    """
    edited = policy_edits.allow(document, actions=_FETCHED, principal=_account(upstream, caching_account))
    if not readable:
        return Remediation(
            summary=f"Ask the owner of account {upstream.account} to add this statement to the policy of the "
            f"repository {_name(upstream)}: {json.dumps(edited['Statement'][0])}",
            account=upstream.account,
            region=upstream.region,
            docs_url=docs.ECR_CACHE_PRIVATE,
            short=f"In the policy of repository {_name(upstream)}, let account {caching_account} fetch.",
        )
    what = f"allow account {caching_account} to fetch for its pull through cache"
    return _set_policy(f"In the policy of the upstream repository {_name(upstream)}, {what}.", upstream, edited)


def exempt_role(repository: Arn, *, document: Document, statements: Collection[int], role: Arn) -> Remediation:
    """Exempt `role` from the Deny statements at the indexes `statements` of the repository's policy `document`.

    The statements still deny everyone else. A policy without any statement left is deleted. No command if a statement
    cannot be edited, if the policy would be too long, or if a statement keeps out everybody but named principals: that
    is deliberate, and exempting a node's role would let in every pod of the node.
    """
    if named := named_principals(document, statements):
        where = f"the repository {_name(repository)}"
        return _pull_as_named(named, where, repository, role, docs.ECR_REPOSITORY_POLICIES)
    return _set_policy(
        f"In the policy of the repository {_name(repository)} of account {repository.account}, exempt the role {role} "
        f"from {the_deny(document, statements)}.",
        repository,
        policy_edits.exempt_role(document, statements, str(role)),
        f"In the policy of repository {_name(repository)}, exempt role {role.resource.rpartition('/')[2]} from "
        f"{the_deny(document, statements)}.",
    )


def exempt_role_from_registry(
    repository: Arn, *, document: Document, statements: Collection[int], role: Arn
) -> Remediation:
    """Exempt `role` from Deny statements of the policy `document` of the registry that holds `repository`.

    `statements` are their indexes. A policy without any statement left is deleted. No command in the same cases as in
    `exempt_role`.
    """
    if named := named_principals(document, statements):
        where = f"the registry {repository.account}"
        return _pull_as_named(named, where, repository, role, docs.ECR_REGISTRY_POLICIES)
    edited = policy_edits.exempt_role(document, statements, str(role))
    command: tuple[tuple[str, ...], ...] = ()
    if edited is not None and not policy_edits.has_statements(edited):
        command = (aws("ecr", "delete-registry-policy", region=repository.region),)
    elif edited is not None and len(text := json.dumps(edited, separators=(",", ":"))) <= REPOSITORY_POLICY_SIZE:
        command = (aws("ecr", "put-registry-policy", policy_text=text, region=repository.region),)
    return Remediation(
        f"In the policy of the registry {repository.account}, exempt the role {role} from "
        f"{the_deny(document, statements)}.",
        repository.account,
        repository.region,
        docs.ECR_REGISTRY_POLICIES,
        command,
        short=f"In the policy of registry {repository.account}, exempt role {role.resource.rpartition('/')[2]} from "
        f"{the_deny(document, statements)}.",
    )


def ask_for_grant(repository: Arn, *, pulling_account: str) -> Remediation:
    """Ask the repository's owner to add a statement to its policy.

    The policy cannot be read, so a command could only overwrite it.
    """
    addition = policy_edits.allow(None, actions=IMAGE_ACTIONS, principal=_account(repository, pulling_account))
    return Remediation(
        summary=f"Ask the owner of account {repository.account} to add this statement to the policy of the repository "
        f"{_name(repository)}: {json.dumps(addition['Statement'][0])}",
        account=repository.account,
        region=repository.region,
        docs_url=docs.ECR_REPOSITORY_POLICIES,
        short=f"In the policy of repository {_name(repository)}, let account {pulling_account} pull.",
    )


def ask_for_exemption(repository: Arn, *, role: Arn) -> Remediation:
    """Ask the repository's owner to exempt `role` from a Deny in its policy, which cannot be read."""
    return Remediation(
        summary=f"Ask the owner of account {repository.account} to exempt the role {role} from the Deny in the policy "
        f"of the repository {_name(repository)}.",
        account=repository.account,
        region=repository.region,
        docs_url=docs.ECR_REPOSITORY_POLICIES,
        short=f"In the policy of repository {_name(repository)}, exempt role {role.resource.rpartition('/')[2]} from "
        "the Deny.",
    )


def _pull_as_named(named: Sequence[str], where: str, repository: Arn, role: Arn, docs_url: str) -> Remediation:
    more = len(named) - _MOST_NAMED
    some = ", ".join(named[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
    return Remediation(
        f"The policy of {where} keeps out everybody but {some} on purpose. Pull as one of these, such as with a pull "
        f"role of the pod's own, or ask the policy's owner, account {repository.account}, whether to add {role}.",
        repository.account,
        repository.region,
        docs_url,
        short=f"Pull as one whom the policy lets in, or ask account {repository.account} to add the role.",
    )


def _set_policy(summary: str, repository: Arn, document: Document | None, short: str = "") -> Remediation:
    where = {"registry_id": repository.account, "repository_name": _name(repository), "region": repository.region}
    commands: tuple[tuple[str, ...], ...] = ()
    if document is not None and not policy_edits.has_statements(document):
        commands = (aws("ecr", "delete-repository-policy", **where),)
    elif document is not None and len(text := json.dumps(document, separators=(",", ":"))) <= REPOSITORY_POLICY_SIZE:
        commands = (aws("ecr", "set-repository-policy", **where, policy_text=text),)
    place = repository.account, repository.region
    return Remediation(summary, *place, docs.ECR_REPOSITORY_POLICIES, commands, short=short)


def _account(repository: Arn, account: str) -> dict[str, str]:
    return {"AWS": f"arn:{repository.partition}:iam::{account}:root"}


def _name(repository: Arn) -> str:
    return repository.resource.removeprefix("repository/")
