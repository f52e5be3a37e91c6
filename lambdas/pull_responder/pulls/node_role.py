"""The role that nodes pull with: the one that EKS names, else the role in their instance profile."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pull_responder.facts.compute import NodeGroup
from pull_responder.facts.ec2 import Instance, LaunchTemplate
from pull_responder.facts.iam import InstanceProfile
from pull_responder.model.arn import Arn
from pull_responder.model.pull import Principal, PrincipalKind, PullFailure
from pull_responder.model.reason import RUNNING, Reason
from pull_responder.model.unread import Unread
from pull_responder.pulls.failed_node import nodes_of
from pull_responder.pulls.nodes import Nodes
from pull_responder.pulls.session import node_instance

if TYPE_CHECKING:
    from pull_responder.pulls.pull_facts import PullFacts


def principal_of(nodes: Nodes, facts: PullFacts) -> Principal | None:
    """Return the role as the principal of a pull, in the session of the first instance. None where no role is known."""
    instance = next(iter(nodes.instances), None)
    return _principal(nodes.role or _role_in(_profile(nodes), nodes.account, nodes.region, facts), instance)


def why_no_role(nodes: Nodes, facts: PullFacts) -> str:
    """Return why `principal_of` found no role: a failed read, else that nothing names a role."""
    profile = _profile(nodes)
    found = facts.instance_profile(nodes.account, nodes.region, profile) if profile else nodes.template
    unread = next((each for each in (found, nodes.vpc_id) if isinstance(each, Unread)), None)
    return unread.reason if unread else Reason(f"the role of {nodes.name} is not known", RUNNING)


def _profile(nodes: Nodes) -> str | None:
    if nodes.instances:
        return _profile_of(nodes.instances[0])
    return nodes.template.profile if isinstance(nodes.template, LaunchTemplate) else None


def _profile_of(instance: Instance) -> str | None:
    return (instance.profile_arn or "").rpartition("/")[2] or None


def _role_in(profile: str | None, account: str, region: str, facts: PullFacts) -> Arn | None:
    found = facts.instance_profile(account, region, profile) if profile else None
    return Arn.parse(found.role_arn or "") if isinstance(found, InstanceProfile) else None


def _principal(role: Arn | None, instance: Instance | None) -> Principal | None:
    if role is None:
        return None
    name = role.resource.rpartition("/")[2]
    session = f"arn:{role.partition}:sts::{role.account}:assumed-role/{name}/{instance.id}" if instance else ""
    return Principal(
        kind=PrincipalKind.ROLE,
        arn=session,
        partition=role.partition,
        account=role.account,
        name=name,
        session_name=instance.id if instance else None,
        role_arn=str(role),
    )


def add_node_role(pull: PullFailure, facts: PullFacts) -> PullFailure:
    """Return the pull with the role of its node, where the event names a node or cluster but no principal.

    The node's instance is read. The cluster in its tag outranks the cluster that the event names.
    """
    if pull.principal is not None or not (pull.node or pull.cluster):
        return pull
    instance = node_instance(pull, facts)
    if isinstance(instance, Instance) and not instance.is_gone:
        # Wait only for what the role needs. The checks read everything else about the nodes in parallel.
        return replace(pull, principal=_of_instance(instance, facts), cluster=instance.cluster or pull.cluster)
    nodes = nodes_of(pull, facts)
    if not isinstance(nodes, Nodes):
        return pull
    return replace(pull, principal=principal_of(nodes, facts), cluster=nodes.cluster or pull.cluster)


def _of_instance(instance: Instance, facts: PullFacts) -> Principal | None:
    group = None
    if instance.cluster and instance.node_group:
        group = facts.node_group(instance.account, instance.region, instance.cluster, instance.node_group)
    named = Arn.parse(group.role_arn or "") if isinstance(group, NodeGroup) else None
    return _principal(named or _role_in(_profile_of(instance), instance.account, instance.region, facts), instance)
