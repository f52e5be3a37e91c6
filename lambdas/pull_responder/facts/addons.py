"""An add-on of a cluster, as EKS describes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.facts.compute import HealthIssue

if TYPE_CHECKING:
    from mypy_boto3_eks import EKSClient

    from pull_responder.facts.reader import Reader
    from pull_responder.model.unread import Unread

PERMISSIONS: Final = ("eks:DescribeAddon",)

_GONE: Final = frozenset({"ResourceNotFoundException"})


@dataclass(frozen=True, slots=True)
class Addon:
    """An add-on. `owner` is "aws" or "aws-marketplace", None where EKS does not say."""

    cluster: str
    name: str
    owner: str | None
    issues: tuple[HealthIssue, ...] = ()


def read_addon(reader: Reader, account: str | None, region: str, cluster: str, name: str) -> Addon | Unread | None:
    """Return the add-on, None if the cluster has none of this name."""

    def request(client: EKSClient) -> Addon:
        found = client.describe_addon(clusterName=cluster, addonName=name)["addon"]
        return Addon(
            cluster,
            name,
            found.get("owner") or None,
            tuple(
                # EKS writes null for a list without elements.
                HealthIssue(each.get("code", ""), each.get("message", ""), tuple(each.get("resourceIds") or []))
                for each in found.get("health", {}).get("issues") or []
            ),
        )

    return reader.call("eks:DescribeAddon", account=account, region=region, request=request, absent=_GONE)
