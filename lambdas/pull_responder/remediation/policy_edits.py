"""Changes to parsed policy documents, each as small as it can be.

An edit takes a document as `json.loads` gives it and returns a new one; what it does not have to change keeps its
value and its order. Where a fix cannot be known to work it returns None, and nothing raises on a strange document.
Source of the rules: IAM User Guide, "IAM JSON policy elements reference".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from pull_responder.model.arn import Arn
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
    """Return `document` with one more statement at its end that allows `actions`; None starts a new document.

    `resources` stays empty in a repository policy, which is about its own repository; `principal` is given in
    resource policies only. If `sid` is taken, a number is added to it.
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
    """Return the identity policy or boundary `document` with `actions` allowed on the repository.

    `ecr:GetAuthorizationToken`, if it is among them, gets a statement of its own: its resource can only be "*".
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
    """Return `document` whose Deny statements at the indexes `statements` deny none of `actions` on the repository.

    Everything else stays denied, with two exceptions that policy language forces: a wildcard such as `ecr:*` becomes
    the ECR actions known today, and a Resource that is a pattern narrower than "*" frees `actions` on all it matches.
    None when a statement is no Deny, or when one of its wildcards spans services (`e*:*`) and cannot be spelt out.
    """
    existing = _statements(document)
    changed: list[Any] = []
    for index, statement in enumerate(existing):
        if index not in statements:
            changed.append(statement)
            continue
        if not _is_deny(statement):
            return None
        replacement = _without_actions(statement, actions, repository_arn, existing + changed)
        if replacement is None:
            return None
        changed += replacement
    return _with_statements(document, changed)


def exempt_role(document: Document, statements: Collection[int], role_arn: str) -> Document | None:
    """Return the resource policy `document` whose Deny statements at the indexes `statements` leave out one role.

    Where a statement names the role itself and nothing else that could cover it, that name goes; otherwise the role
    joins an ArnNotEquals condition on aws:PrincipalArn, which is the role's ARN for all of its sessions. AWS recommends
    that over NotPrincipal, which denies whoever has a permissions boundary (IAM User Guide, "AWS JSON policy elements:
    NotPrincipal"). None when a statement is no Deny or has a malformed Condition.
    """
    changed: list[Any] = []
    for index, statement in enumerate(_statements(document)):
        if index not in statements:
            changed.append(statement)
            continue
        if not _is_deny(statement):
            return None
        named = _without_named_role(statement, role_arn)
        if named is not None:
            changed += named
            continue
        condition = _except_role(statement.get("Condition", {}), role_arn)
        if condition is None:
            return None
        changed.append({**statement, "Condition": condition})
    return _with_statements(document, changed)


def has_statements(document: Document) -> bool:
    """Whether anything is left in `document`: AWS accepts no policy without a statement."""
    return bool(_statements(document))


def _statements(document: Document) -> list[Any]:
    """Return the statements, a single one as a list of one."""
    return _as_list(document.get("Statement", []))


def _with_statements(document: Document, statements: list[Any]) -> Document:
    """Put `statements` in, and keep a single statement without a list if it was so written."""
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


def _without_actions(
    statement: Statement, actions: Collection[str], repository_arn: str | None, others: list[Any]
) -> list[Statement] | None:
    """Return what replaces one Deny statement: itself narrowed, and what still holds for other repositories."""
    freed = [action for action in actions if _denies(statement, action)]
    narrowed = _narrowed(statement, freed)
    if narrowed is None:
        return None
    elsewhere = _elsewhere(statement, [a for a in freed if _any_match(REPOSITORY_ACTIONS, a)], repository_arn, others)
    return [*narrowed, *elsewhere]


def _denies(statement: Statement, action: str) -> bool:
    if "NotAction" in statement:
        return not any(_any_match([action], pattern) for pattern in _as_list(statement["NotAction"]))
    return any(_any_match([action], pattern) for pattern in _as_list(statement.get("Action", [])))


def _narrowed(statement: Statement, freed: list[str]) -> list[Statement] | None:
    """Take `freed` out of the statement's actions; an empty list when none are left."""
    if not freed:
        return [statement]
    if "NotAction" in statement:
        return [{**statement, "NotAction": [*_as_list(statement["NotAction"]), *freed]}]
    patterns = _as_list(statement.get("Action", []))
    if any(_any_match(freed, pattern) and pattern.strip("*") in ("", ":") for pattern in patterns):
        return [_renamed(statement, "Action", "NotAction", freed)]
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


def _elsewhere(
    statement: Statement, freed: list[str], repository_arn: str | None, others: list[Any]
) -> list[Statement]:
    """Deny `freed` still on every other repository, where that can be said: by a NotResource."""
    if "NotResource" in statement:
        spared = _as_list(statement["NotResource"])
    elif any(_is_every_repository(resource) for resource in _as_list(statement.get("Resource"))):
        spared = []
    else:
        return []
    if not freed or repository_arn is None:
        return []
    replaced = ("Sid", "Action", "NotAction", "Resource", "NotResource")
    kept = {key: value for key, value in statement.items() if key not in replaced}
    sid = _free_sid(OTHER_REPOSITORIES_SID, others)
    return [{"Sid": sid, **kept, "Action": freed, "NotResource": [*spared, repository_arn]}]


def _is_every_repository(resource: object) -> bool:
    """Whether a Resource stands for every repository of every account and region, in one of its usual spellings."""
    return resource == "*" or (isinstance(resource, str) and _EVERY_REPOSITORY.fullmatch(resource) is not None)


def _renamed(statement: Statement, key: str, new_key: str, value: object) -> Statement:
    """Replace `key` by `new_key` without moving it."""
    return {new_key if k == key else k: value if k == key else v for k, v in statement.items()}


def _without_named_role(statement: Statement, role_arn: str) -> list[Statement] | None:
    """Drop the role's own ARN from Principal; None where that is not there or would not be enough."""
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
    """Whether a principal may stand for the role or its sessions: everyone, its account, or one of its sessions."""
    role = Arn.parse(role_arn)
    if role is None or not isinstance(name, str):
        return True
    return name in ("*", role.account) or name.endswith(f"::{role.account}:root") or ":sts:" in name


def _except_role(condition: object, role_arn: str) -> dict[str, Any] | None:
    """Add the role to the ARNs that `condition` spares. Several values of a negated operator mean: none of them."""
    if not isinstance(condition, dict):
        return None
    for operator, keys in condition.items():
        if operator not in ("ArnNotEquals", "ArnNotLike") or not isinstance(keys, dict):
            continue
        for key, values in keys.items():
            if key.lower() == "aws:principalarn":
                spared = [*_as_list(values), role_arn]
                return {**condition, operator: {**keys, key: spared}}
    existing = condition.get("ArnNotEquals", {})
    if not isinstance(existing, dict):
        return None
    return {**condition, "ArnNotEquals": {**existing, "aws:PrincipalArn": role_arn}}


def _is_literal(pattern: str) -> bool:
    return "*" not in pattern and "?" not in pattern


def _any_match(names: Iterable[str], pattern: object) -> bool:
    """Whether the action `pattern` matches one of `names`. Actions match without regard to case."""
    return isinstance(pattern, str) and any(_matches(name.lower(), pattern.lower()) for name in names)


def _matches(name: str, pattern: str) -> bool:
    """Match "*" and "?" in a time bounded by both lengths multiplied: no backtracking beyond the last "*"."""
    at, mark, star = 0, 0, -1
    place = 0
    while at < len(name):
        if place < len(pattern) and pattern[place] == "*":
            star, mark, place = place, at, place + 1
        elif place < len(pattern) and pattern[place] in ("?", name[at]):
            at, place = at + 1, place + 1
        elif star >= 0:
            mark += 1
            at, place = mark, star + 1
        else:
            return False
    return all(character == "*" for character in pattern[place:])
