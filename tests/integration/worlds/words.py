"""What kubelet and AWS say of failing pulls, and what of that can be explained by which part of a pull.

Design: "The symptom says where to look".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tests.integration.worlds.recorded import REGION
from tests.integration.worlds.world import PRIVATE_ELSEWHERE, PUBLIC, WAY, Part

_BUCKET: Final = f"prod-{REGION}-starport-layer-bucket.s3.{REGION}.amazonaws.com"
_PULLING: Final = (
    'Failed to pull image "IMAGE": rpc error: code = Unknown desc = failed to pull and unpack image "IMAGE": '
)
_RESOLVING: Final = _PULLING + 'failed to resolve reference "IMAGE": '
_MANIFEST: Final = "https://HOST/v2/REPOSITORY/manifests/v1"
_REQUEST: Final = f'{_RESOLVING}failed to do request: Head "{_MANIFEST}": '
_OPENING: Final = _PULLING + "failed to copy: httpReadSeeker: failed open: "
_FOREIGN: Final = f'{_OPENING}failed to do request: Get "https://production.cloudflare.docker.com/registry-v2/x": '
_LAYER: Final = f'{_OPENING}failed to do request: Get "https://{_BUCKET}/x": '
_POLICIES: Final = Part.TOKEN | Part.POLICIES


@dataclass(frozen=True, slots=True)
class Said:
    """A message.

    - `parts` are the parts of a pull that can explain it.
    - `blames` are the causes that the words themselves name, all where there are none.
    - `contradicts` says that they tell of another way than the one that can be computed.
    - `leads` says where the name or the host led, where the message tells that and it is not where the way leads: to
      the private address `address`, to a public one, to a host outside of AWS, or to another DNS server.
    - `decided_by` are the services whose reads outrank the words. None where nothing that can be read does.
    """

    text: str
    parts: Part
    blames: frozenset[str] = frozenset()
    decided_by: tuple[str, ...] | None = ()
    contradicts: bool = False
    address: str = ""
    leads: str = ""


def _own(text: str, *causes: str) -> Said:
    """Words that no part of a pull that can be read explains: only the causes they name themselves, if any."""
    return Said(text, Part(0), frozenset(causes), None)


KUBELET: Final = {
    "timeout": Said(_REQUEST + "net/http: TLS handshake timeout", WAY),
    "timeout at its address": Said(_REQUEST + "dial tcp ADDRESS:443: i/o timeout", WAY),
    "timeout at an address elsewhere": Said(
        f"{_REQUEST}dial tcp {PRIVATE_ELSEWHERE}:443: i/o timeout",
        WAY,
        contradicts=True,
        address=PRIVATE_ELSEWHERE,
        leads="elsewhere",
    ),
    # Where an endpoint takes the name, it contradicts the way.
    "timeout at a public address": Said(f"{_REQUEST}dial tcp {PUBLIC}:443: i/o timeout", WAY, leads="public"),
    "timeout of a layer at a foreign host": Said(f"{_FOREIGN}net/http: TLS handshake timeout", WAY, leads="foreign"),
    "no name at another server": Said(
        _REQUEST + "dial tcp: lookup HOST on 10.99.0.53:53: no such host", WAY, contradicts=True, leads="server"
    ),
    "timeout of a layer": Said(_LAYER + "net/http: TLS handshake timeout", WAY),
    "timeout of the token": Said(
        _PULLING
        + 'RequestError: send request failed caused by: Post "https://api.ecr.us-east-1.amazonaws.com/": net/http: '
        "request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)",
        WAY,
    ),
    "no name": Said(_REQUEST + "dial tcp: lookup HOST on 10.0.0.2:53: no such host", WAY),
    "no credentials": Said(
        _RESOLVING + "pulling from host HOST failed with status code [manifests v1]: 401 Unauthorized",
        Part.IDENTITY | _POLICIES | Part.API,
    ),
    "forbidden": Said(
        _RESOLVING + "pulling from host HOST failed with status code [manifests v1]: 403 Forbidden", _POLICIES
    ),
    "forbidden by S3": Said(f"{_OPENING}unexpected status code https://{_BUCKET}/x: 403 Forbidden", Part.LAYER_POLICY),
    "not found": Said(_RESOLVING + "IMAGE: not found", Part.IMAGE),
    "no layer": Said(
        _OPENING + "content at https://HOST/v2/REPOSITORY/blobs/x not found: not found", Part(0), contradicts=True
    ),
    "another platform": Said(
        _PULLING + "no match for platform in manifest: not found",
        Part.PLATFORM,
        frozenset({"image_platform_mismatch"}),
        ("ec2:", "ecr:", "eks:"),
    ),
    "unknown": Said(_PULLING + "something that nobody has seen yet", ~Part(0)),
    "throttled": _own(
        f"{_RESOLVING}unexpected status from HEAD request to {_MANIFEST}: 429 Too Many Requests", "registry_throttled"
    ),
    "throttled by kubelet": _own('Failed to pull image "IMAGE": pull QPS exceeded'),
    "canceled": _own(_PULLING + "failed to copy: context canceled"),
    "a full disk": _own(
        _PULLING + "failed to copy: write /var/lib/containerd/ingest/data: no space left on device", "node_disk_full"
    ),
    "an old token": _own(
        _RESOLVING + "denied: Your authorization token has expired. Reauthenticate and try again.",
        "registry_token_expired",
    ),
    "a proxy": _own(
        _REQUEST + "proxyconnect tcp: dial tcp 10.0.0.3:3128: connect: connection refused", "proxy_blocks_pull"
    ),
    "a certificate": _own(
        _REQUEST + "tls: failed to verify certificate: x509: certificate signed by unknown authority",
        "registry_certificate_untrusted",
    ),
    "an error of the registry": _own(
        f"{_RESOLVING}unexpected status from HEAD request to {_MANIFEST}: 503 Service Unavailable",
        "registry_unavailable",
    ),
    "a corrupt layer": _own(_PULLING + "failed size validation: 1 != 2: failed precondition"),
}

ACTIONS: Final = ("ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
KINDS: Final[dict[str, tuple[str, str]]] = {
    # The kind of policy in AWS's words: the causes that it blames for a missing Allow, and for an explicit deny.
    "identity-based policy": ("role_lacks_pull_permissions", "role_policy_denies_pull"),
    "permissions boundary": ("permissions_boundary_blocks_pull", "permissions_boundary_blocks_pull"),
    # Within one account, an Allow of either would do.
    "resource-based policy": (
        "repository_policy_lacks_grant role_lacks_pull_permissions",
        "repository_policy_denies_pull registry_policy_denies_pull",
    ),
    "service control policy": ("scp_blocks_pull", "scp_blocks_pull"),
    "resource control policy": ("rcp_blocks_pull", "rcp_blocks_pull"),
    "session policy": ("session_policy_blocks_pull", "session_policy_blocks_pull"),
    "VPC endpoint policy": ("endpoint_policy_blocks_pull", "endpoint_policy_blocks_pull"),
}
DECIDED_BY: Final = {
    "identity-based policy": ("iam:",),
    "permissions boundary": ("iam:",),
    "resource-based policy": ("ecr:", "iam:", "sts:"),
    # Whether the request passes an endpoint hangs on where the node is, too.
    "VPC endpoint policy": ("ec2:", "eks:", "iam:", "route53:"),
}
"""The services whose reads show policies of this kind. AWS alone knows those of other kinds, or that there is one."""

DENIALS: Final = {
    f"{action} {kind} {how}": (action, kind, how)
    for action in ACTIONS
    for kind in ("", *KINDS)
    for how in (("no", "deny") if kind else ("",))
    # AWS: a missing Allow in a resource control policy or for a token in a resource-based policy does not exist.
    if not (kind == "resource-based policy" and action == ACTIONS[0])
}

CACHE_DENIALS: Final = {
    f"{action} {kind} {how}": (action, kind, how)
    for action in ("ecr:BatchImportUpstreamImage", "ecr:CreateRepository")
    for kind, how in (("", ""), ("identity-based policy", "no"))
}
"""What only a pull through a cache asks for."""
