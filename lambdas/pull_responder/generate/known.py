"""What `pull_responder.known_causes` reads: all of each check but its code, as JSON."""

from __future__ import annotations

import json
from dataclasses import MISSING, asdict, fields
from typing import Any, Final

from pull_responder.checks import CHECKS
from pull_responder.checks.check import Check

FILE: Final = "lambdas/pull_responder/known_causes.json"

_CODE: Final = ("examine", "symptoms")
"""The function, and what a check works out by itself."""


def known_causes() -> str:
    """Return the text of the file."""
    return json.dumps([_row(check) for check in CHECKS], indent=1, default=_as_list, ensure_ascii=False) + "\n"


def _row(check: Check) -> dict[str, Any]:
    said = {each.name: getattr(check, each.name) for each in fields(check) if each.name not in _CODE}
    defaults = {each.name: each.default for each in fields(check) if each.default is not MISSING}
    kept = {name: value for name, value in said.items() if name not in defaults or value != defaults[name]}
    return {**kept, "explains": [asdict(each) for each in check.explains], "description": check.description}


def _as_list(values: object) -> list[str | None]:
    """Return a set in an order that is always the same, None first."""
    if not isinstance(values, frozenset):
        raise TypeError(f"{type(values).__name__} has no form in JSON here")
    return sorted(values, key=lambda each: (each is not None, str(each)))
