"""A request to AWS: the principal, the action, the resource and the condition keys."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum, IntEnum, StrEnum
from typing import TYPE_CHECKING, Final

from pull_responder.authorization.partly_known import Beginning, OneOf, OtherThan, PartlyKnown

if TYPE_CHECKING:
    from collections.abc import Mapping


class Unknown(Enum):
    """The type of UNKNOWN."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN
"""The value of a condition key that may be absent from the request, or have any value."""

Truth = bool | None
"""True, False, or None if the answer depends on something unknown."""

MAXIMUM_TEXT = 65_536
"""The longest principal, resource or context value that is accepted, in characters."""


class RequestError(ValueError):
    """A request that cannot be evaluated, because one of its parts is malformed."""


class Strength(IntEnum):
    """How much a resource-based policy's Allow permits within the account. It depends on how it names the principal.

    Source: IAM User Guide, "Policy evaluation logic", resource-based policies within a single account.
    """

    NONE = 0
    DELEGATES = 1
    """It names the account or its root. The principal's identity policies must allow the request too."""
    ROLE = 2
    """It names the role's ARN. No identity policy is needed, but the boundary and the session policy must allow it."""
    DIRECT = 3
    """It names the session, the user or everybody. No other policy of the principal needs an Allow."""


class CallerKind(StrEnum):
    """The kind of principal that signs a request."""

    SESSION = "role session"
    ROLE = "role"
    USER = "user"
    ROOT = "root"
    FEDERATED_USER = "federated user"
    SERVICE = "AWS service"
    WEB_IDENTITY = "web identity"


_CALLER = re.compile(
    r"arn:(?P<partition>[a-z][a-z0-9-]{0,30}):(?:iam|sts)::(?P<account>\d{12}):"
    r"(?P<kind>assumed-role|role|user|federated-user|oidc-provider|root)(?:/(?P<rest>\S+))?"
)
_SERVICE = re.compile(r"[a-z0-9.-]{1,100}\.amazonaws\.com(?:\.cn)?")
_ACTION = re.compile(r"[A-Za-z0-9-]{1,100}:[A-Za-z0-9]{1,200}")
_SERVICE_LINKED_PATH = "/aws-service-role/"
_SERVICE_LINKED_NAME = "AWSServiceRoleFor"


@dataclass(frozen=True, slots=True)
class Caller:
    """The parts of a principal.

    - `account`: None for an AWS service and for a web identity, which belong to no account.
    - `names`: every name by which a Principal element can list the principal, with the strength that this name gives.
    - `role`: the role's ARN without path. None if it is neither a role nor a session.
    - `path_known`: `names` contains the role's ARN with its path.
    - `service_linked`: whether the role is service-linked. None if that depends on an unknown path.
    """

    kind: CallerKind
    account: str | None
    names: Mapping[str, Strength]
    role: str | None = None
    path_known: bool = True
    service_linked: Truth = False

    @classmethod
    def parse(cls, principal: str, role_arn: str | None = None) -> Caller:
        """Return the parts of `principal`. Raises RequestError if it is neither a principal's ARN nor an AWS service.

        The ARN of an OIDC provider stands for whoever shows one of its tokens.

        `role_arn` is the role's own ARN, path included, if it is known. Raises RequestError if it is another role's.
        """
        match = _CALLER.fullmatch(principal)
        if match is None:
            if _SERVICE.fullmatch(principal):
                return cls(CallerKind.SERVICE, None, {principal: Strength.DIRECT})
            raise RequestError(f"principal {principal[:200]!r} is neither an IAM or STS principal's ARN nor a service")
        partition, account, kind, rest = match.group("partition", "account", "kind", "rest")
        root = f"arn:{partition}:iam::{account}:root"
        if kind == "root" and rest is None:
            return cls(CallerKind.ROOT, account, {root: Strength.DIRECT, account: Strength.DIRECT})
        if not rest or kind == "root":
            raise RequestError(f"principal {principal[:200]!r} has no name, or is a root user with a name")
        if kind == "oidc-provider":
            return cls(CallerKind.WEB_IDENTITY, None, {principal: Strength.DIRECT})
        names = {root: Strength.DELEGATES, account: Strength.DELEGATES, principal: Strength.DIRECT}
        if kind in ("user", "federated-user"):
            return cls(CallerKind.USER if kind == "user" else CallerKind.FEDERATED_USER, account, names)
        if kind == "role":
            name, role_arn = rest.rpartition("/")[2], principal
        else:
            name, _, session = rest.partition("/")
            if not (name and session):
                raise RequestError(f"principal {principal[:200]!r} has no role name or no session name")
        roles = f"arn:{partition}:iam::{account}:role/"
        if role_arn is not None and not (role_arn.startswith(roles) and role_arn.rpartition("/")[2] == name):
            raise RequestError(f"role {role_arn[:200]!r} is not the role of principal {principal[:200]!r}")
        names[role_arn or roles + name] = Strength.ROLE
        return cls(
            CallerKind.ROLE if kind == "role" else CallerKind.SESSION,
            account,
            names,
            role=roles + name,
            path_known=role_arn is not None,
            service_linked=_service_linked(name, role_arn),
        )


def _service_linked(name: str, role_arn: str | None) -> Truth:
    """Return whether a role is service-linked; None if its path is unknown and its name does not exclude it.

    Inference: IAM names every service-linked role AWSServiceRoleFor…, but only the path proves that a role is one.
    """
    if role_arn is not None:
        return f":role{_SERVICE_LINKED_PATH}" in role_arn
    return None if name.startswith(_SERVICE_LINKED_NAME) else False


ContextValue = str | tuple[str, ...] | Unknown | PartlyKnown


class Context:
    """The request's condition keys. Their names have no case.

    - A key with the value `()` is absent from the request. So is a key that is not given.
    - A value of which only a part is known is UNKNOWN to `get`; `part` returns the known part.
    - A key that ends in `*`, such as `aws:ResourceTag/*`, is a family. Its value is UNKNOWN or `()`. It applies to
      every key that starts with it and is not given itself. If several families match, the longest one applies.
    - `literal` is that of the request (see Request).
    """

    __slots__ = ("_families", "_parts", "_values", "literal")

    def __init__(self, values: Mapping[str, ContextValue], *, literal: bool) -> None:
        self.literal = literal
        known: dict[str, tuple[str, ...] | Unknown | None] = {}
        families: list[tuple[str, Unknown | None]] = []
        self._parts: dict[str, PartlyKnown] = {}
        for key, value in values.items():
            if isinstance(value, str):
                known[key.lower()] = (value,)
            elif isinstance(value, Beginning | OneOf | OtherThan):
                known[key.lower()] = UNKNOWN
                self._parts[key.lower()] = value
            elif key.endswith("*") and value in (UNKNOWN, ()):
                families.append((key[:-1].lower(), UNKNOWN if value is UNKNOWN else None))
            else:
                known[key.lower()] = value or None
        self._values = known
        self._families = sorted(families, key=lambda family: -len(family[0]))

    def get(self, key: str) -> tuple[str, ...] | Unknown | None:
        """Return the values of `key` (given in lower case), or UNKNOWN; None if the key is absent."""
        try:
            return self._values[key]
        except KeyError:
            for prefix, value in self._families:
                if key.startswith(prefix):
                    return value
            return None

    def part(self, key: str) -> PartlyKnown | None:
        """Return the known part of the value of `key` (given in lower case); None if there is none."""
        return self._parts.get(key)


@dataclass(frozen=True, slots=True)
class Request:
    """One request to AWS.

    - `principal`: who signs the request. The ARN of a role session, a role, a user, the root user or a federated user,
      or the name of an AWS service.
    - `role_arn`: the ARN of the session's role, if it is known. The session's own ARN does not contain the role's path.
    - `resource`: an ARN or `*`. `resource_account`: the account that owns it.
    - `context`: the condition keys. Nothing is derived from the principal here; `pull_context` does that.
    - `literal`: take the principal and the policies literally, as the JSON Lines of `evaluate` do.

    Unless `literal` is set, a role's ARN as principal means a session of unknown name, and a session without `role_arn`
    means a role of unknown path. If a Principal element depends on that name or path, the answer is unknown.

    Raises RequestError if a part is malformed.
    """

    principal: str
    action: str
    resource: str
    resource_account: str
    context: Mapping[str, ContextValue]
    role_arn: str | None = None
    literal: bool = False
    caller: Caller = field(init=False, repr=False)
    keys: Context = field(init=False, repr=False, compare=False)
    action_name: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Parse the principal, and lower the case of the action and the condition keys."""
        if len(self.principal) > MAXIMUM_TEXT or len(self.resource) > MAXIMUM_TEXT:
            raise RequestError(f"principal or resource is longer than {MAXIMUM_TEXT} characters")
        if _ACTION.fullmatch(self.action) is None:
            raise RequestError(f"action {self.action[:200]!r} is not of the form service:Action")
        object.__setattr__(self, "caller", Caller.parse(self.principal, self.role_arn))
        object.__setattr__(self, "keys", Context(self.context, literal=self.literal))
        object.__setattr__(self, "action_name", self.action.lower())

    @property
    def same_account(self) -> bool:
        """Whether the principal's account owns the resource."""
        return self.caller.account == self.resource_account
