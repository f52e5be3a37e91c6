"""Whether the doctor can read an organization's policies, as diagnoses of the stack's account need them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pull_responder.doctor.deployment import Deployment
from pull_responder.doctor.organization import CHECK
from pull_responder.doctor.result import Result, State
from pull_responder.facts.reader import Reader
from tests.integration.checks.estate import REGION
from tests.integration.checks.estate import deny as denying
from tests.integration.checks.organization import OURS, SCP, Organization, deny

if TYPE_CHECKING:
    from collections.abc import Mapping

MANAGEMENT = "999999999999"
DELEGATED = "333333333333"


@pytest.fixture
def organization(moto: None, monkeypatch: pytest.MonkeyPatch) -> Organization:  # noqa: ARG001 -- what it is created on
    """One whose policies a delegated administrator's account tells, and the management account does not."""
    organization = Organization.create(MANAGEMENT)
    organization.enable(SCP)
    organization.refuse(MANAGEMENT)
    organization.delegate(DELEGATED, monkeypatch)
    return organization


def examine(
    organization: Organization, *, through: str | None = None, account: str | None = None
) -> Mapping[str, Result]:
    """Look at a stack in the account of the nodes. Return the results by the kind of policy."""
    deployment = Deployment(
        stack="PullResponder",
        status="CREATE_COMPLETE",
        partition="aws",
        account=account or organization.nodes,
        region=REGION,
        resources={},
        outputs={},
    )
    results = CHECK.examine(deployment, Reader(organization.aws(through)))
    return {each.subject.split()[0]: each for each in results}


def test_policies_that_can_be_read_through_the_named_account(organization: Organization) -> None:
    found = examine(organization, through=DELEGATED)
    assert (found["service"].state, found["resource"].state) == (State.WORKS, State.WORKS)
    assert "can be read" in found["service"].found


def test_policies_that_nobody_lets_us_read(organization: Organization) -> None:
    found = examine(organization)["service"]
    assert found.state is State.UNREAD
    assert "is inconclusive without them" in found.meaning
    assert any(each.startswith(("organizations:", "sts:AssumeRole")) for each in found.needs)
    assert "`organizationAccount`" in found.step or "Create role" in found.step


def test_one_policy_that_cannot_be_read_leaves_it_open(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    arn = organization.control("no-ecr", denying("ecr:Batch*"), organization.nodes_unit)
    deny(monkeypatch, "describe_policy", target=arn.rpartition("/")[2])
    found = examine(organization, through=DELEGATED)["service"]
    assert (found.state, "organizations:DescribePolicy failed" in found.found) == (State.UNREAD, True)


@pytest.mark.usefixtures("moto")
def test_the_management_account_is_under_no_policy() -> None:
    organization = Organization.create()
    organization.enable(SCP)
    found = examine(organization, account=OURS)["service"]
    assert (found.state, "none can apply" in found.found) == (State.WORKS, True)
