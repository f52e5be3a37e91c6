"""Which statements of a policy are said to decide: each Deny that stops the request, and the nearest Allow."""

from __future__ import annotations

import json

from pull_responder.authorization.evaluation import Outcome, PolicyKind, State
from pull_responder.authorization.policy import parse_policy
from pull_responder.network import VpcEndpoint
from pull_responder.pulls.deciding_policies import deciding_document, deciding_endpoints
from pull_responder.pulls.endpoint_on_path import EndpointOutcome, examine_policy
from tests.unit.authorization.statements import Json, allow, deny, document, request


def stopped(*statements: Json) -> EndpointOutcome:
    policy = json.dumps(document(*statements))
    endpoint = VpcEndpoint("vpce-1", "Interface", "com.amazonaws.us-east-1.ecr.dkr", policy=policy)
    found = examine_policy(endpoint, request())
    assert isinstance(found, EndpointOutcome)
    return found


def test_the_deny_of_an_endpoint_is_marked_and_an_allow_that_lets_through_is_not() -> None:
    (policy,) = deciding_endpoints([stopped(allow(Principal="*"), deny(Principal="*"))])
    assert policy.name == "the policy of endpoint vpce-1 (com.amazonaws.us-east-1.ecr.dkr)"
    assert policy.statements == (1,)
    assert json.dumps(policy.document).index('"Deny"') > json.dumps(policy.document).index('"Allow"')


def test_of_a_missing_allow_the_nearest_is_marked() -> None:
    far = allow(Principal={"AWS": "arn:aws:iam::999999999999:root"}, Resource="arn:aws:ecr:us-east-1:1:repository/x")
    near = allow(Principal="*", Resource="arn:aws:ecr:us-east-1:1:repository/x")
    (policy,) = deciding_endpoints([stopped(far, near)])
    assert policy.statements == (1,)


def test_requests_through_one_endpoint_share_its_policy() -> None:
    outcome = stopped(deny(Principal="*"))
    assert deciding_endpoints([outcome, outcome]) == deciding_endpoints([outcome])


def test_where_no_allow_is_about_the_action_none_is_marked() -> None:
    policy = parse_policy(document(allow(Action="s3:GetObject")), name="p")
    outcome = Outcome(PolicyKind.IDENTITY, State.BLOCKS_IMPLICITLY, _request=request(), _policies=(policy,))
    assert deciding_document("p", {"Statement": []}, [outcome]).statements == ()
