"""Policy variables: `${key}`, `${key, 'default'}`, and the escapes `${*}`, `${?}` and `${$}`.

Source: IAM User Guide, "IAM policy elements: Variables and tags". They work in policies of version 2012-10-17, in
Resource, NotResource and the values of String and Arn conditions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from pull_responder.authorization.request import UNKNOWN, Context, Unknown
from pull_responder.model.pattern import TextTest, Token, compile_tokens, tokens
from pull_responder.model.quoting import quote

_VARIABLE = re.compile(r"\$\{([^${}]{1,512})\}|\$\{(\$)\}")
_NAME = re.compile(r"[^',*?]{1,256}")
_ESCAPES = ("*", "?", "$")


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable. `default` is None when the policy gives none."""

    key: str
    default: str | None


@dataclass(frozen=True, slots=True)
class Template:
    """A text with variables. A `*` or `?` from an escape or from a filled-in value is no wildcard."""

    parts: tuple[Variable | tuple[Token, ...], ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """The condition keys that the text takes its values from."""
        return tuple(part.key for part in self.parts if isinstance(part, Variable))

    def resolve(self, context: Context) -> list[Token] | Unknown | None:
        """Return the text with the request's values filled in.

        UNKNOWN if a value is unknown. None if a variable has neither a value nor a default.
        """
        text: list[Token] = []
        unknown = False
        for part in self.parts:
            if not isinstance(part, Variable):
                text.extend(part)
                continue
            values = context.get(part.key)
            if values is UNKNOWN:
                unknown = True
            elif values is not None and len(values) == 1:
                text.append(values[0])
            elif values is None and part.default is not None:
                text.append(part.default)
            else:  # the key is absent, or has several values and so cannot be used as a variable
                return None
        return UNKNOWN if unknown else text


def template(text: str) -> Template | None:
    """Return `text` as a template, or None if it contains no variable. Raises ValueError for a malformed variable."""
    if "${" not in text:
        return None
    parts: list[Variable | tuple[Token, ...]] = []
    place = 0
    for match in _VARIABLE.finditer(text):
        inner = match.group(1) or match.group(2)
        parts.append(tuple(tokens(text[place : match.start()])))
        parts.append((inner,) if inner in _ESCAPES else _variable(inner))
        place = match.end()
    if not parts:
        return None
    parts.append(tuple(tokens(text[place:])))
    return Template(tuple(parts))


def _variable(inner: str) -> Variable:
    name, comma, default = inner.partition(",")
    default = default.strip()
    if comma and len(default) > 1 and default[0] == default[-1] == "'":
        return Variable(name.strip().lower(), default[1:-1])
    if not comma and _NAME.fullmatch(name):
        return Variable(name.strip().lower(), None)
    raise ValueError(f"variable {quote(f'${{{inner}}}')} is neither ${{key}} nor ${{key, 'default'}}")


def pattern_of(resolved: list[Token]) -> TextTest:
    """Return the test for a resolved text, whose `*` and `?` are wildcards."""
    return compile_tokens(resolved)


def literal_of(resolved: list[Token]) -> str:
    """Return a resolved text in which `*` and `?` are plain characters."""
    return "".join(token if isinstance(token, str) else token.value for token in resolved)
