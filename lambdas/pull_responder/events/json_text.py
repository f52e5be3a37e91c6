"""JSON that comes from outside: what cannot be read is told in one line, without showing it."""

from __future__ import annotations

import json
from typing import Final, Never

from pull_responder.events.outcome import UnusableEvent
from pull_responder.events.redaction import redact


def read_json(text: str, *, where: str) -> object:
    """Return what `text` says. Raises UnusableEvent, which names the place as `where`, with line and column."""
    try:
        # One decoder for all: json.loads makes another for each text that is read with options.
        return _DECODER.decode(text)
    except json.JSONDecodeError as error:
        problem = f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        raise UnusableEvent(where, redact(problem, limit=200)) from None
    except RecursionError:
        raise UnusableEvent(where, "is not usable: its JSON is nested too deeply") from None
    except ValueError as error:  # a constant that is not JSON, or a number with thousands of digits
        raise UnusableEvent(where, f"is not usable: {redact(str(error), limit=200)}") from None


def _refuse_constant(constant: str) -> Never:
    raise ValueError(f"{constant} is not JSON")


_DECODER: Final = json.JSONDecoder(parse_constant=_refuse_constant)
