"""What is asked: who wants to do what to which resource, and what else is known of the request."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum, IntEnum, StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping


class Unknown(Enum):
    """The type of UNKNOWN."""

    UNKNOWN = "unknown"

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown.UNKNOWN
"""The value of a key that may be in the request or not, with any value."""

Truth = bool | None
"""True, False, or None where the answer hangs on something unknown."""

MAXIMUM_TEXT = 65_536
"""The longest principal, action, resource or context value that is looked at, in characters."""


class RequestError(ValueError):
    """A request that cannot be evaluated, because a part of it is not of its form."""


class Strength(IntEnum):
    """How far a resource-based policy's Allow carries within the account, by how it names the principal.

    Source: IAM User Guide, "Policy evaluation logic", resource-based policies within a single account.
    """

    NONE = 0
    DELEGATES = 1
    """The account, or its root: the account's own identity policies decide."""
    ROLE = 2
    """The role's ARN: an identity policy is not needed, but boundary and session policy still limit it."""
    DIRECT = 3
    """The session, the user, or everybody: an implicit deny in no other policy of the principal limits it."""


class CallerKind(StrEnum):
    """What signs a request."""

    SESSION = "role session"
    ROLE = "role"
    USER = "user"
    ROOT = "root"
    FEDERATED_USER = "federated user"
    SERVICE = "AWS service"


_CALLER = re.compile(
    r"arn:(?P<partition>[a-z][a-z0-9-]{0,30}):(?:iam|sts)::(?P<account>\d{12}):"
    r"(?P<kind>assumed-role|role|user|federated-user|root)(?:/(?P<rest>\S+))?"
)
_SERVICE = re.compile(r"[a-z0-9.-]{1,100}\.amazonaws\.com(?:\.cn)?")
_ACTION = re.compile(r"[A-Za-z0-9-]{1,100}:[A-Za-z0-9]{1,200}")
_SERVICE_LINKED_PATH = "/aws-service-role/"
_SERVICE_LINKED_NAME = "AWSServiceRoleFor"


@dataclass(frozen=True, slots=True)
class Caller:
    """A principal, taken apart. `account` is None for an AWS service.

    `names` holds every text by which the Principal element of a policy can mean it, with how far that carries.
    `role` is the role's ARN without path; `path_known` says whether `names` holds the role's ARN with its path.
    `service_linked` is None where it hangs on the path.
    """

    kind: CallerKind
    account: str | None
    names: Mapping[str, Strength]
    role: str | None = None
    path_known: bool = True
    service_linked: Truth = False

    @classmethod
    def parse(cls, principal: str, role_arn: str | None = None) -> Caller:
        """Take `principal` apart. Raises RequestError when it is neither a principal's ARN nor an AWS service."""
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
            raise RequestError(f"principal {principal[:200]!r} lacks its name, or has one too many")
        names = {root: Strength.DELEGATES, account: Strength.DELEGATES, principal: Strength.DIRECT}
        if kind in ("user", "federated-user"):
            return cls(CallerKind.USER if kind == "user" else CallerKind.FEDERATED_USER, account, names)
        if kind == "role":
            name, role_arn = rest.rpartition("/")[2], principal
        else:
            name, _, session = rest.partition("/")
            if not (name and session):
                raise RequestError(f"principal {principal[:200]!r} lacks the role's name or the session's")
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
    """Inference: IAM names every service-linked role AWSServiceRoleFor…; only the path proves that it is one."""
    if role_arn is not None:
        return f":role{_SERVICE_LINKED_PATH}" in role_arn
    return None if name.startswith(_SERVICE_LINKED_NAME) else False


ContextValue = str | tuple[str, ...] | Unknown


class Context:
    """The request's condition keys, read without regard to case.

    A key that is not there is absent from the request, unless it belongs to a family. A family is a key that ends in
    `*`, such as `aws:ResourceTag/*`, and says UNKNOWN, or `()` for absent, of all keys that start so and are not
    given themselves; the longest one decides. `()` as a key's value says as well that the request lacks the key.
    `literal` is the request's (see Request).
    """

    __slots__ = ("_families", "_values", "literal")

    def __init__(self, values: Mapping[str, ContextValue], *, literal: bool = False) -> None:
        self.literal = literal
        known: dict[str, tuple[str, ...] | Unknown | None] = {}
        families: list[tuple[str, Unknown | None]] = []
        for key, value in values.items():
            if isinstance(value, str):
                known[key.lower()] = (value,)
            elif key.endswith("*") and value in (UNKNOWN, ()):
                families.append((key[:-1].lower(), UNKNOWN if value is UNKNOWN else None))
            else:
                known[key.lower()] = value or None
        self._values = known
        self._families = sorted(families, key=lambda family: -len(family[0]))

    def get(self, key: str) -> tuple[str, ...] | Unknown | None:
        """Return the values of `key` (in lower case), UNKNOWN, or None when the key is absent."""
        try:
            return self._values[key]
        except KeyError:
            for prefix, value in self._families:
                if key.startswith(prefix):
                    return value
            return None


@dataclass(frozen=True, slots=True)
class Request:
    """One request to AWS.

    `principal` is whatever signs: the ARN of a role session, a role, a user, the root user or a federated user, or
    an AWS service's name. A session's ARN has dropped the role's path; `role_arn` is the role's own ARN where it is
    known. `resource` is an ARN or `*`, `resource_account` the account that owns it. What the policies can ask of
    `context` is only what it holds: nothing is derived from the principal here (pull_context does that).

    A role's ARN as principal stands for one of its sessions, whose name is not known, and a session without
    `role_arn` for a role whose path is not: where a Principal element hangs on that, the answer is unknown.
    `literal` takes principal and policies at their word instead, as the JSON Lines of `evaluate` do.

    Raises RequestError when a part is not of its form.
    """

    principal: str
    action: str
    resource: str
    resource_account: str
    context: Mapping[str, ContextValue]
    role_arn: str | None = None
    literal: bool = False
    caller: Caller = field(init=False, repr=False, compare=False)
    keys: Context = field(init=False, repr=False, compare=False)
    action_name: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Take the principal apart and fold the case of what is compared without case."""
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
