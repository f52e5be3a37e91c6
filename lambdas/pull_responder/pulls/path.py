"""The path from the nodes to the registry. It is read and traced once for all checks."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final

from pull_responder.facts import compute, ec2, network
from pull_responder.facts.compute import Cluster
from pull_responder.facts.network import network_of
from pull_responder.facts.pod_interface import PodInterface, pod_address
from pull_responder.model.arn import DNS_SUFFIXES
from pull_responder.model.pull import Stage, Symptom, registry_answered
from pull_responder.model.reason import ASK, RUNNING, Reason, join_reasons
from pull_responder.model.sighting import Sighting
from pull_responder.model.unread import Unread
from pull_responder.model.verdict import Remediation, Resource, Verdict
from pull_responder.network import Network, NodePlace, Owned, Path, RegistryPlace, trace
from pull_responder.network.answer import ResourceType
from pull_responder.network.places import vpc_id
from pull_responder.pulls.failed_node import nodes_of
from pull_responder.pulls.kubelet_words import read_words
from pull_responder.pulls.nodes import Nodes, with_template
from pull_responder.pulls.path_proof import prove_way
from pull_responder.pulls.session import node_instance, node_regions
from pull_responder.pulls.surroundings import with_surroundings
from pull_responder.remediation.composition import combine
from pull_responder.remediation.ec2 import Where

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pull_responder.model.pull import PullFailure
    from pull_responder.network import Fault, Hop, Leg, PathCause
    from pull_responder.pulls.pull_facts import PullFacts

PATH_PERMISSIONS: Final = (
    *network.PERMISSIONS,
    *compute.PERMISSIONS,
    *ec2.PERMISSIONS,
    *ec2.TEMPLATE_PERMISSIONS,
)

_NO_POLICY: Final = "This applies to pods that get no other security groups from a SecurityGroupPolicy of the cluster."
_POD_GONE: Final = (
    "the Fargate pod is gone, and its security groups are not known: a SecurityGroupPolicy may have replaced the "
    "cluster's"
)

# The part of an ARN before EC2's ids. Source: Service Authorization Reference, "Amazon EC2".
_ARN_KINDS: Final = {
    "subnet": "subnet",
    "sg": "security-group",
    "acl": "network-acl",
    "rtb": "route-table",
    "vpc": "vpc",
    "vpce": "vpc-endpoint",
    "nat": "natgateway",
    "i": "instance",
    "pcx": "vpc-peering-connection",
    "tgw-attach": "transit-gateway-attachment",
    "tgw-rtb": "transit-gateway-route-table",
    "tgw": "transit-gateway",
}


@dataclass(frozen=True, slots=True)
class PullPath:
    """The paths to the registry from each place of the nodes.

    - `paths` start where the nodes are.
    - `others` start in the subnets where more of them may be started.
    - `seen` is what kubelet's message shows of the connection that failed, as `trace` takes it.
    - `owned` is where a fault is that lies outside the nodes' VPC: then `network` is the VPC of the fault (`at`).
    """

    nodes: Nodes
    network: Network
    partition: str
    paths: tuple[tuple[NodePlace, Path], ...]
    others: tuple[tuple[NodePlace, Path], ...] = ()
    seen: Sighting | None = None
    owned: Owned | None = None

    def at(self, fault: Fault) -> PullPath:
        """Return the path as it is to be mended for a fault: with the network, account and region that it is in."""
        if fault.owned is None:
            return self
        found = next((each for each in self.networks if vpc_id(each) == fault.owned.vpc_id), self.network)
        return replace(self, network=found, owned=fault.owned)

    def holding(self, endpoint_id: str) -> PullPath:
        """Return the path as it is to be read and mended where an endpoint is: in this VPC, or in one behind it."""
        for far in self.networks[1:]:
            endpoints = () if isinstance(far.endpoints, Unread) else far.endpoints
            if any(each.id == endpoint_id for each in endpoints):
                return replace(self, network=far, owned=Owned(far.owner, far.region, vpc_id(far)))
        return self

    def place(self, hop: Hop) -> str:
        """Return where a hop is, in words that follow its name. Empty if it is part of the nodes' VPC."""
        owned = hop.owned
        if owned is None:
            return ""
        within = f"in {owned.vpc_id} of" if owned.vpc_id else "of"
        region = f", {owned.region}" if owned.region != self.nodes.region else ""
        return f"{within} account {owned.account or 'not known'}{region}"

    @property
    def networks(self) -> tuple[Network, ...]:
        """The nodes' VPC and those behind it, as far as they were read."""
        around = self.network.around.vpcs.values()
        return (self.network, *(each for each in around if not isinstance(each, Unread)))

    @property
    def owner(self) -> str:
        """The account that owns the VPC. It is the nodes' account, unless another account shares the VPC with it."""
        if self.owned:
            return self.owned.account
        vpc = self.network.vpc
        return ("" if isinstance(vpc, Unread) else vpc.owner) or self.nodes.account

    def where(self, resource_id: str) -> Where:
        """Return the account and region in which a part of the VPC is fixed. The VPC's owner may be another account."""
        if resource_id.startswith("arn:"):
            _, _, _, region, account, *_ = resource_id.split(":")
            return Where(account, region)
        account = self.group_owner(resource_id) if resource_id.startswith("sg-") else self.owner
        return Where(account, self.owned.region if self.owned else self.nodes.region)

    def group_owner(self, group_id: str) -> str:
        """Return the account of a security group. In a shared VPC, the owner and the participants each have some."""
        groups = self.network.security_groups
        group = None if isinstance(groups, Unread) else groups.get(group_id)
        return (group.owner if group else "") or (self.owned.account if self.owned else self.nodes.account)

    def resource(self, kind: str, resource_id: str) -> Resource:
        """Return a part of the VPC as a resource, by EC2's id."""
        where = self.where(resource_id)
        if resource_id.startswith("arn:"):
            return Resource(kind, resource_id, where.account)
        if resource_id.startswith("rslvr-frg-"):
            place = f"{where.region}:{where.account}:firewall-rule-group/{resource_id}"
            return Resource(kind, f"arn:{self.partition}:route53resolver:{place}", where.account)
        if kind == ResourceType.HOSTED_ZONE:
            return Resource(kind, f"arn:{self.partition}:route53:::hostedzone/{resource_id}", where.account)
        name = next((name for prefix, name in _ARN_KINDS.items() if resource_id.startswith(f"{prefix}-")), "vpc")
        return Resource(
            kind, f"arn:{self.partition}:ec2:{where.region}:{where.account}:{name}/{resource_id}", where.account
        )

    def leg(self, stage: Stage) -> Iterator[tuple[NodePlace, Leg]]:
        """Return the path of each place to the expected host of one stage. One that a message names comes after it."""
        for place, path in self.paths:
            yield from [(place, leg) for leg in path.legs if leg.stage is stage][:1]


def registry_host(pull: PullFailure) -> str | None:
    """Return the registry's host name without its port, None where the event does not say whose registry it is.

    It is the host in the image's name. A denied call names no host, so the registry's plain host is used. A refused
    token names no registry either, but the paths to api.ecr and S3 are the same for all registries of a region.
    """
    if pull.registry_host:
        return pull.registry_host.lower().partition(":")[0]
    suffix = DNS_SUFFIXES.get(pull.partition)
    account = pull.registry_account or pull.principal_account or pull.account
    return f"{account}.dkr.ecr.{pull.region}.{suffix}" if suffix and account else None


def pull_path(pull: PullFailure, facts: PullFacts) -> PullPath | Unread:
    """Trace the paths of this pull. Unread where it is not known where the nodes are."""
    host = registry_host(pull)
    pod = (pull.namespace, pull.pod_labels)  # these select the Fargate profile
    seen = sighting_of(pull, facts)
    place = (pull.account, pull.region, pull.cluster_region)
    key = ("path", pull.principal, *place, pull.cluster, pull.node, host, pod, seen)
    return facts.once(key, lambda: _trace(pull, facts, host, seen))


def sighting_of(pull: PullFailure, facts: PullFacts) -> Sighting | None:
    """Return what kubelet's message shows of the connection that failed, empty if it shows nothing.

    None before a failure, and where the registry answered: then the message is not about the way to it. Without a token
    kubelet is not authenticated, so the way to the token is in question.
    """
    if facts.asked is not None:
        return None
    said = read_words(pull)
    answered = registry_answered(pull.symptom) or said.answer is not None
    if pull.symptom is Symptom.NOT_AUTHENTICATED:
        seen = said.sighting
        return replace(seen if seen.address or seen.server else Sighting(), stage=Stage.TOKEN)
    if answered or pull.symptom in (Symptom.PROXY_FAILED, Symptom.CERTIFICATE_UNTRUSTED):
        return None
    seen = replace(said.sighting, stage=pull.stage)
    return replace(seen, unresolved=pull.symptom is Symptom.NAME_RESOLUTION_FAILED)


def _trace(pull: PullFailure, facts: PullFacts, host: str | None, seen: Sighting | None) -> PullPath | Unread:
    if host is None:
        return Unread(Reason("the event does not say which registry was pulled from", ASK))
    facts.read_ahead([lambda: nodes_of(pull, facts), lambda: _vpc_of_instance(pull, facts)])
    nodes = nodes_of(pull, facts)
    if isinstance(nodes, Unread):
        nodes = _pod(pull, facts) or nodes
    if isinstance(nodes, Unread):
        return nodes
    if isinstance(nodes.vpc_id, Unread):
        return nodes.vpc_id
    facts.start([partial(with_template, nodes, facts)])
    account, region, of_nodes = nodes.account, nodes.region, nodes.vpc_id
    # A pod's own interface is read in parallel to its VPC.
    address = pod_address(pull.node) if nodes.fargate and not facts.asked else None
    reads = [lambda: facts.pod_interface(account, region, of_nodes, address)] if address else []
    facts.read_ahead([lambda: facts.vpc_parts(account, region, of_nodes), *reads])
    parts = facts.vpc_parts(account, region, of_nodes)
    nodes = with_template(nodes, facts)
    known = network_of(parts, (*nodes.own_subnet_ids, *nodes.subnet_ids))
    registry = RegistryPlace(host, pull.region)
    places, others = _places(nodes, known, pull, facts), nodes.other_places(known)
    everywhere = (*places, *others)
    known = with_surroundings(known, lambda now: [trace(each, registry, now, seen) for each in everywhere], facts)
    return PullPath(
        nodes=nodes,
        network=known,
        partition=pull.partition,
        paths=tuple((place, trace(place, registry, known, seen)) for place in places),
        others=tuple((place, trace(place, registry, known, seen)) for place in others),
        seen=seen,
    )


def _places(nodes: Nodes, network: Network, pull: PullFailure, facts: PullFacts) -> tuple[NodePlace, ...]:
    """Return where the nodes are. A Fargate pod is at its own interface: its groups may not be the cluster's."""
    places = nodes.places(network)
    if not nodes.fargate or isinstance(nodes.vpc_id, Unread):
        return places
    if facts.asked:
        return tuple(replace(place, assumption=_NO_POLICY) for place in places)
    address = pod_address(pull.node)
    found = facts.pod_interface(nodes.account, nodes.region, nodes.vpc_id, address) if address else None
    if isinstance(found, PodInterface):
        return (NodePlace(pull.node or nodes.name, found.subnet_id, found.group_ids, found.addresses),)
    unknown = found if isinstance(found, Unread) else Unread(_POD_GONE)
    return tuple(replace(place, group_ids=unknown) for place in places)


def _pod(pull: PullFailure, facts: PullFacts) -> Nodes | None:
    """Return a running Fargate pod whose profile is not known. Its path needs only its interface."""
    account = pull.principal_account
    address = pod_address(pull.node)
    if not (account and address and pull.cluster):
        return None
    for region in node_regions(pull, facts):
        cluster = facts.cluster(account, region, pull.cluster)
        if not isinstance(cluster, Cluster) or cluster.vpc_id is None:
            continue
        found = facts.pod_interface(account, region, cluster.vpc_id, address)
        if isinstance(found, PodInterface):
            return Nodes(
                name=f"Fargate pod {pull.node} of cluster {cluster.name}",
                account=account,
                region=region,
                vpc_id=cluster.vpc_id,
                subnet_ids=(found.subnet_id,),
                group_ids=found.group_ids,
                cluster=cluster.name,
                fargate=True,
            )
    return None


def _vpc_of_instance(pull: PullFailure, facts: PullFacts) -> None:
    """Read a running node's VPC without waiting for its node group."""
    instance = node_instance(pull, facts)
    if isinstance(instance, ec2.Instance) and instance.vpc_id and not instance.is_gone:
        facts.vpc_parts(instance.account, instance.region, instance.vpc_id)


def examine_path(
    cause: PathCause, pull: PullFailure, facts: PullFacts, fix: Callable[[Fault, PullPath], Remediation]
) -> Verdict:
    """Return the verdict on `cause`: failed if the nodes' path shows it, with `fix` for each faulty resource.

    Where nodes may be in several subnets, a fault in one of them is enough. The evidence names the subnets without the
    fault.
    """
    found = pull_path(pull, facts)
    if isinstance(found, Unread):
        return Verdict.inconclusive(found.reason)
    if not found.paths:
        return Verdict.inconclusive(Reason(f"EKS names no subnet of {found.nodes.name}", RUNNING))
    paths = [(place, _relevant_part(path, pull)) for place, path in found.paths]
    faults = list(_one_a_resource(fault for _, path in paths for fault in path.faults if fault.cause is cause))
    # Where the node itself could not be read, it is in one of these places: only what all of them share is its fault.
    unseen = found.nodes.unseen if facts.asked is None else None
    if faults and (unseen is None or all(cause in {f.cause for f in path.faults} for _, path in paths)):
        return _failure(cause, found, pull, faults, fix)
    reasons = [doubt.reason for _, path in paths for doubt in path.undecided if doubt.cause is cause]
    if reasons := [unseen.reason] if unseen else reasons:
        return Verdict.inconclusive(join_reasons(reasons))
    passed = [line for _, path in paths for each in path.passed if each.cause is cause for line in each.evidence]
    if passed:
        return Verdict.passed(*dict.fromkeys(passed))
    return Verdict.not_applicable("the path to the registry has no such component")


def _relevant_part(path: Path, pull: PullFailure) -> Path:
    """Return the part of the path that the symptom is about."""
    if pull.symptom is not Symptom.NOT_AUTHENTICATED:
        return path
    return Path(tuple(leg for leg in path.legs if leg.stage is Stage.TOKEN))


def _one_a_resource(faults: Iterator[Fault]) -> Iterator[Fault]:
    """Return the first fault of each resource, with what the resource's other faults need, too."""
    by_resource: dict[str, Fault] = {}
    for fault in faults:
        known = by_resource.setdefault(fault.resource_id, fault)
        by_resource[fault.resource_id] = replace(known, fixes=tuple(dict.fromkeys(known.fixes + fault.fixes)))
    yield from by_resource.values()


def _failure(
    cause: PathCause,
    found: PullPath,
    pull: PullFailure,
    faults: list[Fault],
    fix: Callable[[Fault, PullPath], Remediation],
) -> Verdict:
    relevant = partial(_relevant_part, pull=pull)
    paths = [(place, relevant(path)) for place, path in found.paths]
    registry = RegistryPlace(registry_host(pull) or "", pull.region)
    fixes = [fix(fault, found.at(fault)) for fault in faults]
    account = fixes[0].account
    mended = {(cause, fault.resource_id) for fault, each in zip(faults, fixes, strict=True) if each.account == account}
    works = [place.subnet_id for place, path in (*paths, *found.others) if cause not in {f.cause for f in path.faults}]
    said = (
        (f"{found.nodes.name}: these subnets do not have this fault: {', '.join(dict.fromkeys(works))}.",)
        if works
        else ()
    )
    return Verdict.failed(
        resource=found.at(faults[0]).resource(faults[0].resource_type, faults[0].resource_id),
        explanation=" ".join(dict.fromkeys(fault.explanation for fault in faults)),
        evidence=(*dict.fromkeys(line for fault in faults for line in (*fault.evidence, *_owner(fault, found))), *said),
        remediation=_with_elsewhere(
            prove_way(
                combine(*dict.fromkeys(each for each in fixes if each.account == account)),
                found.network,
                found.paths,
                registry,
                mended,
                relevant,
                found.seen,
            ),
            fixes,
        ),
    )


def _with_elsewhere(remediation: Remediation, fixes: list[Remediation]) -> Remediation:
    """Return the fix with what other accounts have to do. Its commands are for one account."""
    others = dict.fromkeys((each.account, each.summary) for each in fixes if each.account != remediation.account)
    said = "".join(f" In account {account}: {summary}" for account, summary in others)
    return replace(remediation, summary=f"{remediation.summary}{said}", short="") if said else remediation


def _owner(fault: Fault, found: PullPath) -> tuple[str, ...]:
    """Return the line that says whose a resource outside the nodes' VPC is. An ARN says it itself."""
    owned, nodes = fault.owned, vpc_id(found.network)
    if owned is None or fault.resource_id.startswith("arn:") or (owned.account, owned.vpc_id) == (found.owner, ""):
        return ()
    vpc = f"{owned.vpc_id} of " if owned.vpc_id else ""
    return (f"{fault.resource_id} is in {vpc}account {owned.account}, the nodes in {nodes} of account {found.owner}",)
