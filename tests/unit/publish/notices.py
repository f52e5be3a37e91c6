"""Notices for the tests of publishing: a realistic one, and generated ones."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from pull_responder.findings.notice import Edge, Notice
from pull_responder.findings.reach import Reach
from tests.unit.publish.examples import FINDING, findings, text

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
notices = st.builds(
    Notice, edge=st.sampled_from(Edge), finding=findings, reach=_reach, at=_time, opened_at=_time, because=text
)
