"""Read policy documents: check their grammar and prepare them for matching.

Sources: IAM User Guide, "Grammar of the IAM JSON policy language"; AWS's answers to iam:CreatePolicy, as recorded in
the tests of moto (test_iam_policies.py). A document that AWS rejects is rejected here too: an evaluator that guesses
what it means would answer wrongly. AWS wants statements, actions and resources, so empty lists of these are rejected.
It takes empty Condition objects, operators without keys, and keys without values.

Not checked: rules about one service's ARNs, such as that ARNs of IAM name no region. And a policy of version 2008-10-17
is read, although iam:CreatePolicy takes no new one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import NoReturn

from pull_responder.authorization.condition import Condition, condition_operator
from pull_responder.authorization.policy_kind import WITH_PRINCIPAL, WITHOUT_RESOURCE, PolicyKind
from pull_responder.authorization.principal import TYPES, PrincipalElement
from pull_responder.authorization.resource_pattern import problem_of
from pull_responder.authorization.statement import Effect, Statement, Texts
from pull_responder.model.quoting import escape, quote, show_key

MAXIMUM_LENGTH = 524_288
"""The longest policy document that is read, in characters. The longest AWS managed policy is far shorter."""

_POLICY_ELEMENTS = frozenset({"Version", "Id", "Statement"})
_STATEMENT_ELEMENTS = frozenset(
    {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
)
# The service holds no wildcard unless it is one. AWS takes any characters in the action's name, except a colon.
_ACTION = re.compile(r"(?:\*|[A-Za-z0-9.-]+):[^:]*")
_VERSIONS = ("2008-10-17", "2012-10-17")
_UNIQUE_SIDS = frozenset({PolicyKind.IDENTITY, PolicyKind.BOUNDARY, PolicyKind.SESSION})  # IAM's own kinds
_WITH_VARIABLES = "2012-10-17"
# Python 3.11 takes ten times as long to read an enumeration's member as a global.
_ALLOW, _DENY = Effect.ALLOW, Effect.DENY
_LIST = (list, tuple)
_OBJECT = (dict, Mapping)  # dict first: asking the abstract class costs ten times as much


class PolicyError(ValueError):
    """A policy document that AWS would reject. The message names the policy and the element."""


class Policy:
    """A policy: its name or ARN, its statements in order, and the same statements by effect."""

    __slots__ = ("allows", "denies", "name", "statements")

    def __init__(self, name: str, statements: tuple[Statement, ...]) -> None:
        self.name = name
        self.statements = statements
        self.denies = tuple([each for each in statements if each.effect is _DENY])
        self.allows = tuple([each for each in statements if each.effect is _ALLOW]) if self.denies else statements

    def __repr__(self) -> str:
        return f"Policy({self.name!r}, {len(self.statements)} statements)"


def parse_policy(document: str | Mapping[str, object], *, name: str, kind: PolicyKind | None = None) -> Policy:
    """Return the policy that `document` contains, as JSON text or already parsed. Raises PolicyError.

    `name` is the policy's name in errors and evidence. With `kind`, the reader also checks the elements that this kind
    of policy must have or must not have.
    """
    return _Reader(name, kind).policy(_document(document, name))


def _document(document: str | Mapping[str, object], name: str) -> object:
    if not isinstance(document, str):
        return document
    if len(document) > MAXIMUM_LENGTH:
        raise PolicyError(f"policy {name}: longer than {MAXIMUM_LENGTH} characters")
    try:
        return json.loads(document, object_pairs_hook=_reject_repeated_elements)
    except RecursionError:
        raise PolicyError(f"policy {name}: nested too deeply") from None
    except ValueError as error:
        raise PolicyError(f"policy {name}: not JSON: {error}") from None


def _reject_repeated_elements(pairs: list[tuple[str, object]]) -> dict[str, object]:
    read: dict[str, object] = {}
    for key, value in pairs:
        if key in read:
            raise ValueError(f"element {quote(key)} appears twice in one object")
        read[key] = value
    return read


class _Reader:
    """Reads one document. `self.index` is the statement being read, for error messages."""

    def __init__(self, name: str, kind: PolicyKind | None) -> None:
        self.name = name
        self.kind = kind
        self.index: int | None = None
        self.variables: bool
        self.length = 0
        self.sids: set[str] = set()

    def fail(self, problem: str, element: str = "") -> NoReturn:
        """Raise PolicyError for an element of the current statement."""
        statement = "" if self.index is None else f"Statement[{self.index}]"
        place = ".".join(part for part in (statement, element) if part)
        raise PolicyError(escape(f"policy {self.name}: {place + ': ' if place else ''}{problem}"))

    def policy(self, document: object) -> Policy:
        if not isinstance(document, _OBJECT):
            self.fail("must be a JSON object")
        self.reject_unknown_elements(_POLICY_ELEMENTS, document)
        version = document.get("Version", _VERSIONS[0])
        if version not in _VERSIONS:
            self.fail(f"must be {_VERSIONS[0]} or {_VERSIONS[1]}", "Version")
        if not isinstance(document.get("Id", ""), str):
            self.fail("must be a string", "Id")
        self.variables = version == _WITH_VARIABLES
        statements = document.get("Statement")
        if isinstance(statements, _OBJECT):
            statements = [statements]
        if not isinstance(statements, _LIST):
            self.fail("must be a statement or a list of statements", "Statement")
        if not statements:
            self.fail("must have at least one statement", "Statement")
        return Policy(self.name, tuple([self.statement(index, each) for index, each in enumerate(statements)]))

    def statement(self, index: int, source: object) -> Statement:
        self.index = index
        if not isinstance(source, _OBJECT):
            self.fail("must be a JSON object")
        self.reject_unknown_elements(_STATEMENT_ELEMENTS, source)
        sid = source.get("Sid")
        if sid is not None and not isinstance(sid, str):
            self.fail("must be a string", "Sid")
        if sid and self.kind in _UNIQUE_SIDS:
            if sid in self.sids:
                self.fail(f'"{sid[:100]}" is the Sid of two statements', "Sid")
            self.sids.add(sid)
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
        if not values:
            self.fail("must have at least one action", element)
        for value in values:
            if value != "*" and _ACTION.fullmatch(value) is None:
                self.fail(f'"{value[:100]}" is neither * nor of the form service:Action', element)
        return Texts.actions(values, inverted=element == "NotAction")

    def resources(self, source: Mapping[str, object]) -> Texts | None:
        element = self.one_of("Resource", "NotResource", source)
        if element is None:
            if self.kind is not None and self.kind not in WITHOUT_RESOURCE:
                self.fail("must have Resource or NotResource")
            return None
        listed = source[element]
        if isinstance(listed, _LIST) and not listed:
            self.fail("must have at least one resource", element)
        if isinstance(listed, _LIST) and None in listed:  # AWS takes null in a list of resources
            listed = [each for each in listed if each is not None]
        values = self.texts(listed, element)
        try:
            read = Texts.resources(values, inverted=element == "NotResource", variables=self.variables)
        except ValueError as error:
            self.fail(str(error), element)
        for value in values:
            if problem := problem_of(value):
                self.fail(problem, element)
        return read

    def principal(self, source: Mapping[str, object]) -> PrincipalElement | None:
        element = self.one_of("Principal", "NotPrincipal", source)
        if element is None:
            if self.kind in WITH_PRINCIPAL:
                self.fail("must have Principal or NotPrincipal")
            return None
        if self.kind is not None and self.kind not in WITH_PRINCIPAL:
            self.fail(f"is not allowed in this kind of policy ({self.kind})", element)
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
            if keys == {}:  # AWS takes any name for an operator without keys
                continue
            try:
                operator = condition_operator(name)
            except ValueError as error:
                self.fail(str(error), "Condition")
            if not isinstance(keys, _OBJECT):
                self.fail("must be an object of condition keys", f"Condition.{show_key(name)}")
            for key, values in keys.items():
                texts = self.scalars(values, name, key)
                try:
                    read.append(Condition(operator, key, texts, variables=self.variables))
                except ValueError as error:
                    self.fail(str(error), _place(name, key))
        return tuple(read)

    def reject_unknown_elements(self, elements: frozenset[str], source: Mapping[str, object]) -> None:
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
            self.fail("must be a string or a list of strings", element)
        for each in value:
            if not (isinstance(each, str) and each):
                self.fail("must contain only strings that are not empty", element)
            self.length += len(each)
        if self.length > MAXIMUM_LENGTH:
            self.fail_length(element)
        return value

    def scalars(self, value: object, operator: str, key: str) -> Sequence[str]:
        """Return the values of a condition as strings, as AWS stores strings, numbers, true and false."""
        read = []
        for each in value if isinstance(value, _LIST) else (value,):
            if isinstance(each, str):
                text = each
            elif isinstance(each, bool):
                text = "true" if each else "false"
            elif isinstance(each, (int, float)):
                text = str(each)
            else:
                self.fail("must be a string, a number, true or false, or a list of these", _place(operator, key))
            self.length += len(text)
            read.append(text)
        if self.length > MAXIMUM_LENGTH:
            self.fail_length(_place(operator, key))
        return read

    def fail_length(self, element: str) -> NoReturn:
        """Raise PolicyError for a document that was already parsed: its length is that of the strings in it."""
        self.fail(f"the policy is longer than {MAXIMUM_LENGTH} characters", element)


def _place(operator: str, key: str) -> str:
    return f"Condition.{operator}.{show_key(key)}"
