"""Pods by namespace and workload."""

from __future__ import annotations

import pytest

from pull_responder.publish.hit import workload_lists, workload_of


@pytest.mark.parametrize(
    ("pod", "workload"),
    [
        ("api-7d4b9c5f6-x2x7q", "api"),  # of a Deployment
        ("kube-proxy-x2x7q", "kube-proxy"),  # of a DaemonSet or a Job
        ("web-0", "web"),  # of a StatefulSet
        ("report-29012345-k8s2d", "report"),  # of a CronJob
        ("debug", "debug"),
        ("my-tools", "my-tools"),  # a name, as it has vowels
        ("", ""),
        ("-", "-"),
    ],
)
def test_a_pods_name_tells_its_workload(pod: str, workload: str) -> None:
    assert workload_of(pod) == workload


def test_pods_are_listed_by_namespace_and_bounded() -> None:
    pods = [f"shop/web-{number}" for number in range(3)] + ["shop/api-7d4b9c5f6-x2x7q"]
    many = [f"space-{space}/{name}-0" for space in range(9) for name in "abcdefg"]

    assert workload_lists(pods) == ([("shop", "web \N{MULTIPLICATION SIGN} 3, api")], 4)
    lists, told = workload_lists(many)
    assert (len(lists), told) == (3, 12)
    assert workload_lists([]) == ([], 0)
