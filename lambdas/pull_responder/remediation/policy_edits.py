"""Edits to policy documents, each as small as possible.

An edit takes a document as `json.loads` returns it, and returns a new document. Everything else keeps its value and its
order. An edit returns None if it may not work, and never raises on a malformed document. Source of the rules: IAM User
Guide, "IAM JSON policy elements reference".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pull_responder.model.arn import Arn
from pull_responder.model.pattern import compile_pattern
from pull_responder.remediation.ecr_actions import ECR_ACTIONS, REPOSITORY_ACTIONS, TOKEN_ACTION

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

_EVERY_REPOSITORY: Final = re.compile(r"arn:(?:aws[a-z-]{0,20}|\*):ecr:\*(?::\*:(?:repository/)?\*)?")

Document = dict[str, Any]
Statement = dict[str, Any]

GRANT_SID: Final = "PullResponderEcrPull"
TOKEN_SID: Final = "PullResponderEcrToken"  # noqa: S105 -- the name of a statement, not a secret
OTHER_REPOSITORIES_SID: Final = "PullResponderOtherRepositories"


def allow(
    document: Document | None,
    *,
    actions: Iterable[str],
    resources: Iterable[str] = (),
    principal: Mapping[str, str] | None = None,
    sid: str = GRANT_SID,
) -> Document:
    """Return `document` with a new last statement that allows `actions`. None starts a new document.

    - `resources`: empty in a repository policy, which applies to its own repository.
    - `principal`: only in resource-based policies.
    - `sid`: the statement's Sid. If another statement has it, a number is added.
    """
    document = document if document is not None else {"Version": "2012-10-17", "Statement": []}
    statements = _statements(document)
    statement: Statement = {"Sid": _free_sid(sid, statements), "Effect": "Allow"}
    if principal is not None:
        statement["Principal"] = dict(principal)
    statement["Action"] = list(actions)
    if resource := list(resources):
        statement["Resource"] = resource
    return {**document, "Statement": [*statements, statement]}


def allow_pull(document: Document | None, *, actions: Collection[str], repository_arn: str) -> Document:
    """Return the identity policy or boundary `document` with new statements that allow `actions` on the repository.

    `ecr:GetAuthorizationToken` gets a statement of its own, because its resource can only be "*".
    """
    document = document if document is not None else {"Version": "2012-10-17", "Statement": []}
    if on_repository := [action for action in actions if action != TOKEN_ACTION]:
        document = allow(document, actions=on_repository, resources=[repository_arn])
    if TOKEN_ACTION in actions:
        document = allow(document, actions=[TOKEN_ACTION], resources=["*"], sid=TOKEN_SID)
    return document


def stop_denying(
    document: Document, statements: Collection[int], actions: Collection[str], repository_arn: str | None = None
) -> Document | None:
    """Edit the Deny statements at the indexes `statements` so that they no longer deny `actions` on the repository.

    Everything else stays denied, with two exceptions. The policy language forces both of them:

    - A wildcard such as `ecr:*` is replaced by the ECR actions that exist today.
    - If Resource is a pattern narrower than "*", `actions` are no longer denied on anything that it matches.

    Return None if a statement is not a Deny, or if a wildcard matches several services (`e*:*`) and cannot be spelled
    out.
    """
    existing = _statements(document)
    changed: list[Any] = []
    for index, statement in enumerate(existing):
        if index not in statements:
            changed.append(statement)
            continue
        if not _is_deny(statement):
            return None
        replacement = _remove_actions(statement, actions, repository_arn, existing + changed)
        if replacement is None:
            return None
        changed += replacement
    return _with_statements(document, changed)


def exempt_role(document: Document, statements: Collection[int], role_arn: str) -> Document | None:
    """Edit the Deny statements at the indexes `statements` of a resource-based policy so that they exempt one role.

    If the Principal names the role, and nothing else in it can cover the role, the name is removed. Otherwise the role
    is added to an ArnNotEquals condition on aws:PrincipalArn, which is the role's ARN in all of its sessions. AWS
    recommends that over NotPrincipal, which denies every principal with a permissions boundary (IAM User Guide, "AWS
    JSON policy elements: NotPrincipal"). Return None if a statement is not a Deny or has a malformed Condition.
    """
    changed: list[Any] = []
    for index, statement in enumerate(_statements(document)):
        if index not in statements:
            changed.append(statement)
            continue
        if not _is_deny(statement):
            return None
        replacement = _remove_role(statement, role_arn)
        if replacement is not None:
            changed += replacement
            continue
        condition = _exempt_by_condition(statement.get("Condition", {}), role_arn)
        if condition is None:
            return None
        changed.append({**statement, "Condition": condition})
    return _with_statements(document, changed)


def has_statements(document: Document) -> bool:
    """Return whether `document` has a statement. AWS accepts no policy without one."""
    return bool(_statements(document))


def _statements(document: Document) -> list[Any]:
    """Return the statements as a list, even if there is only one."""
    return _as_list(document.get("Statement", []))


def _with_statements(document: Document, statements: list[Any]) -> Document:
    """Return `document` with these statements. A single one is put into a list only if `document` has a list."""
    if len(statements) == 1 and not isinstance(document.get("Statement"), list):
        return {**document, "Statement": statements[0]}
    return {**document, "Statement": statements}


def _as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _is_deny(statement: object) -> bool:
    return isinstance(statement, dict) and statement.get("Effect") == "Deny"


def _free_sid(sid: str, statements: Iterable[object]) -> str:
    sids = [statement.get("Sid") for statement in statements if isinstance(statement, dict)]
    number, free = 1, sid
    while free in sids:
        number += 1
        free = f"{sid}{number}"
    return free


def _remove_actions(
    statement: Statement, actions: Collection[str], repository_arn: str | None, others: list[Any]
) -> list[Statement] | None:
    """Return the replacement for one Deny statement: it without `actions`, and a Deny for all other repositories."""
    freed = [action for action in actions if _denies(statement, action)]
    narrowed = _narrow(statement, freed)
    if narrowed is None:
        return None
    on_repositories = [action for action in freed if _any_match(REPOSITORY_ACTIONS, action)]
    return [*narrowed, *_deny_on_others(statement, on_repositories, repository_arn, others)]


def _denies(statement: Statement, action: str) -> bool:
    if "NotAction" in statement:
        return not any(_any_match([action], pattern) for pattern in _as_list(statement["NotAction"]))
    return any(_any_match([action], pattern) for pattern in _as_list(statement.get("Action", [])))


def _narrow(statement: Statement, freed: list[str]) -> list[Statement] | None:
    """Return the statement without the actions `freed`; an empty list if it has no action left."""
    if not freed:
        return [statement]
    if "NotAction" in statement:
        return [{**statement, "NotAction": [*_as_list(statement["NotAction"]), *freed]}]
    patterns = _as_list(statement.get("Action", []))
    if any(_any_match(freed, pattern) and pattern.strip("*") in ("", ":") for pattern in patterns):
        return [_replace_key(statement, "Action", "NotAction", freed)]
    kept: list[Any] = []
    for pattern in patterns:
        if not _any_match(freed, pattern):
            kept.append(pattern)
        elif _is_literal(pattern):
            continue
        elif not pattern.lower().startswith("ecr:"):
            return None
        else:
            kept += [a for a in ECR_ACTIONS if _any_match([a], pattern) and not _any_match(freed, a) and a not in kept]
    return [{**statement, "Action": kept}] if kept else []


def _deny_on_others(
    statement: Statement, freed: list[str], repository_arn: str | None, others: list[Any]
) -> list[Statement]:
    """Return a statement that still denies `freed` on all other repositories, by a NotResource.

    Empty if `statement` did not deny them on every repository. `others` are statements whose Sids are taken.
    """
    if "NotResource" in statement:
        exempt = _as_list(statement["NotResource"])
    elif any(_is_every_repository(resource) for resource in _as_list(statement.get("Resource"))):
        exempt = []
    else:
        return []
    if not freed or repository_arn is None:
        return []
    kept = {key: value for key, value in statement.items() if key not in ("Sid", "NotAction", "Resource")}
    sid = _free_sid(OTHER_REPOSITORIES_SID, others)
    return [{"Sid": sid, **kept, "Action": freed, "NotResource": [*exempt, repository_arn]}]


def _is_every_repository(resource: object) -> bool:
    """Return whether a Resource matches every repository of every account and region, in one of its usual spellings."""
    return resource == "*" or (isinstance(resource, str) and _EVERY_REPOSITORY.fullmatch(resource) is not None)


def _replace_key(statement: Statement, key: str, new_key: str, value: object) -> Statement:
    """Return the statement with `new_key` and `value` in the place of `key`."""
    return {new_key if k == key else k: value if k == key else v for k, v in statement.items()}


def _remove_role(statement: Statement, role_arn: str) -> list[Statement] | None:
    """Return the statement without the role's ARN in its Principal; an empty list if nobody else is in it.

    None if the Principal does not list the role, or if another entry may still cover it.
    """
    principal = statement.get("Principal")
    if not isinstance(principal, dict):
        return None
    names = _as_list(principal.get("AWS", []))
    if role_arn not in names or any(_may_cover(name, role_arn) for name in names if name != role_arn):
        return None
    rest = [name for name in names if name != role_arn]
    others = {key: value for key, value in principal.items() if key != "AWS"}
    if not rest and not others:
        return []
    kept = {key: rest if key == "AWS" else value for key, value in principal.items() if key != "AWS" or rest}
    return [{**statement, "Principal": kept}]


def _may_cover(name: object, role_arn: str) -> bool:
    """Return whether a principal may cover the role or its sessions: everyone, its account, or any session."""
    role = Arn.parse(role_arn)
    if role is None or not isinstance(name, str):
        return True
    return name in ("*", role.account) or name.endswith(f"::{role.account}:root") or ":sts:" in name


def _exempt_by_condition(condition: object, role_arn: str) -> dict[str, Any] | None:
    """Return `condition` so that it exempts the role; None if it is malformed.

    The role joins the values of an existing condition on aws:PrincipalArn, if there is one. A negated operator with
    several values is met if none of them matches.
    """
    if not isinstance(condition, dict):
        return None
    for operator, keys in condition.items():
        if operator not in ("ArnNotEquals", "ArnNotLike") or not isinstance(keys, dict):
            continue
        for key, values in keys.items():
            if key.lower() == "aws:principalarn":
                exempt = [*_as_list(values), role_arn]
                return {**condition, operator: {**keys, key: exempt}}
    existing = condition.get("ArnNotEquals", {})
    if not isinstance(existing, dict):
        return None
    return {**condition, "ArnNotEquals": {**existing, "aws:PrincipalArn": role_arn}}


def _is_literal(pattern: str) -> bool:
    return "*" not in pattern and "?" not in pattern


def _any_match(names: Iterable[str], pattern: object) -> bool:
    """Return whether the action `pattern` matches one of `names`. Actions match without regard to case."""
    if not isinstance(pattern, str):
        return False
    matches = compile_pattern(pattern.lower())
    return any(matches(name.lower()) for name in names)
