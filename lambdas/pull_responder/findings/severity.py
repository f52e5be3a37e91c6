"""The severity of a finding: by what is broken, and by how far it reaches. Pure.

The table for people is in docs/severity.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.checks import BY_ID
from pull_responder.model.verdict import Severity

if TYPE_CHECKING:
    from pull_responder.findings.finding import Finding
    from pull_responder.findings.reach import Reach
    from pull_responder.settings import Settings

# One fault is a step more severe when it stops pulls in more than one cluster, or on this many nodes.
_MANY_NODES: Final = 100
# Refusals of an unexpected principal become more severe at this many events or problems. Each repository and API call
# is a problem of its own.
_MANY_EVENTS: Final = 50
_VARIED: Final = 5


def severity_of(
    finding: Finding, reach: Reach, *, problems: int, settings: Settings, before: Severity | None = None
) -> Severity:
    """Return the severity of a finding that a diagnosis has just reported.

    - `finding.severity`: by what is broken; one step lower for a single node (`Check.severity_for`).
    - `reach`: how far all failures of the finding reach. It raises the severity by at most one step.
    - `problems`: how many problems it explains.
    - `settings.severities`: what the operator has set for a cause stands, whatever the reach.
    - `before`: the severity that the finding had while it was open, None if it opens now. It does not fall below that.
    """
    if (fixed := settings.severities.get(finding.cause)) is not None:
        return fixed
    now = _by_reach(finding, reach, problems=problems)
    return now if before is None or now.rank > before.rank else before


def _by_reach(finding: Finding, reach: Reach, *, problems: int) -> Severity:
    check = BY_ID.get(finding.cause)  # a later version may have recorded a cause that this one lacks
    if check is not None and check.severity_if_repeated is not None:
        repeated = reach.events >= _MANY_EVENTS or problems >= _VARIED
        return check.severity_if_repeated if repeated else finding.severity
    is_wide = reach.cluster_count > 1 or reach.node_count >= _MANY_NODES
    return finding.severity.step(1) if is_wide else finding.severity
