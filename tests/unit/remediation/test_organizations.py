"""Changes to a control policy: the Deny still keeps out everybody else, and one update makes all changes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pull_responder.remediation.organizations import ControlPolicy, PolicyChange, change
from tests.unit.remediation.fixes import ACCOUNT, REGION, arn, told

ROLE = arn("arn:aws:iam::222222222222:role/nodes/blue")
POLICY = f"arn:aws:organizations::{ACCOUNT}:policy/o-a/service_control_policy/p-12345678"
NO_ECR = {"Sid": "NoEcr", "Effect": "Deny", "Action": "ecr:*", "Resource": "*"}
ALL = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
EXEMPT = {**NO_ECR, "Condition": {"ArnNotEquals": {"aws:PrincipalArn": str(ROLE)}}}
GRANT = {
    "Sid": "PullResponderEcrPull",
    "Effect": "Allow",
    "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
    "Resource": ["*"],
}
PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
EXEMPTS = f'exempt the role {ROLE} from the Deny "NoEcr"'
ALLOWS = "allow ecr:BatchGetImage, ecr:GetDownloadUrlForLayer for every account that it is attached to"


def policy(*statements: Any, owner: str = POLICY) -> ControlPolicy:  # noqa: ANN401 -- any JSON
    return ControlPolicy(arn(owner), "guard\n", {"Version": "2012-10-17", "Statement": list(statements)}, ACCOUNT)


@pytest.mark.parametrize(
    ("wanted", "what", "statements"),
    [
        (PolicyChange(exempt=frozenset({0})), EXEMPTS, [EXEMPT, ALL]),
        (PolicyChange(allow=PULL), ALLOWS, [NO_ECR, ALL, GRANT]),
        (PolicyChange(frozenset({0}), PULL), f"{EXEMPTS} and {ALLOWS}", [EXEMPT, ALL, GRANT]),
    ],
)
def test_one_update_makes_the_change(wanted: PolicyChange, what: str, statements: list[Any]) -> None:
    fix = change(policy(NO_ECR, ALL), wanted, role=ROLE, region=REGION)
    summary, page, _ = told(fix)
    assert summary == f'In the policy "guard\\n" ({POLICY}), {what}.'
    assert page == "organizations/latest/userguide/orgs_policies_update.html"
    [(*command, content, option, region)] = fix.commands
    assert command == ["aws", "organizations", "update-policy", "--policy-id", "p-12345678", "--content"]
    assert content == json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))
    assert (option, region) == ("--region", REGION)


AWS_OWNS = "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess"


@pytest.mark.parametrize(
    ("before", "wanted"),
    [
        (policy(ALL), PolicyChange(frozenset({0}))),  # an Allow has nothing to exempt from
        (policy(ALL), PolicyChange(frozenset({0}), PULL)),
        (policy(ALL, owner=AWS_OWNS), PolicyChange(allow=PULL)),
    ],
    ids=["an allow", "an allow, and an action lacks", "a policy of AWS"],
)
def test_no_command_if_it_cannot_work(before: ControlPolicy, wanted: PolicyChange) -> None:
    assert change(before, wanted, role=ROLE, region=REGION).commands == ()


@pytest.mark.parametrize(("more", "commands"), [(0, 1), (1, 0)])
def test_the_longest_policy_has_5120_characters_without_white_space(more: int, commands: int) -> None:
    """AWS Organizations User Guide, "Quotas"."""
    short = {"Version": "2012-10-17", "Statement": [{**ALL, "Sid": ""}, GRANT]}
    room = 5_120 - len(json.dumps(short, separators=(",", ":")))
    assert room > 0
    long = policy({**ALL, "Sid": "a b" + "x" * (room - 2 + more)})
    assert len(change(long, PolicyChange(allow=PULL), role=ROLE, region=REGION).commands) == commands
