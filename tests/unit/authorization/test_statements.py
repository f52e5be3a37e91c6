"""Action, NotAction, Resource and NotResource.

Source: IAM User Guide, "AWS JSON policy elements" of these names; Amazon ECR User Guide, "Repository policies".
"""

from __future__ import annotations

import pytest

from tests.unit.authorization.statements import REPOSITORY, Json, allow, decide, deny, names, policy, request

ALLOWED = "Allowed"
DENIED = "ImplicitlyDenied"
UNDECIDED = "Undecided"
ARN = "arn:aws:ecr:us-east-1:111111111111:"


@pytest.mark.parametrize(
    ("elements", "expected"),
    [
        ({"Action": "ecr:BatchGetImage"}, ALLOWED),
        ({"Action": ["ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"]}, ALLOWED),
        ({"Action": "ECR:batchgetIMAGE"}, ALLOWED),  # actions have no case
        ({"Action": "ecr:Batch*"}, ALLOWED),
        ({"Action": "ecr:*get?mage"}, ALLOWED),
        ({"Action": "ecr:BatchGetImag?"}, ALLOWED),
        ({"Action": "ecr:BatchGetImage?"}, DENIED),
        ({"Action": "*"}, ALLOWED),
        ({"Action": "ecr:BatchGet"}, DENIED),
        ({"Action": "ecr-public:*"}, DENIED),
        ({"NotAction": "s3:*"}, ALLOWED),
        ({"NotAction": ["s3:*", "ecr:batchgetimage"]}, DENIED),
        ({"NotAction": "*"}, DENIED),
        ({"Resource": REPOSITORY}, ALLOWED),
        ({"Resource": ["arn:aws:s3:::bucket", REPOSITORY]}, ALLOWED),
        ({"Resource": REPOSITORY.replace("app", "App")}, DENIED),  # resources have case
        ({"Resource": REPOSITORY.replace("repository", "Repository")}, DENIED),
        ({"Resource": REPOSITORY + "/*"}, DENIED),
        ({"Resource": REPOSITORY + "*"}, ALLOWED),
        ({"Resource": REPOSITORY[:-1] + "?"}, ALLOWED),
        ({"Resource": REPOSITORY + "?"}, DENIED),
        ({"Resource": "arn:aws:ecr:*:111111111111:repository/*"}, ALLOWED),
        ({"Resource": "arn:aws:ecr:us-west-2:111111111111:repository/*"}, DENIED),
        # A final wildcard "can expand to match beyond the colon boundaries".
        ({"Resource": "arn:aws:ecr:*"}, ALLOWED),
        ({"Resource": "arn:aws:ecr:us-*"}, ALLOWED),
        ({"Resource": ARN + "*"}, ALLOWED),
        ({"Resource": "arn:aws:s3:*"}, DENIED),
        # No page says what an ARN of fewer than six parts covers, unless it can cover nothing of this request.
        ({"Resource": "arn:aws:ecr"}, UNDECIDED),
        ({"Resource": "arn:aws:ecr:us-east-1"}, UNDECIDED),
        ({"NotResource": "arn:aws:ecr:us-east-1"}, UNDECIDED),
        ({"Resource": "arn:aws:ecr:us-east-1:111111111111"}, UNDECIDED),
        ({"Resource": ["arn:aws:ecr", "arn:aws:s3:::${aws:PrincipalTag/none, 'x'}"]}, UNDECIDED),
        ({"Resource": "arn:aws:ecr:*:repository/app"}, UNDECIDED),
        ({"Resource": ["arn:aws:ecr", REPOSITORY]}, ALLOWED),
        ({"Resource": "arn:aws:s3"}, DENIED),
        ({"NotResource": "arn:aws:s3"}, ALLOWED),
        ({"Resource": "arn:aws:ecr:us-west-2"}, DENIED),
        # One page lets a wildcard stand anywhere in a segment, another not in the resource type.
        ({"Resource": ARN + "*/app"}, UNDECIDED),
        ({"Resource": ARN + "repo*"}, UNDECIDED),
        ({"Resource": ARN + "repository*"}, UNDECIDED),
        ({"Resource": ARN + "repositor?/app"}, UNDECIDED),
        ({"Resource": ARN + "*/${aws:PrincipalTag/none, 'app'}"}, UNDECIDED),
        ({"NotResource": ARN + "*/app"}, UNDECIDED),
        ({"Resource": ARN + "*/other"}, DENIED),
        ({"Resource": ARN + "domain*"}, DENIED),
        ({"NotResource": ARN + "*/other"}, ALLOWED),
        ({"Resource": [ARN + "*/app", ARN + "repository/*"]}, ALLOWED),
        ({"Resource": ARN + "repository/*app"}, ALLOWED),
        # A variable is one segment, whatever stands in its braces.
        ({"Resource": "arn:aws:ecr:${aws:PrincipalTag/none, 'us-east-1'}:*:repository/app"}, ALLOWED),
        # "You can't use a wildcard in the service segment." And what is no ARN is taken by nobody.
        ({"Resource": "arn:aws:*:us-east-1:111111111111:repository/app"}, UNDECIDED),
        ({"Resource": "arn:aws:e?r:us-east-1:111111111111:repository/app"}, UNDECIDED),
        ({"Resource": "arn:aws:s*:us-east-1:111111111111:repository/app"}, DENIED),
        ({"Resource": "arn:aws:e*"}, UNDECIDED),
        ({"Resource": "*repository/app"}, UNDECIDED),
        ({"Resource": "ar?:aws:ecr:us-east-1:111111111111:repository/app"}, UNDECIDED),
        # AWS takes null in a list of resources.
        ({"Resource": [None, REPOSITORY]}, ALLOWED),
        ({"Resource": [None, "arn:aws:s3:::*"]}, DENIED),
        ({"Resource": [None]}, UNDECIDED),
        ({"NotResource": [None]}, UNDECIDED),
        ({"NotResource": "arn:aws:s3:::*"}, ALLOWED),
        # AWS takes empty Condition objects, and any name for an operator without keys.
        ({"Condition": {}}, ALLOWED),
        ({"Condition": {"StringLike": {}}}, ALLOWED),
        ({"Condition": {"anything": {}, "StringLike": {"aws:SourceVpc": "v"}}}, DENIED),
        # IAM Access Analyzer, "Empty array condition": it does not affect the policy. No page says that it is not met.
        ({"Condition": {"StringLike": {"aws:SourceVpc": []}}}, UNDECIDED),
        ({"Condition": {"Null": {"aws:SourceVpc": []}}}, UNDECIDED),
        ({"Condition": {"StringNotLike": {"aws:SourceVpc": []}}}, ALLOWED),
        ({"NotResource": ["arn:aws:s3:::*", REPOSITORY]}, DENIED),
        ({"NotResource": "*"}, DENIED),
    ],
    ids=str,
)
def test_what_a_statement_covers(elements: Json, expected: str) -> None:
    assert decide(request(), identity=(policy(allow(**elements)),)).decision == expected


def test_s3_has_no_resource_types() -> None:
    """What stands before the first slash is the name of a bucket, in which a wildcard may stand."""
    layer = request(action="s3:GetObject", resource="arn:aws:s3:::prod-us-east-1-starport-layer-bucket/a")
    layers = policy(allow(Resource="arn:aws:s3:::prod-*-starport-layer-bucket/*"))
    assert decide(layer, identity=(layers,)).decision == ALLOWED
    queue = request(action="sqs:SendMessage", resource="arn:aws:sqs:us-east-1:111111111111:orders")
    assert decide(queue, identity=(policy(allow(Resource="arn:aws:sqs:*:*:ord*")),)).decision == ALLOWED


@pytest.mark.parametrize(
    ("resource", "pattern", "expected"),
    [
        # The resources of SNS and API Gateway have no type either.
        ("arn:aws:sns:us-east-1:111111111111:orders:1234", "arn:aws:sns:*:*:ord*", ALLOWED),
        ("arn:aws:execute-api:us-east-1:111111111111:abc/prod/GET", "arn:aws:execute-api:*:*:ab*", ALLOWED),
        # What follows the fifth colon is the resource, further colons included.
        ("arn:aws:logs:us-east-1:111111111111:log-group:a:*", "arn:aws:logs:*:*:log-group:a:*", ALLOWED),
        ("arn:aws:logs:us-east-1:111111111111:log-group:a:b:c", "arn:aws:logs:*:*:log-gr*:a:b:c", UNDECIDED),
    ],
)
def test_resources_of_other_services(resource: str, pattern: str, expected: str) -> None:
    asked = request(action="logs:GetLogEvents", resource=resource)
    assert decide(asked, identity=(policy(allow(Resource=pattern)),)).decision == expected


@pytest.mark.parametrize("element", ["Resource", "NotResource"])
def test_a_list_of_nothing_but_null_is_named(element: str) -> None:
    decided = decide(request(), identity=(policy(allow(**{element: [None]})),))
    assert names(decided.unknown) == ("what AWS takes a list of resources for that holds nothing but null",)


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        (ARN + "repo*", "it has a wildcard in the resource type"),
        ("arn:aws:ecr", "it is an ARN of fewer than six parts"),
        ("arn:aws:*:*:*:repository/app", "it has a wildcard in place of the service"),
        ("*/app", "it is no ARN"),
    ],
)
def test_a_doubtful_pattern_is_named(resource: str, reason: str) -> None:
    decided = decide(request(), identity=(policy(allow(), deny(Resource=[resource, "arn:aws:ecr:*:*:*/other"])),))
    assert decided.decision == UNDECIDED
    assert names(decided.unknown) == (f'how AWS matches "{resource}": {reason}',)


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
