"""The evidence for a missing Allow."""

from __future__ import annotations

import pytest

from pull_responder.authorization.policy_kind import PolicyKind
from tests.unit.authorization.statements import ACTION, REPOSITORY, ROLE, SESSION, Json, allow, decide, policy, request


@pytest.mark.parametrize(
    ("elements", "told"),
    [
        (
            {"Resource": "arn:aws:ecr:us-east-1:111111111111:repository/other"},
            f'Resource "arn:aws:ecr:us-east-1:111111111111:repository/other" does not include {REPOSITORY}',
        ),
        ({"NotResource": REPOSITORY}, f'NotResource "{REPOSITORY}" excludes {REPOSITORY}'),
        (
            {"NotPrincipal": {"AWS": ["111111111111", ROLE, SESSION]}},
            f'NotPrincipal "111111111111", "{ROLE}", "{SESSION}" excludes {SESSION}',
        ),
        (
            {"Resource": "arn:aws:s3:::b", "Condition": {"StringLike": {"aws:SourceVpce": "vpce-*"}}},
            (
                f'Resource "arn:aws:s3:::b" does not include {REPOSITORY}; '
                'StringLike aws:SourceVpce "vpce-*" is not met: the request has no such key'
            ),
        ),
        ({"NotAction": "ecr:*"}, f'NotAction "ecr:*" excludes {ACTION}'),
        (
            {"Condition": {"StringEquals": {"aws:SourceVpc": ["vpc-1", "vpc-2"]}}},
            'StringEquals aws:SourceVpc "vpc-1", "vpc-2" is not met: the request has "vpc-3"',
        ),
        (
            {"Condition": {"StringLike": {"aws:SourceVpce": "vpce-*"}}},
            'StringLike aws:SourceVpce "vpce-*" is not met: the request has no such key',
        ),
    ],
)
def test_nearest_allow_names_the_element_that_does_not_match(elements: Json, told: str) -> None:
    far = policy(allow(Action="s3:*"), name="far")
    near = policy(allow(Action="s3:*"), allow(Sid="Pull", **elements), name="ecr-pull")
    decided = decide(request(context={"aws:SourceVpc": "vpc-3"}), identity=(far, near))
    assert str(decided.outcomes[PolicyKind.IDENTITY].nearest) == f'ecr-pull, "Pull": {told}'


def test_nearest_allow_has_the_fewest_mismatches() -> None:
    lacks_two = allow(Resource="arn:aws:ecr:*:*:repository/x", Condition={"Bool": {"aws:SecureTransport": "true"}})
    lacks_one = allow(Resource="arn:aws:ecr:*:*:repository/y")
    decided = decide(request(), identity=(policy(lacks_two, lacks_one),))
    nearest = decided.outcomes[PolicyKind.IDENTITY].nearest
    assert nearest
    assert nearest.statement.index == 1


def test_nearest_is_none_without_an_allow_for_the_action() -> None:
    decided = decide(request(), identity=(policy(allow(Action="s3:*")),))
    assert decided.outcomes[PolicyKind.IDENTITY].nearest is None


def test_nearest_allow_names_the_wrong_principal_of_a_repository_policy() -> None:
    grant = policy(allow(Principal={"AWS": "333333333333"}, Resource=None), name="repository policy")
    decided = decide(request(resource_account="222222222222"), identity=(policy(allow()),), resource=grant)
    told = f'repository policy, Statement[0]: Principal "333333333333" does not include {SESSION}'
    assert str(decided.outcomes[PolicyKind.RESOURCE].nearest) == told


def test_outcome_names_the_allow_that_matches() -> None:
    decided = decide(request(), identity=(policy(allow(Action="s3:*")), policy(allow(Sid="Pull"), name="ecr-pull")))
    outcome = decided.outcomes[PolicyKind.IDENTITY]
    assert outcome.policy
    assert outcome.statement
    assert (outcome.policy.name, outcome.statement.place, outcome.nearest) == ("ecr-pull", '"Pull"', None)
