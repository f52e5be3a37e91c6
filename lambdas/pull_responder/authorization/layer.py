"""The kinds of policy that stand on the way of a request."""

from __future__ import annotations

from enum import StrEnum


class Layer(StrEnum):
    """One kind of policy, in the order in which blocked layers are reported."""

    IDENTITY = "identity"
    BOUNDARY = "boundary"
    SCP = "scp"
    RCP = "rcp"
    SESSION = "session"
    RESOURCE = "resource"
    REGISTRY = "registry"
    ENDPOINT = "endpoint"


WITH_PRINCIPAL = frozenset({Layer.RCP, Layer.RESOURCE, Layer.REGISTRY, Layer.ENDPOINT})
"""The layers whose policies say in each statement whom it is about."""

WITHOUT_RESOURCE = frozenset({Layer.RESOURCE})
"""The layers whose statements may leave out the resource: a repository policy means its own repository."""
