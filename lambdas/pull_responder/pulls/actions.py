"""The actions that a pull needs.

Source: Amazon ECR User Guide, "Using Amazon ECR images with Amazon EKS" and "Pull through cache", required permissions.
"""

from __future__ import annotations

from typing import Final

TOKEN: Final = "ecr:GetAuthorizationToken"  # noqa: S105 -- the name of an action
MANIFEST: Final = "ecr:BatchGetImage"
LAYERS: Final = "ecr:GetDownloadUrlForLayer"

# A pull through cache needs these, too: the second only where the repository does not exist yet.
IMPORT: Final = "ecr:BatchImportUpstreamImage"
CREATE: Final = "ecr:CreateRepository"

PULL_ACTIONS: Final = frozenset({TOKEN, MANIFEST, LAYERS})
CACHE_ACTIONS: Final = frozenset({IMPORT, CREATE})
