"""Fixes to service and resource control policies that can be read. They are run in the account that manages them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from pull_responder.model.arn import Arn
from pull_responder.model.verdict import Remediation
from pull_responder.remediation import docs, policy_edits
from pull_responder.remediation.policy_edits import Document
from pull_responder.remediation.shell import aws

# AWS Organizations User Guide, "Quotas": characters of a service or resource control policy, white space not counted.
CONTROL_POLICY_SIZE: Final = 5_120


@dataclass(frozen=True, slots=True)
class ControlPolicy:
    """A service or resource control policy as it is now; `manager` is the account in which it can be changed."""

    arn: Arn
    name: str
    document: Document
    manager: str


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """What has to change in one policy: `exempt` are the indexes of Deny statements, `allow` actions that lack."""

    exempt: frozenset[int] = frozenset()
    allow: tuple[str, ...] = ()


def change(policy: ControlPolicy, wanted: PolicyChange, *, role: Arn, region: str) -> Remediation:
    """Leave `role` out of the Deny statements, which go on denying everyone else, and allow what lacks, in one update.

    What is allowed is allowed to every account that the policy is attached to. No command when a statement cannot be
    edited, or the policy would be too long.
    """
    document: Document | None = policy.document
    done = []
    if wanted.exempt:
        document = policy_edits.exempt_role(policy.document, wanted.exempt, str(role))
        done.append(f"leave the role {role} out of the Deny")
    if wanted.allow:
        if document is not None:
            document = policy_edits.allow(document, actions=wanted.allow, resources=["*"])
        done.append(f"allow {', '.join(wanted.allow)} to every account that it is attached to")
    return _update(policy, document, region, " and ".join(done))


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
