"""Failures in a world, as they arrive: denials by CloudTrail, kubelet's words by audit log or Kubernetes event.

What a failure says is not derived from the world: it may be of before a repair, or of something that nobody can see.
"""

from __future__ import annotations

import base64
import copy
import gzip
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pull_responder.events.intake import read_text
from pull_responder.model.pull import PullFailure
from tests.integration.worlds.recorded import OURS, REGION
from tests.integration.worlds.world import WAY, Part, World, works

if TYPE_CHECKING:
    from tests.integration.worlds.building import Built

_EVENTS: Final = Path(__file__).parents[2] / "events"
_RECORD: Final[dict[str, Any]] = json.loads((_EVENTS / "audit_record.json").read_text())
_KUBERNETES: Final[dict[str, Any]] = json.loads((_EVENTS / "kubernetes_events" / "failed.json").read_text())
_BUCKET: Final = f"prod-{REGION}-starport-layer-bucket.s3.{REGION}.amazonaws.com"
_PULLING: Final = (
    'Failed to pull image "IMAGE": rpc error: code = Unknown desc = failed to pull and unpack image "IMAGE": '
)
_RESOLVING: Final = _PULLING + 'failed to resolve reference "IMAGE": '
_REQUEST: Final = _RESOLVING + 'failed to do request: Head "https://HOST/v2/REPOSITORY/manifests/v1": '
_LAYER: Final = (
    f'{_PULLING}failed to copy: httpReadSeeker: failed open: failed to do request: Get "https://{_BUCKET}/x": '
)

POLICIES: Final = Part.TOKEN | Part.POLICIES
SAYS: Final[dict[str, tuple[str, Part]]] = {
    "timeout": (_REQUEST + "net/http: TLS handshake timeout", WAY),
    "timeout of a layer": (_LAYER + "net/http: TLS handshake timeout", WAY),
    "timeout of the token": (
        _PULLING
        + 'RequestError: send request failed caused by: Post "https://api.ecr.us-east-1.amazonaws.com/": net/http: '
        "request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)",
        WAY,
    ),
    "no name": (_REQUEST + "dial tcp: lookup HOST on 10.0.0.2:53: no such host", WAY),
    "no credentials": (
        _RESOLVING + "pulling from host HOST failed with status code [manifests v1]: 401 Unauthorized",
        Part.IDENTITY | POLICIES | Part.API,
    ),
    "forbidden": (
        _RESOLVING + "pulling from host HOST failed with status code [manifests v1]: 403 Forbidden",
        POLICIES,
    ),
    "forbidden by S3": (
        _LAYER.replace("failed to do request: Get", "unexpected status code") + "403 Forbidden",
        Part.LAYER_POLICY,
    ),
    "not found": (_RESOLVING + "IMAGE: not found", Part.IMAGE),
    "unknown": (_PULLING + "something that nobody has seen yet", ~Part(0)),
}
"""What kubelet says, and the parts of a pull that can explain it (design: "The symptom says where to look")."""

_ACTIONS: Final = ("ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_KINDS: Final[dict[str, tuple[str, str]]] = {
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
_DECIDED_BY: Final = {
    "identity-based policy": ("iam:",),
    "permissions boundary": ("iam:",),
    "resource-based policy": ("ecr:", "iam:", "sts:"),
    # Whether the request passes an endpoint hangs on where the node is, too.
    "VPC endpoint policy": ("ec2:", "eks:", "iam:", "route53:"),
}
"""The services whose reads show policies of this kind. AWS alone knows those of other kinds, or that there is one."""

DENIALS: Final = {
    f"{action} {kind} {how}": (action, kind, how)
    for action in _ACTIONS
    for kind in ("", *_KINDS)
    for how in (("no", "deny") if kind else ("",))
    # AWS: a missing Allow in a resource control policy or for a token in a resource-based policy does not exist.
    if not (kind == "resource-based policy" and action == _ACTIONS[0])
}
NAMES: Final = (
    *(f"{by}: {what}" for by in ("audit", "event") for what in SAYS),
    *(f"denied: {each}" for each in DENIALS),
)


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure.

    - `parts` are the parts of a pull that can explain it.
    - `blamed` are the causes that AWS's own words leave, all where there are no such words. The words decide where the
      policies of this `kind` cannot be read.
    """

    pull: PullFailure
    parts: Part
    blamed: frozenset[str] = frozenset()
    kind: str = ""

    def may_be_taken_at_their_word(self, world: World, unread: frozenset[str]) -> frozenset[str]:
        """The causes that may be reported because of AWS's words alone, with these reads refused."""
        decided_by = _DECIDED_BY.get(self.kind)
        # AWS answered, so it was by a way that cannot be seen, if none can.
        elsewhere = self.kind == "VPC endpoint policy" and not works(world, Part.API | Part.DKR)
        if elsewhere or decided_by is None or any(each.startswith(decided_by) for each in unread):
            return self.blamed
        return frozenset()

    def explained_by(self, causes: frozenset[str]) -> bool:
        """Whether one of these causes can be what the message blames."""
        return not self.blamed or bool(self.blamed & causes)


def failure(name: str, built: Built) -> Failure:
    """The failure of this name in NAMES."""
    by, _, what = name.partition(": ")
    if by == "denied":
        return _denied(what, built)
    said, parts = SAYS[what]
    message = said.replace("IMAGE", built.image).replace("HOST", built.host).replace("REPOSITORY", built.repository)
    event = _audit_record(built, message) if by == "audit" else _kubernetes_event(built, message)
    (pull,) = read_text(json.dumps(event))
    assert isinstance(pull, PullFailure), pull
    return Failure(pull, parts)


def _denied(what: str, built: Built) -> Failure:
    action, kind, how = DENIALS[what]
    arn = f"arn:aws:sts::{OURS}:assumed-role/{built.role}/{built.node}"
    repository = f"arn:aws:ecr:{REGION}:{built.registry}:repository/{built.repository}"
    resource = "*" if action == _ACTIONS[0] else repository
    article = "an" if kind[:1] in tuple("aeiou") else "a"
    reason = {
        "no": f" because no {kind} allows the {action} action",
        "deny": f" with an explicit deny in {article} {kind}",
        "": "",
    }[how]
    issuer = {"type": "Role", "arn": f"arn:aws:iam::{OURS}:role/{built.role}", "accountId": OURS}
    identity = {"type": "AssumedRole", "arn": arn, "accountId": OURS, "sessionContext": {"sessionIssuer": issuer}}
    detail = {
        "eventSource": "ecr.amazonaws.com",
        "eventName": action.removeprefix("ecr:"),
        "awsRegion": REGION,
        "eventTime": "2026-03-01T12:00:00Z",
        "errorCode": "AccessDenied",
        "errorMessage": f"User: {arn} is not authorized to perform: {action} on resource: {resource}{reason}",
        "userIdentity": identity,
        "eventID": "8da4d3e2-2d4f-5ea4-8818-796502d9bd22",
    }
    envelope = {"source": "aws.ecr", "account": OURS, "region": REGION, "detail": detail}
    (pull,) = read_text(json.dumps(envelope))
    assert isinstance(pull, PullFailure), pull
    blamed = frozenset(_KINDS[kind][how == "deny"].split()) if kind else frozenset()
    return Failure(pull, Part.TOKEN if action == _ACTIONS[0] else Part.TOKEN | Part.POLICIES, blamed, kind)


def _audit_record(built: Built, message: str) -> dict[str, Any]:
    record = copy.deepcopy(_RECORD)
    arn = f"arn:aws:sts::{OURS}:assumed-role/{built.role}/{built.node}"
    record["user"] |= {
        "username": f"system:node:{built.node_name}",
        "extra": {
            "arn": [arn],
            "canonicalArn": [f"arn:aws:iam::{OURS}:role/{built.role}"],
            "sessionName": [built.node],
        },
    }
    waiting = {"message": message, "reason": "ErrImagePull"}
    status = {"name": "web", "image": built.image, "state": {"waiting": waiting}}
    record["requestObject"]["status"]["containerStatuses"] = [status]
    batch = {
        "messageType": "DATA_MESSAGE",
        "owner": OURS,
        "logGroup": "/aws/eks/prod/cluster",
        "logStream": "kube-apiserver-audit-0123456789abcdef",
        "subscriptionFilters": ["pull-responder"],
        "logEvents": [{"id": "0", "timestamp": 1772366400000, "message": json.dumps(record)}],
    }
    return {"awslogs": {"data": base64.b64encode(gzip.compress(json.dumps(batch).encode())).decode()}}


def _kubernetes_event(built: Built, message: str) -> dict[str, Any]:
    event = copy.deepcopy(_KUBERNETES)
    event["account"] = OURS
    event["detail"] |= {"message": message, "reportingInstance": built.node_name}
    event["detail"]["source"]["host"] = built.node_name
    return event
