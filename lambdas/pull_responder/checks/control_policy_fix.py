"""Proof and fix of a fault in an organization's service or resource control policies."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.authorization.evaluation import Layer
from pull_responder.checks.layer_fault import LayerFault, actions, aws_said, denying, wanted
from pull_responder.model.arn import Arn
from pull_responder.remediation import by_hand, organizations
from pull_responder.remediation.composition import together
from pull_responder.remediation.organizations import Change

if TYPE_CHECKING:
    from pull_responder.facts.iam import PolicyText
    from pull_responder.facts.organizations import ControlPolicies
    from pull_responder.model.pull import PullFailure
    from pull_responder.model.verdict import Remediation

_NAMES: Final = {Layer.SCP: "service control policies", Layer.RCP: "resource control policies"}


def proof(fault: LayerFault, pull: PullFailure, layer: Layer) -> tuple[str, ...]:
    """Quote the denying statements, say at which levels no policy allows, and what AWS said."""
    levels = fault.authorization.levels_lacking(layer) if fault.stopped else {}
    lines = [
        f"No statement of the {_NAMES[layer]} {_where(level)} allows {' or '.join(lacks)}."
        for level, lacks in sorted(levels.items())
    ]
    return (*denying(fault, layer), *lines, *aws_said(pull))


def fix(
    fault: LayerFault, pull: PullFailure, layer: Layer, *, controlled: str, policies: ControlPolicies | None
) -> Remediation:
    """Return the change of the policies that stop the pull; by hand where they could not be read.

    `controlled` is the account that the policies control.
    """
    by_hand_fix = by_hand.service_control_policy if layer is Layer.SCP else by_hand.resource_control_policy
    asked = by_hand_fix(wanted(fault, pull), account=controlled, region=pull.region)
    if policies is None or fault.by_words:
        return asked
    changes: dict[str, Change] = {
        name: Change(exempt=frozenset(statements)) for name, statements in fault.authorization.denying(layer).items()
    }
    unchangeable = False
    for level, lacks in sorted(fault.authorization.levels_lacking(layer).items()):
        text = next((text for text in policies.levels[level] if not text.is_aws_managed), None)
        if text is None or text.arn is None:
            unchangeable = True
            continue
        known = changes.get(text.arn, Change())
        changes[text.arn] = replace(known, allow=tuple(dict.fromkeys((*known.allow, *lacks))))
    role = fault.authorization.role
    fixes = [
        organizations.change(
            _policy(fault.authorization.documents[name], policies), each, role=role, region=pull.region
        )
        for name, each in changes.items()
    ]
    if unchangeable:
        # A level of AWS's own policies alone: a policy that allows has to be attached there.
        fixes.append(replace(asked, account=policies.reader))
    return together(*fixes) if fixes else asked


def _policy(text: PolicyText, policies: ControlPolicies) -> organizations.ControlPolicy:
    arn = Arn.parse(text.arn or "")
    if arn is None:
        raise ValueError(f"the policy {text.name} has no ARN, which Organizations give every policy")
    return organizations.ControlPolicy(arn, text.name, dict(text.document), policies.reader)


def _where(level: int) -> str:
    return "at the organization's root" if level == 0 else f"at level {level} below the organization's root"


def summary(fault: LayerFault, pull: PullFailure, layer: Layer, controlled: str) -> str:
    """Say in a sentence what stops what."""
    return (
        f"The {_NAMES[layer]} of the organization that account {controlled} is in stop "
        f"{', '.join(actions(fault, pull))} for the role {fault.authorization.role}."
    )
