"""Notices for the tests of publishing: a realistic one, and generated ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from hypothesis import strategies as st

from pull_responder.findings.alert import Alert
from pull_responder.findings.deed import Deed
from pull_responder.findings.finding import Finding
from pull_responder.findings.notice import Edge, Notice
from pull_responder.findings.reach import Reach
from tests.unit.publish.examples import FINDING, MARKUP, findings, text

REACH: Final = Reach(
    events=120,
    first_seen_at="2026-05-04T10:11:12Z",
    last_seen_at="2026-05-04T11:00:00Z",
    pods=("payments/api-7d4b9c5f6-x2x7q", "payments/api-7d4b9c5f6-k8s2d", "payments/web-0", "payments/web-1"),
    pod_count=14,
    nodes=("ip-10-0-3-17.eu-west-1.compute.internal",),
    node_count=1,
)

NOTICE: Final = Notice(
    edge=Edge.NEW, finding=FINDING, reach=REACH, at="2026-05-04T11:00:00Z", opened_at="2026-05-04T10:11:12Z"
)
ALERT: Final = Alert.alone(NOTICE)
BOUNDARY: Final = replace(
    FINDING,
    id="pull-responder/permissions_boundary_blocks_pull/111111111111/eu-west-1/1",
    cause="permissions_boundary_blocks_pull",
    title="The role's permissions boundary stops the pull",
    remediation=replace(
        FINDING.remediation,
        summary="Add the actions to the boundary.",
        commands=(("aws", "iam", "create-policy-version", "--policy-document", '{"Statement":[{"Effect":"Allow"}]}'),),
    ),
)
_SAYS: Final = " ".join(MARKUP)
_HOSTILE: Final = replace(
    BOUNDARY,
    id="pull-responder/x",
    title=_SAYS,
    resource=replace(FINDING.resource, id=_SAYS),
    remediation=replace(FINDING.remediation, summary=_SAYS, commands=(("aws", _SAYS), ("aws", "ok"))),
)
BOTH: Final = Alert("problem/1", (NOTICE, replace(NOTICE, finding=BOUNDARY)), reach=REACH)

_time = st.sampled_from(["2026-05-04T10:11:12Z", "2026-05-05T00:00:00Z"])
_reach = st.builds(
    Reach,
    events=st.integers(0, 10**6),
    first_seen_at=st.none() | _time,
    last_seen_at=st.none() | _time,
    pods=st.lists(text, max_size=12).map(tuple),
    pod_count=st.integers(12, 5000),
    nodes=st.lists(text, max_size=12).map(tuple),
    node_count=st.integers(12, 5000),
)
_deeds = st.builds(Deed, call=text, by=text, at=_time, event_id=text)
notices = st.builds(
    Notice,
    edge=st.sampled_from(Edge),
    finding=findings,
    reach=_reach,
    at=_time,
    opened_at=_time,
    because=text,
    since=st.just("") | _time,
    fixed_by=st.lists(_deeds, max_size=2).map(tuple),
    broken_by=st.none() | _deeds,
    others=st.sampled_from([(), (BOUNDARY,), (_HOSTILE, BOUNDARY)]),
    others_known=st.booleans(),
)


def _alert(edge: Edge, told: list[Notice], others: list[Finding], problem: str, over: list[str]) -> Alert:
    worst = sorted((replace(each, edge=edge) for each in told), key=lambda each: -each.finding.severity.rank)
    known = bool(others or problem)
    return Alert(problem, tuple(worst), tuple(others), worst[0].reach, known, tuple(over), tuple(others))


alerts = st.builds(
    _alert,
    st.sampled_from(Edge),
    st.lists(notices, min_size=1, max_size=3),
    st.lists(findings, max_size=2),
    text,
    st.lists(text, max_size=3),
)
