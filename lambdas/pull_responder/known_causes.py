"""What is known of each cause, without the code that looks for it. For a terminal that starts at once.

`known_causes.json` is written from the checks by `make generate`, and a test compares the two. Reading it takes a
hundredth of the time that the checks and what they import take.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from pull_responder.checks.check import Check, Explains, Kind
from pull_responder.model.pull import Answer, PolicyType, Stage, Symptom
from pull_responder.model.verdict import Severity

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pull_responder.model.pull import PullFailure
    from pull_responder.model.verdict import Verdict
    from pull_responder.pulls.pull_facts import PullFacts

_FILE: Final = Path(__file__).with_name("known_causes.json")


@dataclass(frozen=True, slots=True)
class KnownCause:
    """One cause.

    - `check` is as the one in `pull_responder.checks`. Its file loads when it examines.
    - `description` is the docstring of that file.
    """

    check: Check
    description: str


@cache
def known_causes() -> tuple[KnownCause, ...]:
    """Return all causes in the order of the checks."""
    return tuple(_read(each) for each in json.loads(_FILE.read_text(encoding="utf-8")))


def _read(row: dict[str, Any]) -> KnownCause:
    description = row.pop("description")
    values = {name: _READ[name](value) if name in _READ else value for name, value in row.items()}
    return KnownCause(Check(**values, examine=_examine(row["id"])), description)


def _examine(cause: str) -> Callable[[PullFailure, PullFacts], Verdict]:
    def examine(pull: PullFailure, facts: PullFacts) -> Verdict:
        return cast("Verdict", import_module(f"pull_responder.checks.{cause}").examine(pull, facts))

    return examine


def _explains(rows: list[dict[str, Any]]) -> tuple[Explains, ...]:
    return tuple(
        Explains(Symptom(row["symptom"]), row["rank"], frozenset(each and Stage(each) for each in row["stages"]))
        for row in rows
    )


def _symptoms(values: list[str]) -> frozenset[Symptom]:
    return frozenset(Symptom(each) for each in values)


_READ: Final[Mapping[str, Callable[[Any], Any]]] = {
    "also_at": _symptoms,
    "answers": lambda values: frozenset(Answer(each) for each in values),
    "denied_actions": frozenset,
    "ecr_public": _symptoms,
    "explains": _explains,
    "kind": Kind,
    "permissions": tuple,
    "policy_type": PolicyType,
    "registry_codes": frozenset,
    "severity": Severity,
    "severity_if_repeated": Severity,
}
