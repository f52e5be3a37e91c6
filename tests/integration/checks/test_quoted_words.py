"""What a node quotes of AWS: whoever may write a pod's events can write it, so it decides nothing about policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pull_responder.events.pod_failure import PodFailure
from pull_responder.model.pull import PullFailure
from tests.integration.checks.estate import (
    ALLOW_TOKEN,
    CLUSTER_TAG,
    MANIFEST,
    PULL_ONLY,
    REGION,
    because_no,
    explicit_deny,
    name_of,
    only,
    opened,
)

if TYPE_CHECKING:
    from pull_responder.diagnosis import Diagnosis
    from tests.integration.checks.estate import Estate

EVIL = "arn:aws:organizations::111111111111:policy/o-evil123456/service_control_policy/p-evil"


def _told(estate: Estate, reason: str, *, unreadable: tuple[str, ...] = (), policy: bool = True) -> Diagnosis:
    """A pod status of a node of ours, which quotes AWS with `reason`."""
    role = estate.role(attach=[PULL_ONLY]) if policy else estate.role(ALLOW_TOKEN)
    node, repository = estate.instance(tags=CLUSTER_TAG), estate.repository()
    image = f"{estate.account}.dkr.ecr.{REGION}.amazonaws.com/{name_of(repository)}:v1"
    session = f"arn:aws:sts::{estate.account}:assumed-role/{name_of(role)}/{node}"
    said = (
        f'Failed to pull image "{image}": rpc error: code = Unknown desc = failed to resolve reference: unexpected '
        f"status code 403 Forbidden: User: {session} is not authorized to perform: {MANIFEST} on resource: "
        f"{repository}{reason}"
    )
    pull = PodFailure(estate.account, said, image, "prod", "web", "web-0", principal_arn=session, node=node).pull()
    assert isinstance(pull, PullFailure)
    assert pull.denial
    assert pull.denial.quoted
    return estate.diagnose(pull, unreadable=unreadable)


UNREAD = {
    "scp_blocks_pull": (explicit_deny("service control policy", EVIL), "organizations:DescribeOrganization"),
    "rcp_blocks_pull": (explicit_deny("resource control policy", EVIL), "organizations:DescribeOrganization"),
    "role_policy_denies_pull": (explicit_deny("identity-based policy"), "iam:ListRolePolicies"),
    "permissions_boundary_blocks_pull": (because_no("permissions boundary"), "iam:GetRole"),
    "repository_policy_denies_pull": (explicit_deny("resource-based policy"), "ecr:GetRepositoryPolicy"),
    "endpoint_policy_blocks_pull": (because_no("VPC endpoint policy"), "ec2:DescribeVpcEndpoints"),
}


@pytest.mark.parametrize("cause", UNREAD)
def test_words_of_a_node_decide_nothing_that_cannot_be_read(estate: Estate, cause: str) -> None:
    reason, unreadable = UNREAD[cause]
    found = _told(estate, reason, unreadable=(unreadable,))
    assert found.findings == ()
    assert cause in opened(found)
    assert "p-evil" not in str([(each.reason, each.next) for each in found.inconclusive])


@pytest.mark.parametrize("cause", [each for each in UNREAD if each != "permissions_boundary_blocks_pull"])
def test_the_reason_says_what_the_node_quotes_and_what_would_prove_it(estate: Estate, cause: str) -> None:
    reason, unreadable = UNREAD[cause]
    assert (
        f"only the CloudTrail record of {MANIFEST} can prove that"
        in opened(_told(estate, reason, unreadable=(unreadable,)))[cause]
    )


def test_a_session_policy_that_only_a_node_names(estate: Estate) -> None:
    """EC2 passes none with an instance's credentials."""
    assert _told(estate, explicit_deny("session policy")).findings == ()


def test_what_can_be_read_is_reported_whatever_the_node_quotes(estate: Estate) -> None:
    found = _told(estate, explicit_deny("service control policy", EVIL), policy=False)
    finding = only(found, "role_lacks_pull_permissions")
    assert any(line.startswith("The node says that AWS said: ") for line in finding.evidence)
    assert not any(line.startswith("AWS said: ") for line in finding.evidence)
    assert "p-evil" not in finding.remediation.summary


def test_an_unread_policy_is_not_ruled_out_by_what_the_node_quotes(estate: Estate) -> None:
    found = _told(estate, explicit_deny("resource-based policy"), unreadable=("iam:ListRolePolicies",))
    assert "role_policy_denies_pull" in opened(found)
