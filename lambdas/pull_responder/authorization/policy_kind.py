"""The kinds of policy that stand on the way of a request."""

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
"""The kinds whose policies say in each statement whom it is about."""

WITHOUT_RESOURCE = frozenset({PolicyKind.RESOURCE})
"""The kinds whose statements may leave out the resource: a repository policy means its own repository."""
