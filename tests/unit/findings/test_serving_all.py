"""What a finding says once it stops more than one role, or the nodes of more than one cluster."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pull_responder.findings.finding import Finding
from pull_responder.findings.reach import Reach
from pull_responder.findings.serving_all import serve_all
from tests.unit.publish.examples import FINDING

ROLES = "arn:aws:iam::111111111111:role/nodes"
FOR_MANY = "Remove the statement DenyEcr from the policy p-1."
SHORT = "Remove DenyEcr from p-1."
ONE = replace(
    FINDING,
    explanation=f"The policy p-1 denies the pull to the role {ROLES}, which the nodes have.",
    remediation=replace(FINDING.remediation, for_many=FOR_MANY, for_many_short=SHORT),
)


def test_the_fix_for_many_replaces_that_for_one_role_and_no_role_is_named() -> None:
    served = serve_all(ONE, Reach(principal_count=2), before=None)
    assert served.explanation == "The policy p-1 denies the pull to several roles, which the nodes have."
    fix = served.remediation
    assert (fix.summary, fix.short, fix.commands) == (FOR_MANY, SHORT, ())
    assert served.remediation.docs_url == ONE.remediation.docs_url


@pytest.mark.parametrize(
    ("finding", "reach"),
    [(ONE, Reach(principal_count=1)), (FINDING, Reach(principal_count=2))],
    ids=["one role", "no fix for many"],
)
def test_else_the_fix_stays(finding: Finding, reach: Reach) -> None:
    assert serve_all(finding, reach, before=None) is finding


@pytest.mark.parametrize(
    ("clusters", "known", "cluster"),
    [(1, "first", "prod"), (2, "first", "first"), (2, None, "prod"), (3, "", "prod")],
)
def test_of_several_clusters_the_one_that_it_had_stays(clusters: int, known: str | None, cluster: str) -> None:
    served = serve_all(FINDING, Reach(cluster_count=clusters), before=replace(FINDING, cluster=known))
    assert served == replace(FINDING, cluster=cluster)


def test_a_new_finding_has_the_cluster_of_its_diagnosis() -> None:
    assert serve_all(FINDING, Reach(cluster_count=2), before=None) == FINDING
