"""Short ways to write policies and requests in tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pull_responder.authorization.evaluation import Decision, Policies, evaluate
from pull_responder.authorization.policy import Policy, parse_policy
from pull_responder.authorization.request import ContextValue, Request

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

ACCOUNT = "111111111111"
OTHER_ACCOUNT = "222222222222"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/node"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/node/i-0123456789abcdef0"
REPOSITORY = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/app"
ACTION = "ecr:BatchGetImage"

Json = dict[str, Any]


def statement(effect: str, **elements: object) -> Json:
    """Return a statement for every action and resource. `elements` replace its elements; None removes one."""
    whole: Json = {"Effect": effect, "Action": "*", "Resource": "*", **elements}
    if "NotAction" in elements:
        del whole["Action"]
    if "NotResource" in elements:
        del whole["Resource"]
    return {element: value for element, value in whole.items() if value is not None}


def allow(**elements: object) -> Json:
    return statement("Allow", **elements)


def deny(**elements: object) -> Json:
    return statement("Deny", **elements)


def document(*statements: Json, version: str | None = "2012-10-17") -> Json:
    whole: Json = {"Statement": list(statements)}
    return {"Version": version, **whole} if version else whole


def policy(*statements: Json, name: str = "the-policy", version: str | None = "2012-10-17") -> Policy:
    return parse_policy(document(*statements, version=version), name=name)


def request(**parts: Any) -> Request:  # noqa: ANN401 -- any part of a request
    """Return the request of a node's session that pulls from its own account. Its role has no path."""
    whole: Json = {
        "principal": SESSION,
        "action": ACTION,
        "resource": REPOSITORY,
        "resource_account": ACCOUNT,
        "context": {},
        **parts,
    }
    if whole["principal"] == SESSION and "role_arn" not in parts:
        whole["role_arn"] = ROLE
    return Request(**whole)


def decide(asked: Request, **policies: Any) -> Decision:  # noqa: ANN401 -- any part of Policies
    return evaluate(asked, Policies(**policies))


def decision_on(condition: Json, context: Mapping[str, ContextValue]) -> str:
    """Return the decision if the only identity policy allows everything under `condition`."""
    return decide(request(context=context), identity=(policy(allow(Condition=condition)),)).decision


def names(unknown: Iterable[object]) -> tuple[str, ...]:
    """Return what a decision depends on, as people read it."""
    return tuple(map(str, unknown))
