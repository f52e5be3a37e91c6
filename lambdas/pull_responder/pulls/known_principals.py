"""The operator's list of principals that are known to pull for something other than EKS."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pull_responder.model.pattern import compile_stars
from pull_responder.model.pull import Principal, PrincipalKind
from pull_responder.model.reason import Reason
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from collections.abc import Sequence

_ROLE: Final = ":role/"
# An entry that names one role: its account and its name without wildcards, behind any path.
_ONE_ROLE: Final = re.compile(r"(?P<head>arn:[^:]+:iam::\d{12}):role/.*/(?P<name>[^/*]+)")
_STEP: Final = "Grant `iam:GetRole` there, or name the role's account and name without `*` in `knownPrincipals`."


def listed_as(known: Sequence[str], principal: Principal, role_arn: str | None) -> str | Unread | None:
    """Return the entry of `known` that names the principal, and None if none does.

    - `known`: ARNs, with `*` as a wildcard.
    - `role_arn`: the role's own ARN, with its path. None where it is not known, and for other principals.

    A session's ARN leaves the role's path out. So without `role_arn`, an entry with a path names the role for certain
    only if it gives the account and the name: a name is unique in its account. Any other entry that fits some path
    leaves it open: Unread.
    """
    names = [principal.arn, role_arn or ""]
    if principal.kind is not PrincipalKind.ROLE:
        return _first(known, names)
    account = f"arn:{principal.partition}:iam::{principal.account}"
    name = principal.name or ""
    names.append(f"{account}{_ROLE}{name}")
    if (entry := _first(known, names)) or role_arn:
        return entry
    for each in known:
        one = _ONE_ROLE.fullmatch(each)
        if one and one["name"] == name and compile_stars(one["head"])(account):
            return each
    perhaps = next((each for each in known if _fits_a_path(each, account, name)), None)
    if perhaps is None:
        return None
    because = f"the path of the role {name} could not be read, and {perhaps} in knownPrincipals may name it"
    return Unread(Reason(because, _STEP))


def _first(known: Sequence[str], names: Sequence[str]) -> str | None:
    return next((each for each in known if any(map(compile_stars(each), names))), None)


def _fits_a_path(entry: str, account: str, name: str) -> bool:
    """Return whether the entry names the role if the role has the right path.

    The path ends in a `/` of the entry. A `*` could stand for one, too, but then `role/ci-*` would fit every role.
    """
    head, _, rest = entry.partition(_ROLE)
    ends = (at for at, character in enumerate(rest, 1) if character == "/")
    return compile_stars(head)(account) and any(compile_stars(rest[at:])(name) for at in ends)
