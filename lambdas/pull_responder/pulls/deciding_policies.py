"""The policies that decide about a pull as they stand in AWS, and which of their statements do, for people to read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from pull_responder.authorization.evaluation import Outcome, State
from pull_responder.model.verdict import DecidingPolicy
from pull_responder.pulls.endpoint_on_path import policy_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pull_responder.authorization.evaluation import PolicyKind
    from pull_responder.pulls.endpoint_on_path import EndpointOutcome
    from pull_responder.pulls.policy_fault import PolicyFault

# More would say no more to a reader. IAM lets a role have at most 20 managed policies (IAM User Guide, quotas).
_MOST: Final = 25


def deciding_policies(fault: PolicyFault, kind: PolicyKind) -> tuple[DecidingPolicy, ...]:
    """Return the policies of `kind` that stop the pull, those with a deciding statement first.

    Where an Allow is missing, that is all of them, as each could have had it. Empty where AWS's message alone proves
    the fault.
    """
    authorization = fault.authorization
    denies = authorization.denies(kind) if fault.of_state(State.BLOCKS_EXPLICITLY) else {}
    statements = {name: set(indexes) for name, indexes in denies.items()}
    lacking = fault.of_state(State.BLOCKS_IMPLICITLY)
    for each in lacking:
        if nearest := each.outcome.nearest:
            statements.setdefault(nearest.policy.name, set()).add(nearest.statement.index)
    names = dict.fromkeys((*statements, *(authorization.names(kind) if lacking else ())))
    return tuple(
        DecidingPolicy(name, authorization.documents[name].document, tuple(sorted(statements.get(name, ()))))
        for name in list(names)[:_MOST]
        if name in authorization.documents
    )


def deciding_document(name: str, document: Mapping[str, object], outcomes: Iterable[Outcome]) -> DecidingPolicy:
    """Return one policy with the statements that decide in `outcomes`, which are all of this policy."""
    found = (each.statement or (each.nearest.statement if each.nearest else None) for each in outcomes)
    return DecidingPolicy(name, document, tuple(sorted({each.index for each in found if each})))


def deciding_endpoints(stopped: Iterable[EndpointOutcome]) -> tuple[DecidingPolicy, ...]:
    """Return the policies of the VPC endpoints that stop requests. Each could be parsed, as it was evaluated."""
    by_endpoint: dict[str, list[EndpointOutcome]] = {}
    for each in stopped:
        by_endpoint.setdefault(each.endpoint.id, []).append(each)
    policies = []
    for several in by_endpoint.values():
        endpoint = several[0].endpoint
        outcomes = [outcome for each in several for outcome in (each.by_denies, each.by_allows)]
        stops = [each for each in outcomes if each.state in (State.BLOCKS_EXPLICITLY, State.BLOCKS_IMPLICITLY)]
        policies.append(deciding_document(policy_name(endpoint), json.loads(endpoint.policy or "{}"), stops))
    return tuple(policies)
