"""Policy documents in, checked and made ready to be matched.

The grammar is the IAM User Guide's, "Grammar of the IAM JSON policy language". What AWS would not take is refused
here too, because an evaluator that guesses at a policy would answer wrongly. Empty lists and objects are taken, as
AWS takes them (IAM Access Analyzer's "Empty array action" and its like are only suggestions): they name nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NoReturn

from pull_responder.authorization.condition import Condition, condition_operator
from pull_responder.authorization.policy_kind import WITH_PRINCIPAL, WITHOUT_RESOURCE, PolicyKind
from pull_responder.authorization.principal import TYPES, PrincipalElement
from pull_responder.authorization.statement import Effect, Statement, Texts

MAXIMUM_LENGTH = 524_288
"""The longest policy document that is read, in characters: well above the longest of AWS's own managed policies."""

_POLICY_ELEMENTS = frozenset({"Version", "Id", "Statement"})
_STATEMENT_ELEMENTS = frozenset(
    {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
)
_VERSIONS = ("2008-10-17", "2012-10-17")
_WITH_VARIABLES = "2012-10-17"
# Python 3.11 takes ten times as long to read an enumeration's member as a global.
_ALLOW, _DENY = Effect.ALLOW, Effect.DENY
_LIST = (list, tuple)
_OBJECT = (dict, Mapping)  # dict first: asking the abstract class costs ten times as much


class PolicyError(ValueError):
    """A policy document that AWS would not take; the message names the policy and the place in it."""


class Policy:
    """A policy under the name or ARN that people know it by, its statements in order and parted by effect."""

    __slots__ = ("allows", "denies", "name", "statements")

    def __init__(self, name: str, statements: tuple[Statement, ...]) -> None:
        self.name = name
        self.statements = statements
        self.denies = tuple([each for each in statements if each.effect is _DENY])
        self.allows = tuple([each for each in statements if each.effect is _ALLOW]) if self.denies else statements

    def __repr__(self) -> str:
        return f"Policy({self.name!r}, {len(self.statements)} statements)"


def parse_policy(document: str | Mapping[str, object], *, name: str, kind: PolicyKind | None = None) -> Policy:
    """Read a policy document, JSON text or already parsed, and make it ready to be matched.

    `name` is what errors and evidence call it. With `kind`, elements that such a policy must have, or cannot have,
    are checked too. Raises PolicyError.
    """
    return _Reader(name, kind).policy(_document(document, name))


def _document(document: str | Mapping[str, object], name: str) -> object:
    if not isinstance(document, str):
        return document
    if len(document) > MAXIMUM_LENGTH:
        raise PolicyError(f"policy {name}: longer than {MAXIMUM_LENGTH} characters")
    try:
        return json.loads(document, object_pairs_hook=_without_repetition)
    except RecursionError:
        raise PolicyError(f"policy {name}: nested too deeply") from None
    except ValueError as error:
        raise PolicyError(f"policy {name}: not JSON: {error}") from None


def _without_repetition(pairs: list[tuple[str, object]]) -> dict[str, object]:
    read = dict(pairs)
    if len(read) != len(pairs):
        names = [key for key, _ in pairs]
        repeated = next(key for key in names if names.count(key) > 1)
        raise ValueError(f'element "{repeated[:100]}" stands twice in one object')
    return read


class _Reader:
    """Reads one document; `self.index` follows along for messages."""

    def __init__(self, name: str, kind: PolicyKind | None) -> None:
        self.name = name
        self.kind = kind
        self.index: int | None = None
        self.variables = False
        self.length = 0

    def fail(self, problem: str, element: str = "") -> NoReturn:
        """Raise PolicyError for an element of the present statement."""
        statement = "" if self.index is None else f"Statement[{self.index}]"
        place = ".".join(part for part in (statement, element) if part)
        raise PolicyError(f"policy {self.name}: {place + ': ' if place else ''}{problem}")

    def policy(self, document: object) -> Policy:
        if not isinstance(document, _OBJECT):
            self.fail("must be a JSON object")
        self.only(_POLICY_ELEMENTS, document)
        version = document.get("Version", _VERSIONS[0])
        if version not in _VERSIONS:
            self.fail(f"must be {_VERSIONS[0]} or {_VERSIONS[1]}", "Version")
        if not isinstance(document.get("Id", ""), str):
            self.fail("must be a text", "Id")
        self.variables = version == _WITH_VARIABLES
        statements = document.get("Statement")
        if isinstance(statements, _OBJECT):
            statements = [statements]
        if not isinstance(statements, _LIST):
            self.fail("must be a statement or a list of statements", "Statement")
        return Policy(self.name, tuple([self.statement(index, each) for index, each in enumerate(statements)]))

    def statement(self, index: int, source: object) -> Statement:
        self.index = index
        if not isinstance(source, _OBJECT):
            self.fail("must be a JSON object")
        self.only(_STATEMENT_ELEMENTS, source)
        sid = source.get("Sid")
        if sid is not None and not isinstance(sid, str):
            self.fail("must be a text", "Sid")
        effect = source.get("Effect")
        if effect not in ("Allow", "Deny"):
            self.fail("must be Allow or Deny", "Effect")
        return Statement(
            index,
            sid or None,
            _ALLOW if effect == "Allow" else _DENY,
            source,
            self.actions(source),
            self.resources(source),
            self.principal(source),
            self.conditions(source) if "Condition" in source else (),
        )

    def actions(self, source: Mapping[str, object]) -> Texts:
        element = self.one_of("Action", "NotAction", source)
        if element is None:
            self.fail("must have Action or NotAction")
        values = self.texts(source[element], element)
        for value in values:
            if ":" not in value and value != "*":
                self.fail(f'"{value[:100]}" is neither * nor of the form service:Action', element)
        return Texts.actions(values, inverted=element == "NotAction")

    def resources(self, source: Mapping[str, object]) -> Texts | None:
        element = self.one_of("Resource", "NotResource", source)
        if element is None:
            if self.kind is not None and self.kind not in WITHOUT_RESOURCE:
                self.fail("must have Resource or NotResource")
            return None
        values = self.texts(source[element], element)
        try:
            return Texts.resources(values, inverted=element == "NotResource", variables=self.variables)
        except ValueError as error:
            self.fail(str(error), element)

    def principal(self, source: Mapping[str, object]) -> PrincipalElement | None:
        element = self.one_of("Principal", "NotPrincipal", source)
        if element is None:
            if self.kind in WITH_PRINCIPAL:
                self.fail("must have Principal or NotPrincipal")
            return None
        if self.kind is not None and self.kind not in WITH_PRINCIPAL:
            self.fail(f"has no place in a policy of this kind ({self.kind})", element)
        value = source[element]
        if value == "*":
            return PrincipalElement.read({"AWS": ("*",)}, inverted=element == "NotPrincipal")
        if not isinstance(value, _OBJECT):
            self.fail('must be "*" or an object', element)
        for type_ in value:
            if type_ not in TYPES:
                self.fail(f'unknown type of principal "{str(type_)[:100]}"', element)
        listed = {type_: tuple(self.texts(value[type_], f"{element}.{type_}")) for type_ in value}
        return PrincipalElement.read(listed, inverted=element == "NotPrincipal")

    def conditions(self, source: Mapping[str, object]) -> tuple[Condition, ...]:
        block = source["Condition"]
        if not isinstance(block, _OBJECT):
            self.fail("must be a JSON object", "Condition")
        read: list[Condition] = []
        for name, keys in block.items():
            try:
                operator = condition_operator(name)
            except ValueError as error:
                self.fail(str(error), "Condition")
            if not isinstance(keys, _OBJECT):
                self.fail("must be an object of condition keys", f"Condition.{name}")
            for key, values in keys.items():
                texts = self.scalars(values, name, key)
                try:
                    read.append(Condition(operator, key, texts, variables=self.variables))
                except ValueError as error:
                    self.fail(str(error), _place(name, key))
        return tuple(read)

    def only(self, elements: frozenset[str], source: Mapping[str, object]) -> None:
        if not elements.issuperset(source):
            unknown = next(element for element in source if element not in elements)
            self.fail(f'unknown element "{str(unknown)[:100]}"')

    def one_of(self, element: str, negation: str, source: Mapping[str, object]) -> str | None:
        if element in source:
            if negation in source:
                self.fail(f"has both {element} and {negation}")
            return element
        return negation if negation in source else None

    def texts(self, value: object, element: str) -> Sequence[str]:
        if isinstance(value, str):
            value = (value,)
        if not isinstance(value, _LIST):
            self.fail("must be a text or a list of texts", element)
        for each in value:
            if not (isinstance(each, str) and each):
                self.fail("must hold nothing but texts that are not empty", element)
            self.length += len(each)
        if self.length > MAXIMUM_LENGTH:
            self.fail_length(element)
        return value

    def scalars(self, value: object, operator: str, key: str) -> Sequence[str]:
        """Condition values: texts, numbers and true or false, which AWS keeps as texts."""
        read = []
        for each in value if isinstance(value, _LIST) else (value,):
            if isinstance(each, str):
                text = each
            elif isinstance(each, bool):
                text = "true" if each else "false"
            elif isinstance(each, (int, float)):
                text = str(each)
            else:
                self.fail("must be a text, a number, true or false, or a list of them", _place(operator, key))
            self.length += len(text)
            read.append(text)
        if self.length > MAXIMUM_LENGTH:
            self.fail_length(_place(operator, key))
        return read

    def fail_length(self, element: str) -> NoReturn:
        """Documents that came already parsed are bounded by the texts in them."""
        self.fail(f"the policy is longer than {MAXIMUM_LENGTH} characters", element)


def _place(operator: str, key: str) -> str:
    return f"Condition.{operator}.{key[:200]}"
