"""Changes to the policies of VPC endpoints."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pull_responder.remediation.ec2 import Where
from pull_responder.remediation.endpoint_policy import PolicyEdit, allow_layers, let_role_through
from tests.unit.remediation.fixes import ACCOUNT, REGION, told

WHERE = Where(ACCOUNT, REGION)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/nodes/blue"
REPOSITORY = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/app"
BUCKET = "arn:aws:s3:::prod-eu-west-1-starport-layer-bucket"
PAGE = "AmazonECR/latest/userguide/vpc-endpoints.html"
S3 = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "*"}
SHUT = {"Effect": "Deny", "Principal": "*", "Action": "ecr:*", "Resource": "*"}
OPEN = {**SHUT, "Condition": {"ArnNotEquals": {"aws:PrincipalArn": ROLE}}}


def text(*statements: Any) -> str:  # noqa: ANN401 -- any JSON
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def put(endpoint: str, *statements: Any) -> tuple[str, ...]:  # noqa: ANN401 -- any JSON
    """Return the command that sets the endpoint's policy."""
    whole = json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, separators=(",", ":"))
    command = ("aws", "ec2", "modify-vpc-endpoint", "--vpc-endpoint-id", endpoint, "--policy-document", whole)
    return (*command, "--region", REGION)


def grant(sid: str, actions: list[str], resource: str) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Principal": {"AWS": ROLE}, "Action": actions, "Resource": [resource]}


def test_each_endpoint_lets_the_role_through() -> None:
    """Actions on the same resource share a statement: an endpoint's policy has a maximum size, too."""
    lacking = {
        "ecr:BatchGetImage": REPOSITORY,
        "ecr:GetAuthorizationToken": "*",
        "ecr:GetDownloadUrlForLayer": REPOSITORY,
    }
    edits = (PolicyEdit("vpce-1", text(S3), lacking), PolicyEdit("vpce-2", text(S3, SHUT), {}, frozenset({1})))
    fix = let_role_through(WHERE, edits, role=ROLE)
    summary, page, _ = told(fix)
    exempt = "exempt it from the Deny Statement[1] of vpce-2"
    assert (summary, page) == (f"In the policy of vpce-1, vpce-2, allow the role {ROLE} to pull and {exempt}.", PAGE)
    on_repository = grant("PullResponderEcrPull", ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], REPOSITORY)
    on_all = grant("PullResponderEcrPull2", ["ecr:GetAuthorizationToken"], "*")
    assert fix.commands == (put("vpce-1", S3, on_repository, on_all), put("vpce-2", S3, OPEN))


def test_one_policy_gets_both_changes() -> None:
    edit = PolicyEdit("vpce-1", text(SHUT), {"ecr:BatchGetImage": REPOSITORY}, frozenset({0}))
    (command,) = let_role_through(WHERE, (edit,), role=ROLE).commands
    assert command == put("vpce-1", OPEN, grant("PullResponderEcrPull", ["ecr:BatchGetImage"], REPOSITORY))


def test_no_command_unless_all_policies_can_be_edited() -> None:
    """Half of the changes would not let the pull through."""
    good = PolicyEdit("vpce-1", text(SHUT), {}, frozenset({0}))
    of_an_allow = PolicyEdit("vpce-2", text(S3), {"ecr:BatchGetImage": REPOSITORY}, frozenset({0}))
    fix = let_role_through(WHERE, (good, of_an_allow), role=ROLE)
    exempt = "exempt it from the Deny Statement[0] of vpce-1, the Deny Statement[0] of vpce-2"
    assert told(fix) == (f"In the policy of vpce-1, vpce-2, allow the role {ROLE} to pull and {exempt}.", PAGE, [])


LAYERS = {
    "Sid": "PullResponderEcrPull",
    "Effect": "Allow",
    "Principal": "*",
    "Action": ["s3:GetObject"],
    "Resource": [f"{BUCKET}/*"],
}
ALLOW = f"allow s3:GetObject on {BUCKET}/* to everybody, without conditions"
EXEMPT = f"exempt {BUCKET}/* from the Deny of s3:GetObject"


@pytest.mark.parametrize(
    ("document", "denied", "lacks_allow", "what", "commands"),
    [
        (text(S3, SHUT), False, True, ALLOW, (put("vpce-1", S3, SHUT, LAYERS),)),
        (None, False, True, ALLOW, ()),
        (text(SHUT), True, False, EXEMPT, ()),
        (text(SHUT), True, True, f"{EXEMPT}, and {ALLOW}", ()),
    ],
    ids=["an allow lacks", "the policy was not read", "denied", "denied, and an allow lacks"],
)
def test_the_layers(*, document: str | None, denied: bool, lacks_allow: bool, what: str, commands: Any) -> None:  # noqa: ANN401 -- commands
    fix = allow_layers(
        WHERE, endpoint_id="vpce-1", document=document, bucket=BUCKET, denied=denied, lacks_allow=lacks_allow
    )
    summary, page, _ = told(fix)
    assert (summary, page, fix.commands) == (f"In the policy of vpce-1, {what}.", PAGE, commands)
