"""The clusters of a region, as EKS lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.facts import compute
from pull_responder.facts.paging import pages

if TYPE_CHECKING:
    from mypy_boto3_eks import EKSClient

    from pull_responder.facts.reader import Reader
    from pull_responder.model.unread import Unread

PERMISSIONS: Final = tuple(sorted((*compute.PERMISSIONS, "eks:ListClusters")))


def read_clusters(reader: Reader, account: str | None, region: str) -> tuple[str, ...] | Unread:
    """Return the names of the clusters in this account and region."""

    def request(client: EKSClient) -> tuple[str, ...]:
        return tuple(pages(client, "list_clusters", "clusters"))

    clusters = reader.call("eks:ListClusters", account=account, region=region, request=request)
    return () if clusters is None else clusters
