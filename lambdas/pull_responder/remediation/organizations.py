"""Fixes to service and resource control policies that can be read.

Their commands need credentials of the account that manages the policy.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from pull_responder.model.arn import Arn
from pull_responder.model.quoting import quote
from pull_responder.model.verdict import Remediation
from pull_responder.remediation import docs, policy_edits
from pull_responder.remediation.naming import the_deny
from pull_responder.remediation.policy_edits import Document
from pull_responder.remediation.shell import aws

# AWS Organizations User Guide, "Quotas": the maximum size of a service or resource control policy, in characters
# without white space.
CONTROL_POLICY_SIZE: Final = 5_120


@dataclass(frozen=True, slots=True)
class ControlPolicy:
    """A service or resource control policy with its current document. `manager` is the account that can change it."""

    arn: Arn
    name: str
    document: Document
    manager: str


@dataclass(frozen=True, slots=True)
class PolicyChange:
    """The changes that one policy needs.

    - `exempt`: the indexes of the Deny statements to exempt the role from.
    - `allow`: the actions that are missing an Allow.
    """

    exempt: frozenset[int] = frozenset()
    allow: tuple[str, ...] = ()


def change(policy: ControlPolicy, wanted: PolicyChange, *, role: Arn, region: str) -> Remediation:
    """Make the `wanted` changes to a policy in one update.

    The Deny statements still deny everyone but `role`. The new Allow is for every account that the policy is attached
    to. No command if a statement cannot be edited, if the policy would be too long, or if AWS owns the policy.
    """
    document: Document | None = policy.document
    edits, short = [], []
    if wanted.exempt:
        document = policy_edits.exempt_role(policy.document, wanted.exempt, str(role))
        deny = the_deny(policy.document, wanted.exempt)
        edits.append(f"exempt the role {role} from {deny}")
        short.append(f"exempt role {role.resource.rpartition('/')[2]} from {deny}")
    if wanted.allow:
        if document is not None:
            document = policy_edits.allow(document, actions=wanted.allow, resources=["*"])
        edits.append(f"allow {', '.join(wanted.allow)} for every account that it is attached to")
        short.append(f"allow {', '.join(wanted.allow)}")
    return _update(policy, document, region, " and ".join(edits), " and ".join(short))


def _update(policy: ControlPolicy, document: Document | None, region: str, change: str, short: str) -> Remediation:
    commands: tuple[tuple[str, ...], ...] = ()
    text = None if document is None else json.dumps(document, separators=(",", ":"))
    # A policy that AWS owns (arn:…:aws:policy/…) cannot be changed.
    if text is not None and len("".join(text.split())) <= CONTROL_POLICY_SIZE and policy.arn.account != "aws":
        policy_id = policy.arn.resource.rpartition("/")[2]
        commands = (aws("organizations", "update-policy", policy_id=policy_id, content=text, region=region),)
    return Remediation(
        f"In the policy {quote(policy.name)} ({policy.arn}), {change}.",
        policy.manager,
        region,
        docs.ORGANIZATIONS_UPDATE_POLICY,
        commands,
        short=f"In policy {quote(policy.name, 40)}, {short}.",
    )
