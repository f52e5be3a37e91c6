"""Fixes to service and resource control policies that can be read. They are run in the account that manages them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.model.arn import Arn
from pull_responder.model.verdict import Remediation
from pull_responder.remediation import docs, policy_edits
from pull_responder.remediation.policy_edits import Document
from pull_responder.remediation.shell import aws

if TYPE_CHECKING:
    from collections.abc import Collection

# AWS Organizations User Guide, "Quotas": characters of a service or resource control policy, white space not counted.
CONTROL_POLICY_SIZE: Final = 5_120


@dataclass(frozen=True, slots=True)
class ControlPolicy:
    """A service or resource control policy as it is now; `manager` is the account in which it can be changed."""

    arn: Arn
    name: str
    document: Document
    manager: str


def exempt_role(policy: ControlPolicy, *, statements: Collection[int], role: Arn, region: str) -> Remediation:
    """Leave `role` out of the Deny statements at the indexes `statements`, which go on denying everyone else.

    No command when a statement cannot be edited, or the policy would be too long.
    """
    edited = policy_edits.exempt_role(policy.document, statements, str(role))
    return _update(policy, edited, region, f"leave the role {role} out of the Deny")


def allow(policy: ControlPolicy, *, actions: Collection[str], region: str) -> Remediation:
    """Allow `actions` in a service control policy, for every account that it is attached to."""
    edited = policy_edits.allow(policy.document, actions=actions, resources=["*"])
    return _update(policy, edited, region, f"allow {', '.join(actions)}, for every account that it is attached to")


def _update(policy: ControlPolicy, document: Document | None, region: str, change: str) -> Remediation:
    commands: tuple[tuple[str, ...], ...] = ()
    text = None if document is None else json.dumps(document, separators=(",", ":"))
    # What AWS owns (arn:…:aws:policy/…) cannot be changed.
    if text is not None and len("".join(text.split())) <= CONTROL_POLICY_SIZE and policy.arn.account != "aws":
        policy_id = policy.arn.resource.rpartition("/")[2]
        commands = (aws("organizations", "update-policy", policy_id=policy_id, content=text, region=region),)
    return Remediation(
        f"In the policy {policy.name} ({policy.arn}), {change}.",
        policy.manager,
        region,
        docs.ORGANIZATIONS_UPDATE_POLICY,
        commands,
    )
