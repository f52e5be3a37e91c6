from __future__ import annotations

import pytest

from pull_responder.remediation import by_hand, docs
from pull_responder.remediation.by_hand import Wanted
from tests.unit.remediation.fixes import arn, told

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


ROLE = arn("arn:aws:iam::111111111111:role/node")
BOTH = Wanted(("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"), explicit=False)


def test_whoever_manages_a_role_of_another_account_must_change_its_policies() -> None:
    assert told(by_hand.identity_policy(BOTH, role=ROLE, region=REGION)) == (
        (
            f"Whoever manages the role {ROLE} has to edit its policies: the policy that stops the pull must allow "
            "ecr:BatchGetImage, ecr:GetDownloadUrlForLayer."
        ),
        "IAM/latest/UserGuide/access_policies_manage-edit.html",
        [],
    )
    assert told(by_hand.permissions_boundary(BOTH, role=ROLE, region=REGION)) == (
        (
            f"Whoever manages the role {ROLE} has to edit its permissions boundary: the boundary must allow "
            "ecr:BatchGetImage, ecr:GetDownloadUrlForLayer."
        ),
        "IAM/latest/UserGuide/access_policies_boundaries.html",
        [],
    )


def test_the_owner_of_an_upstream_repository_is_asked() -> None:
    upstream = arn("arn:aws:ecr:eu-west-1:111111111111:repository/base")
    assert told(by_hand.upstream_policy(_wanted(explicit=True), repository=upstream, role=ROLE)) == (
        (
            f"Ask the owner of account 111111111111 whether the role {ROLE} may fetch from {upstream}: that policy "
            "must not deny ecr:BatchGetImage to it, in the policy of the repository or of its registry."
        ),
        "AmazonECR/latest/userguide/pull-through-cache-private.html",
        [],
    )
