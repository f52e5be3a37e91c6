"""One statement of a policy, prepared for matching requests against it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from pull_responder.authorization.condition import Condition
from pull_responder.authorization.dependency import Dependency, Doubt, UnknownKey
from pull_responder.authorization.principal import PrincipalElement
from pull_responder.authorization.request import UNKNOWN, Context, Request, Strength, Truth
from pull_responder.authorization.resource_pattern import ResourcePattern
from pull_responder.authorization.variable import Template, pattern_of, template
from pull_responder.model.pattern import TextTest, compile_pattern
from pull_responder.model.quoting import ELEMENT, quote

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class Effect(StrEnum):
    """What a statement does when it matches."""

    ALLOW = "Allow"
    DENY = "Deny"


class Texts:
    """The values of Action, NotAction, Resource or NotResource. `inverted` means NotAction or NotResource.

    Patterns are compiled when a request first needs them, because most statements already fail on their action.
    """

    __slots__ = ("_arns", "_doubtful", "_exact", "_plain", "_templates", "_tests", "inverted", "values")

    def __init__(
        self,
        values: Sequence[str],
        plain: Sequence[str],
        templates: Sequence[tuple[str, Template]] = (),
        *,
        inverted: bool,
        arns: bool = False,
    ) -> None:
        self.values = tuple(values)
        self.inverted = inverted
        self._plain = plain
        self._arns = arns
        self._templates = [(each, ResourcePattern.read(text)) for text, each in templates] if templates else []
        self._exact: frozenset[str] | None = None
        self._tests: list[TextTest] = []
        self._doubtful: list[tuple[TextTest, ResourcePattern]] = []

    @classmethod
    def actions(cls, values: Sequence[str], *, inverted: bool) -> Texts:
        """Return the element for actions, which match without regard to case."""
        if not inverted and tuple(values) == _STAR:
            return _EVERYTHING
        return cls(values, [value.lower() for value in values], inverted=inverted)

    @classmethod
    def resources(cls, values: Sequence[str], *, inverted: bool, variables: bool) -> Texts:
        """Return the element for resources. Raises ValueError when a policy variable is malformed."""
        if not inverted and tuple(values) == _STAR:
            return _EVERYTHING
        if not variables or not any("${" in value for value in values):
            return cls(values, values, inverted=inverted, arns=True)
        found = [(value, template(value)) for value in values]
        plain = [value for value, each in found if each is None]
        templates = [(value, each) for value, each in found if each is not None]
        return cls(values, plain, templates, inverted=inverted, arns=True)

    def _prepare(self) -> frozenset[str]:
        self._exact = exact = frozenset(self._plain)
        if "*" in exact:
            return exact
        for text in self._plain:
            wild = "*" in text or "?" in text
            pattern = ResourcePattern.read(text) if self._arns else None
            if pattern and pattern.doubt:
                self._doubtful += [(compile_pattern(reading), pattern) for reading in pattern.readings]
            elif wild:
                self._tests.append(compile_pattern(text))
        return exact

    def cover(self, text: str, context: Context) -> Truth:
        """Return whether the element covers `text`.

        None if that depends on a policy variable of unknown value, or on what AWS does not document.
        """
        exact = self._exact
        if exact is None:
            exact = self._prepare()
        if "*" in exact or text in exact:  # a pattern also matches its own text
            return not self.inverted
        for test in self._tests:
            if test(text):
                return not self.inverted
        if self.values and not (self._doubtful or self._templates):
            return self.inverted
        return self._cover_in_doubt(text, context)

    def _cover_in_doubt(self, text: str, context: Context) -> Truth:
        doubt = not self.values  # a list of nothing but null
        missing = False
        for test, pattern in self._doubtful:
            if test(text):
                if pattern.certain(text, literal=context.literal):
                    return not self.inverted
                doubt = True
        for each, pattern in self._templates:
            resolved = each.resolve(context)
            if resolved is None:
                missing = True
            elif resolved is UNKNOWN:
                doubt = True
            elif pattern_of(resolved)(text):
                if pattern.certain(text, literal=context.literal):
                    return not self.inverted
                doubt = True
        if missing and self.inverted:
            # "The resource that includes a policy variable with no value will not match any resource." That may mean
            # that the statement covers the resource, or that it covers none.
            return False if context.literal else None
        return None if doubt else self.inverted

    def unknown(self, text: str, context: Context) -> Iterator[Dependency]:
        """Yield what the answer of `cover` depends on if it is None."""
        if not self.values:
            yield Doubt("what AWS takes a list of resources for that holds nothing but null")
        for test, pattern in self._doubtful:
            if test(text) and not pattern.certain(text, literal=context.literal):
                yield Doubt(str(pattern))
        for each, pattern in self._templates:
            resolved = each.resolve(context)
            if resolved is UNKNOWN:
                yield from (UnknownKey(key) for key in each.keys if context.get(key) is UNKNOWN)
            elif resolved is None:
                if self.inverted:
                    yield Doubt(f"how AWS matches {quote(pattern.text, ELEMENT)}: it has a variable without a value")
            elif pattern_of(resolved)(text):
                yield Doubt(str(pattern))


# Python 3.11 takes ten times as long to read an enumeration's member as a global.
_DENY, _NONE, _DIRECT = Effect.DENY, Strength.NONE, Strength.DIRECT
NOTHING = (_NONE, _NONE)

_STAR = ("*",)
_EVERYTHING = Texts(_STAR, _STAR, inverted=False)


@dataclass(slots=True, eq=False)  # not frozen: that would double what reading a policy costs
class Statement:
    """One statement of a policy.

    - `index`: its position in the policy, from 0.
    - `source`: its original JSON, to quote or to edit.
    - `principal`: None in a kind of policy without Principal.
    - `resources`: None if the statement names no resource.
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
        """What people find the statement by: its Sid in quotes, or its index from 0."""
        return quote(self.sid) if self.sid else f"Statement[{self.index}]"

    def match(self, request: Request, *, bounded: bool | None) -> tuple[Strength, Strength]:
        """Return the strength with which the statement certainly applies to the request, and that with which it may.

        In policies without Principal each is DIRECT or NONE. `bounded` says whether the caller has a permissions
        boundary; None if that could not be read. It matters because a Deny with NotPrincipal covers everybody who has
        a boundary.
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
        sure = possible = _DIRECT
        if self.principal is not None:
            limited = bounded if self.effect is _DENY else False
            sure, possible = self.principal.match(request.caller, literal=request.literal, bounded=limited)
            if possible is _NONE:
                return NOTHING
        for condition in self.conditions:
            holds = condition.holds(keys)
            if holds is False:
                return NOTHING
            surely = surely and holds is True
        return (sure if surely else _NONE), possible
