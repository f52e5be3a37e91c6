"""Whether a queue's policy still lets the rules send. Pure.

Source: IAM User Guide, "IAM JSON policy elements reference" (one value and a list of one are the same, the case of
actions does not count, the principal "*" is {"AWS": "*"}).
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def read_policy(text: str) -> dict[str, Any]:
    """Return a policy from its JSON, empty from no text. Raises ValueError, TypeError and others for what is none."""
    policy: dict[str, Any] = json.loads(text or "{}")
    for each in _statements(policy):
        _normal(each), each["Effect"]
    return policy


def lacking(current: Mapping[str, Any], deployed: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the statements that the stack deployed to allow something, and that the policy does not have so."""
    have = [_normal(each) for each in _statements(current)]
    return [each for each in _statements(deployed) if each["Effect"] == "Allow" and _normal(each) not in have]


def foreign(current: Mapping[str, Any], deployed: Mapping[str, Any], effect: str) -> list[str]:
    """Return the statements of one effect that the stack did not deploy: their Sids, or "without a Sid"."""
    ours = [_normal(each) for each in _statements(deployed)]
    others = [each for each in _statements(current) if _normal(each) not in ours and each["Effect"] == effect]
    return [str(each.get("Sid") or "without a Sid") for each in others]


def mended(current: Mapping[str, Any], deployed: Mapping[str, Any]) -> dict[str, Any]:
    """Return the policy with every statement of the stack, and with those that somebody else has put there."""
    ours = [*_statements(deployed)]
    known = [_normal(each) for each in ours]
    sids = {each["Sid"] for each in ours if "Sid" in each}
    kept = [each for each in _statements(current) if each.get("Sid") not in sids and _normal(each) not in known]
    return {**deployed, **current, "Statement": [*kept, *ours]}


def _statements(policy: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    found = policy.get("Statement", [])
    return [found] if isinstance(found, dict) else found


def _normal(statement: Mapping[str, Any]) -> Any:  # noqa: ANN401 -- any JSON
    principal = statement.get("Principal")
    actions = statement.get("Action", [])
    actions = [actions] if isinstance(actions, str) else actions
    return _plain(
        {
            **{key: each for key, each in statement.items() if key != "Sid"},
            "Principal": {"AWS": "*"} if principal == "*" else principal,
            "Action": [each.lower() for each in actions],
        }
    )


def _plain(value: Any) -> Any:  # noqa: ANN401 -- any JSON
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        each = sorted((_plain(one) for one in value), key=json.dumps)
        return each[0] if len(each) == 1 else each
    return str(value).lower() if isinstance(value, bool) else value
