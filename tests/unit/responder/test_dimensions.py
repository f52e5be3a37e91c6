"""The values of metrics' dimensions: bounded, whatever events say."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pull_responder.findings.finding import Finding
from pull_responder.model.pull import PullFailure, Symptom
from pull_responder.model.verdict import Remediation, Resource, Severity
from pull_responder.responder import dimensions
from pull_responder.responder.dimensions import dimensions_of

FINDING = Finding(
    id="pull-responder/image_not_found/111111111111/eu-west-1/0123456789abcdef0123",
    cause="image_not_found",
    title="",
    severity=Severity.LOW,
    account="111111111111",
    region="eu-west-1",
    resource=Resource("AwsEcrRepository", "arn:aws:ecr:eu-west-1:111111111111:repository/app", "111111111111"),
    explanation="",
    evidence=(),
    remediation=Remediation("", "111111111111", "eu-west-1", ""),
    pull=PullFailure(Symptom.NOT_FOUND, None, "eu-west-1"),
    cluster="prod",
)


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dimensions, "_SEEN", {"cause": set(), "account": set(), "cluster": set()})


def test_a_finding_counts_by_its_cause_account_and_cluster() -> None:
    assert dimensions_of(FINDING) == {"cause": "image_not_found", "account": "111111111111", "cluster": "prod"}
    assert dimensions_of(replace(FINDING, cluster=None))["cluster"] == "unknown"


def test_of_thousands_of_clusters_fifty_are_told_apart() -> None:
    values = {dimensions_of(replace(FINDING, cluster=f"c{number}"))["cluster"] for number in range(5_000)}
    assert values == {*(f"c{number}" for number in range(50)), "other"}
    # Those that were met stay what they are.
    assert dimensions_of(replace(FINDING, cluster="c49"))["cluster"] == "c49"
    assert dimensions_of(replace(FINDING, account="222222222222"))["account"] == "222222222222"


@pytest.mark.parametrize("cluster", ["\N{SNOWMAN}", "a\nb", "\x00"])
def test_what_cloudwatch_does_not_take_is_another(cluster: str) -> None:
    assert dimensions_of(replace(FINDING, cluster=cluster))["cluster"] == "other"


def test_a_long_name_is_cut() -> None:
    assert dimensions_of(replace(FINDING, cluster="x" * 2_000))["cluster"] == "x" * 100
