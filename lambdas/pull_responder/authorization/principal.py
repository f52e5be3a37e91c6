"""The Principal and NotPrincipal elements of a statement: which callers a statement applies to.

Source: IAM User Guide, "AWS JSON policy elements: Principal" and "NotPrincipal".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.authorization.request import Caller, CallerKind, Strength

if TYPE_CHECKING:
    from collections.abc import Mapping

EVERYBODY: Final = "*"
TYPES: Final = frozenset({"AWS", "Service", "Federated", "CanonicalUser"})

# Python 3.11 takes ten times as long to read an enumeration's member as a global.
_NONE, _ROLE_GRANT, _DIRECT, _A_ROLE = Strength.NONE, Strength.ROLE, Strength.DIRECT, CallerKind.ROLE
_EVERYBODY = (_DIRECT, _DIRECT)
_NOBODY = (_NONE, _NONE)

_ROLE = re.compile(r"(arn:[a-z0-9-]+:iam::\d{12}:role/)(?:\S*/)?([^/\s]+)")
_SESSION = re.compile(r"arn:([a-z0-9-]+):sts::(\d{12}):assumed-role/([^/\s]+)/\S+")


@dataclass(frozen=True, slots=True)
class PrincipalElement:
    """A Principal or NotPrincipal element.

    - `names`: every principal that the element lists.
    - `everybody`: it lists "*".
    - `inverted`: it is a NotPrincipal.
    - `roles`: the listed roles, as ARNs without path. For callers whose role path is not known.
    - `session_roles`: the roles of the listed sessions, as ARNs without path. For callers whose session is not known.
    """

    names: frozenset[str]
    everybody: bool
    inverted: bool
    roles: frozenset[str]
    session_roles: frozenset[str]

    @classmethod
    def read(cls, listed: Mapping[str, tuple[str, ...]], *, inverted: bool) -> PrincipalElement:
        """Return the element for the principals that a statement lists, keyed by type of principal."""
        aws = listed.get("AWS", ())
        names = frozenset(name for type_ in listed for name in listed[type_])
        roles = {match[1] + match[2] for name in aws if (match := _ROLE.fullmatch(name))}
        sessions = {
            f"arn:{match[1]}:iam::{match[2]}:role/{match[3]}" for name in aws if (match := _SESSION.fullmatch(name))
        }
        return cls(names, EVERYBODY in aws, inverted, frozenset(roles), frozenset(sessions))

    def match(self, caller: Caller, *, literal: bool, bounded: bool | None) -> tuple[Strength, Strength]:
        """Return the strength with which the element certainly covers the caller, and that with which it may.

        `literal` means that path and session are exactly as the caller gives them (see Request). `bounded` says
        whether the caller has a permissions boundary; None if that could not be read.
        """
        if self.inverted:
            return self._match_others(caller, literal=literal, bounded=bounded)
        if self.everybody:
            return _EVERYBODY
        sure = _NONE
        for name, strength in caller.names.items():
            if name in self.names:
                sure = max(sure, strength)
        possible = self._possible_match(caller, literal=literal)
        if literal and possible is _ROLE_GRANT:  # role names are unique in an account, even across paths
            sure = max(sure, possible)
        return sure, max(sure, possible)

    def doubt(self, caller: Caller, *, bounded: bool | None) -> str:
        """Return, in words, what an uncertain match depends on."""
        if self.inverted:
            return (
                "the caller's permissions boundary"
                if bounded is None
                else "how AWS reads a NotPrincipal that lists only part of the caller"
            )
        if caller.kind is _A_ROLE:
            return f"the session of {caller.role}"
        return f"the path of {caller.role}"

    def _possible_match(self, caller: Caller, *, literal: bool) -> Strength:
        if caller.role is None:
            return _NONE
        if not literal and caller.kind is _A_ROLE and caller.role in self.session_roles:
            return _DIRECT
        if not caller.path_known and caller.role in self.roles:
            return _ROLE_GRANT
        return _NONE

    def _match_others(self, caller: Caller, *, literal: bool, bounded: bool | None) -> tuple[Strength, Strength]:
        """Match a NotPrincipal: it covers every principal it does not list, and everybody with a permissions boundary.

        To exclude a session, AWS says to list its account, its role and the session. If one of them is not listed,
        AWS says that the session *might* be covered. That is unknown here, unless `literal` is set.
        """
        if bounded:
            return _EVERYBODY
        listed = (
            self.everybody
            or not self.names.isdisjoint(caller.names)
            or bool(self._possible_match(caller, literal=literal))
        )
        if not listed:
            return _EVERYBODY
        session_known = caller.kind is not _A_ROLE
        all_listed = self.everybody or (
            session_known and all(_is_listed(name, caller, self.names) for name in caller.names)
        )
        if bounded is False and (literal or all_listed):
            return _NOBODY
        return _NONE, _DIRECT


def _is_listed(name: str, caller: Caller, names: frozenset[str]) -> bool:
    """Return whether `name` is listed. The account's number and the ARN of its root are two names for one account."""
    if caller.names[name] is Strength.DELEGATES:
        return any(each in names for each, strength in caller.names.items() if strength is Strength.DELEGATES)
    return name in names
