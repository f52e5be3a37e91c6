"""The Principal and NotPrincipal elements of a statement.

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
    """Whom a statement is about. `inverted` tells NotPrincipal.

    `names` is what the element lists. `roles` are the roles it lists with a path, and `session_roles` the roles of
    the sessions it lists: both as ARNs without path, for callers of whom path or session are not known.
    """

    names: frozenset[str]
    everybody: bool
    inverted: bool
    roles: frozenset[str]
    session_roles: frozenset[str]

    @classmethod
    def read(cls, listed: Mapping[str, tuple[str, ...]], *, inverted: bool) -> PrincipalElement:
        """Make the element of what a statement lists, by type of principal."""
        aws = listed.get("AWS", ())
        names = frozenset(name for type_ in listed for name in listed[type_])
        roles = {match[1] + match[2] for name in aws if (match := _ROLE.fullmatch(name))}
        sessions = {
            f"arn:{match[1]}:iam::{match[2]}:role/{match[3]}" for name in aws if (match := _SESSION.fullmatch(name))
        }
        return cls(names, EVERYBODY in aws, inverted, frozenset(roles), frozenset(sessions))

    def match(self, caller: Caller, *, literal: bool, bounded: bool | None) -> tuple[Strength, Strength]:
        """Return how far the element surely covers the caller, and how far it may.

        `literal` takes the caller at its word (see Request). `bounded` says whether the caller has a permissions
        boundary, None where that could not be read.
        """
        if self.inverted:
            return self._match_others(caller, literal=literal, bounded=bounded)
        if self.everybody:
            return _EVERYBODY
        sure = _NONE
        for name, strength in caller.names.items():
            if strength > sure and name in self.names:
                sure = strength
        possible = self._possibly(caller, literal=literal)
        if literal and possible is _ROLE_GRANT:  # role names are unique in an account, whatever their path
            sure = max(sure, possible)
        return sure, max(sure, possible)

    def doubt(self, caller: Caller, *, bounded: bool | None) -> str:
        """Return what an uncertain match hangs on, in words."""
        if self.inverted:
            return (
                "the caller's permissions boundary"
                if bounded is None
                else "how AWS reads a NotPrincipal that lists only part of the caller"
            )
        if caller.kind is _A_ROLE:
            return f"the session of {caller.role}"
        return f"the path of {caller.role}"

    def _possibly(self, caller: Caller, *, literal: bool) -> Strength:
        if caller.role is None:
            return _NONE
        if not literal and caller.kind is _A_ROLE and caller.role in self.session_roles:
            return _DIRECT
        if not caller.path_known and caller.role in self.roles:
            return _ROLE_GRANT
        return _NONE

    def _match_others(self, caller: Caller, *, literal: bool, bounded: bool | None) -> tuple[Strength, Strength]:
        """NotPrincipal: covers whom it does not list, and everybody who has a permissions boundary.

        AWS says to list the account, the role and the session to leave a session out, and that otherwise it
        *might* be covered: unknown, unless the caller is to be taken literally.
        """
        if bounded:
            return _EVERYBODY
        listed = (
            self.everybody or not self.names.isdisjoint(caller.names) or bool(self._possibly(caller, literal=literal))
        )
        if not listed:
            return _EVERYBODY
        session_known = caller.kind is not _A_ROLE
        wholly = self.everybody or (
            session_known and all(_is_listed(name, caller, self.names) for name in caller.names)
        )
        if bounded is False and (literal or wholly):
            return _NOBODY
        return _NONE, _DIRECT


def _is_listed(name: str, caller: Caller, names: frozenset[str]) -> bool:
    """The account's number and its root's ARN are two ways to list the account."""
    if caller.names[name] is Strength.DELEGATES:
        return any(each in names for each, strength in caller.names.items() if strength is Strength.DELEGATES)
    return name in names
