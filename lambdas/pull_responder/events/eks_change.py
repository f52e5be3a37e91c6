"""Read the events that start an inspection of nodes before any pod fails: a change in EKS, or the schedule.

Sources: CloudTrail records of Amazon EKS (EKS User Guide, "Log API calls as AWS CloudTrail events"); EventBridge User
Guide, "Events from schedules"; the EKS API model, where the path parameter `name` is the cluster's name in the calls
about node groups and Fargate profiles. EKS sends no events about the health of these; those it sends are read by
events/eks_event.py.
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
"""The EKS calls that can change how nodes pull."""


@dataclass(frozen=True, slots=True)
class Inspection:
    """The nodes to inspect.

    - `account`, `region`: where the cluster is.
    - `cluster`: None for all clusters of the region.
    - `node_group`, `fargate_profile`, `role_arn`: the nodes of one of these; all None for all nodes of the cluster.
    - `health_only`: read only the health issues that EKS reports.
    - `addons`: the names of add-ons whose images are asked about. With `only_addons`, nothing else is.
    - `observed_at`: ISO 8601 in UTC.
    - `event_id`: the id of the event that started the inspection.
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
    addons: tuple[str, ...] = ()
    only_addons: bool = False


def read_eks_change(envelope: Mapping[str, object], *, where: str = "") -> Inspection | Skipped:
    """Read a CloudTrail event of EKS. Raises UnusableEvent if its detail is not an object."""
    detail = envelope.get("detail")
    if not isinstance(detail, dict):
        raise UnusableEvent(f"{where}.detail" if where else "detail", f"is not an object but {fields.kind(detail)}")
    name = fields.text(detail, "eventName")
    if name not in CHANGES:
        return Skipped(f"{redact(name, limit=80) or 'an event without a name'} does not change how nodes pull")
    if error := fields.text(detail, "errorCode"):
        return Skipped(f"{name} failed with {redact(error, limit=80)}, so nothing has changed")
    account, region = names.account(envelope.get("account")), names.region(envelope.get("region"))
    parameters, response = fields.mapping(detail, "requestParameters"), fields.mapping(detail, "responseElements")
    written = (parameters.get("clusterName"), parameters.get("name"), fields.text(response, "cluster", "name"))
    cluster = next(filter(None, map(kubernetes_names.cluster, written)), None)
    if account is None or region is None or cluster is None:
        return Skipped(f"{name} that does not name its cluster")
    return Inspection(
        account=account,
        region=region,
        cluster=cluster,
        node_group=kubernetes_names.compute(parameters.get("nodegroupName")),
        fargate_profile=kubernetes_names.compute(parameters.get("fargateProfileName")),
        observed_at=names.time(detail.get("eventTime")) or names.time(envelope.get("time")),
        event_id=names.event_id(detail.get("eventID")) or names.event_id(envelope.get("id")),
    )


def read_schedule(envelope: Mapping[str, object]) -> Inspection | Skipped:
    """Read the event of a schedule. It starts an inspection of the health of all nodes in the region."""
    account, region = names.account(envelope.get("account")), names.region(envelope.get("region"))
    if fields.text(envelope, "detail-type") != SCHEDULED or account is None or region is None:
        return Skipped("an event of EventBridge that is not from a schedule")
    moment, event_id = names.time(envelope.get("time")), names.event_id(envelope.get("id"))
    return Inspection(account, region, health_only=True, observed_at=moment, event_id=event_id)
