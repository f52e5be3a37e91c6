"""Fixes to a role's permissions: its identity policies and its permissions boundary.

IAM is global within a partition, but the AWS CLI finds the partition's endpoint by the region. So every command names a
region.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.model.arn import Arn
from pull_responder.model.verdict import Remediation
from pull_responder.remediation import docs
from pull_responder.remediation.policy_edits import Document, allow_pull, has_statements
from pull_responder.remediation.shell import Command, aws

if TYPE_CHECKING:
    from collections.abc import Collection

PULL_ONLY_POLICY: Final = "AmazonEC2ContainerRegistryPullOnly"
FARGATE_POLICY: Final = "AmazonEKSFargatePodExecutionRolePolicy"
INLINE_POLICY_NAME: Final = "PullResponderEcrPull"

# Maximum sizes in characters without white space, and the maximum number of versions of a managed policy: IAM User
# Guide, "IAM and AWS STS quotas". The size of inline policies is for all inline policies of a role together.
MANAGED_POLICY_SIZE: Final = 6_144
INLINE_POLICY_SIZE: Final = 10_240
MANAGED_POLICY_VERSIONS: Final = 5
ATTACHED_POLICIES: Final = 10
"""How many managed policies a role can have, unless the account has a higher quota."""


@dataclass(frozen=True, slots=True)
class ManagedPolicy:
    """A managed policy as it is now.

    - `versions`: the ids of all its versions ("v1", …), including the default version. Needed only to create a new one.
    - `edits`: how many fixes of this diagnosis create a new version.
    - `edit`: which of them this is, from 0. Each deletes another old version, so they can run in any order.
    """

    arn: Arn
    versions: tuple[str, ...]
    default_version: str
    edits: int = 1
    edit: int = 0

    @property
    def is_aws_managed(self) -> bool:
        """Whether AWS owns the policy. Nobody else can edit it then."""
        return self.arn.account == "aws"


def attach_pull_policy(role: Arn, *, region: str, fargate: bool = False) -> Remediation:
    """Attach the AWS managed policy that EKS requires: the one for nodes, or the one for Fargate pods."""
    policy = FARGATE_POLICY if fargate else PULL_ONLY_POLICY
    return Remediation(
        summary=f"Attach the AWS managed policy {policy} to the role {_name(role)}.",
        account=role.account,
        region=region,
        docs_url=docs.EKS_POD_EXECUTION_ROLE if fargate else docs.ECR_MANAGED_POLICIES,
        commands=(
            aws(
                "iam",
                "attach-role-policy",
                role_name=_name(role),
                policy_arn=f"arn:{role.partition}:iam::aws:policy/{policy}",
                region=region,
            ),
        ),
        short=f"Attach {policy} to role {_name(role)}.",
    )


def add_inline_policy(
    role: Arn, *, region: str, actions: Collection[str], repository_arn: str, taken_names: Collection[str] = ()
) -> Remediation:
    """Allow only `actions`, and only on this repository, in a new inline policy. A token is always allowed on "*".

    `taken_names` are the names of the role's inline policies. The new policy must not replace one of them.
    """
    taken = {name.lower() for name in taken_names}
    number, name = 1, INLINE_POLICY_NAME
    while name.lower() in taken:
        number += 1
        name = f"{INLINE_POLICY_NAME}{number}"
    document = allow_pull(None, actions=actions, repository_arn=repository_arn)
    return Remediation(
        summary=f"Add an inline policy to the role {_name(role)} that allows {', '.join(actions)}.",
        account=role.account,
        region=region,
        docs_url=docs.IAM_EDIT_POLICIES,
        commands=(_put_role_policy(role, name, document, region),),
        short=f"In an inline policy of role {_name(role)}, allow {_listed(actions)}.",
    )


def replace_inline_policy(
    role: Arn, *, region: str, policy_name: str, document: Document | None, deny: str = "the Deny"
) -> Remediation:
    """Replace the role's inline policy by `document`, or delete it if `document` has no statement.

    `deny` is what the statement that stops the pull is called.
    No command if `document` is None (no edit is known to be right) or too long for IAM.
    """
    what = f"the inline policy {policy_name} of the role {_name(role)}"
    if document is None or _size(document) > INLINE_POLICY_SIZE:
        return _by_hand(f"Edit {deny} in {what} so that it no longer stops the pull.", role.account, region)
    if has_statements(document):
        summary = f"Remove the pull actions from {deny} in {what}."
        command = _put_role_policy(role, policy_name, document, region)
    else:
        summary = f"Delete {what}: it only denies the pull, so it would have no statement left."
        command = aws("iam", "delete-role-policy", role_name=_name(role), policy_name=policy_name, region=region)
    return Remediation(summary, role.account, region, docs.IAM_EDIT_POLICIES, (command,))


def replace_managed_policy(
    role: Arn, policy: ManagedPolicy, *, region: str, document: Document | None, deny: str = "the Deny"
) -> Remediation:
    """Make `document` the default version of a managed policy of the role.

    `deny` is what the statement that stops the pull is called.
    If AWS owns the policy or `document` has no statement, the policy is detached from the role instead. No command if
    `document` is None (no edit is known to be right) or too long for IAM.
    """
    if policy.is_aws_managed or (document is not None and not has_statements(document)):
        return detach_managed_policy(role, policy.arn, region=region)
    if document is None or _size(document) > MANAGED_POLICY_SIZE:
        summary = f"Edit {deny} in the policy {policy.arn} so that it no longer stops the pull."
        return _by_hand(summary, role.account, region)
    return Remediation(
        summary=f"Remove the pull actions from {deny} in the policy {policy.arn}. This affects every role and user "
        "that has it.",
        account=role.account,
        region=region,
        docs_url=docs.IAM_POLICY_VERSIONS,
        commands=_new_default_version(policy, document, region),
        undo=_old_default_version(policy, region),
        short=f"Remove the pull actions from {deny} in policy {_name(policy.arn)}.",
    )


def detach_managed_policy(role: Arn, policy: Arn, *, region: str) -> Remediation:
    """Detach a managed policy that denies the pull from the role."""
    return Remediation(
        summary=f"Detach the policy {policy}, which denies the pull, from the role {_name(role)}, unless it was "
        "attached on purpose.",
        account=role.account,
        region=region,
        docs_url=docs.IAM_ATTACH_DETACH,
        commands=(aws("iam", "detach-role-policy", role_name=_name(role), policy_arn=str(policy), region=region),),
        short=f"Detach policy {_name(policy)} from role {_name(role)}, unless attached on purpose.",
    )


def widen_boundary(
    role: Arn, boundary: ManagedPolicy, *, region: str, actions: Collection[str], document: Document | None
) -> Remediation:
    """Make `document`, which allows `actions`, the default version of the role's permissions boundary.

    No command if AWS owns the boundary and so nobody can edit it, or if `document` is None, empty or too long for IAM.
    """
    names = ", ".join(actions)
    if boundary.is_aws_managed:
        summary = f"Choose another permissions boundary for the role {_name(role)}: AWS's own {boundary.arn} stops "
        return _by_hand(f"{summary}{names}.", role.account, region, docs.IAM_PERMISSIONS_BOUNDARIES)
    policy = f'"{_name(boundary.arn)}", the permissions boundary of the role {_name(role)}'
    summary = f"In {policy}, allow {names}, too. It affects every role and user that has it."
    short = f'In permissions boundary "{_name(boundary.arn)}", allow {_listed(actions)}.'
    if document is None or not has_statements(document) or _size(document) > MANAGED_POLICY_SIZE:
        return Remediation(summary, role.account, region, docs.IAM_PERMISSIONS_BOUNDARIES, short=short)
    return Remediation(
        summary=f"{summary} What it allows now stays allowed.",
        account=role.account,
        region=region,
        docs_url=docs.IAM_PERMISSIONS_BOUNDARIES,
        commands=_new_default_version(boundary, document, region),
        undo=_old_default_version(boundary, region),
        short=short,
    )


def _put_role_policy(role: Arn, policy_name: str, document: Document, region: str) -> Command:
    return aws(
        "iam",
        "put-role-policy",
        role_name=_name(role),
        policy_name=policy_name,
        policy_document=_json(document),
        region=region,
    )


def _new_default_version(policy: ManagedPolicy, document: Document, region: str) -> tuple[Command, ...]:
    """Return the commands that make `document` the default version.

    If the policy would have more than five versions, the first command deletes an old one.
    """
    create = aws(
        "iam",
        "create-policy-version",
        "--set-as-default",
        policy_arn=str(policy.arn),
        policy_document=_json(document),
        region=region,
    )
    if len(policy.versions) + policy.edits <= MANAGED_POLICY_VERSIONS:
        return (create,)
    oldest = sorted((v for v in policy.versions if v != policy.default_version), key=_version_number)[policy.edit]
    delete = aws("iam", "delete-policy-version", policy_arn=str(policy.arn), version_id=oldest, region=region)
    return (delete, create)


def _old_default_version(policy: ManagedPolicy, region: str) -> tuple[Command, ...]:
    """Return the command that makes the version the default again that is so before the fix.

    The fix deletes another one at most. Where several fixes edit the policy, it would take back all, so there is none.
    """
    if policy.edits > 1:
        return ()
    again = aws(
        "iam",
        "set-default-policy-version",
        policy_arn=str(policy.arn),
        version_id=policy.default_version,
        region=region,
    )
    return (again,)


def _version_number(version: str) -> int:
    """Return the version's number. IAM counts upwards and never reuses a number, so "v10" is newer than "v9"."""
    return int(version.removeprefix("v"))


def _by_hand(summary: str, account: str, region: str, docs_url: str = docs.IAM_EDIT_POLICIES) -> Remediation:
    return Remediation(summary, account, region, docs_url)


def _name(role: Arn) -> str:
    """Return the role's name, as IAM's calls need it: the last part of its path."""
    return role.resource.rpartition("/")[2]


def _listed(actions: Collection[str]) -> str:
    *first, last = actions
    return f"{', '.join(first)} and {last}" if first else last


def _json(document: Document) -> str:
    return json.dumps(document, separators=(",", ":"))


def _size(document: Document) -> int:
    return len("".join(_json(document).split()))
