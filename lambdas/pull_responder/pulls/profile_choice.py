"""The instance profile to give a node that has none, where one is certain to be the right one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pull_responder.facts.ec2 import LaunchTemplate
from pull_responder.facts.iam import InstanceProfile
from pull_responder.model.unread import Unread
from pull_responder.pulls.cluster_nodes import in_group

if TYPE_CHECKING:
    from pull_responder.facts.ec2 import Instance
    from pull_responder.model.arn import Arn
    from pull_responder.pulls.nodes import Nodes
    from pull_responder.pulls.pull_facts import PullFacts


@dataclass(frozen=True, slots=True)
class ProfileChoice:
    """The instance profiles that hold the nodes' role, none of which is certain to be the instance's own."""

    role: Arn
    profiles: tuple[str, ...]


def profile_choice(instance: Instance, nodes: Nodes, facts: PullFacts) -> str | ProfileChoice | None:
    """Return the name of the profile that the instance should have, else what there is to choose from.

    EKS makes an instance profile `eks-…` for each managed node group (AWS Managed Policy Reference,
    AWSServiceRoleForAmazonEKSNodegroup), and names it in the launch template from which the nodes start (Inference). So
    that template decides first, then the other nodes of the group, then the role, if it is in one profile only. None
    where nothing names the role, or where its profiles cannot be read.
    """
    named = _profile_at_start(instance, facts)
    role = nodes.role
    if role is None:
        return named if named and _holds_role(named, instance, facts) else None
    holding = facts.profiles_of_role(role.account, instance.region, role.resource.rpartition("/")[2])
    if holding is None or isinstance(holding, Unread):
        return None
    if named in holding:
        return named
    carried = _profiles_of_group(instance, facts) & set(holding)
    fitting = tuple(carried) if carried else holding
    return fitting[0] if len(fitting) == 1 else ProfileChoice(role, holding)


def _profile_at_start(instance: Instance, facts: PullFacts) -> str | None:
    """Return the name of the profile in the launch template that the instance was started from."""
    if instance.template is None:
        return None
    found = facts.launch_template(instance.account, instance.region, *instance.template)
    return found.profile if isinstance(found, LaunchTemplate) else None


def _holds_role(profile: str, instance: Instance, facts: PullFacts) -> bool:
    found = facts.instance_profile(instance.account, instance.region, profile)
    return isinstance(found, InstanceProfile) and found.role_arn is not None


def _profiles_of_group(instance: Instance, facts: PullFacts) -> set[str]:
    """Return the names of the profiles that the running nodes of the instance's node group have."""
    if not (instance.cluster and instance.node_group):
        return set()
    filters = in_group(instance.cluster, instance.node_group)
    running = facts.running_instances(instance.account, instance.region, filters)
    if isinstance(running, Unread):
        return set()
    return {(each.profile_arn or "").rpartition("/")[2] for each in running} - {""}
