"""Fixes to the policies of VPC endpoints. Their commands need credentials of the account that owns the VPC."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pull_responder.remediation import docs, policy_edits
from pull_responder.remediation.naming import the_deny

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.model.verdict import Remediation
    from pull_responder.remediation.ec2 import Where
    from pull_responder.remediation.shell import Command


@dataclass(frozen=True, slots=True)
class PolicyEdit:
    """The changes that one endpoint's policy needs.

    - `document`: the current policy, as JSON text.
    - `allow`: the resource for each action that is missing an Allow.
    - `denying`: the indexes of the Deny statements to exempt the role from.
    """

    endpoint_id: str
    document: str
    allow: Mapping[str, str]
    denying: frozenset[int] = frozenset()


def let_role_through(where: Where, edits: tuple[PolicyEdit, ...], *, role: str) -> Remediation:
    """Apply `edits`, so that the endpoints' policies allow `role` (an ARN) to pull.

    No command if a statement cannot be edited.
    """
    changed = [(edit.endpoint_id, _apply(edit, role)) for edit in edits]
    commands = [_put(where, endpoint, document) for endpoint, document in changed if document is not None]
    endpoints = ", ".join(edit.endpoint_id for edit in edits)
    denies = [
        f"{the_deny(json.loads(edit.document), edit.denying)} of {edit.endpoint_id}" for edit in edits if edit.denying
    ]
    exempt = f" and exempt it from {', '.join(denies)}" if denies else ""
    return where.remedy(
        f"In the policy of {endpoints}, allow the role {role} to pull{exempt}.",
        docs.ECR_VPC_ENDPOINTS,
        *(commands if len(commands) == len(changed) else ()),
    )


def allow_layers(  # noqa: PLR0913 -- each is a part of the fix
    where: Where, *, endpoint_id: str, document: str | None, bucket: str, denied: bool, lacks_allow: bool
) -> Remediation:
    """Allow everybody to read the layers in `bucket` through an S3 endpoint.

    The statement has no conditions, because ECR signs the layer URLs, not the role. `document` is the endpoint's
    current policy as JSON text. No command without it, or if a Deny stops the layers (`denied`): an Allow would change
    nothing, and somebody has written the Deny on purpose.
    """
    allowing = f"allow s3:GetObject on {bucket}/* to everybody, without conditions"
    if denied:
        also = f", and {allowing}" if lacks_allow else ""
        summary = f"In the policy of {endpoint_id}, exempt {bucket}/* from the Deny of s3:GetObject{also}."
        return where.remedy(summary, docs.ECR_VPC_ENDPOINTS)
    summary = f"In the policy of {endpoint_id}, {allowing}."
    if document is None:
        return where.remedy(summary, docs.ECR_VPC_ENDPOINTS)
    policy = policy_edits.allow(json.loads(document), actions=["s3:GetObject"], resources=[f"{bucket}/*"], principal={})
    policy["Statement"][-1]["Principal"] = "*"
    return where.remedy(summary, docs.ECR_VPC_ENDPOINTS, _put(where, endpoint_id, policy))


def _apply(edit: PolicyEdit, role: str) -> dict[str, Any] | None:
    """Return the edited policy; None if a statement cannot be edited."""
    document = policy_edits.exempt_role(json.loads(edit.document), edit.denying, role)
    resources: dict[str, list[str]] = {}
    for action, resource in edit.allow.items():
        resources.setdefault(resource, []).append(action)
    for resource, actions in resources.items():
        if document is not None:
            document = policy_edits.allow(document, actions=actions, resources=[resource], principal={"AWS": role})
    return document


def _put(where: Where, endpoint_id: str, document: dict[str, Any]) -> Command:
    text = json.dumps(document, separators=(",", ":"))
    return where.ec2("modify-vpc-endpoint", vpc_endpoint_id=endpoint_id, policy_document=text)
