"""A cluster whose pods pull with roles of their own, and the denials of those roles."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from tests.integration.checks.estate import NO_REASON, Estate, arn_of, policy

if TYPE_CHECKING:
    from pull_responder.model.arn import Arn
    from pull_responder.model.pull import PullFailure
    from tests.integration.checks.estate import Statement

KUBELET: Final = "ecr-credential-provider"
GITHUB: Final = "token.actions.githubusercontent.com"


def issuer(estate: Estate, cluster: str = "prod") -> str:
    """The issuer of a cluster that exists, without its scheme."""
    url: str = estate.client("eks").describe_cluster(name=cluster)["cluster"]["identity"]["oidc"]["issuer"]
    return url.partition("://")[2]


def provider(estate: Estate, issuer: str) -> str:
    return f"arn:aws:iam::{estate.account}:oidc-provider/{issuer}"


def web_identity(estate: Estate, issuer: str, **conditions: dict[str, str]) -> Statement:
    """A statement of a trust policy for tokens of an issuer; conditions are on its claims: StringEquals={"aud": …}."""
    on = {operator: {f"{issuer}:{key}": value for key, value in each.items()} for operator, each in conditions.items()}
    return {
        "Effect": "Allow",
        "Principal": {"Federated": provider(estate, issuer)},
        "Action": "sts:AssumeRoleWithWebIdentity",
        **({"Condition": on} if on else {}),
    }


def pod_role(estate: Estate, *trust: Statement, may: Statement | None = None, name: str = "team-a-pull") -> Arn:
    """A role with this trust policy, which may do what one statement allows."""
    iam = estate.client("iam")
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(policy(*trust)))
    role = arn_of(made["Role"]["Arn"])
    if may:
        estate.put_inline(role, "pull", policy(may))
    return role


def denied(  # noqa: PLR0913 -- each is one keyword
    estate: Estate,
    role: Arn,
    repository: Arn | None,
    reason: str = NO_REASON,
    *,
    action: str = "ecr:BatchGetImage",
    session: str = KUBELET,
    of: str | None = None,
) -> PullFailure:
    """The denial of a session of the role, which was issued for a token of the issuer `of` where the event says so."""
    pull = estate.denied(role, repository, reason, action=action, session=session)
    if of is None:
        return pull
    record: dict[str, Any] = estate.record
    record["userIdentity"]["sessionContext"]["webIdFederationData"] = {
        "federatedProvider": provider(estate, of),
        "attributes": {},
    }
    return estate.read(record)
