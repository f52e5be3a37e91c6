"""Insights and custom actions of Security Hub CSPM, which moto 5.2 lacks.

Source: Security Hub API Reference, of the operations named below. What an insight shows is not emulated.
"""
# ruff: noqa: ANN401 -- moto's own objects, which are not typed for this

from __future__ import annotations

import json
from typing import Any, Final
from urllib.parse import unquote
from uuid import uuid4

from pull_responder.emulator.hub_refusals import refusal, require_security_hub

_INSIGHTS: Final = "insights"
_ACTIONS: Final = "actionTargets"
_NAME: Final = 20
_MOST: Final = 100

_Kept = dict[str, dict[str, Any]]


def serve(answering: Any, paths: dict[str, Any]) -> None:
    """Have `answering` (moto's SecurityHubResponse) answer these operations, and `paths` lead to it."""
    for operation in (
        create_insight,
        get_insights,
        update_insight,
        delete_insight,
        create_action_target,
        describe_action_targets,
        delete_action_target,
    ):
        if hasattr(answering, operation.__name__):
            raise RuntimeError(f"moto knows {operation.__name__} now: review the patches of its Security Hub")
        setattr(answering, operation.__name__, operation)
    for kind in (_INSIGHTS, _ACTIONS):
        for path in (kind, f"{kind}/get", f"{kind}/(?P<arn>arn.+)"):
            paths[f"{{0}}/{path}$"] = answering.dispatch


def create_insight(answering: Any) -> str:
    """CreateInsight: two of the same name are two."""
    kept, asked = _kept(answering, _INSIGHTS), json.loads(answering.body)
    if len(kept) >= _MOST:
        raise refusal("LimitExceededException", f"An account has at most {_MOST} custom insights")
    account = answering.securityhub_backend.account_id
    arn = _arn(answering, f"insight/{account}/custom/{uuid4()}")
    kept[arn] = {"InsightArn": arn, **{name: asked[name] for name in ("Name", "Filters", "GroupByAttribute")}}
    return json.dumps({"InsightArn": arn})


def get_insights(answering: Any) -> str:
    """GetInsights: those of the ARNs, else all, in pages."""
    kept, asked = _kept(answering, _INSIGHTS), json.loads(answering.body or "{}")
    wanted = asked.get("InsightArns") or list(kept)
    if missing := [arn for arn in wanted if arn not in kept]:
        raise refusal("ResourceNotFoundException", f"There is no {missing[0]}")
    first, size = int(asked.get("NextToken") or 0), int(asked.get("MaxResults") or _MOST)
    page: dict[str, Any] = {"Insights": [kept[arn] for arn in wanted[first : first + size]]}
    if first + size < len(wanted):
        page["NextToken"] = str(first + size)
    return json.dumps(page)


def update_insight(answering: Any) -> str:
    """UpdateInsight: what is not named stays."""
    kept, arn = _named(answering, _INSIGHTS)
    kept[arn] |= json.loads(answering.body)
    return "{}"


def delete_insight(answering: Any) -> str:
    """DeleteInsight."""
    kept, arn = _named(answering, _INSIGHTS)
    del kept[arn]
    return json.dumps({"InsightArn": arn})


def create_action_target(answering: Any) -> str:
    """CreateActionTarget: an id is in use once."""
    kept, asked = _kept(answering, _ACTIONS), json.loads(answering.body)
    if len(asked["Name"]) > _NAME or len(asked["Id"]) > _NAME or not asked["Id"].isalnum():
        raise refusal("InvalidInputException", f"Name and Id have at most {_NAME} characters, Id letters and digits")
    arn = _arn(answering, f"action/custom/{asked['Id']}")
    if arn in kept:
        raise refusal("ResourceConflictException", f"There is {arn} already")
    kept[arn] = {"ActionTargetArn": arn, "Name": asked["Name"], "Description": asked["Description"]}
    return json.dumps({"ActionTargetArn": arn})


def describe_action_targets(answering: Any) -> str:
    """DescribeActionTargets: all of them."""
    return json.dumps({"ActionTargets": list(_kept(answering, _ACTIONS).values())})


def delete_action_target(answering: Any) -> str:
    """DeleteActionTarget."""
    kept, arn = _named(answering, _ACTIONS)
    del kept[arn]
    return json.dumps({"ActionTargetArn": arn})


def _kept(answering: Any, kind: str) -> _Kept:
    backend = answering.securityhub_backend
    require_security_hub(backend)
    kept: _Kept = backend.__dict__.setdefault(f"kept_{kind}", {})
    return kept


def _named(answering: Any, kind: str) -> tuple[_Kept, str]:
    """Return what is kept, and the ARN in the path of the request."""
    kept, arn = _kept(answering, kind), unquote(answering.path.partition(f"/{kind}/")[2])
    if arn not in kept:
        raise refusal("ResourceNotFoundException", f"There is no {arn}")
    return kept, arn


def _arn(answering: Any, resource: str) -> str:
    backend = answering.securityhub_backend
    return f"arn:aws:securityhub:{backend.region_name}:{backend.account_id}:{resource}"
