"""A container that waits for its image, as the cluster reports it, and our own event that carries it to the queue.

The event has the layout of EventBridge events, so that all messages in the queue are read alike:

    {"source": "pull-responder.audit-log", "detail-type": "Pod Image Pull Failure",
     "account": the function's, "region": the function's, "time": ISO 8601, "id": the audit record's,
     "detail": {"clusterName", "namespace", "podName", "containerName", "nodeName", "principalArn", "image", "message"}}

Unknown values are absent. `principalArn` is the session with which the node authenticates to the cluster: its role and,
for EC2, the instance id.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.events import fields, kubernetes_names, names
from pull_responder.events.denial import parse_denial
from pull_responder.events.image_reference import TEXT_LIMIT, ImageReference, RegistryKind, parse_image
from pull_responder.events.kubelet_message import KubeletMessage, plain_text, read_message
from pull_responder.events.no_reason import UNASKED
from pull_responder.events.outcome import Skipped, UnusableEvent
from pull_responder.events.principal import read_principal
from pull_responder.events.redaction import redact
from pull_responder.model.pull import KUBELET_SESSION, PrincipalKind, PullFailure

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.model.pull import Denial, Principal

SOURCE: Final = "pull-responder.audit-log"
DETAIL_TYPE: Final = "Pod Image Pull Failure"
MESSAGE_LIMIT: Final = 4096
"""The number of characters of a message that are kept, after credentials and control characters are removed."""

# The region of ECR Public's API. Its registry has no region.
_ECR_PUBLIC_REGION: Final = "us-east-1"

_KEYS: Final = {
    "cluster": "clusterName",
    "namespace": "namespace",
    "pod": "podName",
    "container": "containerName",
    "node": "nodeName",
    "principal_arn": "principalArn",
    "image": "image",
    "message": "message",
}


@dataclass(frozen=True, slots=True)
class PodFailure:
    """A signal from a cluster. The form of every value is checked. No value is known to be true.

    - `account`, `region`: where the signal was received.
    - `image`: as the pod spells it.
    - `principal_arn`: the session of the node.
    - `time`: ISO 8601 in UTC.
    - `labels`: the pod's labels as "key=value", None if unknown.
    """

    account: str | None
    message: str
    image: str | None = None
    cluster: str | None = None
    namespace: str | None = None
    pod: str | None = None
    container: str | None = None
    node: str | None = None
    principal_arn: str | None = None
    time: str | None = None
    event_id: str | None = None
    region: str | None = None
    labels: tuple[str, ...] | None = None

    def body(self, *, region: str) -> str:
        """Return the body of our own event for the queue. `region` is the function's."""
        known = {_KEYS[name]: value for name, value in asdict(self).items() if name in _KEYS and value}
        envelope = {"source": SOURCE, "detail-type": DETAIL_TYPE, "account": self.account, "region": region}
        envelope |= {"time": self.time, "id": self.event_id}
        return json.dumps({**{name: value for name, value in envelope.items() if value}, "detail": known})

    def reference(self) -> ImageReference | None:
        """Return the image that could not be pulled.

        It is the container's own, unless the message is about another one of ECR: a container waits for the images of
        its volumes, too (Kubernetes, "Use an Image Volume With a Pod").
        """
        own, failed = parse_image(self.image) if self.image else None, read_message(self.message).image
        if own is None or failed is None or failed.problem or failed.kind is RegistryKind.OTHER:
            return own or failed
        return own if (own.host, own.repository) == (failed.host, failed.repository) else failed

    def pull(self) -> PullFailure | Skipped:
        """Return the failed pull, or why it cannot be diagnosed."""
        image = self.reference()
        if image is None:
            return Skipped("a failing pod whose message names no image")
        if reason := not_pullable(image):
            return Skipped(reason)
        parsed = read_message(self.message)
        if parsed.no_reason in UNASKED:
            return Skipped(f"a failing pod whose message {parsed.no_reason}")
        return self._failure(image, parsed)

    def _failure(self, image: ImageReference, parsed: KubeletMessage) -> PullFailure:
        return PullFailure(
            symptom=parsed.symptom,
            stage=parsed.stage,
            region=image.region or self.region or _ECR_PUBLIC_REGION,
            account=self.account,
            principal=_of_pod(parsed.denial, self.account)
            or read_principal("", {"arn": self.principal_arn}, partition="aws"),  # an ARN has a partition of its own
            denial=parsed.denial,
            registry_account=image.registry_account,
            repository=names.repository(image.repository),
            tag=names.tag(image.tag) or (None if image.digest else "latest"),
            digest=names.digest(image.digest),
            cluster=self.cluster,
            node=self.node,
            namespace=self.namespace,
            pod=self.pod,
            observed_at=self.time,
            event_id=self.event_id,
            message=self.message or None,
            registry_host=image.registry_host,
            pod_labels=self.labels,
        )


def _of_pod(denial: Denial | None, account: str | None) -> Principal | None:
    """Return the pod's own pull role, where AWS's words on the node name its session. None for a node's own role.

    Only kubelet's name for such sessions counts, and a role of the node's own account.
    """
    if denial is None:
        return None
    named = read_principal(parse_denial(denial.message, action=denial.action)[0], None, partition="aws")
    is_pods = named is not None and named.kind is PrincipalKind.ROLE and named.session_name == KUBELET_SESSION
    return named if named and is_pods and account in (None, named.account) else None


def not_pullable(image: ImageReference) -> str | None:
    """Return why `image` is not in ECR or is spelt wrong; None if neither."""
    if image.kind is RegistryKind.OTHER:
        wrong = f"; it is spelt wrong: {image.problem}" if image.problem else ""
        return f"{image} is not in Amazon ECR but in {redact(image.host, limit=80)}{wrong}"
    return f"the image reference {image} is wrong: {image.problem}" if image.problem else None


def read_pod_failure(envelope: Mapping[str, object], *, where: str = "") -> PullFailure | Skipped:
    """Read our own event. Raises UnusableEvent if its detail is not an object."""
    detail = envelope.get("detail")
    if not isinstance(detail, dict):
        raise UnusableEvent(f"{where}.detail" if where else "detail", f"is not an object but {fields.kind(detail)}")
    return PodFailure(
        account=names.account(envelope.get("account")),
        message=clean(fields.text(detail, _KEYS["message"])),
        image=image_text(detail.get(_KEYS["image"])),
        cluster=kubernetes_names.cluster(detail.get(_KEYS["cluster"])),
        namespace=kubernetes_names.object_name(detail.get(_KEYS["namespace"])),
        pod=kubernetes_names.object_name(detail.get(_KEYS["pod"])),
        node=kubernetes_names.object_name(detail.get(_KEYS["node"])),
        principal_arn=principal_arn(detail.get(_KEYS["principal_arn"])),
        time=names.time(envelope.get("time")),
        event_id=names.event_id(envelope.get("id")),
        region=names.region(envelope.get("region")),
    ).pull()


def clean(message: str) -> str:
    """Return a message as one line of at most MESSAGE_LIMIT characters, without credentials and control characters.

    `read_message` gives the same for it as for the message.
    """
    return plain_text(message)[:MESSAGE_LIMIT]


def image_text(value: object) -> str | None:
    """Return an image reference as a pod writes it, None if it is not one."""
    image = parse_image(value) if isinstance(value, str) and len(value) <= TEXT_LIMIT else None
    return image.text if image else None


def principal_arn(value: object) -> str | None:
    """Return an ARN of IAM or STS, None for anything else."""
    arn = names.arn(value)
    return str(arn) if arn and arn.service in {"iam", "sts"} else None
