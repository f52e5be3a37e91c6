"""The nodes of a failed pull: the instance that pulled, or a stand-in for an instance that is gone.

The stand-in is the node group. Its next nodes will be in the same subnets with the same security groups (Amazon EKS
User Guide, "Managed node groups", "Customize managed nodes with launch templates"). Without a node group it is the
launch template.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.facts.compute import AccessEntry, Cluster, EntryType, FargateProfile, NodeGroup
from pull_responder.facts.ec2 import Instance
from pull_responder.model.reason import ASK, RUNNING, Reason
from pull_responder.model.unread import Unread
from pull_responder.pulls.cluster_uses import ClusterUse, Membership, compute_uses_in
from pull_responder.pulls.nodes import (
    FARGATE_PREFIX,
    Nodes,
    of_fargate_profile,
    of_instances,
    of_node_group,
    of_role,
    of_template,
)
from pull_responder.pulls.puller import puller_of
from pull_responder.pulls.session import node_instance, node_regions, role_arn_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.model.pull import PullFailure
    from pull_responder.pulls.pull_facts import PullFacts
    from pull_responder.pulls.puller import Puller

PROFILE_LABEL: Final = "eks.amazonaws.com/fargate-profile"
"""The label of a pod that names its Fargate profile. EKS sets it, or the pod's author, to choose one of several."""

# Ids that Systems Manager gives machines outside AWS. Hybrid nodes use them as session names. Hybrid nodes with
# credentials of IAM Roles Anywhere have other names, and are known by their role's access entry.
_MANAGED_ID: Final = re.compile(r"mi-[0-9a-f]{17}")


def nodes_of(pull: PullFailure, facts: PullFacts) -> Nodes | Unread:
    """Return the nodes that the pull comes from, or would come from. Unread where they are not known."""
    if facts.asked:
        return facts.asked
    pod = (pull.namespace, pull.pod_labels)
    place = (pull.region, pull.cluster_region, pull.account)
    key = ("nodes", pull.principal, *place, pull.cluster, pull.node, pod)
    return facts.once(key, lambda: _find_nodes(facts, pull))


def _find_nodes(facts: PullFacts, pull: PullFailure) -> Nodes | Unread:
    """Return the nodes of a failed pull: its instance, or the stand-in for it."""
    account = pull.principal_account or pull.account
    if account is None:
        return Unread(Reason("the event does not say in which account the node is", ASK))
    if managed_id := _managed_id(pull):
        return _hybrid_node(facts, account, pull, managed_id)
    instance = node_instance(pull, facts)
    if isinstance(instance, Instance):
        found = of_instance(facts, instance)
        if found is not None:
            return found
    puller = puller_of(pull, facts)
    if puller.pod_role and pull.node is None:
        return Unread(
            Reason("a pod pulls with a role of its own, and the event does not say on which node it is", RUNNING)
        )
    in_regions = (_of_puller(facts, account, region, puller, pull) for region in node_regions(pull, facts))
    nodes = next((each for each in in_regions if each is not None), None)
    if isinstance(instance, Unread):
        # As far as is known, the node is not gone. What its group would start next says little about it.
        return replace(nodes, unseen=instance) if isinstance(nodes, Nodes) else nodes or instance
    return nodes or Unread(
        Reason(
            f"node {_node_name(pull)} is gone or in another region, and its node group or Fargate profile is not known",
            RUNNING,
        )
    )


def of_instance(facts: PullFacts, instance: Instance) -> Nodes | Unread | None:
    """Return the instance as a node. For a terminated one, return what its node group or launch template will start."""
    group = None
    if instance.cluster and instance.node_group:
        group = facts.node_group(instance.account, instance.region, instance.cluster, instance.node_group)
    if not instance.is_gone:
        return of_instances((instance,), name=f"instance {instance.id}", group=group)
    if isinstance(group, NodeGroup):
        cluster = facts.cluster(instance.account, instance.region, group.cluster)
        return of_node_group(facts, instance.account, instance.region, group, cluster)
    return of_template(facts, instance)


def _managed_id(pull: PullFailure) -> str | None:
    session = pull.principal.session_name if pull.principal else None
    return next((name for name in (session, pull.node) if name and _MANAGED_ID.fullmatch(name)), None)


def _hybrid_node(facts: PullFacts, account: str, pull: PullFailure, managed_id: str) -> Nodes:
    """Return a hybrid node. Its role is the session's, else the only role that the cluster has for hybrid nodes."""
    role_arn = role_arn_of(pull, facts)
    if role_arn is None and pull.principal is None and pull.cluster:
        entries = facts.access_entries(account, pull.region, pull.cluster)
        roles = [] if isinstance(entries, Unread) else [e for e in entries if e.type is EntryType.HYBRID]
        role_arn = roles[0].principal_arn if len(roles) == 1 else None
    entry = AccessEntry(pull.cluster or "", role_arn or "", EntryType.HYBRID)
    nodes = of_role(account, pull.region, entry, name=f"hybrid node {managed_id}")
    return replace(nodes, cluster=pull.cluster, role_arn=role_arn)


def _node_name(pull: PullFailure) -> str:
    session = pull.principal.session_name if pull.principal else None
    return pull.node or session or "(not named)"


def _of_puller(facts: PullFacts, account: str, region: str, puller: Puller, pull: PullFailure) -> Nodes | Unread | None:
    """Return what the puller's node group or Fargate profile will start, None if it has neither here."""
    if puller.cluster is None:
        return None
    cluster = facts.cluster(account, region, puller.cluster)
    if cluster is None:
        return None
    group_name, profile_name = puller.node_group, puller.fargate_profile
    if puller.entry_type and puller.entry_type is not EntryType.FARGATE and (role_arn := role_arn_of(pull, facts)):
        return of_role(account, region, AccessEntry(puller.cluster, role_arn, puller.entry_type))
    if len(shared := _uses_of_role(facts, account, pull, puller.cluster)) > 1:
        profiles = [use.name for use in shared if use.membership is Membership.FARGATE_PROFILE]
        fitting = _matching_profiles(facts, account, region, puller.cluster, profiles, pull)
        if len(fitting) != 1 or len(profiles) < len(shared):
            names = ", ".join(sorted(f"{use.membership} {use.name}" for use in shared))
            return Unread(
                f"node {_node_name(pull)} is gone, and its role belongs to {names}: "
                "which of them it was in is not known"
            )
        group_name, profile_name = None, fitting[0]
    if group_name is None and profile_name is None:
        group_name, profile_name = _sole_compute(facts, account, region, puller.cluster, pull)
    if group_name or profile_name:
        return _of_compute(facts, account, region, cluster, puller.cluster, group_name, profile_name)
    return cluster if isinstance(cluster, Unread) else None


def _of_compute(  # noqa: PLR0913, PLR0917 -- where, and which of the two
    facts: PullFacts,
    account: str,
    region: str,
    cluster: Cluster | Unread,
    cluster_name: str,
    group_name: str | None,
    profile_name: str | None,
) -> Nodes | Unread | None:
    if group_name is not None:
        group = facts.node_group(account, region, cluster_name, group_name)
        return of_node_group(facts, account, region, group, cluster) if isinstance(group, NodeGroup) else group
    profile = facts.fargate_profile(account, region, cluster_name, profile_name or "")
    return (
        of_fargate_profile(facts, account, region, profile, cluster) if isinstance(profile, FargateProfile) else profile
    )


def _matching_profiles(  # noqa: PLR0913, PLR0917 -- where, and which of them
    facts: PullFacts, account: str, region: str, cluster: str, profiles: Sequence[str], pull: PullFailure
) -> list[str]:
    """Return the Fargate profiles that may select the pod, by its namespace and, where known, its labels.

    A profile that cannot be read may select it. All may where the event names no namespace. Of several, the pod's label
    names the one (Amazon EKS User Guide, "Define which Pods use AWS Fargate when launched").
    """
    labels = None if pull.pod_labels is None else dict(each.split("=", 1) for each in pull.pod_labels)
    fitting = []
    for name in profiles:
        profile = facts.fargate_profile(account, region, cluster, name)
        if not isinstance(profile, FargateProfile) or not pull.namespace or profile.may_select(pull.namespace, labels):
            fitting.append(name)
    named = (labels or {}).get(PROFILE_LABEL)
    return [named] if named in fitting else fitting


def _uses_of_role(facts: PullFacts, account: str, pull: PullFailure, cluster: str) -> tuple[ClusterUse, ...]:
    """Return the node groups and Fargate profiles of the cluster that have the pulling role."""
    name = pull.principal.name if pull.principal else None
    return compute_uses_in(facts, account, pull.region, name, cluster).found if name else ()


def _sole_compute(
    facts: PullFacts, account: str, region: str, cluster: str, pull: PullFailure
) -> tuple[str | None, str | None]:
    """Return the only node group or Fargate profile that can have started the node, None where others can.

    Others are ruled out only where access entries show every role with which nodes join the cluster.
    """
    if pull.node is not None and pull.node.startswith(FARGATE_PREFIX):
        profiles = facts.fargate_profile_names(account, region, cluster)
        names = profiles if isinstance(profiles, tuple) else ()
        fitting = _matching_profiles(facts, account, region, cluster, names, pull) if len(names) > 1 else names
        return None, fitting[0] if len(fitting) == 1 else None
    groups = facts.node_group_names(account, region, cluster)
    if not isinstance(groups, tuple) or len(groups) != 1 or (pull.principal and pull.principal.name):
        return None, None
    group = facts.node_group(account, region, cluster, groups[0])
    entries = facts.access_entries(account, region, cluster)
    if not isinstance(group, NodeGroup) or isinstance(entries, Unread):
        return None, None
    joining = {e.principal_arn for e in entries if e.type and e.type is not EntryType.FARGATE}
    return (group.name if joining == {group.role_arn} else None), None
