"""Failures in a world, as they arrive: denials by CloudTrail, kubelet's words by audit log or Kubernetes event.

What a failure says is not derived from the world: it may be of before a repair, or of something that nobody can see.
"""

from __future__ import annotations

import base64
import copy
import gzip
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pull_responder.events.intake import read_text
from pull_responder.model.pull import PullFailure
from tests.integration.worlds.pullers import provider
from tests.integration.worlds.recorded import OURS, REGION
from tests.integration.worlds.words import ACTIONS, CACHE_DENIALS, DECIDED_BY, DENIALS, KINDS, KUBELET, Said
from tests.integration.worlds.world import PUBLIC, PUBLIC_IPV6, PUBLIC_NAT64, Part, works

if TYPE_CHECKING:
    from tests.integration.worlds.building import Built
    from tests.integration.worlds.world import World

_EVENTS: Final = Path(__file__).parents[2] / "events"
_RECORD: Final[dict[str, Any]] = json.loads((_EVENTS / "audit_record.json").read_text())
_KUBERNETES: Final[dict[str, Any]] = json.loads((_EVENTS / "kubernetes_events" / "failed.json").read_text())
QUESTIONS: Final = ("instance", "node group")
NAMES: Final = (
    *(f"question: {what}" for what in QUESTIONS),
    *(f"{by}: {what}" for by in ("audit", "event") for what in KUBELET),
    *(f"denied: {each}" for each in DENIALS),
)
BY_AWS: Final = tuple(f"denied: {each}" for each in DENIALS)
CACHE_NAMES: Final = tuple(f"denied: {each}" for each in CACHE_DENIALS)
"""AWS's words for what only a pull through a cache that has to fetch asks for."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure of `pull`; None for a question before a failure, about what `asks` names."""

    said: Said
    pull: PullFailure | None = None
    asks: str = ""

    @property
    def parts(self) -> Part:
        """The parts of a pull that can explain it."""
        return self.said.parts

    def may_be_taken_at_their_word(self, world: World, unread: frozenset[str]) -> frozenset[str]:
        """The causes that may be reported because of the words alone, with these reads refused."""
        decided_by = self.said.decided_by
        # AWS answered, so it was by a way that cannot be seen, if none can.
        if self.said.decided_by is not None and world.of_aws and "ecr:" in self.said.decided_by:
            return self.said.blames
        # A pod's own role does not say on which node it was, and a hub shows nothing.
        seen = not world.hub and world.puller != "pod" and works(world, Part.API | Part.DKR)
        elsewhere = "endpoint_policy_blocks_pull" in self.said.blames and not seen
        # The manifest of an image that is no index tells no platform.
        untold = "image_platform_mismatch" in self.said.blames and world.image in ("there", "absent")
        if elsewhere or untold or decided_by is None or any(each.startswith(decided_by) for each in unread):
            return self.said.blames
        return frozenset()

    def explained_by(self, causes: frozenset[str]) -> bool:
        """Whether one of these causes can be what the message blames."""
        return not self.said.blames or bool(self.said.blames & causes)


def failure(called: str, built: Built) -> Failure:
    """The failure that NAMES calls so."""
    by, _, what = called.partition(": ")
    if by == "question":
        return Failure(Said("", ~Part(0)), asks=what)
    if by == "denied":
        return _denied(what, built)
    said = KUBELET[what]
    address = f"[{built.address}]" if ":" in built.address else built.address
    names = {"IMAGE": built.image, "HOST": built.host, "REPOSITORY": built.repository, "ADDRESS": address}
    if built.dual_stack:
        names |= {
            f"api.ecr.{REGION}.amazonaws.com": f"ecr.{REGION}.api.aws",
            f"s3.{REGION}.": f"s3.dualstack.{REGION}.",
        }
    message = said.text
    for word, name in names.items():
        message = message.replace(word, name)
    if said.leads == "public":
        by_endpoint = built.address not in (PUBLIC, PUBLIC_IPV6, PUBLIC_NAT64)
        said = replace(said, contradicts=by_endpoint, leads="public" if by_endpoint else "")
    event = _audit_record(built, message) if by == "audit" else _kubernetes_event(built, message)
    (pull,) = read_text(json.dumps(event))
    assert isinstance(pull, PullFailure), pull
    return Failure(said, pull)


def _denied(what: str, built: Built) -> Failure:
    action, kind, how = {**DENIALS, **CACHE_DENIALS}[what]
    arn = f"arn:aws:sts::{OURS}:assumed-role/{built.role}/{built.session}"
    repository = f"arn:aws:ecr:{REGION}:{built.registry}:repository/{built.repository}"
    resource = "*" if action == ACTIONS[0] else repository
    article = "an" if kind[:1] in tuple("aeiou") else "a"
    reason = {
        "no": f" because no {kind} allows the {action} action",
        "deny": f" with an explicit deny in {article} {kind}",
        "": "",
    }[how]
    issuer = {"type": "Role", "arn": f"arn:aws:iam::{OURS}:role/{built.role}", "accountId": OURS}
    context: dict[str, Any] = {"sessionIssuer": issuer}
    if built.session == "ecr-credential-provider":
        context["webIdFederationData"] = {"federatedProvider": provider(), "attributes": {}}
    identity = {"type": "AssumedRole", "arn": arn, "accountId": OURS, "sessionContext": context}
    message = f"User: {arn} is not authorized to perform: {action} on resource: {resource}{reason}"
    detail = {
        "eventSource": "ecr.amazonaws.com",
        # ECR itself asks for what a cache needs, within the call that gets the manifest.
        "eventName": (action if action in ACTIONS else ACTIONS[1]).removeprefix("ecr:"),
        "awsRegion": REGION,
        "eventTime": "2026-03-01T12:00:00Z",
        "errorCode": "AccessDenied",
        "errorMessage": message,
        "userIdentity": identity,
        "eventID": "8da4d3e2-2d4f-5ea4-8818-796502d9bd22",
    }
    envelope = {"source": "aws.ecr", "account": OURS, "region": REGION, "detail": detail}
    (pull,) = read_text(json.dumps(envelope))
    assert isinstance(pull, PullFailure), pull
    blames = set(KINDS[kind][how == "deny"].split()) if kind else set()
    if built.registry != OURS and kind == "resource-based policy":
        # Of another account's repository, AWS blames the role's policies by their own name.
        blames.discard("role_lacks_pull_permissions")
    if what in CACHE_DENIALS:
        decided_by = ("iam:", "ecr:DescribePullThroughCacheRules")
        return Failure(Said(message, Part.CACHE, frozenset({"pull_through_cache_failing"}), decided_by), pull)
    parts = Part.TOKEN if action == ACTIONS[0] else Part.TOKEN | Part.POLICIES
    return Failure(Said(message, parts, frozenset(blames), DECIDED_BY.get(kind)), pull)


def _audit_record(built: Built, message: str) -> dict[str, Any]:
    record = copy.deepcopy(_RECORD)
    arn = f"arn:aws:sts::{OURS}:assumed-role/{built.role}/{built.session}"
    record["user"] |= {
        "username": f"system:node:{built.node_name}",
        "extra": {
            "arn": [arn],
            "canonicalArn": [f"arn:aws:iam::{OURS}:role/{built.role}"],
            "sessionName": [built.session],
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
