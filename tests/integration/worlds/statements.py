"""Policies, as JSON."""
# ruff: noqa: ANN401 -- parts of policies

from __future__ import annotations

import json
from typing import Any


def allow(*actions: str, on: str | None = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), **({"Resource": on} if on else {}), **more}


def deny(*actions: str, on: str | None = "*", **more: Any) -> dict[str, Any]:
    return {**allow(*actions, on=on, **more), "Effect": "Deny"}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
