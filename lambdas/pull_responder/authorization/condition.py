"""One condition of a statement: an operator, a condition key, and the values that the policy compares it with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from pull_responder.authorization.dependency import Dependency, Doubt, UnknownKey
from pull_responder.authorization.operator import NULL, OPERATORS, Operator
from pull_responder.authorization.partly_known import OneOf
from pull_responder.authorization.request import UNKNOWN, Context, Truth
from pull_responder.authorization.variable import Template, literal_of, template
from pull_responder.model.pattern import TextTest
from pull_responder.model.quoting import quote, quote_each, show_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.authorization.partly_known import PartlyKnown

_IF_EXISTS = "ifexists"

MOST_COMPARISONS: Final = 200_000
"""The most pairs of a request's value and a policy's value that are compared. Beyond, the answer is not known."""

_LIKE_OPERATORS: Final = frozenset({"StringLike", "StringNotLike"})
_STRING_OPERATORS: Final = _LIKE_OPERATORS | {"StringEquals", "StringNotEquals"}


class Quantifier(Enum):
    """The set operators for keys with several values."""

    FOR_ALL_VALUES = "forallvalues:"
    FOR_ANY_VALUE = "foranyvalue:"


# Python 3.11 takes ten times as long to read an enumeration's member as a global.
_FOR_ALL, _FOR_ANY = Quantifier.FOR_ALL_VALUES, Quantifier.FOR_ANY_VALUE


@dataclass(frozen=True, slots=True)
class ConditionOperator:
    """The parts of an operator as a policy names it, such as ForAnyValue:StringLikeIfExists.

    `absent` says whether the condition is met when the request lacks the key. Source: IAM User Guide, "Condition
    operators" and "Single-valued vs. multivalued context keys".
    """

    name: str
    operator: Operator
    quantifier: Quantifier | None
    absent: bool


@lru_cache(maxsize=1024)  # policies are not trusted, and one name can be written in many mixes of case
def condition_operator(name: str) -> ConditionOperator:
    """Return the operator of that name, in any case. Raises ValueError if there is no such operator."""
    rest = name.lower()
    quantifier = next((each for each in Quantifier if rest.startswith(each.value)), None)
    if quantifier:
        rest = rest.removeprefix(quantifier.value)
    if_exists = rest.endswith(_IF_EXISTS)
    operator = OPERATORS.get(rest.removesuffix(_IF_EXISTS))
    if operator is None or (operator is NULL and if_exists):
        raise ValueError(f"unknown operator {quote(name)}")
    absent = if_exists or quantifier is _FOR_ALL or (quantifier is None and operator.negated)
    return ConditionOperator(name, operator, quantifier, absent)


class Condition:
    """One condition, prepared for testing. `key` and `values` are as in the policy.

    Values that can have the wrong type are checked at once. Strings and ARNs accept any value, so their tests are
    created when a request first needs them.
    """

    __slots__ = (
        "_equal",
        "_otherwise",
        "_plain",
        "_ready",
        "_templates",
        "_tests",
        "folded_key",
        "key",
        "operator",
        "values",
    )

    def __init__(self, operator: ConditionOperator, key: str, values: Sequence[str], *, variables: bool) -> None:
        """Raises ValueError when a value is not of the operator's type."""
        self.operator = operator
        self.key = key
        self.folded_key = key.lower()
        self.values = tuple(values)
        self._plain = values
        self._templates: list[Template] = []
        self._equal: frozenset[str] | None = None
        self._tests: list[TextTest] = []
        self._otherwise: list[TextTest] = []
        self._ready: bool = False
        if not operator.operator.variables:
            self._prepare()
        elif variables and any("${" in value for value in values):
            found = [(value, template(value)) for value in values]
            self._plain = [value for value, each in found if each is None]
            self._templates = [each for _, each in found if each is not None]

    def _prepare(self) -> None:
        operator = self.operator.operator
        if operator.by_equality:
            self._equal = frozenset(self._plain)
        else:
            self._tests = [operator.compare(value) for value in self._plain]
            if operator.otherwise:
                others = [operator.otherwise(value) for value in self._plain]
                if any(others):
                    self._otherwise = [other or test for other, test in zip(others, self._tests, strict=True)]
        self._ready = True

    def holds(self, context: Context) -> Truth:
        """Return whether the request meets the condition; None if that depends on something unknown."""
        values = context.get(self.folded_key)
        operator = self.operator
        if values is UNKNOWN:
            part = context.part(self.folded_key)
            return self._holds_for_part(part, context) if part else None
        if operator.operator is NULL:
            answer = self._null(absent=values is None)
        else:
            answer = operator.absent if values is None else self._answer(values, context)
        # IAM Access Analyzer says of a condition without values that it does not affect the policy. No page says that
        # it is never met.
        return None if answer is False and not self.values else answer

    def _answer(self, values: tuple[str, ...], context: Context) -> Truth:
        """Return `holds` for a key with these values."""
        if not self._ready:
            self._prepare()
        answer = self._decide(values, context, self._tests)
        if self._otherwise and not context.literal and answer is not self._decide(values, context, self._otherwise):
            return None
        if self._is_of_another_type(values):
            tests = [*self._tests, self._is_mistyped]
            return answer if answer is self._decide(values, context, tests) else None
        return answer

    def _is_of_another_type(self, values: tuple[str, ...]) -> bool:
        """Return whether a negated operator meets a value that is not of its type.

        AWS does not document whether such a value is unequal to all others, or meets no condition.
        """
        return self.operator.operator.negated and any(self._is_mistyped(value) for value in values)

    def _is_mistyped(self, value: str) -> bool:
        accepts = self.operator.operator.accepts
        return accepts is not None and not accepts(value)

    def _decide(self, values: tuple[str, ...], context: Context, tests: Sequence[TextTest]) -> Truth:
        """Return `holds` if `tests` are those of the values without variables."""
        if self._has_too_many(values):
            return None
        if self._templates:
            return self._holds_with_variables(values, context, tests)
        return self._compare(values, self._equal, tests)

    def _has_too_many(self, values: tuple[str, ...]) -> bool:
        """Return whether to compare each value of the request with each of the policy would take too long."""
        return self._equal is None and len(values) * len(self.values) > MOST_COMPARISONS

    def _holds_for_part(self, part: PartlyKnown, context: Context) -> Truth:
        """Return `holds` for a key with one value, of which only a part is known. Only string operators can tell."""
        kind = self.operator.operator
        if kind is NULL:
            return self._null(absent=False)
        if isinstance(part, OneOf):
            answers = {self._answer((text,), context) for text in part.texts}
            return answers.pop() if len(answers) == 1 else None
        if kind.name not in _STRING_OPERATORS:
            return None
        like = kind.name in _LIKE_OPERATORS
        matches = [part.matches(value, wildcards=like) for value in self._plain]
        for each in self._templates:
            resolved = each.resolve(context)
            if resolved is UNKNOWN:
                return None
            if resolved is None:  # a variable without a value matches nothing
                continue
            matches.append(part.matches(literal_of(resolved), wildcards=False))
        matched = True if True in matches else None if None in matches else False
        return None if matched is None else matched is not kind.negated

    def unknown(self, context: Context) -> tuple[Dependency, ...]:
        """Return what the answer of `holds` can depend on."""
        values = context.get(self.folded_key)
        keys = (key for each in self._templates for key in each.keys if context.get(key) is UNKNOWN)
        if values is UNKNOWN:
            # Once the key's value is read, the answer hangs on the variables that it is compared with.
            return tuple(UnknownKey(key) for key in (self.key, *keys))
        doubts: list[Dependency] = []
        if values and self._has_too_many(values):
            doubts.append(Doubt(f"{self.key}, whose {len(values)} values are too many to compare"))
        if not self.values:
            doubts.append(Doubt(f"how AWS reads {self.operator.name} {show_key(self.key)} without values"))
        elif self.operator.operator is NULL:
            doubts.append(
                Doubt(f"how AWS applies {self.operator.name} to {show_key(self.key)}, which the request lacks")
            )
        if self._otherwise and not context.literal:
            what = self.operator.operator.otherwise_means
            doubts.append(Doubt(f"how AWS compares {show_key(self.key)} with {what} ({quote_each(self.values)})"))
        if values and self._is_of_another_type(values):
            doubts.append(Doubt(f"how {self.operator.name} compares a value of another type ({quote_each(values)})"))
        return (*doubts, *(UnknownKey(key) for key in keys))

    def _null(self, *, absent: bool) -> Truth:
        """Return `holds` of Null. AWS does not say what a set operator adds to it.

        Inference: a set operator cannot change it for a key with values. For an absent key ForAllValues may hold, and
        ForAnyValue may not.
        """
        holds = any(test("true" if absent else "false") for test in self._tests)
        quantifier = self.operator.quantifier
        if absent and quantifier and holds is (quantifier is _FOR_ANY):
            return None
        return holds

    def _compare(self, values: tuple[str, ...], equal: frozenset[str] | None, tests: Sequence[TextTest]) -> bool:
        operator = self.operator
        wanted = not operator.operator.negated
        if operator.quantifier is _FOR_ALL:
            # An empty string is AWS's null data set, which meets ForAllValues.
            return all(_matches(value, equal, tests) is wanted for value in values) or not any(values)
        if operator.quantifier is _FOR_ANY:
            return any(_matches(value, equal, tests) is wanted for value in values)
        # Inference: AWS requires a set operator for keys with several values. What happens without one is undocumented.
        return any(_matches(value, equal, tests) for value in values) is wanted

    def _holds_with_variables(self, values: tuple[str, ...], context: Context, plain: Sequence[TextTest]) -> Truth:
        """Return `holds` for values with variables.

        A variable without a value is null, which nothing equals: no value of the request matches it, so a positive
        condition is not met by it, and a negated one is. Source: IAM User Guide, "IAM policy elements: Variables and
        tags", policy variables with no value.
        """
        kind = self.operator.operator
        tests = list(plain)
        equal = set(self._equal or ())
        unknown = False
        for each in self._templates:
            resolved = each.resolve(context)
            if resolved is None:
                continue
            if resolved is UNKNOWN:
                unknown = True
            elif self._equal is not None:
                equal.add(literal_of(resolved))
            elif kind.compare_tokens:
                tests.append(kind.compare_tokens(resolved))
            else:
                tests.append(kind.compare(literal_of(resolved)))
        answer = self._compare(values, frozenset(equal), tests)
        # An unknown variable is one more value that can match. A match can only make a positive condition true, and a
        # negated one false.
        if unknown and answer is kind.negated:
            return None
        return answer


def _matches(value: str, equal: frozenset[str] | None, tests: Sequence[TextTest]) -> bool:
    if equal is not None and value in equal:
        return True
    for test in tests:  # noqa: SIM110 -- any() with a generator costs three times as much here
        if test(value):
            return True
    return False
