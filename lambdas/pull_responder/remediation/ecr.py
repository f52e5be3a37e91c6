"""Fixes to a repository's policy. They are run with credentials of the registry's account."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from pull_responder.model.arn import Arn
from pull_responder.model.verdict import Remediation
from pull_responder.remediation import docs, policy_edits
from pull_responder.remediation.ecr_actions import IMAGE_ACTIONS
from pull_responder.remediation.policy_edits import Document
from pull_responder.remediation.shell import aws

if TYPE_CHECKING:
    from collections.abc import Collection

# Amazon ECR API Reference, SetRepositoryPolicy: the length that policyText may have.
REPOSITORY_POLICY_SIZE: Final = 10_240


def grant_account(repository: Arn, *, document: Document | None, pulling_account: str) -> Remediation:
    """Let another account's roles pull from `repository`, as far as that account's own policies let them.

    `document` is the repository's present policy, None when it has none. The account is granted, not the role: a role
    that is deleted and made again gets a new unique id, and a policy that names it would go on naming the old one (IAM
    User Guide, "AWS JSON policy elements: Principal"). The two actions are those of AWS's own example for pulling
    (Amazon ECR User Guide, "Private repository policy examples"). No command when the policy would be too long.
    """
    return _set_policy(
        f"In the policy of the repository {_name(repository)}, allow account {pulling_account} to pull.",
        repository,
        policy_edits.allow(document, actions=IMAGE_ACTIONS, principal=_account(repository, pulling_account)),
    )


def exempt_role(repository: Arn, *, document: Document, statements: Collection[int], role: Arn) -> Remediation:
    """Leave `role` out of the Deny statements at the indexes `statements` of the repository's policy `document`.

    The statements go on denying everyone else; a policy with nothing left is deleted. No command when a statement
    cannot be edited, or the policy would be too long.
    """
    return _set_policy(
        f"In the policy of the repository {_name(repository)}, leave the role {role} out of the Deny.",
        repository,
        policy_edits.exempt_role(document, statements, str(role)),
    )


def exempt_role_from_registry(
    repository: Arn, *, document: Document, statements: Collection[int], role: Arn
) -> Remediation:
    """Leave `role` out of Deny statements of the policy `document` of the registry that holds `repository`.

    No command when a statement cannot be edited, or the policy would be too long.
    """
    edited = policy_edits.exempt_role(document, statements, str(role))
    command: tuple[tuple[str, ...], ...] = ()
    if edited is not None and not policy_edits.has_statements(edited):
        command = (aws("ecr", "delete-registry-policy", region=repository.region),)
    elif edited is not None and len(text := json.dumps(edited, separators=(",", ":"))) <= REPOSITORY_POLICY_SIZE:
        command = (aws("ecr", "put-registry-policy", policy_text=text, region=repository.region),)
    return Remediation(
        f"In the policy of the registry {repository.account}, leave the role {role} out of the Deny.",
        repository.account,
        repository.region,
        docs.ECR_REGISTRY_POLICIES,
        command,
    )


def ask_for_grant(repository: Arn, *, pulling_account: str) -> Remediation:
    """Say what to add to the policy of a repository that cannot be read: a command would overwrite what is there."""
    addition = policy_edits.allow(None, actions=IMAGE_ACTIONS, principal=_account(repository, pulling_account))
    return Remediation(
        summary=f"Ask the owner of account {repository.account} to add this statement to the policy of the repository "
        f"{_name(repository)}: {json.dumps(addition['Statement'][0])}",
        account=repository.account,
        region=repository.region,
        docs_url=docs.ECR_REPOSITORY_POLICIES,
    )


def ask_for_exemption(repository: Arn, *, role: Arn) -> Remediation:
    """Say who has to take `role` out of a Deny in the policy of a repository that cannot be read."""
    return Remediation(
        summary=f"Ask the owner of account {repository.account} to leave the role {role} out of the Deny in the policy "
        f"of the repository {_name(repository)}.",
        account=repository.account,
        region=repository.region,
        docs_url=docs.ECR_REPOSITORY_POLICIES,
    )


def _set_policy(summary: str, repository: Arn, document: Document | None) -> Remediation:
    where = {"registry_id": repository.account, "repository_name": _name(repository), "region": repository.region}
    commands: tuple[tuple[str, ...], ...] = ()
    if document is not None and not policy_edits.has_statements(document):
        commands = (aws("ecr", "delete-repository-policy", **where),)
    elif document is not None and len(text := json.dumps(document, separators=(",", ":"))) <= REPOSITORY_POLICY_SIZE:
        commands = (aws("ecr", "set-repository-policy", **where, policy_text=text),)
    return Remediation(summary, repository.account, repository.region, docs.ECR_REPOSITORY_POLICIES, commands)


def _account(repository: Arn, account: str) -> dict[str, str]:
    return {"AWS": f"arn:{repository.partition}:iam::{account}:root"}


def _name(repository: Arn) -> str:
    return repository.resource.removeprefix("repository/")
