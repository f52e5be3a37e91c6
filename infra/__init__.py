"""Pull Responder's CDK constructs. docs/constructs.md says how another CDK app uses them.

They are imported when they are first asked for: what reads the permissions alone needs no CDK.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from infra.deployment_checks import Vpc
    from infra.key_policy import key_policy_statements
    from infra.responder import PullResponder
    from infra.setting_checks import SettingsError
    from infra.settings import Settings
    from infra.stack import PullResponderStack

__all__ = ["PullResponder", "PullResponderStack", "Settings", "SettingsError", "Vpc", "key_policy_statements"]

_MODULES: Final = {
    "PullResponder": "infra.responder",
    "PullResponderStack": "infra.stack",
    "Settings": "infra.settings",
    "SettingsError": "infra.setting_checks",
    "Vpc": "infra.deployment_checks",
    "key_policy_statements": "infra.key_policy",
}


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module 'infra' has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
