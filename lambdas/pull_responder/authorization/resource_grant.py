"""The resources whose own policy must allow a request, also one of their own account.

Elsewhere an Allow in an identity policy is enough within the account. A role and a KMS key trust nobody, not even their
account, unless their policy does.

Sources: AWS KMS Developer Guide, "Key policies in AWS KMS" (unless the key policy explicitly allows it, IAM policies
cannot allow access to a key; every key has exactly one key policy); IAM User Guide, "Policy evaluation logic" and
"Update a role trust policy" (a role's trust policy must allow the principal to assume it).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pull_responder.authorization.request import Request

_KEY: Final = re.compile(r"arn:[a-z0-9-]+:kms:[^:]*:[^:]*:key/.*", re.DOTALL)
_ROLE: Final = re.compile(r"arn:[a-z0-9-]+:iam::[^:]*:role/.*", re.DOTALL)


def _is_of_kms_key(request: Request) -> bool:
    """Return whether the request is about a KMS key."""
    return request.action_name.startswith("kms:") and _KEY.fullmatch(request.resource) is not None


def grants_only_by_resource(request: Request) -> bool:
    """Return whether the resource's own policy must allow the request, if it has one."""
    return _is_of_kms_key(request) or (
        request.action_name.startswith("sts:") and _ROLE.fullmatch(request.resource) is not None
    )
