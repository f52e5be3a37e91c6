"""Parse JSON from outside. An error is one line and does not quote the text."""

from __future__ import annotations

import json
from typing import Final, Never

from pull_responder.events.outcome import UnusableEvent
from pull_responder.events.redaction import redact


def read_json(text: str, *, where: str) -> object:
    """Return the value of `text`. Raises UnusableEvent, which names the place as `where`, with line and column."""
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
