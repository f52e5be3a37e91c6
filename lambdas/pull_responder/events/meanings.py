"""What a kubelet message can mean: the causes that its symptom and stage leave open, most likely first.

Plain data, by the ids of the causes. What decides is in the rules of reporting: a symptom says where to look. A refusal
has come through the network, so it means no fault of the way except an endpoint's policy; a timeout has not asked for
authorization yet. kubelet tells a token it could not fetch as if there were none: `not_authenticated` means both.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.events.image_reference import RegistryKind
from pull_responder.model.pull import PolicyType, Stage, Symptom

if TYPE_CHECKING:
    from pull_responder.events.kubelet_message import KubeletMessage
    from pull_responder.model.pull import Denial

_OF_THE_ROLE: Final = (
    "role_policy_denies_pull",
    "scp_blocks_pull",
    "permissions_boundary_blocks_pull",
    "session_policy_blocks_pull",
)
_OF_THE_REPOSITORY: Final = (
    "repository_policy_denies_pull",
    "registry_policy_denies_pull",
    "rcp_blocks_pull",
)
# Any network way, whichever of the registry's hosts it leads to.
_WAY_OUT: Final = (
    "no_route_to_ecr",
    "nat_gateway_unavailable",
    "security_group_blocks_egress",
    "public_ip_missing",
    "network_acl_blocks_traffic",
)
_WAY_TO_ENDPOINT: Final = (
    "endpoint_security_group_blocks_ingress",
    "vpc_endpoint_unavailable",
    "endpoint_private_dns_disabled",
)
_TOKEN_REFUSED: Final = ("role_lacks_pull_permissions", *_OF_THE_ROLE, "endpoint_policy_blocks_pull", "rcp_blocks_pull")
_NOT_AUTHORIZED: Final = (
    "role_lacks_pull_permissions",
    "repository_policy_lacks_grant",
    *_OF_THE_ROLE,
    *_OF_THE_REPOSITORY,
    "endpoint_policy_blocks_pull",
)
_IMAGE_REFUSED: Final = (
    *_NOT_AUTHORIZED,
    # containerd asks by HEAD: an expired token is a bare 403 to it.
    "registry_token_expired",
    "repository_key_unusable",
    "pull_through_cache_failing",
)
_NO_TOKEN: Final = (
    "role_lacks_pull_permissions",
    "vpc_endpoint_missing",
    "instance_profile_missing",
    "role_trust_policy_excludes_service",
    "instance_metadata_disabled",
    *_WAY_OUT,
    *_WAY_TO_ENDPOINT,
    "vpc_dns_disabled",
    "endpoint_policy_blocks_pull",
    *_OF_THE_ROLE,
    "repository_policy_lacks_grant",
    *_OF_THE_REPOSITORY,
    "node_group_unhealthy",
)
_NO_ANSWER: Final = (*_WAY_OUT, "vpc_endpoint_missing", *_WAY_TO_ENDPOINT)
_NO_LAYER: Final = (
    "s3_endpoint_not_in_route_table",
    "vpc_endpoint_missing",
    *_WAY_OUT,
    "vpc_endpoint_unavailable",
    "endpoint_security_group_blocks_ingress",
)
_NO_NAME: Final = ("vpc_dns_disabled", *_WAY_OUT)

_BY_SYMPTOM_AND_STAGE: Final[dict[tuple[Symptom, Stage | None], tuple[str, ...]]] = {
    (Symptom.ACCESS_DENIED, Stage.TOKEN): _TOKEN_REFUSED,
    (Symptom.ACCESS_DENIED, Stage.LAYER): ("s3_endpoint_policy_blocks_layers", *_IMAGE_REFUSED),
    (Symptom.TIMEOUT, Stage.LAYER): _NO_LAYER,
    (Symptom.TIMEOUT, None): (*_NO_ANSWER, "s3_endpoint_not_in_route_table"),
}
_BY_SYMPTOM: Final[dict[Symptom, tuple[str, ...]]] = {
    Symptom.TIMEOUT: _NO_ANSWER,
    Symptom.NAME_RESOLUTION_FAILED: _NO_NAME,
    Symptom.NOT_AUTHENTICATED: _NO_TOKEN,
    Symptom.TOKEN_EXPIRED: ("registry_token_expired",),
    Symptom.ACCESS_DENIED: _IMAGE_REFUSED,
    Symptom.NOT_FOUND: ("image_not_found", "repository_not_found", "pull_through_cache_failing"),
    Symptom.PLATFORM_MISMATCH: ("image_platform_mismatch",),
    Symptom.THROTTLED: ("registry_throttled",),
    Symptom.KUBELET_THROTTLED: (),
    Symptom.DISK_FULL: ("node_disk_full",),
    Symptom.DOWNLOAD_CORRUPT: (),
    Symptom.CANCELED: (),
}

# What AWS's words leave of a refusal: the kind of policy, and whether it denies or only fails to allow.
_BY_POLICY: Final[dict[tuple[PolicyType, bool], tuple[str, ...]]] = {
    (PolicyType.IDENTITY, False): ("role_lacks_pull_permissions",),
    (PolicyType.IDENTITY, True): ("role_policy_denies_pull",),
    (PolicyType.BOUNDARY, False): ("permissions_boundary_blocks_pull",),
    (PolicyType.BOUNDARY, True): ("permissions_boundary_blocks_pull",),
    (PolicyType.SESSION, False): ("session_policy_blocks_pull",),
    (PolicyType.SESSION, True): ("session_policy_blocks_pull",),
    # Within one account either side may allow, so a missing grant is a missing permission of the role, too.
    (PolicyType.RESOURCE, False): ("repository_policy_lacks_grant", "role_lacks_pull_permissions"),
    (PolicyType.RESOURCE, True): ("repository_policy_denies_pull", "registry_policy_denies_pull"),
    (PolicyType.SERVICE_CONTROL, False): ("scp_blocks_pull",),
    (PolicyType.SERVICE_CONTROL, True): ("scp_blocks_pull",),
    (PolicyType.RESOURCE_CONTROL, False): ("rcp_blocks_pull",),
    (PolicyType.RESOURCE_CONTROL, True): ("rcp_blocks_pull",),
    (PolicyType.VPC_ENDPOINT, False): ("endpoint_policy_blocks_pull",),
    (PolicyType.VPC_ENDPOINT, True): ("endpoint_policy_blocks_pull",),
}
_PULL_THROUGH_ACTIONS: Final = ("ecr:BatchImportUpstreamImage", "ecr:CreateRepository")
# A missing allow never reads "with an explicit deny".
_MISSING_ALLOWS: Final = frozenset({"role_lacks_pull_permissions", "repository_policy_lacks_grant"})

_NODE: Final = ("node_disk_full", "image_platform_mismatch")
_EVERYTHING: Final = (
    *_NO_TOKEN,
    "image_not_found",
    "repository_not_found",
    "registry_token_expired",
    "s3_endpoint_not_in_route_table",
    "s3_endpoint_policy_blocks_layers",
    "pull_through_cache_failing",
    "repository_key_unusable",
    "registry_throttled",
    *_NODE,
)
# Of an image that is in no private registry of Amazon ECR: no policy, endpoint or key of ours has a part in its pull.
_OUTSIDE: Final = frozenset(
    {*_WAY_OUT, *_NODE, "vpc_dns_disabled", "registry_throttled", "image_not_found", "repository_not_found"}
)


def can_mean(message: KubeletMessage) -> tuple[str, ...]:
    """Return the causes that `message` can mean, most likely first; none where no cause can explain it.

    `unexpected_principal_denied` and `pull_failing_unexplained` are never among them: no message of a node says them.
    """
    image = message.image
    causes: tuple[str, ...]
    if message.symptom is Symptom.UNKNOWN:
        causes = () if image and image.problem else _EVERYTHING
    elif message.from_layer_bucket and message.symptom is Symptom.ACCESS_DENIED:
        # Amazon S3 itself refused: the URL was signed by ECR, so no policy of the pulling role is asked.
        causes = ("s3_endpoint_policy_blocks_layers",)
    elif message.error_code in ("name unknown", "manifest unknown"):
        missing = "repository_not_found" if message.error_code == "name unknown" else "image_not_found"
        causes = (missing, "pull_through_cache_failing")
    else:
        by_symptom = _BY_SYMPTOM[message.symptom]
        causes = _BY_SYMPTOM_AND_STAGE.get((message.symptom, message.stage), by_symptom)
        causes = _left_by(message.denial, causes) if message.denial else causes
    # A refused action of ECR is one of a private registry, however the image's host is spelt.
    of_ecr = message.denial is not None and message.denial.action.startswith("ecr:")
    if image is None or image.kind is RegistryKind.ECR_PRIVATE or of_ecr:
        return causes
    return tuple(cause for cause in causes if cause in _OUTSIDE)


def _left_by(denial: Denial, causes: tuple[str, ...]) -> tuple[str, ...]:
    """The causes that AWS's own words leave."""
    if denial.action in _PULL_THROUGH_ACTIONS:
        return ("pull_through_cache_failing",)
    if denial.policy_type:
        return _BY_POLICY[denial.policy_type, denial.explicit]
    # AWS named an action and no policy: whatever was refused, it was for authorization.
    left = tuple(cause for cause in causes if cause in _NOT_AUTHORIZED)
    return tuple(cause for cause in left if cause not in _MISSING_ALLOWS) if denial.explicit else left
