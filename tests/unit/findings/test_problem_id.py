"""Which failures are one problem, and which are not: near misses beside each other."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pull_responder.findings.problem import problem_id
from pull_responder.model.pull import PolicyType, Principal, PrincipalKind, PullFailure, Stage, Symptom
from tests.unit.publish.examples import PRINCIPAL, PULL

assert PULL.denial is not None
DENIAL = PULL.denial
MISSING = replace(PULL, symptom=Symptom.NOT_FOUND, denial=None)
TOKEN = replace(
    PULL,
    stage=Stage.TOKEN,
    registry_account=None,
    repository=None,
    tag=None,
    denial=replace(DENIAL, action="ecr:GetAuthorizationToken", resource="*"),
)
THROTTLED = replace(PULL, symptom=Symptom.THROTTLED, denial=None, upstream_failure="TOO_MANY: 429 of docker.io")
ODD = Principal(PrincipalKind.UNKNOWN, "arn:aws:sts::111111111111:odd/one", "aws", "111111111111", None)


def denied(**changes: Any) -> PullFailure:  # noqa: ANN401 -- any field of a denial
    return replace(PULL, denial=replace(DENIAL, **changes))


def by(**changes: Any) -> PullFailure:  # noqa: ANN401 -- any field of a principal
    return replace(PULL, principal=replace(PRINCIPAL, **changes))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (PULL, replace(PULL, node="ip-10-0-9-9.eu-west-1.compute.internal")),
        (PULL, replace(PULL, pod="web-0", namespace="shop")),
        (PULL, by(session_name="i-0fedcba9876543210", arn=PRINCIPAL.arn.replace("0a1b2c3d", "0fedcba9"))),
        (PULL, by(role_arn=None, role_delivery="1.0", issued_at="2026-05-04T09:00:00Z")),
        (PULL, replace(PULL, tag="1.4.3")),
        (PULL, replace(PULL, tag=None, digest="sha256:" + "a" * 64)),
        (PULL, replace(PULL, observed_at="2026-05-05T00:00:00Z", event_id="another")),
        (PULL, replace(PULL, stage=Stage.LAYER, denial=replace(DENIAL, action="ecr:GetDownloadUrlForLayer"))),
        (PULL, denied(message="the same in other words")),
        (PULL, replace(PULL, message="kubelet's words")),
        (TOKEN, replace(TOKEN, node="another", pod=None)),
        (THROTTLED, replace(THROTTLED, upstream_failure="TOO_MANY: 429 of quay.io, in other words")),
    ],
    ids=[
        *("node", "pod", "session", "delivery", "tag", "digest", "time", "layer or manifest", "wording", "message"),
        *("token by another node", "wording of the upstream"),
    ],
)
def test_the_same_problem(one: PullFailure, other: PullFailure) -> None:
    assert problem_id(one) == problem_id(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (PULL, by(name="another-node")),
        (PULL, by(account="222222222222")),
        (PULL, by(kind=PrincipalKind.USER)),
        (PULL, replace(PULL, principal=None)),
        (replace(PULL, principal=ODD), replace(PULL, principal=replace(ODD, arn=ODD.arn + "r"))),
        (PULL, replace(PULL, cluster="test")),
        (PULL, replace(PULL, cluster=None)),
        (PULL, replace(PULL, repository="payments/web")),
        (PULL, replace(PULL, registry_account="333333333333")),
        (PULL, replace(PULL, region="eu-central-1")),
        (PULL, replace(PULL, registry_host="222222222222.dkr-ecr.eu-west-1.on.aws")),
        (PULL, TOKEN),
        (PULL, denied(action="ecr:BatchImportUpstreamImage")),
        (PULL, denied(policy_type=PolicyType.SERVICE_CONTROL)),
        (PULL, denied(policy_type=None)),
        (PULL, denied(explicit=True)),
        (PULL, replace(PULL, denial=None)),
        (PULL, replace(PULL, symptom=Symptom.TIMEOUT)),
        (MISSING, replace(MISSING, tag="1.4.3")),
        (MISSING, replace(MISSING, digest="sha256:" + "a" * 64)),
        (MISSING, replace(MISSING, symptom=Symptom.PLATFORM_MISMATCH)),
        (THROTTLED, replace(THROTTLED, upstream_failure="SECRET_NOT_FOUND: no secret")),
        (THROTTLED, replace(THROTTLED, upstream_failure=None)),
    ],
    ids=[
        *("role", "account", "kind", "nobody named", "ARN of who has no name", "cluster", "no cluster", "repository"),
        *("registry", "region", "host", "token or manifest", "action", "policy type", "no policy type", "explicit"),
        *("no words of AWS", "symptom", "missing tag", "missing digest", "not there or wrong platform"),
        *("code of the upstream", "nothing of the upstream"),
    ],
)
def test_another_problem(one: PullFailure, other: PullFailure) -> None:
    assert problem_id(one) != problem_id(other)


def test_no_field_runs_into_the_next() -> None:
    one = replace(PULL, registry_account=None, repository="a", region="eu-west-1")
    other = replace(PULL, registry_account="a", repository=None, region="eu-west-1")
    assert problem_id(one) != problem_id(other)


@pytest.mark.parametrize(
    ("pull", "expected"),
    [
        (PULL, "1d6fb6e98b59d25c4092b77922ef0e7e"),
        (MISSING, "1854b73b586560de315d40c988c9fd77"),
        (TOKEN, "2cbf567e87f272a0514644ccca73b072"),
        (THROTTLED, "2f0e173746435899eaff91c5edbbb25e"),
        (replace(PULL, principal=ODD), "de4b86da4dc67a0313db71ead9766fbe"),
        (denied(explicit=True), "40a6b69302038f1e3ec33c1177f5dbdd"),
        (replace(PULL, repository="a\ud800"), "00c502f1c0ef77fdb210612f821ab531"),
    ],
)
def test_the_id_of_a_problem_is_the_same_in_every_version(pull: PullFailure, expected: str) -> None:
    """Else each finding is told anew after an update."""
    assert problem_id(pull) == f"problem/{expected}"


def test_an_unknown_principal_is_known_by_its_arn_even_if_it_has_a_name() -> None:
    named = replace(ODD, name="one")
    other = replace(named, arn="arn:aws:sts::111111111111:odd/two")
    assert problem_id(replace(PULL, principal=named)) != problem_id(replace(PULL, principal=other))
