"""Evidence for people: why a statement did not match, and what an undecided answer depends on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pull_responder.authorization.condition import Condition
from pull_responder.authorization.dependency import Dependency, Doubt
from pull_responder.authorization.policy import Policy
from pull_responder.authorization.request import Request, Strength, Truth
from pull_responder.authorization.statement import Effect, Statement
from pull_responder.model.quoting import ELEMENT, escape, quote_each, show_key

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Mismatch:
    """One element of a statement that a request does not meet.

    - `element`: the element's name in the policy.
    - `wanted`: the values in the policy.
    - `found`: the values in the request; empty if the request lacks the condition key.
    - `operator`, `key`: for a Condition, which one.
    """

    element: str
    wanted: tuple[str, ...]
    found: tuple[str, ...] = ()
    operator: str | None = None
    key: str | None = None

    def __str__(self) -> str:
        if self.element == "Condition":
            found = f"the request has {quote_each(self.found) or 'no such key'}"
            return f"{self.operator} {show_key(self.key or '')} {quote_each(self.wanted)} is not met: {found}"
        wanted, found = quote_each(self.wanted, ELEMENT), escape(self.found[0])[:ELEMENT]
        if self.element.startswith("Not"):
            return f"{self.element} {wanted} excludes {found}"
        return f"{self.element} {wanted} does not include {found}"


@dataclass(frozen=True, slots=True)
class Nearest:
    """The Allow statement that came nearest to matching, with every element that did not match."""

    policy: Policy
    statement: Statement
    mismatches: tuple[Mismatch, ...]

    def __str__(self) -> str:
        return f"{self.policy.name}, {self.statement.place}: {'; '.join(map(str, self.mismatches))}"


def nearest_allow(request: Request, policies: tuple[Policy, ...]) -> Nearest | None:
    """Return the Allow with the fewest mismatches; None if no Allow is about the action."""
    found = [
        Nearest(policy, statement, mismatches)
        for policy in policies
        for statement in policy.allows
        if (mismatches := tuple(_mismatches(request, statement))) and (mismatches[0].element != "Action")
    ]
    return min(found, key=lambda nearest: len(nearest.mismatches), default=None)


def _mismatches(request: Request, statement: Statement) -> Iterator[Mismatch]:
    keys = request.keys
    if not statement.actions.cover(request.action_name, keys):
        element = "NotAction" if statement.actions.inverted else "Action"
        yield Mismatch(element, statement.actions.values, (request.action,))
    if (principal := statement.principal) is not None:
        _, possible = principal.match(request.caller, literal=request.literal, bounded=False)
        if possible is Strength.NONE:
            element = "NotPrincipal" if principal.inverted else "Principal"
            yield Mismatch(element, tuple(sorted(principal.names)), (request.principal,))
    if (resources := statement.resources) is not None and resources.cover(request.resource, keys) is False:
        yield Mismatch("NotResource" if resources.inverted else "Resource", resources.values, (request.resource,))
    for condition in statement.conditions:
        if condition.holds(keys) is False:
            yield _condition_mismatch(condition, request)


def _condition_mismatch(condition: Condition, request: Request) -> Mismatch:
    values = request.keys.get(condition.folded_key)
    found = values if isinstance(values, tuple) else ()
    return Mismatch("Condition", condition.values, found, condition.operator.name, condition.key)


def unknowns(
    request: Request, policies: tuple[Policy, ...], *, bounded: Truth, only: Effect | None
) -> tuple[Dependency, ...]:
    """Return what decides whether the uncertain statements of `policies` match the request.

    `bounded` is as in `Statement.match`. `only` restricts this to statements of one effect.
    """
    found: dict[Dependency, None] = {}
    for policy in policies:
        for statement in policy.statements:
            if only not in (None, statement.effect):
                continue
            sure, possible = statement.match(request, bounded=bounded)
            if possible > sure:
                found.update(dict.fromkeys(_unknown(request, statement, bounded=bounded)))
    return tuple(found)


def _unknown(request: Request, statement: Statement, *, bounded: Truth) -> Iterator[Dependency]:
    keys = request.keys
    if (resources := statement.resources) is not None and resources.cover(request.resource, keys) is None:
        yield from resources.unknown(request.resource, keys)
    if (principal := statement.principal) is not None:
        sure, possible = principal.match(request.caller, literal=request.literal, bounded=bounded)
        if possible > sure:
            yield Doubt(principal.doubt(request.caller, bounded=bounded))
    for condition in statement.conditions:
        if condition.holds(keys) is None:
            yield from condition.unknown(keys)
