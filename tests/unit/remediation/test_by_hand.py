from __future__ import annotations

import pytest

from pull_responder.remediation import by_hand, docs
from pull_responder.remediation.by_hand import Wanted

SCP = "arn:aws:organizations::999999999999:policy/o-exampleorg/service_control_policy/p-12345678"
REGION = "eu-west-1"


def _wanted(*, explicit: bool, policy: str | None = None) -> Wanted:
    return Wanted(("ecr:BatchGetImage",), explicit, policy)


def test_the_management_account_is_read_from_the_policy() -> None:
    fix = by_hand.service_control_policy(_wanted(explicit=True, policy=SCP), account="111111111111", region=REGION)
    assert fix.summary == (
        "An administrator of account 999999999999, which manages the organization, has to edit the service control "
        f"policy that stops the principals of account 111111111111: {SCP} must not deny ecr:BatchGetImage."
    )
    assert (fix.account, fix.region, fix.commands) == ("999999999999", REGION, ())
    assert fix.docs_url == docs.ORGANIZATIONS_UPDATE_POLICY


@pytest.mark.parametrize(
    "policy_arn", [None, "not an ARN", "arn:aws:organizations::aws:policy/service_control_policy/p"]
)
def test_without_a_management_account_the_fix_is_for_the_stopped_account(policy_arn: str | None) -> None:
    wanted = _wanted(explicit=False, policy=policy_arn)
    fix = by_hand.resource_control_policy(wanted, account="111111111111", region=REGION)
    assert fix.account == "111111111111"
    assert fix.summary == (
        "An administrator of the organization has to edit the resource control policy that stops the repositories of "
        f"account 111111111111: {policy_arn or 'the resource control policy'} must allow ecr:BatchGetImage."
    )


def test_whoever_assumes_the_role_must_change_the_session_policy() -> None:
    fix = by_hand.session_policy(_wanted(explicit=False), account="111111111111", region=REGION)
    assert fix.summary == (
        "Whoever assumes the role for the node passes a session policy: that policy must allow ecr:BatchGetImage."
    )
    assert (fix.commands, fix.docs_url) == ((), docs.IAM_SESSION_POLICIES)


def test_the_vpc_owner_must_change_the_endpoint_policy() -> None:
    fix = by_hand.endpoint_policy(_wanted(explicit=True), account="111111111111", region=REGION)
    assert fix.summary == (
        "The owner of the node's VPC has to edit the policy of its VPC endpoint for ECR: that policy must not deny "
        "ecr:BatchGetImage."
    )
    assert (fix.commands, fix.docs_url) == ((), docs.ECR_VPC_ENDPOINTS)
