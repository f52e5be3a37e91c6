"""One statement of a policy, ready to be matched against requests."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from pull_responder.authorization.condition import Condition
from pull_responder.authorization.pattern import TextTest, compile_pattern
from pull_responder.authorization.principal import PrincipalElement
from pull_responder.authorization.request import UNKNOWN, Context, Request, Strength, Truth
from pull_responder.authorization.variable import Template, pattern_of, template

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Effect(StrEnum):
    """What a statement does when it matches."""

    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True, slots=True)
class Texts:
    """The values of Action, NotAction, Resource or NotResource. `inverted` tells the Not… elements."""

    values: tuple[str, ...]
    inverted: bool
    everything: bool = field(repr=False)
    exact: frozenset[str] = field(repr=False)
    tests: tuple[TextTest, ...] = field(repr=False)
    templates: tuple[Template, ...] = field(repr=False)

    @classmethod
    def actions(cls, values: Sequence[str], *, inverted: bool) -> Texts:
        """Make the element of actions, which have no case."""
        return cls._compile(values, [value.lower() for value in values], (), inverted=inverted)

    @classmethod
    def resources(cls, values: Sequence[str], *, inverted: bool, variables: bool) -> Texts:
        """Make the element of resources. Raises ValueError when a policy variable is malformed."""
        plain: list[str] = []
        templates: list[Template] = []
        for value in values:
            found = template(value) if variables else None
            if found is None:
                plain.append(_complete(value))
            else:
                templates.append(found)
        return cls._compile(values, plain, tuple(templates), inverted=inverted)

    @classmethod
    def _compile(
        cls, values: Sequence[str], plain: Sequence[str], templates: tuple[Template, ...], *, inverted: bool
    ) -> Texts:
        exact = []
        tests = []
        for text in plain:
            if "*" in text or "?" in text:
                tests.append(compile_pattern(text))
            else:
                exact.append(text)
        return cls(tuple(values), inverted, "*" in plain, frozenset(exact), tuple(tests), templates)

    def cover(self, text: str, context: Context) -> Truth:
        """Return whether the element covers `text`; None where a policy variable in it is unknown."""
        listed: Truth = self.everything or text in self.exact
        if not listed:
            for test in self.tests:
                if test(text):
                    listed = True
                    break
            else:
                if self.templates:
                    return self._cover_variables(text, context)
        return listed is not self.inverted

    def _cover_variables(self, text: str, context: Context) -> Truth:
        unknown = missing = False
        for each in self.templates:
            resolved = each.resolve(context)
            if resolved is None:
                missing = True
            elif resolved is UNKNOWN:
                unknown = True
            elif pattern_of(resolved)(text):
                return not self.inverted
        if missing and self.inverted:  # AWS calls a statement invalid whose variable has no value
            return False
        return None if unknown else self.inverted


def _complete(resource: str) -> str:
    """An ARN of fewer than six parts stands for all that start so.

    Source: IAM User Guide, "AWS JSON policy elements: Resource", incomplete ARNs.
    """
    missing = 5 - resource.count(":")
    if missing <= 0 or not resource.startswith("arn:") or resource.endswith("*"):
        return resource
    return resource + ":*" * missing


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. `source` is its original JSON, to be quoted or amended; `index` counts from 0.

    `principal` is None in policies that have none, `resources` where the statement names no resource.
    """

    index: int
    sid: str | None
    effect: Effect
    source: Mapping[str, object] = field(repr=False)
    actions: Texts = field(repr=False)
    resources: Texts | None = field(repr=False)
    principal: PrincipalElement | None = field(repr=False)
    conditions: tuple[Condition, ...] = field(repr=False)

    @property
    def place(self) -> str:
        """How people find the statement: its Sid, or its index from 0."""
        return self.sid or f"Statement[{self.index}]"

    def match(self, request: Request, *, bounded: bool | None = False) -> tuple[Strength, Strength]:
        """Return how far the statement surely applies to the request, and how far it may.

        Both are DIRECT or NONE in policies without Principal. `bounded` says whether the caller has a permissions
        boundary, None where that could not be read: a Deny with NotPrincipal covers everybody who has one.
        """
        keys = request.keys
        if not self.actions.cover(request.action_name, keys):
            return NOTHING
        surely = True
        if self.resources is not None:
            covered = self.resources.cover(request.resource, keys)
            if covered is False:
                return NOTHING
            surely = covered is True
        sure = possible = Strength.DIRECT
        if self.principal is not None:
            limited = bounded if self.effect is Effect.DENY else False
            sure, possible = self.principal.match(request.caller, literal=request.literal, bounded=limited)
            if possible is Strength.NONE:
                return NOTHING
        for condition in self.conditions:
            holds = condition.holds(keys)
            if holds is False:
                return NOTHING
            surely = surely and holds is True
        return (sure if surely else Strength.NONE), possible


NOTHING = (Strength.NONE, Strength.NONE)
