"""Each reason of an undecided cause is answered by one sentence that says what to grant or where to look."""

from __future__ import annotations

from dataclasses import replace

import pytest
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, NoCredentialsError, SSLError

from pull_responder.checks import BY_ID, CHECKS
from pull_responder.checks.check import Check
from pull_responder.facts.aws import describe_failure
from pull_responder.model.pull import PullFailure, Symptom
from pull_responder.model.reason import Reason, Refusal, join_reasons, reword, steps_of
from pull_responder.next_steps import LONGEST, Needs, is_needs_alone, merge_steps, needs_of, next_step
from tests.next_step import faults_of

ROUTE, POLICY = BY_ID["no_route_to_ecr"], BY_ID["role_lacks_pull_permissions"]
ROLE = "role PullResponderReadOnly in account 111111111111"
USER = "User: arn:aws:sts::111111111111:assumed-role/PullResponderReadOnly/pull-responder"
PULL = PullFailure(Symptom.TIMEOUT, None, "us-east-1", account="123456789012", registry_account="111111111111")
HOST = "111111111111.dkr.ecr.us-east-1.amazonaws.com"


def failed(call: str, code: str, message: str = "no") -> str:
    """The reason of a call that AWS answered with an error."""
    return describe_failure(call, ClientError({"Error": {"Code": code, "Message": message}}, "Operation")).reason


ECR = failed("ecr:DescribeImages", "AccessDeniedException", f"{USER} is not authorized to perform: ecr:DescribeImages")
EC2 = failed(
    "ec2:DescribeSubnets", "UnauthorizedOperation", f"You are not authorized. {USER} is not authorized to perform"
)
MEMBER = failed(
    "sts:AssumeRole of arn:aws:iam::222222222222:role/PullResponderReadOnly",
    "AccessDenied",
    "User: arn:aws:sts::111111111111:assumed-role/responder/x is not authorized to perform: sts:AssumeRole",
)
OURS = failed("organizations:ListPoliciesForTarget", "AccessDeniedException")
DENIED = failed(
    "ecr:DescribeImages", "AccessDeniedException", f"{USER} with an explicit deny in a service control policy"
)
LIMITED = failed(
    "ecr:DescribeImages",
    "AccessDeniedException",
    f"{USER} because no service control policy allows the ecr:DescribeImages action",
)
CREATE = (
    "Create role PullResponderReadOnly in account 222222222222 from infra/member-role.yaml, let it trust the "
    "role that Pull Responder runs with, and list the account in `readAccounts` if it is not of the same organization."
)
ORGANIZATION = (
    "Set `organizationAccount` to the organization's management account or a delegated administrator, and let Pull "
    "Responder's role there call organizations:ListPoliciesForTarget."
)


@pytest.mark.parametrize(
    ("reason", "step"),
    [
        (ECR, "Grant ecr:DescribeImages to role PullResponderReadOnly in account 111111111111."),
        (EC2, "Grant ec2:DescribeSubnets to role PullResponderReadOnly in account 111111111111."),
        (
            join_reasons((ECR, EC2)),
            "Grant ecr:DescribeImages and ec2:DescribeSubnets to role PullResponderReadOnly in account 111111111111.",
        ),
        (failed("iam:GetRole", "AccessDenied"), "Grant iam:GetRole to Pull Responder's role."),
        (DENIED, f"Exempt {ROLE} from the service control policy that denies ecr:DescribeImages."),
        (LIMITED, f"Allow ecr:DescribeImages for {ROLE} in the service control policy."),
        (MEMBER, CREATE),
        (OURS, ORGANIZATION),
        (join_reasons((MEMBER, OURS)), ORGANIZATION),
        (reword(MEMBER, f"the route table was not read: {MEMBER}"), CREATE),
        (
            failed("organizations:DescribeOrganization", "AccessDeniedException"),
            "Grant organizations:DescribeOrganization to Pull Responder's role.",
        ),
    ],
)
def test_a_refused_read_names_what_to_grant_to_whom(reason: str, step: str) -> None:
    assert next_step(POLICY, reason, PULL) == step


@pytest.mark.parametrize(
    ("error", "part"),
    [
        (ClientError({"Error": {"Code": "ThrottlingException", "Message": "Rate exceeded"}}, "x"), "few minutes"),
        (ClientError({"Error": {"Code": "AuthFailure", "Message": "x"}}, "x"), "region is enabled"),
        (ClientError({"Error": {"Code": "ExpiredToken", "Message": "x"}}, "x"), "Renew the credentials"),
        (ClientError({"Error": {"Code": "ValidationException", "Message": "x"}}, "x"), "Call kms:DescribeKey as"),
        (NoCredentialsError(), "Renew the credentials"),
        (EndpointConnectionError(endpoint_url="https://kms"), "can reach AWS's API"),
        (SSLError(endpoint_url="https://kms", error=ValueError("x")), "can reach AWS's API"),
    ],
)
def test_a_call_that_failed_otherwise_says_what_stands_in_its_way(
    error: ClientError | BotoCoreError, part: str
) -> None:
    step = next_step(ROUTE, describe_failure("kms:DescribeKey", error).reason, PULL)
    assert part in step
    assert not faults_of(step)


def test_a_reason_is_its_text_and_keeps_its_steps_where_it_is_joined_or_quoted() -> None:
    one, other = Reason("a", "Look at `a`."), Reason("b", "Look at `b`.")
    assert one == "a"
    assert steps_of("a") == ()
    assert join_reasons((one, other, one, "c")) == "a; b; c"
    assert steps_of(join_reasons((one, other, one))) == ("Look at `a`.", "Look at `b`.")
    assert steps_of(reword(one, f"because {one}")) == ("Look at `a`.",)
    assert next_step(ROUTE, join_reasons((one, other)), PULL) == "Look at `a`."


@pytest.mark.parametrize("symptom", list(Symptom))
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_reason_without_a_step_gets_the_sentence_of_its_check(check: Check, symptom: Symptom) -> None:
    for pull in (replace(PULL, symptom=symptom), PullFailure(symptom, None, "us-east-1")):
        assert faults_of(next_step(check, "xyzzy", pull)) == []


def test_the_fallback_names_the_host_that_the_pull_was_from() -> None:
    assert f"`curl -v https://{HOST}/v2/`" in next_step(ROUTE, "xyzzy", PULL)


def test_a_step_is_bounded_and_has_no_control_characters() -> None:
    long = Reason("x", f"Look at {'a' * LONGEST}.")
    assert next_step(ROUTE, long, PULL) == next_step(ROUTE, "x", PULL)
    assert next_step(ROUTE, Reason("x", "Look at\n `a`\x1b[31m."), PULL) == "Look at `a`."
    many = Reason("x", *(Refusal(f"ec2:DescribeThing{each}") for each in range(60)))
    step = next_step(ROUTE, many, PULL)
    assert len(step) <= LONGEST
    assert step.startswith("Grant ec2:DescribeThing0, ")


def test_what_a_role_lacks_for_several_causes_is_said_once() -> None:
    both = join_reasons((MEMBER, OURS))
    pairs = [(each, next_step(POLICY, each, PULL)) for each in (ECR, EC2, ECR, MEMBER, both, "xyzzy", "xyzzy")]
    assert merge_steps(pairs) == (
        CREATE,
        ORGANIZATION,
        "Grant ecr:DescribeImages and ec2:DescribeSubnets to role PullResponderReadOnly in account 111111111111.",
        next_step(POLICY, "xyzzy", PULL),
    )


def test_a_step_that_the_reason_says_itself_is_not_said_again() -> None:
    reason = Reason("AWS does not show it: look at `journalctl -u kubelet`", "Look at `journalctl -u kubelet`.")
    assert merge_steps([(reason, next_step(ROUTE, reason, PULL))]) == ()


def test_what_lacks_in_a_roles_own_policy_is_told_apart_from_what_others_refuse() -> None:
    """One more Allow does not help against a Deny, a boundary of somebody else, or a role that does not exist."""
    assert [is_needs_alone(each) for each in (ECR, EC2, MEMBER, OURS, DENIED, LIMITED, "xyzzy")] == [
        *(True, True),
        *(False, False, False, False, False),
    ]
    assert not is_needs_alone(join_reasons((ECR, DENIED)))
    elsewhere = Reason("x", Refusal("iam:GetRole", "reader", "333333333333"))
    assert needs_of((ECR, EC2, DENIED, elsewhere, ECR, MEMBER)) == (
        Needs(("ecr:DescribeImages", "ec2:DescribeSubnets"), "111111111111", "PullResponderReadOnly"),
        Needs(("iam:GetRole",), "333333333333", "reader"),
    )
