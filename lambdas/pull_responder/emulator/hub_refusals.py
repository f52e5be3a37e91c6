"""What the emulated Security Hub CSPM refuses, in moto's words."""
# ruff: noqa: ANN401 -- moto's own objects, which are not typed for this

from __future__ import annotations

from importlib import import_module
from typing import Any


def refusal(code: str, message: str) -> Exception:
    """Return what to raise for an error of AWS."""
    refused: Exception = import_module("moto.securityhub.exceptions").SecurityHubClientError(code, message)
    return refused


def require_security_hub(backend: Any) -> None:
    """Raise InvalidAccessException if Security Hub is off."""
    if not backend.enabled:
        raise refusal("InvalidAccessException", f"Account {backend.account_id} is not subscribed to AWS Security Hub")
