"""What asks for a look at nodes before any pod fails: a change of a cluster or of its nodes, or the clock.

Sources: CloudTrail records of Amazon EKS (EKS User Guide, "Log API calls as AWS CloudTrail events"); the EKS API model,
whose path parameter `name` is the cluster's in the calls about node groups and Fargate profiles; EventBridge User
Guide, "Events from schedules". Amazon EKS sends no events of its own about health.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.events import fields, kubernetes_names, names
from pull_responder.events.outcome import Skipped, UnusableEvent
from pull_responder.events.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Mapping

EKS_SOURCE: Final = "aws.eks"
CLOCK_SOURCE: Final = "aws.events"
SCHEDULED: Final = "Scheduled Event"

CHANGES: Final = frozenset(
    {
        "CreateCluster",
        "CreateFargateProfile",
        "CreateNodegroup",
        "UpdateClusterConfig",
        "UpdateNodegroupConfig",
        "UpdateNodegroupVersion",
    }
)
"""The calls to EKS after which nodes may pull in another way."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """Nodes to be asked about: one node group's or Fargate profile's, those of no node group that have a role, all of a
    cluster, or of all clusters.

    `health_only` asks for what EKS itself says of node groups and Fargate profiles, and no more.
    """

    account: str
    region: str
    cluster: str | None = None
    node_group: str | None = None
    fargate_profile: str | None = None
    health_only: bool = False
    observed_at: str | None = None
    event_id: str | None = None
    role_arn: str | None = None


def read_eks_change(envelope: Mapping[str, object], *, where: str = "") -> Inspection | Skipped:
    """Read a CloudTrail event of EKS. Raises UnusableEvent when its detail is no object."""
    detail = envelope.get("detail")
    if not isinstance(detail, dict):
        raise UnusableEvent(f"{where}.detail" if where else "detail", f"is not an object but {fields.kind(detail)}")
    name = fields.text(detail, "eventName")
    if name not in CHANGES:
        return Skipped(f"{redact(name, limit=80) or 'an event without a name'} does not change how nodes pull")
    if error := fields.text(detail, "errorCode"):
        return Skipped(f"{name} failed with {redact(error, limit=80)}, so nothing has changed")
    account, region = names.account(envelope.get("account")), names.region(envelope.get("region"))
    asked, answered = fields.mapping(detail, "requestParameters"), fields.mapping(detail, "responseElements")
    written = (asked.get("clusterName"), asked.get("name"), fields.text(answered, "cluster", "name"))
    cluster = next(filter(None, map(kubernetes_names.cluster, written)), None)
    if account is None or region is None or cluster is None:
        return Skipped(f"{name} that does not say of which cluster")
    return Inspection(
        account=account,
        region=region,
        cluster=cluster,
        node_group=kubernetes_names.compute(asked.get("nodegroupName")),
        fargate_profile=kubernetes_names.compute(asked.get("fargateProfileName")),
        observed_at=names.time(detail.get("eventTime")) or names.time(envelope.get("time")),
        event_id=names.event_id(detail.get("eventID")) or names.event_id(envelope.get("id")),
    )


def read_schedule(envelope: Mapping[str, object]) -> Inspection | Skipped:
    """Read the event of a schedule: the health of everything in the region is to be looked at."""
    account, region = names.account(envelope.get("account")), names.region(envelope.get("region"))
    if fields.text(envelope, "detail-type") != SCHEDULED or account is None or region is None:
        return Skipped("an event of EventBridge that is no schedule's")
    moment, event_id = names.time(envelope.get("time")), names.event_id(envelope.get("id"))
    return Inspection(account, region, health_only=True, observed_at=moment, event_id=event_id)
