"""The AWS documentation page for each kind of fix."""

from __future__ import annotations

from typing import Final

_ROOT: Final = "https://docs.aws.amazon.com"

ECR_MANAGED_POLICIES: Final = f"{_ROOT}/AmazonECR/latest/userguide/security-iam-awsmanpol.html"
ECR_REGISTRY_POLICIES: Final = f"{_ROOT}/AmazonECR/latest/userguide/registry-permissions.html"
ECR_REPOSITORY_POLICIES: Final = f"{_ROOT}/AmazonECR/latest/userguide/repository-policy-examples.html"
ECR_VPC_ENDPOINTS: Final = f"{_ROOT}/AmazonECR/latest/userguide/vpc-endpoints.html"
EKS_POD_EXECUTION_ROLE: Final = f"{_ROOT}/eks/latest/userguide/pod-execution-role.html"
IAM_ATTACH_DETACH: Final = f"{_ROOT}/IAM/latest/UserGuide/access_policies_manage-attach-detach.html"
IAM_EDIT_POLICIES: Final = f"{_ROOT}/IAM/latest/UserGuide/access_policies_manage-edit.html"
IAM_PERMISSIONS_BOUNDARIES: Final = f"{_ROOT}/IAM/latest/UserGuide/access_policies_boundaries.html"
IAM_POLICY_VERSIONS: Final = f"{_ROOT}/IAM/latest/UserGuide/access_policies_managed-versioning.html"
IAM_SESSION_POLICIES: Final = f"{_ROOT}/IAM/latest/UserGuide/access_policies.html#policies_session"
ORGANIZATIONS_UPDATE_POLICY: Final = f"{_ROOT}/organizations/latest/userguide/orgs_policies_update.html"
