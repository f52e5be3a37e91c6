"""Proof and fix of a fault in an organization's service or resource control policies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.authorization.evaluation import Layer, State
from pull_responder.checks.layer_fault import LayerFault, actions, aws_said, denying, lacking, wanted
from pull_responder.model.arn import Arn
from pull_responder.remediation import by_hand, organizations
from pull_responder.remediation.composition import together

if TYPE_CHECKING:
    from pull_responder.facts.iam import PolicyText
    from pull_responder.facts.organizations import ControlPolicies
    from pull_responder.model.pull import PullFailure
    from pull_responder.model.verdict import Remediation

_NAMES: Final = {Layer.SCP: "service control policies", Layer.RCP: "resource control policies"}


def proof(fault: LayerFault, pull: PullFailure, layer: Layer) -> tuple[str, ...]:
    """Quote the denying statements, say at which level no policy allows, and what AWS said."""
    missing = fault.of_state(State.BLOCKS_IMPLICITLY)
    levels = sorted({each.outcome.level or 0 for each in missing})
    lines = [
        line
        for level in levels
        for line in lacking(
            LayerFault(fault.authorization, tuple(each for each in missing if (each.outcome.level or 0) == level)),
            f"the {_NAMES[layer]} {_where(level)}",
        )
    ]
    return (*denying(fault, layer), *lines, *aws_said(pull))


def fix(
    fault: LayerFault, pull: PullFailure, layer: Layer, *, controlled: str, policies: ControlPolicies | None
) -> Remediation:
    """Return the change of the policies that stop the pull; by hand where they could not be read.

    `controlled` is the account that the policies control.
    """
    fixes: list[Remediation] = []
    if policies is not None and not fault.by_words:
        fixes = [*_exemptions(fault, pull, layer, policies), *_permissions(fault, pull, policies)]
    if fixes:
        return together(*fixes)
    ask = by_hand.service_control_policy if layer is Layer.SCP else by_hand.resource_control_policy
    return ask(wanted(fault, pull), account=controlled, region=pull.region)


def _exemptions(fault: LayerFault, pull: PullFailure, layer: Layer, policies: ControlPolicies) -> list[Remediation]:
    role = fault.authorization.role
    return [
        organizations.exempt_role(
            _policy(fault.authorization.documents[name], policies), statements=statements, role=role, region=pull.region
        )
        for name, statements in fault.authorization.denying(layer).items()
    ]


def _permissions(fault: LayerFault, pull: PullFailure, policies: ControlPolicies) -> list[Remediation]:
    """Allow what lacks, at each level that lacks it, in the first policy there that can be changed."""
    fixes = []
    missing = fault.of_state(State.BLOCKS_IMPLICITLY)
    for level in sorted({each.outcome.level or 0 for each in missing}):
        text = next((text for text in policies.levels[level] if not text.is_aws_managed), None)
        if text is not None:
            lacks = [each.action for each in missing if (each.outcome.level or 0) == level]
            fixes.append(organizations.allow(_policy(text, policies), actions=lacks, region=pull.region))
    return fixes


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
