"""The role that nodes have, as far as EC2, EKS and IAM show it. It is read once for all checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.facts import compute, ec2, iam
from pull_responder.facts.ec2 import Instance, LaunchTemplate
from pull_responder.facts.iam import InstanceProfile, Role
from pull_responder.model.arn import Arn
from pull_responder.model.reason import ASK, Reason
from pull_responder.model.unread import Unread
from pull_responder.pulls.failed_node import nodes_of

if TYPE_CHECKING:
    from pull_responder.model.pull import PullFailure
    from pull_responder.pulls.nodes import Nodes
    from pull_responder.pulls.pull_facts import PullFacts

IDENTITY_PERMISSIONS: Final = (
    *iam.PROFILE_PERMISSIONS,
    *compute.PERMISSIONS,
    *ec2.PERMISSIONS,
    *ec2.TEMPLATE_PERMISSIONS,
)


@dataclass(frozen=True, slots=True)
class Identity:
    """The role of one instance, or of nodes that are not started yet (`instance` is None).

    - `problem` says why there is no role.
    - `role` is Unread where it cannot be read, and None where there is none.
    - `named` is the role's ARN as EKS or the instance profile names it.
    - `profile` is the instance profile's name.
    """

    instance: Instance | None
    role: Role | Unread | None
    named: Arn | None = None
    profile: str | None = None
    problem: str = ""


def template_arn(nodes: Nodes, template_id: str, partition: str) -> str:
    """Return the ARN of the nodes' launch template."""
    return f"arn:{partition}:ec2:{nodes.region}:{nodes.account}:launch-template/{template_id}"


def node_identities(pull: PullFailure, facts: PullFacts) -> tuple[Nodes, tuple[Identity, ...]] | Unread:
    """Return the nodes and their roles. Unread where the nodes are not known."""
    nodes = nodes_of(pull, facts)
    if isinstance(nodes, Unread):
        return nodes
    if nodes.instances:
        return nodes, tuple(_of_instance(facts, nodes, instance) for instance in nodes.instances)
    if isinstance(nodes.template, LaunchTemplate) and nodes.template.profile:
        whose = f"launch template {nodes.template.id}"
        return nodes, (_of_profile(facts, nodes, None, nodes.template.profile, whose),)
    return nodes, (_of_role(facts, nodes, None, nodes.role, None),)


def _of_instance(facts: PullFacts, nodes: Nodes, instance: Instance) -> Identity:
    name = (instance.profile_arn or "").rpartition("/")[2]
    if not name:
        return Identity(instance, None, nodes.role, None, f"instance {instance.id} has no instance profile")
    return _of_profile(facts, nodes, instance, name, f"instance {instance.id}")


def _of_profile(facts: PullFacts, nodes: Nodes, instance: Instance | None, name: str, whose: str) -> Identity:
    profile = facts.instance_profile(nodes.account, nodes.region, name)
    if isinstance(profile, Unread):
        return Identity(instance, profile, nodes.role, name)
    if not isinstance(profile, InstanceProfile):
        problem = f"the instance profile {name} of {whose} does not exist"
        return Identity(instance, None, nodes.role, name, problem)
    if profile.role_arn is None:
        return Identity(instance, None, nodes.role, name, f"the instance profile {name} holds no role")
    return _of_role(facts, nodes, instance, Arn.parse(profile.role_arn), name)


def _of_role(
    facts: PullFacts, nodes: Nodes, instance: Instance | None, named: Arn | None, profile: str | None
) -> Identity:
    if named is None:
        unnamed = Unread(Reason(f"nothing names the role of {nodes.name}", ASK))
        return Identity(instance, nodes.vpc_id if isinstance(nodes.vpc_id, Unread) else unnamed, None, profile)
    role = facts.role(named.account, nodes.region, named.resource.rpartition("/")[2])
    problem = "" if role is not None else f"the role {named} does not exist"
    return Identity(instance, role, named, profile, problem)
