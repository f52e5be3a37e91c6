"""What the diagnosis of a Fargate pod needs, read as soon as the event names its cluster and node.

The role of a Fargate pod does not say where the pod runs, so clusters and profiles are searched for it first. The way
to the registry would be read only after that. As the event names the cluster, both are read in parallel.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from pull_responder.facts.compute import Cluster
from pull_responder.facts.pod_interface import pod_address
from pull_responder.model.pull import Symptom
from pull_responder.model.unread import Unread
from pull_responder.pulls.session import node_regions

if TYPE_CHECKING:
    from pull_responder.model.pull import PullFailure
    from pull_responder.pulls.pull_facts import PullFacts

# The failures whose checks need the way to the registry, or what lies on it.
_NEED_WAY: Final = frozenset(
    {
        Symptom.ACCESS_DENIED,
        Symptom.NAME_RESOLUTION_FAILED,
        Symptom.NOT_AUTHENTICATED,
        Symptom.TIMEOUT,
        Symptom.UNKNOWN,
    }
)


def read_fargate_ahead(pull: PullFailure, facts: PullFacts) -> None:
    """Start the reads about the pod's cluster, its Fargate profiles and its VPC, without waiting for them."""
    account, cluster, address = pull.principal_account or pull.account, pull.cluster, pod_address(pull.node)
    if facts.asked or pull.symptom not in _NEED_WAY or account is None or cluster is None or address is None:
        return
    for region in node_regions(pull, facts):
        facts.start(
            [
                partial(_read_way, facts, account, region, cluster, address),
                partial(_read_profiles, facts, account, region, cluster),
            ]
        )


def _read_way(facts: PullFacts, account: str, region: str, cluster: str, address: str) -> None:
    found = facts.cluster(account, region, cluster)
    vpc_id = facts.vpc_of_cluster(account, region, found) if isinstance(found, Cluster) else None
    if isinstance(vpc_id, str):
        interface = partial(facts.pod_interface, account, region, vpc_id, address)
        facts.read_ahead([partial(facts.vpc_parts, account, region, vpc_id), interface])


def _read_profiles(facts: PullFacts, account: str, region: str, cluster: str) -> None:
    names = facts.fargate_profile_names(account, region, cluster)
    if names is not None and not isinstance(names, Unread):
        facts.read_ahead([partial(facts.fargate_profile, account, region, cluster, name) for name in names])
