"""What the trust policy of a role answers to a request for the role."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.authorization.evaluation import Outcome, Policies, PolicyKind, evaluate
from pull_responder.authorization.policy import PolicyError, parse_policy
from pull_responder.authorization.request import UNKNOWN, Request, RequestError
from pull_responder.model.unread import Unread
from pull_responder.pulls.reasons import not_a_policy

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.authorization.request import ContextValue
    from pull_responder.facts.iam import Role

ASSUME_ROLE: Final = "sts:AssumeRole"
WEB_IDENTITY: Final = "sts:AssumeRoleWithWebIdentity"


def trust_outcome(
    role: Role,
    principal: str,
    *,
    action: str = ASSUME_ROLE,
    context: Mapping[str, ContextValue],
    document: Mapping[str, object] | None = None,
) -> Outcome | Unread:
    """Evaluate the trust policy for a request of `principal`: a service's name, or the ARN of an OIDC provider.

    - `context`: the condition keys that are known. All others of `aws:` and `sts:` are unknown.
    - `document`: a policy to evaluate in place of the role's own.

    The trust policy is the resource policy of the role. Unread where it cannot be parsed.
    """
    try:
        policy = parse_policy(document or role.trust_policy, name=f"the trust policy of {role.arn}")
        keys: dict[str, ContextValue] = {"aws:*": UNKNOWN, "sts:*": UNKNOWN, **context}
        request = Request(principal, action, role.arn, role.account, keys)
    except (PolicyError, RequestError) as error:
        return Unread(not_a_policy(f"the trust policy of {role.arn}", error))
    return evaluate(request, Policies(resource=policy)).outcomes[PolicyKind.RESOURCE]
