"""What the policy of a VPC endpoint does to a request.

Source: IAM User Guide, "AWS JSON policy elements: NotPrincipal": it counts in the policies of VPC endpoints, and with a
Deny it denies every principal with a permissions boundary, whatever it lists.
"""

from __future__ import annotations

import json

import pytest

from pull_responder.authorization.evaluation import State
from pull_responder.network import VpcEndpoint
from pull_responder.pulls.endpoint_on_path import EndpointOutcome, examine_policy
from tests.unit.authorization.statements import (
    ACCOUNT,
    OTHER_ACCOUNT,
    ROLE,
    SESSION,
    Json,
    allow,
    deny,
    document,
    names,
    request,
)

WHOLE = [ACCOUNT, ROLE, SESSION]


@pytest.mark.parametrize(
    ("statement", "state", "unknown"),
    [
        # Whether the role has a boundary is not asked, so nothing says that the Deny spares it.
        (deny(NotPrincipal={"AWS": WHOLE}), State.UNDECIDED, ("the caller's permissions boundary",)),
        (deny(NotPrincipal={"AWS": [OTHER_ACCOUNT]}), State.BLOCKS_EXPLICITLY, ()),
        (deny(Principal={"AWS": [OTHER_ACCOUNT]}), State.OPEN, ()),
    ],
    ids=["all but the role", "all but another account", "another account"],
)
def test_a_deny_with_not_principal(statement: Json, state: State, unknown: tuple[str, ...]) -> None:
    policy = json.dumps(document(allow(Principal="*"), statement))
    endpoint = VpcEndpoint("vpce-1", "Interface", "com.amazonaws.us-east-1.ecr.dkr", policy=policy)
    found = examine_policy(endpoint, request())
    assert isinstance(found, EndpointOutcome)
    assert (found.state(), names(found.unknown)) == (state, unknown)
