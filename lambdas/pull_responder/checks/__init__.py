"""One file a cause. This tuple is the list of them: the pages, the permissions and the README follow from it."""

from pull_responder.checks import (
    endpoint_policy_blocks_pull,
    permissions_boundary_blocks_pull,
    rcp_blocks_pull,
    registry_policy_denies_pull,
    repository_policy_denies_pull,
    repository_policy_lacks_grant,
    role_lacks_pull_permissions,
    role_policy_denies_pull,
    scp_blocks_pull,
    session_policy_blocks_pull,
    unexpected_principal_denied,
)

CHECKS = (
    role_lacks_pull_permissions.CHECK,
    role_policy_denies_pull.CHECK,
    permissions_boundary_blocks_pull.CHECK,
    scp_blocks_pull.CHECK,
    rcp_blocks_pull.CHECK,
    session_policy_blocks_pull.CHECK,
    repository_policy_lacks_grant.CHECK,
    repository_policy_denies_pull.CHECK,
    registry_policy_denies_pull.CHECK,
    endpoint_policy_blocks_pull.CHECK,
    unexpected_principal_denied.CHECK,
)
