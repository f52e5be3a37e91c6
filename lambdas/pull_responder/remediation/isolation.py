"""Deny statements that let only named principals pass, which somebody has written on purpose.

Source: AWS IAM User Guide, "AWS JSON policy elements: NotPrincipal", and "AWS global condition context keys",
aws:PrincipalArn: a Deny with a negated condition on it, or with NotPrincipal, keeps everybody else out. Teams isolate
their repositories like this, and let pods pull with a role of their own (AWS Containers Blog, "per-pod image pull
permissions").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pull_responder.remediation.policy_edits import Document, exempt_role

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_KEY: Final = "aws:principalarn"
# Whoever sets a tag or keeps others than an organization out names principals, too, by what they have in common.
_OF_GROUPS: Final = ("aws:principaltag/", "aws:principalorgid", "aws:principalorgpaths")
_NEGATED: Final = ("arnnotequals", "arnnotlike", "stringnotequals", "stringnotlike", "stringnotequalsignorecase")
_QUANTIFIERS: Final = ("forallvalues:", "foranyvalue:")


def named_principals(document: Mapping[str, Any], statements: Collection[int]) -> tuple[str, ...]:
    """Return whom the statements at these indexes let pass by name; empty if they name nobody."""
    listed = document.get("Statement", [])
    every = listed if isinstance(listed, list) else [listed]
    return tuple(dict.fromkeys(name for index in sorted(statements) for name in _names_in(every[index])))


def exempt_unnamed(document: Document, statements: Collection[int], role_arn: str) -> Document:
    """Exempt the role from those of the Deny statements that let nobody pass by name, as far as they can be edited."""
    open_ = {index for index in statements if not named_principals(document, {index})}
    return (exempt_role(document, open_, role_arn) or document) if open_ else document


def _names_in(statement: Mapping[str, Any]) -> Iterator[str]:
    excluded = statement.get("NotPrincipal", {})
    for names in excluded.values() if isinstance(excluded, dict) else ():
        yield from _texts(names)
    for operator, keys in statement.get("Condition", {}).items():
        if _bare(operator) in _NEGATED:
            for key, values in keys.items():
                if key.lower() == _KEY:
                    yield from _texts(values)
                elif key.lower().startswith(_OF_GROUPS):
                    yield from (f"principals whose {key} is {value}" for value in _texts(values))


def _bare(operator: str) -> str:
    name = operator.lower().removesuffix("ifexists")
    return next((name.removeprefix(each) for each in _QUANTIFIERS if name.startswith(each)), name)


def _texts(values: object) -> Iterator[str]:
    yield from (each for each in (values if isinstance(values, list) else [values]) if isinstance(each, str))
