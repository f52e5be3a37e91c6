"""The policies on the pages of the causes decide as the pages say: the pull goes through, and nothing beside it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any, Final

import pytest

from pull_responder.authorization.cases import evaluate_lines
from pull_responder.generate.cause_fixes import FOLDER, fix_of

ROOT = Path(__file__).parents[3]
NODE: Final = "arn:aws:iam::111111111111:role/nodes/node"
ALL: Final = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
OPEN: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
}
PULL: Final = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
PLACES: Final[dict[str, dict[str, Any]]] = {
    "role_lacks_pull_permissions": {"identityPolicies": ["fix"]},
    "role_policy_denies_pull": {"identityPolicies": [ALL, "fix"]},
    "permissions_boundary_blocks_pull": {"identityPolicies": [ALL], "permissionBoundaryPolicies": ["fix"]},
    "scp_blocks_pull": {"identityPolicies": [ALL], "serviceControlPolicies": [[ALL, "fix"]]},
    "rcp_blocks_pull": {"identityPolicies": [ALL], "resourceControlPolicies": [[OPEN, "fix"]]},
    "session_policy_blocks_pull": {"identityPolicies": [ALL], "sessionPolicy": "fix"},
    "repository_policy_lacks_grant": {"identityPolicies": [ALL], "resourcePolicy": "fix"},
    "repository_policy_denies_pull": {"identityPolicies": [ALL], "resourcePolicy": "fix"},
    "registry_policy_denies_pull": {"identityPolicies": [ALL], "registryPolicy": "fix"},
    "endpoint_policy_blocks_pull": {"identityPolicies": [ALL], "vpcEndpointPolicies": ["fix"]},
    "pull_through_cache_failing": {"identityPolicies": ["fix"]},
    "unexpected_principal_denied": {"identityPolicies": ["fix"]},
}
"""Where the policy that each fix sets belongs among those that decide."""


def policies(cause: str) -> list[dict[str, Any]]:
    """The policies among the arguments of the fix's commands."""
    words = [word for code in fix_of(cause, ROOT).code["sh"] for word in shlex.split(code, comments=True)]
    return [json.loads(word) for word in words if word.startswith('{"Version"')]


def decide(
    cause: str, action: str, repository: str = "team/app", *, of: str = "111111111111", principal: str = NODE
) -> str:
    (policy,) = policies(cause)

    def filled(place: object) -> object:
        if isinstance(place, list):
            return [filled(each) for each in place]
        return policy if place == "fix" else place

    resource = "*" if action == "ecr:GetAuthorizationToken" else f"arn:aws:ecr:us-east-1:{of}:repository/{repository}"
    account = principal.split(":")[4]
    context = {"aws:PrincipalArn": principal, "aws:PrincipalAccount": account, "aws:PrincipalIsAWSService": "false"}
    request = {"principal": principal, "action": action, "resource": {"arn": resource, "accountId": of}}
    case = {
        "id": cause,
        "request": {**request, "context": context},
        **{name: filled(place) for name, place in PLACES[cause].items()},
    }
    (answer,) = evaluate_lines([json.dumps(case)])
    return str(json.loads(answer)["decision"])


@pytest.mark.parametrize("action", PULL)
@pytest.mark.parametrize("cause", [cause for cause in PLACES if cause != "pull_through_cache_failing"])
def test_the_pull_goes_through(cause: str, action: str) -> None:
    of = "222222222222" if cause == "repository_policy_lacks_grant" else "111111111111"
    assert decide(cause, action, of=of) == "Allowed", f"{FOLDER}/{cause}.md"


@pytest.mark.parametrize(
    "cause",
    ["role_lacks_pull_permissions", "session_policy_blocks_pull", "endpoint_policy_blocks_pull", "scp_blocks_pull"],
)
def test_the_token_does_too(cause: str) -> None:
    assert decide(cause, "ecr:GetAuthorizationToken") == "Allowed", f"{FOLDER}/{cause}.md"


@pytest.mark.parametrize("action", ["ecr:BatchImportUpstreamImage", "ecr:CreateRepository"])
def test_the_cache_may_fetch_below_its_prefix_alone(action: str) -> None:
    assert decide("pull_through_cache_failing", action, "quay/team/app") == "Allowed"
    assert decide("pull_through_cache_failing", action, "team/app") == "ImplicitlyDenied"


@pytest.mark.parametrize(
    ("cause", "action", "repository", "decision"),
    [
        ("role_lacks_pull_permissions", "ecr:BatchGetImage", "team/other", "ImplicitlyDenied"),
        ("role_lacks_pull_permissions", "ecr:PutImage", "team/app", "ImplicitlyDenied"),
        ("role_policy_denies_pull", "ecr:BatchGetImage", "team/other", "ExplicitlyDenied"),
        ("role_policy_denies_pull", "ecr:BatchDeleteImage", "team/app", "ExplicitlyDenied"),
        ("permissions_boundary_blocks_pull", "ecr:PutImage", "team/app", "ImplicitlyDenied"),
        ("session_policy_blocks_pull", "ecr:BatchGetImage", "team/other", "ImplicitlyDenied"),
        ("endpoint_policy_blocks_pull", "ecr:PutImage", "team/app", "ImplicitlyDenied"),
        ("unexpected_principal_denied", "ecr:BatchGetImage", "team/other", "ImplicitlyDenied"),
    ],
)
def test_nothing_else_is_let_in(cause: str, action: str, repository: str, decision: str) -> None:
    assert decide(cause, action, repository) == decision, f"{FOLDER}/{cause}.md"


@pytest.mark.parametrize(
    ("cause", "principal"),
    [
        ("scp_blocks_pull", "arn:aws:iam::111111111111:role/build"),
        ("rcp_blocks_pull", "arn:aws:iam::333333333333:role/nodes/node"),
        ("repository_policy_denies_pull", "arn:aws:iam::111111111111:role/build"),
        ("registry_policy_denies_pull", "arn:aws:iam::111111111111:role/build"),
    ],
)
def test_a_deny_still_stops_everyone_else(cause: str, principal: str) -> None:
    assert decide(cause, "ecr:BatchGetImage", principal=principal) == "ExplicitlyDenied", f"{FOLDER}/{cause}.md"
