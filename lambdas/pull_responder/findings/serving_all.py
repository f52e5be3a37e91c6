"""What a finding says once it stops more than one role. Pure.

A diagnosis sees one pull. Its cluster and its fix are that pull's. A policy of an organization may stop hundreds, and a
finding that told of another one after each diagnosis would help nobody.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pull_responder.findings.finding import Finding
    from pull_responder.findings.reach import Reach

_ROLE: Final = re.compile(r"the role arn:[^\s,]*[^\s,.]")


def serve_all(finding: Finding, reach: Reach, *, before: Finding | None) -> Finding:
    """Return a finding that a diagnosis has just reported, as it holds for all pulls in `reach`.

    - Where several roles are stopped, the fix for many replaces the one that serves a single role, and the explanation
      names none of them: the reach does.
    - Where several clusters are concerned, the finding keeps the cluster that it had `before`.
    """
    fix = finding.remediation
    if reach.principal_count > 1 and fix.for_many:
        explanation = _ROLE.sub("several roles", finding.explanation)
        fix = replace(fix, summary=fix.for_many, short=fix.for_many_short, commands=(), undo=())
        finding = replace(finding, explanation=explanation, remediation=fix)
    if before is not None and reach.cluster_count > 1 and before.cluster:
        finding = replace(finding, cluster=before.cluster)
    return finding
