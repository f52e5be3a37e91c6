"""Whether a role in a member trusts more than the hub's functions. Pure.

The template for members trusts the hub's account, on two conditions: the caller's role has a name of the hub's
functions (`aws:PrincipalArn`), and is of the organization (`aws:PrincipalOrgID`). Trust in the ARN of a role would be
lost when that role is made again (IAM User Guide, "IAM identifiers"), and trust in the account alone lets in every
principal there that may assume roles (same guide, "AWS JSON policy elements: Principal").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pull_responder.model.arn import Arn
from pull_responder.model.pattern import compile_pattern
from pull_responder.model.printable import clean_line

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

# What assumes a role: other actions, such as sts:TagSession, do nothing by themselves (Service Authorization Reference,
# "Actions, resources, and condition keys for AWS Security Token Service").
_ASSUME: Final = ("sts:assumerole", "sts:assumerolewithsaml", "sts:assumerolewithwebidentity")
# Operators that do not match where the key is absent (IAM User Guide, "IAM JSON policy elements: Condition operators").
_EXACT: Final = frozenset({"stringequals", "stringequalsignorecase"})
_OF_ARN: Final = frozenset({"arnlike", "arnequals", "stringequals", "stringlike"})
# The beginning of the names of the hub's functions' roles, and of all that a pattern of ours matches.
_OURS: Final = "PullResponder-"
# IAM User Guide, "IAM identifiers", "Unique identifiers".
_DELETED: Final = re.compile(r"AROA[A-Z0-9]{8,124}")
_NAME: Final = 100


@dataclass(frozen=True, slots=True)
class Trusted:
    """Who may assume a member's roles.

    - `account`, `organization`: the hub's.
    - `roles`: the ARNs of the hub's functions' roles. Those whose name begins as theirs count as well.
    """

    account: str
    organization: str
    roles: frozenset[str] = frozenset()

    def faults(self, policy: Mapping[str, object]) -> list[str]:
        """Return what a trust policy allows beyond that, a clause each; empty if nothing."""
        found = [fault for statement in _allowing(policy) for fault in self._of_statement(statement)]
        return list(dict.fromkeys(found))

    def _of_statement(self, statement: Mapping[str, Any]) -> Iterator[str]:
        principal = statement.get("Principal")
        if not isinstance(principal, dict | str):
            yield "it trusts everybody but those in a NotPrincipal"
            return
        named = {"AWS": principal} if isinstance(principal, str) else principal
        trusts_account = False
        for kind, names in named.items():
            for name in _texts(names):
                if kind == "AWS" and self._is_account(name):
                    trusts_account = True
                elif not (kind == "AWS" and self._is_role(name)):
                    yield f"it trusts {_shown(name)}, which is none of the hub's"
        if trusts_account:
            yield from self._of_account(statement)

    def _of_account(self, statement: Mapping[str, Any]) -> Iterator[str]:
        """Yield what lacks in the conditions of a statement that trusts the whole account of the hub."""
        organizations = _values(statement, "aws:principalorgid", _EXACT)
        if not organizations or set(organizations) != {self.organization}:
            yield f"it trusts account {self.account} without the condition aws:PrincipalOrgID for {self.organization}"
        arns = _values(statement, "aws:principalarn", _OF_ARN)
        if not arns or not all(map(self._is_role, arns)):
            yield f"it trusts all roles of account {self.account}: the condition aws:PrincipalArn names none of them"

    def _is_account(self, name: str) -> bool:
        arn = Arn.parse(name)
        is_root = arn is not None and arn.service == "iam" and arn.resource == "root" and arn.account == self.account
        return name == self.account or is_root

    def _is_role(self, name: str) -> bool:
        """Return whether it is a role of the hub's functions, or one that was deleted, by the id that is left of it."""
        arn = Arn.parse(name)
        if arn is None:
            return _DELETED.fullmatch(name) is not None
        is_named_so = arn.service == "iam" and arn.resource.startswith(f"role/{_OURS}")
        return name in self.roles or (is_named_so and arn.account == self.account)


def _allowing(policy: Mapping[str, object]) -> Iterator[Mapping[str, Any]]:
    statements = policy.get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        if not isinstance(statement, dict) or statement.get("Effect") != "Allow":
            continue
        if "NotAction" in statement or any(map(_assumes, _texts(statement.get("Action", [])))):
            yield statement


def _assumes(action: str) -> bool:
    """Return whether an action, with wildcards or without, matches one that assumes a role.

    IAM User Guide, "IAM JSON policy elements: Action": `*` and `?` match anywhere in it, names are not case-sensitive.
    """
    matches = compile_pattern(action.lower())
    return any(map(matches, _ASSUME))


def _values(statement: Mapping[str, Any], key: str, operators: frozenset[str]) -> list[str]:
    """Return the values of a condition key under one of these operators. Names of both are not case-sensitive."""
    conditions = statement.get("Condition")
    found: list[str] = []
    for operator, keys in conditions.items() if isinstance(conditions, dict) else ():
        if str(operator).lower() in operators and isinstance(keys, dict):
            found += [text for name, values in keys.items() if str(name).lower() == key for text in _texts(values)]
    return found


def _texts(value: object) -> list[str]:
    return [str(each) for each in (value if isinstance(value, list) else [value])]


def _shown(name: str) -> str:
    text = clean_line(name)
    return text if len(text) <= _NAME else f"{text[: _NAME - 1]}…"
