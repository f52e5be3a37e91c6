"""The facts of one diagnosis, as checks ask for them.

Each kind of fact has a file: what runs pods in compute_facts.py, roles in role_facts.py, organizations in
organization_facts.py, registries in registry_facts.py. Here is what is about this pull: who pulls, and which nodes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from pull_responder.facts import ec2
from pull_responder.facts.compute_facts import ComputeFacts
from pull_responder.facts.failed_node import find_nodes, instance_id_of, private_dns_name
from pull_responder.facts.node import Nodes
from pull_responder.facts.organization_facts import OrganizationFacts
from pull_responder.facts.puller import Puller, find_puller
from pull_responder.facts.registry_facts import RegistryFacts
from pull_responder.facts.role_facts import RoleFacts
from pull_responder.model.pull import PullFailure
from pull_responder.model.reading import Unread

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from pull_responder.facts.reading import Reading

T = TypeVar("T")


class Facts(ComputeFacts, RoleFacts, OrganizationFacts, RegistryFacts):
    """What AWS says, read when first asked for and then kept.

    None means that the thing does not exist; `Unread` that it could not be read, and why. All arguments are
    positional, so that the same question is always the same key. `known_principals` is what the operator says: ARNs,
    `*` allowed, of those who pull for something else than EKS. `asked` are the nodes that a question is about (without,
    they are looked for).
    """

    def __init__(
        self,
        reading: Reading,
        *,
        known_principals: tuple[str, ...] = (),
        asked: Nodes | None = None,
    ) -> None:
        super().__init__(reading)
        self.known_principals = known_principals
        self.asked = asked

    def once(self, key: Hashable, work: Callable[[], T]) -> T:
        """Return what `work` gives, doing it only the first time that `key` is asked for."""
        return self._reading.once((self.asked and self.asked.name, key), work)

    def puller(self, pull: PullFailure, /) -> Puller:
        """Return who is pulling, and whether for EKS."""
        if self.asked:
            return _asked(self.asked)
        who = pull.principal or (pull.account, pull.node, bool(pull.upstream_failure))
        return self.once(("puller", who, pull.region, pull.cluster), lambda: find_puller(self, pull))

    def nodes(self, pull: PullFailure, /) -> Nodes | Unread:
        """Return the nodes that the pull comes from, or would come from."""
        if self.asked:
            return self.asked
        pod = (pull.namespace, pull.pod_labels)
        key = ("nodes", pull.principal, pull.region, pull.account, pull.cluster, pull.node, pod)
        return self.once(key, lambda: find_nodes(self, pull))

    def with_template(self, nodes: Nodes, /) -> Nodes:
        """Return the nodes with what their launch template says."""
        if nodes.launch_template is None or nodes.template is not None:
            return nodes
        return replace(nodes, template=self.launch_template(nodes.account, nodes.region, *nodes.launch_template))

    def instance(self, pull: PullFailure, /) -> ec2.Instance | Unread | None:
        """Return the instance whose session pulled; None if the session is none, or it is gone or in another region."""
        principal = pull.principal
        if self.asked:
            return next(iter(self.asked.instances), None)
        if principal is None or principal.instance_id is None or principal.account is None:
            return None
        return self._find_instance(principal.account, principal.instance_id, pull)

    def node_instance(self, pull: PullFailure, /) -> ec2.Instance | Unread | None:
        """Return the instance that pulled, by its session or by the node's name; None if neither finds one."""
        principal = pull.principal
        account = (principal.account if principal else None) or pull.account
        if account is None or (principal and principal.instance_id):
            return self.instance(pull)
        if instance_id := instance_id_of(pull.node):
            return self._find_instance(account, instance_id, pull)
        if name := private_dns_name(pull.node):
            regions = self.regions(pull)
            return _first([self.instance_named(account, region, name, pull.cluster) for region in regions])
        return None

    def _find_instance(self, account: str, instance_id: str, pull: PullFailure) -> ec2.Instance | Unread | None:
        regions = self.regions(pull)
        return _first(self._reading.each(lambda region: self.instance_of_id(account, region, instance_id), regions))


def _first(found: Sequence[ec2.Instance | Unread | None]) -> ec2.Instance | Unread | None:
    """Return what was found in several regions: the instance, else why one was not looked at, else None."""
    instance = next((each for each in found if isinstance(each, ec2.Instance)), None)
    return instance or next((each for each in found if isinstance(each, Unread)), None)


def _asked(nodes: Nodes) -> Puller:
    return Puller(
        for_eks=True,
        because=f"the question is about {nodes.name}",
        cluster=nodes.cluster,
        node_group=nodes.node_group,
        fargate_profile=nodes.fargate_profile,
        instance=next(iter(nodes.instances), None),
    )
