"""The role that nodes pull with: EKS's word for it, else that of their instance profile."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pull_responder.facts.iam import InstanceProfile
from pull_responder.facts.node import Nodes
from pull_responder.model.arn import Arn
from pull_responder.model.pull import Principal, PrincipalKind, PullFailure

if TYPE_CHECKING:
    from pull_responder.facts.facts import Facts


def principal_of(nodes: Nodes, facts: Facts) -> Principal | None:
    """Return the role as the principal of a pull, in the session of the first instance; None where none is known."""
    role = nodes.role
    instance = next(iter(nodes.instances), None)
    if instance and instance.profile_arn and role is None:
        profile = facts.instance_profile(nodes.account, nodes.region, instance.profile_arn.rpartition("/")[2])
        role = Arn.parse(profile.role_arn or "") if isinstance(profile, InstanceProfile) else None
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


def identified(pull: PullFailure, facts: Facts) -> PullFailure:
    """Return the pull with the role of its node, where the event names a node or cluster and nobody who pulled.

    AWS is asked for the node: the cluster that its instance is tagged with outranks the one that the event names.
    """
    if pull.principal is not None or not (pull.node or pull.cluster):
        return pull
    nodes = facts.nodes(pull)
    if not isinstance(nodes, Nodes):
        return pull
    return replace(pull, principal=principal_of(nodes, facts), cluster=nodes.cluster or pull.cluster)
