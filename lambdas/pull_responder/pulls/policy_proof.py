"""Proves a fix of policies before it is printed: evaluates the pull again with the policies as the commands leave them.

A fix that does not suffice says what else is in the way. Other kinds of policy have their own causes and fixes, so a
fix is held against its own kind alone.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.authorization.dependency import keys_of
from pull_responder.authorization.evaluation import Policies, PolicyKind, State, evaluate
from pull_responder.authorization.policy import Policy, PolicyError, parse_policy
from pull_responder.authorization.statement import Effect
from pull_responder.model.quoting import show_key
from pull_responder.model.unread import Unread
from pull_responder.pulls.endpoint_on_path import EndpointOutcome, examine_policy
from pull_responder.remediation.policy_changes import REGISTRY, REPOSITORY, policy_changes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pull_responder.authorization.evaluation import Outcome
    from pull_responder.model.verdict import Remediation
    from pull_responder.pulls.authorization import PullAuthorization
    from pull_responder.remediation.policy_edits import Document

_BLOCKS: Final = (State.BLOCKS_EXPLICITLY, State.BLOCKS_IMPLICITLY)
_INLINE: Final = "inline policy "
_LACKS: Final = {
    PolicyKind.IDENTITY: "no identity policy of the role",
    PolicyKind.BOUNDARY: "no statement of the boundary",
    PolicyKind.SCP: "not every level of the organization",
    PolicyKind.RCP: "not every level of the organization",
    PolicyKind.RESOURCE: "no statement of the repository's policy",
    PolicyKind.REGISTRY: "no statement of the registry's policy",
    PolicyKind.ENDPOINT: "no statement of the endpoint's policy",
}


def prove(fix: Remediation, authorization: PullAuthorization, kind: PolicyKind, *mends: Effect) -> Remediation:
    """Return the fix, with a sentence for each action that policies of `kind` would stop all the same.

    `mends` says what the fix is for: a missing Allow, a Deny, or both. What it is not for counts only where the fix
    itself brings it about, such as by detaching the policy that also allows.
    """
    if not fix.commands:
        return fix
    try:
        after = _evaluate(fix, authorization, kind)
    except PolicyError:  # nothing is known of a document that cannot be parsed
        return fix
    before = _outcomes(authorization, kind)
    clauses: dict[str, list[str]] = {}
    for (action, effect), outcome in after.items():
        was = before[action, effect].state
        is_its_own = effect in mends if was in _BLOCKS else was is not State.UNDECIDED
        if is_its_own and (clause := _clause(outcome, kind)):
            clauses.setdefault(clause, []).append(action)
    return _with_clauses(fix, clauses)


def prove_endpoints(fix: Remediation, stopped: Iterable[EndpointOutcome]) -> Remediation:
    """Return the fix, with a sentence for each request that a policy of a VPC endpoint would stop all the same."""
    changes = policy_changes(fix)
    clauses: dict[str, list[str]] = {}
    for each in stopped:
        document = changes.get(each.endpoint.id)
        after = examine_policy(replace(each.endpoint, policy=json.dumps(document)), each.request) if document else None
        for outcome in (after.by_allows, after.by_denies) if isinstance(after, EndpointOutcome) else ():
            if clause := _clause(outcome, PolicyKind.ENDPOINT):
                clauses.setdefault(clause, []).append(each.request.action)
    return _with_clauses(fix, clauses)


def _with_clauses(fix: Remediation, clauses: Mapping[str, list[str]]) -> Remediation:
    if not clauses:
        return fix
    said = "; ".join(clause.format(actions=" and ".join(actions)) for clause, actions in clauses.items())
    return replace(fix, summary=f"{fix.summary} This is not enough: {said}.", short="")


def _evaluate(
    fix: Remediation, authorization: PullAuthorization, kind: PolicyKind
) -> dict[tuple[str, Effect], Outcome]:
    changes = policy_changes(fix)
    return {
        (each.request.action, effect): evaluate(
            each.request, _changed(each.policies, kind, changes), only=effect
        ).outcomes[kind]
        for each in authorization.asked
        for effect in Effect
    }


def _outcomes(authorization: PullAuthorization, kind: PolicyKind) -> dict[tuple[str, Effect], Outcome]:
    return {
        (each.request.action, effect): decision.outcomes[kind]
        for each in authorization.asked
        for effect, decision in ((Effect.ALLOW, each.by_allows), (Effect.DENY, each.by_denies))
    }


def _clause(outcome: Outcome, kind: PolicyKind) -> str:
    """Return what stops an action, with a place for the actions; empty where nothing does."""
    if outcome.state is State.BLOCKS_EXPLICITLY and outcome.policy and outcome.statement:
        place = _braced(f"{outcome.policy.name}, {outcome.statement.place}")
        return f"{place} still denies {{actions}}"
    if outcome.state is State.BLOCKS_IMPLICITLY:
        return f"{_LACKS[kind]} then allows {{actions}}"
    if outcome.state is State.UNDECIDED and (keys := keys_of(outcome.unknown)):
        depends = _braced(", ".join(map(show_key, keys)))
        return f"whether {{actions}} is allowed then depends on {depends}, whose value is not known"
    return ""


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _changed(policies: Policies, kind: PolicyKind, changes: Mapping[str, Document | None]) -> Policies:
    """Return the policies with those of `kind` as the commands leave them."""
    if kind is PolicyKind.IDENTITY:
        return replace(policies, identity=_identity(policies, changes))
    if kind is PolicyKind.BOUNDARY:
        return replace(policies, boundary=_all(policies.boundary, kind, changes))
    return replace(
        policies,
        scps=_levels(policies.scps, kind, changes),
        rcps=_levels(policies.rcps, kind, changes),
        resource=_one(policies.resource, REPOSITORY, kind, changes),
        registry=_one(policies.registry, REGISTRY, kind, changes),
    )


def _identity(policies: Policies, changes: Mapping[str, Document | None]) -> tuple[Policy | Unread, ...] | Unread:
    """Return the role's own policies after the changes, with those that the commands add."""
    known = policies.identity
    if isinstance(known, Unread):
        return known
    others = () if isinstance(policies.boundary, Unread) else policies.boundary
    names = {_key(each) for each in (*known, *others) if isinstance(each, Policy)}
    added = [_parse(document, name, PolicyKind.IDENTITY) for name, document in changes.items() if name not in names]
    return (*(_all(known, PolicyKind.IDENTITY, changes)), *(each for each in added if each))


def _all(
    found: tuple[Policy | Unread, ...] | Unread, kind: PolicyKind, changes: Mapping[str, Document | None]
) -> tuple[Policy | Unread, ...]:
    if isinstance(found, Unread):
        return (found,)
    after = [_one(each, _key(each) if isinstance(each, Policy) else "", kind, changes) for each in found]
    return tuple(each for each in after if each is not None)


def _levels(
    found: tuple[tuple[Policy | Unread, ...], ...] | Unread, kind: PolicyKind, changes: Mapping[str, Document | None]
) -> tuple[tuple[Policy | Unread, ...], ...] | Unread:
    return found if isinstance(found, Unread) else tuple(_all(level, kind, changes) for level in found)


def _one(
    found: Policy | Unread | None, key: str, kind: PolicyKind, changes: Mapping[str, Document | None]
) -> Policy | Unread | None:
    if key not in changes or isinstance(found, Unread):
        return found
    return _parse(changes[key], found.name if found else key, kind)


def _key(policy: Policy) -> str:
    """Return what commands call the policy: an ARN, an inline policy's name, or an organization policy's id."""
    name = policy.name.removeprefix(_INLINE)
    return name.rpartition("/")[2] if name.startswith("arn:") and ":organizations:" in name else name


def _parse(document: Document | None, name: str, kind: PolicyKind) -> Policy | None:
    return parse_policy(document, name=name, kind=kind) if document else None
