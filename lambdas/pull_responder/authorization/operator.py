"""The condition operators: how one value of the policy is compared with one value of the request.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators".
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Final

from pull_responder.model.pattern import TextTest, Token, compile_pattern, compile_tokens, tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_NUMBER = re.compile(r"[+-]?\d{1,40}(?:\.\d{1,40})?")
_EPOCH = re.compile(r"-?\d{5,15}(?:\.\d{1,9})?")
_PARTIAL_DATE = re.compile(r"(\d{4})(?:-(\d{2}))?")
_ARN_PARTS = 6


@dataclass(frozen=True, slots=True)
class Operator:
    """A condition operator.

    - `compare`: returns the test for one policy value. Raises ValueError if the value has the wrong type.
    - `negated`: the condition is met when no value matches.
    - `variables`: policy variables in the value are filled in.
    - `compare_tokens`: returns the test for a value with filled-in variables. None if the operator has no wildcards.
    - `by_equality`: values match only if they are equal, so a set of the values can replace the tests.
    - `otherwise`: returns the test by which AWS may compare instead, where it does not document that. None for a value
      without such a doubt. `otherwise_means` says in words what a value with it is.
    - `accepts`: whether a value of the request is of the operator's type. None if every text is.
    """

    name: str
    compare: Callable[[str], TextTest]
    negated: bool = False
    variables: bool = False
    compare_tokens: Callable[[Sequence[Token]], TextTest] | None = None
    by_equality: bool = False
    otherwise: Callable[[str], TextTest | None] | None = None
    otherwise_means: str = ""
    accepts: TextTest | None = None


def _equals(value: str) -> TextTest:
    return value.__eq__


def _equals_ignoring_case(value: str) -> TextTest:
    folded = value.lower()
    return lambda text: text.lower() == folded


def _arn(value: str) -> TextTest:
    return _arn_tokens(tokens(value))


def _arn_tokens(value: Sequence[Token]) -> TextTest:
    """Return a test that compares each of the six parts separately, so a wildcard never matches across a colon."""
    parts: list[list[Token]] = [[]]
    for token in value:
        if not isinstance(token, str):
            parts[-1].append(token)
            continue
        for index, piece in enumerate(token.split(":")):
            if index and len(parts) < _ARN_PARTS:
                parts.append([])
            elif index:
                parts[-1].append(":")
            if piece:
                parts[-1].append(piece)
    if len(parts) != _ARN_PARTS:
        return _never
    tests = [compile_tokens(part) for part in parts]

    def matches(text: str) -> bool:
        split = text.split(":", _ARN_PARTS - 1)
        return len(split) == _ARN_PARTS and all(test(part) for test, part in zip(tests, split, strict=True))

    return matches


def _incomplete_arn(value: str) -> TextTest | None:
    """Return a test that lets the final "*" of an incomplete ARN, or "*" alone, match all the missing parts.

    The element Resource works like this. For conditions, AWS says that each of the six parts is checked separately, so
    an incomplete ARN could never match. Yet AWS accepts policies that contain one. Other evaluators (iam-simulate) let
    it match nothing. What AWS does is not documented.
    """
    if not value.endswith("*") or value.count(":") >= _ARN_PARTS - 1:
        return None
    return compile_pattern(value)


def _is_arn(text: str) -> bool:
    return text.startswith("arn:") and text.count(":") >= _ARN_PARTS - 1


def _never(_text: str) -> bool:
    return False


def _boolean(value: str) -> TextTest:
    wanted = value.lower()
    if wanted not in ("true", "false"):
        raise ValueError(f"{value[:100]!r} is neither true nor false")
    return lambda text: text.lower() == wanted


def _binary(value: str) -> TextTest:
    wanted = _decode(value)
    if wanted is None:
        raise ValueError(f"{value[:100]!r} is not base64")
    return lambda text: _decode(text) == wanted


def _decode(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:  # binascii.Error is one
        return None


def _address(value: str) -> TextTest:
    try:
        network = ip_network(value, strict=False)
    except ValueError:
        raise ValueError(f"{value[:100]!r} is neither an IP address nor a CIDR block") from None

    def matches(text: str) -> bool:
        try:
            return ip_address(text) in network
        except ValueError:
            return False

    return matches


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _number(text: str) -> Decimal | None:
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def _date(text: str) -> Decimal | None:
    """Return an ISO 8601 date or a number of epoch seconds as seconds since 1970. Four digits are a year."""
    if _EPOCH.fullmatch(text):
        return Decimal(text)
    if partial := _PARTIAL_DATE.fullmatch(text):
        text = f"{partial[1]}-{partial[2] or '01'}-01"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return Decimal(str(moment.timestamp()))


def _comparison(
    read: Callable[[str], Decimal | None], holds: Callable[[Decimal, Decimal], bool], kind: str
) -> Callable[[str], TextTest]:
    def compare(value: str) -> TextTest:
        limit = read(value)
        if limit is None:
            raise ValueError(f"{value[:100]!r} is not a {kind}")

        def matches(text: str) -> bool:
            number = read(text)
            return number is not None and holds(number, limit)

        return matches

    return compare


_YEAR = re.compile(r"\d{4}")


def _as_seconds(holds: Callable[[Decimal, Decimal], bool]) -> Callable[[str], TextTest | None]:
    """Return the other reading of dates: four digits are a number of seconds.

    AWS takes years (W3C, "Date and Time Formats") and epoch seconds, and does not say which of them four digits are.
    """

    def otherwise(value: str) -> TextTest | None:
        if not _YEAR.fullmatch(value):
            return None
        limit = Decimal(value)

        def matches(text: str) -> bool:
            moment = _date(text)
            return moment is not None and holds(moment, limit)

        return matches

    return otherwise


def _comparisons(prefix: str, read: Callable[[str], Decimal | None], kind: str) -> list[Operator]:
    def accepts(text: str) -> bool:
        return read(text) is not None

    def operator(name: str, holds: Callable[[Decimal, Decimal], bool], *, negated: bool = False) -> Operator:
        return Operator(
            prefix + name,
            _comparison(read, holds, kind),
            negated,
            accepts=accepts,
            otherwise=_as_seconds(holds) if read is _date else None,
            otherwise_means="four digits, a year or seconds",
        )

    return [
        operator("Equals", Decimal.__eq__),
        operator("NotEquals", Decimal.__eq__, negated=True),
        operator("LessThan", Decimal.__lt__),
        operator("LessThanEquals", Decimal.__le__),
        operator("GreaterThan", Decimal.__gt__),
        operator("GreaterThanEquals", Decimal.__ge__),
    ]


NULL: Final = Operator("Null", _boolean)

OPERATORS: Final = {
    operator.name.lower(): operator
    for operator in (
        Operator("StringEquals", _equals, variables=True, by_equality=True),
        Operator("StringNotEquals", _equals, negated=True, variables=True, by_equality=True),
        Operator("StringEqualsIgnoreCase", _equals_ignoring_case, variables=True),
        Operator("StringNotEqualsIgnoreCase", _equals_ignoring_case, negated=True, variables=True),
        Operator("StringLike", compile_pattern, variables=True, compare_tokens=compile_tokens),
        Operator("StringNotLike", compile_pattern, negated=True, variables=True, compare_tokens=compile_tokens),
        *_comparisons("Numeric", _number, "number"),
        *_comparisons("Date", _date, "date in ISO 8601 or a time in epoch seconds"),
        Operator("Bool", _boolean),
        Operator("BinaryEquals", _binary),
        Operator("IpAddress", _address),
        Operator("NotIpAddress", _address, negated=True, accepts=_is_address),
        *(
            Operator(
                name,
                _arn,
                negated,
                variables=True,
                compare_tokens=_arn_tokens,
                otherwise=_incomplete_arn,
                otherwise_means="an incomplete ARN",
                accepts=_is_arn,
            )
            for name, negated in (
                ("ArnEquals", False),
                ("ArnLike", False),
                ("ArnNotEquals", True),
                ("ArnNotLike", True),
            )
        ),
        NULL,
    )
}
"""Every operator, keyed by its name in lower case."""
