"""The kinds of policy that can stop a request."""

from __future__ import annotations

from enum import StrEnum


class PolicyKind(StrEnum):
    """One kind of policy, in the order in which they are reported."""

    IDENTITY = "identity"
    BOUNDARY = "boundary"
    SCP = "scp"
    RCP = "rcp"
    SESSION = "session"
    RESOURCE = "resource"
    REGISTRY = "registry"
    ENDPOINT = "endpoint"


WITH_PRINCIPAL = frozenset({PolicyKind.RCP, PolicyKind.RESOURCE, PolicyKind.REGISTRY, PolicyKind.ENDPOINT})
"""The kinds of policy whose statements have a Principal or NotPrincipal."""

WITHOUT_RESOURCE = frozenset({PolicyKind.RESOURCE})
"""The kinds of policy whose statements may omit the resource: a repository policy applies to its own repository."""
