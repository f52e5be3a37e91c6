"""A refusal that only kubelet tells, of a pod whose node's role may pull: the pod may show credentials of its own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from pull_responder.events.denial import parse_denial
from pull_responder.findings.problem import Problem
from pull_responder.pulls.pod_role import ANNOTATION
from pull_responder.responder.unexplained import finding_of_unexplained
from pull_responder.settings import Settings
from tests.integration.checks.estate import ALLOW_TOKEN, because_no, is_fixed_since
from tests.integration.checks.registry_estate import mentioned, missing, reasons, reported

if TYPE_CHECKING:
    from pull_responder.model.pull import PullFailure
    from tests.integration.checks.estate import Estate

LEFT = "pull_failing_unexplained"
REFUSED = "failed to resolve reference: unexpected status from HEAD request: 403 Forbidden"


def test_a_403_on_the_node_is_not_called_no_fault(estate: Estate) -> None:
    diagnosis = estate.diagnose(reported(estate, estate.repository(), REFUSED))
    assert diagnosis.findings == ()
    (left,) = [each for each in diagnosis.inconclusive if each.cause == LEFT]
    assert "the pod pulls with a role or a secret of its own" in left.reason
    assert all(each in left.reason for each in (ANNOTATION, "imagePullSecrets", "kubectl get pod -n shop web-0"))
    assert diagnosis.note == ""


@pytest.mark.parametrize("may", [True, False])
def test_a_pod_that_got_no_role_of_its_own_says_nothing_of_the_nodes(estate: Estate, *, may: bool) -> None:
    said = (
        "error execing credential provider plugin ecr-credential-provider for image X: exit status 1: operation error "
        "STS: AssumeRoleWithWebIdentity, api error AccessDenied: Not authorized to perform "
        "sts:AssumeRoleWithWebIdentity"
    )
    pull = reported(estate, estate.repository(), said, role=None if may else estate.role(ALLOW_TOKEN))
    diagnosis = estate.diagnose(pull)
    # The node has no way to ECR, either.
    assert {each.cause for each in diagnosis.findings} == {"no_route_to_ecr"}
    (left,) = [each for each in diagnosis.unchecked if each.cause == "role_lacks_pull_permissions"]
    assert f"annotation {ANNOTATION}" in left.reason
    assert "kubectl get serviceaccounts -n shop" in left.next


def test_a_denial_that_names_the_nodes_role_says_that_it_is_fixed(estate: Estate) -> None:
    pull = reported(estate, estate.repository(), REFUSED)
    assert pull.principal
    denied = estate.event(pull.principal.arn, estate.repository(name="team/other"), because_no("identity-based policy"))
    assert is_fixed_since(estate.diagnose(denied))


@pytest.mark.parametrize(
    "said",
    [
        "failed to resolve reference: dial tcp 10.0.0.1:443: i/o timeout",
        "failed to resolve reference: manifest unknown",
        "failed to resolve reference: unexpected status: 429 Too Many Requests",
        "failed to extract layer: no space left on device",
    ],
)
def test_a_failure_of_another_kind_is_not_about_credentials(estate: Estate, said: str) -> None:
    assert LEFT not in mentioned(estate.diagnose(reported(estate, estate.repository(), said)))


def test_where_something_else_explains_it_nothing_is_left(estate: Estate) -> None:
    pull = reported(estate, estate.repository(), REFUSED, role=estate.role(ALLOW_TOKEN))
    diagnosis = estate.diagnose(pull)
    assert {each.cause for each in diagnosis.findings} == {"role_lacks_pull_permissions"}
    assert LEFT not in mentioned(diagnosis)


def test_where_the_role_cannot_be_read_that_is_what_is_said(estate: Estate) -> None:
    pull = reported(estate, estate.repository(), REFUSED)
    why = reasons(estate.diagnose(pull, unreadable=["iam:ListRolePolicies"]))
    assert "iam:ListRolePolicies" in why["role_policy_denies_pull"]
    assert LEFT not in why


def test_a_pod_that_is_not_named_is_to_be_found(estate: Estate) -> None:
    pull = replace(reported(estate, estate.repository(), REFUSED), pod=None, namespace=None)
    assert "kubectl get pod -o yaml" in reasons(estate.diagnose(pull))[LEFT]


def test_a_pull_that_keeps_failing_so_is_told_with_where_to_look(estate: Estate) -> None:
    diagnosis = estate.diagnose(reported(estate, estate.repository(), REFUSED))
    left = [each for each in diagnosis.inconclusive if each.cause == LEFT]
    since = 1_772_366_400.0
    problem = Problem(
        "problem/1", count=30, first_seen=since, last_seen=since + 2000, unexplained_since=since, unexplained_count=1
    )
    finding = finding_of_unexplained(problem, diagnosis, now=since + 2100, settings=Settings())
    assert finding
    assert f"{left[0].reason}." in finding.evidence
    assert not any(LEFT in line for line in finding.evidence)


def quoting(pull: PullFailure, principal: str) -> PullFailure:
    """The pull, with AWS's denial of a principal as kubelet quotes it."""
    said = f"User: {principal} is not authorized to perform: ecr:BatchGetImage on resource: {pull.repository_arn}"
    denial = parse_denial(said + because_no("identity-based policy"), action="ecr:BatchGetImage")[1]
    return replace(pull, denial=replace(denial, quoted=True), message=f"denied: {denial.message}")


@pytest.mark.parametrize(
    "other",
    [
        "arn:aws:sts::{account}:assumed-role/somebody/i-0123456789abcdef0",
        "arn:aws:sts::999999999999:assumed-role/node/i-0123456789abcdef0",
        "arn:aws:iam::{account}:user/ci",
    ],
)
@pytest.mark.parametrize("may_pull", [True, False])
def test_a_denial_of_somebody_else_says_nothing_about_the_nodes_role(
    estate: Estate, other: str, *, may_pull: bool
) -> None:
    role = None if may_pull else estate.role(ALLOW_TOKEN)
    pull = quoting(reported(estate, estate.repository(), REFUSED, role=role), other.format(account=estate.account))
    diagnosis = estate.diagnose(pull)
    assert (diagnosis.findings, diagnosis.note) == ((), "")
    (left,) = [each for each in diagnosis.inconclusive if each.cause == "role_lacks_pull_permissions"]
    assert other.format(account=estate.account) in left.reason
    assert "kubectl get pod -n shop web-0" in left.next


def test_a_denial_of_the_nodes_role_in_another_session_is_about_that_role(estate: Estate) -> None:
    role = estate.role(ALLOW_TOKEN)
    pull = reported(estate, estate.repository(), REFUSED, role=role)
    session = f"arn:aws:sts::{estate.account}:assumed-role/node/i-0fedcba9876543210"
    assert {each.cause for each in estate.diagnose(quoting(pull, session)).findings} == {"role_lacks_pull_permissions"}


def test_a_missing_repository_is_missing_for_everybody(estate: Estate) -> None:
    pull = reported(estate, missing(estate, "team/app"), REFUSED)
    diagnosis = estate.diagnose(quoting(pull, f"arn:aws:iam::{estate.account}:user/ci"))
    assert {each.cause for each in diagnosis.findings} == {"repository_not_found"}
