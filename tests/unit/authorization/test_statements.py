"""Action, NotAction, Resource and NotResource.

Source: IAM User Guide, "AWS JSON policy elements" of these names; Amazon ECR User Guide, "Repository policies".
"""

from __future__ import annotations

import pytest

from tests.unit.authorization.statements import REPOSITORY, Json, allow, decide, deny, policy, request

ALLOWED = "Allowed"
DENIED = "ImplicitlyDenied"


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({"Action": "ecr:BatchGetImage"}, ALLOWED),
        ({"Action": ["ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"]}, ALLOWED),
        ({"Action": "ECR:batchgetIMAGE"}, ALLOWED),  # actions have no case
        ({"Action": "ecr:Batch*"}, ALLOWED),
        ({"Action": "ecr:*get?mage"}, ALLOWED),
        ({"Action": "*"}, ALLOWED),
        ({"Action": "ecr:BatchGet"}, DENIED),
        ({"Action": "ecr-public:*"}, DENIED),
        ({"NotAction": "s3:*"}, ALLOWED),
        ({"NotAction": ["s3:*", "ecr:batchgetimage"]}, DENIED),
        ({"Resource": REPOSITORY}, ALLOWED),
        ({"Resource": ["arn:aws:s3:::bucket", REPOSITORY]}, ALLOWED),
        ({"Resource": REPOSITORY.upper()}, DENIED),  # resources have case
        ({"Resource": REPOSITORY.replace("app", "App")}, DENIED),
        ({"Resource": REPOSITORY + "/*"}, DENIED),
        ({"Resource": REPOSITORY + "*"}, ALLOWED),
        ({"Resource": "arn:aws:ecr:*:111111111111:repository/*"}, ALLOWED),
        ({"Resource": "arn:aws:ecr:us-west-2:111111111111:repository/*"}, DENIED),
        ({"Resource": "arn:aws:ecr"}, ALLOWED),  # an incomplete ARN stands for all that start so
        ({"Resource": "arn:aws:ecr:us-east-1"}, ALLOWED),
        ({"Resource": "arn:aws:s3"}, DENIED),
        ({"NotResource": "arn:aws:s3:::*"}, ALLOWED),
        # Empty lists and objects name nothing (IAM Access Analyzer, "Empty array action" and its like).
        ({"Action": []}, DENIED),
        ({"NotAction": []}, ALLOWED),
        ({"Resource": []}, DENIED),
        ({"Condition": {}}, ALLOWED),
        ({"Condition": {"StringLike": {"aws:SourceVpc": []}}}, DENIED),
        ({"NotResource": ["arn:aws:s3:::*", REPOSITORY]}, DENIED),
    ],
    ids=str,
)
def test_what_a_statement_covers(elements: Json, expected: str) -> None:
    assert decide(request(), identity=(policy(allow(**elements)),)).decision == expected


def test_get_authorization_token_only_matches_resource_star() -> None:
    """Service Authorization Reference, Amazon ECR: the action has no resource type."""
    token = request(action="ecr:GetAuthorizationToken", resource="*")
    assert decide(token, identity=(policy(allow(Resource=REPOSITORY)),)).decision == DENIED
    assert decide(token, identity=(policy(allow(Resource="*")),)).decision == ALLOWED


def test_an_explicit_deny_wins_over_any_allow() -> None:
    decision = decide(request(), identity=(policy(allow(), deny(Action="ecr:Batch*", Sid="NoBatch")),))
    assert decision.decision == "ExplicitlyDenied"
    outcome = decision.outcomes[decision.blocked_by[0]]
    assert (outcome.policy and outcome.policy.name, outcome.statement and outcome.statement.sid) == (
        "the-policy",
        "NoBatch",
    )
