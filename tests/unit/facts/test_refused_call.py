"""Who has to refuse the canary's call, so that its record is that of a refused pull."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse, HTTPHeaders

from pull_responder.facts.refused_call import make_refused_call
from pull_responder.model.reason import steps_of
from pull_responder.model.unread import Unread
from tests.unit.facts.conftest import ACCOUNT, REGION

if TYPE_CHECKING:
    from tests.unit.facts.conftest import Watched

CALL = (
    f"User: arn:aws:sts::{ACCOUNT}:assumed-role/examine/examine is not authorized to perform: ecr:BatchGetImage on "
    f"resource: arn:aws:ecr:{REGION}:{ACCOUNT}:repository/pull-responder-canary/0"
)


def refuse(watched: Watched, message: str, code: str = "AccessDeniedException") -> Unread | None:
    """Make the call, which ECR refuses with this message."""
    error = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {}}

    def answer(**_: Any) -> Any:  # noqa: ANN401 -- what botocore takes for an answer
        return AWSResponse("", 400, HTTPHeaders(), None), error

    watched.session.events.register("before-call.ecr.BatchGetImage", answer)
    return make_refused_call(watched.aws, region=REGION, repository="pull-responder-canary/0")


@pytest.mark.parametrize(
    "reason",
    [
        " with an explicit deny in an identity-based policy",
        " because no identity-based policy allows the ecr:BatchGetImage action",
        "",
    ],
)
def test_a_call_that_a_policy_of_the_role_refuses_is_a_canary(watched: Watched, reason: str) -> None:
    assert refuse(watched, f"{CALL}{reason}") is None


@pytest.mark.parametrize(
    "reason",
    [
        " because no VPC endpoint policy allows the ecr:BatchGetImage action",
        " with an explicit deny in a VPC endpoint policy",
    ],
)
def test_a_call_that_an_endpoint_policy_refuses_is_none(watched: Watched, reason: str) -> None:
    why = refuse(watched, f"{CALL}{reason}")
    assert isinstance(why, Unread)
    assert why.reason.startswith("a VPC endpoint policy refused ecr:BatchGetImage before ECR did")
    assert steps_of(why.reason) == (
        "Let the policy of the ECR API endpoint allow ecr:BatchGetImage to the function's role.",
    )


def test_another_error_is_no_refusal(watched: Watched) -> None:
    why = refuse(watched, "The repository does not exist", "RepositoryNotFoundException")
    assert isinstance(why, Unread)
    assert why.reason.startswith("ecr:BatchGetImage failed: RepositoryNotFoundException")
