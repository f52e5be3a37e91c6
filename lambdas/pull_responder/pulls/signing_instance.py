"""The EC2 instance whose role signs the requests of a pull, as the condition keys about it say.

Sources: IAM User Guide, "AWS global condition context keys" (these keys are in every request that an EC2 instance role
signs, and in no other); AWS Security Blog, "How to use policies to restrict where EC2 instance credentials can be used
from".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.authorization.partly_known import Beginning
from pull_responder.authorization.pull_context import ABSENT, Fact
from pull_responder.facts.ec2 import Instance
from pull_responder.model.unread import Unread
from pull_responder.pulls.failed_node import nodes_of
from pull_responder.pulls.request_way import one_of
from pull_responder.pulls.session import session_instance

if TYPE_CHECKING:
    from pull_responder.model.pull import PullFailure
    from pull_responder.pulls.nodes import Nodes
    from pull_responder.pulls.pull_facts import PullFacts


@dataclass(frozen=True, slots=True)
class SigningInstance:
    """What is known of the instance. None means unknown, ABSENT that no EC2 instance role signs."""

    arn: Fact = None
    vpc_id: Fact = None
    private_ip: Fact = None
    role_delivery: Fact = None


_NO_INSTANCE: Final = SigningInstance(ABSENT, ABSENT, ABSENT, ABSENT)


def signing_instance(pull: PullFailure, facts: PullFacts, *, with_nodes: bool) -> SigningInstance:
    """Return what is known of the instance. Only `with_nodes` reads the nodes where the session names none."""
    principal = pull.principal
    if facts.asked:
        # AWS STS gives a pod's own role for a token: no instance signs with it.
        return _NO_INSTANCE if facts.asked_role else _of_nodes(facts.asked, pull.partition)
    delivery = principal.role_delivery if principal else None
    instance = session_instance(pull, facts)
    if isinstance(instance, Instance):
        private = _private_addresses((instance,))
        return SigningInstance(instance.arn, instance.vpc_id, private[0] if private else None, delivery)
    if principal and principal.session_name and not principal.instance_id:
        return _NO_INSTANCE  # EC2 names a session after its instance
    if with_nodes and not (principal and principal.instance_id):
        nodes = nodes_of(pull, facts)
        if not isinstance(nodes, Unread):
            return _of_nodes(nodes, pull.partition)
    return SigningInstance(role_delivery=delivery)


def _of_nodes(nodes: Nodes, partition: str) -> SigningInstance:
    """Return what the instances of `nodes`, running or not started yet, have in common."""
    if nodes.fargate:
        return _NO_INSTANCE
    if nodes.elsewhere or nodes.is_role_alone or nodes.unread:
        return SigningInstance()
    instances = nodes.instances
    private = _private_addresses(instances)
    complete = len(private) == len(instances) and not nodes.unseen
    some = Beginning(f"arn:{partition}:ec2:{nodes.region}:{nodes.account}:instance/")
    return SigningInstance(
        arn=instances[0].arn if len(instances) == 1 else some,
        vpc_id=None if isinstance(nodes.vpc_id, Unread) else nodes.vpc_id,
        private_ip=one_of(private) if complete else None,
    )


def _private_addresses(instances: tuple[Instance, ...]) -> list[str]:
    """Return the primary private IPv4 address of each instance that has one."""
    found = (next((each for each in instance.addresses if ":" not in each), None) for instance in instances)
    return [address for address in found if address]
