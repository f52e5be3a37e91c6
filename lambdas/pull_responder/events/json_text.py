"""Parse JSON from outside. An error is one line and does not quote the text.

What a text says costs more than the text: an empty list is three bytes of JSON and 64 of memory, and the garbage
collector walks all lists again and again. So the values are counted before any is made.
"""

from __future__ import annotations

import json
import re
from typing import Final, Never

from pull_responder.events.outcome import UnusableEvent
from pull_responder.events.redaction import redact

MOST_VALUES: Final = 100_000
"""The most values that a text may hold. A batch of CloudWatch Logs has at most 10,000 records of five values each."""

_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL)


def has_too_many_values(text: str, most: int = MOST_VALUES) -> bool:
    """Return whether `text` holds more than `most` values. Takes time in proportion to the text, makes no value.

    Each value but the first follows a bracket or a comma. Those inside strings do not count.
    """
    return _count_openings(text) > most and _count_openings(_STRING.sub("", text)) > most


def _count_openings(text: str) -> int:
    return text.count("[") + text.count("{") + text.count(",")


def read_json(text: str, *, where: str, most: int = MOST_VALUES) -> object:
    """Return the value of `text`. Raises UnusableEvent, which names the place as `where`, with line and column.

    A text with more than `most` values is refused.
    """
    if has_too_many_values(text, most):
        raise UnusableEvent(where, f"is not usable: its JSON has more than {most} values")
    try:
        # One decoder for all texts: with options, json.loads would create a new one each time.
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        problem = f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        raise UnusableEvent(where, redact(problem, limit=200)) from None
    except RecursionError:
        raise UnusableEvent(where, "is not usable: its JSON is nested too deeply") from None
    except ValueError as error:  # a constant that is not JSON (NaN), or a number with thousands of digits
        raise UnusableEvent(where, f"is not usable: {redact(str(error), limit=200)}") from None


def _refuse_constant(constant: str) -> Never:
    raise ValueError(f"{constant} is not JSON")


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant)
