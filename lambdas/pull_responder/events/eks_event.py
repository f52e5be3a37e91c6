"""Read the events that Amazon EKS itself sends: an add-on that fails or works again, a Fargate pod that is to stop.

Source of the names: Amazon EventBridge events reference, "Amazon Elastic Kubernetes Service events". AWS publishes no
example of these events. Inference: the cluster and the add-on are named by the add-on's ARN, in `resources` or as
`addonArn`, or by fields that are called as in the EKS API, or as in other events with dashes. What else is in such an
event is not read: what is wrong with the add-on is asked of EKS (pulls/addons.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.events import fields, kubernetes_names, names
from pull_responder.events.eks_change import Inspection
from pull_responder.events.outcome import Skipped, UnusableEvent
from pull_responder.events.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pull_responder.model.arn import Arn

ADDON_FAILURES: Final = frozenset({"EKS Addon Creation Failed", "EKS Addon Update Failed", "EKS Addon Health Degraded"})
"""The detail types of an add-on that fails, maybe because its pods cannot pull."""

ADDON_RESTORED: Final = "EKS Addon Health Restored"
"""The detail type of an add-on that works again."""

_PREFIX: Final = "EKS "
_POD_STOPS: Final = "EKS Fargate Pod Scheduled Termination"
_CLUSTER: Final = ("clusterName", "cluster-name", "cluster")
_ADDON: Final = ("addonName", "addon-name", "addon")
_ARNS: Final = ("addonArn", "addon-arn", "clusterArn", "cluster-arn")


def is_eks_event(detail_type: str) -> bool:
    """Return whether EKS itself sends events of this detail type. CloudTrail's records of EKS have another."""
    return detail_type.startswith(_PREFIX)


def read_eks_event(envelope: Mapping[str, object], *, where: str = "") -> Inspection | Skipped:
    """Read an event of EKS: a failing add-on starts an inspection of its cluster for its images.

    Raises UnusableEvent if the detail is not an object.
    """
    detail_type = fields.text(envelope, "detail-type")
    if detail_type == _POD_STOPS:
        return Skipped(f"{_POD_STOPS}: EKS is going to stop a Fargate pod to patch it, which is no failed pull")
    if detail_type == ADDON_RESTORED:
        return Skipped(f"{ADDON_RESTORED}: nothing to diagnose; a deployment checks its open findings again")
    if detail_type not in ADDON_FAILURES:
        return Skipped(f"{redact(detail_type, limit=80)}: not about an add-on that fails")
    addon = read_addon(envelope, where=where)
    if isinstance(addon, Skipped):
        return addon
    account, region, cluster, name = addon
    return Inspection(
        account=account,
        region=region,
        cluster=cluster,
        addons=(name,),
        only_addons=True,
        observed_at=names.time(envelope.get("time")),
        event_id=names.event_id(envelope.get("id")),
    )


def read_addon(envelope: Mapping[str, object], *, where: str = "") -> tuple[str, str, str, str] | Skipped:
    """Return the account, the region, the cluster and the name of an event's add-on, or why there is no telling.

    Raises UnusableEvent if the detail is not an object.
    """
    detail = envelope.get("detail")
    if not isinstance(detail, dict):
        raise UnusableEvent(f"{where}.detail" if where else "detail", f"is not an object but {fields.kind(detail)}")
    detail_type = redact(fields.text(envelope, "detail-type"), limit=80)
    account, region = names.account(envelope.get("account")), names.region(envelope.get("region"))
    if account is None or region is None:
        return Skipped(f"{detail_type} without account or region")
    arns = list(_arns(envelope, detail))
    if any((arn.account, arn.region) != (account, region) for arn in arns):
        return Skipped(f"{detail_type} whose add-on is in another account or region than the event")
    cluster = next(filter(None, (kubernetes_names.cluster(each) for each in _named(detail, arns, _CLUSTER, 1))), None)
    # EKS limits the names of add-ons no further. Those it offers have the characters of node groups' names.
    addon = next(filter(None, (kubernetes_names.compute(each) for each in _named(detail, arns, _ADDON, 2))), None)
    if cluster is None:
        return Skipped(f"{detail_type} that does not name its cluster")
    if addon is None:
        return Skipped(f"{detail_type} of cluster {cluster} that does not name its add-on")
    return account, region, cluster, addon


def _arns(envelope: Mapping[str, object], detail: Mapping[str, object]) -> Iterator[Arn]:
    """Return the ARNs of EKS in the event: arn:aws:eks:REGION:ACCOUNT:addon/CLUSTER/ADDON/ID, or of its cluster."""
    for value in (*fields.items(envelope, "resources"), *(detail.get(key) for key in _ARNS)):
        arn = names.arn(value)
        if arn and arn.service == "eks":
            yield arn


def _named(detail: Mapping[str, object], arns: list[Arn], keys: tuple[str, ...], part: int) -> Iterator[object]:
    for arn in arns:
        parts = arn.resource.split("/")
        if len(parts) > part and parts[0] in ("addon", "cluster"):
            yield parts[part]
    yield from (detail.get(key) for key in keys)
