"""The JSON Lines of `pull-responder evaluate`: each input line is a request with its policies, each output a decision.

A line of input is called a case. Decisions come out in the order of the cases.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Literal, NoReturn

from pull_responder.authorization.evaluation import Answer, Policies, evaluate
from pull_responder.authorization.policy import Policy, PolicyError, parse_policy
from pull_responder.authorization.policy_kind import PolicyKind
from pull_responder.authorization.request import MAXIMUM_TEXT, Request, RequestError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MAXIMUM_LINE = 4_000_000
"""The longest line that is read, in characters."""

_CASE = frozenset(
    {
        "id",
        "request",
        "identityPolicies",
        "permissionBoundaryPolicies",
        "serviceControlPolicies",
        "resourceControlPolicies",
        "resourcePolicy",
        "registryPolicy",
        "registryPolicyScope",
        "vpcEndpointPolicies",
        "sessionPolicy",
    }
)


class CaseError(ValueError):
    """A line that is not a valid case. The message names the key."""


def evaluate_lines(lines: Iterable[str]) -> Iterator[str]:
    """Yield `{"id", "decision", "blocked_by"}` for each valid case, and `{"id", "error"}` for any other line.

    The decision is Undecided if it depends on something that AWS does not document. `unknown` then says on what.

    `id` is null if it cannot be read. Blank lines are skipped. Only one line is in memory at a time.
    """
    for line in lines:
        if not line.isspace() and line:
            yield _answer(line)


def _answer(line: str) -> str:
    id_: object = None
    try:
        case = _case(line)
        id_ = case.get("id")
        decision = evaluate(_request(case), _policies(case))
    except (CaseError, PolicyError, RequestError) as error:
        return json.dumps({"id": id_, "error": str(error)})
    answer = {"id": id_, "decision": decision.decision, "blocked_by": decision.blocked_by}
    if decision.decision is Answer.UNDECIDED:
        answer["unknown"] = [str(each) for each in decision.unknown]
    return json.dumps(answer)


def read_case(line: str) -> tuple[Request, Policies]:
    """Return the request and the policies of one line, as `evaluate` takes them.

    Raises CaseError, RequestError or PolicyError, which are all ValueErrors.
    """
    case = _case(line)
    return _request(case), _policies(case)


def _case(line: str) -> dict[str, Any]:
    if len(line) > MAXIMUM_LINE:
        raise CaseError(f"line is longer than {MAXIMUM_LINE} characters")
    try:
        case = json.loads(line, parse_constant=_reject_constant, parse_float=_parse_float)
    except RecursionError:
        raise CaseError("line is nested too deeply") from None
    except ValueError as error:
        raise CaseError(f"line is not JSON: {error}") from None
    if not isinstance(case, dict):
        raise CaseError("line is not a JSON object")
    return case


def _reject_constant(constant: str) -> NoReturn:
    """Raise ValueError for NaN and Infinity. Python reads them, but an answer that repeats them is not valid JSON."""
    raise ValueError(f"{constant} is not JSON")


def _parse_float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text[:100]} is too large a number")
    return number


def _request(case: Mapping[str, Any]) -> Request:
    for key in case:
        if key not in _CASE:
            raise CaseError(f'unknown key "{key[:100]}"')
    request = _object(case.get("request"), "request")
    resource = _object(request.get("resource"), "request.resource")
    context: dict[str, str | tuple[str, ...]] = {}
    given = request.get("context")
    for key, value in _object({} if given is None else given, "request.context").items():
        values = _context_value(value, f"request.context.{key[:200]}")
        context[key] = values
    return Request(
        principal=_text(request.get("principal"), "request.principal"),
        action=_text(request.get("action"), "request.action"),
        resource=_text(resource.get("arn"), "request.resource.arn"),
        resource_account=_text(resource.get("accountId"), "request.resource.accountId"),
        context=context,
        literal=True,
    )


def _policies(case: Mapping[str, Any]) -> Policies:
    scope: Literal["V1", "V2"] = "V1" if case.get("registryPolicyScope") == "V1" else "V2"
    if case.get("registryPolicyScope") not in (None, "V1", "V2"):
        raise CaseError("registryPolicyScope: must be V1 or V2")
    return Policies(
        identity=_several(case, "identityPolicies", PolicyKind.IDENTITY),
        boundary=_several(case, "permissionBoundaryPolicies", PolicyKind.BOUNDARY),
        scps=_levels(case, "serviceControlPolicies", PolicyKind.SCP),
        rcps=_levels(case, "resourceControlPolicies", PolicyKind.RCP),
        session=_one(case, "sessionPolicy", PolicyKind.SESSION),
        resource=_one(case, "resourcePolicy", PolicyKind.RESOURCE),
        registry=_one(case, "registryPolicy", PolicyKind.REGISTRY),
        endpoints=_several(case, "vpcEndpointPolicies", PolicyKind.ENDPOINT),
        registry_scope=scope,
    )


def _one(case: Mapping[str, Any], key: str, kind: PolicyKind) -> Policy | None:
    document = case.get(key)
    return parse_policy(document, name=key, kind=kind) if document is not None and document != [] else None


def _several(case: Mapping[str, Any], key: str, kind: PolicyKind) -> tuple[Policy, ...]:
    documents = case.get(key)
    return () if documents is None else _list(documents, key, kind)


def _levels(case: Mapping[str, Any], key: str, kind: PolicyKind) -> tuple[tuple[Policy, ...], ...]:
    levels = case.get(key)
    if levels is None:
        return ()
    if not isinstance(levels, list):
        raise CaseError(f"{key}: must be a list of levels")
    return tuple([_list(level, f"{key}[{index}]", kind) for index, level in enumerate(levels)])


def _list(documents: object, place: str, kind: PolicyKind) -> tuple[Policy, ...]:
    if not isinstance(documents, list):
        raise CaseError(f"{place}: must be a list of policies")
    return tuple(
        [
            parse_policy(document, name=f"{place}[{index}]", kind=kind)
            for index, document in enumerate(documents)
            if document is not None
        ]
    )


def _object(value: object, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise CaseError(f"{place}: must be a JSON object")
    return value


def _text(value: object, place: str) -> str:
    if not isinstance(value, str) or not value:
        raise CaseError(f"{place}: must be a string that is not empty")
    return value


def _context_value(value: object, place: str) -> str | tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    texts = []
    for each in values:
        if isinstance(each, bool):
            texts.append("true" if each else "false")
        elif isinstance(each, str | int | float):
            texts.append(str(each))
        else:
            raise CaseError(f"{place}: must be a string, a number, true or false, or a list of these")
        if len(texts[-1]) > MAXIMUM_TEXT:
            raise CaseError(f"{place}: longer than {MAXIMUM_TEXT} characters")
    return tuple(texts)
