"""Writes the scopes of permissions.py for `pull-responder permissions`: `python -m infra.terminal_scopes`.

What is installed for a terminal knows nothing of the stack, so that it has them as a module of its own.
"""

from __future__ import annotations

import json
import sys
from typing import Final

from infra.permissions import SCOPES

_MODULE: Final = '''\
"""The resources of each IAM action, as the roles of the deployed functions have them.

Written by `make generate` from SCOPES in infra/permissions.py, which has their sources. The ARNs have the placeholders
of Scope there.
"""

from __future__ import annotations

from typing import Final

SCOPES: Final = """\\
{scopes}
"""
"""JSON: by action the ARNs, and the key and value of a condition, if there is one."""
'''


def module() -> str:
    """Return the text of the module."""
    scopes = {
        action: {"arns": list(scope.arns)} | ({"condition": list(scope.condition)} if scope.condition else {})
        for action, scope in sorted(SCOPES.items())
    }
    return _MODULE.replace("{scopes}", json.dumps(scopes, indent=1))


if __name__ == "__main__":
    sys.stdout.write(module())
