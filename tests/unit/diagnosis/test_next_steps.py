"""Each reason of an undecided cause is answered by one sentence that says what to grant or where to look."""

from __future__ import annotations

import pytest

from pull_responder.checks import BY_ID, CHECKS
from pull_responder.checks.check import Check
from pull_responder.next_steps import merge_steps, next_step

ROUTE, POLICY = BY_ID["no_route_to_ecr"], BY_ID["role_lacks_pull_permissions"]
ROLE = "role PullResponderReadOnly in account 111111111111"
USER = "User: arn:aws:sts::111111111111:assumed-role/PullResponderReadOnly/pull-responder"
ECR = f"ecr:DescribeImages failed: AccessDeniedException: {USER} is not authorized to perform: ecr:DescribeImages"
EC2 = f"ec2:DescribeSubnets failed: UnauthorizedOperation: You are not authorized. {USER} is not authorized"
MEMBER = (
    "sts:AssumeRole of arn:aws:iam::222222222222:role/PullResponderReadOnly failed: AccessDenied: User: "
    "arn:aws:sts::111111111111:assumed-role/responder/x is not authorized to perform: sts:AssumeRole"
)
OURS = "in account 111111111111: organizations:ListPoliciesForTarget failed: AccessDeniedException: no"
CREATE = (
    "Create role PullResponderReadOnly in account 222222222222 from infra/member-role.yaml, and let it trust the "
    "account of Pull Responder. If the two accounts are not of one organization, list it in `readAccounts`."
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
            f"{ECR}; {EC2}",
            "Grant ecr:DescribeImages and ec2:DescribeSubnets to role PullResponderReadOnly in account 111111111111.",
        ),
        ("iam:GetRole failed: AccessDenied: no", "Grant iam:GetRole to Pull Responder's role."),
        (
            f"{ECR} with an explicit deny in a service control policy",
            f"Exempt {ROLE} from the service control policy that denies ecr:DescribeImages.",
        ),
        (
            f"{ECR} because no service control policy allows the ecr:DescribeImages action",
            f"Allow ecr:DescribeImages for {ROLE} in the service control policy.",
        ),
        (MEMBER, CREATE),
        (OURS, ORGANIZATION),
        (f"{MEMBER}; {OURS}", ORGANIZATION),
        (
            "organizations:DescribeOrganization failed: AccessDeniedException: no",
            "Grant organizations:DescribeOrganization to Pull Responder's role.",
        ),
    ],
)
def test_a_refused_read_names_what_to_grant_to_whom(reason: str, step: str) -> None:
    assert next_step(POLICY, reason) == step


@pytest.mark.parametrize(
    ("reason", "part"),
    [
        (
            "route ::/0 -> tgw-0123456789abcdef0 leads to a transit gateway, and what lies behind it cannot be read",
            "behind tgw-0123456789abcdef0,",
        ),
        (
            "rtb-1: 10.0.0.0/16 -> local, ::/0 -> igw-1: 10.9.0.0/16 -> pcx-01234567 leads to vpce-1, and what lies",
            "behind pcx-01234567,",
        ),
        ("nat-1 is a private NAT gateway, and its route 0.0.0.0/0 -> vgw-1 leaves the VPC", "behind vgw-1,"),
        ("the DNS servers in the VPC's DHCP options are not known: x", "nslookup"),
        ("ec2:DescribeVpcs was not called: no time was left", "in a terminal"),
        ("time ran out before everything it needs was read", "in a terminal"),
        ("ec2:DescribeVpcs failed: ThrottlingException: Rate exceeded", "again in a few minutes"),
        ("ecr in 'us-east-77': the AWS SDK knows no such region", "misspelt region"),
        ("ec2:DescribeVpcs failed: IncompleteAnswerError: the answer lacks Vpcs", "again in a few minutes"),
        ("sts:GetCallerIdentity failed: IncompleteAnswerError: the answer lacks Arn", "again in a few minutes"),
        ("sts:GetCallerIdentity failed: ReadTimeoutError: Read timeout on endpoint URL", "can reach AWS STS"),
        ("sts:AssumeRole of arn:aws:iam::1:role/x failed: ConnectTimeoutError: Connect", "can reach AWS STS"),
        ("sts:GetCallerIdentity failed: ExpiredToken: expired", "Renew the credentials"),
        ("ec2:DescribeVpcs failed: EndpointConnectionError: Could not connect", "can reach AWS's API"),
        (
            "a condition tests aws:PrincipalTag/Team, aws:SourceIp, and the value in this request is not known",
            "Compare aws:PrincipalTag/Team, aws:SourceIp of the refused request",
        ),
        ("a session policy exists only in the session and cannot be read", "whoever assumes the role"),
        ("it is not known whether the principal pulls for EKS: no", "`knownPrincipals`"),
        ("registry 602401143452 belongs to AWS, and cannot be read", "AWS's list of its registries"),
        ("node i-1 is gone or in another region, and its node group or Fargate profile is not known", "--instance"),
        ("the event does not name the role that pulls", "`pull-responder diagnose --image"),
        ("repository a/b does not exist: CloudTrail may have cut off the end of the name", "full name from the pod"),
        ("role node does not exist in account 111111111111", "Create role node again"),
        ("launch template lt-1 of node group workers does not exist", "Update node group workers"),
        ("the security groups of vpce-1 are not known", "Look at endpoint vpce-1"),
        ("the cluster's security group is not known", "--instance"),
        ("a private hosted zone, Z1, answers for H, and its records were not read", "nslookup"),
        ("the lifecycle policy of repository a/b cannot be understood: KeyError", "Open the lifecycle policy of"),
        ("policy arn:aws:iam::1:policy/x is not JSON: line 1", "Open the policy arn:aws:iam::1:policy/x"),
        ("kms:DescribeKey failed: ValidationException: x", "Call kms:DescribeKey as Pull Responder's role"),
        ("each of these routes of rtb-1 covers only part of H: 1.0.0.0/8", "curl -v https://HOST/v2/"),
        ("it is not known which VPC endpoint the request passed", "vpcEndpointId"),
        ("the image is not cached, and AWS does not show whether docker.io/a/b:1 has it", "Look into docker.io/a/b:1"),
        (
            "AWS does not show it: look at the AMI's version, and `journalctl -u kubelet`",
            "Look at the AMI's version, and `journalctl -u kubelet`.",
        ),
    ],
)
def test_a_reason_says_where_to_look(reason: str, part: str) -> None:
    assert part in next_step(ROUTE, reason)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_a_reason_that_nothing_knows_gets_the_sentence_of_its_check(check: Check) -> None:
    step = next_step(check, "xyzzy")
    assert step[0].isupper()
    assert step.endswith((".", check.docs_url))
    assert "{" not in step
    assert len(step) > 30


def test_what_a_role_lacks_for_several_causes_is_said_once() -> None:
    pairs = [(each, next_step(POLICY, each)) for each in (ECR, EC2, ECR, MEMBER, f"{MEMBER}; {OURS}", "xyzzy", "xyzzy")]
    assert merge_steps(pairs) == (
        CREATE,
        ORGANIZATION,
        "Grant ecr:DescribeImages and ec2:DescribeSubnets to role PullResponderReadOnly in account 111111111111.",
        next_step(POLICY, "xyzzy"),
    )


def test_a_step_that_the_reason_says_itself_is_not_said_again() -> None:
    reason = "AWS does not show it: look at `journalctl -u kubelet`"
    assert merge_steps([(reason, next_step(ROUTE, reason))]) == ()
