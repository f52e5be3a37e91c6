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

# The first pull through a cache needs this one where a repository creation template sets tags. Sources:
# aws/containers-roadmap#2398; Service Authorization Reference, "Amazon ECR", dependent actions of BatchGetImage.
TAG: Final = "ecr:TagResource"

# The role of an ECR to ECR cache rule needs this one, too. Source: Amazon ECR User Guide, "Setting up permissions for
# cross-account ECR to ECR PTC".
COPY_STATUS: Final = "ecr:GetImageCopyStatus"

PULL_ACTIONS: Final = frozenset({TOKEN, MANIFEST, LAYERS})
CACHE_ACTIONS: Final = frozenset({IMPORT, CREATE})
FIRST_PULL_ACTIONS: Final = CACHE_ACTIONS | {TAG}
UPSTREAM_ACTIONS: Final = (TOKEN, MANIFEST, LAYERS, IMPORT, COPY_STATUS)
